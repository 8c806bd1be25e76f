/* SPDX-License-Identifier: MIT */
/*
 * Cleanup that a further request must not cut short, under a limit of its own.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

/* Says goodbye, whatever cancels the task meanwhile, and gives up after two seconds. */
static int finish(belay_stream *peer, int rc) {
        belay_failure *failure = rc < 0 ? belay_failure_take(rc) : NULL;
        belay_shield_scope region;
        belay_timeout limit;
        ssize_t done;

        belay_shield_enter(&region, BELAY_NEVER);
        belay_timeout_enter(&limit, 2 * BELAY_SECOND);
        done = belay_print(peer, "bye %d\n", rc);
        if (done > 0)
                done = belay_half_close(peer);
        done = belay_timeout_leave(&limit, (int) done);
        done = belay_shield_leave(&region, (int) done);
        /* The reason for which the caller ends counts for more than a failure of its cleanup. */
        return failure ? belay_failure_raise(failure) : done < 0 ? (int) done : rc;
}

/* ---- the check ---- */

static belay_stream *ends[2];
static int finished;

static int work(void *arg) {
        int rc = belay_sleep(BELAY_NEVER);

        rc = finish(arg, rc);
        finished = rc;
        return rc;
}

static void cancel(void *task) {
        belay_cancel(task, "again");
}

static int app(void *arg) {
        char line[32];
        belay_task *task;

        (void) arg;
        /* No room: the goodbye has to wait until the peer reads. */
        check(belay_wire(ends, BELAY_OPTIONS(belay_wire_options, .ways = { { .room = 1 } })) == 0);
        task = belay_spawn(work, ends[0]);
        check(belay_yield() == 0);
        belay_cancel(task, "first");
        check(belay_later(BELAY_SECOND, cancel, task) != 0);
        check(belay_sleep(3 * BELAY_SECOND / 2) == 0);
        check(!belay_done(task));
        check(belay_read_line(ends[1], line, sizeof(line)) > 0 && strcmp(line, "bye -125\n") == 0);
        check(belay_join(task, NULL) == 0 && finished == -ECANCELED);
        belay_release(task);
        belay_abort(ends[0]);
        belay_abort(ends[1]);

        /* A peer that never reads holds the cleanup up for two seconds and no longer. */
        check(belay_wire(ends, BELAY_OPTIONS(belay_wire_options, .ways = { { .room = 1 } })) == 0);
        task = belay_spawn(work, ends[0]);
        check(belay_yield() == 0);
        check(belay_cancel_wait(task, "first", 2 * BELAY_SECOND + 1, NULL) == 0);
        check(finished == -ECANCELED);
        belay_release(task);
        belay_abort(ends[0]);
        belay_abort(ends[1]);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
