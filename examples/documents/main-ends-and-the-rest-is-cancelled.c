/* SPDX-License-Identifier: MIT */
/*
 * When main has ended, belay cancels the remaining tasks once and waits until they have ended.
 *
 * The loop owns its tasks. A task goes on without a handle, and releasing the handle does not
 * cancel it. belay_run() returns when the last task has ended, and cleanup may take any time.
 *
 * The asyncio twin starts a task and returns from main. asyncio.run() cancels the task, waits for
 * its cleanup, and then returns main's result.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

enum { RESULT = 7 };

static int closed;

static int background(void *arg) {
        belay_origin origin = { .size = sizeof(origin) };
        int cleanup, rc;

        (void) arg;
        say("works for 100 seconds");
        rc = belay_sleep(100 * SECOND);
        if (rc == -ECANCELED) {
                expect(belay_origin_of(belay_self(), &origin)
                       && origin.kind == BELAY_ORIGIN_SHUTDOWN);
                say("caught a cancellation (%s): shutting down", belay_origin_name(origin.kind));
                cleanup = belay_sleep(SECOND);
                if (cleanup < 0)
                        return cleanup;
                say("closed");
                closed++;
        }
        return rc;
}

static int app(void *arg) {
        belay_task *a = belay_spawn_with(background, NULL,
                                         BELAY_OPTIONS(belay_spawn_options, .name = "a"));
        int rc;

        (void) arg;
        if (!a)
                return -errno;
        belay_release(a); /* the loop owns the task, so it goes on */
        rc = belay_sleep(SECOND);
        if (rc < 0)
                return rc;
        say("done");
        expect(closed == 0);
        return RESULT;
}

int main(void) {
        int rc;

        shows("When main ends, the loop cancels the other tasks and waits for their cleanup.");
        rc = belay_run(app, NULL);
        expect(rc == RESULT);
        expect(closed == 1);
        return verdict(rc);
}
