/* SPDX-License-Identifier: MIT */
/*
 * A test against a model. Two tasks read and write both ends of a bad connection, with all
 * functions, and with sizes and timeouts that a random generator chooses.
 *
 * Each direction carries one endless text that both sides know, so each result can be checked.
 * Bytes that were taken are the next ones of the text, a delimiter is the first one, and bytes that
 * were not taken are still there.
 */
#include <sys/socket.h>

#include "stream/streams.h"

enum { MOST = 200000, LONGEST = 3000 };

struct side {
        struct test *test;
        int number;
        belay_stream *stream;
        uint64_t random;
        const char *out, *in; /* texts of both directions */
        size_t written, read;
        size_t to_write; /* bytes before it ends its direction */
        bool cut_off;    /* an error came instead of the end of the stream */
        unsigned steps, limits_met;
};

struct test {
        uint64_t seed;
        belay_wire_options options;
        struct side sides[2];
};

static char texts[2][MOST + LONGEST];
static unsigned all_steps, all_limits, all_cuts;

static uint64_t draw(uint64_t *random, uint64_t below) {
        uint64_t x = *random += 0x9e3779b97f4a7c15;

        x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
        x = (x ^ x >> 32) * 0xd6e8feb86659fd93;
        return (x ^ x >> 32) % below;
}

/* Returns a small number most of the time, and sometimes a large one. */
static size_t draw_size(struct side *side) {
        uint64_t most = draw(&side->random, 10) == 0  ? LONGEST
                        : draw(&side->random, 3) == 0 ? 300
                                                      : 12;

        return 1 + (size_t) draw(&side->random, most);
}

/* ---- timeouts ---- */

/* Each call is made within a timeout, which expires in some of them. */
static void enter(struct side *side, belay_timeout *limit) {
        belay_time span = (belay_time) draw(&side->random,
                                            (uint64_t) BELAY_SECOND >> draw(&side->random, 20));

        if (draw(&side->random, 3) > 0)
                span = BELAY_NEVER;

        CHECK_EQ(belay_timeout_enter(limit, span), 0);
}

/* Returns whether the timeout expired, and checks that the call's result agrees with that. */
static bool leave(struct side *side, belay_timeout *limit, int64_t rc) {
        bool met = belay_timeout_expired(limit);
        int left = belay_timeout_leave(limit, rc < 0 ? (int) rc : 0);

        CHECK_EQ(left, rc == -ECANCELED ? -ETIMEDOUT : rc < 0 ? rc : 0);
        CHECK(rc != -ECANCELED || met);
        side->limits_met += met;
        CHECK_EQ(belay_cancelling(belay_self()), 0);
        return met;
}

/* ---- writing ---- */

static ssize_t write_by_chance(struct side *side, size_t size) {
        const char *data = side->out + side->written;
        struct iovec parts[5];
        size_t at = 0;

        switch (draw(&side->random, 4)) {
        case 0:
                return belay_write_some(side->stream, data, size);
        case 1:
                for (int i = 0; i < 5; i++) {
                        size_t length = i == 4 ? size - at
                                               : (size_t) draw(&side->random, size - at + 1);

                        parts[i] = (struct iovec) { (char *) data + at, length };
                        at += length;
                }
                return belay_writev(side->stream, parts, 5);
        default:
                return belay_write(side->stream, data, size);
        }
}

static int write_side(void *arg) {
        struct side *side = arg;
        belay_timeout limit;

        while (side->written < side->to_write) {
                size_t size = draw_size(side);
                bool was_cut, met;
                ssize_t rc;

                if (size > side->to_write - side->written)
                        size = side->to_write - side->written;
                enter(side, &limit);
                rc = write_by_chance(side, size);
                met = leave(side, &limit, rc);
                side->steps++;
                if (rc > 0) {
                        CHECK(rc <= (ssize_t) size);
                        side->written += (size_t) rc;
                }
                CHECK_EQ(belay_sent(side->stream), side->written);
                was_cut = belay_is_cut(side->stream);
                if (was_cut) {
                        CHECK(rc > 0 && rc < (ssize_t) size);
                        CHECK_EQ(belay_write_some(side->stream, "x", 1) == -ENOTRECOVERABLE, met);
                        CHECK_EQ(belay_mend(side->stream), 0);
                        all_cuts++;
                }
                if (rc < 0 && rc != -ECANCELED) {
                        CHECK_EQ(rc, -ECONNRESET);
                        side->cut_off = true;
                        return 0;
                }
                if (draw(&side->random, 8) == 0)
                        CHECK_EQ(belay_sleep(
                                         (belay_time) draw(&side->random, (uint64_t) BELAY_SECOND)),
                                 0);
        }
        if (belay_half_close(side->stream) < 0)
                side->cut_off = true;
        return 0;
}

