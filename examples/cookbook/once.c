/* SPDX-License-Identifier: MIT */
/*
 * Initialise a shared object once.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

struct once {
        belay_lock lock;
        bool is_done;
};

/*
 * Calls init(arg) unless that was done. Tasks that come meanwhile wait. After a failure the next
 * task tries.
 */
static int once(struct once *once, belay_fn *init, void *arg) {
        int rc;

        if (once->is_done)
                return 0;
        rc = belay_lock_acquire(&once->lock);
        if (rc < 0)
                return rc;
        if (!once->is_done) {
                rc = init(arg);
                once->is_done = rc >= 0;
        }
        belay_lock_release(&once->lock);
        return rc < 0 ? rc : 0;
}

/* ---- the check ---- */

static struct once database;
static unsigned begun, connected;

static int connect_to_database(void *arg) {
        int rc;

        (void) arg;
        begun++;
        rc = belay_sleep(BELAY_SECOND);
        connected += rc == 0;
        return rc;
}

static int use(void *arg) {
        int rc = once(&database, connect_to_database, arg);

        check(rc < 0 || connected == 1);
        return rc;
}

static int app(void *arg) {
        belay_task *tasks[] = { belay_spawn(use, NULL), belay_spawn(use, NULL),
                                belay_spawn(use, NULL) };

        (void) arg;
        check(belay_sleep(BELAY_SECOND / 2) == 0);
        check(belay_lock_held(&database.lock) && belay_lock_try_acquire(&database.lock) == -EBUSY);
        /* The first is cancelled midway: the second begins anew. */
        belay_cancel(tasks[0], "not wanted any more");
        check(belay_gather_collect(tasks, 3) == 0);
        check(begun == 2 && connected == 1);
        check(belay_result(tasks[0]) == -ECANCELED);
        check(belay_result(tasks[1]) == 0);
        check(belay_result(tasks[2]) == 0);
        check(belay_now() == 3 * BELAY_SECOND / 2);
        for (int i = 0; i < 3; i++)
                belay_release(tasks[i]);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
