/* SPDX-License-Identifier: MIT */
/*
 * A supervisor restarts a task if it fails, up to a limit.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

/*
 * Runs fn(arg) in a task until the task ends well or is cancelled, and starts it again after a
 * failure. Returns the latest failure if the task failed `most` times and none of these runs lasted
 * for `settled`.
 */
static int supervise(belay_fn *fn, void *arg, unsigned most, belay_time settled) {
        unsigned failures = 0;
        belay_time pause = BELAY_SECOND;

        for (;;) {
                belay_time began = belay_now();
                belay_task *task = belay_spawn(fn, arg);
                int outcome = 0, rc = belay_await(task, &outcome);

                belay_release(task);
                if (rc < 0 || outcome >= 0 || outcome == -ECANCELED)
                        return rc < 0 ? rc : outcome;
                if (belay_now() - began >= settled) {
                        failures = 0;
                        pause = BELAY_SECOND;
                }
                if (++failures >= most)
                        return outcome;
                rc = belay_sleep(pause);
                if (rc < 0)
                        return rc;
                pause = pause < BELAY_MINUTE ? 2 * pause : pause;
        }
}

/* ---- the check ---- */

static unsigned starts, failures;
static bool is_cleaned_up;

static int unsteady(void *arg) {
        int rc;

        starts++;
        if (starts <= failures)
                return belay_fail(-EIO, "failure %u", starts);
        rc = belay_sleep(BELAY_HOUR);
        if (rc == -ECANCELED) {
                rc = belay_sleep(BELAY_SECOND);
                is_cleaned_up = true;
                return rc < 0 ? rc : -ECANCELED;
        }
        return rc < 0 ? rc : *(int *) arg;
}

static int result = 3;

static int supervised(void *arg) {
        (void) arg;
        return supervise(unsteady, &result, 5, 10 * BELAY_MINUTE);
}

static int app(void *arg) {
        belay_failure *failure;

        (void) arg;
        failures = 3;
        check(supervised(NULL) == 3 && starts == 4);
        check(belay_now() == BELAY_HOUR + 7 * BELAY_SECOND);

        starts = 0;
        failures = 100;
        check(supervised(NULL) == -EIO && starts == 5);
        failure = belay_failure_take(-EIO);
        check(strcmp(belay_failure_text(failure), "failure 5") == 0);
        belay_failure_release(failure);

        /* A request goes to the task, and its cleanup is waited for. */
        starts = failures = 0;
        check(belay_wait_for(supervised, NULL, BELAY_MINUTE) == -ETIMEDOUT);
        check(starts == 1 && is_cleaned_up);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
