/* SPDX-License-Identifier: MIT */
/*
 * A connection is reset while a file is sent. The kernel reports the reset only once, and may
 * report it to a pool thread. A reader must not take the state after that for a graceful end.
 * belay_close() must not report success.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/help.h"

enum { SIZE = 100000 };

static int peer = -1;
static void (*meanwhile)(void); /* action of the peer while a file is sent, or NULL */

static void reset(void) {
        struct linger none = { .l_onoff = 1 };

        setsockopt(peer, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
        close(peer);
}

static void end(void) {
        CHECK_EQ(write(peer, "b", 1), 1);
        CHECK_EQ(shutdown(peer, SHUT_WR), 0);
}

/* Replaces send() of the C library. It sends half of a large buffer, and then the peer acts. */
ssize_t send(int fd, const void *data, size_t size, int flags) {
        struct pollfd pollfd = { .fd = fd, .events = POLLRDHUP };
        ssize_t rc;

        if (meanwhile == NULL)
                return syscall(SYS_sendto, fd, data, size, flags, NULL, 0);
        rc = syscall(SYS_sendto, fd, data, size > 1 ? size / 2 : size, flags, NULL, 0);
        meanwhile();
        meanwhile = NULL;
        poll(&pollfd, 1, -1);
        return rc;
}

static belay_stream *connect_to_peer(void) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr = { htonl(INADDR_LOOPBACK) } };
        socklen_t length = sizeof(address);
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        belay_stream *stream;
        char endpoint[32];

        CHECK_EQ(bind(listener, (struct sockaddr *) &address, length), 0);
        CHECK_EQ(listen(listener, 1), 0);
        CHECK_EQ(getsockname(listener, (struct sockaddr *) &address, &length), 0);
        snprintf(endpoint, sizeof(endpoint), "127.0.0.1:%d", ntohs(address.sin_port));
        CHECK_EQ(belay_connect(&stream, endpoint, NULL), 0);
        peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        CHECK(peer >= 0);
        close(listener);
        return stream;
}

static void send_file(belay_stream *stream, int64_t size, int64_t expected) {
        int fd = memfd_create("sent", MFD_CLOEXEC);

        CHECK_EQ(ftruncate(fd, SIZE), 0);
        CHECK_EQ(belay_send_file(stream, fd, 0, size), expected);
        close(fd);
}

static void check_reading(void) {
        belay_stream *stream = connect_to_peer();
        char bytes[2];

        CHECK_EQ(write(peer, "a", 1), 1);
        meanwhile = reset;
        send_file(stream, SIZE, SIZE / 2);
        CHECK(belay_is_cut(stream));
        CHECK_EQ(belay_read(stream, bytes, 2), 1);
        CHECK_EQ(belay_read(stream, bytes, 2), -ECONNRESET);
        CHECK_EQ(belay_read(stream, bytes, 2), -ECONNRESET);
        belay_abort(stream);
}

/* The last byte was sent before the reset, so no call has reported the reset yet. */
static void check_reading_first(void) {
        belay_stream *stream = connect_to_peer();
        char byte;

        meanwhile = reset;
        send_file(stream, 1, 1);
        CHECK(!belay_is_cut(stream));
        CHECK_EQ(belay_read(stream, &byte, 1), -ECONNRESET);
        CHECK_EQ(belay_half_close(stream), -EPIPE);
        belay_abort(stream);
}

static void check_closing(void) {
        belay_stream *stream = connect_to_peer();

        meanwhile = reset;
        send_file(stream, 1, 1);
        CHECK_EQ(belay_close(stream, BELAY_SECOND), -ECONNRESET);
}

/*
 * A peer that ended gracefully is reported as such, although a file is being sent or this side has
 * ended too.
 */
static void check_end(void) {
        belay_stream *stream = connect_to_peer();
        char bytes[2];

        meanwhile = end;
        send_file(stream, SIZE, SIZE);
        CHECK_EQ(belay_read(stream, bytes, 2), 1);
        CHECK_EQ(belay_read(stream, bytes, 2), 0);
        close(peer);
        belay_abort(stream);

        stream = connect_to_peer();
        send_file(stream, 1, 1);
        CHECK_EQ(belay_half_close(stream), 0);
        CHECK_EQ(read(peer, bytes, 2), 1);
        CHECK_EQ(read(peer, bytes, 2), 0);
        close(peer);
        CHECK_EQ(belay_read(stream, bytes, 2), 0);
        CHECK_EQ(belay_close(stream, BELAY_SECOND), 0);
}

/*
 * A peer that had ended before is reported as such, whatever happens to the connection afterwards.
 */
static void check_end_before(void) {
        belay_stream *stream = connect_to_peer();
        char bytes[2];

        end();
        CHECK_EQ(belay_wait_fd(belay_stream_fd(stream), BELAY_READABLE), BELAY_READABLE);
        meanwhile = reset;
        send_file(stream, SIZE, SIZE / 2);
        CHECK_EQ(belay_read(stream, bytes, 2), 1);
        CHECK_EQ(belay_read(stream, bytes, 2), 0);
        belay_abort(stream);
}

static int app(void *arg) {
        (void) arg;
        check_reading();
        check_reading_first();
        check_closing();
        check_end();
        check_end_before();
        return 0;
}

int main(void) {
        CHECK_EQ(belay_run(app, NULL), 0);
        return 0;
}
