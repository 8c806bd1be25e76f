/* SPDX-License-Identifier: MIT */
/*
 * Semaphores: the value limits how many tasks get through, and no release may be lost.
 */
#include "../scope/parts.h"

enum { MANY = 6 };

static belay_semaphore semaphore;
static int inside, most, order[MANY], ordered;
static int numbers[] = { 0, 1, 2, 3, 4, 5 };
static belay_task *tasks[MANY];

static int uses(void *arg) {
        int rc = belay_semaphore_acquire(&semaphore);

        if (rc < 0)
                return rc;
        if (++inside > most)
                most = inside;
        order[ordered++] = *(int *) arg;
        (void) !belay_sleep(SECONDS(1));
        inside--;
        CHECK_EQ(belay_semaphore_release(&semaphore), 0);
        return 0;
}

static void start_all(void) {
        inside = most = ordered = 0;
        for (int i = 0; i < MANY; i++)
                tasks[i] = must(belay_spawn(uses, &numbers[i]));
        CHECK_EQ(belay_yield(), 0);
}

static void end_all(unsigned without, size_t value) {
        int next = 0;

        CHECK_EQ(belay_gather_collect(tasks, MANY), 0);
        for (int i = 0; i < MANY; i++) {
                bool served = !(without & 1u << i);

                CHECK_EQ(ended_with(tasks[i]), served ? 0 : -ECANCELED);
                if (served)
                        CHECK_EQ(order[next++], i);
        }
        CHECK_EQ(ordered, next);
        CHECK_EQ(belay_semaphore_value(&semaphore), value);
}

static int in_order(void *arg) {
        (void) arg;
        for (int places = 1; places <= MANY + 1; places++) {
                belay_time begin = belay_now();

                belay_semaphore_init(&semaphore, (size_t) places);
                CHECK_EQ(belay_semaphore_value(&semaphore), places);
                start_all();
                CHECK_EQ(belay_semaphore_value(&semaphore), places > MANY ? 1 : 0);
                end_all(0, (size_t) places);
                CHECK_EQ(most, places > MANY ? MANY : places);
                CHECK_EQ(belay_now() - begin, SECONDS((MANY + places - 1) / places));
        }
        return 0;
}

static int no_wait(void *arg) {
        static belay_semaphore two = BELAY_SEMAPHORE_INIT(2);

        (void) arg;
        belay_cancel(belay_self(), NULL);
        CHECK_EQ(belay_semaphore_acquire(&two), 0);
        CHECK_EQ(belay_semaphore_try_acquire(&two), 0);
        CHECK_EQ(belay_semaphore_try_acquire(&two), -EBUSY);
        CHECK_EQ(belay_semaphore_acquire(&two), -ECANCELED);
        CHECK_EQ(belay_semaphore_value(&two), 0);
        CHECK_DELIVERED();
        /* An unbounded semaphore may be released above its initial value. */
        for (int i = 0; i < 5; i++)
                CHECK_EQ(belay_semaphore_release(&two), 0);
        CHECK_EQ(belay_semaphore_value(&two), 5);
        return 0;
}

/*
 * A release hands the semaphore to the first waiting task. No other task may acquire it before, and
 * the value does not show the release.
 */
static int handed_over(void *arg) {
        (void) arg;
        belay_semaphore_init(&semaphore, 1);
        CHECK_EQ(belay_semaphore_acquire(&semaphore), 0);
        start_all();
        CHECK_EQ(belay_semaphore_release(&semaphore), 0);
        CHECK_EQ(belay_semaphore_value(&semaphore), 0);
        CHECK_EQ(belay_semaphore_try_acquire(&semaphore), -EBUSY);
        end_all(0, 1);
        return 0;
}

/*
 * Waiting tasks are cancelled before and after a release was handed to them (cpython 90155,
 * 111693).
 */
static int cancelled(void *arg) {
        (void) arg;
        for (unsigned without = 1; without < 1u << MANY; without++)
                for (int way = 0; way < 3; way++) {
                        size_t held = 1 + without % 3;

                        belay_semaphore_init_bounded(&semaphore, held);
                        for (size_t i = 0; i < held; i++)
                                CHECK_EQ(belay_semaphore_acquire(&semaphore), 0);
                        start_all();
                        for (size_t i = 0; i < held && way == 1; i++)
                                CHECK_EQ(belay_semaphore_release(&semaphore), 0);
                        for (int i = 0; i < MANY; i++)
                                if (without & 1u << i)
                                        belay_cancel(tasks[i], NULL);
                        if (way == 2)
                                CHECK_EQ(belay_yield(), 0);
                        for (size_t i = 0; i < held && way != 1; i++)
                                CHECK_EQ(belay_semaphore_release(&semaphore), 0);
                        end_all(without, held);
                        CHECK(most <= (int) held);
                }
        return 0;
}

static void in_callback(void *arg) {
        (void) arg;
        CHECK_EQ(belay_semaphore_acquire(&semaphore), -EPERM);
}

static int misuse(void *arg) {
        static belay_semaphore bounded = BELAY_BOUNDED_INIT(2);

        (void) arg;
        keep_lines();
        CHECK_EQ(belay_semaphore_release(&bounded), -EPERM);
        CHECK_EQ(belay_semaphore_value(&bounded), 2);
        CHECK_EQ(belay_semaphore_acquire(&bounded), 0);
        CHECK_EQ(belay_semaphore_release(&bounded), 0);
        CHECK_EQ(belay_semaphore_release(&bounded), -EPERM);
        belay_semaphore_init_bounded(&bounded, 0);
        CHECK_EQ(belay_semaphore_release(&bounded), -EPERM);
        CHECK_LINES(3, "released more often than it was acquired");
        CHECK_LINES(3, "misuse at " __FILE__);
        /* An unbounded semaphore stays at its greatest value, and tasks can still acquire it. */
        belay_semaphore_init(&semaphore, SIZE_MAX - 1);
        CHECK_EQ(belay_semaphore_release(&semaphore), 0);
        CHECK_EQ(belay_semaphore_release(&semaphore), -EOVERFLOW);
        CHECK(belay_semaphore_value(&semaphore) == SIZE_MAX);
        CHECK_LINES(1, "all the places it can count");
        CHECK_EQ(belay_semaphore_acquire(&semaphore), 0);
        CHECK_EQ(belay_semaphore_release(&semaphore), 0);
        belay_semaphore_init(&semaphore, 0);
        CHECK(belay_soon(in_callback, NULL) != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_LINES(1, "belay_semaphore_acquire() outside of a task");
        belay_set_log(NULL, NULL);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(in_order);
        RUN_VIRTUAL(no_wait);
        RUN_VIRTUAL(handed_over);
        RUN_VIRTUAL(cancelled);
        RUN_VIRTUAL(misuse);
        return 0;
}
