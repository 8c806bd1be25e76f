/* SPDX-License-Identifier: MIT */
/*
 * A function under a time limit: what is too slow is cancelled, and the caller is told -ETIMEDOUT.
 *
 * belay_wait_for() calls the function in the calling task. At the limit the wait in there returns
 * -ECANCELED; the function cleans up and returns it, as it always does, and -ETIMEDOUT comes out.
 * Nobody has to be uncancelled.
 *
 * Twin of the asyncio program that puts a slow coroutine under wait_for(..., timeout=1) and catches
 * the TimeoutError.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int started, interrupted;

static int slow_process(void *arg) {
        int rc;

        (void) arg;
        say("slow process started: it takes 3 seconds");
        started++;
        rc = belay_sleep(3 * SECOND);
        if (rc == 0)
                say("slow process complete");
        if (rc == -ECANCELED) {
                say("caught a cancellation: slow process interrupted");
                interrupted++;
        }
        return rc;
}

static int app(void *arg) {
        int rc;

        (void) arg;
        rc = belay_wait_for(slow_process, NULL, SECOND);
        expect(rc == -ETIMEDOUT);
        if (rc != -ETIMEDOUT)
                return rc;
        say("timed out after 1 second");
        expect(started == 1 && interrupted == 1);
        expect(belay_cancelling(belay_self()) == 0);
        return 0;
}

int main(void) {
        shows("A time limit cancels what is too slow, and turns that into a time-out for the "
              "caller.");
        return verdict(belay_run(app, NULL));
}
