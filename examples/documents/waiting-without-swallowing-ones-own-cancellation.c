/* SPDX-License-Identifier: MIT */
/*
 * The way out of the trap: closer cancels foo and joins it, and main cancels closer meanwhile.
 *
 * belay_join() waits for the end of foo and forwards no request to it, so foo completes its
 * cleanup. If the join returns -ECANCELED, the request is closer's own, and closer returns the
 * code. belay_cancel_wait() instead waits until foo has ended, and a request for closer stays
 * pending.
 *
 * The asyncio twin awaits wait({foo}) instead of foo, because wait() forwards no request either.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int cleaned;

static int foo_main(void *arg) {
        int cleanup, rc;

        (void) arg;
        rc = belay_sleep(10 * SECOND);
        say("cleaning up for 2 seconds");
        cleanup = belay_sleep(2 * SECOND);
        if (cleanup < 0)
                return cleanup;
        say("cleaned up");
        cleaned++;
        return rc;
}

static int closer_main(void *arg) {
        belay_task *foo = arg; /* let_go() releases this reference */
        int rc;

        say("cancels foo and joins it");
        belay_cancel(foo, NULL);
        rc = belay_join(foo, NULL);
        if (rc == 0)
                say("not reached");
        if (rc == -ECANCELED)
                say("caught its own cancellation and ends; foo is %s", state(foo));
        expect(rc == -ECANCELED && cleaned == 0);
        return rc;
}

static void let_go(void *task) {
        belay_release(task);
}

static int app(void *arg) {
        belay_task *foo, *closer = NULL;
        int rc;

        (void) arg;
        foo = belay_spawn_with(foo_main, NULL, BELAY_OPTIONS(belay_spawn_options, .name = "foo"));
        rc = foo ? belay_sleep(SECOND) : -errno;
        if (rc == 0) {
                closer = belay_spawn_with(
                        closer_main, belay_ref(foo),
                        BELAY_OPTIONS(belay_spawn_options, .name = "closer", .destroy = let_go));
                if (!closer) {
                        rc = -errno;
                        belay_release(foo);
                }
        }
        if (rc == 0)
                rc = belay_sleep(SECOND);
        if (rc == 0) {
                say("cancels closer");
                belay_cancel(closer, NULL);
                rc = belay_sleep(5 * SECOND);
        }
        if (rc == 0) {
                say("closer is %s, foo is %s", state(closer), state(foo));
                expect(belay_cancelled(closer));
                expect(belay_cancelled(foo) && cleaned == 1);
        }
        belay_release(closer);
        belay_release(foo);
        return rc;
}

int main(void) {
        shows("A caller joins a cancelled task, and a request for the caller ends only its wait.");
        return verdict(belay_run(app, NULL));
}
