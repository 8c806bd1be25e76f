/* SPDX-License-Identifier: MIT */
/*
 * The semaphore. If tasks wait, a release passes the unit directly to the first of them. The value
 * does not show the unit, and no other task can acquire it first.
 */
#include "sync/waiters.h"

#include <belay/sync.h>

struct semaphore {
        size_t bounded; /* 1 if bounded, see BELAY_BOUNDED_INIT */
        size_t unused;
        size_t value;
        size_t bound;
        struct bly_waiters waiters;
};

_Static_assert(sizeof(struct semaphore) <= sizeof(belay_semaphore), "room for a semaphore");
_Static_assert(offsetof(struct semaphore, value) == 2 * sizeof(uintptr_t),
               "where BELAY_SEMAPHORE_INIT puts it");

static const struct bly_wait_class semaphore_class = {
        .what = "semaphore",
        .on_request = bly_waiter_meet,
        .on = bly_waiter_on,
};

static struct semaphore *inside(belay_semaphore *semaphore) {
        return (struct semaphore *) semaphore;
}

void belay_semaphore_init(belay_semaphore *semaphore, size_t value) {
        *inside(semaphore) = (struct semaphore) { .value = value };
}

void belay_semaphore_init_bounded(belay_semaphore *semaphore, size_t value) {
        *inside(semaphore) = (struct semaphore) { .bounded = 1, .value = value, .bound = value };
}

static bool is_free(const struct semaphore *semaphore) {
        return semaphore->value > 0 && semaphore->waiters.uncancelled == 0;
}

static bool hand_over(struct semaphore *semaphore) {
        if (!bly_waiters_wake_next(&semaphore->waiters))
                return false;
        semaphore->value--;
        return true;
}

static __attribute__((noinline)) int acquire_slowly(const char *place,
                                                    struct semaphore *semaphore) {
        enum bly_waiter_state state;
        belay_task *self;
        int rc;

        if (is_free(semaphore)) {
                rc = bly_try_slowly(place);
                if (rc < 0)
                        return rc;
        }
        if (is_free(semaphore)) {
                semaphore->value--;
                return 0;
        }
        self = bly_waiter(place, "belay_semaphore_acquire()");
        if (self == NULL)
                return -EPERM;
        rc = bly_waiters_wait(&semaphore->waiters, self, &semaphore_class, NULL, &state, place);
        if (rc < 0 && state == BLY_WAITER_WOKEN)
                semaphore->value++;
        while (semaphore->value > 0 && hand_over(semaphore))
                ;
        return rc;
}

int belay_semaphore_acquire_placed(const char *place, belay_semaphore *handle) {
        struct semaphore *semaphore = inside(handle);

        if (unlikely(!is_free(semaphore) || --bly_tries == 0))
                return acquire_slowly(place, semaphore);
        semaphore->value--;
        return 0;
}

int belay_semaphore_try_acquire(belay_semaphore *handle) {
        struct semaphore *semaphore = inside(handle);

        if (!is_free(semaphore))
                return -EBUSY;
        semaphore->value--;
        return 0;
}

int belay_semaphore_release_placed(const char *place, belay_semaphore *handle) {
        struct semaphore *semaphore = inside(handle);

        if (semaphore->bounded != 0 && semaphore->value >= semaphore->bound)
                return bly_misuse(
                        -EPERM, place,
                        "a bounded semaphore is released more often than it was acquired");
        if (unlikely(semaphore->value == SIZE_MAX))
                return bly_misuse(-EOVERFLOW, place,
                                  "a semaphore is released that has all the places it can count");
        semaphore->value++;
        hand_over(semaphore);
        return 0;
}

size_t belay_semaphore_value(const belay_semaphore *semaphore) {
        return ((const struct semaphore *) semaphore)->value;
}
