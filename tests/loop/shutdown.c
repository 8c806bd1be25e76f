/* SPDX-License-Identifier: MIT */
/*
 * Shutdown: the tasks that main leaves, and the tasks that their cleanup starts, are cancelled and
 * waited for. The shutdown has a limit.
 */
#include "../base/help.h"

static int began, cancelled, cleaned;

/*
 * Every task that is suspended at the end must unwind (systemd: an exit while a task is suspended
 * never unwinds it).
 */
static int cleans_up(void *arg) {
        belay_time cleanup = *(belay_time *) arg;

        began++;
        if (belay_sleep(BELAY_NEVER) == -ECANCELED)
                cancelled++;
        CHECK_EQ(belay_sleep(cleanup), 0);
        cleaned++;
        return -ECANCELED;
}

static int leaves_many(void *arg) {
        for (int i = 0; i < 100; i++)
                belay_release(must(belay_spawn(cleans_up, arg)));
        return belay_yield();
}

static int leaves_and_fails(void *arg) {
        CHECK_EQ(leaves_many(arg), 0);
        return -EIO;
}

static void everything(void) {
        belay_time spans[] = { 0, BELAY_SECOND, BELAY_HOUR };
        belay_loop *loop;

        for (int i = 0; i < 3; i++) {
                began = cancelled = cleaned = 0;
                CHECK_EQ(
                        belay_run_with(i == 2 ? leaves_and_fails : leaves_many, &spans[i], VIRTUAL),
                        i == 2 ? -EIO : 0);
                CHECK_EQ(began, 100);
                CHECK_EQ(cancelled, 100);
                CHECK_EQ(cleaned, 100);
        }
        began = cancelled = cleaned = 0;
        loop = belay_loop_new(VIRTUAL);
        CHECK_EQ(belay_loop_run(loop, leaves_many, &spans[1], NULL), 0);
        CHECK_EQ(belay_loop_count(loop), 100);
        CHECK_EQ(cancelled, 0);
        CHECK_EQ(belay_loop_close(loop), 0);
        CHECK_EQ(cleaned, 100);
}

/* ---- tasks that cleanup starts ---- */

static int generations;

/* Starts another task in its cleanup. That task is cancelled as well, and so on. */
static int starts_another(void *arg) {
        int *left = arg;
        int rc = belay_sleep(BELAY_NEVER);

        generations++;
        if ((*left)-- > 0) {
                belay_release(must(belay_spawn(starts_another, left)));
                CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        }
        return rc;
}

static int leaves_generations(void *arg) {
        belay_release(must(belay_spawn(starts_another, arg)));
        return belay_yield();
}

static int cleaned_by_child;

static int child_cleans(void *arg) {
        (void) arg;
        began++;
        if (belay_sleep(BELAY_SECOND) == 0)
                cleaned_by_child++;
        return 0;
}

/* If cleanup waits for a task that it started, the shutdown leaves that task to its work. */
static int has_help(void *arg) {
        belay_task *task;

        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_NEVER), -ECANCELED);
        task = must(belay_spawn(child_cleans, NULL));
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(belay_cancelling(task), 0);
        belay_release(task);
        return -ECANCELED;
}

/* If cleanup does not wait for the task, the shutdown cancels it, but not before its first step. */
static int leaves_it_to_a_child(void *arg) {
        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_NEVER), -ECANCELED);
        belay_release(must(belay_spawn(child_cleans, NULL)));
        return -ECANCELED;
}

static int leaves(void *arg) {
        belay_release(must(belay_spawn(*(belay_fn **) arg, NULL)));
        return belay_yield();
}

static void what_cleanup_starts(void) {
        belay_fn *fns[] = { has_help, leaves_it_to_a_child };
        int five = 5;

        generations = 0;
        CHECK_EQ(belay_run_with(leaves_generations, &five, VIRTUAL), 0);
        CHECK_EQ(generations, 6);
        began = cleaned_by_child = 0;
        CHECK_EQ(belay_run_with(leaves, &fns[0], VIRTUAL), 0);
        CHECK_EQ(began, 1);
        CHECK_EQ(cleaned_by_child, 1);
        began = cleaned_by_child = 0;
        CHECK_EQ(belay_run_with(leaves, &fns[1], VIRTUAL), 0);
        CHECK_EQ(began, 1);
        CHECK_EQ(cleaned_by_child, 0);
}

/* A task that refuses goes on, and the shutdown waits for its end. */
static int refuses(void *arg) {
        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_NEVER), -ECANCELED);
        CHECK_EQ(belay_sleep(BELAY_HOUR), 0);
        cleaned++;
        return 3;
}

static int leaves_refuser(void *arg) {
        (void) arg;
        belay_release(must(belay_spawn(refuses, NULL)));
        return belay_yield();
}

/* ---- the limit ---- */

static int resists(void *arg) {
        int rc;

        began++;
        do
                rc = belay_sleep(BELAY_HOUR);
        while (rc == -ECANCELED || rc == 0);
        *(int *) arg = 1; /* never reached */
        return rc;
}

