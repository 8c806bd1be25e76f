/* SPDX-License-Identifier: MIT */
/*
 * The connection in memory follows its options: delay, jitter, room, pieces and breaks.
 */
#include "stream/streams.h"

#define WIRE_OF(...) BELAY_OPTIONS(belay_wire_options, __VA_ARGS__)

static void close_both(belay_stream *ends[2]) {
        CHECK_EQ(belay_close(ends[0], 0), 0);
        CHECK_EQ(belay_close(ends[1], 0), 0);
}

/* ---- time ---- */

static int delays(void *arg) {
        belay_stream *ends[2];
        char buffer[100];
        belay_time begin = belay_now();

        (void) arg;
        CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .delay = 200 * BELAY_MILLISECOND },
                                                    { .delay = BELAY_HOUR } })),
                 0);
        CHECK_EQ(belay_write(ends[0], "one", 3), 3);
        CHECK_EQ(belay_now(), begin);
        CHECK_EQ(belay_sleep(50 * BELAY_MILLISECOND), 0);
        CHECK_EQ(belay_write(ends[0], "two", 3), 3);
        CHECK_EQ(belay_read(ends[1], buffer, 100), 3);
        CHECK_EQ(belay_now(), begin + 200 * BELAY_MILLISECOND);
        CHECK(memcmp(buffer, "one", 3) == 0);
        CHECK_EQ(belay_read(ends[1], buffer, 100), 3);
        CHECK_EQ(belay_now(), begin + 250 * BELAY_MILLISECOND);
        CHECK(memcmp(buffer, "two", 3) == 0);

        /*
         * Each direction has its own delay. The end of the stream travels as bytes do, after them.
         */
        CHECK_EQ(belay_write(ends[1], "back", 4), 4);
        begin = belay_now();
        CHECK_EQ(belay_half_close(ends[1]), 0);
        CHECK_EQ(belay_read_exactly(ends[0], buffer, 5), 4);
        CHECK_EQ(belay_now(), begin + BELAY_HOUR);
        CHECK_EQ(belay_read(ends[0], buffer, 5), 0);
        CHECK_EQ(belay_now(), begin + BELAY_HOUR);

        /* Bytes that arrived together are read together. */
        CHECK_EQ(belay_write(ends[0], "a", 1), 1);
        CHECK_EQ(belay_write(ends[0], "b", 1), 1);
        CHECK_EQ(belay_read(ends[1], buffer, 100), 2);
        close_both(ends);
        return 0;
}

enum { JITTERS = 200 };

static void open_jittery(belay_stream *ends[2], uint64_t seed) {
        belay_wire_way way = { .delay = 5 * BELAY_MILLISECOND,
                               .jitter = 20 * BELAY_MILLISECOND,
                               .read_most = 1 };

        CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { way }, .seed = seed)), 0);
}

/* Records how long each byte travels. */
static void measure_jitter(uint64_t seed, belay_time spans[JITTERS]) {
        belay_stream *ends[2];
        char byte;

        open_jittery(ends, seed);
        for (int i = 0; i < JITTERS; i++) {
                belay_time sent = belay_now();

                byte = (char) i;
                CHECK_EQ(belay_write(ends[0], &byte, 1), 1);
                CHECK_EQ(belay_read(ends[1], &byte, 1), 1);
                CHECK_EQ(byte, (char) i);
                spans[i] = belay_now() - sent;
        }
        close_both(ends);
}

static int jitters(void *arg) {
        static belay_time first[JITTERS], again[JITTERS], other[JITTERS];
        belay_time least = BELAY_NEVER, most = 0;

        (void) arg;
        measure_jitter(3, first);
        measure_jitter(3, again);
        measure_jitter(4, other);
        for (int i = 0; i < JITTERS; i++) {
                least = first[i] < least ? first[i] : least;
                most = first[i] > most ? first[i] : most;
        }
        CHECK(least >= 5 * BELAY_MILLISECOND && least < 8 * BELAY_MILLISECOND);
        CHECK(most <= 25 * BELAY_MILLISECOND && most > 22 * BELAY_MILLISECOND);
        CHECK(memcmp(first, again, sizeof(first)) == 0);
        CHECK(memcmp(first, other, sizeof(first)) != 0);
        /* Without a seed, the numbers are the same in each run. */
        measure_jitter(0, first);
        measure_jitter(0, again);
        CHECK(memcmp(first, again, sizeof(first)) == 0);
        return 0;
}

