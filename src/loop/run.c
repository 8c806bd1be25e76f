/* SPDX-License-Identifier: MIT */
/*
 * Runs main until it has ended. belay_run() also makes a loop before, and closes it after.
 */
#include <signal.h>
#include <stdlib.h>

#include "loop/run.h"

static bool main_is_over(struct belay_loop *loop) {
        return loop->stop;
}

static void stop(struct bly_call *call) {
        container_of(call, struct belay_loop, main_ended)->stop = true;
}

/*
 * Stops the loop by a callback, and not at once: asyncio lets one more turn begin after the end of
 * main. So the tasks and callbacks that were ready before this callback still run.
 */
static void note_main_end(struct bly_observer *observer, belay_task *task) {
        (void) observer;
        bly_call_soon(task->loop, &task->loop->main_ended, stop);
}

int bly_main_begin(struct belay_loop *loop, belay_fn *fn, void *arg, const char *place) {
        loop->stop = false;
        loop->interrupts = 0;
        loop->signal = 0;
        if (loop->main != NULL)
                bly_record_unref(loop->main);
        belay_failure_release(loop->main_failure);
        loop->main_failure = NULL;
        loop->main = bly_spawn(
                loop, fn, arg,
                &(belay_spawn_options) { .size = sizeof(belay_spawn_options), .name = "main" },
                NULL, place);
        return loop->main != NULL ? 0 : -errno;
}

int bly_main_verdict(struct belay_loop *loop) {
        belay_task *task = loop->main;

        if (bly_is_cancelled(task))
                loop->main_failure = bly_take_cancellation(task);
        else if (bly_is_done(task) && task->failure != NULL)
                loop->main_failure = belay_failure_ref(task->failure);
        return bly_is_cancelled(task) && loop->interrupts > 0 && bly_uncancel(task) == 0 ? -EINTR
                                                                                         : 0;
}

/*
 * An outcome without a detail counts as retrieved here. A failure with a detail does not: if the
 * caller never reads it with belay_loop_failure(), the last release of the record logs it.
 */
void bly_main_outcome(const struct belay_loop *loop, int *outcome) {
        if (outcome == NULL)
                return;
        *outcome = loop->main->outcome;
        if (!bly_is_done(loop->main) || loop->main->failure == NULL)
                loop->main->node.flags |= BLY_TASK_RETRIEVED;
}

static int run_main(struct belay_loop *loop, belay_fn *fn, void *arg, int *outcome,
                    const char *place) {
        struct bly_observer observer = { .ended = note_main_end };
        int rc = bly_main_begin(loop, fn, arg, place);

        if (rc < 0)
                return rc;
        bly_observe(loop->main, &observer);
        bly_signals_take(loop);
        if (!loop->by_turns && bly_tools == 0)
                loop->idle_in_task = bly_idle_in_task;
        bly_spin(loop, main_is_over);
        loop->idle_in_task = NULL;
        /* A test may have stopped the loop before the end of main. */
        bly_unobserve(&observer);
        bly_signals_give_back(loop);
        bly_main_outcome(loop, outcome);
        return bly_main_verdict(loop);
}

int belay_loop_run_placed(const char *place, belay_loop *loop, belay_fn *fn, void *arg,
                          int *outcome) {
        struct bly_visit visit;
        int rc = bly_visit_begin(loop, &visit);

        if (rc < 0)
                return rc;
        if (loop->seed != 0)
                bly_log(BELAY_LOG_NOTICE, "the order of ready tasks follows seed %llu",
                        (unsigned long long) loop->seed);
        rc = run_main(loop, fn, arg, outcome, place);
        bly_visit_end(loop, &visit);
        return rc;
}

/* ---- belay_run() and belay_main() ---- */

static void report(const char *place, const char *what, const char *text) {
        bly_log(BELAY_LOG_ERROR, "main (started at %s) %s%s%s", bly_place_text(place), what,
                text != NULL ? ": " : "", text != NULL ? text : "");
}

int belay_run_with_placed(const char *place, belay_fn *fn, void *arg,
                          const belay_loop_options *options) {
        belay_loop *loop;
        int rc, closed, outcome = 0;
        bool has_detail;

        if (bly_loop != NULL)
                return -EBUSY;
        loop = belay_loop_new(options);
        if (loop == NULL)
                return -errno;
        rc = belay_loop_run_placed(place, loop, fn, arg, &outcome);
        has_detail = rc == 0 && loop->main_failure != NULL;
        closed = belay_loop_close(loop);
        if (closed == 0)
                return rc < 0 ? rc : outcome;
        /* The caller receives the code of the shutdown, so a log line reports that of main. */
        if (rc == 0 && outcome < 0 && outcome != -ECANCELED && !has_detail)
                report(place, "failed", strerror(-outcome));
        return closed;
}

int belay_run_placed(const char *place, belay_fn *fn, void *arg) {
        return belay_run_with_placed(place, fn, arg, NULL);
}

/* Logs how main ended, unless the release of its record does, and returns the exit status. */
static int conclude(const struct belay_loop *loop, int rc, int outcome, const char *place) {
        const belay_failure *failure = loop->main_failure;

        if (rc == -EINTR)
                return 128 + (loop->signal != 0 ? loop->signal : SIGINT);
        if (rc < 0)
                report(place, "cannot run", strerror(-rc));
        else if (outcome == -ECANCELED)
                report(place, "was cancelled",
                       failure != NULL ? belay_failure_text(failure) : NULL);
        else if (outcome < 0 && failure == NULL)
                report(place, "failed", strerror(-outcome));
        return rc < 0 || outcome < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int belay_main_placed(const char *place, belay_fn *fn, void *arg) {
        belay_loop *loop = bly_loop == NULL ? belay_loop_new(NULL) : NULL;
        int rc, status, outcome = 0;

        if (loop == NULL) {
                report(place, "cannot run", strerror(bly_loop != NULL ? EBUSY : errno));
                return EXIT_FAILURE;
        }
        rc = belay_loop_run_placed(place, loop, fn, arg, &outcome);
        status = conclude(loop, rc, outcome, place);
        /* The shutdown logs it if tasks are left at its limit. */
        rc = belay_loop_close(loop);
        return status == EXIT_SUCCESS && rc < 0 ? EXIT_FAILURE : status;
}
