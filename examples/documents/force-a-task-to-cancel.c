/* SPDX-License-Identifier: MIT */
/*
 * Forcing a task to end: ask, wait a while, ask again.
 *
 * A request for cancellation is delivered once. A task that answers it with a long clean-up is not
 * asked a second time by that same request, so one request may not be enough. belay_force_cancel()
 * goes on asking until the task has ended, or the tries are used up.
 *
 * Twin of the asyncio program in which a helper loops over task.cancel() and sleep(1) until
 * task.done(); the task catches the first CancelledError, cleans up for five seconds, and is torn
 * out of that by the second.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int cleanups;

static int work(void *arg) {
        int rc;

        (void) arg;
        say("works for 5 seconds");
        rc = belay_sleep(5 * SECOND);
        if (rc == 0)
                say("completed");
        if (rc == -ECANCELED) {
                say("caught a cancellation: cleaning up for 5 seconds");
                cleanups++;
                rc = belay_sleep(5 * SECOND);
                say(rc == -ECANCELED ? "caught a cancellation while cleaning up: ends"
                                     : "cleaned up");
        }
        return rc;
}

static int app(void *arg) {
        belay_task *task = belay_spawn_with(work, NULL,
                                            BELAY_OPTIONS(belay_spawn_options, .name = "task"));
        int rc;

        (void) arg;
        if (!task)
                return -errno;
        rc = belay_sleep(SECOND);
        if (rc == 0) {
                say("cancels the task until it has ended, once a second");
                rc = belay_force_cancel(task, 10, SECOND);
        }
        if (rc >= 0) {
                say("it took %d requests; the task is %s", rc, state(task));
                expect(rc == 2);
                expect(belay_cancelling(task) == 2);
                expect(belay_cancelled(task));
                expect(cleanups == 1);
        }
        belay_release(task);
        return rc < 0 ? rc : 0;
}

int main(void) {
        shows("The first request starts a slow clean-up, the second one ends it: "
              "a task forced to cancel.");
        return verdict(belay_run(app, NULL));
}
