/* SPDX-License-Identifier: MIT */
/*
 * Standing in line.
 */
#include "sync/waiters.h"

static void join_line(struct bly_waiters *waiters, struct bly_waiter *waiter) {
        waiter->prev = waiters->last;
        waiter->next = NULL;
        if (waiters->last != NULL)
                waiters->last->next = waiter;
        else
                waiters->first = waiter;
        waiters->last = waiter;
        waiters->uncancelled++;
        waiter->waiters = waiters;
}

static void leave_line(struct bly_waiter *waiter) {
        struct bly_waiters *waiters = waiter->waiters;

        if (waiters == NULL)
                return;
        if (waiter->prev != NULL)
                waiter->prev->next = waiter->next;
        else
                waiters->first = waiter->next;
        if (waiter->next != NULL)
                waiter->next->prev = waiter->prev;
        else
                waiters->last = waiter->prev;
        if (waiter->state != BLY_WAITER_CANCELLED)
                waiters->uncancelled--;
        waiter->waiters = NULL;
}

enum bly_meet bly_waiter_meet(belay_task *task, struct bly_wait *wait) {
        (void) task;
        struct bly_waiter *waiter = container_of(wait, struct bly_waiter, wait);

        waiter->state = BLY_WAITER_CANCELLED;
        if (waiter->waiters != NULL)
                waiter->waiters->uncancelled--;
        return BLY_UNHOOKED;
}

const char *bly_waiter_on(const struct bly_wait *wait) {
        return container_of(wait, struct bly_waiter, wait)->name;
}

int bly_waiters_wait(struct bly_waiters *waiters, belay_task *self, const struct bly_wait_class *class,
                     const char *name, enum bly_waiter_state *state, const char *place) {
        struct bly_waiter waiter = { .wait.class = class, .task = self, .name = name };
        int rc;

        join_line(waiters, &waiter);
        rc = bly_wait(self, &waiter.wait, place);
        leave_line(&waiter);
        if (state != NULL)
                *state = waiter.state;
        return rc;
}

static void wake(struct bly_waiter *waiter) {
        waiter->state = BLY_WAITER_WOKEN;
        bly_wake(waiter->task, 0);
}

void bly_waiters_wake_first(struct bly_waiters *waiters) {
        if (waiters->first != NULL && waiters->first->state == BLY_WAITER_PENDING)
                wake(waiters->first);
}

bool bly_waiters_wake_next(struct bly_waiters *waiters) {
        for (struct bly_waiter *waiter = waiters->first; waiter != NULL; waiter = waiter->next)
                if (waiter->state == BLY_WAITER_PENDING) {
                        wake(waiter);
                        return true;
                }
        return false;
}

void bly_waiters_wake(struct bly_waiters *waiters, size_t count) {
        for (struct bly_waiter *waiter = waiters->first; waiter != NULL && count > 0; waiter = waiter->next)
                if (waiter->state == BLY_WAITER_PENDING) {
                        wake(waiter);
                        count--;
                }
}

void bly_waiters_serve(struct bly_waiters *waiters) {
        while (waiters->first != NULL) {
                struct bly_waiter *waiter = waiters->first;

                leave_line(waiter);
                if (waiter->state == BLY_WAITER_PENDING) {
                        wake(waiter);
                        break;
                }
        }
}
