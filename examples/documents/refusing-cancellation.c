/* SPDX-License-Identifier: MIT */
/*
 * A task may refuse: take note of the request, take it back from its count, and go on.
 *
 * belay_uncancel() is what makes this honest. The count of requests says to the scopes around and
 * to everybody who looks whether a task is on its way out; one that stays has to say so.
 *
 * Twin of the asyncio program in which a worker catches CancelledError, calls
 * current_task().uncancel(), and finishes.
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
                say("caught a cancellation and refuses; requests left: %d", left);
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
                say("cancels the task; requests: %d", belay_cancelling(task));
                expect(belay_cancelling(task) == 1);
                rc = belay_sleep(SECOND);
        }
        if (rc == 0) {
                say("the task is %s; requests: %d", state(task), belay_cancelling(task));
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
        shows("A worker refuses its cancellation, says so, and finishes its work.");
        return verdict(belay_run(app, NULL));
}
