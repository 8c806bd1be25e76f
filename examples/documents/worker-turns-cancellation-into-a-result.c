/* SPDX-License-Identifier: MIT */
/*
 * A worker that is cancelled, and returns a result all the same: it has then not ended cancelled.
 *
 * Only what the function returns decides how its task ends. Who awaits it gets 0, the verdict of
 * the wait, and the result as the outcome. That the task was once asked to end remains to be seen
 * in belay_cancelling().
 *
 * Twin of the asyncio program in which a heavy worker answers CancelledError with `return
 * "Canceled"`, and the `except CancelledError` around `await task` is never reached. A text is not
 * an int, so it goes beside the result.
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
                say("caught a cancellation: interrupting");
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
        shows("A worker answers its cancellation with a result: "
              "whoever awaits it sees the result.");
        return verdict(belay_run(app, NULL));
}
