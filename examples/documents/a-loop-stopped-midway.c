/* SPDX-License-Identifier: MIT */
/*
 * A loop that works and waits in turns, stopped between two of its turns.
 *
 * A cancellation arrives in a wait and nowhere else: between two waits a task's state is its own,
 * and whole.
 *
 * Twin of the asyncio program whose loop sleeps for 1.01 seconds in each of five iterations, and is
 * cancelled after 3.
 */
#include <belay.h>

#define SECOND \
        (BELAY_SECOND / 3) /* slower than the others: two iterations fit on a busy machine, too */
#include "say.h"

static int iterations;

static int long_running_loop(void *arg) {
        (void) arg;
        for (int i = 0; i < 5; i++) {
                int rc = belay_sleep(101 * SECOND / 100);

                if (rc < 0)
                        return rc;
                iterations++;
                say("iteration %d", iterations);
        }
        return 0;
}

static int app(void *arg) {
        belay_task *task = belay_spawn_with(long_running_loop, NULL,
                                            BELAY_OPTIONS(belay_spawn_options, .name = "task"));
        int outcome, rc;

        (void) arg;
        if (!task)
                return -errno;
        rc = belay_sleep(3 * SECOND);
        if (rc == 0) {
                say("cancels the task");
                belay_cancel(task, NULL);
                rc = belay_await(task, &outcome);
        }
        if (rc == 0) {
                say("the task is %s, after %d iterations", state(task), iterations);
                expect(outcome == -ECANCELED);
                expect(iterations == 2);
        }
        belay_release(task);
        return rc;
}

int main(void) {
        shows("A loop is stopped midway: in a wait, between two iterations.");
        return verdict(belay_run(app, NULL));
}
