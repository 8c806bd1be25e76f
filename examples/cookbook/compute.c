/* SPDX-License-Identifier: MIT */
/*
 * A loop that computes, stays cancellable, and lets others run.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

/* How many numbers below `end` are prime; stops at a request. */
static int count_primes(unsigned long end, unsigned long *count) {
        *count = 0;
        for (unsigned long n = 2; n < end; n++) {
                unsigned long divisor = 2;
                int rc = belay_checkpoint();

                if (rc < 0)
                        return rc;
                while (divisor * divisor <= n && n % divisor != 0)
                        divisor++;
                *count += divisor * divisor > n;
        }
        return 0;
}

/* ---- the check ---- */

static int without_end(void *arg) {
        return count_primes(-1UL, arg);
}

static int app(void *arg) {
        unsigned long count;
        belay_task *task = belay_spawn(without_end, &count);
        int outcome;

        (void) arg;
        /* The timer is due while the task computes, and the checkpoint serves it. */
        check(belay_sleep(5 * BELAY_MILLISECOND) == 0);
        check(belay_cancel_wait(task, "enough", BELAY_NEVER, &outcome) == 0);
        check(outcome == -ECANCELED);
        belay_release(task);
        check(count_primes(100, &count) == 0 && count == 25);
        return 0;
}

int main(void) {
        check(belay_run(app, NULL) == 0);
        return 0;
}
