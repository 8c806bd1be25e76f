/* SPDX-License-Identifier: MIT */
/*
 * Which errors of a transport are permanent. The stream repeats a permanent error without a call of
 * the transport, and tries again after any other.
 */
#include "stream/streams.h"

/* A transport that fails with a code until it is 0, and then moves one byte at a time. */
struct failing {
        ssize_t reads, writes; /* what they return if not 1 */
        unsigned read_calls, write_calls;
};

static ssize_t read_one(void *self, void *buffer, size_t size) {
        struct failing *failing = self;

        CHECK(size > 0);
        failing->read_calls++;
        if (failing->reads == 1)
                *(char *) buffer = 'x';
        return failing->reads;
}

static ssize_t write_one(void *self, const struct iovec *parts, int count) {
        struct failing *failing = self;

        CHECK(count > 0 && parts[0].iov_len > 0);
        failing->write_calls++;
        return failing->writes;
}

static void interrupt(void *self) {
        (void) self;
}

static void destroy(void *self, bool abort) {
        (void) self;
        (void) abort;
}

static const belay_transport transport = {
        .size = sizeof(transport),
        .name = "failing",
        .read = read_one,
        .write = write_one,
        .interrupt = interrupt,
        .destroy = destroy,
};

static struct failing failing;

static belay_stream *open_failing(ssize_t reads, ssize_t writes) {
        belay_stream *stream;

        failing = (struct failing) { .reads = reads, .writes = writes };
        CHECK_EQ(belay_stream_new(&stream, &transport, &failing), 0);
        return stream;
}

/* ---- reading ---- */

static void read_fails(int code, bool is_permanent) {
        belay_stream *stream = open_failing(code, 1);
        char byte;

        CHECK_EQ(belay_read(stream, &byte, 1), code);
        failing.reads = 1;
        CHECK_EQ(belay_read(stream, &byte, 1), is_permanent ? code : 1);
        CHECK_EQ(failing.read_calls, is_permanent ? 1 : 2);
        /* Writing goes on. */
        CHECK_EQ(belay_write(stream, "ab", 2), 2);
        belay_abort(stream);
}

static int reading(void *arg) {
        static const int passing[] = { EDEADLK, ENOMEM, ENOBUFS, ENOSPC, EBADF, EPERM },
                         permanent[] = { ECONNRESET, ETIMEDOUT, EIO, EPIPE, EPROTO, EINVAL };
        belay_stream *stream;
        char byte;

        (void) arg;
        for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
                read_fails(-passing[i], false);
        for (size_t i = 0; i < sizeof(permanent) / sizeof(permanent[0]); i++)
                read_fails(-permanent[i], true);
        /* So is the end of stream. */
        stream = open_failing(0, 1);
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_read(stream, &byte, 1), 0);
                failing.reads = 1;
        }
        CHECK_EQ(failing.read_calls, 1);
        belay_abort(stream);
        return 0;
}

/* ---- writing ---- */

static void write_fails(int code, int told, bool is_permanent) {
        belay_stream *stream = open_failing(1, code);
        char byte;

        CHECK_EQ(belay_write(stream, "ab", 2), told);
        CHECK(!belay_is_cut(stream));
        failing.writes = 1;
        CHECK_EQ(belay_write(stream, "ab", 2), is_permanent ? told : 2);
        CHECK_EQ(failing.write_calls, is_permanent ? 1 : 3);
        CHECK_EQ(belay_sent(stream), is_permanent ? 0 : 2);
        CHECK_EQ(belay_write_some(stream, "a", 1), is_permanent ? told : 1);
        CHECK_EQ(failing.write_calls, is_permanent ? 1 : 4);
        CHECK_EQ(belay_write_some(stream, "", 0), is_permanent ? told : 0);
        CHECK_EQ(belay_write(stream, "", 0), is_permanent ? told : 0);
        CHECK_EQ(failing.write_calls, is_permanent ? 1 : 4);
        /* Reading goes on. */
        CHECK_EQ(belay_read(stream, &byte, 1), 1);
        belay_abort(stream);
}

static int writing(void *arg) {
        static const int passing[] = { EDEADLK, ENOMEM, ENOBUFS, ENOSPC, EBADF, EPERM, EINVAL },
                         permanent[] = { EPIPE, ECONNRESET, ETIMEDOUT, EIO, ECONNABORTED };

        (void) arg;
        for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
                write_fails(-passing[i], -passing[i], false);
        for (size_t i = 0; i < sizeof(permanent) / sizeof(permanent[0]); i++)
                write_fails(-permanent[i], -permanent[i], true);
        /* A transport must not return 0. */
        write_fails(0, -EIO, true);
        return 0;
}

/*
 * The system reports only once that a connection broke. If the writer received that report, the end
 * of stream is no end in good order. -EPIPE says nothing about the other direction.
 */
static int end_after_error(void *arg) {
        static const struct {
                int writes, reads;
        } table[] = {
                { -ECONNRESET, -ECONNRESET },
                { -ETIMEDOUT, -ETIMEDOUT },
                { -EPIPE, 0 },
                { -ENOBUFS, 0 },
        };

        (void) arg;
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                belay_stream *stream = open_failing(0, table[i].writes);
                char byte;

                CHECK_EQ(belay_write(stream, "ab", 2), table[i].writes);
                CHECK_EQ(belay_read(stream, &byte, 1), table[i].reads);
                CHECK_EQ(belay_read(stream, &byte, 1), table[i].reads);
                belay_abort(stream);
        }
        return 0;
}

/* ---- parts ---- */

/* Only the given number of parts counts, and the sum of their sizes must fit into ssize_t. */
static int parts(void *arg) {
        struct iovec some[] = { { "a", 1 }, { "b", 1 }, { "c", SIZE_MAX } },
                     many[] = { { "a", SIZE_MAX }, { "b", 1 } };
        belay_stream *stream = open_failing(1, 1);

        (void) arg;
        CHECK_EQ(belay_writev(stream, some, 2), 2);
        CHECK_EQ(belay_writev(stream, some, 3), -EINVAL);
        CHECK_EQ(belay_writev(stream, many, 2), -EINVAL);
        CHECK_EQ(belay_writev(stream, many, 1), -EINVAL);
        CHECK_EQ(belay_sent(stream), 2);
        CHECK_EQ(failing.write_calls, 2);
        belay_abort(stream);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(reading);
        RUN_VIRTUAL(writing);
        RUN_VIRTUAL(end_after_error);
        RUN_VIRTUAL(parts);
        return 0;
}