/* Bytes stay in order, however much their delays differ. */
static int jitter_keeps_order(void *arg) {
        belay_stream *ends[2];
        char byte = 0;

        (void) arg;
        CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .jitter = BELAY_SECOND } })), 0);
        for (int i = 0; i < 100; i++, byte++)
                CHECK_EQ(belay_write(ends[0], &byte, 1), 1);
        CHECK_EQ(belay_half_close(ends[0]), 0);
        for (int i = 0; i < 100; i++) {
                CHECK_EQ(belay_read(ends[1], &byte, 1), 1);
                CHECK_EQ(byte, i);
        }
        CHECK_EQ(belay_read(ends[1], &byte, 1), 0);
        CHECK(belay_now() <= BELAY_SECOND);
        close_both(ends);
        return 0;
}

/* ---- pieces ---- */

static int pieces(void *arg) {
        belay_stream *ends[2];
        char buffer[100];
        bool seen[12] = { false };

        (void) arg;
        CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .read_most = 3, .write_most = 7 },
                                                    { .ragged = true, .read_most = 10 } })),
                 0);
        CHECK_EQ(belay_write_some(ends[0], "0123456789", 10), 7);
        CHECK_EQ(belay_write(ends[0], "789abcdefghijk", 14), 14);
        CHECK_EQ(belay_sent(ends[0]), 21);
        for (int i = 0; i < 7; i++)
                CHECK_EQ(belay_read(ends[1], buffer + 3 * i, 100), 3);
        CHECK(memcmp(buffer, "0123456789abcdefghijk", 21) == 0);
        CHECK_EQ(belay_received(ends[1]), 21);

        for (int i = 0; i < 500; i++) {
                ssize_t size = belay_write_some(ends[1], "0123456789", 10);

                CHECK(size >= 1 && size <= 10);
                size = belay_read(ends[0], buffer, 100);
                CHECK(size >= 1 && size <= 10);
                seen[size] = true;
        }
        for (int i = 1; i <= 10; i++)
                CHECK(seen[i]);
        close_both(ends);
        return 0;
}

/* ---- room ---- */

static int room(void *arg) {
        belay_stream *ends[2];
        char data[300], buffer[300];
        struct once once = { .data = data, .size = 300 };
        belay_task *task;

        (void) arg;
        fill(data, sizeof(data), 0);
        CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .room = 100, .delay = BELAY_SECOND } })), 0);
        once.stream = ends[0];
        task = must(belay_spawn(write_once, &once));
        let_run();
        CHECK(!once.done);
        CHECK_EQ(belay_sent(ends[0]), 100);
        /* Bytes that have arrived and have not been read take room, too. */
        CHECK_EQ(belay_sleep(BELAY_MINUTE), 0);
        CHECK_EQ(belay_sent(ends[0]), 100);
        CHECK_EQ(belay_read(ends[1], buffer, 30), 30);
        let_run();
        CHECK_EQ(belay_sent(ends[0]), 130);
        CHECK_EQ(belay_read_exactly(ends[1], buffer + 30, 270), 270);
        CHECK(is_filled(buffer, 300, 0));
        join_task(task, 0);
        CHECK_EQ(once.result, 300);
        close_both(ends);

        /* The default is 64 KiB. */
        CHECK_EQ(belay_wire(ends, NULL), 0);
        for (int i = 0; i < 1024; i++)
                CHECK_EQ(belay_write(ends[0], data, 64), 64);
        once = (struct once) { .stream = ends[0], .data = data, .size = 1 };
        task = must(belay_spawn(write_once, &once));
        let_run();
        CHECK(!once.done);
        CHECK_EQ(belay_read(ends[1], buffer, 1), 1);
        join_task(task, 0);
        close_both(ends);
        return 0;
}

struct parts {
        belay_stream *stream;
        const struct iovec *parts;
        int count;
};

