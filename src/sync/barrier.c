/* SPDX-License-Identifier: MIT */
/*
 * The barrier: a queue of tasks inside, a queue of tasks outside, a count and four states. While a
 * complete set of parties goes on, later tasks wait outside.
 *
 * If a waiting task is cancelled, it leaves the count at once, before it runs, and does not help to
 * release the others. Under a virtual clock it counts until it runs, as in the traces of asyncio.
 * Each task that enters gets the least number that no task inside has. A complete set therefore has
 * all numbers, and its last task has the highest.
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
        size_t count; /* tasks inside that have not gone on yet */
        size_t holes; /* numbers that became free while filling */
        enum state state;
};

_Static_assert(sizeof(struct barrier) <= sizeof(belay_barrier), "room for a barrier");

/* A task inside the barrier. On the task's stack. */
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
static const struct bly_wait_class outside_class = { .what = "barrier",
                                                     .on_request = bly_waiter_meet };

int belay_barrier_init(belay_barrier *handle, size_t parties) {
        *inside(handle) = (struct barrier) { .parties = parties };
        return parties >= 1 && parties <= INT_MAX ? 0 : -EINVAL;
}

/* Waits outside until the previous set of parties has left. */
static int enter(struct barrier *barrier, belay_task *self, const char *place) {
        while (barrier->state == DRAINING || barrier->state == RESETTING) {
                int rc = bly_waiters_wait(&barrier->outside, self, &outside_class, NULL, NULL,
                                          place);

                if (rc < 0)
                        return rc;
        }
        return barrier->state == BROKEN ? -ENOTCONN : 0;
}

static size_t count_below(const struct barrier *barrier, size_t number) {
        size_t count = 0;

        for (const struct bly_waiter *waiter = barrier->inside.first; waiter != NULL;
             waiter = waiter->next) {
                const struct party *party = container_of(waiter, struct party, waiter);

                count += party->counts && party->number < number;
        }
        return count;
}

/*
 * Returns the least number that no task inside has. The search halves the range, since there is no
 * memory in which to mark the numbers that are taken.
 */
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

/* Returns the task's number, or a negative errno. */
static int meet(struct barrier *barrier, belay_task *self, const char *place) {
        struct party party = { .barrier = barrier, .number = next_number(barrier), .counts = true };
        int rc = 0;

        barrier->count++;
        if (barrier->count == barrier->parties) {
                barrier->state = DRAINING;
                bly_waiters_wake(&barrier->inside, SIZE_MAX);
        } else {
                rc = bly_waiters_wait_as(&barrier->inside, &party.waiter, self, &inside_class, NULL,
                                         place);
                if (!party.counts)
                        return rc;
        }
        /* An abort or a reset may have come after the tasks were woken and before this task ran. */
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
        return change(inside(barrier), inside(barrier)->count > 0 ? RESETTING : FILLING, place,
                      "belay_barrier_reset()");
}

bool belay_barrier_broken(const belay_barrier *barrier) {
        return ((const struct barrier *) barrier)->state == BROKEN;
}

size_t belay_barrier_waiting(const belay_barrier *handle) {
        const struct barrier *barrier = (const struct barrier *) handle;

        return barrier->state == FILLING ? barrier->count : 0;
}
