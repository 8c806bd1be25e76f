/* SPDX-License-Identifier: MIT */
/*
 * Shared by the tests of streams: two ends of each kind, bytes that show their position, and tasks
 * that feed and drain.
 */
#ifndef BELAY_TESTS_STREAMS_H
#define BELAY_TESTS_STREAMS_H

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <termios.h>

#include "base/help.h"

/* ---- bytes ---- */

/* Returns the byte at this position of all that is sent. */
static inline char byte_at(uint64_t place) {
        return (char) ((place * 0x9e3779b97f4a7c15) >> 56);
}

static inline void fill(void *buffer, size_t size, uint64_t from) {
        for (size_t i = 0; i < size; i++)
                ((char *) buffer)[i] = byte_at(from + i);
}

static inline bool is_filled(const void *buffer, size_t size, uint64_t from) {
        for (size_t i = 0; i < size; i++)
                if (((const char *) buffer)[i] != byte_at(from + i))
                        return false;
        return true;
}

/* ---- two ends ---- */

enum kind {
        WIRE,
        WIRE_OF_BYTES, /* one byte a read */
        WIRE_RAGGED,   /* slow, with pieces of random sizes */
        WIRES,         /* number of kinds in memory */
        PAIR = WIRES,
        PIPE, /* only from [0] to [1] */
        /* raw; [1] is its master, which still reads the bytes that arrived when [0] is closed */
        TERMINAL,
        KINDS
};

static const char *const kind_names[] = { "wire", "wire of bytes", "ragged wire",
                                          "pair", "pipe",          "terminal" };

/* Opens a terminal, [0], and its master, [1]. */
static inline void open_pty(int fds[2], bool raw) {
        struct termios state;
        char path[32];
        int number, unlocked = 0;

        fds[1] = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
        CHECK(fds[1] >= 0);
        CHECK_EQ(ioctl(fds[1], TIOCSPTLCK, &unlocked), 0);
        CHECK_EQ(ioctl(fds[1], TIOCGPTN, &number), 0);
        snprintf(path, sizeof(path), "/dev/pts/%d", number);
        fds[0] = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
        CHECK(fds[0] >= 0);
        CHECK_EQ(tcgetattr(fds[0], &state), 0);
        if (raw)
                cfmakeraw(&state);
        CHECK_EQ(tcsetattr(fds[0], TCSANOW, &state), 0);
}

static inline void open_terminal(belay_stream *ends[2]) {
        int fds[2];

        open_pty(fds, true);
        CHECK_EQ(belay_stream_open_fd(&ends[0], fds[0], NULL), 0);
        CHECK_EQ(belay_stream_open_fd(&ends[1], fds[1], NULL), 0);
}

static inline void open_ends(enum kind kind, belay_stream *ends[2]) {
        static const belay_wire_options of_bytes = {
                .size = sizeof(of_bytes),
                .ways = { { .read_most = 1 }, { .read_most = 1 } },
        };
        static const belay_wire_options ragged = {
                .size = sizeof(ragged),
                .ways = {
                        {
                                .delay = BELAY_SECOND,
                                .jitter = BELAY_SECOND,
                                .room = 5000,
                                .ragged = true,
                        },
                        { .jitter = 3 * BELAY_SECOND, .room = 77, .ragged = true },
                },
                .seed = 7,
        };

        switch (kind) {
        case WIRE:
                CHECK_EQ(belay_wire(ends, NULL), 0);
                break;
        case WIRE_OF_BYTES:
                CHECK_EQ(belay_wire(ends, &of_bytes), 0);
                break;
        case WIRE_RAGGED:
                CHECK_EQ(belay_wire(ends, &ragged), 0);
                break;
        case PAIR:
                CHECK_EQ(belay_stream_pair(&ends[0], &ends[1]), 0);
                break;
        case PIPE:
                CHECK_EQ(belay_stream_pipe(&ends[1], &ends[0]), 0);
                break;
        default:
                open_terminal(ends);
                break;
        }
        CHECK(ends[0] != NULL && ends[1] != NULL);
}

/* The argument of a test: the kind of stream, and other parameters. */
struct subject {
        enum kind kind;
        size_t piece; /* bytes that are written at a time */
};

/* Wires run on a virtual clock. Descriptors run in real time, but wait only for each other. */
static inline void run_kind(belay_fn *fn, const char *name, enum kind kind, size_t piece) {
        struct subject subject = { kind, piece };

        printf("%s over a %s, pieces of %zu\n", name, kind_names[kind], piece);
        CHECK_EQ(belay_run_with(fn, &subject, kind < WIRES ? VIRTUAL : NULL), 0);
}

#define RUN_ALL_KINDS(fn)                                       \
        do {                                                    \
                for (int kind = 0; kind < KINDS; kind++)        \
                        run_kind(fn, #fn, (enum kind) kind, 0); \
        } while (0)

/* ---- feeding ---- */

/* A task that writes the data in pieces, lets other tasks run after each, and closes the stream. */
struct feed {
        belay_stream *stream;
        const char *data;
        size_t size, piece; /* bytes in all and in a piece, or 0 for one piece */
        belay_task *task;
};

static inline int feed(void *arg) {
        struct feed *self = arg;

        for (size_t at = 0, size; at < self->size; at += size) {
                size = self->piece > 0 && self->piece < self->size - at ? self->piece
                                                                        : self->size - at;
                CHECK_EQ(belay_write(self->stream, self->data + at, size), size);
                CHECK_EQ(belay_yield(), 0);
        }
        CHECK_EQ(belay_sent(self->stream), self->size);
        CHECK_EQ(belay_close(self->stream, 0), 0);
        return 0;
}

static inline void start_feed(struct feed *self, belay_stream *stream, const void *data,
                              size_t size, size_t piece) {
        *self = (struct feed) { stream, data, size, piece, NULL };
        self->task = must(belay_spawn(feed, self));
}

static inline void join_task(belay_task *task, int expected) {
        int outcome = 1;

        CHECK_EQ(belay_join(task, &outcome), 0);
        CHECK_EQ(outcome, expected);
        belay_release(task);
}

/* ---- tasks that write or read once ---- */

struct once {
        belay_stream *stream;
        const void *data;
        void *buffer;
        size_t size;
        ssize_t result;
        bool done;
};

static inline int write_once(void *arg) {
        struct once *self = arg;

        self->result = belay_write(self->stream, self->data, self->size);
        self->done = true;
        return 0;
}

static inline int read_once(void *arg) {
        struct once *self = arg;

        self->result = belay_read(self->stream, self->buffer, self->size);
        self->done = true;
        return 0;
}

static inline int read_exactly_once(void *arg) {
        struct once *self = arg;

        self->result = belay_read_exactly(self->stream, self->buffer, self->size);
        self->done = true;
        return 0;
}

/* Lets all ready tasks run. */
static inline void let_run(void) {
        for (int i = 0; i < 5; i++)
                CHECK_EQ(belay_yield(), 0);
}

#endif
