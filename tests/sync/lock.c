/* SPDX-License-Identifier: MIT */
/*
 * The lock: tasks acquire it in the order of arrival, and a waiting task that is cancelled must not
 * lose it.
 */
#include "../scope/parts.h"
#include "sync/lock.h"

enum { MANY = 8 };

static belay_lock lock = BELAY_LOCK_INIT;
static int inside, order[64], ordered;

struct user {
        int number, rc;
        belay_time holds;
};

static struct user users[MANY];
static belay_task *tasks[MANY];

static int uses(void *arg) {
        struct user *user = arg;

        user->rc = belay_lock_acquire(&lock);
        if (user->rc < 0)
                return user->rc;
        CHECK_EQ(++inside, 1);
        CHECK(belay_lock_held(&lock));
        order[ordered++] = user->number;
        if (user->holds > 0)
                (void) !belay_sleep(user->holds);
        inside--;
        CHECK_EQ(belay_lock_release(&lock), 0);
        return 0;
}

static void start_users(int count, belay_time holds) {
        ordered = 0;
        for (int i = 0; i < count; i++) {
                users[i] = (struct user) { i, UNWRITTEN, holds };
                tasks[i] = must(belay_spawn(uses, &users[i]));
        }
        CHECK_EQ(belay_yield(), 0);
}

/* Checks that all tasks but those in `without` have held the lock, in order. */
static void end_users(int count, unsigned without) {
        int next = 0;

        CHECK_EQ(belay_gather_collect(tasks, count), 0);
        for (int i = 0; i < count; i++) {
                bool served = !(without & 1u << i);

                CHECK_EQ(users[i].rc, served ? 0 : -ECANCELED);
                CHECK_EQ(ended_with(tasks[i]), users[i].rc);
                if (served)
                        CHECK_EQ(order[next++], i);
        }
        CHECK_EQ(ordered, next);
        CHECK(!belay_lock_held(&lock));
        CHECK_CLEAN();
}

static int in_order(void *arg) {
        (void) arg;
        CHECK(!belay_lock_held(&lock));
        CHECK_EQ(belay_lock_acquire(&lock), 0);
        start_users(MANY, SECONDS(1));
        CHECK_EQ(ordered, 0);
        CHECK_EQ(belay_lock_release(&lock), 0);
        /*
         * The lock is free, but it is reserved for the first waiting task, so no other may acquire
         * it before.
         */
        CHECK(!belay_lock_held(&lock));
        CHECK_EQ(belay_lock_try_acquire(&lock), -EBUSY);
        CHECK_EQ(belay_lock_acquire(&lock), 0);
        CHECK_EQ(ordered, MANY);
        CHECK_EQ(belay_lock_release(&lock), 0);
        end_users(MANY, 0);
        return 0;
}

static int no_wait(void *arg) {
        (void) arg;
        /* Acquiring a free lock is no cancellation point. */
        belay_cancel(belay_self(), NULL);
        CHECK_EQ(belay_lock_acquire(&lock), 0);
        CHECK_EQ(belay_lock_release(&lock), 0);
        CHECK_EQ(belay_lock_try_acquire(&lock), 0);
        CHECK_EQ(belay_lock_try_acquire(&lock), -EBUSY);
        CHECK(belay_lock_held(&lock));
        /* Acquiring a lock that is held is one. */
        CHECK_EQ(belay_lock_acquire(&lock), -ECANCELED);
        CHECK_EQ(belay_lock_release(&lock), 0);
        CHECK_DELIVERED();
        return 0;
}

/*
 * Waiting tasks are cancelled, in every combination, before and after the lock was handed to them
 * (cpython 90155, 111693).
 */
