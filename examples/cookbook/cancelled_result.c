/* SPDX-License-Identifier: MIT */
/*
 * Turn a cancellation into a result.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

struct search {
        int best;
};

/* As the function of a task: a search that is cancelled has ended with the best that it found. */
static int search_task(void *arg) {
        struct search *search = arg;
        int rc;

        while ((rc = belay_sleep(BELAY_SECOND)) == 0)
                search->best++;
        return rc == -ECANCELED ? search->best : rc;
}

/*
 * As a part of a task that goes on: the request was meant for the part alone, so it is withdrawn.
 */
static int search_here(struct search *search) {
        int rc = search_task(search);

        if (belay_cancelling(belay_self()) > 0)
                belay_uncancel(belay_self());
        return rc;
}

/* ---- the check ---- */

static int goes_on(void *arg) {
        belay_timeout limit;
        int found, rc;

        /* The request is gone when the timeout expires. So the timeout is not mistaken for it. */
        check(belay_timeout_enter(&limit, 10 * BELAY_SECOND) == 0);
        found = search_here(arg);
        check(belay_cancelling(belay_self()) == 0);
        rc = belay_sleep(BELAY_HOUR);
        check(belay_timeout_leave(&limit, rc) == -ETIMEDOUT);
        return found;
}

static int app(void *arg) {
        struct search one = { 0 }, other = { 0 };
        belay_task *tasks[] = { belay_spawn(search_task, &one), belay_spawn(goes_on, &other) };
        int outcome;

        (void) arg;
        check(belay_sleep(5 * BELAY_SECOND / 2) == 0);
        check(belay_cancel_wait(tasks[0], "what have you got?", BELAY_NEVER, &outcome) == 0);
        check(outcome == 2 && !belay_cancelled(tasks[0]));
        belay_cancel(tasks[1], "what have you got?");
        check(belay_join(tasks[1], &outcome) == 0 && outcome == 2);
        belay_release(tasks[0]);
        belay_release(tasks[1]);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