static int write_parts(void *arg) {
        const struct parts *parts = arg;

        return (int) belay_writev(parts->stream, parts->parts, parts->count);
}

/* A write of several parts takes what there is room for, in the middle of a part. */
static int room_for_parts(void *arg) {
        char data[200], buffer[200];
        const struct iovec parts[] = {
                { data, 60 }, { data, 0 }, { data + 60, 60 }, { data + 120, 1 }, { data + 121, 79 }
        };
        belay_stream *ends[2];
        belay_task *task;

        (void) arg;
        fill(data, sizeof(data), 0);
        for (size_t room = 1; room <= 200; room += room < 55 ? 54 : 1) {
                size_t size = 0;

                CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .room = room } })), 0);
                task = must(belay_spawn(write_parts, &(struct parts) { ends[0], parts, 5 }));
                let_run();
                CHECK_EQ(belay_sent(ends[0]), room);
                while (size < 200) {
                        ssize_t part = belay_read(ends[1], buffer + size, 200 - size);

                        CHECK(part > 0 && (size_t) part <= room);
                        size += (size_t) part;
                }
                CHECK(is_filled(buffer, 200, 0));
                join_task(task, 200);
                close_both(ends);
        }
        return 0;
}

/* ---- breaks ---- */

static int cuts(void *arg) {
        belay_stream *ends[2];
        char buffer[100];

        (void) arg;
        CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .cut_after = 5, .delay = BELAY_SECOND },
                                                    { .delay = BELAY_MINUTE } })),
                 0);
        CHECK_EQ(belay_write(ends[1], "lost", 4), 4);
        CHECK_EQ(belay_write(ends[0], "0123", 4), 4);
        /* The connection breaks at the instant at which the sixth byte would arrive. */
        CHECK_EQ(belay_write(ends[0], "4567", 4), 4);
        CHECK_EQ(belay_write(ends[0], "89", 2), 2);
        CHECK_EQ(belay_read_exactly(ends[1], buffer, 100), 5);
        CHECK_EQ(belay_now(), BELAY_SECOND);
        CHECK(memcmp(buffer, "01234", 5) == 0);
        CHECK_EQ(belay_read(ends[1], buffer, 100), -ECONNRESET);
        CHECK_EQ(belay_write(ends[1], "x", 1), -ECONNRESET);
        CHECK_EQ(belay_read(ends[0], buffer, 100), -ECONNRESET);
        CHECK_EQ(belay_write(ends[0], "x", 1), -ECONNRESET);
        CHECK_EQ(belay_now(), BELAY_SECOND);
        close_both(ends);

        /* If no further byte is sent, the connection does not break. */
        CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .cut_after = 5, .cut_with = -EIO } })), 0);
        CHECK_EQ(belay_write(ends[0], "01234", 5), 5);
        CHECK_EQ(belay_read(ends[1], buffer, 100), 5);
        CHECK_EQ(belay_write(ends[1], "back", 4), 4);
        CHECK_EQ(belay_read(ends[0], buffer, 100), 4);
        CHECK_EQ(belay_write(ends[0], "5", 1), 1);
        CHECK_EQ(belay_read(ends[1], buffer, 100), -EIO);
        CHECK_EQ(belay_write(ends[0], "6", 1), -EIO);
        close_both(ends);
        return 0;
}

/* Tasks that wait for the other direction find out as well, at the instant of the break. */
static int cut_while_waiting(void *arg) {
        belay_stream *ends[2];
        char buffer[100], data[300] = "";
        struct once reader = { .buffer = buffer, .size = 100 },
                    writer = { .data = data, .size = 300 };
        belay_task *tasks[2];

        (void) arg;
        CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .cut_after = 10,
                                                      .cut_with = -ETIMEDOUT,
                                                      .delay = BELAY_SECOND },
                                                    { .room = 100 } })),
                 0);
        reader.stream = ends[0];
        writer.stream = ends[1];
        tasks[0] = must(belay_spawn(read_exactly_once, &reader));
        tasks[1] = must(belay_spawn(write_once, &writer));
        let_run();
        /*
         * The reader took 100 bytes at once and is done. Another 100 fill the direction, and the
         * rest waits.
         */
        CHECK(reader.done && !writer.done);
        CHECK_EQ(belay_write(ends[0], data, 11), 11);
        CHECK_EQ(belay_read_exactly(ends[1], buffer, 10), 10);
        join_task(tasks[0], 0);
        join_task(tasks[1], 0);
        CHECK_EQ(writer.result, 200);
        CHECK(belay_is_cut(ends[1]));
        CHECK_EQ(belay_now(), BELAY_SECOND);
        CHECK_EQ(belay_read(ends[1], buffer, 1), -ETIMEDOUT);
        close_both(ends);
        return 0;
}

