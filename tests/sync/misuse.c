/* SPDX-License-Identifier: MIT */
/*
 * A bounded semaphore with a value of 0, and a condition whose lock is not held.
 */
#include "../base/help.h"

static bool yes(void *arg) {
        (void) arg;
        return true;
}

static bool no(void *arg) {
        (void) arg;
        return false;
}

static int in_task(void *arg) {
        belay_semaphore bounded = BELAY_BOUNDED_INIT(0), one = BELAY_BOUNDED_INIT(1);
        belay_semaphore made, plain = BELAY_SEMAPHORE_INIT(0);
        belay_condition condition = BELAY_CONDITION_INIT;

        (void) arg;
        belay_semaphore_init_bounded(&made, 0);
        CHECK_EQ(belay_semaphore_release(&bounded), -EPERM);
        CHECK_EQ(belay_semaphore_release(&made), -EPERM);
        CHECK_EQ(belay_semaphore_value(&bounded), 0);
        CHECK_EQ(belay_semaphore_try_acquire(&bounded), -EBUSY);
        CHECK_EQ(belay_semaphore_release(&plain), 0);
        CHECK_EQ(belay_semaphore_value(&plain), 1);
        CHECK_EQ(belay_semaphore_release(&one), -EPERM);
        CHECK_EQ(belay_semaphore_acquire(&one), 0);
        CHECK_EQ(belay_semaphore_release(&one), 0);
        CHECK_LINES(3, "released more often");

        /* If the predicate is already true, the call needs no lock. Waiting needs it. */
        CHECK_EQ(belay_condition_wait_until(&condition, yes, NULL), 0);
        CHECK_EQ(belay_condition_wait_until(&condition, no, NULL), -EPERM);
        CHECK_LINES(1, "without its lock");
        CHECK_EQ(belay_lock_acquire(belay_condition_lock(&condition)), 0);
        CHECK_EQ(belay_condition_wait_until(&condition, yes, NULL), 0);
        CHECK_EQ(belay_lock_release(belay_condition_lock(&condition)), 0);
        return 0;
}

int main(void) {
        keep_lines();
        RUN_VIRTUAL(in_task);
        return 0;
}
