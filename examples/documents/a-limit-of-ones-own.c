/* SPDX-License-Identifier: MIT */
/*
 * Main waits for a task with a limit, and cancels the task if it has not ended.
 *
 * belay_wait() cancels nothing when its limit has passed. It returns the number of tasks that have
 * ended, and the caller decides. If a caller always cancels, belay_await_for() does the same in one
 * call.
 *
 * The asyncio twin calls wait({task}, timeout=2), cancels the task if it has not ended, and awaits
 * it.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int work(void *arg) {
        (void) arg;
        say("works for 9 seconds");
        return belay_sleep(9 * SECOND);
}

static int app(void *arg) {
        belay_task *task = belay_spawn_with(work, NULL,
                                            BELAY_OPTIONS(belay_spawn_options, .name = "task"));
        int ended, outcome, rc;

        (void) arg;
        if (!task)
                return -errno;
        say("waits for the task for at most 2 seconds");
        ended = belay_wait(&task, 1, BELAY_WAIT_ALL, 2 * SECOND);
        expect(ended == 0);
        if (ended == 0) {
                say("the task is %s: cancels it", state(task));
                belay_cancel(task, NULL);
        }
        rc = ended < 0 ? ended : belay_await(task, &outcome);
        if (rc == 0) {
                say("the limit has passed, and the task is %s", state(task));
                expect(outcome == -ECANCELED);
                expect(belay_cancelled(task));
        }
        belay_release(task);
        return rc;
}

int main(void) {
        shows("Main sets a limit of its own: it waits for 2 seconds and then cancels the task.");
        return verdict(belay_run(app, NULL));
}
