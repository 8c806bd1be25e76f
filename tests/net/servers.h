/* SPDX-License-Identifier: MIT */
/*
 * Shared by the tests of accepting and serving: clients that are plain sockets, connect at once,
 * and observe what the server does.
 */
#ifndef BELAY_TESTS_SERVERS_H
#define BELAY_TESTS_SERVERS_H

#include "io/back_ends.h"
#include "plain.h"

/* valgrind accepts a connection and drops it if there is no descriptor for it. */
static inline bool is_under_valgrind(void) {
        return getenv("RUN") != NULL && strstr(getenv("RUN"), "valgrind") != NULL;
}

static inline belay_listener *listener_of(enum kind kind) {
        belay_listener *listener = NULL;

        CHECK_EQ(belay_listen(&listener, fresh_endpoint(kind), NULL), 0);
        return listener;
}

/* Returns a non-blocking socket, or a negative errno if it cannot be connected. */
static inline int try_connecting(const belay_listener *listener) {
        belay_address *found;
        size_t count;
        int fd, rc;

        CHECK_EQ(belay_resolve(belay_listener_endpoint(listener), SOCK_STREAM, &found, &count), 0);
        fd = socket(sockaddr_of(found)->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(fd >= 0);
        rc = connect(fd, sockaddr_of(found), found->length) < 0 ? -errno : fd;
        if (rc < 0)
                close(fd);
        else
                CHECK_EQ(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
        belay_addresses_free(found, count);
        return rc;
}

static inline int connect_plainly(const belay_listener *listener) {
        int fd = try_connecting(listener);

        CHECK(fd >= 0);
        return fd;
}

static inline void put_byte(int fd, unsigned char byte) {
        CHECK_EQ(send(fd, &byte, 1, MSG_NOSIGNAL), 1);
}

/* Returns the next byte, -1 at the end of the stream, or -errno - 1000, such as NOTHING_YET. */
static inline int take_byte(int fd) {
        unsigned char byte;
        ssize_t size = recv(fd, &byte, 1, MSG_DONTWAIT);

        return size < 0 ? -errno - 1000 : size == 0 ? -1 : byte;
}

enum { NOTHING_YET = -EAGAIN - 1000, RESET = -ECONNRESET - 1000 };

/* Waits for the next byte and returns it in the same way. */
static inline int next_byte(int fd) {
        CHECK((belay_wait_fd(fd, BELAY_READABLE) & BELAY_READABLE) != 0);
        return take_byte(fd);
}

#endif
