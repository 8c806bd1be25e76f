/* SPDX-License-Identifier: MIT */
/*
 * The queue of waiters under lock, event, condition, semaphore, barrier and queue.
 *
 * A waiter that was woken or cancelled stays in the queue until it runs, as in asyncio. Whether the
 * first waiter was woken already decides which tasks may pass it. `uncancelled` counts the waiters
 * in the queue that were not cancelled. A queue that is all zero is empty.
 */
#ifndef BLY_WAITERS_H
#define BLY_WAITERS_H

#include "core/wait.h"

enum bly_waiter_state {
        BLY_WAITER_PENDING,
        BLY_WAITER_WOKEN,
        BLY_WAITER_CANCELLED,
};

struct bly_waiter {
        struct bly_wait wait;
        struct bly_waiter *next, *prev;
        struct bly_waiters *waiters; /* NULL if the waiter is not in a queue */
        belay_task *task;
        const char *name;
        enum bly_waiter_state state;
};

struct bly_waiters {
        struct bly_waiter *first, *last;
        size_t uncancelled;
};

static inline void bly_waiters_join(struct bly_waiters *waiters, struct bly_waiter *waiter) {
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

static inline void bly_waiters_leave(struct bly_waiter *waiter) {
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

static inline void bly_waiter_wake(struct bly_waiter *waiter) {
        waiter->state = BLY_WAITER_WOKEN;
        bly_wake(waiter->task, 0);
}

/*
 * Waits in the queue until woken. Returns 0, -ECANCELED or -EDEADLK. If it fails, waiter->state
 * says whether the waiter was woken nevertheless.
 *
 * Inlined, so that no call lies between the waiting function and the switch. The processor would
 * mispredict the return from such a call.
 */
static inline __attribute__((always_inline)) int
bly_waiters_wait_as(struct bly_waiters *waiters, struct bly_waiter *waiter, belay_task *self,
                    const struct bly_wait_class *class, const char *name, const char *place) {
        int rc;

        waiter->wait.class = class;
        waiter->task = self;
        waiter->name = name;
        waiter->state = BLY_WAITER_PENDING;
        bly_waiters_join(waiters, waiter);
        bly_tries = BLY_TRIES;
        rc = bly_wait(self, &waiter->wait, place);
        bly_waiters_leave(waiter);
        return rc;
}

/* Does the same with a waiter of its own. `state` may be NULL. */
static inline __attribute__((always_inline)) int
bly_waiters_wait(struct bly_waiters *waiters, belay_task *self, const struct bly_wait_class *class,
                 const char *name, enum bly_waiter_state *state, const char *place) {
        struct bly_waiter waiter;
        int rc = bly_waiters_wait_as(waiters, &waiter, self, class, name, place);

        if (state != NULL)
                *state = waiter.state;
        return rc;
}

/* Wakes the first waiter, unless it was woken or cancelled already. */
void bly_waiters_wake_first(struct bly_waiters *waiters);
/* Wakes the first waiter that was not woken or cancelled yet. Returns false if there is none. */
bool bly_waiters_wake_next(struct bly_waiters *waiters);
/* Wakes up to `count` waiters. */
void bly_waiters_wake(struct bly_waiters *waiters, size_t count);
/* For queues of items. Removes waiters up to the first that is pending, and wakes that waiter. */
static inline void bly_waiters_serve(struct bly_waiters *waiters) {
        while (waiters->first != NULL) {
                struct bly_waiter *waiter = waiters->first;

                bly_waiters_leave(waiter);
                if (waiter->state == BLY_WAITER_PENDING) {
                        bly_waiter_wake(waiter);
                        break;
                }
        }
}

/* Functions for wait classes. */
enum bly_answer bly_waiter_meet(belay_task *task, struct bly_wait *wait);
const char *bly_waiter_on(const struct bly_wait *wait);

static inline bool bly_waiters_empty(const struct bly_waiters *waiters) {
        return waiters->first == NULL;
}

#endif
