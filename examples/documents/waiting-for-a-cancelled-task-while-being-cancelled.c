/* SPDX-License-Identifier: MIT */
/*
 * The trap: to cancel a task, await it, and ignore the cancellation that comes out of that.
 *
 * While closer awaits foo, somebody cancels closer. In asyncio both look the same, a CancelledError
 * out of `await foo`, and who ignores the one ignores the other: closer ends as if it had never
 * been asked. Besides, awaiting passes the request on to foo, and cuts its clean-up short.
 *
 * Twin of that asyncio program, `except CancelledError: pass` around the await. In C nobody falls
 * into it by accident: foo's end would be the outcome, so a return value of -ECANCELED is closer's
 * own cancellation, and has to be thrown away with intent, as here. The next program does it right:
 * waiting-without-swallowing-ones-own-cancellation.c.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int foo_main(void *arg) {
        int cleanup, rc;

        (void) arg;
        rc = belay_sleep(10 * SECOND);
        say("cleaning up for 2 seconds");
        cleanup = belay_sleep(2 * SECOND);
        say(cleanup == -ECANCELED ? "caught a cancellation: the clean-up is cut short"
                                  : "cleaned up");
        expect(cleanup == -ECANCELED);
        return cleanup < 0 ? cleanup : rc;
}

static int closer_main(void *arg) {
        belay_task *foo = arg; /* a reference of its own, see let_go() */
        int outcome, rc;

        say("cancels foo and awaits it");
        belay_cancel(foo, NULL);
        rc = belay_await(foo, &outcome);
        expect(rc == -ECANCELED);
        if (rc < 0 && rc != -ECANCELED)
                return rc;
        say("swallows its own cancellation (wrong!); requests: %d", belay_cancelling(belay_self()));
        expect(belay_cancelling(belay_self()) == 1);
        return 0;
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
                expect(belay_result(closer) == 0);
                expect(belay_cancelled(foo));
        }
        belay_release(closer);
        belay_release(foo);
        return rc;
}

int main(void) {
        shows("Who ignores what comes out of awaiting a cancelled task swallows its own "
              "cancellation.");
        return verdict(belay_run(app, NULL));
}
