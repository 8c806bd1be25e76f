/* SPDX-License-Identifier: MIT */
/*
 * Sending files over sockets, where the kernel moves the bytes, and over all other streams. Parts
 * of files, files that end early, and the state after a cancellation.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>

#include "stream/streams.h"

enum { SIZE = 1 << 20 };

static belay_stream *ends[2];
static char data[SIZE], buffer[SIZE];

static void close_both(void) {
        CHECK_EQ(belay_close(ends[0], 0), 0);
        CHECK_EQ(belay_close(ends[1], 0), 0);
}

/* Makes a file without a name, of `size` bytes. */
static int make_file(size_t size) {
        int fd = memfd_create("sent", MFD_CLOEXEC);

        CHECK(fd >= 0);
        fill(data, size, 0);
        CHECK_EQ(write(fd, data, size), size);
        CHECK_EQ(lseek(fd, 5, SEEK_SET), 5);
        return fd;
}

static int parts_of_files(void *arg) {
        static const struct {
                int64_t offset, size, expected;
        } cases[] = {
                { 0, 1000, 1000 },
                { 0, 1, 1 },
                { 999, 1, 1 },
                { 100, 200, 200 },
                { 0, 0, 0 },
                /* The file ends before the requested part. */
                { 0, 1001, 1000 },
                { 990, 100, 10 },
                { 1000, 10, 0 },
                { 5000, 10, 0 },
                { 0, INT64_MAX, 1000 },
        };
        struct subject *subject = arg;
        int fd = make_file(1000);
        uint64_t sent = 0;

        open_ends(subject->kind, ends);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                int64_t size = cases[i].expected;

                CHECK_EQ(belay_send_file(ends[0], fd, cases[i].offset, cases[i].size), size);
                CHECK_EQ(belay_read_exactly(ends[1], buffer, (size_t) size), size);
                CHECK(is_filled(buffer, (size_t) size, (uint64_t) cases[i].offset));
                sent += (uint64_t) size;
                CHECK_EQ(belay_sent(ends[0]), sent);
                CHECK(!belay_is_cut(ends[0]));
        }
        /* The offset of the descriptor was neither used nor changed. */
        CHECK_EQ(lseek(fd, 0, SEEK_CUR), 5);
        close(fd);
        close_both();
        return 0;
}

static int wrong(void *arg) {
        struct subject *subject = arg;
        int fd = make_file(100), directory = open("/", O_RDONLY | O_CLOEXEC), fds[2];
        int64_t rc;

        open_ends(subject->kind, ends);
        CHECK(directory >= 0);
        CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
        CHECK_EQ(belay_send_file(ends[0], -1, 0, 10), -EBADF);
        CHECK_EQ(belay_send_file(ends[0], fd, -1, 10), -EINVAL);
        CHECK_EQ(belay_send_file(ends[0], fd, 0, -1), -EINVAL);
        rc = belay_send_file(ends[0], directory, 0, 10);
        CHECK(rc == -EISDIR || rc == -EINVAL);
        CHECK(belay_send_file(ends[0], fds[0], 0, 10) == -ESPIPE);
        CHECK(belay_send_file(ends[0], fds[1], 0, 10) < 0);
        CHECK_EQ(belay_sent(ends[0]), 0);
        CHECK(!belay_is_cut(ends[0]));
        CHECK_EQ(belay_send_file(ends[0], fd, 0, 100), 100);
        CHECK_EQ(belay_read_exactly(ends[1], buffer, 100), 100);
        close(fd);
        close(directory);
        close(fds[0]);
        close(fds[1]);
        close_both();
        return 0;
}

/* A file much larger than the stream's buffers. */
static int slow_reader(void *arg) {
        struct subject *subject = arg;
        struct once reader = { .buffer = buffer, .size = SIZE };
        int fd = make_file(SIZE);
        belay_task *task;

        open_ends(subject->kind, ends);
        reader.stream = ends[1];
        task = must(belay_spawn(read_exactly_once, &reader));
        CHECK_EQ(belay_send_file(ends[0], fd, 0, SIZE), SIZE);
        join_task(task, 0);
        CHECK_EQ(reader.result, SIZE);
        CHECK(is_filled(buffer, SIZE, 0));
        CHECK_EQ(belay_sent(ends[0]), SIZE);
        close(fd);
        close_both();
        return 0;
}

/* ---- cancelled, and truncated ---- */

struct sender {
        int fd;
        int64_t result;
        bool done;
};

static int send_it(void *arg) {
        struct sender *self = arg;

        self->result = belay_send_file(ends[0], self->fd, 0, SIZE);
        self->done = true;
        return 0;
}

/* Reads a part of the file, so that the transfer is in progress. */
static void read_some(size_t size) {
        CHECK_EQ(belay_read_exactly(ends[1], buffer, size), size);
}

static int cancelled(void *arg) {
        struct subject *subject = arg;
        struct sender sender = { .fd = make_file(SIZE) };
        belay_task *task;

        open_ends(subject->kind, ends);
        task = must(belay_spawn(send_it, &sender));
        read_some(1000);
        let_run();
        CHECK(!sender.done);
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(belay_join(task, NULL), 0);
        belay_release(task);
        /* The peer has received exactly the bytes that were counted. */
        CHECK(sender.result >= 1000 && sender.result < SIZE);
        CHECK_EQ(belay_sent(ends[0]), sender.result);
        CHECK(belay_is_cut(ends[0]));
        CHECK_EQ(belay_send_file(ends[0], sender.fd, 0, 1), -ENOTRECOVERABLE);
        CHECK_EQ(belay_read_exactly(ends[1], buffer + 1000, (size_t) sender.result - 1000),
                 sender.result - 1000);
        CHECK(is_filled(buffer, (size_t) sender.result, 0));
        CHECK_EQ(belay_mend(ends[0]), 0);
        CHECK_EQ(belay_send_file(ends[0], sender.fd, sender.result, 10), 10);
        CHECK_EQ(belay_read_exactly(ends[1], buffer, 10), 10);
        CHECK(is_filled(buffer, 10, (uint64_t) sender.result));
        close(sender.fd);
        close_both();
        return 0;
}

