/* SPDX-License-Identifier: MIT */
/*
 * Periodic work that does not drift.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

/* Calls work(arg) at the beginning of each period, until it fails or the task is cancelled. */
static int every(belay_time period, belay_fn *work, void *arg) {
        belay_time next = belay_now();

        for (;;) {
                belay_time now;
                int rc = work(arg);

                if (rc < 0)
                        return rc;
                next += period;
                now = belay_now();
                /* Periods that the work itself used up are left out, not made up for. */
                if (next < now)
                        next += (now - next + period - 1) / period * period;
                rc = belay_sleep_until(next);
                if (rc < 0)
                        return rc;
        }
}

/* ---- the check ---- */

static unsigned count;

static int work(void *arg) {
        (void) arg;
        /* On the grid, however long the work before took. */
        check(belay_now() % (10 * BELAY_SECOND) == 0);
        count++;
        /* The third one computes for long, the others wait. */
        return count == 3 ? belay_advance(25 * BELAY_SECOND) : belay_sleep(3 * BELAY_SECOND);
}

static int repeat(void *arg) {
        return every(10 * BELAY_SECOND, work, arg);
}

static int app(void *arg) {
        (void) arg;
        check(belay_wait_for(repeat, NULL, 95 * BELAY_SECOND) == -ETIMEDOUT);
        /* At 0, 10, 20, 50, 60, 70, 80, 90. */
        check(count == 8);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
