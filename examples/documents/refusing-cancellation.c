/* SPDX-License-Identifier: MIT */
/*
 * A worker refuses a request. It withdraws the request from its count and goes on.
 *
 * Timeouts, groups and other tasks read the count to find out whether a task is about to end.
 * Therefore a task that goes on must call belay_uncancel().
 *
 * The worker of the asyncio twin catches CancelledError, calls current_task().uncancel(), and
 * finishes.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

enum { FINISHED = 1 };

static int worker(void *arg) {
        int left, rc;

        (void) arg;
        say("works for 5 seconds");
        rc = belay_sleep(5 * SECOND);
        if (rc == -ECANCELED) {
                left = belay_uncancel(belay_self());
                say("refuses a cancellation, with %d requests left", left);
                expect(left == 0);
                rc = 0;
        }
        if (rc == 0)
                rc = belay_sleep(3 * SECOND);
        if (rc < 0)
                return rc;
        say("finished");
        return FINISHED;
}

static int app(void *arg) {
        belay_task *task = belay_spawn_with(worker, NULL,
                                            BELAY_OPTIONS(belay_spawn_options, .name = "task"));
        int outcome, rc;

        (void) arg;
        if (!task)
                return -errno;
        rc = belay_sleep(SECOND);
        if (rc == 0) {
                belay_cancel(task, NULL);
                say("cancels the task, which has %d request", belay_cancelling(task));
                expect(belay_cancelling(task) == 1);
                rc = belay_sleep(SECOND);
        }
        if (rc == 0) {
                say("the task is %s, with %d requests", state(task), belay_cancelling(task));
                expect(!belay_done(task));
                expect(belay_cancelling(task) == 0);
                rc = belay_await(task, &outcome);
        }
        if (rc == 0) {
                say("the task is %s, with %d", state(task), outcome);
                expect(outcome == FINISHED);
        }
        belay_release(task);
        return rc;
}

int main(void) {
        shows("A worker refuses a request, withdraws it, and finishes its work.");
        return verdict(belay_run(app, NULL));
}
