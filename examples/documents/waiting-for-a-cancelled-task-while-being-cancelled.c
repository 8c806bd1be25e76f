/* SPDX-License-Identifier: MIT */
/*
 * The trap: closer cancels foo, awaits foo, and ignores every cancellation that the await reports.
 *
 * Main cancels closer during the await. In asyncio both the end of foo and the request to closer
 * arrive as a CancelledError from `await foo`. If closer ignores the error, it ends as if it had
 * received no request. The await also forwards the request to foo, which ends foo's cleanup early.
 *
 * The asyncio twin has `except CancelledError: pass` around the await. In C the end of foo is the
 * outcome, so a return value of -ECANCELED reports closer's own request. A C program discards that
 * value only on purpose, as here. waiting-without-swallowing-ones-own-cancellation.c shows the way
 * out.
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
        say(cleanup == -ECANCELED ? "caught a cancellation: the cleanup ends early" : "cleaned up");
        expect(cleanup == -ECANCELED);
        return cleanup < 0 ? cleanup : rc;
}

static int closer_main(void *arg) {
        belay_task *foo = arg; /* let_go() releases this reference */
        int outcome, rc;

        say("cancels foo and awaits it");
        belay_cancel(foo, NULL);
        rc = belay_await(foo, &outcome);
        expect(rc == -ECANCELED);
        if (rc < 0 && rc != -ECANCELED)
                return rc;
        say("wrongly discards its cancellation, with %d request", belay_cancelling(belay_self()));
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
        shows("A caller that ignores every cancellation from an await discards its own.");
        return verdict(belay_run(app, NULL));
}
