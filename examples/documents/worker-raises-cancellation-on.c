/* SPDX-License-Identifier: MIT */
/*
 * A cancelled worker cleans up and returns -ECANCELED, which is the usual way to end.
 *
 * belay_await() reports two facts to main. The return value is the verdict of the wait, and the
 * outcome of the task is -ECANCELED. A request for main itself would appear in the return value.
 *
 * The worker of the asyncio twin cleans up in `except CancelledError`, raises the error again, and
 * passes through `finally`. The code of `finally` stands after the `if` here.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int cleaned, closed;

static int worker(void *arg) {
        int rc;

        (void) arg;
        say("works for 5 seconds");
        rc = belay_sleep(5 * SECOND);
        if (rc == -ECANCELED) {
                say("caught a cancellation: cleaning up");
                cleaned++;
        }
        say("closed, as on each path");
        closed++;
        return rc;
}

static int app(void *arg) {
        belay_task *task = belay_spawn_with(worker, NULL,
                                            BELAY_OPTIONS(belay_spawn_options, .name = "task"));
        int outcome, rc;

        (void) arg;
        if (!task)
                return -errno;
        rc = belay_sleep(2 * SECOND);
        if (rc == 0) {
                say("cancels the task");
                belay_cancel(task, NULL);
                rc = belay_await(task, &outcome);
        }
        if (rc == 0) {
                if (outcome == -ECANCELED)
                        say("handles the outcome: the task is %s", state(task));
                expect(outcome == -ECANCELED);
                expect(belay_cancelled(task));
                expect(cleaned == 1 && closed == 1);
        }
        belay_release(task);
        return rc;
}

int main(void) {
        shows("A worker cleans up after a request and ends cancelled.");
        return verdict(belay_run(app, NULL));
}
