/* SPDX-License-Identifier: MIT */
/*
 * Cancel a program at each of its waits.
 */
#include <belay.h>
#include <stdlib.h>

#include "check.h"

/* ---- the recipe ---- */

struct transfer {
        bool is_careful;
        belay_lock lock;
        int here, there; /* what two accounts hold */
};

/* Moves 10 from one account to the other. Between the two changes it waits. */
static int move(void *arg) {
        struct transfer *transfer = arg;
        int rc = belay_lock_acquire(&transfer->lock);

        if (rc < 0)
                return rc;
        transfer->here -= 10;
        rc = belay_sleep(BELAY_SECOND);
        if (rc == 0)
                transfer->there += 10;
        else if (transfer->is_careful)
                transfer->here += 10;
        belay_lock_release(&transfer->lock);
        return rc;
}

static void reset(void *arg) {
        struct transfer *transfer = arg;

        *transfer = (struct transfer) { .is_careful = transfer->is_careful, .here = 100 };
}

/* Called after each run: whatever was cancelled, no money may be lost. */
static int no_money_is_lost(void *arg, int outcome) {
        struct transfer *transfer = arg;

        (void) outcome;
        return transfer->here + transfer->there != 100;
}

static int complaints(struct transfer *transfer) {
        return belay_everywhere(
                move, transfer,
                BELAY_OPTIONS(belay_everywhere_options, .reset = reset, .check = no_money_is_lost));
}

/* ---- the check ---- */

static void ignore(void *context, belay_log_level level, const char *line) {
        (void) context, (void) level, (void) line;
}

int main(void) {
        struct transfer careful = { .is_careful = true }, careless = { .is_careful = false };

        check(complaints(&careful) == 0);
        belay_set_log(ignore, NULL);
        check(complaints(&careless) > 0);
        return 0;
}
