/* SPDX-License-Identifier: MIT */
/*
 * Use results in the order in which they come.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

/*
 * Calls use(task) for each task as it ends; stops at the first failure, of a task or of use(), or
 * after `span`.
 */
static int use_as_completed(belay_task *tasks[], size_t count, belay_time span,
                            int (*use)(belay_task *task)) {
        belay_as_completed each;
        belay_task *task;
        int rc = belay_as_completed_begin(&each, tasks, count, span);

        if (rc < 0)
                return rc;
        while ((rc = belay_as_completed_next(&each, &task)) > 0) {
                rc = belay_result(task);
                if (rc >= 0)
                        rc = use(task);
                if (rc < 0)
                        break;
        }
        belay_as_completed_end(&each);
        return rc;
}

/* ---- the check ---- */

static int order[3], used;

static int work(void *arg) {
        int seconds = *(int *) arg, rc = belay_sleep(seconds * BELAY_SECOND);

        return rc < 0 ? rc : seconds;
}

static int note(belay_task *task) {
        order[used++] = belay_result(task);
        return 0;
}

static int app(void *arg) {
        int seconds[] = { 3, 1, 2 }, outcome;
        belay_task *tasks[3];

        (void) arg;
        for (int i = 0; i < 3; i++)
                tasks[i] = belay_spawn(work, &seconds[i]);
        check(use_as_completed(tasks, 3, BELAY_SECOND * 5 / 2, note) == -ETIMEDOUT);
        check(used == 2 && order[0] == 1 && order[1] == 2);
        /* The third goes on. */
        check(belay_gather(tasks, 3, &outcome) == 0 && outcome == 0);
        check(belay_now() == 3 * BELAY_SECOND);
        used = 0;
        check(use_as_completed(tasks, 3, BELAY_NEVER, note) == 0 && used == 3);
        for (int i = 0; i < 3; i++)
                belay_release(tasks[i]);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
