/* SPDX-License-Identifier: MIT */
/*
 * Waits for descriptors that are cancelled or limited, also under a virtual clock.
 *
 * An event that has occurred is returned even if a request follows. Descriptors that are ready are
 * reported before virtual time advances. A task that waits for a descriptor is never part of a
 * deadlock.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "descriptors.h"

/* ---- requests ---- */

static int by_request(void *arg) {
        belay_origin origin = { .size = sizeof(origin) };
        struct waiter waiter;
        int ends[2];

        (void) arg;
        open_pair(ends);
        start_waiter(&waiter, ends[0], READABLE);
        CHECK(belay_cancel(waiter.task, "enough"));
        CHECK_EQ(belay_cancelling(waiter.task), 1);
        put(ends[1], "x"); /* too late */
        let_run();
        CHECK(waiter.done);
        CHECK(belay_origin_of(waiter.task, &origin));
        CHECK_STR(origin.reason, "enough");
        join_waiter(&waiter, -ECANCELED);
        CHECK_EQ(belay_wait_fd(ends[0], READABLE), READABLE);
        close_both(ends);
        return 0;
}

/*
 * A request that is pending before the call ends the wait, whether the descriptor is ready or not.
 * It does so for each kind of descriptor.
 */
struct later {
        int fd;
        int first, second, third;
};

static int waits_thrice(void *arg) {
        struct later *self = arg;

        CHECK(belay_cancel(belay_self(), NULL));
        self->first = belay_wait_fd(self->fd, READABLE);
        self->second = belay_wait_fd(self->fd, READABLE);
        CHECK(belay_cancel(belay_self(), NULL));
        self->third = belay_wait_fd(self->fd, READABLE);
        return 0;
}

static void check_pending(int fd) {
        struct later later = { .fd = fd };
        belay_task *task = must(belay_spawn(waits_thrice, &later));
        int outcome;

        CHECK_EQ(belay_join(task, &outcome), 0);
        belay_release(task);
        CHECK_EQ(outcome, 0);
        CHECK_EQ(later.first, -ECANCELED);
        CHECK_EQ(later.second, READABLE);
        CHECK_EQ(later.third, -ECANCELED);
}

static int pending_before(void *arg) {
        belay_stream *stream;
        int ends[2], fd;

        (void) arg;
        open_pair(ends);
        put(ends[1], "x");
        check_pending(ends[0]);
        CHECK_EQ(belay_stream_open_fd(&stream, ends[0], NULL), 0);
        check_pending(ends[0]);
        CHECK_EQ(belay_close(stream, 0), 0);
        close(ends[1]);
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        check_pending(fd);
        close(fd);
        return 0;
}

/*
 * The task is woken, and cancelled before it runs. The call returns the event, and the request
 * stays pending for the next wait.
 */
static int then_asked(void *arg) {
        struct waiter *waiter = arg;

        waiter->result = belay_wait_fd(waiter->fd, waiter->events);
        waiter->done = true;
        return belay_sleep(BELAY_HOUR);
}

static int the_event_wins(void *arg) {
        struct waiter waiter = { .events = READABLE };
        belay_wait_info info = BELAY_WAIT_INFO_INIT;
        belay_time begin = belay_now();
        int ends[2], outcome;

        (void) arg;
        open_pair(ends);
        waiter.fd = ends[0];
        waiter.task = must(belay_spawn(then_asked, &waiter));
        let_run();
        put(ends[1], "x");
        do {
                CHECK_EQ(belay_yield(), 0);
                belay_waiting(waiter.task, &info);
        } while (strcmp(info.what, "descriptor") == 0);
        if (!waiter.done) {
                CHECK_STR(info.what, "ready");
                CHECK(belay_cancel(waiter.task, NULL));
                CHECK_EQ(belay_join(waiter.task, &outcome), 0);
                CHECK_EQ(waiter.result, READABLE);
                CHECK_EQ(outcome, -ECANCELED);
                CHECK_EQ(belay_now(), begin);
        }
        belay_release(waiter.task);
        close_both(ends);
        return 0;
}

/* ---- limits and virtual time ---- */

static int waits_for_ever(void *arg) {
        return belay_wait_fd(*(int *) arg, READABLE);
}

