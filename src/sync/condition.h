/* SPDX-License-Identifier: MIT */
/*
 * The condition.
 */
#ifndef BLY_CONDITION_H
#define BLY_CONDITION_H

#include "sync/lock.h"

struct bly_condition {
        struct bly_waiters waiters;
        struct bly_lock *shared;        /* NULL: its own */
        struct bly_lock own;
};

_Static_assert(sizeof(struct bly_condition) <= sizeof(belay_condition), "room for a condition");

static inline struct bly_lock *bly_condition_lock(struct bly_condition *condition) {
        return condition->shared != NULL ? condition->shared : &condition->own;
}

/* The lock must be held. */
int bly_condition_wait(struct bly_condition *condition, belay_task *self, const char *place);
void bly_condition_notify(struct bly_condition *condition, size_t count);

#endif
