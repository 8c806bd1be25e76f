/* SPDX-License-Identifier: MIT */
/*
 * The struct behind belay_lock, and its functions for other parts of the library.
 */
#ifndef BLY_LOCK_H
#define BLY_LOCK_H

#include "sync/waiters.h"

#include <belay/sync.h>

struct bly_lock {
        struct bly_waiters waiters;
        bool held;
        const char *place; /* call site at which it was acquired */
};

_Static_assert(sizeof(struct bly_lock) <= sizeof(belay_lock), "room for a lock");

int bly_lock_acquire(struct bly_lock *lock, belay_task *self, const char *place);
/*
 * Does the same for a task that cannot go on without the lock. To break a deadlock, the loop ends
 * this wait only if it can end no other.
 */
int bly_lock_acquire_again(struct bly_lock *lock, belay_task *self, const char *place);
void bly_lock_release(struct bly_lock *lock);

/* Number of locks held in this thread. testing/balance.c compares it before and after a run. */
extern __thread long bly_locks_held
        __attribute__((tls_model("initial-exec"), visibility("hidden")));

#endif
