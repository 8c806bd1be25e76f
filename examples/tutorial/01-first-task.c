/* SPDX-License-Identifier: MIT */
/* A task sleeps, and a virtual clock makes the sleep take no time. */
#include <belay.h>
#include <stdio.h>

static int app(void *arg) {
        int rc;

        (void) arg;
        printf("%d s: going to sleep\n", (int) (belay_now() / BELAY_SECOND));
        rc = belay_sleep(3 * BELAY_SECOND);
        printf("%d s: awake\n", (int) (belay_now() / BELAY_SECOND));
        return rc;
}

int main(void) {
        /* The clock starts at 0 and jumps to the next deadline when no task is ready. */
        return belay_run_with(app, NULL,
                              BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL))
               < 0;
}
