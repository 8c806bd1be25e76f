/* SPDX-License-Identifier: MIT */
/*
 * Main forces a task that has ended. belay sends no request, and the outcome stays the same.
 *
 * A helper of the asyncio twin tests task.done() before it calls task.cancel(), so it sends no
 * request either.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

enum { ANSWER = 42 };

static int quick(void *arg) {
        (void) arg;
        say("returns %d at once", ANSWER);
        return ANSWER;
}

static int app(void *arg) {
        belay_task *task = belay_spawn_with(quick, NULL,
                                            BELAY_OPTIONS(belay_spawn_options, .name = "task"));
        int rc;

        (void) arg;
        if (!task)
                return -errno;
        rc = belay_sleep(SECOND);
        if (rc == 0)
                rc = belay_force_cancel(task, 10, SECOND);
        if (rc >= 0) {
                say("it took %d requests; the task is %s, with %d", rc, state(task),
                    belay_result(task));
                expect(rc == 0);
                expect(belay_cancelling(task) == 0);
                expect(belay_result(task) == ANSWER);
        }
        belay_release(task);
        return rc < 0 ? rc : 0;
}

int main(void) {
        shows("Forcing a task that has already ended sends no request.");
        return verdict(belay_run(app, NULL));
}
