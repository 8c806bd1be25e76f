/* SPDX-License-Identifier: MIT */
/*
 * The queue of waiters.
 */
#include "sync/waiters.h"

enum bly_answer bly_waiter_meet(belay_task *task, struct bly_wait *wait) {
        (void) task;
        struct bly_waiter *waiter = container_of(wait, struct bly_waiter, wait);

        waiter->state = BLY_WAITER_CANCELLED;
        if (waiter->waiters != NULL)
                waiter->waiters->uncancelled--;
        return BLY_DETACHED;
}

const char *bly_waiter_on(const struct bly_wait *wait) {
        return container_of(wait, struct bly_waiter, wait)->name;
}

void bly_waiters_wake_first(struct bly_waiters *waiters) {
        if (waiters->first != NULL && waiters->first->state == BLY_WAITER_PENDING)
                bly_waiter_wake(waiters->first);
}

bool bly_waiters_wake_next(struct bly_waiters *waiters) {
        for (struct bly_waiter *waiter = waiters->first; waiter != NULL; waiter = waiter->next)
                if (waiter->state == BLY_WAITER_PENDING) {
                        bly_waiter_wake(waiter);
                        return true;
                }
        return false;
}

void bly_waiters_wake(struct bly_waiters *waiters, size_t count) {
        for (struct bly_waiter *waiter = waiters->first; waiter != NULL && count > 0;
             waiter = waiter->next)
                if (waiter->state == BLY_WAITER_PENDING) {
                        bly_waiter_wake(waiter);
                        count--;
                }
}
