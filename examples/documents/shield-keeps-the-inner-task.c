/* SPDX-License-Identifier: MIT */
/*
 * A shield ends the wait of the one who is cancelled, and keeps the cancellation from the task that
 * is waited for.
 *
 * belay_await() passes a cancellation on to the task it waits for. belay_shield() does not: the
 * caller stops, the important work goes on, and somebody who still has a handle awaits it later.
 *
 * Twin of the asyncio program in which a task awaits shield(inner) and is cancelled, while inner
 * saves its work.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int stopped;

static int important(void *arg) {
        int rc;

        (void) arg;
        say("saves what is important, for 5 seconds");
        rc = belay_sleep(5 * SECOND);
        if (rc < 0)
                return rc;
        say("finished");
        return belay_set_value("saved", NULL);
}

static int caller(void *arg) {
        belay_task *inner = arg; /* a reference of its own, see let_go() */
        int rc;

        say("waits for inner, behind a shield");
        rc = belay_shield(inner, NULL);
        if (rc == -ECANCELED) {
                say("caught a cancellation: stops; inner is %s", state(inner));
                stopped++;
        }
        return rc;
}

static void let_go(void *task) {
        belay_release(task);
}

static int app(void *arg) {
        belay_task *inner, *outer;
        int outcome, rc;

        (void) arg;
        inner = belay_spawn_with(important, NULL,
                                 BELAY_OPTIONS(belay_spawn_options, .name = "inner"));
        if (!inner)
                return -errno;
        outer = belay_spawn_with(
                caller, belay_ref(inner),
                BELAY_OPTIONS(belay_spawn_options, .name = "outer", .destroy = let_go));
        if (outer) {
                rc = belay_sleep(2 * SECOND);
        } else {
                rc = -errno;
                belay_release(inner);
        }
        if (rc == 0) {
                say("cancels outer");
                belay_cancel(outer, NULL);
                rc = belay_wait(&outer, 1, BELAY_WAIT_ALL, BELAY_NEVER);
        }
        if (rc > 0) {
                say("outer is %s, inner is %s", state(outer), state(inner));
                expect(belay_cancelled(outer) && stopped == 1);
                expect(!belay_done(inner));
                rc = belay_await(inner, &outcome);
                if (rc == 0) {
                        say("inner is %s", state(inner));
                        expect(outcome == 0 && same(belay_value(inner), "saved"));
                }
        }
        belay_release(outer);
        belay_release(inner);
        return rc;
}

int main(void) {
        shows("A shield lets the caller be cancelled, and the inner task finish.");
        return verdict(belay_run(app, NULL));
}
