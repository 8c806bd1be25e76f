/* SPDX-License-Identifier: MIT */
/*
 * The eventfd that wakes a loop which waits in its ring: no wake-up by another thread is lost. And
 * the descriptor of the ring, with which a host loop waits for this loop.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "ring.h"

#ifdef BLY_HAVE_URING

enum { TIMES = 2000 };

static belay_loop *loop;

static void ring_bell(void) {
        uint64_t one = 1;

        CHECK_EQ(write(loop->inbox->wake_fd, &one, sizeof(one)), sizeof(one));
}

/* The loop drains the eventfd when it has handled the wake-up. */
static bool is_heard(void) {
        struct pollfd bell = { .fd = loop->inbox->wake_fd, .events = POLLIN };

        return poll(&bell, 1, 0) == 0;
}

static void *rings(void *arg) {
        const struct timespec moment = { .tv_nsec = 20000 };
        int times = is_checked() ? TIMES / 20 : TIMES;

        for (int i = 0; i < times; i++) {
                ring_bell();
                while (!is_heard())
                        nanosleep(&moment, NULL);
        }
        atomic_store((atomic_bool *) arg, true);
        ring_bell();
        return NULL;
}

/* Waits for an event of a descriptor meanwhile, so that the ring has another poll in progress. */
static int waits(void *arg) {
        return belay_wait_fd(*(int *) arg, BELAY_READABLE);
}

/* The kernel may end the poll of the eventfd; the back end must then start it again. */
static void ends(void) {
        struct bly_uring *ring = the_io()->state;
        struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->queues);

        io_uring_prep_poll_remove(sqe, bly_user_data(BLY_OF_WAKE_FD, 0, 0));
        sqe->user_data = bly_user_data(BLY_OF_NOBODY, 0, 0);
        turn();
        CHECK(!ring->bell_armed);
}

static int rung(void *arg) {
        atomic_bool ended = false;
        int fds[2], tasks = 0;
        pthread_t thread;
        belay_task *task;

        (void) arg;
        if (((struct bly_uring *) the_io()->state)->outside < 0)
                ends();
        make_pair(fds);
        task = must(belay_spawn(waits, &fds[0]));
        CHECK_EQ(pthread_create(&thread, NULL, rings, &ended), 0);
        while (!atomic_load(&ended)) {
                /* Some waits are long, some are short, and some find the ring busy. */
                CHECK_EQ(belay_sleep(tasks++ % 3 == 0 ? 10 * BELAY_MILLISECOND
                                                      : 20 * BELAY_MICROSECOND),
                         0);
                say(fds[1], "x");
                CHECK_EQ(end_of(task), BELAY_READABLE);
                CHECK_EQ(recv(fds[0], &(char) { 0 }, 1, 0), 1);
                task = must(belay_spawn(waits, &fds[0]));
        }
        CHECK_EQ(pthread_join(thread, NULL), 0);
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(end_of(task), -ECANCELED);
        close_pair(fds);
        return 0;
}

/* ---- driven by a host loop ---- */

static bool is_readable(int fd, int span) {
        struct pollfd pollfd = { .fd = fd, .events = POLLIN };

        return poll(&pollfd, 1, span) == 1;
}

static int receives(void *arg) {
        char byte;

        return (int) receive(*(int *) arg, &byte, 1);
}

/*
 * More completions at once than the back end takes at once. The ring's descriptor stays readable
 * until all are taken.
 */
static void many_outside(int outer) {
        enum { MANY = 1000 };
        static belay_task *tasks[MANY];
        char bytes[MANY] = { 0 };
        int fds[2];

        make_pair(fds);
        for (int i = 0; i < MANY; i++)
                tasks[i] = begun(receives, &fds[0]);
        turn();
        while (is_readable(outer, 0))
                turn();
        CHECK_EQ(send(fds[1], bytes, MANY, 0), MANY);
        while (the_io()->waiting > 0) {
                CHECK(is_readable(outer, -1));
                turn();
        }
        for (int i = 0; i < MANY; i++)
                CHECK_EQ(end_of(tasks[i]), 1);
        close_pair(fds);
}

static int outside(void *arg) {
        struct bly_io *io = the_io();
        int ring, outer = epoll_create1(EPOLL_CLOEXEC), fds[2], bells[4];
        struct epoll_event event = { .events = EPOLLIN };
        belay_task *task, *before[4];

        (void) arg;
        make_pair(fds);
        for (int i = 0; i < 4; i++) {
                bells[i] = eventfd(0, EFD_CLOEXEC);
                if (i < 2) {
                        before[i] = begun(waits, &bells[i]);
                        turn();
                }
        }
        ring = io->backend->descriptor(io);
        CHECK(ring >= 0);
        CHECK_EQ(io->backend->descriptor(io), ring);
        CHECK_EQ(epoll_ctl(outer, EPOLL_CTL_ADD, ring, &event), 0);
        turn();
        /*
         * Waits for eventfds, for two of which the wait began before the descriptor was requested.
         * In a driven loop, the ring itself does not report eventfds.
         */
        for (int i = 0; i < 4; i++) {
                if (i >= 2)
                        before[i] = begun(waits, &bells[i]);
                turn();
                CHECK(!is_readable(outer, 0));
                CHECK_EQ(eventfd_write(bells[i], 1), 0);
                CHECK(is_readable(outer, -1));
                turn();
                CHECK_EQ(end_of(before[i]), BELAY_READABLE);
                CHECK_EQ(close(bells[i]), 0);
        }
        turn();
        for (int i = 0; i < 6; i++) {
                task = begun(i % 2 == 0 ? waits : receives, &fds[0]);
                turn();
                CHECK(!is_readable(ring, 0));
                CHECK(!is_readable(outer, 0));
                /*
                 * The descriptor must become readable. These polls have no timeout, so a failure
                 * shows as the timeout of the test.
                 */
                say(fds[1], "x");
                CHECK(is_readable(outer, -1));
                CHECK(is_readable(ring, -1));
                turn();
                CHECK(!is_readable(ring, 0));
                CHECK(!is_readable(outer, 0));
                CHECK_EQ(end_of(task), 1);
                if (i % 2 == 0)
                        CHECK_EQ(recv(fds[0], &(char) { 0 }, 1, 0), 1);
                turn();
                ring_bell();
                CHECK(is_readable(outer, -1));
                atomic_store(&loop->inbox->attention, 0);
                turn();
                CHECK(bly_needs_attention(loop));
                bly_attend(loop);
                CHECK(!is_readable(outer, 0));
        }
        many_outside(outer);
        close_pair(fds);
        CHECK_EQ(close(outer), 0);
        return 0;
}

int main(void) {
        int outcome;

        loop = belay_loop_new(RING);
        CHECK(loop != NULL);
        if (strcmp(belay_loop_backend(loop), "io_uring") != 0)
                SKIP("io_uring cannot be used here");
        CHECK_EQ(belay_loop_run(loop, rung, NULL, &outcome), 0);
        CHECK_EQ(outcome, 0);
        CHECK_EQ(belay_loop_run(loop, outside, NULL, &outcome), 0);
        CHECK_EQ(outcome, 0);
        CHECK_EQ(belay_loop_run(loop, rung, NULL, &outcome), 0);
        CHECK_EQ(outcome, 0);
        CHECK_EQ(belay_loop_close(loop), 0);
        return 0;
}

#endif
