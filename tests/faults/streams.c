/* SPDX-License-Identifier: MIT */
/*
 * Faults in streams: sockets, pipes, copies, and files that are sent. The reader receives the bytes
 * that were counted as written, up to the point where the stream ended.
 */
#define _GNU_SOURCE
#include <pty.h>
#include <termios.h>

#include "faults/scenes.h"

/* ---- one writer, one reader ---- */

enum { BLOCK = 30000, LINE = 50 };

struct talk {
        belay_stream *writer, *reader;
        uint64_t written, read;
        bool ended; /* the writer has sent all bytes and ended the stream */
        bool read_to_end;
};

/* Writes the next bytes in one of several ways. Returns how many were moved. */
static ssize_t write_next(struct talk *talk, size_t size, int way) {
        static char block[BLOCK];
        struct iovec parts[3];
        ssize_t rc;

        fill(block, size, talk->written);
        for (int i = 0; i < 3; i++)
                parts[i] = (struct iovec) { block + size / 3 * (size_t) i,
                                            i < 2 ? size / 3 : size - 2 * (size / 3) };
        rc = way == 0   ? belay_write(talk->writer, block, size)
             : way == 1 ? belay_writev(talk->writer, parts, 3)
                        : belay_write_some(talk->writer, block, size);
        if (rc > 0)
                talk->written += (uint64_t) rc;
        CHECK(rc != 0);
        CHECK_EQ(belay_sent(talk->writer), talk->written);
        CHECK(way == 2 || rc < 0 || (size_t) rc == size || belay_is_cut(talk->writer));
        return rc;
}

static int writes(void *arg) {
        static const size_t sizes[] = { 10, BLOCK, 1, 2000, BLOCK };
        struct talk *talk = arg;
        ssize_t rc = 0;

        for (int i = 0; i < 5 && rc >= 0; i++) {
                rc = write_next(talk, sizes[i], i % 3);
                if (belay_is_cut(talk->writer)) {
                        char byte = 0;

                        CHECK(rc < (ssize_t) sizes[i]);
                        rc = belay_write(talk->writer, &byte, 1);
                        CHECK(rc < 0);
                }
        }
        if (rc < 0)
                return (int) rc;
        rc = belay_half_close(talk->writer);
        talk->ended = rc == 0 || rc == -EOPNOTSUPP;
        if (rc == -EOPNOTSUPP) {
                rc = belay_close(talk->writer, 0);
                talk->writer = NULL;
        }
        return (int) rc;
}

static ssize_t read_next(struct talk *talk, char *buffer, size_t size, int way) {
        const void *shown;
        ssize_t rc;

        switch (way) {
        case 0:
                return belay_read(talk->reader, buffer, size);
        case 1:
                return belay_read_exactly(talk->reader, buffer, size);
        case 2:
                rc = belay_read_until(talk->reader, "\x11", 1, buffer, size);
                return rc == -EMSGSIZE ? belay_read(talk->reader, buffer, size) : rc;
        default:
                rc = belay_peek(talk->reader, 10, &shown);
                if (rc <= 0)
                        return rc;
                if ((size_t) rc > size)
                        rc = (ssize_t) size;
                memcpy(buffer, shown, (size_t) rc);
                CHECK_EQ(belay_skip(talk->reader, (size_t) rc), rc);
                return rc;
        }
}

static int reads(void *arg) {
        struct talk *talk = arg;
        char buffer[5000];
        ssize_t rc = 1;

        for (int i = 0; rc > 0; i++) {
                rc = read_next(talk, buffer, sizeof(buffer), i % 4);
                if (rc <= 0)
                        break;
                check_filled(buffer, (size_t) rc, talk->read);
                talk->read += (uint64_t) rc;
                CHECK_EQ(belay_received(talk->reader), talk->read);
        }
        talk->read_to_end = rc == 0;
        return (int) rc;
}

