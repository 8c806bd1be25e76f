/* SPDX-License-Identifier: MIT */
/* A timeout is a scope around any number of waits. Each scope reports its own expiry alone. */
#include <belay.h>
#include <stdio.h>

static void say(const char *what, int rc) {
        printf("%d s  %s: %s\n", (int) (belay_now() / BELAY_SECOND), what,
               rc == 0            ? "0"
               : rc == -ECANCELED ? "-ECANCELED"
                                  : "-ETIMEDOUT");
}

/* This function knows nothing of timeouts. */
static int three_steps(void) {
        int rc = 0;

        for (int i = 1; i <= 3 && rc == 0; i++) {
                rc = belay_sleep(2 * BELAY_SECOND);
                say("a step", rc);
        }
        return rc;
}

static int app(void *arg) {
        belay_timeout outer, inner;
        int rc;

        (void) arg;
        belay_timeout_enter(&outer, 5 * BELAY_SECOND);
        belay_timeout_enter(&inner, BELAY_MINUTE);
        rc = three_steps();
        rc = belay_timeout_leave(&inner, rc);
        say("the inner scope", rc); /* its minute has not passed */
        rc = belay_timeout_leave(&outer, rc);
        say("the outer scope", rc);

        /* The timeout withdrew its request, so the task goes on as if nothing had happened. */
        if (rc == -ETIMEDOUT)
                rc = three_steps();
        return rc;
}

int main(void) {
        return belay_run_with(app, NULL,
                              BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL))
               < 0;
}