/* ---- reading ---- */

static const char *const delimiters[] = { "\n", "\r\n", "ab", "aab", "\n\n", "bbbbbb" };

/*
 * Returns where the first delimiter ends in the text that comes next. Returns 0 if that is not
 * within the limit.
 */
static size_t expected_until(const struct side *side, const char *delimiter, size_t limit) {
        size_t length = strlen(delimiter);

        for (size_t end = length; end <= limit; end++)
                if (memcmp(side->in + side->read + end - length, delimiter, length) == 0)
                        return end;
        return 0;
}

/*
 * Returns whether the text ends after `size` more bytes. The peer knows that when it has written
 * all.
 */
static bool may_be_last(const struct side *side, size_t size) {
        const struct side *other = &side->test->sides[1 - side->number];

        return side->read + size == other->written;
}

/* The bytes that were taken must be the next ones of the text. */
static void take(struct side *side, const char *data, ssize_t size) {
        CHECK(memcmp(data, side->in + side->read, (size_t) size) == 0);
        side->read += (size_t) size;
        CHECK_EQ(belay_received(side->stream), side->read);
}

static ssize_t until_by_chance(struct side *side, char *buffer, belay_timeout *limit) {
        size_t which = (size_t) draw(&side->random, 7), size = draw_size(side);
        const char *delimiter = which == 6 ? "\n" : delimiters[which];
        size_t expected = expected_until(side, delimiter, size);
        ssize_t rc;

        enter(side, limit);
        buffer[size] = '#';
        /* A line needs room for one more byte. */
        rc = which == 6
                     ? belay_read_line(side->stream, buffer, size + 1)
                     : belay_read_until(side->stream, delimiter, strlen(delimiter), buffer, size);
        CHECK_EQ(buffer[size],
                 which != 6 || (rc >= 0 && rc < (ssize_t) size) || rc < 0 ? '#' : '\0');
        if (rc > 0 && (size_t) rc != expected) {
                CHECK(expected == 0 || (size_t) rc < expected);
                CHECK(may_be_last(side, (size_t) rc));
        }
        CHECK(rc != -EMSGSIZE || expected == 0);
        return rc;
}

static ssize_t peek_by_chance(struct side *side, char *buffer, belay_timeout *limit) {
        size_t least = draw_size(side), size;
        const void *seen;
        ssize_t rc;

        enter(side, limit);
        rc = belay_peek(side->stream, least, &seen);
        if (rc < 0)
                return rc;
        CHECK((size_t) rc >= least || may_be_last(side, (size_t) rc));
        CHECK_EQ(belay_buffered(side->stream), rc);
        CHECK(memcmp(seen, side->in + side->read, (size_t) rc) == 0);
        size = rc > LONGEST ? LONGEST : (size_t) rc;
        size = rc > 0 ? 1 + (size_t) draw(&side->random, size) : 0;
        memcpy(buffer, seen, size);
        CHECK_EQ(belay_skip(side->stream, size), size);
        return (ssize_t) size;
}

static ssize_t read_by_chance(struct side *side, char *buffer, belay_timeout *limit, bool *met) {
        size_t size = draw_size(side);
        ssize_t rc;

        switch (draw(&side->random, 4)) {
        case 0:
                enter(side, limit);
                rc = belay_read(side->stream, buffer, size);
                break;
        case 1:
                enter(side, limit);
                rc = belay_read_exactly(side->stream, buffer, size);
                break;
        case 2:
                rc = peek_by_chance(side, buffer, limit);
                size = LONGEST;
                break;
        default:
                rc = until_by_chance(side, buffer, limit);
                size = LONGEST;
        }
        *met = leave(side, limit, rc);
        CHECK(rc <= (ssize_t) size);
        return rc;
}

static int read_side(void *arg) {
        struct side *side = arg;
        static char buffers[2][LONGEST + 2];
        char *buffer = buffers[side->number];
        belay_timeout limit;
        bool met;

        for (;;) {
                ssize_t rc = read_by_chance(side, buffer, &limit, &met);

                side->steps++;
                if (rc > 0)
                        take(side, buffer, rc);
                CHECK_EQ(belay_received(side->stream), side->read);
                if (rc == 0)
                        break;
                if (rc == -ECONNRESET)
                        side->cut_off = true;
                if (rc == -ECONNRESET && belay_buffered(side->stream) == 0)
                        break;
                CHECK(rc > 0 || rc == -ECANCELED || rc == -EMSGSIZE || rc == -ECONNRESET);
                if (draw(&side->random, 8) == 0)
                        CHECK_EQ(belay_sleep(
                                         (belay_time) draw(&side->random, (uint64_t) BELAY_SECOND)),
                                 0);
        }
        return 0;
}