/* A break is reported to the sender, too, even if the sender only reads. */
static int cut_told_to_the_sender(void *arg) {
        belay_stream *ends[2];
        char byte;

        (void) arg;
        CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .cut_after = 1, .delay = BELAY_SECOND } })),
                 0);
        CHECK_EQ(belay_write(ends[0], "ab", 2), 2);
        CHECK_EQ(belay_read(ends[0], &byte, 1), -ECONNRESET);
        CHECK_EQ(belay_now(), BELAY_SECOND);
        close_both(ends);
        return 0;
}

/* The connection stalls at once. */
static int stalled_at_once(void *arg) {
        belay_stream *ends[2];
        belay_timeout limit;
        char buffer[10];
        ssize_t rc;

        (void) arg;
        for (int way = 0; way < 3; way++) {
                CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .cut_after = 1,
                                                              .cut_with = BELAY_WIRE_STALLS } })),
                         0);
                CHECK_EQ(belay_write(ends[0], "ab", 2), 2);
                CHECK_EQ(belay_write(ends[0], "cd", 2), 2);
                CHECK_EQ(belay_write(ends[1], "back", 4), 4);
                if (way == 0)
                        CHECK_EQ(belay_half_close(ends[0]), 0);
                else if (way == 1)
                        CHECK_EQ(belay_close(ends[0], 0), 0);
                else
                        belay_abort(ends[0]);
                CHECK_EQ(belay_read(ends[1], buffer, 10), 1);
                CHECK_EQ(belay_timeout_enter(&limit, BELAY_HOUR), 0);
                rc = belay_read(ends[1], buffer, 10);
                CHECK_EQ(belay_timeout_leave(&limit, (int) rc), -ETIMEDOUT);
                if (way == 0) {
                        CHECK_EQ(belay_timeout_enter(&limit, BELAY_HOUR), 0);
                        rc = belay_read(ends[0], buffer, 10);
                        CHECK_EQ(belay_timeout_leave(&limit, (int) rc), -ETIMEDOUT);
                }
                belay_abort(ends[1]);
                if (way == 0)
                        belay_abort(ends[0]);
        }
        return 0;
}

static int stalls(void *arg) {
        belay_stream *ends[2];
        char buffer[100], data[200] = "";
        struct once writer = { .data = data, .size = 200 };
        belay_task *task;
        belay_timeout limit;
        ssize_t rc;

        (void) arg;
        CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .cut_after = 5,
                                                      .cut_with = BELAY_WIRE_STALLS,
                                                      .room = 100 },
                                                    { .delay = BELAY_MINUTE } })),
                 0);
        CHECK_EQ(belay_write(ends[1], "lost", 4), 4);
        writer.stream = ends[0];
        task = must(belay_spawn(write_once, &writer));
        let_run();
        CHECK_EQ(belay_sent(ends[0]), 100);
        CHECK_EQ(belay_read(ends[1], buffer, 100), 5);
        /*
         * Nothing more happens in either direction, and the peer's end of stream does not arrive
         * either.
         */
        for (int i = 0; i < 2; i++) {
                CHECK_EQ(belay_timeout_enter(&limit, BELAY_HOUR), 0);
                rc = belay_read(ends[1 - i], buffer, 100);
                CHECK_EQ(belay_timeout_leave(&limit, (int) rc), -ETIMEDOUT);
        }
        CHECK_EQ(belay_half_close(ends[1]), 0);
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_HOUR), 0);
        rc = belay_read(ends[0], buffer, 100);
        CHECK_EQ(belay_timeout_leave(&limit, (int) rc), -ETIMEDOUT);
        belay_abort(ends[1]);
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_HOUR), 0);
        rc = belay_read(ends[0], buffer, 100);
        CHECK_EQ(belay_timeout_leave(&limit, (int) rc), -ETIMEDOUT);
        CHECK(!writer.done);
        CHECK(belay_cancel(task, NULL));
        join_task(task, -ECANCELED);
        CHECK_EQ(writer.result, 105);
        CHECK_EQ(belay_close(ends[0], 0), 0);
        return 0;
}

