/* SPDX-License-Identifier: MIT */
/*
 * A shield keeps a request for the outer task from the inner task.
 *
 * belay_await() forwards a request to the awaited task, and belay_shield() does not. The request
 * ends the wait of the outer task, and the inner task goes on. Main has a handle and awaits the
 * inner task later.
 *
 * In the asyncio twin the outer task awaits shield(inner). Main cancels it while the inner task
 * saves its work.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int stopped;

static int important(void *arg) {
        int rc;

        (void) arg;
        say("saves its work for 5 seconds");
        rc = belay_sleep(5 * SECOND);
        if (rc < 0)
                return rc;
        say("finished");
        return belay_set_value("saved", NULL);
}

static int caller(void *arg) {
        belay_task *inner = arg; /* let_go() releases this reference */
        int rc;

        say("waits for inner with a shield");
        rc = belay_shield(inner, NULL);
        if (rc == -ECANCELED) {
                say("caught a cancellation and ends; inner is %s", state(inner));
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
        shows("With a shield a request ends the caller, and the inner task finishes.");
        return verdict(belay_run(app, NULL));
}
