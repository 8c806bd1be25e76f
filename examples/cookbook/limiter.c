/* SPDX-License-Identifier: MIT */
/*
 * A rate limiter: so many calls a second, evenly, with a small burst.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

struct limiter {
        belay_time interval; /* between two calls */
        belay_time burst;    /* credit for quiet times: 3 * interval lets 4 calls through */
        belay_time next;     /* the instant of the next turn */
};

/* Waits for its turn. Callers have their turns in the order in which they come. */
static int take_turn(struct limiter *limiter) {
        belay_time now = belay_now(), turn = limiter->next;

        if (turn < now - limiter->burst)
                turn = now - limiter->burst;
        limiter->next = turn + limiter->interval;
        return turn <= now ? 0 : belay_sleep_until(turn);
}

/* ---- the check ---- */

static struct limiter limiter = {
        .interval = 100 * BELAY_MILLISECOND,
        .burst = 300 * BELAY_MILLISECOND,
};
static unsigned calls;

static int call(void *arg) {
        int rc = take_turn(&limiter);

        (void) arg;
        calls += rc == 0;
        return rc;
}

static int app(void *arg) {
        belay_task *tasks[20];

        (void) arg;
        check(belay_sleep(BELAY_HOUR) == 0);
        for (int i = 0; i < 20; i++)
                tasks[i] = belay_spawn(call, NULL);
        check(belay_yield() == 0);
        check(calls == 4);
        check(belay_sleep(1050 * BELAY_MILLISECOND) == 0);
        check(calls == 14);
        check(belay_gather_collect(tasks, 20) == 0);
        check(belay_now() == BELAY_HOUR + 1600 * BELAY_MILLISECOND);
        for (int i = 0; i < 20; i++)
                belay_release(tasks[i]);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
