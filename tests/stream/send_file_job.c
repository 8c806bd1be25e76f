/* SPDX-License-Identifier: MIT */
/*
 * The jobs that a stream gives to the thread pool: one step of sending a file, and one pread().
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/socket.h>

#include "thread/pool.h"

#include "../base/help.h"

enum { SIZE = 4 * 1024 * 1024 };

static int file;

static char byte_at(size_t i) {
        return (char) (i * 7 + i / 4096);
}

static void make_file(void) {
        const char *tmp = getenv("TMPDIR");
        char *data = malloc(SIZE);

        file = open(tmp != NULL ? tmp : "/tmp", O_RDWR | O_TMPFILE, 0600);
        if (file < 0)
                SKIP("no files without a name here");
        for (size_t i = 0; i < SIZE; i++)
                data[i] = byte_at(i);
        CHECK_EQ(write(file, data, SIZE), SIZE);
        free(data);
}

static char room[65536];

static struct bly_sending sending_to(int out, int64_t offset, int64_t size) {
        return (struct bly_sending) {
                .socket = out,
                .file = file,
                .offset = offset,
                .left = size,
                .buffer = room,
                .room = sizeof(room),
        };
}

/* Returns the number of bytes that were sent, or the socket's error if none was. */
static int64_t step(struct bly_sending *state) {
        ssize_t rc = bly_pool_send(belay_loop_self(), state, "here:1");

        return rc != 0 ? rc : state->socket_error;
}

static int64_t send_from(int out, int64_t offset, int64_t size) {
        struct bly_sending state = sending_to(out, offset, size);

        return step(&state);
}

static int sends(void *arg) {
        static char buffer[65536];
        struct bly_sending state;
        int64_t sent = 0, got = 0, rc;
        int ends[2];

        (void) arg;
        /* The descriptor blocks, but the pool thread must not. */
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        state = sending_to(ends[0], 0, SIZE);
        CHECK_EQ(lseek(file, 5, SEEK_SET), 5);
        while (sent < SIZE) {
                rc = step(&state);
                if (rc == -EAGAIN) {
                        rc = read(ends[1], buffer, sizeof(buffer));
                        CHECK(rc > 0);
                        for (int64_t i = 0; i < rc; i++)
                                CHECK(buffer[i] == byte_at((size_t) (got + i)));
                        got += rc;
                        continue;
                }
                CHECK(rc > 0);
                sent += rc;
        }
        CHECK(got > 0);
        CHECK(state.left == 0 && state.start == state.end && !state.ended);
        /* The end of the file. The descriptor's own offset is unchanged. */
        CHECK_EQ(send_from(ends[0], SIZE, 100), 0);
        CHECK_EQ(lseek(file, 0, SEEK_CUR), 5);
        close(ends[1]);
        /* A closed peer raises no SIGPIPE. */
        CHECK_EQ(send_from(ends[0], 0, 100), -EPIPE);
        close(ends[0]);
        CHECK_EQ(send_from(ends[0], 0, 100), -EBADF);
        return 0;
}

static int reads(void *arg) {
        char buffer[100];
        belay_loop *loop = belay_loop_self();

        (void) arg;
        CHECK_EQ(bly_pool_read(loop, file, buffer, sizeof(buffer), 1000, "here:1"), 100);
        for (size_t i = 0; i < sizeof(buffer); i++)
                CHECK(buffer[i] == byte_at(1000 + i));
        CHECK_EQ(bly_pool_read(loop, file, buffer, sizeof(buffer), SIZE - 10, "here:1"), 10);
        CHECK_EQ(bly_pool_read(loop, file, buffer, sizeof(buffer), SIZE, "here:1"), 0);
        CHECK_EQ(bly_pool_read(loop, -1, buffer, sizeof(buffer), 0, "here:1"), -EBADF);
        return 0;
}

static int cancelled(void *arg) {
        char buffer[100];
        int ends[2];

        (void) arg;
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        CHECK(belay_cancel(belay_self(), NULL));
        CHECK_EQ(send_from(ends[0], 0, 100), -ECANCELED);
        CHECK_EQ(read(ends[1], buffer, sizeof(buffer)), -1);
        CHECK(belay_cancel(belay_self(), NULL));
        CHECK_EQ(bly_pool_read(belay_loop_self(), file, buffer, sizeof(buffer), 0, "here:1"),
                 -ECANCELED);
        CHECK_EQ(belay_uncancel(belay_self()), 1);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        close(ends[0]);
        close(ends[1]);
        return 0;
}

int main(void) {
        make_file();
        RUN_VIRTUAL(sends);
        CHECK_EQ(belay_run(sends, NULL), 0);
        RUN_VIRTUAL(reads);
        RUN_VIRTUAL(cancelled);
        return 0;
}