static int cut_now(void *arg) {
        belay_stream *ends[2];
        char buffer[100];
        struct once reader = { .buffer = buffer, .size = 100 };
        belay_task *task;

        (void) arg;
        for (int end = 0; end < 2; end++) {
                CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .delay = BELAY_SECOND } })), 0);
                CHECK_EQ(belay_write(ends[0], "under way", 9), 9);
                CHECK_EQ(belay_write(ends[1], "there", 5), 5);
                reader.stream = ends[1];
                reader.done = false;
                task = must(belay_spawn(read_once, &reader));
                let_run();
                CHECK(!reader.done);
                belay_wire_cut(ends[end], -EHOSTUNREACH);
                join_task(task, 0);
                CHECK_EQ(reader.result, -EHOSTUNREACH);
                CHECK_EQ(belay_read(ends[0], buffer, 100), -EHOSTUNREACH);
                CHECK_EQ(belay_write(ends[0], "x", 1), -EHOSTUNREACH);
                CHECK_EQ(belay_write(ends[1], "x", 1), -EHOSTUNREACH);
                close_both(ends);
        }
        CHECK_EQ(belay_now(), 0);
        return 0;
}

/* ---- ends ---- */

/*
 * Both ends are closed or aborted, in any order. Bytes are on their way in both directions, and a
 * task may wait at one of the ends.
 */
static int goodbyes(void *arg) {
        (void) arg;
        for (unsigned which = 0; which < 32; which++) {
                unsigned first = which & 1;
                struct once once = { .result = 1 };
                belay_stream *ends[2];
                char buffer[10];
                belay_task *task;

                CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .delay = BELAY_SECOND },
                                                            { .delay = BELAY_MINUTE } })),
                         0);
                CHECK_EQ(belay_write(ends[0], "there", 5), 5);
                CHECK_EQ(belay_write(ends[1], "back", 4), 4);
                once = (struct once) { .stream = ends[which >> 1 & 1],
                                       .buffer = buffer,
                                       .size = 10 };
                task = must(belay_spawn(read_once, &once));
                if (which & 16)
                        let_run();
                for (unsigned i = 0; i < 2; i++) {
                        if (which >> (2 + i) & 1)
                                belay_abort(ends[first ^ i]);
                        else
                                CHECK_EQ(belay_close(ends[first ^ i], 0), 0);
                        if (i == 0 && which & 16)
                                let_run();
                        /*
                         * A reader that has not begun is not inside the stream. It must not begin
                         * after the handle has become invalid.
                         */
                        if (i == 0 && !(which & 16)) {
                                CHECK(belay_cancel(task, NULL));
                                CHECK_EQ(belay_yield(), 0);
                        }
                }
                CHECK_EQ(belay_join(task, NULL), 0);
                belay_release(task);
                if (which & 16)
                        CHECK_EQ(once.result, -EBADF);
        }
        return 0;
}