static int talk(struct talk *talk) {
        belay_group group;
        int rc = belay_group_enter(&group);

        if (rc == 0) {
                rc = belay_group_spawn(&group, writes, talk);
                if (rc == 0)
                        rc = belay_group_spawn(&group, reads, talk);
                rc = belay_group_leave(&group, rc);
        }
        CHECK(talk->read <= talk->written);
        CHECK(!talk->read_to_end || talk->read == talk->written);
        CHECK(rc != 0 || (talk->ended && talk->read_to_end));
        belay_abort(talk->writer);
        belay_abort(talk->reader);
        return rc;
}

static int over_a_pair(void *arg) {
        struct talk self = { 0 };
        int rc = belay_stream_pair(&self.writer, &self.reader);

        (void) arg;
        return rc < 0 ? rc : talk(&self);
}

static int over_a_pipe(void *arg) {
        struct talk self = { 0 };
        int rc = belay_stream_pipe(&self.reader, &self.writer);

        (void) arg;
        return rc < 0 ? rc : talk(&self);
}

/* Descriptors that block. That of the reader stays with the program. */
static int over_descriptors(void *arg) {
        const belay_stream_options *keep = BELAY_OPTIONS(belay_stream_options, .keep_open = true);
        struct talk self = { 0 };
        int ends[2], rc;

        (void) arg;
        CHECK_EQ(REAL(pipe2)(ends, O_CLOEXEC), 0);
        rc = belay_stream_open_fd(&self.reader, ends[0], keep);
        if (rc == 0)
                rc = belay_stream_open_fd(&self.writer, ends[1], NULL);
        if (self.writer == NULL)
                REAL(close)(ends[1]);
        if (rc == 0)
                rc = talk(&self);
        else
                belay_abort(self.reader);
        CHECK_EQ(REAL(fcntl)(ends[0], F_GETFL, NULL) & O_NONBLOCK, 0);
        REAL(close)(ends[0]);
        return rc;
}

/* A terminal's O_NONBLOCK would affect all that share it. The stream must leave it unchanged. */
static int over_a_terminal(void *arg) {
        const belay_stream_options *keep = BELAY_OPTIONS(belay_stream_options, .keep_open = true);
        struct termios raw;
        char line[16];
        belay_stream *stream;
        int fds[2];
        ssize_t rc;

        (void) arg;
        CHECK_EQ(openpty(&fds[0], &fds[1], NULL, NULL, NULL), 0);
        CHECK_EQ(tcgetattr(fds[1], &raw), 0);
        cfmakeraw(&raw);
        CHECK_EQ(tcsetattr(fds[1], TCSANOW, &raw), 0);
        rc = belay_stream_open_fd(&stream, fds[1], keep);
        if (rc == 0) {
                rc = belay_write(stream, "hello\n", 6);
                for (ssize_t got = 0; rc == 6 && got < 6;)
                        got += REAL(read)(fds[0], line, (size_t) (6 - got));
                CHECK_EQ(REAL(write)(fds[0], "there\n", 6), 6);
                if (rc == 6)
                        rc = belay_read_line(stream, line, sizeof(line));
                /* An error of the terminal is reported like the end of the stream. */
                CHECK(rc <= 0 || (rc == 6 && strcmp(line, "there\n") == 0) || belay_is_cut(stream));
                CHECK_EQ(belay_close(stream, 0), 0);
        }
        CHECK_EQ(REAL(fcntl)(fds[1], F_GETFL, NULL) & O_NONBLOCK, 0);
        REAL(close)(fds[0]);
        REAL(close)(fds[1]);
        return rc > 0 ? 0 : (int) rc;
}

static int terminal(void) {
        return run_loop(over_a_terminal, NULL);
}

static int pair(void) {
        return run_loop(over_a_pair, NULL);
}

static int pipes(void) {
        return run_loop(over_a_pipe, NULL);
}

static int descriptors(void) {
        return run_loop(over_descriptors, NULL);
}

/* ---- copies ---- */

struct copy {
        belay_stream *from, *to;
        int64_t copied;
};

static int copies(void *arg) {
        struct copy *copy = arg;
        int rc = belay_copy(copy->to, copy->from, -1, &copy->copied);

        CHECK_EQ(belay_received(copy->from), copy->copied);
        CHECK_EQ(belay_sent(copy->to), copy->copied);
        return rc < 0 ? rc : belay_half_close(copy->to);
}

