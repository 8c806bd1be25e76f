/* SPDX-License-Identifier: MIT */
/*
 * The struct behind belay_condition, and its functions for other parts of the library.
 */
#ifndef BLY_CONDITION_H
#define BLY_CONDITION_H

#include "sync/lock.h"

struct bly_condition {
        struct bly_waiters waiters;
        struct bly_lock *shared; /* NULL if the condition uses `own` */
        struct bly_lock own;
};

_Static_assert(sizeof(struct bly_condition) <= sizeof(belay_condition), "room for a condition");

static inline struct bly_lock *bly_condition_lock(struct bly_condition *condition) {
        return condition->shared != NULL ? condition->shared : &condition->own;
}

/* Both functions require that the lock is held. */
int bly_condition_wait(struct bly_condition *condition, belay_task *self, const char *place);
void bly_condition_notify(struct bly_condition *condition, size_t count);

#endif
