/* SPDX-License-Identifier: MIT */
/*
 * A program in steps on one loop: what the first one starts goes on in the others.
 */
#include <belay.h>
#include <stdio.h>
#include <string.h>

#include "check.h"

/* ---- the recipe ---- */

/*
 * Runs the steps one after the other, up to the first that fails, and prints its name and failure.
 */
static int run_steps(belay_loop *loop, belay_fn *const steps[], const char *const names[],
                     size_t count, void *arg) {
        for (size_t i = 0; i < count; i++) {
                const belay_failure *failure;
                int outcome = 0, rc = belay_loop_run(loop, steps[i], arg, &outcome);

                if (rc == 0 && outcome >= 0)
                        continue;
                failure = rc == 0 ? belay_loop_failure(loop) : NULL;
                fprintf(stderr, "%s: %s\n", names[i],
                        failure && belay_failure_text(failure) ? belay_failure_text(failure)
                                                               : strerror(rc < 0 ? -rc : -outcome));
                return rc < 0 ? rc : outcome;
        }
        return 0;
}

/* ---- the check ---- */

static belay_task *background;
static unsigned ticks;

static int tick(void *arg) {
        int rc;

        (void) arg;
        while ((rc = belay_sleep(BELAY_SECOND)) == 0)
                ticks++;
        return rc;
}

static int set_up(void *arg) {
        (void) arg;
        background = belay_spawn(tick, NULL);
        return background ? 0 : -errno;
}

static int work(void *arg) {
        int rc = belay_sleep(5 * BELAY_SECOND / 2);

        (void) arg;
        return rc;
}

static int tear_down(void *arg) {
        int outcome, rc = belay_cancel_wait(background, "tear down", BELAY_NEVER, &outcome);

        (void) arg;
        return rc < 0 ? rc : belay_fail(-EIO, "could not say goodbye");
}

int main(void) {
        belay_fn *steps[] = { set_up, work, work, tear_down, work };
        const char *names[] = { "set up", "work", "work", "tear down", "work" };
        belay_loop *loop = belay_loop_new(
                BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL));

        check(loop != NULL);
        check(run_steps(loop, steps, names, 5, NULL) == -EIO);
        check(ticks == 5 || ticks == 4);
        check(belay_loop_now(loop) == 5 * BELAY_SECOND && belay_loop_count(loop) == 0);
        check(belay_loop_close(loop) == 0);
        belay_release(background);
        return 0;
}
