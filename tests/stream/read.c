/* SPDX-License-Identifier: MIT */
/*
 * Reading from each kind of stream, written in pieces of any size. The calls read available bytes,
 * an exact number of bytes, bytes up to a delimiter, or lines, and peek.
 */
#include "stream/streams.h"

static const size_t feed_pieces[] = { 1, 3, 0 };

/*
 * Runs `fn` over all kinds of streams, with data that is written in pieces of each of these sizes.
 */
#define RUN_ALL(fn)                                                                  \
        do {                                                                         \
                for (int kind = 0; kind < KINDS; kind++)                             \
                        for (int i = 0; i < 3; i++)                                  \
                                run_kind(fn, #fn, (enum kind) kind, feed_pieces[i]); \
        } while (0)

static belay_stream *ends[2];
static struct feed feeder;

static void begin(const struct subject *subject, const void *data, size_t size) {
        open_ends(subject->kind, ends);
        start_feed(&feeder, ends[0], data, size, subject->piece);
}

/* The end of the stream is reached, and further calls return it again. */
static void end(void) {
        char byte = 'x';
        const void *data;

        for (int i = 0; i < 2; i++) {
                CHECK_EQ(belay_read(ends[1], &byte, 1), 0);
                CHECK_EQ(belay_read_exactly(ends[1], &byte, 1), 0);
                CHECK_EQ(belay_read_until(ends[1], "x", 1, &byte, 1), 0);
                CHECK_EQ(belay_peek(ends[1], 1, &data), 0);
        }
        CHECK_EQ(byte, 'x');
        CHECK_EQ(belay_received(ends[1]), feeder.size);
        join_task(feeder.task, 0);
        CHECK_EQ(belay_close(ends[1], 0), 0);
}

/* ---- available bytes ---- */

static int some(void *arg) {
        enum { SIZE = 5000 };
        char data[SIZE], buffer[SIZE];
        size_t there = 0;
        ssize_t size;

        fill(data, SIZE, 0);
        begin(arg, data, SIZE);
        /* A read of 0 bytes does not wait. */
        CHECK_EQ(belay_read(ends[1], buffer, 0), 0);
        CHECK_EQ(belay_received(ends[1]), 0);
        while ((size = belay_read(ends[1], buffer + there, SIZE - there)) > 0) {
                there += (size_t) size;
                CHECK_EQ(belay_received(ends[1]), there);
                if (there == SIZE)
                        break;
        }
        CHECK_EQ(there, SIZE);
        CHECK(is_filled(buffer, SIZE, 0));
        end();
        return 0;
}

/* ---- an exact number of bytes ---- */

static int exactly(void *arg) {
        enum { SIZE = 1 + 7 + 4096 + 30000 + 10 };
        static char data[SIZE], buffer[SIZE + 1];
        size_t sizes[] = { 1, 0, 7, 4096, 30000 }, there = 0;

        fill(data, SIZE, 0);
        begin(arg, data, SIZE);
        for (int i = 0; i < 5; i++) {
                CHECK_EQ(belay_read_exactly(ends[1], buffer + there, sizes[i]), sizes[i]);
                there += sizes[i];
                CHECK_EQ(belay_received(ends[1]), there);
        }
        /* More bytes than will come: returns those that came, and then the end of the stream. */
        buffer[SIZE] = 'x';
        CHECK_EQ(belay_read_exactly(ends[1], buffer + there, 11), 10);
        CHECK_EQ(buffer[SIZE], 'x');
        CHECK(is_filled(buffer, SIZE, 0));
        end();
        return 0;
}

/* ---- up to a delimiter ---- */

static void check_until(const char *delimiter, size_t length, size_t room, const char *expected,
                        size_t size) {
        char buffer[256];

        memset(buffer, '#', sizeof(buffer));
        CHECK_EQ(belay_read_until(ends[1], delimiter, length, buffer, room), size);
        CHECK(memcmp(buffer, expected, size) == 0);
        /* No byte after the data was changed. */
        CHECK_EQ(buffer[size], '#');
}

static int until(void *arg) {
        static const char data[] = "one\r\ntwo\r\rthree\r\n\r\n"
                                   "aaabaab"
                                   "\0x\0\0y"
                                   "ends\r";
        char buffer[64];

        begin(arg, data, sizeof(data) - 1);
        CHECK_EQ(belay_read_until(ends[1], "", 0, buffer, 64), -EINVAL);
        CHECK_EQ(belay_read_until(ends[1], "x", 1, buffer, 0), -EINVAL);
        check_until("\r\n", 2, 64, "one\r\n", 5);
        check_until("\r\n", 2, 64, "two\r\rthree\r\n", 12);
        check_until("\r\n", 2, 2, "\r\n", 2);
        /* Bytes that begin like the delimiter and then differ. */
        check_until("aab", 3, 64, "aaab", 4);
        check_until("aab", 3, 3, "aab", 3);
        /* Zeros are treated like other bytes. */
        check_until("\0", 1, 64, "", 1);
        check_until("\0\0", 2, 64, "x\0\0", 3);
        check_until("y", 1, 1, "y", 1);
        /* No delimiter follows: returns the rest, and then the end of the stream. */
        check_until("\r\n", 2, 64, "ends\r", 5);
        end();
        return 0;
}

static int until_limit(void *arg) {
        static const char data[] = "0123456789;abc;";
        char buffer[64] = "untouched";

        begin(arg, data, sizeof(data) - 1);
        for (size_t size = 1; size < 11; size++)
                CHECK_EQ(belay_read_until(ends[1], ";", 1, buffer, size), -EMSGSIZE);
        CHECK_STR(buffer, "untouched");
        CHECK_EQ(belay_received(ends[1]), 0);
        check_until(";", 1, 11, "0123456789;", 11);
        /* The delimiter begins within the limit and ends after it. */
        CHECK_EQ(belay_read_until(ends[1], "bc;", 3, buffer, 3), -EMSGSIZE);
        check_until("bc;", 3, 4, "abc;", 4);
        end();
        return 0;
}

/* A long delimiter that arrives in several pieces, after bytes that resemble it. */
static int until_long(void *arg) {
        enum { SIZE = 3000, LENGTH = 61 };
        static char data[SIZE], buffer[SIZE];
        size_t at = 0;

        memset(data, 'a', SIZE);
        data[SIZE - 1] = 'b';
        data[1000] = 'b';
        begin(arg, data, SIZE);
        CHECK_EQ(belay_read_until(ends[1], data + SIZE - LENGTH, LENGTH, buffer, SIZE), 1001);
        CHECK_EQ(belay_read_until(ends[1], data + SIZE - LENGTH, LENGTH, buffer, SIZE),
                 SIZE - 1001);
        CHECK(memcmp(buffer, data + 1001, SIZE - 1001) == 0);
        at = belay_received(ends[1]);
        CHECK_EQ(at, SIZE);
        end();
        return 0;
}

/* ---- lines ---- */

static void check_line(size_t room, const char *expected, size_t size) {
        char line[256];

        memset(line, '#', sizeof(line));
        CHECK_EQ(belay_read_line(ends[1], line, room), size);
        CHECK(memcmp(line, expected, size) == 0);
        CHECK(line[size] == '\0' && line[size + 1] == '#');
}

static int lines(void *arg) {
        static const char data[] = "first\n\n\r\nwith \0 in it\nexactly\nthe last";
        char line[64] = "x";

        begin(arg, data, sizeof(data) - 1);
        CHECK_EQ(belay_read_line(ends[1], line, 0), -EINVAL);
        CHECK_EQ(line[0], 'x');
        CHECK_EQ(belay_read_line(ends[1], line, 1), -EINVAL);
        check_line(64, "first\n", 6);
        check_line(2, "\n", 1);
        check_line(64, "\r\n", 2);
        check_line(64, "with \0 in it\n", 13);
        /* The buffer needs room for the line with its '\n', and for the '\0'. */
        CHECK_EQ(belay_read_line(ends[1], line, 8), -EMSGSIZE);
        CHECK_EQ(belay_read_line(ends[1], line, 8), -EMSGSIZE);
        check_line(9, "exactly\n", 8);
        check_line(64, "the last", 8);
        CHECK_EQ(belay_read_line(ends[1], line, 64), 0);
        CHECK_STR(line, "");
        end();
        return 0;
}

static int huge_line(void *arg) {
        enum { SIZE = 300000 };
        static char data[SIZE], buffer[SIZE + 1];

        memset(data, '.', SIZE);
        data[SIZE - 2] = '\n';
        begin(arg, data, SIZE);
        CHECK_EQ(belay_read_line(ends[1], buffer, SIZE - 1), -EMSGSIZE);
        CHECK_EQ(belay_read_line(ends[1], buffer, sizeof(buffer)), SIZE - 1);
        CHECK(memcmp(buffer, data, SIZE - 1) == 0);
        CHECK_EQ(belay_read_line(ends[1], buffer, sizeof(buffer)), 1);
        end();
        return 0;
}

/* ---- peeking ---- */

static int peeks(void *arg) {
        enum { SIZE = 20000 };
        static char data[SIZE], buffer[SIZE];
        const void *seen = NULL;
        ssize_t size;

        fill(data, SIZE, 0);
        begin(arg, data, SIZE);
        CHECK_EQ(belay_peek(ends[1], 0, &seen), 0);
        CHECK(seen != NULL);
        CHECK_EQ(belay_buffered(ends[1]), 0);
        CHECK_EQ(belay_skip(ends[1], 10), 0);
        for (size_t least = 1; least <= 5000; least = least * 3 + 1) {
                size = belay_peek(ends[1], least, &seen);
                CHECK(size >= (ssize_t) least);
                CHECK_EQ(belay_buffered(ends[1]), size);
                CHECK(is_filled(seen, (size_t) size, 0));
        }
        CHECK_EQ(belay_received(ends[1]), 0);
        CHECK_EQ(belay_skip(ends[1], 100), 100);
        CHECK_EQ(belay_skip(ends[1], 0), 0);
        CHECK_EQ(belay_buffered(ends[1]), size - 100);
        CHECK_EQ(belay_received(ends[1]), 100);
        /* A peek shows the bytes that come next. */
        CHECK(belay_peek(ends[1], 1, &seen) >= 1);
        CHECK(is_filled(seen, 1, 100));
        CHECK_EQ(belay_read_exactly(ends[1], buffer, 15000), 15000);
        CHECK(is_filled(buffer, 15000, 100));
        CHECK_EQ(belay_peek(ends[1], SIZE, &seen), SIZE - 15100);
        CHECK(is_filled(seen, SIZE - 15100, 15100));
        CHECK_EQ(belay_skip(ends[1], SIZE), SIZE - 15100);
        CHECK_EQ(belay_buffered(ends[1]), 0);
        end();
        return 0;
}

/* ---- different calls in sequence ---- */

/*
 * Each call continues where the previous one ended, as for protocols with a head of text and a
 * binary body.
 */
static int mixed(void *arg) {
        enum { BODY = 9000 };
        static char data[BODY + 200], buffer[BODY];
        size_t head = (size_t) snprintf(data, 100, "length: %d\r\nmore\n\r\n", BODY), size;
        const void *seen;
        ssize_t rc;

        fill(data + head, BODY, 0);
        size = head + BODY + (size_t) snprintf(data + head + BODY, 100, "tail\n;rest");
        begin(arg, data, size);
        check_until("\r\n", 2, 100, "length: 9000\r\n", 14);
        check_line(100, "more\n", 5);
        CHECK(belay_peek(ends[1], 2, &seen) >= 2);
        CHECK(memcmp(seen, "\r\n", 2) == 0);
        CHECK_EQ(belay_skip(ends[1], 2), 2);
        CHECK_EQ(belay_read_exactly(ends[1], buffer, 4000), 4000);
        rc = belay_read(ends[1], buffer + 4000, 1000);
        CHECK(rc >= 1 && rc <= 1000);
        CHECK_EQ(belay_read_exactly(ends[1], buffer + 4000 + rc, (size_t) (BODY - 4000 - rc)),
                 BODY - 4000 - rc);
        CHECK(is_filled(buffer, BODY, 0));
        check_line(100, "tail\n", 5);
        check_until(";", 1, 100, ";", 1);
        CHECK_EQ(belay_read_exactly(ends[1], buffer, 100), 4);
        CHECK(memcmp(buffer, "rest", 4) == 0);
        end();
        return 0;
}

/*
 * A cancelled wait takes no bytes. The bytes that arrived before are not lost, and the next call
 * returns them.
 */
static int cancelled(void *arg) {
        belay_timeout limit;
        char buffer[100];
        const void *seen;
        ssize_t rc;

        (void) arg;
        CHECK_EQ(belay_wire(ends, NULL), 0);
        CHECK_EQ(belay_write(ends[0], "half a li", 9), 9);
        for (int i = 0; i < 4; i++) {
                CHECK_EQ(belay_timeout_enter(&limit, BELAY_SECOND), 0);
                rc = i == 1   ? belay_read_until(ends[1], "ne", 2, buffer, 99)
                     : i == 2 ? belay_peek(ends[1], 10, &seen)
                              : belay_read_line(ends[1], buffer, 100);
                CHECK_EQ(belay_timeout_leave(&limit, (int) rc), -ETIMEDOUT);
                CHECK_EQ(belay_received(ends[1]), 0);
                CHECK_EQ(belay_buffered(ends[1]), 9);
        }
        CHECK_EQ(belay_now(), 4 * BELAY_SECOND);
        CHECK_EQ(belay_write(ends[0], "ne\n", 3), 3);
        check_line(100, "half a line\n", 12);
        CHECK_EQ(belay_close(ends[0], 0), 0);
        CHECK_EQ(belay_close(ends[1], 0), 0);
        return 0;
}

/*
 * An error follows the data. The calls return the data first, then the error, and then the error
 * again.
 */
static int failed(void *arg) {
        char buffer[100];
        const void *seen;

        (void) arg;
        CHECK_EQ(belay_wire(ends, BELAY_OPTIONS(belay_wire_options,
                                                .ways = { { .cut_after = 8, .cut_with = -EIO } })),
                 0);
        CHECK_EQ(belay_write(ends[0], "one\nhalf a line\n", 16), 16);
        check_line(100, "one\n", 4);
        CHECK_EQ(belay_read_line(ends[1], buffer, 100), -EIO);
        CHECK_EQ(belay_peek(ends[1], 5, &seen), -EIO);
        CHECK_EQ(belay_buffered(ends[1]), 4);
        CHECK_EQ(belay_read_exactly(ends[1], buffer, 100), 4);
        CHECK(memcmp(buffer, "half", 4) == 0);
        for (int i = 0; i < 2; i++) {
                CHECK_EQ(belay_read(ends[1], buffer, 100), -EIO);
                CHECK_EQ(belay_read_exactly(ends[1], buffer, 100), -EIO);
                CHECK_EQ(belay_read_line(ends[1], buffer, 100), -EIO);
        }
        CHECK_EQ(belay_close(ends[0], 0), 0);
        CHECK_EQ(belay_close(ends[1], 0), 0);
        return 0;
}

int main(void) {
        RUN_ALL(some);
        RUN_ALL(exactly);
        RUN_ALL(until);
        RUN_ALL(until_limit);
        RUN_ALL(until_long);
        RUN_ALL(lines);
        RUN_ALL_KINDS(huge_line);
        RUN_ALL(peeks);
        RUN_ALL(mixed);
        RUN_VIRTUAL(cancelled);
        RUN_VIRTUAL(failed);
        return 0;
}
