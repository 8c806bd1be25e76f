/* SPDX-License-Identifier: MIT */
/*
 * A request ends a loop between two iterations.
 *
 * belay delivers a request in a wait and nowhere else. Therefore the request interrupts no code
 * between two waits, and each iteration that leaves its wait is complete.
 *
 * The asyncio twin sleeps for 1.01 seconds in each of 5 iterations. Main cancels it after 3
 * seconds.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 3) /* so that a busy machine, too, completes 2 iterations */
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
        shows("A request ends a loop in a wait, between two iterations.");
        return verdict(belay_run(app, NULL));
}
