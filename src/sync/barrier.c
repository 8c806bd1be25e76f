/* SPDX-License-Identifier: MIT */
/*
 * The barrier: a condition, a count, and four states. While those who have met go on, the next ones wait outside.
 */
#include "sync/condition.h"

enum state {
        FILLING,
        DRAINING,
        RESETTING,
        BROKEN,
};

struct barrier {
        struct bly_condition condition;
        size_t parties;
        size_t count;
        enum state state;
};

_Static_assert(sizeof(struct barrier) <= sizeof(belay_barrier), "room for a barrier");

static struct barrier *inside(belay_barrier *barrier) {
        return (struct barrier *) barrier;
}

int belay_barrier_init(belay_barrier *handle, size_t parties) {
        *inside(handle) = (struct barrier) { .parties = parties };
        return parties >= 1 ? 0 : -EINVAL;
}

static void notify_all(struct barrier *barrier) {
        bly_condition_notify(&barrier->condition, SIZE_MAX);
}

/* Until those who have met before are gone. */
static int enter(struct barrier *barrier, belay_task *self, const char *place) {
        while (barrier->state == DRAINING || barrier->state == RESETTING) {
                int rc = bly_condition_wait(&barrier->condition, self, place);

                if (rc < 0)
                        return rc;
        }
        return barrier->state == BROKEN ? -ENOTCONN : 0;
}

static int meet(struct barrier *barrier, belay_task *self, size_t index, const char *place) {
        if (index + 1 == barrier->parties) {
                barrier->state = DRAINING;
                notify_all(barrier);
                return 0;
        }
        while (barrier->state == FILLING) {
                int rc = bly_condition_wait(&barrier->condition, self, place);

                if (rc < 0)
                        return rc;
        }
        return barrier->state == BROKEN || barrier->state == RESETTING ? -ENOTCONN : 0;
}

static void leave(struct barrier *barrier) {
        barrier->count--;
        if (barrier->count > 0)
                return;
        if (barrier->state == RESETTING || barrier->state == DRAINING)
                barrier->state = FILLING;
        notify_all(barrier);
}

int belay_barrier_wait_placed(const char *place, belay_barrier *handle) {
        struct barrier *barrier = inside(handle);
        belay_task *self = bly_waiter(place, "belay_barrier_wait()");
        size_t index;
        int rc;

        if (self == NULL)
                return -EPERM;
        rc = bly_lock_acquire(&barrier->condition.own, self, place);
        if (rc < 0)
                return rc;
        rc = enter(barrier, self, place);
        if (rc == 0) {
                index = barrier->count++;
                rc = meet(barrier, self, index, place);
                leave(barrier);
                if (rc == 0)
                        rc = (int) index;
        }
        if (rc == -ENOTCONN)
                bly_leave_failure(self, rc, NULL);
        bly_lock_release(&barrier->condition.own);
        return rc;
}

static int change(belay_barrier *handle, const char *place, const char *what, void (*apply)(struct barrier *barrier)) {
        struct barrier *barrier = inside(handle);
        belay_task *self = bly_waiter(place, what);
        int rc;

        if (self == NULL)
                return -EPERM;
        rc = bly_lock_acquire(&barrier->condition.own, self, place);
        if (rc < 0)
                return rc;
        apply(barrier);
        notify_all(barrier);
        bly_lock_release(&barrier->condition.own);
        return 0;
}

static void break_it(struct barrier *barrier) {
        barrier->state = BROKEN;
}

static void empty_it(struct barrier *barrier) {
        barrier->state = barrier->count > 0 ? RESETTING : FILLING;
}

int belay_barrier_abort_placed(const char *place, belay_barrier *barrier) {
        return change(barrier, place, "belay_barrier_abort()", break_it);
}

int belay_barrier_reset_placed(const char *place, belay_barrier *barrier) {
        return change(barrier, place, "belay_barrier_reset()", empty_it);
}

bool belay_barrier_broken(const belay_barrier *barrier) {
        return ((const struct barrier *) barrier)->state == BROKEN;
}

size_t belay_barrier_waiting(const belay_barrier *handle) {
        const struct barrier *barrier = (const struct barrier *) handle;

        return barrier->state == FILLING ? barrier->count : 0;
}
