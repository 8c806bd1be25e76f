/* SPDX-License-Identifier: MIT */
/*
 * The condition.
 */
#include "sync/condition.h"

static const struct bly_wait_class condition_class = {
        .what = "condition",
        .on_request = bly_waiter_meet,
        .on = bly_waiter_on,
};

static struct bly_condition *inside(belay_condition *condition) {
        return (struct bly_condition *) condition;
}

void belay_condition_init(belay_condition *handle, belay_lock *lock) {
        *inside(handle) = (struct bly_condition) { .shared = (struct bly_lock *) lock };
}

belay_lock *belay_condition_lock(belay_condition *condition) {
        return (belay_lock *) bly_condition_lock(inside(condition));
}

void bly_condition_notify(struct bly_condition *condition, size_t count) {
        bly_waiters_wake(&condition->waiters, count);
}

/*
 * Waits for a notification, and acquires the lock again afterwards, whatever the outcome. If that
 * is interrupted, the function tries again. It returns the latest cancellation. A notification that
 * may have been meant for this task goes to another waiter.
 *
 * If a deadlock ends the attempt, the holder of the lock waits without end. The function then
 * returns without the lock, since trying again would not end either.
 */
int bly_condition_wait(struct bly_condition *condition, belay_task *self, const char *place) {
        struct bly_lock *lock = bly_condition_lock(condition);
        belay_failure *why = NULL;
        int rc, again;

        bly_lock_release(lock);
        rc = bly_waiters_wait(&condition->waiters, self, &condition_class, NULL, NULL, place);
        if (rc < 0)
                why = bly_take_last_failure(self, rc);
        while ((again = bly_lock_acquire_again(lock, self, place)) < 0) {
                belay_failure_release(why);
                why = bly_take_last_failure(self, again);
                rc = again;
                if (again == -EDEADLK)
                        break;
        }
        if (rc < 0) {
                bly_condition_notify(condition, 1);
                bly_set_last_failure(self, rc, why);
        }
        return rc;
}

static belay_task *check(struct bly_condition *condition, const char *place, const char *what) {
        belay_task *self = bly_waiter(place, what);

        if (self == NULL)
                return NULL;
        if (!bly_condition_lock(condition)->held) {
                bly_misuse(-EPERM, place, "%s without its lock", what);
                return NULL;
        }
        return self;
}

int belay_condition_wait_placed(const char *place, belay_condition *condition) {
        belay_task *self = check(inside(condition), place, "belay_condition_wait()");

        return self != NULL ? bly_condition_wait(inside(condition), self, place) : -EPERM;
}

int belay_condition_wait_until_placed(const char *place, belay_condition *condition,
                                      bool (*predicate)(void *arg), void *predicate_arg) {
        int rc = bly_try(place);

        /*
         * As in asyncio, the lock is needed only to wait. If the predicate is true already, the
         * call succeeds without the lock.
         */
        while (rc == 0 && !predicate(predicate_arg))
                rc = belay_condition_wait_placed(place, condition);
        return rc;
}

int belay_condition_notify_placed(const char *place, belay_condition *condition, size_t count) {
        if (!bly_condition_lock(inside(condition))->held)
                return bly_misuse(-EPERM, place, "belay_condition_notify() without its lock");
        bly_condition_notify(inside(condition), count);
        return 0;
}

int belay_condition_notify_all_placed(const char *place, belay_condition *condition) {
        return belay_condition_notify_placed(place, condition, SIZE_MAX);
}
