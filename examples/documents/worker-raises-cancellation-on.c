/* SPDX-License-Identifier: MIT */
/*
 * The ordinary way to be cancelled: clean up, and return the -ECANCELED that was met.
 *
 * The caller learns two things from belay_await(), and apart: its wait went well (0), the task
 * ended cancelled (the outcome is -ECANCELED). Its own cancellation would have been the wait's
 * return value.
 *
 * Twin of the asyncio program in which a worker cleans up in `except CancelledError`, raises it on,
 * passes through `finally`, and the caller handles it around `await task`. What stands in `finally`
 * there stands behind the `if` here.
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
        say("closed, as on every way out");
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
                        say("handles it: the task is %s", state(task));
                expect(outcome == -ECANCELED);
                expect(belay_cancelled(task));
                expect(cleaned == 1 && closed == 1);
        }
        belay_release(task);
        return rc;
}

int main(void) {
        shows("A worker cleans up, passes its cancellation on, and ends cancelled.");
        return verdict(belay_run(app, NULL));
}
