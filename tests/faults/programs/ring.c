/* SPDX-License-Identifier: MIT */
/*
 * Uses each kind of operation of a ring, with timeouts and cancellations. Prints the back end, and
 * fails if a result is wrong.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/help.h"

enum { ROUNDS = 5, SIZE = 20000 };

static int echo(belay_stream *stream, void *arg) {
        (void) arg;
        return belay_copy(stream, stream, -1, NULL);
}

static int serve(void *listener) {
        return belay_serve(listener, echo, NULL, NULL);
}

static int write_all(void *stream) {
        static char data[SIZE];

        CHECK_EQ(belay_write(stream, data, SIZE), SIZE);
        return belay_half_close(stream);
}

static void talk(const char *endpoint) {
        belay_stream *stream;
        belay_timeout limit;
        belay_task *writer;
        char data[SIZE];
        int outcome;

        CHECK_EQ(belay_connect(&stream, endpoint, NULL), 0);
        belay_timeout_enter(&limit, BELAY_MILLISECOND);
        CHECK_EQ(belay_timeout_leave(&limit, (int) belay_read(stream, data, 1)), -ETIMEDOUT);
        writer = must(belay_spawn(write_all, stream));
        CHECK_EQ(belay_read_exactly(stream, data, SIZE), SIZE);
        CHECK_EQ(belay_read(stream, data, 1), 0);
        CHECK_EQ(belay_join(writer, &outcome), 0);
        CHECK_EQ(outcome, 0);
        belay_release(writer);
        CHECK_EQ(belay_close(stream, BELAY_SECOND), 0);
}

static void use_file(const char *path) {
        char *data;
        size_t size;

        CHECK_EQ(belay_file_write_all(path, "some text", 9, 0600), 0);
        CHECK_EQ(belay_file_read_all(path, 0, &data, &size), 0);
        CHECK_EQ(size, 9);
        CHECK_STR(data, "some text");
        belay_file_free(data);
}

static int app(void *path) {
        belay_listener *listener;
        belay_task *server;

        printf("%s\n", belay_loop_backend(NULL));
        CHECK_EQ(belay_listen(&listener, "127.0.0.1:0", NULL), 0);
        server = must(belay_spawn(serve, listener));
        for (int round = 0; round < ROUNDS; round++) {
                talk(belay_listener_endpoint(listener));
                use_file(path);
        }
        CHECK_EQ(belay_cancel_wait(server, NULL, BELAY_NEVER, NULL), 0);
        belay_release(server);
        belay_listener_close(listener);
        return 0;
}

int main(int argc, char **argv) {
        CHECK_EQ(argc, 2);
        CHECK_EQ(belay_run_with(
                         app, argv[1],
                         BELAY_OPTIONS(belay_loop_options, .backend = BELAY_BACKEND_IO_URING)),
                 0);
        return 0;
}
