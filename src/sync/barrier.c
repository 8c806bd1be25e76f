/* SPDX-License-Identifier: MIT */
/*
 * The barrier: two lines of tasks, a count, and four states. While those who have met go on, the next ones wait outside.
 *
 * A waiter that is cancelled leaves the count at once, not when it runs, and so does not help to let others through. Under a
 * virtual clock it counts until it runs, as in asyncio, whose traces tell. Each that comes gets the least number that nobody
 * inside has, so that those who meet have all numbers, and the last of them has the highest.
 */
#include <limits.h>

#include "sync/waiters.h"

#include <belay/sync.h>

enum state {
        FILLING,
        DRAINING,
        RESETTING,
        BROKEN,
};

struct barrier {
        struct bly_waiters inside, outside;
        size_t parties;
        size_t count;                   /* that have come, and while it is not filling: that have not gone on yet */
        size_t holes;                   /* numbers that were given to those who left while it was filling */
        enum state state;
};

_Static_assert(sizeof(struct barrier) <= sizeof(belay_barrier), "room for a barrier");

/* One of those inside. On its stack. */
struct party {
        struct bly_waiter waiter;
        struct barrier *barrier;
        size_t number;
        bool counts;
};

static struct barrier *inside(belay_barrier *barrier) {
        return (struct barrier *) barrier;
}

static void count_out(struct barrier *barrier) {
        barrier->count--;
        barrier->holes = barrier->state == FILLING && barrier->count > 0 ? barrier->holes + 1 : 0;
}

static enum bly_answer meet_party(belay_task *task, struct bly_wait *wait) {
        struct party *party = container_of(wait, struct party, waiter.wait);

        if (!task->loop->is_virtual) {
                count_out(party->barrier);
                party->counts = false;
        }
        return bly_waiter_meet(task, wait);
}

static const struct bly_wait_class inside_class = { .what = "barrier", .on_request = meet_party };
static const struct bly_wait_class outside_class = { .what = "barrier", .on_request = bly_waiter_meet };

int belay_barrier_init(belay_barrier *handle, size_t parties) {
        *inside(handle) = (struct barrier) { .parties = parties };
        return parties >= 1 && parties <= INT_MAX ? 0 : -EINVAL;
}

/* Until those who have met before are gone. */
static int enter(struct barrier *barrier, belay_task *self, const char *place) {
        while (barrier->state == DRAINING || barrier->state == RESETTING) {
                int rc = bly_waiters_wait(&barrier->outside, self, &outside_class, NULL, NULL, place);

                if (rc < 0)
                        return rc;
        }
        return barrier->state == BROKEN ? -ENOTCONN : 0;
}

static size_t count_below(const struct barrier *barrier, size_t number) {
        size_t count = 0;

        for (const struct bly_waiter *waiter = barrier->inside.first; waiter != NULL; waiter = waiter->next) {
                const struct party *party = container_of(waiter, struct party, waiter);

                count += party->counts && party->number < number;
        }
        return count;
}

/* The least that nobody inside has: found by halves, since there is no memory to mark the others in. */
static size_t free_number(const struct barrier *barrier) {
        size_t low = 0, high = barrier->count;

        while (low < high) {
                size_t middle = low + (high - low) / 2;

                if (count_below(barrier, middle + 1) == middle + 1)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

static size_t next_number(struct barrier *barrier) {
        if (likely(barrier->holes == 0))
                return barrier->count;
        barrier->holes--;
        return free_number(barrier);
}

static void leave(struct barrier *barrier) {
        count_out(barrier);
        if (barrier->count > 0)
                return;
        if (barrier->state == RESETTING || barrier->state == DRAINING)
                barrier->state = FILLING;
        bly_waiters_wake(&barrier->outside, SIZE_MAX);
}

/* The number, or why there is none. */
static int meet(struct barrier *barrier, belay_task *self, const char *place) {
        struct party party = { .barrier = barrier, .number = next_number(barrier), .counts = true };
        int rc = 0;

        barrier->count++;
        if (barrier->count == barrier->parties) {
                barrier->state = DRAINING;
                bly_waiters_wake(&barrier->inside, SIZE_MAX);
        } else {
                rc = bly_waiters_wait_as(&barrier->inside, &party.waiter, self, &inside_class, NULL, place);
                if (!party.counts)
                        return rc;
        }
        /* An abort or a reset may have come since those who met were woken. */
        if (rc == 0)
                rc = barrier->state == DRAINING ? (int) party.number : -ENOTCONN;
        leave(barrier);
        return rc;
}

int belay_barrier_wait_placed(const char *place, belay_barrier *handle) {
        struct barrier *barrier = inside(handle);
        belay_task *self = bly_waiter(place, "belay_barrier_wait()");
        int rc;

        if (self == NULL)
                return -EPERM;
        rc = bly_try(place);
        if (rc == 0)
                rc = enter(barrier, self, place);
        if (rc == 0)
                rc = meet(barrier, self, place);
        if (rc == -ENOTCONN)
                bly_set_last_failure(self, rc, NULL);
        return rc;
}

static int change(struct barrier *barrier, enum state state, const char *place, const char *what) {
        if (bly_waiter(place, what) == NULL)
                return -EPERM;
        barrier->state = state;
        bly_waiters_wake(&barrier->inside, SIZE_MAX);
        bly_waiters_wake(&barrier->outside, SIZE_MAX);
        return 0;
}

int belay_barrier_abort_placed(const char *place, belay_barrier *barrier) {
        return change(inside(barrier), BROKEN, place, "belay_barrier_abort()");
}

int belay_barrier_reset_placed(const char *place, belay_barrier *barrier) {
        return change(inside(barrier), inside(barrier)->count > 0 ? RESETTING : FILLING, place, "belay_barrier_reset()");
}

bool belay_barrier_broken(const belay_barrier *barrier) {
        return ((const struct barrier *) barrier)->state == BROKEN;
}

size_t belay_barrier_waiting(const belay_barrier *handle) {
        const struct barrier *barrier = (const struct barrier *) handle;

        return barrier->state == FILLING ? barrier->count : 0;
}
