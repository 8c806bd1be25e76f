/* SPDX-License-Identifier: MIT */
/*
 * A timeout cancels a slow function, and the caller receives -ETIMEDOUT.
 *
 * belay_wait_for() calls the function in the calling task. When the limit has passed, the wait in
 * the function returns -ECANCELED. The function cleans up and returns that code as usual.
 * belay_wait_for() withdraws its own request and returns -ETIMEDOUT.
 *
 * The asyncio twin calls wait_for(..., timeout=1) with a slow coroutine and catches the
 * TimeoutError.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int started, cancelled;

static int slow_process(void *arg) {
        int rc;

        (void) arg;
        say("the slow process starts and takes 3 seconds");
        started++;
        rc = belay_sleep(3 * SECOND);
        if (rc == 0)
                say("the slow process has finished");
        if (rc == -ECANCELED) {
                say("caught a cancellation: the slow process ends");
                cancelled++;
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
        expect(started == 1 && cancelled == 1);
        expect(belay_cancelling(belay_self()) == 0);
        return 0;
}

int main(void) {
        shows("A timeout cancels a slow function and reports the timeout to the caller.");
        return verdict(belay_run(app, NULL));
}
