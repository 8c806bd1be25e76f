/* SPDX-License-Identifier: MIT */
/* A request for cancellation arrives in a wait, once. The cleanup that follows may wait, too. */
#include <belay.h>
#include <stdio.h>

static void say(const char *text) {
        printf("%d s  %-6s  %s\n", (int) (belay_now() / BELAY_SECOND), belay_name(belay_self()),
               text);
}

static int work(void *arg) {
        int rc;

        (void) arg;
        say("sleeps for an hour");
        rc = belay_sleep(BELAY_HOUR);
        if (rc == -ECANCELED) {
                say("the sleep returned -ECANCELED, cleans up for 2 s");
                /* The request is delivered, so this sleep is an ordinary one. */
                if (belay_sleep(2 * BELAY_SECOND) == 0)
                        say("cleanup is complete");
        }
        return rc;
}

static int app(void *arg) {
        belay_task *task = belay_spawn_with(work, NULL,
                                            BELAY_OPTIONS(belay_spawn_options, .name = "worker"));
        int outcome = 0;
        int rc = belay_sleep(BELAY_SECOND);

        (void) arg;
        if (rc == 0) {
                say("cancels the worker and waits for its end");
                rc = belay_cancel_wait(task, "out of patience", 10 * BELAY_SECOND, &outcome);
        }
        if (rc == 0) {
                belay_origin origin = BELAY_ORIGIN_INIT;

                belay_origin_of(task, &origin);
                say(outcome == -ECANCELED ? "the worker ended cancelled" : "the worker refused");
                say(origin.reason);
        }
        belay_release(task);
        return rc;
}

int main(void) {
        return belay_run_with(app, NULL,
                              BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL))
               < 0;
}