static int through_a_copy(void *arg) {
        struct talk self = { 0 };
        struct copy copy = { 0 };
        belay_group group;
        int rc = belay_stream_pair(&self.writer, &copy.from);

        (void) arg;
        if (rc == 0)
                rc = belay_stream_pair(&copy.to, &self.reader);
        if (rc == 0)
                rc = belay_group_enter(&group);
        if (rc == 0) {
                rc = belay_group_spawn(&group, copies, &copy);
                if (rc == 0)
                        rc = belay_group_spawn(&group, writes, &self);
                if (rc == 0)
                        rc = belay_group_spawn(&group, reads, &self);
                rc = belay_group_leave(&group, rc);
        }
        CHECK(self.read <= (uint64_t) copy.copied && (uint64_t) copy.copied <= self.written);
        CHECK(rc != 0 || (self.read_to_end && self.read == self.written));
        belay_abort(self.writer);
        belay_abort(self.reader);
        belay_abort(copy.from);
        belay_abort(copy.to);
        return rc;
}

static int copying(void) {
        return run_loop(through_a_copy, NULL);
}

/* ---- files ---- */

enum { FILE_SIZE = 100000 };

static int file = -1;

static void prepare_file(void) {
        static char block[FILE_SIZE];

        if (file >= 0)
                return;
        file = (int) REAL(syscall)(SYS_memfd_create, "file", 0, 0, 0, 0, 0);
        fill(block, sizeof(block), 0);
        CHECK_EQ(REAL(pwrite)(file, block, sizeof(block), 0), sizeof(block));
}

static int sends_file(void *arg) {
        struct talk *talk = arg;
        int64_t rc = belay_send_file(talk->writer, file, 0, FILE_SIZE);
        char byte = 0;

        if (rc > 0)
                talk->written += (uint64_t) rc;
        CHECK_EQ(belay_sent(talk->writer), talk->written);
        if (rc > 0 && rc < FILE_SIZE) {
                CHECK(belay_is_cut(talk->writer));
                rc = belay_write(talk->writer, &byte, 1);
                CHECK(rc < 0);
        }
        if (rc < 0)
                return (int) rc;
        talk->ended = true;
        rc = belay_close(talk->writer, 0);
        talk->writer = NULL;
        return (int) rc;
}

static int send_over(struct talk *talk) {
        belay_group group;
        int rc = belay_group_enter(&group);

        if (rc == 0) {
                rc = belay_group_spawn(&group, sends_file, talk);
                if (rc == 0)
                        rc = belay_group_spawn(&group, reads, talk);
                rc = belay_group_leave(&group, rc);
        }
        CHECK(talk->read <= talk->written);
        CHECK(!talk->read_to_end || talk->read == talk->written);
        CHECK(rc != 0 || talk->read == FILE_SIZE);
        belay_abort(talk->writer);
        belay_abort(talk->reader);
        return rc;
}

static int sends_over_a_pair(void *arg) {
        struct talk self = { 0 };
        int rc = belay_stream_pair(&self.writer, &self.reader);

        (void) arg;
        return rc < 0 ? rc : send_over(&self);
}

static int sends_over_a_pipe(void *arg) {
        struct talk self = { 0 };
        int rc = belay_stream_pipe(&self.reader, &self.writer);

        (void) arg;
        return rc < 0 ? rc : send_over(&self);
}

static int sending(void) {
        return run_loop(sends_over_a_pair, NULL);
}

static int sending_through_memory(void) {
        return run_loop(sends_over_a_pipe, NULL);
}

/* ---- */

int main(int argument_count, char **arguments) {
        static const struct scene scenes[] = {
                { "pair", pair, NULL },
                { "pipe", pipes, NULL },
                { "descriptors", descriptors, NULL },
                { "terminal", terminal, NULL },
                { "copy", copying, NULL },
                { "send file", sending, prepare_file },
                { "send file through memory", sending_through_memory, prepare_file },
        };

        return RUN_SCENES(scenes);
}
