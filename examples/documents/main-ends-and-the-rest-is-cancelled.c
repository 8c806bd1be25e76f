/* SPDX-License-Identifier: MIT */
/*
 * When main is done, whatever it left behind is cancelled once, and waited for.
 *
 * A handle keeps no task alive, and letting go of it stops nothing: the task belongs to the loop.
 * belay_run() returns when the last task has ended; clean-up may take its time.
 *
 * Twin of the asyncio program that starts a task in the background and returns from main:
 * asyncio.run() cancels the task, waits for its clean-up, and only then gives main's result.
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
        belay_release(a); /* it goes on; nobody here wants to know how it ends */
        rc = belay_sleep(SECOND);
        if (rc < 0)
                return rc;
        say("done");
        expect(closed == 0);
        return RESULT;
}

int main(void) {
        int rc;

        shows("When main ends, the rest is cancelled and may clean up: "
              "the program ends with the last task.");
        rc = belay_run(app, NULL);
        expect(rc == RESULT);
        expect(closed == 1);
        return verdict(rc);
}
