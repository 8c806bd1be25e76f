/* SPDX-License-Identifier: MIT */
/*
 * Wait until shared state is as it has to be: a budget of bytes.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

struct budget {
        belay_condition changed; /* all zero: with a lock of its own */
        size_t left;
};

struct claim {
        struct budget *budget;
        size_t size;
};

static bool fits(void *arg) {
        const struct claim *claim = arg;

        return claim->budget->left >= claim->size;
}

/* Waits until `size` bytes are left, and takes them. */
static int budget_take(struct budget *budget, size_t size) {
        struct claim claim = { budget, size };
        int rc = belay_lock_acquire(belay_condition_lock(&budget->changed));

        if (rc < 0)
                return rc;
        rc = belay_condition_wait_until(&budget->changed, fits, &claim);
        if (rc == -EDEADLK)
                return rc; /* the lock may belong to another task */
        if (rc == 0)
                budget->left -= size;
        belay_lock_release(belay_condition_lock(&budget->changed));
        return rc;
}

/* Claims differ in size, so that each waiter has to look: notify_all. */
static int budget_give(struct budget *budget, size_t size) {
        int rc = belay_lock_acquire(belay_condition_lock(&budget->changed));

        if (rc < 0)
                return rc;
        budget->left += size;
        belay_condition_notify_all(&budget->changed);
        return belay_lock_release(belay_condition_lock(&budget->changed));
}

/* ---- the check ---- */

static struct budget budget = { .left = 100 };

static int take(void *arg) {
        return budget_take(&budget, *(size_t *) arg);
}

static int wait_once(void *arg) {
        belay_condition *condition = arg;
        int rc = belay_lock_acquire(belay_condition_lock(condition));

        if (rc == 0)
                rc = belay_condition_wait(condition);
        belay_lock_release(belay_condition_lock(condition));
        return rc;
}

static int app(void *arg) {
        size_t large = 90, small = 20;
        belay_task *tasks[2];
        belay_lock shared = BELAY_LOCK_INIT;
        belay_condition other;

        (void) arg;
        check(budget_take(&budget, 50) == 0);
        tasks[0] = belay_spawn(take, &large);
        tasks[1] = belay_spawn(take, &small);
        check(belay_sleep(BELAY_SECOND) == 0);
        check(!belay_done(tasks[0]) && belay_done(tasks[1]) && budget.left == 30);
        check(budget_give(&budget, 50) == 0);
        check(belay_sleep(BELAY_SECOND) == 0);
        check(!belay_done(tasks[0]));
        check(belay_cancel_wait(tasks[0], "enough", BELAY_NEVER, NULL) == 0);
        check(budget.left == 80 && !belay_lock_held(belay_condition_lock(&budget.changed)));
        belay_release(tasks[0]);
        belay_release(tasks[1]);

        /* Several conditions may share a lock. A bare wait is woken by belay_condition_notify(). */
        belay_condition_init(&other, &shared);
        check(belay_condition_lock(&other) == &shared);
        tasks[0] = belay_spawn(wait_once, &other);
        check(belay_sleep(BELAY_SECOND) == 0 && belay_lock_acquire(&shared) == 0);
        check(belay_condition_notify(&other, 1) == 0 && belay_lock_release(&shared) == 0);
        check(belay_join(tasks[0], NULL) == 0 && belay_result(tasks[0]) == 0);
        belay_release(tasks[0]);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
