/* SPDX-License-Identifier: MIT */
/*
 * A request may say why. The reason reaches the task that is cancelled, and whoever awaits that
 * task.
 *
 * It is the text of the failure that comes with -ECANCELED: belay_failure_take() takes it into
 * one's hands, and belay_failure_raise() passes it on. Beside it stands the origin of the request,
 * which asyncio does not keep: who asked, and where.
 *
 * Twin of the asyncio program that calls task.cancel("Timeout occurred") and prints the
 * CancelledError's argument, in the task and in the caller.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

#define REASON "Timeout occurred"

static int worker(void *arg) {
        belay_origin origin = { .size = sizeof(origin) };
        belay_failure *failure;
        const char *reason;
        int rc;

        (void) arg;
        say("works for 5 seconds");
        rc = belay_sleep(5 * SECOND);
        if (rc != -ECANCELED)
                return rc;
        failure = belay_failure_take(rc);
        reason = belay_failure_text(failure);
        say("caught a cancellation: %s", reason ? reason : "no reason");
        expect(same(reason, REASON));
        expect(belay_origin_of(belay_self(), &origin));
        expect(origin.kind == BELAY_ORIGIN_CALLER && same(origin.name, "main"));
        say("it was asked for by %s, in %s", origin.name ? origin.name : "?",
            origin.place ? origin.place : "?");
        return belay_failure_raise(failure);
}

static int app(void *arg) {
        belay_task *task = belay_spawn_with(worker, NULL,
                                            BELAY_OPTIONS(belay_spawn_options, .name = "task"));
        int outcome, rc;

        (void) arg;
        if (!task)
                return -errno;
        rc = belay_sleep(SECOND);
        if (rc == 0) {
                say("cancels the task: " REASON);
                belay_cancel(task, REASON);
                rc = belay_await(task, &outcome);
        }
        if (rc == 0) {
                const belay_failure *failure = belay_failure_of(task);
                const char *reason = failure ? belay_failure_text(failure) : NULL;

                say("the task is %s: %s", state(task), reason ? reason : "no reason");
                expect(outcome == -ECANCELED);
                expect(same(reason, REASON));
        }
        belay_release(task);
        return rc;
}

int main(void) {
        shows("The reason of a cancellation travels: to the task, and to whoever awaits it.");
        return verdict(belay_run(app, NULL));
}