static int resumed;
static belay_task *kept;

static int leaves_resister(void *arg) {
        (void) arg;
        kept = must(belay_spawn_with(resists, &resumed,
                                     BELAY_OPTIONS(belay_spawn_options, .name = "resister")));
        belay_release(must(belay_spawn(refuses, NULL)));
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        return 7;
}

static void limited(void) {
        belay_loop *loop;

        keep_lines();
        began = cleaned = 0;
        CHECK_EQ(belay_run_with(leaves_resister, NULL,
                                BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL,
                                              .shutdown_limit = 10 * BELAY_SECOND)),
                 -ETIMEDOUT);
        CHECK_EQ(began, 1);
        CHECK_EQ(cleaned, 0);
        /*
         * The lines name each task that is left, its wait, the sender of its request, and the time
         * since then.
         */
        CHECK_LINES(1, "the shutdown reached its limit; 2 tasks are still there:");
        CHECK_LINES(1, "resister");
        CHECK_LINES(2, "sleep at " __FILE__);
        CHECK_LINES(2, "shutdown 10 s ago");
        CHECK_EQ(kept_count, 3);
        /*
         * The task never runs again. Its handle still returns the right answers, and no call on it
         * does harm.
         */
        CHECK(!belay_done(kept));
        CHECK_STR(belay_name(kept), "resister");
        CHECK_EQ(belay_cancelling(kept), 1);
        CHECK(!belay_cancel(kept, "too late"));
        CHECK_EQ(belay_cancelling(kept), 1);
        CHECK(!belay_done(kept));
        CHECK_EQ(belay_result(kept), -EINPROGRESS);
        belay_release(kept);
        CHECK_EQ(resumed, 0);
        belay_set_log(NULL, NULL);

        /* Within the limit, the shutdown takes only the time that it needs. */
        cleaned = 0;
        CHECK_EQ(belay_run_with(leaves_refuser, NULL,
                                BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL,
                                              .shutdown_limit = 2 * BELAY_HOUR)),
                 0);
        CHECK_EQ(cleaned, 1);
        cleaned = 0;
        CHECK_EQ(belay_run_with(leaves_refuser, NULL,
                                BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL,
                                              .shutdown_limit = BELAY_NEVER)),
                 0);
        CHECK_EQ(cleaned, 1);

        /* The run returns the outcome of main, and the close reports that the limit was reached. */
        keep_lines();
        loop = belay_loop_new(BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL,
                                            .shutdown_limit = BELAY_SECOND));
        int outcome = 0;
        CHECK_EQ(belay_loop_run(loop, leaves_resister, NULL, &outcome), 0);
        CHECK_EQ(outcome, 7);
        CHECK_EQ(belay_loop_close(loop), -ETIMEDOUT);
        belay_release(kept);
        CHECK_LINES(1, "2 tasks are still there");
        belay_set_log(NULL, NULL);
}

/* ---- other tasks ---- */

static int awaits(void *arg) {
        return belay_await(arg, NULL);
}

static int sleeps_for_ever(void *arg) {
        int rc = belay_sleep(BELAY_NEVER);

        cancelled++;
        (void) arg;
        return rc;
}

/*
 * Tasks that await each other, a future that is never set, and a task that never had its first
 * step.
 */
static int leaves_all_sorts(void *arg) {
        belay_task *inner = must(belay_spawn(sleeps_for_ever, NULL));
        belay_future *future = must(belay_future_new());

        (void) arg;
        cancelled = 0;
        belay_release(must(belay_spawn(awaits, inner)));
        belay_release(must(belay_spawn(awaits, future)));
        CHECK_EQ(belay_yield(), 0);
        belay_release(must(belay_spawn(awaits, inner)));
        belay_release(must(belay_spawn(sleeps_for_ever, NULL)));
        /*
         * Handles that are never released. The memory of the loop is freed with the last of them,
         * not before.
         */
        *(belay_task **) arg = inner;
        belay_release(future);
        return 0;
}

static int interrupted_with_others(void *arg) {
        CHECK_EQ(leaves_many(arg), 0);
        CHECK_EQ(belay_interrupt(NULL), 0);
        return belay_sleep(BELAY_HOUR);
}

int main(void) {
        belay_time second = BELAY_SECOND;
        belay_task *inner = NULL;

        everything();
        what_cleanup_starts();
        cleaned = 0;
        RUN_VIRTUAL(leaves_refuser);
        CHECK_EQ(cleaned, 1);
        CHECK_EQ(belay_run_with(leaves_all_sorts, &inner, VIRTUAL), 0);
        CHECK(belay_cancelled(inner));
        belay_release(inner);
        cleaned = 0;
        CHECK_EQ(belay_run_with(interrupted_with_others, &second, VIRTUAL), -EINTR);
        CHECK_EQ(cleaned, 100);
        /* The memory of abandoned tasks is never freed, so leak checkers would report it. */
        if (!CHECKED)
                limited();
        return 0;
}
