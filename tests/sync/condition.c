/* SPDX-License-Identifier: MIT */
/*
 * The condition: the waiting task holds the lock again whatever its wait returns, and no
 * notification is lost.
 */
#include "../scope/parts.h"

enum { MANY = 5 };

static belay_condition condition;
static int woken, order[MANY];
static int numbers[] = { 0, 1, 2, 3, 4 };
static belay_task *tasks[MANY];

static belay_lock *lock(void) {
        return belay_condition_lock(&condition);
}

static int waits(void *arg) {
        int rc = belay_lock_acquire(lock());

        if (rc < 0)
                return rc;
        rc = belay_condition_wait(&condition);
        CHECK(belay_lock_held(lock()));
        CHECK_EQ(belay_lock_try_acquire(lock()), -EBUSY);
        if (rc == 0)
                order[woken++] = *(int *) arg;
        CHECK_EQ(belay_lock_release(lock()), 0);
        return rc;
}

static void start_all(void) {
        woken = 0;
        for (int i = 0; i < MANY; i++)
                tasks[i] = must(belay_spawn(waits, &numbers[i]));
        CHECK_EQ(belay_sleep(1), 0);
        CHECK(!belay_lock_held(lock()));
}

static void notify(size_t count) {
        CHECK_EQ(belay_lock_acquire(lock()), 0);
        CHECK_EQ(belay_condition_notify(&condition, count), 0);
        CHECK_EQ(belay_lock_release(lock()), 0);
}

static int notified(void *arg) {
        static const int after[] = { 0, 1, 3, 3 };

        (void) arg;
        start_all();
        for (size_t i = 0; i < 4; i++) {
                notify(i < 3 ? i : 0);
                CHECK_EQ(belay_sleep(1), 0);
                CHECK_EQ(woken, after[i]);
        }
        notify(100);
        CHECK_EQ(belay_sleep(1), 0);
        CHECK_EQ(woken, MANY);
        for (int i = 0; i < MANY; i++) {
                CHECK_EQ(order[i], i);
                CHECK_EQ(ended_with(tasks[i]), 0);
        }
        start_all();
        CHECK_EQ(belay_lock_acquire(lock()), 0);
        CHECK_EQ(belay_condition_notify_all(&condition), 0);
        /* Notified tasks must not return before the lock is free. */
        CHECK_EQ(belay_sleep(SECONDS(1)), 0);
        CHECK_EQ(woken, 0);
        CHECK_EQ(belay_lock_release(lock()), 0);
        CHECK_EQ(belay_sleep(1), 0);
        CHECK_EQ(woken, MANY);
        for (int i = 0; i < MANY; i++)
                CHECK_EQ(ended_with(tasks[i]), 0);
        /* No task waits, so the notification has no effect on later waits. */
        notify(3);
        start_all();
        CHECK_EQ(belay_sleep(SECONDS(1)), 0);
        CHECK_EQ(woken, 0);
        notify(MANY);
        CHECK_EQ(belay_gather(tasks, MANY, NULL), 0);
        for (int i = 0; i < MANY; i++)
                CHECK_EQ(ended_with(tasks[i]), 0);
        return 0;
}

/*
 * A notified task is cancelled, at once or while it waits for the lock. The notification must pass
 * to the next task.
 */
static int passed_on(void *arg) {
        (void) arg;
        for (int way = 0; way < 3; way++) {
                start_all();
                CHECK_EQ(belay_lock_acquire(lock()), 0);
                CHECK_EQ(belay_condition_notify(&condition, 1), 0);
                if (way > 0)
                        CHECK_EQ(belay_sleep(1), 0);
                belay_cancel(tasks[0], NULL);
                if (way > 1) {
                        /* A second request must not end the wait for the lock. */
                        CHECK_EQ(belay_sleep(1), 0);
                        belay_cancel(tasks[0], NULL);
                        CHECK_EQ(belay_sleep(SECONDS(1)), 0);
                        CHECK(!belay_done(tasks[0]));
                }
                CHECK_EQ(belay_lock_release(lock()), 0);
                CHECK_EQ(belay_sleep(SECONDS(1)), 0);
                CHECK_EQ(woken, 1);
                CHECK_EQ(order[0], 1);
                CHECK_EQ(belay_cancelling(tasks[0]), way > 1 ? 2 : 1);
                notify(MANY);
                CHECK_EQ(belay_gather_collect(tasks, MANY), 0);
                for (int i = 0; i < MANY; i++)
                        CHECK_EQ(ended_with(tasks[i]), i == 0 ? -ECANCELED : 0);
                CHECK(!belay_lock_held(lock()));
        }
        return 0;
}

