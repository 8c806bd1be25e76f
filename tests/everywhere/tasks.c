/* SPDX-License-Identifier: MIT */
/*
 * Tests sleep and the waits for one task with each wait cancelled: yield, checkpoint, await, join,
 * shield, cancel-and-wait, force-cancel.
 *
 * In all cases each argument must be destroyed once. A task must have ended when its parent has
 * waited for it.
 */
#include "everywhere/everywhere.h"

static int made, destroyed, alive;

static void *new_argument(void) {
        made++;
        return &made;
}

static void destroy_argument(void *arg) {
        CHECK(arg == &made);
        destroyed++;
}

static void reset(void *arg) {
        (void) arg;
        made = destroyed = alive = 0;
}

static int check(void *arg, int outcome) {
        (void) arg;
        if (made != destroyed)
                return 1;
        if (alive != 0)
                return 2;
        return outcome >= 0 || is_cancelled(outcome) ? 0 : 3;
}

static belay_task *start(belay_fn *fn) {
        belay_task *task = belay_spawn_with(
                fn, new_argument(),
                BELAY_OPTIONS(belay_spawn_options, .destroy = destroy_argument));

        CHECK(task != NULL);
        return task;
}

/* ---- sleep, yield, checkpoint ---- */

static int steps(void *arg) {
        int rc = belay_sleep(BELAY_SECOND);

        (void) arg;
        alive++;
        if (rc == 0)
                rc = belay_yield();
        if (rc == 0)
                rc = belay_sleep_until(belay_now() + BELAY_SECOND);
        if (rc == 0)
                rc = belay_sleep_until(0);
        for (int i = 0; i < 10 && rc == 0; i++) {
                CHECK_EQ(belay_advance(BELAY_MILLISECOND), 0);
                rc = belay_checkpoint();
        }
        alive--;
        return rc;
}

/* Cleanup that waits once. */
static int tidy(void *arg) {
        int rc = steps(arg);

        alive++;
        if (rc == -ECANCELED)
                (void) !belay_sleep(BELAY_SECOND);
        alive--;
        return rc;
}

static int sleepers(void *arg) {
        belay_task *tasks[] = { start(steps), start(tidy), start(steps) };
        int rc = tidy(arg);

        for (int i = 0; i < 3; i++) {
                if (rc == 0)
                        rc = belay_await(tasks[i], NULL);
                belay_release(tasks[i]);
        }
        return rc;
}

/* ---- await, join, shield ---- */

static int chain(void *arg);
static int depth;

static int chain_on(void) {
        belay_task *task;
        int rc, outcome = 0;

        if (depth == 0)
                return tidy(NULL);
        depth--;
        task = start(chain);
        rc = belay_await(task, &outcome);
        depth++;
        CHECK(rc < 0 || belay_done(task));
        /* The task has ended, unless the await was cancelled. */
        if (!belay_done(task))
                belay_cancel(task, "left behind");
        belay_release(task);
        return rc < 0 ? rc : outcome;
}

static int chain(void *arg) {
        (void) arg;
        return chain_on();
}

static int awaits(void *arg) {
        (void) arg;
        depth = 3;
        return chain_on();
}

static int joins(void *arg) {
        belay_task *task = start(tidy);
        int rc, outcome = -1;

        (void) arg;
        rc = belay_join(task, &outcome);
        if (rc == 0)
                CHECK(belay_done(task) && outcome == belay_result(task));
        if (rc < 0) {
                /* A cancelled join must not cancel the joined task. */
                CHECK(belay_done(task) || belay_cancelling(task) == 0);
                CHECK_EQ(belay_cancel_wait(task, "not wanted any more", BELAY_NEVER, &outcome), 0);
                CHECK(belay_done(task) && alive == 0);
        }
        belay_release(task);
        return rc;
}

