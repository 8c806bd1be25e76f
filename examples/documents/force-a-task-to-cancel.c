/* SPDX-License-Identifier: MIT */
/*
 * Main forces a task to end, with a request each second until the task has ended.
 *
 * A request is delivered once. If a task then starts a long cleanup, that request does not shorten
 * it. belay_force_cancel() sends further requests until the task has ended or the tries are used
 * up.
 *
 * A helper of the asyncio twin calls task.cancel() and sleep(1) until task.done(). The task cleans
 * up for 5 seconds after the first CancelledError, and the second CancelledError ends the cleanup.
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
                say(rc == -ECANCELED ? "caught a cancellation during the cleanup: ends"
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
                say("cancels the task once a second until it has ended");
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
        shows("The first request starts a slow cleanup, and the second request ends it.");
        return verdict(belay_run(app, NULL));
}