/* ---- together ---- */

static void choose_way(struct test *test, belay_wire_way *way, uint64_t *random) {
        way->delay = (belay_time) draw(random, 3)
                     * (belay_time) draw(random, (uint64_t) BELAY_SECOND);
        way->jitter = (belay_time) draw(random, 2)
                      * (belay_time) draw(random, (uint64_t) BELAY_SECOND);
        way->room = draw(random, 2) == 0 ? 0 : 1 + (size_t) draw(random, 1000);
        way->read_most = draw(random, 2) == 0 ? 0 : 1 + (size_t) draw(random, 20);
        way->write_most = draw(random, 2) == 0 ? 0 : 1 + (size_t) draw(random, 20);
        way->ragged = draw(random, 2) == 0;
        way->cut_after = test->seed % 5 == 0 ? 1 + draw(random, 20000) : 0;
}

static void check_way(const struct test *test, int number) {
        const struct side *from = &test->sides[number], *to = &test->sides[1 - number];
        uint64_t cut_after = test->options.ways[number].cut_after;

        if (!to->cut_off) {
                CHECK_EQ(to->read, from->written);
                CHECK_EQ(from->written, from->to_write);
        }
        CHECK(to->read <= from->written);
        CHECK(cut_after == 0 || to->read <= cut_after);
        CHECK(cut_after == 0 || from->written <= cut_after || to->cut_off);
}

/* Descriptors as well, with buffers as small as the system allows. */
static void open_small_pair(belay_stream *ends[2]) {
        int size = 1;

        CHECK_EQ(belay_stream_pair(&ends[0], &ends[1]), 0);
        for (int i = 0; i < 2; i++)
                CHECK_EQ(setsockopt(belay_stream_fd(ends[i]), SOL_SOCKET, SO_SNDBUF, &size,
                                    sizeof(size)),
                         0);
}

static int run_test(void *arg) {
        struct test *test = arg;
        belay_task *tasks[4];
        belay_stream *ends[2];
        uint64_t random = test->seed;

        for (int i = 0; i < 2; i++)
                choose_way(test, &test->options.ways[i], &random);
        test->options.size = sizeof(test->options);
        test->options.seed = test->seed;
        if (test->seed % 4 == 3) {
                open_small_pair(ends);
                test->options.ways[0].cut_after = test->options.ways[1].cut_after = 0;
        } else {
                CHECK_EQ(belay_wire(ends, &test->options), 0);
        }
        for (int i = 0; i < 2; i++) {
                test->sides[i] = (struct side) {
                        .test = test,
                        .number = i,
                        .stream = ends[i],
                        .random = test->seed * 4 + (uint64_t) i,
                        .out = texts[i],
                        .in = texts[1 - i],
                        .to_write = (size_t) draw(&random, 30000),
                };
                tasks[2 * i] = must(belay_spawn(write_side, &test->sides[i]));
                tasks[2 * i + 1] = must(belay_spawn(read_side, &test->sides[i]));
        }
        for (int i = 0; i < 4; i++)
                join_task(tasks[i], 0);
        for (int i = 0; i < 2; i++) {
                check_way(test, i);
                all_steps += test->sides[i].steps;
                all_limits += test->sides[i].limits_met;
                CHECK_EQ(belay_close(ends[i], 0), 0);
        }
        return 0;
}

int main(int argc, char **argv) {
        static const char letters[] = "aaabbbb\n\n\r";
        uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
        uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 0) : 400;
        uint64_t random = 1;

        keep_lines();
        /* The text contains zeros, and many places that resemble a delimiter. */
        for (int i = 0; i < 2; i++)
                for (size_t k = 0; k < sizeof(texts[i]); k++)
                        texts[i][k] = letters[draw(&random, sizeof(letters))];
        for (uint64_t seed = first; seed < first + count; seed++) {
                struct test test = { .seed = seed };

                printf("seed %llu\n", (unsigned long long) seed);
                CHECK_EQ(belay_run_with(run_test, &test,
                                        BELAY_OPTIONS(belay_loop_options,
                                                      .clock = BELAY_CLOCK_VIRTUAL,
                                                      .seed = seed % 3)),
                         0);
        }
        printf("%u steps, %u limits met, %u messages cut\n", all_steps, all_limits, all_cuts);
        CHECK(argc > 1 || (all_steps > 100000 && all_limits > 5000 && all_cuts > 1000));
        return 0;
}
