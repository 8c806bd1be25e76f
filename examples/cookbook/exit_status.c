/* SPDX-License-Identifier: MIT */
/*
 * The exit status of a command: 130 after Ctrl-C.
 */
#include <belay.h>
#include <signal.h>

#include "check.h"

/* ---- the recipe ---- */

/* Runs fn(arg) as a program and returns its exit status: 0, 1 for a failure, 128 and the signal that ended it. */
static int run_as_command(const char *name, belay_fn *fn, void *arg) {
        belay_loop *loop = belay_loop_new(NULL);
        int outcome = 0, rc = loop ? belay_loop_run(loop, fn, arg, &outcome) : -errno;
        int signal = rc == -EINTR ? belay_loop_signal(loop) : 0;
        const belay_failure *failure = rc == 0 && outcome < 0 ? belay_loop_failure(loop) : NULL;
        char text[512];

        if (failure != NULL)
                belay_failure_format(failure, text, sizeof(text));
        else
                snprintf(text, sizeof(text), "%s", strerror(rc < 0 ? -rc : outcome < 0 ? -outcome : 0));
        if (signal == 0 && (rc < 0 || outcome < 0))
                fprintf(stderr, "%s: %s\n", name, text);
        /* Tasks that main left are cancelled and waited for. */
        if (belay_loop_close(loop) < 0 && rc == 0)
                rc = -ETIMEDOUT;
        return signal != 0 ? 128 + signal : rc < 0 || outcome < 0;
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

int main(void) {
        int signal = SIGINT;

        check(run_as_command("demo", until_signal, &signal) == 130);
        signal = SIGTERM;
        check(run_as_command("demo", until_signal, &signal) == 143);
        check(ended == 2);
        check(run_as_command("demo", fail, NULL) == 1);
        check(run_as_command("demo", succeed, NULL) == 0);
        return 0;
}
