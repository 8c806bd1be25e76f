/* SPDX-License-Identifier: MIT */
/*
 * Main cancels several tasks and waits until all of them have ended.
 *
 * belay_gather_collect() waits for the end of each task, with any outcome. Main then reads the
 * outcomes from the handles.
 *
 * The asyncio twin starts several tasks of one coroutine and cancels each. Its gather() has
 * return_exceptions=True and returns a list of CancelledErrors.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int stopped;

static int work(void *arg) {
        int rc;

        (void) arg;
        say("works for 5 seconds");
        rc = belay_sleep(5 * SECOND);
        if (rc == -ECANCELED) {
                say("caught a cancellation: ends");
                stopped++;
        }
        return rc;
}

static int app(void *arg) {
        const char *const names[2] = { "a", "b" };
        belay_task *tasks[2] = { NULL, NULL };
        int rc = 0;

        (void) arg;
        for (int i = 0; i < 2 && rc == 0; i++) {
                tasks[i] = belay_spawn_with(work, NULL,
                                            BELAY_OPTIONS(belay_spawn_options, .name = names[i]));
                rc = tasks[i] ? belay_sleep(SECOND / 4) : -errno;
        }
        if (rc == 0)
                rc = belay_sleep(3 * SECOND / 4);
        if (rc == 0) {
                say("cancels both");
                for (int i = 0; i < 2; i++)
                        belay_cancel(tasks[i], NULL);
                rc = belay_gather_collect(tasks, 2);
        }
        if (rc == 0) {
                say("both have ended: a is %s, b is %s", state(tasks[0]), state(tasks[1]));
                expect(belay_result(tasks[0]) == -ECANCELED);
                expect(belay_result(tasks[1]) == -ECANCELED);
                expect(stopped == 2);
        }
        for (int i = 0; i < 2; i++)
                belay_release(tasks[i]);
        return rc;
}

int main(void) {
        shows("Main cancels several tasks and gathers them: each one ends cancelled.");
        return verdict(belay_run(app, NULL));
}
