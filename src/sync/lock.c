/* SPDX-License-Identifier: MIT */
/*
 * The lock. A release makes it free and wakes the first waiter. Until that waiter runs, no other
 * task can acquire the lock before it.
 */
#include "sync/lock.h"

__thread long bly_locks_held __attribute__((tls_model("initial-exec")));

static const struct bly_wait_class lock_class = {
        .what = "lock",
        .on_request = bly_waiter_meet,
        .on = bly_waiter_on,
};

static const struct bly_wait_class again_class = {
        .what = "lock",
        .on_request = bly_waiter_meet,
        .on = bly_waiter_on,
        .breaks = BLY_BREAK_LAST,
};

static struct bly_lock *inside(belay_lock *lock) {
        return (struct bly_lock *) lock;
}

static void take(struct bly_lock *lock, const char *place) {
        lock->held = true;
        lock->place = place;
        bly_locks_held++;
}

/* Returns whether the lock is free and no waiter is ahead, except waiters that were cancelled. */
static bool free_for_us(const struct bly_lock *lock) {
        return !lock->held && lock->waiters.uncancelled == 0;
}

static int wait_and_take(struct bly_lock *lock, belay_task *self,
                         const struct bly_wait_class *class, const char *place) {
        int rc = bly_waiters_wait(&lock->waiters, self, class, lock->place, NULL, place);

        if (unlikely(rc < 0)) {
                /* The lock may have been released for this task. The next waiter gets it. */
                if (!lock->held)
                        bly_waiters_wake_first(&lock->waiters);
                return rc;
        }
        take(lock, place);
        return 0;
}

/* Acquires the lock after bly_try_slowly(), during which another task may acquire it. */
static __attribute__((noinline)) int yield_and_acquire(struct bly_lock *lock, belay_task *self,
                                                       const char *place) {
        int rc = bly_try_slowly(place);

        if (rc < 0)
                return rc;
        if (!free_for_us(lock))
                return wait_and_take(lock, self, &lock_class, place);
        take(lock, place);
        return 0;
}

int bly_lock_acquire(struct bly_lock *lock, belay_task *self, const char *place) {
        if (unlikely(!free_for_us(lock)))
                return wait_and_take(lock, self, &lock_class, place);
        if (unlikely(--bly_tries == 0))
                return yield_and_acquire(lock, self, place);
        take(lock, place);
        return 0;
}

int bly_lock_acquire_again(struct bly_lock *lock, belay_task *self, const char *place) {
        if (likely(free_for_us(lock))) {
                take(lock, place);
                return 0;
        }
        return wait_and_take(lock, self, &again_class, place);
}

void bly_lock_release(struct bly_lock *lock) {
        lock->held = false;
        bly_locks_held--;
        bly_waiters_wake_first(&lock->waiters);
}

int belay_lock_acquire_placed(const char *place, belay_lock *lock) {
        belay_task *self = bly_current();

        /* Both calls below are tail calls, so acquiring a free lock needs no stack frame. */
        if (unlikely(self == NULL))
                return bly_misuse(-EPERM, place, "belay_lock_acquire() outside of a task");
        return bly_lock_acquire(inside(lock), self, place);
}

int belay_lock_try_acquire(belay_lock *handle) {
        struct bly_lock *lock = inside(handle);

        if (!free_for_us(lock))
                return -EBUSY;
        take(lock, NULL);
        return 0;
}

int belay_lock_release_placed(const char *place, belay_lock *lock) {
        if (unlikely(!inside(lock)->held))
                return bly_misuse(-EPERM, place, "a lock is released that is not held");
        bly_lock_release(inside(lock));
        return 0;
}

bool belay_lock_held(const belay_lock *lock) {
        return ((const struct bly_lock *) lock)->held;
}