static int shields(void *arg) {
        belay_task *task = start(tidy);
        int rc = belay_shield(task, NULL);

        (void) arg;
        /*
         * The shielded task goes on. Main waits for its end, even if further requests interrupt
         * that.
         */
        for (int again = 0; again < 3 && !belay_done(task); again++)
                if (belay_join(task, NULL) == -ECANCELED)
                        rc = -ECANCELED;
        belay_release(task);
        return rc;
}

/* ---- futures ---- */

static belay_future *promise;

static int keeps_promise(void *arg) {
        int rc = belay_sleep(BELAY_SECOND);

        (void) arg;
        if (rc < 0)
                belay_future_set(promise, belay_fail(-EPIPE, "cancelled before it could"));
        else
                belay_future_set_value(promise, new_argument(), destroy_argument);
        return rc;
}

/*
 * If the keeper was cancelled before its first step, nothing else sets the future. Main may have
 * ended when this callback runs, so the callback has a reference of its own.
 */
static void break_promise(belay_task *task, void *arg) {
        if (belay_cancelled(task) && !belay_done(arg))
                belay_cancel(arg, "nobody keeps it");
        belay_release(arg);
}

static int promised(void *arg) {
        belay_task *task;
        int rc, outcome = 0;

        (void) arg;
        promise = belay_future_new();
        task = belay_spawn(keeps_promise, NULL);
        CHECK_EQ(belay_on_done(task, break_promise, belay_ref(promise)), 0);
        rc = belay_await(promise, &outcome);
        if (rc < 0 || outcome < 0) {
                CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, NULL), 0);
                (void) !belay_failure_of(promise);
        }
        if (rc == 0 && outcome == 0)
                rc = belay_join(task, NULL);
        if (belay_off_done(task, break_promise, promise) > 0)
                belay_release(promise);
        belay_release(task);
        belay_release(promise);
        return rc < 0 ? rc : outcome == -EPIPE ? -ECANCELED : outcome;
}

/* ---- cancel-and-wait, force ---- */

static int stubborn(void *arg) {
        int refusals = 3, rc = 0;

        (void) arg;
        alive++;
        for (int i = 0; i < 8; i++) {
                rc = belay_sleep(BELAY_SECOND);
                if (rc == -ECANCELED && --refusals <= 0)
                        break;
        }
        alive--;
        return rc;
}

static int cancels(void *arg) {
        belay_task *task = start(stubborn);
        int rc = belay_sleep(BELAY_SECOND / 2), outcome = 1;

        (void) arg;
        CHECK_EQ(belay_cancel_wait(task, "enough", BELAY_NEVER, &outcome), 0);
        CHECK(belay_done(task) && alive == 0);
        belay_release(task);
        /* If a request arrived meanwhile, it is still pending. */
        if (rc == 0)
                rc = belay_yield();
        return rc;
}

static int limited(void *arg) {
        belay_task *task = start(stubborn);
        int rc = belay_sleep(BELAY_SECOND / 2);
        int waited = belay_cancel_wait(task, "enough", BELAY_HOUR, NULL);

        (void) arg;
        CHECK_EQ(waited, 0);
        belay_release(task);
        return rc == 0 ? belay_yield() : rc;
}

static int forces(void *arg) {
        belay_task *task = start(stubborn);
        int rc = belay_sleep(BELAY_SECOND / 2);

        (void) arg;
        if (rc == 0)
                rc = belay_force_cancel(task, 5, BELAY_SECOND / 4);
        if (rc == -ECANCELED)
                CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, NULL), 0);
        CHECK(belay_done(task) && alive == 0);
        belay_release(task);
        return rc;
}

int main(void) {
        EVERYWHERE(sleepers, NULL, reset, check, 16);
        EVERYWHERE(awaits, NULL, reset, check, 7);
        EVERYWHERE(joins, NULL, reset, check, 5);
        EVERYWHERE(shields, NULL, reset, check, 5);
        EVERYWHERE(promised, NULL, reset, check, 2);
        EVERYWHERE(cancels, NULL, reset, check, 6);
        EVERYWHERE(limited, NULL, reset, check, 6);
        EVERYWHERE(forces, NULL, reset, check, 6);
        return 0;
}