static int limited(void *arg) {
        belay_time begin = belay_now();
        int ends[2];

        (void) arg;
        open_pair(ends);
        CHECK_EQ(wait_within(5 * BELAY_SECOND, ends[0], READABLE), -ETIMEDOUT);
        CHECK_EQ(belay_now(), begin + 5 * BELAY_SECOND);
        CHECK_EQ(belay_wait_for(waits_for_ever, &ends[0], BELAY_SECOND), -ETIMEDOUT);
        put(ends[1], "x");
        CHECK_EQ(wait_within(5 * BELAY_SECOND, ends[0], READABLE), READABLE);
        CHECK_EQ(belay_now(), begin + 6 * BELAY_SECOND);
        close_both(ends);
        return 0;
}

/*
 * A descriptor that is ready is reported before the clock advances. An event that occurs at an
 * instant is reported before the next instant.
 */
static int comes_first(void *arg) {
        struct waiter waiters[3];
        belay_time begin;
        int ends[2];

        (void) arg;
        open_pair(ends);
        put(ends[1], "x");
        begin = belay_now();
        CHECK_EQ(wait_within(1, ends[0], READABLE), READABLE);
        CHECK_EQ(belay_now(), begin);
        drain(ends[0]);

        for (int i = 0; i < 3; i++)
                start_waiter(&waiters[i], ends[0], READABLE);
        CHECK_EQ(belay_sleep(BELAY_HOUR), 0);
        CHECK(!waiters[0].done && !waiters[1].done && !waiters[2].done);
        CHECK_EQ(belay_now(), begin + BELAY_HOUR);
        put(ends[1], "x");
        CHECK_EQ(belay_sleep(1), 0);
        CHECK(waiters[0].done && waiters[1].done && waiters[2].done);
        CHECK_EQ(belay_now(), begin + BELAY_HOUR + 1);
        for (int i = 0; i < 3; i++)
                join_waiter(&waiters[i], READABLE);
        close_both(ends);
        return 0;
}

/*
 * Two tasks that pass a byte back and forth through descriptors take no virtual time, although a
 * deadline is set.
 */
enum { ROUNDS = 100 };

struct side {
        int fd;
        bool begins;
};

static int hands_over(void *arg) {
        struct side *side = arg;
        char byte = 'x';

        for (int i = 0; i < ROUNDS; i++) {
                if (side->begins)
                        CHECK_EQ(write(side->fd, &byte, 1), 1);
                CHECK_EQ(belay_wait_fd(side->fd, READABLE), READABLE);
                CHECK_EQ(read(side->fd, &byte, 1), 1);
                if (!side->begins)
                        CHECK_EQ(write(side->fd, &byte, 1), 1);
        }
        return 0;
}

static int takes_no_time(void *arg) {
        belay_time begin = belay_now();
        struct side sides[2];
        belay_group group;
        belay_timeout limit;
        int ends[2];

        (void) arg;
        open_pair(ends);
        CHECK_EQ(belay_timeout_enter(&limit, 1), 0);
        CHECK_EQ(belay_group_enter(&group), 0);
        for (int i = 0; i < 2; i++) {
                sides[i] = (struct side) { ends[i], i == 0 };
                CHECK_EQ(belay_group_spawn(&group, hands_over, &sides[i]), 0);
        }
        CHECK_EQ(belay_timeout_leave(&limit, belay_group_leave(&group, 0)), 0);
        CHECK_EQ(belay_now(), begin);
        close_both(ends);
        return 0;
}

/* ---- deadlocks ---- */

/*
 * Another thread ends the wait, on either clock. No timer is set and no other task can run, but
 * this is no deadlock.
 */
static void *outside(void *arg) {
        put(*(int *) arg, "x");
        return NULL;
}

static int waits_for_a_lock(void *arg) {
        int rc = belay_lock_acquire(arg);

        if (rc == 0)
                belay_lock_release(arg);
        return rc;
}

