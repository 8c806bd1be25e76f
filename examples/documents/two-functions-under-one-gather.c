/* SPDX-License-Identifier: MIT */
/*
 * Main cancels two tasks with different bodies one after the other, and one gather collects both.
 *
 * If a task has ended before the gather, the gather takes the outcome from the record, which the
 * handle keeps.
 *
 * The asyncio twin cancels two tasks, half a second apart. gather(..., return_exceptions=True) then
 * collects both.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int first(void *arg) {
        (void) arg;
        say("works for 4 seconds");
        return belay_sleep(4 * SECOND);
}

static int second(void *arg) {
        (void) arg;
        say("works for 5 seconds");
        return belay_sleep(5 * SECOND);
}

static int app(void *arg) {
        belay_task *tasks[2] = {
                belay_spawn_with(first, NULL, BELAY_OPTIONS(belay_spawn_options, .name = "a")),
                belay_spawn_with(second, NULL, BELAY_OPTIONS(belay_spawn_options, .name = "b")),
        };
        int rc;

        (void) arg;
        rc = tasks[0] && tasks[1] ? belay_sleep(SECOND) : -errno;
        if (rc == 0) {
                say("cancels a");
                belay_cancel(tasks[0], NULL);
                rc = belay_sleep(SECOND / 2);
        }
        if (rc == 0) {
                say("a is %s, b is %s; cancels b", state(tasks[0]), state(tasks[1]));
                expect(belay_cancelled(tasks[0]) && !belay_done(tasks[1]));
                belay_cancel(tasks[1], NULL);
                rc = belay_gather_collect(tasks, 2);
        }
        if (rc == 0) {
                say("gathered: a is %s, b is %s", state(tasks[0]), state(tasks[1]));
                expect(belay_result(tasks[0]) == -ECANCELED);
                expect(belay_result(tasks[1]) == -ECANCELED);
        }
        belay_release(tasks[1]);
        belay_release(tasks[0]);
        return rc;
}

int main(void) {
        shows("Main cancels two tasks one after the other, and one gather collects both.");
        return verdict(belay_run(app, NULL));
}