static int cancelled(void *arg) {
        (void) arg;
        for (unsigned without = 1; without < 1u << 5; without++)
                for (int way = 0; way < 3; way++) {
                        CHECK_EQ(belay_lock_acquire(&lock), 0);
                        start_users(5, 1);
                        if (way == 1)
                                CHECK_EQ(belay_lock_release(&lock), 0);
                        for (int i = 0; i < 5; i++)
                                if (without & 1u << i)
                                        belay_cancel(tasks[i], NULL);
                        if (way == 2)
                                CHECK_EQ(belay_yield(), 0);
                        if (way != 1)
                                CHECK_EQ(belay_lock_release(&lock), 0);
                        end_users(5, without);
                }
        return 0;
}

/*
 * The next tasks are cancelled before the lock is released, or in that instant. Then the task after
 * them must get it.
 */
static int cancelled_later(void *arg) {
        (void) arg;
        start_users(4, SECONDS(1));
        cancel_after(SECONDS(1) / 2, tasks[1]);
        cancel_after(SECONDS(1) / 2, tasks[2]);
        end_users(4, 1u << 1 | 1u << 2);
        start_users(4, SECONDS(1));
        for (int i = 1; i < 4; i++)
                cancel_after(SECONDS(1), tasks[i]);
        end_users(4, 1u << 1 | 1u << 2 | 1u << 3);
        return 0;
}

/* The library counts the locks that the thread holds, so that tests find a lock still held. */
static int counted(void *arg) {
        belay_lock other = BELAY_LOCK_INIT;

        (void) arg;
        CHECK_EQ(bly_locks_held, 0);
        CHECK_EQ(belay_lock_acquire(&lock), 0);
        CHECK_EQ(bly_locks_held, 1);
        CHECK_EQ(belay_lock_try_acquire(&other), 0);
        CHECK_EQ(bly_locks_held, 2);
        CHECK_EQ(belay_lock_release(&lock), 0);
        CHECK_EQ(belay_lock_release(&other), 0);
        CHECK_EQ(bly_locks_held, 0);
        return 0;
}

static int acquires(void *arg) {
        (void) arg;
        return belay_lock_acquire(&lock);
}

/* A report about a waiting task names the call site at which the lock was acquired. */
static int names_its_place(void *arg) {
        belay_wait_info info = BELAY_WAIT_INFO_INIT;
        belay_task *task;
        int line;

        (void) arg;
        line = __LINE__ + 1;
        CHECK_EQ(belay_lock_acquire(&lock), 0);
        task = must(belay_spawn(acquires, NULL));
        CHECK_EQ(belay_yield(), 0);
        belay_waiting(task, &info);
        CHECK_STR(info.what, "lock");
        CHECK(is_place(info.on, __FILE__, line));
        belay_cancel(task, NULL);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(ended_with(task), -ECANCELED);
        CHECK_EQ(belay_lock_release(&lock), 0);
        return 0;
}

static int releases(void *arg) {
        (void) arg;
        return belay_lock_release(&lock);
}

static void in_callback(void *arg) {
        (void) arg;
        CHECK_EQ(belay_lock_acquire(&lock), -EPERM);
        CHECK_EQ(belay_lock_try_acquire(&lock), 0);
        CHECK_EQ(belay_lock_release(&lock), 0);
}

static int misuse(void *arg) {
        belay_task *task;

        (void) arg;
        keep_lines();
        CHECK_EQ(belay_lock_release(&lock), -EPERM);
        CHECK_LINES(1, "a lock is released that is not held");
        CHECK_LINES(1, "misuse at " __FILE__);
        CHECK(belay_soon(in_callback, NULL) != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_LINES(1, "belay_lock_acquire() outside of a task");
        /* Any task may release the lock. */
        CHECK_EQ(belay_lock_acquire(&lock), 0);
        task = must(belay_spawn(releases, NULL));
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(ended_with(task), 0);
        CHECK(!belay_lock_held(&lock));
        CHECK_EQ(kept_count, 2);
        belay_set_log(NULL, NULL);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(in_order);
        RUN_VIRTUAL(no_wait);
        RUN_VIRTUAL(cancelled);
        RUN_VIRTUAL(cancelled_later);
        RUN_VIRTUAL(counted);
        RUN_VIRTUAL(names_its_place);
        RUN_VIRTUAL(misuse);
        return 0;
}