/* What each end finds after the other end was aborted, closed or half-closed. */
static int after_the_end(void *arg) {
        belay_stream *ends[2];
        char buffer[10];

        (void) arg;
        for (int from = 0; from < 2; from++) {
                int to = 1 - from;

                /* A reset arrives after the bytes that have arrived, and discards the others. */
                CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .delay = BELAY_SECOND },
                                                            { .delay = BELAY_SECOND } })),
                         0);
                CHECK_EQ(belay_write(ends[from], "one", 3), 3);
                CHECK_EQ(belay_sleep(2 * BELAY_SECOND), 0);
                CHECK_EQ(belay_write(ends[from], "lost", 4), 4);
                belay_abort(ends[from]);
                CHECK_EQ(belay_write(ends[to], "x", 1), 1);
                CHECK_EQ(belay_read(ends[to], buffer, 10), 3);
                CHECK_EQ(belay_read(ends[to], buffer, 10), -ECONNRESET);
                CHECK_EQ(belay_write(ends[to], "x", 1), -ECONNRESET);
                belay_abort(ends[to]);

                /* After a close, the bytes arrive, and a write finds no reader. */
                CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .delay = BELAY_SECOND },
                                                            { .delay = BELAY_SECOND } })),
                         0);
                CHECK_EQ(belay_write(ends[from], "all", 3), 3);
                CHECK_EQ(belay_close(ends[from], 0), 0);
                CHECK_EQ(belay_write(ends[to], "x", 1), 1);
                CHECK_EQ(belay_read(ends[to], buffer, 10), 3);
                CHECK_EQ(belay_write(ends[to], "x", 1), -EPIPE);
                CHECK_EQ(belay_read(ends[to], buffer, 10), 0);
                CHECK_EQ(belay_close(ends[to], 0), 0);

                /* After a half-close, only the other direction goes on. */
                CHECK_EQ(belay_wire(ends, NULL), 0);
                CHECK_EQ(belay_half_close(ends[from]), 0);
                CHECK_EQ(belay_half_close(ends[from]), 0);
                CHECK_EQ(belay_write(ends[from], "x", 1), -ESHUTDOWN);
                CHECK_EQ(belay_read(ends[to], buffer, 10), 0);
                CHECK_EQ(belay_write(ends[to], "back", 4), 4);
                CHECK_EQ(belay_read(ends[from], buffer, 10), 4);
                close_both(ends);
        }
        return 0;
}

/* ---- errors ---- */

static int misuse(void *arg) {
        belay_stream *ends[2], *reader, *writer;

        (void) arg;
        CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .delay = -1 } })), -EINVAL);
        CHECK(ends[0] == NULL && ends[1] == NULL);
        CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { 0 }, { .jitter = -1 } })), -EINVAL);
        CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .cut_with = EPIPE } })), -EINVAL);
        CHECK_EQ(belay_wire(ends, NULL), 0);
        keep_lines();
        belay_wire_cut(ends[0], EPIPE);
        CHECK_LINES(1, "belay_wire_cut()");
        belay_wire_cut(ends[0], 0);
        CHECK_LINES(2, "belay_wire_cut()");
        CHECK_EQ(belay_stream_pipe(&reader, &writer), 0);
        belay_wire_cut(reader, -EPIPE);
        CHECK_LINES(3, "belay_wire_cut()");
        belay_set_log(NULL, NULL);
        CHECK_EQ(belay_write(ends[0], "x", 1), 1);
        CHECK_EQ(belay_stream_fd(ends[0]), -EOPNOTSUPP);
        close_both(ends);
        CHECK_EQ(belay_close(reader, 0), 0);
        CHECK_EQ(belay_close(writer, 0), 0);
        return 0;
}

/* The least values that count as set. */
static int least(void *arg) {
        belay_stream *ends[2];
        char buffer[10];

        (void) arg;
        CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .write_most = 1 }, { .read_most = 1 } })), 0);
        CHECK_EQ(belay_write_some(ends[0], "ab", 2), 1);
        CHECK_EQ(belay_write(ends[1], "cd", 2), 2);
        CHECK_EQ(belay_read(ends[0], buffer, 10), 1);
        CHECK_EQ(belay_read(ends[0], buffer, 10), 1);
        close_both(ends);
        CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .room = 1 }, { .cut_after = 1 } })), 0);
        CHECK_EQ(belay_write_some(ends[0], "ab", 2), 1);
        CHECK_EQ(belay_write(ends[1], "cd", 2), 2);
        CHECK_EQ(belay_read(ends[0], buffer, 10), 1);
        CHECK_EQ(belay_read(ends[0], buffer, 10), -ECONNRESET);
        close_both(ends);
        return 0;
}

