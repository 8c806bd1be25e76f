/* SPDX-License-Identifier: MIT */
/*
 * A task refuses each request, and main gives up.
 *
 * A task may refuse any number of requests, so belay_force_cancel() takes a number of tries. When
 * they are used up, it returns -ETIMEDOUT, and the task goes on. The task outlives main, too. The
 * shutdown sends one more request and waits until the task ends by itself.
 *
 * A loop in the asyncio twin catches each CancelledError and goes on. The helper that cancels it
 * gives up after 10 tries.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 50)
#include "say.h"

static int resisted;

static int stubborn(void *arg) {
        (void) arg;
        for (int i = 0; i < 20; i++) {
                int rc = belay_sleep(10 * SECOND);

                if (rc == -ECANCELED) {
                        resisted++;
                        say("refuses a cancellation (%d)", resisted);
                } else if (rc < 0) {
                        return rc;
                }
        }
        say("ends by itself");
        return 0;
}

static int app(void *arg) {
        belay_task *task = belay_spawn_with(stubborn, NULL,
                                            BELAY_OPTIONS(belay_spawn_options, .name = "task"));
        int rc;

        (void) arg;
        if (!task)
                return -errno;
        rc = belay_sleep(SECOND);
        if (rc == 0) {
                say("cancels the task once a second until it has ended, at most 10 times");
                rc = belay_force_cancel(task, 10, SECOND);
                expect(rc == -ETIMEDOUT);
        }
        if (rc == -ETIMEDOUT) {
                say("gives up after %d requests; the task is %s", belay_cancelling(task),
                    state(task));
                expect(belay_cancelling(task) == 10);
                expect(!belay_done(task));
                expect(resisted == 10);
                rc = 0;
        }
        belay_release(task);
        return rc;
}

int main(void) {
        int rc;

        shows("A task refuses 10 requests, so main gives up, and the program ends after the task.");
        rc = belay_run(app, NULL);
        expect(resisted == 11); /* the shutdown sent one more */
        return verdict(rc);
}
