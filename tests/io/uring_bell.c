/* SPDX-License-Identifier: MIT */
/*
 * The bell of a loop that waits by its ring: rung by another thread, no ring of it is lost; and the ring's descriptor, by which
 * somebody else waits for us.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>

#include "ring.h"

#ifdef BLY_HAVE_URING

enum { TIMES = 2000 };

static belay_loop *loop;
static atomic_int heard;
static void (*attend_really)(struct belay_loop *loop);

static void ring_bell(void) {
        uint64_t one = 1;

        CHECK_EQ(write(loop->wake_fd, &one, sizeof(one)), sizeof(one));
}

static void attend(struct belay_loop *self) {
        uint64_t count;

        if (read(self->wake_fd, &count, sizeof(count)) == sizeof(count))
                atomic_fetch_add(&heard, 1);
        attend_really(self);
}

static void *rings(void *arg) {
        for (int i = 0; i < TIMES; i++) {
                ring_bell();
                while (atomic_load(&heard) <= i)
                        sched_yield();
        }
        atomic_store((atomic_bool *) arg, true);
        ring_bell();
        return NULL;
}

/* Something else is waited for meanwhile, which never comes. */
static int waits(void *arg) {
        return belay_wait_fd(*(int *) arg, BELAY_READABLE);
}

static int rung(void *arg) {
        atomic_bool ended = false;
        int fds[2], tasks = 0;
        pthread_t thread;
        belay_task *task;

        (void) arg;
        make_pair(fds);
        task = must(belay_spawn(waits, &fds[0]));
        CHECK_EQ(pthread_create(&thread, NULL, rings, &ended), 0);
        while (!atomic_load(&ended)) {
                /* Long waits and short ones, and some that find the ring busy. */
                CHECK_EQ(belay_sleep(tasks++ % 3 == 0 ? 10 * BELAY_MILLISECOND : 20 * BELAY_MICROSECOND), 0);
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

/* ---- from outside ---- */

static bool is_readable(int fd, int span) {
        struct pollfd pollfd = { .fd = fd, .events = POLLIN };

        return poll(&pollfd, 1, span) == 1;
}

static int receives(void *arg) {
        char byte;

        return (int) receive(*(int *) arg, &byte, 1);
}

static int outside(void *arg) {
        struct bly_io *io = the_io();
        int ring = io->backend->descriptor(io), outer = epoll_create1(EPOLL_CLOEXEC), fds[2];
        struct epoll_event event = { .events = EPOLLIN };
        belay_task *task;

        (void) arg;
        make_pair(fds);
        CHECK_EQ(epoll_ctl(outer, EPOLL_CTL_ADD, ring, &event), 0);
        for (int i = 0; i < 6; i++) {
                task = begun(i % 2 == 0 ? waits : receives, &fds[0]);
                turn();
                CHECK(!is_readable(ring, 0));
                CHECK(!is_readable(outer, 0));
                /* It must become so: there is no end to the waiting but that of the test. */
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
                atomic_store(&loop->asked, 0);
                turn();
                CHECK(bly_is_asked(loop));
                loop->attend(loop);
                CHECK(!is_readable(outer, 0));
        }
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
        CHECK_EQ(belay_loop_run(loop, outside, NULL, &outcome), 0);
        CHECK_EQ(outcome, 0);
        attend_really = loop->attend;
        loop->attend = attend;
        CHECK_EQ(belay_loop_run(loop, rung, NULL, &outcome), 0);
        CHECK_EQ(outcome, 0);
        CHECK_EQ(belay_loop_close(loop), 0);
        return 0;
}

#endif