/* A jitter of a nanosecond delays some bytes by it, and others not at all. */
static int least_jitter(void *arg) {
        unsigned late = 0;

        (void) arg;
        for (uint64_t seed = 1; seed <= 64; seed++) {
                belay_time begin = belay_now();
                belay_stream *ends[2];
                char byte;

                CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .jitter = 1 } }, .seed = seed)), 0);
                CHECK_EQ(belay_write(ends[0], "x", 1), 1);
                CHECK_EQ(belay_read(ends[1], &byte, 1), 1);
                CHECK(belay_now() - begin <= 1);
                late += belay_now() > begin;
                close_both(ends);
        }
        CHECK(late > 0 && late < 64);
        return 0;
}

/* A connection that the test makes stall at once. */
static int stall_now(void *arg) {
        belay_stream *ends[2];
        char buffer[10];
        ssize_t rc;
        belay_timeout limit;

        (void) arg;
        CHECK_EQ(belay_wire(ends, NULL), 0);
        CHECK_EQ(belay_write(ends[0], "lost", 4), 4);
        keep_lines();
        belay_wire_cut(ends[1], BELAY_WIRE_STALLS);
        CHECK_EQ(kept_count, 0);
        belay_set_log(NULL, NULL);
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_HOUR), 0);
        rc = belay_read(ends[1], buffer, 10);
        CHECK_EQ(belay_timeout_leave(&limit, (int) rc), -ETIMEDOUT);
        belay_abort(ends[0]);
        belay_abort(ends[1]);
        return 0;
}

/* Each allocation fails once. No memory is left, and no task hangs. */
static int fail_at, allocations, blocks;
static bool fails_always;

static void *failing(void *context, void *block, size_t size) {
        (void) context;
        if (size > 0 && fails_always)
                return NULL;
        if (size > 0 && block == NULL && fail_at > 0 && ++allocations == fail_at)
                return NULL;
        blocks += size > 0 && block == NULL ? 1 : size == 0 && block != NULL ? -1 : 0;
        if (size == 0) {
                free(block);
                return NULL;
        }
        return realloc(block, size);
}

/* Returns 0 if nothing failed. */
static int move_a_few_bytes(void) {
        belay_stream *ends[2];
        char buffer[4];
        ssize_t rc = belay_wire(ends, NULL);

        if (rc < 0) {
                CHECK(ends[0] == NULL && ends[1] == NULL);
                return (int) rc;
        }
        rc = belay_write(ends[0], "data", 4);
        if (rc == 4)
                rc = belay_read(ends[1], buffer, 4);
        close_both(ends);
        return rc == 4 ? 0 : (int) rc;
}

static int without_memory(void *arg) {
        int rc = -ENOMEM;

        (void) arg;
        for (int at = 1; rc == -ENOMEM; at++) {
                int before = blocks;

                allocations = 0;
                fail_at = at;
                rc = move_a_few_bytes();
                fail_at = 0;
                CHECK_EQ(blocks, before);
                /* The wire, its two streams, and a buffer for the bytes. */
                CHECK(rc == -ENOMEM || at > 4);
        }
        CHECK_EQ(rc, 0);
        return 0;
}

static void nothing(void *arg) {
        (void) arg;
}

/* A read that waits for bytes needs a timer, and the timers of a loop need memory. */
static int without_timer(void *arg) {
        unsigned failures = 0;
        belay_stream *ends[2];
        char byte;

        (void) arg;
        CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .delay = BELAY_SECOND } })), 0);
        for (int i = 0; i < 300; i++) {
                ssize_t rc;

                CHECK(belay_later(BELAY_HOUR, nothing, NULL) != 0);
                CHECK_EQ(belay_write(ends[0], "x", 1), 1);
                fails_always = true;
                rc = belay_read(ends[1], &byte, 1);
                fails_always = false;
                if (rc != 1) {
                        CHECK_EQ(rc, -ENOMEM);
                        failures++;
                        CHECK_EQ(belay_read(ends[1], &byte, 1), 1);
                }
        }
        CHECK(failures > 0);
        close_both(ends);
        return 0;
}

/* ---- inspection ---- */

