/* SPDX-License-Identifier: MIT */
/*
 * The lock, for those who build on it.
 */
#ifndef BLY_LOCK_H
#define BLY_LOCK_H

#include "sync/waiters.h"

#include <belay/sync.h>

struct bly_lock {
        struct bly_waiters waiters;
        bool held;
        const char *place;      /* where it was taken */
        uint64_t holder;        /* the number of the task that took it */
};

_Static_assert(sizeof(struct bly_lock) <= sizeof(belay_lock), "room for a lock");

int bly_lock_acquire(struct bly_lock *lock, belay_task *self, const char *place);
/* The same for who cannot go on without it: of all waits that a deadlock is broken at, one of the last. */
int bly_lock_acquire_again(struct bly_lock *lock, belay_task *self, const char *place);
void bly_lock_release(struct bly_lock *lock);

/* How many locks are held in this thread: what cancel-everywhere balances. */
extern __thread long bly_locks_held __attribute__((tls_model("initial-exec"), visibility("hidden")));

#endif
