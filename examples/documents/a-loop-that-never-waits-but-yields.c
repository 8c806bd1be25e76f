/* SPDX-License-Identifier: MIT */
/*
 * A loop that waits for nothing must yield, because belay delivers a request only at a cancellation
 * point.
 *
 * belay_yield() lets the other ready tasks run once, and is a cancellation point. An inner loop
 * calls belay_checkpoint() instead, which yields only when a yield is due.
 *
 * The busy loop of the asyncio twin calls sleep(0) in each iteration. Main cancels it after 2
 * steps.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int steps;

static int busy(void *arg) {
        (void) arg;
        for (int i = 0; i < 5; i++) {
                int rc;

                steps++;
                say("step %d", steps);
                rc = belay_yield();
                if (rc < 0)
                        return rc;
        }
        return 0;
}

static int app(void *arg) {
        belay_task *task = belay_spawn_with(busy, NULL,
                                            BELAY_OPTIONS(belay_spawn_options, .name = "task"));
        int rc;

        (void) arg;
        if (!task)
                return -errno;
        rc = belay_yield();
        if (rc == 0)
                rc = belay_yield();
        if (rc == 0) {
                say("cancels the task");
                belay_cancel(task, NULL);
                rc = belay_wait(&task, 1, BELAY_WAIT_ALL, BELAY_NEVER);
        }
        if (rc > 0) {
                say("the task is %s, after %d steps", state(task), steps);
                expect(belay_cancelled(task));
                expect(steps == 2);
        }
        belay_release(task);
        return rc < 0 ? rc : 0;
}

int main(void) {
        shows("A busy loop that yields can be cancelled, although it never waits.");
        return verdict(belay_run(app, NULL));
}
