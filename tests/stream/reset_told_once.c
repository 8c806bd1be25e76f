/* SPDX-License-Identifier: MIT */
/*
 * The kernel reports the reset of a connection only once, to the first call. If that is a write, a
 * reader must not take the state after it for a graceful end, because bytes may be missing.
 */
#include <fcntl.h>

#include "base/help.h"

static void connect_both(belay_stream **client, belay_stream **server) {
        belay_listener *listener;

        CHECK_EQ(belay_listen(&listener, "127.0.0.1:0", NULL), 0);
        CHECK_EQ(belay_connect(client, belay_listener_endpoint(listener), NULL), 0);
        CHECK_EQ(belay_accept(listener, server), 0);
        belay_listener_close(listener);
}

typedef ssize_t write_fn(belay_stream *stream);

static ssize_t write_plainly(belay_stream *stream) {
        return belay_write(stream, "x", 1);
}

static ssize_t write_what_fits(belay_stream *stream) {
        return belay_write_some(stream, "x", 1);
}

static ssize_t write_from_a_file(belay_stream *stream) {
        int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        int64_t rc;

        CHECK(fd >= 0);
        rc = belay_send_file(stream, fd, 0, 1);
        close(fd);
        return (ssize_t) rc;
}

static void check(write_fn *write) {
        belay_stream *client, *server;
        ssize_t rc;
        char byte;

        connect_both(&client, &server);
        CHECK_EQ(belay_write(client, "ab", 2), 2);
        CHECK_EQ(belay_read(server, &byte, 1), 1);
        belay_abort(client);
        do
                rc = write(server);
        while (rc == 1);
        CHECK_EQ(rc, -ECONNRESET);
        /*
         * The bytes that arrived before the reset may be there or not, but the end of the stream
         * must not be reported.
         */
        do
                rc = belay_read(server, &byte, 1);
        while (rc == 1);
        CHECK_EQ(rc, -ECONNRESET);
        CHECK_EQ(belay_read(server, &byte, 1), -ECONNRESET);
        /* It is too late for a half-close. */
        CHECK_EQ(belay_half_close(server), -EPIPE);
        CHECK_EQ(belay_close(server, BELAY_SECOND), 0);
}

static int copy_back(void *arg) {
        return belay_copy(arg, arg, -1, NULL);
}

/* The same if the write is part of a copy. */
static void check_copy(void) {
        belay_stream *client, *server;
        belay_task *task;
        int outcome;
        char byte;

        connect_both(&client, &server);
        CHECK_EQ(belay_write(client, "ab", 2), 2);
        task = must(belay_spawn(copy_back, server));
        CHECK_EQ(belay_read(client, &byte, 1), 1);
        belay_abort(client);
        CHECK_EQ(belay_join(task, &outcome), 0);
        CHECK_EQ(outcome, -ECONNRESET);
        CHECK_EQ(belay_read(server, &byte, 1), -ECONNRESET);
        belay_release(task);
        belay_abort(server);
}

/* A peer that ended gracefully is reported as such, although it does not read any more. */
static void check_end(void) {
        belay_stream *client, *server;
        char byte;

        connect_both(&client, &server);
        CHECK_EQ(belay_write(client, "ab", 2), 2);
        CHECK_EQ(belay_close(client, 0), 0);
        while (belay_write(server, "x", 1) == 1)
                ;
        CHECK_EQ(belay_read(server, &byte, 1), 1);
        CHECK_EQ(belay_read(server, &byte, 1), 1);
        CHECK_EQ(belay_read(server, &byte, 1), 0);
        belay_abort(server);
}

static int app(void *arg) {
        (void) arg;
        check(write_plainly);
        check(write_what_fits);
        check(write_from_a_file);
        check_copy();
        check_end();
        return 0;
}

int main(void) {
        CHECK_EQ(belay_run(app, NULL), 0);
        return 0;
}