/*
 * A task that was not notified is cancelled while another holds the lock. Its wait must return with
 * the lock held.
 */
static int cancelled(void *arg) {
        (void) arg;
        start_all();
        CHECK_EQ(belay_lock_acquire(lock()), 0);
        belay_cancel(tasks[2], NULL);
        CHECK_EQ(belay_sleep(SECONDS(1)), 0);
        CHECK(!belay_done(tasks[2]));
        CHECK_EQ(belay_lock_release(lock()), 0);
        CHECK_EQ(belay_join(tasks[2], NULL), 0);
        CHECK_EQ(belay_cancelling(tasks[2]), 1);
        notify(MANY);
        CHECK_EQ(belay_gather_collect(tasks, MANY), 0);
        for (int i = 0; i < MANY; i++)
                CHECK_EQ(ended_with(tasks[i]), i == 2 ? -ECANCELED : 0);
        return 0;
}

static int count;

static bool is_three(void *arg) {
        return *(int *) arg == 3;
}

static int counts(void *arg) {
        (void) arg;
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_sleep(SECONDS(1)), 0);
                CHECK_EQ(belay_lock_acquire(lock()), 0);
                count++;
                CHECK_EQ(belay_condition_notify_all(&condition), 0);
                CHECK_EQ(belay_lock_release(lock()), 0);
        }
        return 0;
}

static int until(void *arg) {
        belay_task *task = must(belay_spawn(counts, NULL));
        belay_timeout limit;
        belay_time begin = belay_now();
        int rc;

        (void) arg;
        CHECK_EQ(belay_lock_acquire(lock()), 0);
        CHECK_EQ(belay_condition_wait_until(&condition, is_three, &count), 0);
        CHECK_EQ(belay_now() - begin, SECONDS(3));
        /* The predicate is already true, so the call is no cancellation point. */
        belay_cancel(belay_self(), NULL);
        CHECK_EQ(belay_condition_wait_until(&condition, is_three, &count), 0);
        CHECK(belay_lock_held(lock()));
        CHECK_PENDING();
        count = 0;
        belay_timeout_enter(&limit, SECONDS(1));
        rc = belay_condition_wait_until(&condition, is_three, &count);
        CHECK(belay_lock_held(lock()));
        CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);
        CHECK_EQ(belay_lock_release(lock()), 0);
        CHECK_EQ(belay_join(task, NULL), 0);
        belay_release(task);
        return 0;
}

/* Two conditions share one lock. */
static int shared(void *arg) {
        belay_lock own = BELAY_LOCK_INIT;
        belay_condition other;

        (void) arg;
        belay_condition_init(&condition, &own);
        belay_condition_init(&other, &own);
        CHECK(lock() == &own && belay_condition_lock(&other) == &own);
        start_all();
        CHECK_EQ(belay_lock_acquire(&own), 0);
        CHECK_EQ(belay_condition_notify_all(&other), 0);
        CHECK_EQ(belay_lock_release(&own), 0);
        CHECK_EQ(belay_sleep(1), 0);
        CHECK_EQ(woken, 0);
        notify(MANY);
        CHECK_EQ(belay_gather(tasks, MANY, NULL), 0);
        for (int i = 0; i < MANY; i++)
                CHECK_EQ(ended_with(tasks[i]), 0);
        belay_condition_init(&condition, NULL);
        CHECK(lock() != &own);
        return 0;
}

static void in_callback(void *arg) {
        (void) arg;
        CHECK_EQ(belay_condition_wait(&condition), -EPERM);
}

static int misuse(void *arg) {
        (void) arg;
        keep_lines();
        count = 0;
        CHECK_EQ(belay_condition_wait(&condition), -EPERM);
        CHECK_EQ(belay_condition_wait_until(&condition, is_three, &count), -EPERM);
        CHECK_EQ(belay_condition_notify(&condition, 1), -EPERM);
        CHECK_EQ(belay_condition_notify_all(&condition), -EPERM);
        CHECK_LINES(4, "without its lock");
        CHECK_LINES(4, "misuse at " __FILE__);
        CHECK(!belay_lock_held(lock()));
        CHECK_EQ(belay_lock_acquire(lock()), 0);
        CHECK(belay_soon(in_callback, NULL) != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_lock_held(lock()));
        CHECK_EQ(belay_lock_release(lock()), 0);
        CHECK_LINES(1, "outside of a task");
        belay_set_log(NULL, NULL);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(notified);
        RUN_VIRTUAL(passed_on);
        RUN_VIRTUAL(cancelled);
        RUN_VIRTUAL(until);
        RUN_VIRTUAL(shared);
        RUN_VIRTUAL(misuse);
        return 0;
}
