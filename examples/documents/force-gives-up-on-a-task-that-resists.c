/* SPDX-License-Identifier: MIT */
/*
 * A task that takes no cancellation for an answer, and a caller that stops asking.
 *
 * Cancellation is a request, and a task may refuse each one. belay_force_cancel() therefore has a
 * number of tries, and says -ETIMEDOUT when they are used up: the task lives. Nor does the end of
 * main kill it: the shut-down asks once more, and waits until the task has ended by itself.
 *
 * Twin of the asyncio program in which a loop catches every CancelledError and goes on, and the
 * helper that cancels it gives up after ten tries.
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
                        say("caught a cancellation: resists (%d)", resisted);
                } else if (rc < 0) {
                        return rc;
                }
        }
        say("ends, because it wants to");
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
                say("cancels the task until it has ended, once a second, at most ten times");
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

        shows("A task refuses ten requests, so the caller gives up; "
              "the program ends when the task does.");
        rc = belay_run(app, NULL);
        expect(resisted == 11); /* the last one came from the shut-down */
        return verdict(rc);
}
