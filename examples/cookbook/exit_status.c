/* SPDX-License-Identifier: MIT */
/*
 * The exit status of a command: 130 after Ctrl-C.
 */
#include <belay.h>
#include <signal.h>

#include "check.h"

/* ---- the recipe ---- */

/*
 * Runs fn(arg) as a command: 0, 1 after a failure, 130 after Ctrl-C. A shell stops a script only if
 * the command dies by the signal, so the command raises it again.
 */
static int run_as_command(belay_fn *fn, void *arg) {
        int status = belay_main(fn, arg);

        if (status == 128 + SIGINT || status == 128 + SIGTERM)
                raise(status - 128);
        return status;
}

/* ---- the check ---- */

static unsigned ended;
static sig_atomic_t raised;

static void note(int signal) {
        raised = signal;
}

static int until_signal(void *arg) {
        int rc;

        check(raise(*(int *) arg) == 0);
        while ((rc = belay_sleep(BELAY_MILLISECOND)) == 0)
                ;
        /* Cleanup runs as ever, and the rest of the program, too. */
        if (rc == -ECANCELED && belay_sleep(BELAY_MILLISECOND) == 0)
                ended++;
        signal(*(int *) arg, note);
        return rc;
}

static int fail(void *arg) {
        (void) arg;
        return belay_fail(-EINVAL, "line 3 is bad");
}

static int interrupt_itself(void *arg) {
        (void) arg;
        check(belay_interrupt(NULL) == 0);
        return belay_sleep(BELAY_HOUR);
}

static int succeed(void *arg) {
        (void) arg;
        return 0;
}

int main(void) {
        int number = SIGINT;
        belay_loop *loop;

        check(run_as_command(until_signal, &number) == 130 && raised == SIGINT);
        number = SIGTERM;
        check(run_as_command(until_signal, &number) == 143 && raised == SIGTERM);
        check(ended == 2);
        raised = 0;
        check(run_as_command(fail, NULL) == 1);
        check(run_as_command(succeed, NULL) == 0 && raised == 0);
        /* The program may request its own end as Ctrl-C does. */
        check(belay_main(interrupt_itself, NULL) == 130);
        /* A program with a loop of its own asks the loop for the signal. */
        check(signal(SIGTERM, SIG_DFL) == note);
        loop = belay_loop_new(NULL);
        check(loop != NULL && belay_loop_run(loop, until_signal, &number, NULL) == -EINTR);
        check(belay_loop_signal(loop) == SIGTERM);
        check(belay_loop_close(loop) == 0);
        return 0;
}
