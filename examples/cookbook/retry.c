/* SPDX-License-Identifier: MIT */
/*
 * Retry with growing, random pauses under one timeout for all attempts together.
 */
#include <belay.h>
#include <stdlib.h>

#include "check.h"

/* ---- the recipe ---- */

static bool is_transient(int rc) {
        return rc == -ECONNREFUSED || rc == -ECONNRESET || rc == -EAGAIN || rc == -ETIMEDOUT;
}

static int retry(belay_fn *attempt, void *arg, belay_time each, belay_time total) {
        belay_time most = 100 * BELAY_MILLISECOND; /* the longest pause that may come next */
        belay_timeout limit;
        int rc = belay_timeout_enter(&limit, total);

        if (rc < 0)
                return rc;
        for (;;) {
                rc = belay_wait_for(attempt, arg, each);
                if (!is_transient(rc))
                        break;
                /*
                 * Somewhere between half and all of it, so that clients that failed together return
                 * apart.
                 */
                rc = belay_sleep(most / 2 + (belay_time) (drand48() * (double) (most / 2)));
                if (rc < 0)
                        break;
                most = most < 5 * BELAY_SECOND ? most * 2 : 10 * BELAY_SECOND;
        }
        return belay_timeout_leave(&limit, rc);
}

/* ---- the check ---- */

struct service {
        int attempts, refusals;
        int hangs_at;
};

static int call(void *arg) {
        struct service *service = arg;

        service->attempts++;
        if (service->attempts == service->hangs_at)
                return belay_sleep(BELAY_NEVER);
        return service->attempts <= service->refusals ? -ECONNREFUSED : 7;
}

static void cancel(void *task) {
        belay_cancel(task, "enough");
}

static int app(void *arg) {
        struct service soon = { .refusals = 4, .hangs_at = 2 }, never = { .refusals = 1000000 },
                       later = never;
        belay_time began;

        (void) arg;
        check(retry(call, &soon, BELAY_SECOND, BELAY_MINUTE) == 7);
        check(soon.attempts == 5);

        began = belay_now();
        check(retry(call, &never, BELAY_SECOND, BELAY_MINUTE) == -ETIMEDOUT);
        check(belay_now() - began == BELAY_MINUTE);
        check(never.attempts > 10 && never.attempts < 30);

        /* A request ends it in a pause, and makes no further attempt. */
        check(belay_later(10 * BELAY_SECOND, cancel, belay_self()) != 0);
        check(retry(call, &later, BELAY_SECOND, BELAY_MINUTE) == -ECANCELED);
        check(later.attempts < never.attempts);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
