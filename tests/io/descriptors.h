/* SPDX-License-Identifier: MIT */
/*
 * Shared by the tests of descriptors: descriptors to wait for, and tasks that wait for them.
 */
#ifndef BELAY_TESTS_DESCRIPTORS_H
#define BELAY_TESTS_DESCRIPTORS_H

#include <fcntl.h>
#include <sys/socket.h>

#include "base/help.h"
#include "io/back_ends.h"

#define READABLE BELAY_READABLE
#define WRITABLE BELAY_WRITABLE
#define PRIORITY BELAY_PRIORITY

/* ---- descriptors ---- */

static inline void open_pipe(int ends[2]) {
        CHECK_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
}

static inline void open_pair(int ends[2]) {
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
}

static inline void close_both(const int ends[2]) {
        CHECK_EQ(close(ends[0]), 0);
        CHECK_EQ(close(ends[1]), 0);
}

static inline void put(int fd, const char *text) {
        CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
}

static inline void stuff(int fd) {
        char block[4096] = { 0 };

        while (write(fd, block, sizeof(block)) > 0)
                ;
        CHECK(errno == EAGAIN);
}

static inline void drain(int fd) {
        char block[4096];

        while (read(fd, block, sizeof(block)) > 0)
                ;
}

/* Gives *fd the number of a descriptor that was closed. */
static inline void move_to(int *fd, int number) {
        CHECK(*fd != number);
        CHECK_EQ(fcntl(number, F_GETFD), -1);
        CHECK_EQ(dup3(*fd, number, O_CLOEXEC), number);
        CHECK_EQ(close(*fd), 0);
        *fd = number;
}

static inline unsigned count_descriptors(void) {
        unsigned count = 0;

        for (int fd = 0; fd < 200; fd++)
                count += fcntl(fd, F_GETFD) >= 0;
        return count;
}

/* ---- waiting ---- */

/*
 * For a virtual clock, which does not advance while an event can still come. Returns -ETIMEDOUT if
 * `fd` is not ready.
 */
static inline int wait_within(belay_time span, int fd, int events) {
        belay_timeout limit;

        CHECK_EQ(belay_timeout_enter(&limit, span), 0);
        return belay_timeout_leave(&limit, belay_wait_fd(fd, events));
}

static inline int is_ready(int fd, int events) {
        int rc = wait_within(BELAY_SECOND, fd, events);

        return rc == -ETIMEDOUT ? 0 : rc;
}

struct waiter {
        int fd, events;
        int result;
        bool begun, done;
        belay_task *task;
};

static inline int wait_once(void *arg) {
        struct waiter *self = arg;

        self->begun = true;
        self->result = belay_wait_fd(self->fd, self->events);
        self->done = true;
        return 0;
}

static inline void let_run(void) {
        for (int i = 0; i < 5; i++)
                CHECK_EQ(belay_yield(), 0);
}

/* Returns when the waiter waits, or when its wait is already over. */
static inline void start_waiter(struct waiter *waiter, int fd, int events) {
        *waiter = (struct waiter) { .fd = fd, .events = events };
        waiter->task = must(belay_spawn(wait_once, waiter));
        while (!waiter->begun)
                CHECK_EQ(belay_yield(), 0);
        let_run();
}

static inline int result_of(struct waiter *waiter) {
        int outcome, rc = belay_join(waiter->task, &outcome);

        belay_release(waiter->task);
        return rc < 0 ? rc : waiter->result;
}

#define join_waiter(waiter, expected) CHECK_EQ(result_of(waiter), expected)

#endif
