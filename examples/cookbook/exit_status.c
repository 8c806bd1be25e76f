/* SPDX-License-Identifier: MIT */
/*
 * The exit status of a command: 130 after Ctrl-C.
 */
#include <belay.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "check.h"

/* ---- the recipe ---- */

static void report(const char *name, int rc, const belay_failure *failure) {
        char text[512];

        if (failure != NULL)
                belay_failure_format(failure, text, sizeof(text));
        fprintf(stderr, "%s: %s\n", name, failure != NULL ? text : strerror(-rc));
}

/*
 * Runs fn(arg) as a program and returns its exit status: 0, 1 after a failure, 128 + n if signal n
 * ended it.
 */
static int run_as_command(const char *name, belay_fn *fn, void *arg) {
        belay_loop *loop = belay_loop_new(NULL);
        int outcome = 0, status, rc = -errno;

        if (loop != NULL)
                rc = belay_loop_run(loop, fn, arg, &outcome);
        if (rc == -EINTR) {
                int number = belay_loop_signal(loop);

                status = 128 + (number != 0 ? number : SIGINT);
        } else {
                status = rc < 0 || outcome < 0;
                if (rc < 0)
                        report(name, rc, NULL);
                else if (outcome < 0)
                        report(name, outcome, belay_loop_failure(loop));
        }
        /* Cancels what main left, and waits for it. */
        rc = belay_loop_close(loop);
        return status == 0 && rc < 0 ? 1 : status;
}

/* ---- the check ---- */

static unsigned ended;

static int until_signal(void *arg) {
        int rc;

        check(raise(*(int *) arg) == 0);
        while ((rc = belay_sleep(BELAY_MILLISECOND)) == 0)
                ;
        /* Cleanup runs as ever. */
        if (rc == -ECANCELED && belay_sleep(BELAY_MILLISECOND) == 0)
                ended++;
        return rc;
}

static int fail(void *arg) {
        (void) arg;
        return belay_fail(-EINVAL, "line 3 is bad");
}

static int succeed(void *arg) {
        (void) arg;
        return 0;
}

static int interrupt_itself(void *arg) {
        (void) arg;
        check(belay_interrupt(NULL) == 0);
        return belay_sleep(BELAY_HOUR);
}

int main(void) {
        int signal = SIGINT;

        check(run_as_command("demo", until_signal, &signal) == 130);
        signal = SIGTERM;
        check(run_as_command("demo", until_signal, &signal) == 143);
        check(ended == 2);
        /* The same, asked for by the program. */
        check(run_as_command("demo", interrupt_itself, NULL) == 130);
        check(run_as_command("demo", fail, NULL) == 1);
        check(run_as_command("demo", succeed, NULL) == 0);
        return 0;
}