static int from_outside(void *arg) {
        belay_lock lock = BELAY_LOCK_INIT;
        belay_task *task;
        pthread_t thread;
        int ends[2], outcome;

        (void) arg;
        open_pair(ends);
        CHECK_EQ(belay_lock_acquire(&lock), 0);
        task = must(belay_spawn(waits_for_a_lock, &lock));
        let_run();
        CHECK_EQ(pthread_create(&thread, NULL, outside, &ends[1]), 0);
        CHECK_EQ(belay_wait_fd(ends[0], READABLE), READABLE);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        belay_lock_release(&lock);
        CHECK_EQ(belay_join(task, &outcome), 0);
        CHECK_EQ(outcome, 0);
        belay_release(task);
        close_both(ends);
        return 0;
}

/*
 * When no task waits for descriptors any more, a deadlock is reported. The descriptors of earlier
 * waits must not hide it.
 */
static int after_all(void *arg) {
        belay_lock lock = BELAY_LOCK_INIT;
        struct waiter waiter;
        int ends[2];

        (void) arg;
        open_pair(ends);
        start_waiter(&waiter, ends[0], READABLE);
        CHECK(belay_cancel(waiter.task, NULL));
        join_waiter(&waiter, -ECANCELED);
        start_waiter(&waiter, ends[0], READABLE);
        CHECK_EQ(belay_forget_fd(ends[0]), 1);
        join_waiter(&waiter, -EBADF);
        CHECK_EQ(belay_lock_acquire(&lock), 0);
        CHECK_EQ(belay_lock_acquire(&lock), -EDEADLK);
        belay_lock_release(&lock);
        close_both(ends);
        return 0;
}

static void deadlocks(void) {
        keep_lines();
        CHECK_EQ(belay_run(from_outside, NULL), 0);
        RUN_VIRTUAL(from_outside);
        CHECK_LINES(0, "deadlock");
        RUN_VIRTUAL(after_all);
        CHECK_LINES(1, "deadlock:");
        belay_set_log(NULL, NULL);
}

/* ---- reports ---- */

static int is_named(void *arg) {
        belay_wait_info info = BELAY_WAIT_INFO_INIT;
        struct waiter waiter;
        int ends[2];
        char number[32];

        (void) arg;
        open_pipe(ends);
        start_waiter(&waiter, ends[0], READABLE);
        belay_waiting(waiter.task, &info);
        CHECK_STR(info.what, "descriptor");
        snprintf(number, sizeof(number), "fd %d", ends[0]);
        CHECK(info.on != NULL && strstr(info.on, number) != NULL
              && strstr(info.on, "pipe") != NULL);
        CHECK(info.place != NULL && strstr(info.place, "descriptors.h:") != NULL);
        CHECK_EQ(belay_forget_fd(ends[0]), 1);
        join_waiter(&waiter, -EBADF);
        close_both(ends);
        return 0;
}

/* ---- waits that are always ready ---- */

/* Such waits yield all the same, so that other tasks run and a timeout expires. */
static int never_waits(void *arg) {
        int fd = *(int *) arg, rc;

        do
                rc = belay_wait_fd(fd, READABLE);
        while (rc == READABLE);
        return rc;
}

static int is_ended(int fd) {
        belay_task *task = must(belay_spawn(never_waits, &fd));
        int outcome = 0;

        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(belay_join(task, &outcome), 0);
        belay_release(task);
        return outcome;
}

static int gives_way(void *arg) {
        belay_stream *stream;
        int ends[2], fd;

        (void) arg;
        open_pair(ends);
        put(ends[1], "x");
        CHECK_EQ(is_ended(ends[0]), -ECANCELED);
        CHECK_EQ(belay_stream_open_fd(&stream, ends[0], NULL), 0);
        CHECK_EQ(is_ended(ends[0]), -ECANCELED);
        CHECK_EQ(belay_close(stream, 0), 0);
        close(ends[1]);
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        CHECK_EQ(is_ended(fd), -ECANCELED);
        close(fd);
        return 0;
}

/* ---- */

static void all(void) {
        RUN_VIRTUAL(by_request);
        RUN_VIRTUAL(pending_before);
        RUN_VIRTUAL(the_event_wins);
        RUN_VIRTUAL(limited);
        RUN_VIRTUAL(comes_first);
        RUN_VIRTUAL(takes_no_time);
        deadlocks();
        RUN_VIRTUAL(is_named);
        CHECK_EQ(belay_run(gives_way, NULL), 0);
}

int main(void) {
        on_back_ends(all);
        return 0;
}
