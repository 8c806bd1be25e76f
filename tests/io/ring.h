/* SPDX-License-Identifier: MIT */
/*
 * What the tests of io_uring's back end share: loops that have it, or the test is skipped; operations by
 * themselves. Without BLY_HAVE_URING, which what includes this is to ask for, it is the whole of a test that is
 * skipped.
 */
#ifndef BELAY_TESTS_RING_H
#define BELAY_TESTS_RING_H

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <belay/io.h>

#include "../base/help.h"
#include "io/io.h"

#ifndef BLY_HAVE_URING

int main(void) {
        SKIP("io_uring is not built in");
}

#else

#include "io/uring.h"

#define RING BELAY_OPTIONS(belay_loop_options, .backend = BELAY_BACKEND_IO_URING)

/* A test that is a main task of a loop with a ring. */
static inline void run_with_ring(belay_fn *fn) {
        belay_loop *loop = belay_loop_new(RING);
        int outcome;

        CHECK(loop != NULL);
        if (strcmp(belay_loop_backend(loop), "io_uring") != 0)
                SKIP("io_uring cannot be used here");
        CHECK_EQ(belay_loop_run(loop, fn, NULL, &outcome), 0);
        CHECK_EQ(outcome, 0);
        CHECK_EQ(belay_loop_close(loop), 0);
}

static inline struct bly_io *the_io(void) {
        return bly_io_of(bly_loop);
}

/* An operation by itself, in the calling task. */
static inline ssize_t perform(struct bly_op op) {
        op.what = "test";
        return bly_perform(the_io(), &op, "here");
}

static inline ssize_t receive(int fd, void *buffer, size_t size) {
        return perform((struct bly_op) { .kind = BLY_OP_RECEIVE, .fd = fd, .address = buffer, .length = size });
}

static inline void make_pair(int fds[2]) {
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
}

static inline void close_pair(const int fds[2]) {
        CHECK_EQ(close(fds[0]), 0);
        CHECK_EQ(close(fds[1]), 0);
}

static inline void say(int fd, const char *text) {
        CHECK_EQ(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* What was asked until now is handed in, and what comes of it is told; nobody else runs. */
static inline void turn(void) {
        the_io()->backend->wait(the_io(), 0);
}

/* A task that has begun with what it does by the ring; none of that is handed in yet. */
static inline belay_task *begun(belay_fn *fn, void *arg) {
        belay_task *task = must(belay_spawn(fn, arg));

        /* However slowly we go, the loop does not look by itself. */
        the_io()->looked = BELAY_NEVER / 2;
        CHECK_EQ(belay_yield(), 0);
        return task;
}

/* Descriptors that are open. */
static inline int count_open(void) {
        int count = 0;

        for (int fd = 0; fd < 1024; fd++)
                count += fcntl(fd, F_GETFD) >= 0;
        return count;
}

/* What a task came to, which it must within the time that a test may take. */
static inline int end_of(belay_task *task) {
        int outcome;

        CHECK_EQ(belay_await(task, &outcome), 0);
        belay_release(task);
        return outcome;
}

#endif
#endif