/* Cancelled before the first byte. */
static int cancelled_at_once(void *arg) {
        struct subject *subject = arg;
        struct sender sender = { .fd = make_file(SIZE) };
        belay_task *task;
        ssize_t size;

        /* A terminal has more room after a while. */
        if (subject->kind == TERMINAL) {
                close(sender.fd);
                return 0;
        }
        open_ends(subject->kind, ends);
        /* Write until there is no more room. */
        do {
                belay_timeout limit;

                CHECK_EQ(belay_timeout_enter(&limit, 10 * BELAY_MILLISECOND), 0);
                size = belay_write_some(ends[0], data, SIZE);
                size = belay_timeout_leave(&limit, (int) size);
        } while (size > 0);
        CHECK_EQ(size, -ETIMEDOUT);
        task = must(belay_spawn(send_it, &sender));
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK(!sender.done);
        CHECK(belay_cancel(task, NULL));
        join_task(task, 0);
        CHECK_EQ(sender.result, -ECANCELED);
        CHECK(!belay_is_cut(ends[0]));
        close(sender.fd);
        belay_abort(ends[0]);
        belay_abort(ends[1]);
        return 0;
}

static int shrinks(void *arg) {
        struct subject *subject = arg;
        struct sender sender = { .fd = make_file(SIZE) };
        struct once reader = { .buffer = buffer + 1000, .size = SIZE - 1000 };
        belay_task *task, *reading;

        open_ends(subject->kind, ends);
        task = must(belay_spawn(send_it, &sender));
        read_some(1000);
        CHECK(!sender.done);
        CHECK_EQ(ftruncate(sender.fd, 2000), 0);
        reader.stream = ends[1];
        reading = must(belay_spawn(read_exactly_once, &reader));
        join_task(task, 0);
        CHECK(sender.result >= 1000 && sender.result < SIZE);
        CHECK(!belay_is_cut(ends[0]));
        CHECK_EQ(belay_close(ends[0], 0), 0);
        join_task(reading, 0);
        CHECK_EQ(reader.result, sender.result - 1000);
        /*
         * The socket refers to pages of the file. Those that the truncation removed may read as
         * zeros, so only the bytes read before it are checked.
         */
        CHECK(is_filled(buffer, 1000, 0));
        close(sender.fd);
        CHECK_EQ(belay_close(ends[1], 0), 0);
        return 0;
}

/* Another task closes the stream meanwhile. */
static int closed(void *arg) {
        struct subject *subject = arg;
        struct sender sender = { .fd = make_file(SIZE) };
        belay_task *task;

        open_ends(subject->kind, ends);
        task = must(belay_spawn(send_it, &sender));
        read_some(1000);
        CHECK(!sender.done);
        belay_abort(ends[0]);
        join_task(task, 0);
        CHECK_EQ(sender.result, -EBADF);
        close(sender.fd);
        belay_abort(ends[1]);
        return 0;
}

/* The peer does not read. SIGPIPE has its default action. */
static int broken(void *arg) {
        struct subject *subject = arg;
        int fd = make_file(SIZE);
        int64_t rc;

        if (subject->kind == TERMINAL) {
                close(fd);
                return 0;
        }
        open_ends(subject->kind, ends);
        CHECK_EQ(belay_close(ends[1], 0), 0);
        do
                rc = belay_send_file(ends[0], fd, 0, SIZE);
        while (rc > 0 && !belay_is_cut(ends[0]));
        CHECK(rc == -EPIPE || (rc > 0 && belay_send_file(ends[0], fd, 0, SIZE) == -EPIPE));
        CHECK_EQ(belay_send_file(ends[0], fd, 0, SIZE), -EPIPE);
        close(fd);
        CHECK_EQ(belay_close(ends[0], 0), 0);
        return 0;
}

/* The connection breaks while there is no room. */
static int breaks(void *arg) {
        struct subject *subject = arg;
        struct sender sender = { .fd = make_file(SIZE) };
        belay_task *task;

        if (subject->kind == TERMINAL) {
                close(sender.fd);
                return 0;
        }
        open_ends(subject->kind, ends);
        task = must(belay_spawn(send_it, &sender));
        read_some(1000);
        CHECK(!sender.done);
        CHECK_EQ(belay_close(ends[1], 0), 0);
        join_task(task, 0);
        CHECK(sender.result >= 1000 && sender.result < SIZE);
        CHECK_EQ(belay_sent(ends[0]), sender.result);
        close(sender.fd);
        CHECK_EQ(belay_close(ends[0], 0), 0);
        return 0;
}

int main(void) {
        RUN_ALL_KINDS(parts_of_files);
        RUN_ALL_KINDS(wrong);
        RUN_ALL_KINDS(slow_reader);
        RUN_ALL_KINDS(cancelled);
        RUN_ALL_KINDS(cancelled_at_once);
        RUN_ALL_KINDS(shrinks);
        RUN_ALL_KINDS(closed);
        signal(SIGPIPE, SIG_DFL);
        RUN_ALL_KINDS(broken);
        RUN_ALL_KINDS(breaks);
        return 0;
}
