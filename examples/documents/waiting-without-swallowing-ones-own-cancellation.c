/* SPDX-License-Identifier: MIT */
/*
 * The right way to cancel a task and wait for its end, while one may be cancelled oneself.
 *
 * belay_join() waits for the end of a task without passing anything on to it: foo's clean-up stays
 * whole, and -ECANCELED out of the wait is closer's own cancellation, to be returned like every
 * other. (To stay until foo has ended in spite of one's own cancellation: belay_cancel_wait().)
 *
 * Twin of the asyncio program that calls foo.cancel() and then `await wait({foo})` instead of
 * `await foo`: wait() is what joins there.
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
        belay_task *foo = arg; /* a reference of its own, see let_go() */
        int rc;

        say("cancels foo and joins it");
        belay_cancel(foo, NULL);
        rc = belay_join(foo, NULL);
        if (rc == 0)
                say("not reached");
        if (rc == -ECANCELED)
                say("caught its own cancellation: ends; foo is %s", state(foo));
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
        shows("Joining a cancelled task: one's own cancellation ends the wait and nothing else.");
        return verdict(belay_run(app, NULL));
}
