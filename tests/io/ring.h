/* SPDX-License-Identifier: MIT */
/*
 * Shared by the tests of the io_uring back end: loops that use it, and single operations. A test is
 * skipped if the system does not offer io_uring.
 *
 * Each test encloses its code in #ifdef BLY_HAVE_URING after it has included this header. Without
 * BLY_HAVE_URING, the main() below is the whole test, and skips it.
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

/* Runs a test as the main task of a loop with a ring. */
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

/* Performs one operation in the calling task. */
static inline ssize_t perform(struct bly_op op) {
        op.what = "test";
        return bly_perform(the_io(), &op, "here");
}

static inline ssize_t receive(int fd, void *buffer, size_t size) {
        return perform((struct bly_op) {
                .kind = BLY_OP_RECEIVE, .fd = fd, .address = buffer, .length = size });
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

/* Submits the prepared entries and handles the completions. No other task runs. */
static inline void turn(void) {
        the_io()->backend->wait(the_io(), 0);
}

/* Starts a task and lets it prepare its operation; nothing is submitted yet. */
static inline belay_task *begun(belay_fn *fn, void *arg) {
        belay_task *task = must(belay_spawn(fn, arg));

        /* The loop must not poll of its own accord, however slowly this test runs. */
        the_io()->looked = BELAY_NEVER / 2;
        CHECK_EQ(belay_yield(), 0);
        return task;
}

/* Returns the number of open descriptors. */
static inline int count_open(void) {
        int count = 0;

        for (int fd = 0; fd < 1024; fd++)
                count += fcntl(fd, F_GETFD) >= 0;
        return count;
}

/* Returns the task's outcome. If the task does not end, the test's own time limit reports it. */
static inline int end_of(belay_task *task) {
        int outcome;

        CHECK_EQ(belay_await(task, &outcome), 0);
        belay_release(task);
        return outcome;
}

#endif
#endif
