/* SPDX-License-Identifier: MIT */
/*
 * A request carries a reason, which reaches the cancelled task and the task that awaits it.
 *
 * The reason is the text of the failure that comes with -ECANCELED. belay_failure_take() gives that
 * failure to the task, and belay_failure_raise() makes it the task's latest failure again. belay
 * also records the origin of the request, with the sending task and the call site. asyncio does
 * not.
 *
 * The asyncio twin calls task.cancel("Timeout occurred"). The task and main print the argument of
 * the CancelledError.
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
        say("the request came from %s, at %s", origin.name ? origin.name : "?",
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
        shows("The reason of a request reaches the task and the caller that awaits it.");
        return verdict(belay_run(app, NULL));
}
