/* SPDX-License-Identifier: MIT */
/*
 * Cleanup may wait, because belay delivers a request once and later waits work as usual.
 *
 * The worker of the asyncio twin waits for half a second in `finally` and then ends cancelled. If
 * the cleanup of either program fails, its failure replaces the cancellation.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int released;

static int release_slowly(void) {
        int rc;

        say("releasing takes half a second");
        rc = belay_sleep(SECOND / 2);
        if (rc == 0) {
                say("released");
                released++;
        }
        return rc;
}

static int worker(void *arg) {
        int cleanup, rc;

        (void) arg;
        say("works for 5 seconds");
        rc = belay_sleep(5 * SECOND);
        cleanup = release_slowly();
        return cleanup < 0 ? cleanup : rc;
}

static int app(void *arg) {
        belay_task *task = belay_spawn_with(worker, NULL,
                                            BELAY_OPTIONS(belay_spawn_options, .name = "task"));
        int outcome, rc;

        (void) arg;
        if (!task)
                return -errno;
        rc = belay_sleep(SECOND);
        if (rc == 0) {
                say("cancels the task");
                belay_cancel(task, NULL);
                rc = belay_await(task, &outcome);
        }
        if (rc == 0) {
                say("the task is %s, and its cleanup is complete", state(task));
                expect(outcome == -ECANCELED);
                expect(belay_cancelled(task));
                expect(released == 1);
        }
        belay_release(task);
        return rc;
}

int main(void) {
        shows("A cancelled worker waits during its cleanup and then ends cancelled.");
        return verdict(belay_run(app, NULL));
}
