/* SPDX-License-Identifier: MIT */
/*
 * A loop that has nothing to wait for must give way all the same, or nobody can cancel it.
 *
 * belay_yield() lets the others that are ready run once, and is a cancellation point. (For inner
 * loops there is belay_checkpoint(), which gives way only when it is time to.)
 *
 * Twin of the asyncio program whose busy loop calls sleep(0) in every iteration. The caller lets it
 * run twice.
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
        shows("A busy loop that yields can be cancelled, though it never waits for anything.");
        return verdict(belay_run(app, NULL));
}