static int dumped(void *arg) {
        belay_stream *ends[2];
        char buffer[10], text[4096];
        struct once reader = { .buffer = buffer, .size = 10 };
        belay_wait_info info = BELAY_WAIT_INFO_INIT;
        belay_task *task;
        ssize_t size;
        int fds[2];

        (void) arg;
        CHECK_EQ(belay_wire(ends, NULL), 0);
        reader.stream = ends[1];
        task = must(belay_spawn(read_once, &reader));
        let_run();
        belay_waiting(task, &info);
        CHECK_STR(info.what, "read");
        CHECK_STR(info.on, "wire end 1");
        CHECK_STR(belay_stream_name(ends[1]), "wire end 1");
        CHECK(info.place != NULL && strstr(info.place, "streams.h:") != NULL);
        CHECK_EQ(pipe(fds), 0);
        CHECK_EQ(belay_dump(fds[1]), 0);
        size = read(fds[0], text, sizeof(text) - 1);
        CHECK(size > 0);
        text[size] = '\0';
        CHECK(strstr(text, "waiting: read of wire end 1 at ") != NULL);
        close(fds[0]);
        close(fds[1]);
        CHECK_EQ(belay_close(ends[0], 0), 0);
        join_task(task, 0);
        CHECK_EQ(reader.result, 0);
        CHECK_EQ(belay_close(ends[1], 0), 0);
        return 0;
}

/* The same in real time. */
static int really(void *arg) {
        belay_stream *ends[2];
        belay_time begin = belay_now();
        char buffer[10];

        (void) arg;
        CHECK_EQ(belay_wire(ends, WIRE_OF(.ways = { { .delay = 3 * BELAY_MILLISECOND,
                                                      .read_most = 1 } })),
                 0);
        for (int i = 0; i < 10; i++)
                CHECK_EQ(belay_write(ends[0], &"0123456789"[i], 1), 1);
        CHECK_EQ(belay_read_exactly(ends[1], buffer, 10), 10);
        CHECK(memcmp(buffer, "0123456789", 10) == 0);
        CHECK(belay_now() >= begin + 3 * BELAY_MILLISECOND - 10 * BELAY_MICROSECOND);
        close_both(ends);
        return 0;
}

/* No bytes are on their way that could wake a task. This is a deadlock, and is reported as one. */
static int deadlocked(void *arg) {
        belay_stream *ends[2];
        char byte;

        (void) arg;
        CHECK_EQ(belay_wire(ends, NULL), 0);
        keep_lines();
        CHECK_EQ(belay_read(ends[1], &byte, 1), -EDEADLK);
        CHECK_LINES(1, "read of wire end 1");
        belay_set_log(NULL, NULL);
        CHECK_EQ(belay_write(ends[0], "x", 1), 1);
        CHECK_EQ(belay_read(ends[1], &byte, 1), 1);
        close_both(ends);
        return 0;
}

int main(void) {
        belay_set_memory(failing, NULL);
        RUN_VIRTUAL(delays);
        RUN_VIRTUAL(jitters);
        RUN_VIRTUAL(jitter_keeps_order);
        RUN_VIRTUAL(pieces);
        RUN_VIRTUAL(room);
        RUN_VIRTUAL(room_for_parts);
        RUN_VIRTUAL(cuts);
        RUN_VIRTUAL(cut_while_waiting);
        RUN_VIRTUAL(cut_told_to_the_sender);
        RUN_VIRTUAL(stalls);
        RUN_VIRTUAL(stalled_at_once);
        RUN_VIRTUAL(cut_now);
        RUN_VIRTUAL(goodbyes);
        RUN_VIRTUAL(after_the_end);
        RUN_VIRTUAL(misuse);
        RUN_VIRTUAL(least);
        RUN_VIRTUAL(least_jitter);
        RUN_VIRTUAL(stall_now);
        RUN_VIRTUAL(without_memory);
        RUN_VIRTUAL(without_timer);
        RUN_VIRTUAL(dumped);
        RUN_VIRTUAL(deadlocked);
        CHECK_EQ(belay_run(really, NULL), 0);
        CHECK_EQ(blocks, 0);
        return 0;
}
