/* SPDX-License-Identifier: MIT */
/*
 * A worker returns a result after a request, and so does not end cancelled.
 *
 * The return value of the body alone decides how a task ends. Main receives 0 as the verdict of the
 * wait, and the result as the outcome. belay_cancelling() still counts the request.
 *
 * The worker of the asyncio twin returns "Canceled" from `except CancelledError`. Therefore main
 * never reaches its own `except` clause. A C body returns an integer, so it sets the text as the
 * value of the task.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int heavy_worker(void *arg) {
        int rc;

        (void) arg;
        say("executing");
        rc = belay_sleep(5 * SECOND);
        if (rc == 0) {
                say("completed");
                return belay_set_value("Done", NULL);
        }
        if (rc == -ECANCELED) {
                say("caught a cancellation: returns a result");
                return belay_set_value("Canceled", NULL);
        }
        return rc;
}

static int app(void *arg) {
        belay_task *task = belay_spawn_with(heavy_worker, NULL,
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
                const char *value = belay_value(task);

                say("the task is %s, with \"%s\", after %d request", state(task),
                    value ? value : "", belay_cancelling(task));
                expect(outcome == 0);
                expect(!belay_cancelled(task));
                expect(same(value, "Canceled"));
                expect(belay_cancelling(task) == 1);
        }
        belay_release(task);
        return rc;
}

int main(void) {
        shows("A worker returns a result after a request, and its caller receives that result.");
        return verdict(belay_run(app, NULL));
}
