/* SPDX-License-Identifier: MIT */
/*
 * A time limit made by hand: wait for a while, and cancel what has not ended.
 *
 * belay_wait() cancels nothing when its time is over; it says how many have ended. So the caller
 * decides. (Where the decision is always to cancel, belay_await_for() does all of this.)
 *
 * Twin of the asyncio program that calls wait({task}, timeout=2), cancels what is still pending,
 * and awaits it.
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
        say("waits for the task, 2 seconds at most");
        ended = belay_wait(&task, 1, BELAY_WAIT_ALL, 2 * SECOND);
        expect(ended == 0);
        if (ended == 0) {
                say("the task is %s: cancels it", state(task));
                belay_cancel(task, NULL);
        }
        rc = ended < 0 ? ended : belay_await(task, &outcome);
        if (rc == 0) {
                say("the task is %s: that was the limit", state(task));
                expect(outcome == -ECANCELED);
                expect(belay_cancelled(task));
        }
        belay_release(task);
        return rc;
}

int main(void) {
        shows("A limit of one's own: wait for two seconds, then cancel what has not ended.");
        return verdict(belay_run(app, NULL));
}
