/* SPDX-License-Identifier: MIT */
/*
 * A failure that was never retrieved is logged once, when the last reference is released. A failure
 * that was retrieved is not logged.
 */
#include "../base/help.h"

static int fails(void *arg) {
        (void) arg;
        return belay_fail(-EPROTO, "bad header");
}

static int fails_later(void *arg) {
        int rc = belay_sleep(BELAY_SECOND);

        return rc < 0 ? rc : fails(arg);
}

static int fails_plainly(void *arg) {
        (void) arg;
        return -EIO;
}

static int succeeds(void *arg) {
        (void) arg;
        return 3;
}

static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_HOUR);
}

static const char said[] = "and its failure was not retrieved";

static belay_task *failed(void) {
        belay_task *task = must(belay_spawn_with(
                fails, NULL, BELAY_OPTIONS(belay_spawn_options, .name = "reader")));

        keep_lines();
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_done(task));
        CHECK_LINES(0, said);
        return task;
}

static int reported(void *arg) {
        belay_task *task = failed();

        (void) arg;
        /* Only the last release logs the failure. */
        belay_ref(task);
        belay_release(task);
        CHECK_LINES(0, said);
        belay_release(task);
        CHECK_LINES(1, said);
        CHECK_LINES(1, "task reader (started at " __FILE__);
        CHECK_LINES(1, "Protocol error: bad header");
        CHECK_EQ(kept_lines[0].level, BELAY_LOG_ERROR);

        /* Without any handle, the failure is logged at the end of the task. */
        keep_lines();
        belay_release(must(belay_spawn(fails_plainly, NULL)));
        CHECK_LINES(0, said);
        CHECK_EQ(belay_yield(), 0);
        CHECK_LINES(1, said);
        CHECK_LINES(1, strerror(EIO));

        /* Reading whether the task has ended, or its value, does not retrieve the failure. */
        task = failed();
        CHECK(belay_done(task) && !belay_cancelled(task) && belay_value(task) == NULL);
        belay_release(task);
        CHECK_LINES(1, said);

        /* A future's failure is logged, too. */
        keep_lines();
        task = must(belay_future_new());
        CHECK_EQ(belay_future_set(task, -EPIPE), 0);
        belay_release(task);
        CHECK_LINES(1, said);
        CHECK_LINES(1, "future #");
        return 0;
}

static void takes_note(belay_task *task, void *arg) {
        (void) task;
        ++*(int *) arg;
}

static int not_reported(void *arg) {
        belay_task *task;
        int outcome, calls = 0;

        (void) arg;
        task = failed();
        CHECK_EQ(belay_result(task), -EPROTO);
        belay_release(task);
        CHECK_LINES(0, said);

        task = failed();
        CHECK(belay_failure_of(task) != NULL);
        belay_release(task);
        CHECK_LINES(0, said);

        task = failed();
        CHECK_EQ(belay_await(task, &outcome), 0);
        belay_release(task);
        CHECK_LINES(0, said);

        task = failed();
        CHECK_EQ(belay_join(task, &outcome), 0);
        belay_release(task);
        CHECK_LINES(0, said);

        task = failed();
        CHECK_EQ(belay_shield(task, &outcome), 0);
        belay_release(task);
        CHECK_LINES(0, said);

        task = failed();
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, &outcome), 0);
        CHECK_EQ(outcome, -EPROTO);
        belay_release(task);
        CHECK_LINES(0, said);

        /* Results and cancellations are not failures. */
        keep_lines();
        belay_release(must(belay_spawn(succeeds, NULL)));
        task = must(belay_spawn(sleeps, NULL));
        CHECK_EQ(belay_yield(), 0);
        belay_cancel(task, "enough");
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_cancelled(task));
        belay_release(task);
        CHECK_LINES(0, said);

        /* A callback at the end does not count as retrieving if it does not read the outcome. */
        task = failed();
        CHECK_EQ(belay_on_done(task, takes_note, &calls), 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(calls, 1);
        belay_release(task);
        CHECK_LINES(1, said);
        return 0;
}

struct shielding {
        belay_task *task;
        int rc, outcome;
};

static int shields(void *arg) {
        struct shielding *shielding = arg;

        shielding->rc = belay_shield(shielding->task, &shielding->outcome);
        return 0;
}

/*
 * A cancellation ends a shield, and the task fails later. That failure must neither be lost nor be
 * logged twice (cpython 134331, 156321).
 */
static int behind_a_shield(void *arg) {
        struct shielding shielding = { .outcome = 1 };
        belay_task *waiter;

        (void) arg;
        keep_lines();
        shielding.task = must(belay_spawn(fails_later, NULL));
        waiter = must(belay_spawn(shields, &shielding));
        CHECK_EQ(belay_yield(), 0);
        belay_cancel(waiter, NULL);
        CHECK_EQ(belay_join(waiter, NULL), 0);
        CHECK_EQ(shielding.rc, -ECANCELED);
        CHECK_EQ(shielding.outcome, 1);
        belay_release(waiter);
        belay_release(shielding.task);
        CHECK_LINES(0, said);
        CHECK_EQ(belay_sleep(2 * BELAY_SECOND), 0);
        CHECK_LINES(1, said);
        return 0;
}

/*
 * The end of the loop must not lose a failure. The failure of main is returned to the caller
 * instead.
 */
static int leaves_a_failure(void *arg) {
        belay_task **task = arg;

        *task = must(belay_spawn(fails, NULL));
        CHECK_EQ(belay_yield(), 0);
        return -EIO;
}

static int keeps_no_handle(void *arg) {
        (void) arg;
        belay_release(must(belay_spawn(fails_later, NULL)));
        return belay_sleep(2 * BELAY_SECOND);
}

int main(void) {
        belay_task *task;

        RUN_VIRTUAL(reported);
        RUN_VIRTUAL(not_reported);
        RUN_VIRTUAL(behind_a_shield);

        keep_lines();
        CHECK_EQ(belay_run_with(leaves_a_failure, &task, VIRTUAL), -EIO);
        CHECK_LINES(0, said);
        belay_release(task);
        CHECK_LINES(1, said);

        keep_lines();
        CHECK_EQ(belay_run_with(keeps_no_handle, NULL, VIRTUAL), 0);
        CHECK_LINES(1, said);
        return 0;
}
