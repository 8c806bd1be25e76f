/* SPDX-License-Identifier: MIT */
/*
 * Copies from each kind of stream to each kind, without a bound or of a given number of bytes. If a
 * copy ends early, no byte is lost and no byte is copied twice.
 */
#include <sys/socket.h>

#include "stream/streams.h"

static belay_stream *from[2], *to[2];

static void close_all(void) {
        for (int i = 0; i < 2; i++) {
                CHECK_EQ(belay_close(from[i], 0), 0);
                CHECK_EQ(belay_close(to[i], 0), 0);
        }
}

/* ---- whole ---- */

enum { SIZE = 200000 };

struct kinds {
        enum kind from, to;
};

static int whole(void *arg) {
        static char data[SIZE], buffer[SIZE];
        struct kinds *kinds = arg;
        struct once reader = { .buffer = buffer, .size = SIZE };
        struct feed feeder;
        belay_task *task;
        int64_t copied = -1;

        fill(data, SIZE, 0);
        open_ends(kinds->from, from);
        open_ends(kinds->to, to);
        start_feed(&feeder, from[0], data, SIZE, 3000);
        reader.stream = to[1];
        task = must(belay_spawn(read_exactly_once, &reader));
        CHECK_EQ(belay_copy(to[0], from[1], -1, &copied), 0);
        CHECK_EQ(copied, SIZE);
        join_task(feeder.task, 0);
        join_task(task, 0);
        CHECK_EQ(reader.result, SIZE);
        CHECK(is_filled(buffer, SIZE, 0));
        CHECK_EQ(belay_sent(to[0]), SIZE);
        CHECK_EQ(belay_received(from[1]), SIZE);
        /* At the end of the stream there is nothing more to copy. */
        CHECK_EQ(belay_copy(to[0], from[1], -1, NULL), 0);
        CHECK_EQ(belay_copy(to[0], from[1], 10, &copied), 0);
        CHECK_EQ(copied, 0);
        CHECK(!belay_is_cut(to[0]));
        CHECK_EQ(belay_close(from[1], 0), 0);
        CHECK_EQ(belay_close(to[0], 0), 0);
        CHECK_EQ(belay_close(to[1], 0), 0);
        return 0;
}

static void all_kinds(void) {
        for (int a = 0; a < KINDS; a++)
                for (int b = 0; b < KINDS; b++) {
                        struct kinds kinds = { (enum kind) a, (enum kind) b };

                        printf("from a %s to a %s\n", kind_names[a], kind_names[b]);
                        /*
                         * Ragged wires take hours of virtual time. The clock jumps to the next
                         * timer when no descriptor is ready.
                         */
                        CHECK_EQ(belay_run_with(whole, &kinds, VIRTUAL), 0);
                }
}

/* ---- a number of bytes ---- */

static int so_much(void *arg) {
        struct subject *subject = arg;
        char data[1000], buffer[1000];
        const void *seen;
        int64_t copied = -1;

        fill(data, 1000, 0);
        open_ends(subject->kind, from);
        CHECK_EQ(belay_wire(to, NULL), 0);
        CHECK_EQ(belay_write(from[0], data, 1000), 1000);
        CHECK_EQ(belay_copy(to[0], from[1], 0, &copied), 0);
        CHECK_EQ(copied, 0);
        CHECK_EQ(belay_copy(to[0], from[1], 300, &copied), 0);
        CHECK_EQ(copied, 300);
        CHECK_EQ(belay_received(from[1]), 300);
        /* The bytes after the bound are read by the next call, whichever it is. */
        CHECK_EQ(belay_read_exactly(from[1], buffer + 300, 100), 100);
        CHECK(belay_peek(from[1], 200, &seen) >= 200);
        CHECK_EQ(belay_copy(to[0], from[1], 50, &copied), 0);
        CHECK_EQ(copied, 50);
        CHECK_EQ(belay_read_exactly(to[1], buffer, 300), 300);
        CHECK(is_filled(buffer, 400, 0));
        CHECK_EQ(belay_read_exactly(to[1], buffer, 50), 50);
        CHECK(is_filled(buffer, 50, 400));
        CHECK_EQ(belay_read_exactly(from[1], buffer, 550), 550);
        CHECK(is_filled(buffer, 550, 450));
        close_all();
        return 0;
}

/* ---- cancelled ---- */

struct copier {
        int64_t copied;
        int rc, next;
};

static int copy(void *arg) {
        struct copier *self = arg;

        self->rc = belay_copy(to[0], from[1], -1, &self->copied);
        self->next = belay_sleep(0);
        return 0;
}

static int drain(void *arg) {
        struct once *self = arg;
        ssize_t size;

        self->result = 0;
        while ((size = belay_read(self->stream, (char *) self->buffer + self->result, 777)) > 0)
                self->result += size;
        CHECK_EQ(size, 0);
        return 0;
}

enum { LENGTH = 30000 };

/*
 * The copy is cancelled at an arbitrary instant. The bytes that it copied and those that are still
 * in the source make up the whole, and a second copy continues from there.
 */
static int cancelled(void *arg) {
        static char data[LENGTH], buffer[LENGTH + 777];
        uint64_t seed = *(const uint64_t *) arg;
        belay_wire_options options = {
                .size = sizeof(options),
                .ways = { { .jitter = BELAY_SECOND,
                            .room = 1 + (size_t) (seed * 7919 % 5000),
                            .ragged = true } },
                .seed = seed,
        };
        struct once reader = { .buffer = buffer };
        struct copier copier = { .copied = -1 };
        struct feed feeder;
        belay_task *copying, *draining;
        int64_t all;
        int again = 0;

        fill(data, LENGTH, 0);
        CHECK_EQ(belay_wire(from, &options), 0);
        options.seed = seed + 1000;
        CHECK_EQ(belay_wire(to, &options), 0);
        start_feed(&feeder, from[0], data, LENGTH, 1000);
        reader.stream = to[1];
        draining = must(belay_spawn(drain, &reader));
        for (all = 0;; again++) {
                copying = must(belay_spawn(copy, &copier));
                CHECK_EQ(belay_sleep((belay_time) (seed * 104729 % (uint64_t) (3 * BELAY_SECOND))
                                     * (1 + again)),
                         0);
                if (!belay_done(copying))
                        CHECK(belay_cancel(copying, NULL));
                join_task(copying, 0);
                CHECK(copier.copied >= 0);
                all += copier.copied;
                CHECK_EQ(belay_sent(to[0]), all);
                CHECK_EQ(belay_received(from[1]), all);
                CHECK(!belay_is_cut(to[0]));
                CHECK_EQ(copier.next, 0);
                if (copier.rc == 0)
                        break;
                CHECK_EQ(copier.rc, -ECANCELED);
        }
        CHECK_EQ(all, LENGTH);
        join_task(feeder.task, 0);
        CHECK_EQ(belay_half_close(to[0]), 0);
        join_task(draining, 0);
        CHECK_EQ(reader.result, LENGTH);
        CHECK(is_filled(buffer, LENGTH, 0));
        CHECK_EQ(belay_close(from[1], 0), 0);
        CHECK_EQ(belay_close(to[0], 0), 0);
        CHECK_EQ(belay_close(to[1], 0), 0);
        return 0;
}

/*
 * The same between sockets, where bytes that cannot be written at once take another path through
 * the code. The target's buffer is small.
 */
static int cancelled_sockets(void *arg) {
        static char data[SIZE], buffer[SIZE + 777];
        unsigned seed = *(const unsigned *) arg;
        struct once reader = { .buffer = buffer };
        struct copier copier = { .copied = -1 };
        struct feed feeder;
        belay_task *copying, *draining;
        int64_t all = 0;
        int room = 1;

        fill(data, SIZE, 0);
        open_ends(PAIR, from);
        open_ends(PAIR, to);
        CHECK_EQ(setsockopt(belay_stream_fd(to[0]), SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
        start_feed(&feeder, from[0], data, SIZE, 0);
        reader.stream = to[1];
        draining = must(belay_spawn(drain, &reader));
        for (int again = 0; all < SIZE; again++) {
                copying = must(belay_spawn(copy, &copier));
                for (unsigned i = 0; again < 50 && i < seed * 7 % 23; i++)
                        CHECK_EQ(belay_yield(), 0);
                if (again < 50)
                        belay_cancel(copying, NULL);
                CHECK_EQ(belay_join(copying, NULL), 0);
                belay_release(copying);
                if (copier.copied > 0)
                        all += copier.copied;
                copier.copied = 0;
                CHECK_EQ(belay_sent(to[0]), all);
                CHECK_EQ(belay_received(from[1]), all);
                CHECK(!belay_is_cut(to[0]));
        }
        CHECK_EQ(all, SIZE);
        join_task(feeder.task, 0);
        CHECK_EQ(belay_half_close(to[0]), 0);
        join_task(draining, 0);
        CHECK_EQ(reader.result, SIZE);
        CHECK(is_filled(buffer, SIZE, 0));
        CHECK_EQ(belay_close(from[1], 0), 0);
        CHECK_EQ(belay_close(to[0], 0), 0);
        CHECK_EQ(belay_close(to[1], 0), 0);
        return 0;
}

/* ---- failed ---- */

static int source_fails(void *arg) {
        char buffer[100];
        int64_t copied = -1;

        (void) arg;
        CHECK_EQ(belay_wire(from, BELAY_OPTIONS(belay_wire_options,
                                                .ways = { { .cut_after = 10, .cut_with = -EIO } })),
                 0);
        CHECK_EQ(belay_wire(to, NULL), 0);
        CHECK_EQ(belay_write(from[0], "0123456789abc", 13), 13);
        CHECK_EQ(belay_copy(to[0], from[1], -1, &copied), -EIO);
        CHECK_EQ(copied, 10);
        CHECK_EQ(belay_copy(to[0], from[1], -1, &copied), -EIO);
        CHECK_EQ(copied, 0);
        CHECK(!belay_is_cut(to[0]));
        CHECK_EQ(belay_write(to[0], "on", 2), 2);
        CHECK_EQ(belay_read_exactly(to[1], buffer, 12), 12);
        CHECK(memcmp(buffer, "0123456789on", 12) == 0);
        close_all();
        return 0;
}

static int target_fails(void *arg) {
        char buffer[100];
        int64_t copied = -1;

        (void) arg;
        CHECK_EQ(belay_wire(from, NULL), 0);
        CHECK_EQ(belay_wire(to,
                            BELAY_OPTIONS(belay_wire_options, .ways = { { .cut_after = 3,
                                                                          .write_most = 4,
                                                                          .cut_with = -EPIPE } })),
                 0);
        CHECK_EQ(belay_write(from[0], "0123456789", 10), 10);
        CHECK_EQ(belay_copy(to[0], from[1], -1, &copied), -EPIPE);
        CHECK_EQ(copied, 4);
        CHECK_EQ(belay_sent(to[0]), 4);
        /* The bytes that were not written are still in the source. */
        CHECK_EQ(belay_read_exactly(from[1], buffer, 6), 6);
        CHECK(memcmp(buffer, "456789", 6) == 0);
        CHECK(!belay_is_cut(to[0]));
        close_all();
        return 0;
}

/* The same if the kernel reports the error. */
static int pipe_breaks(void *arg) {
        char buffer[100];
        int64_t copied = -1;

        (void) arg;
        CHECK_EQ(belay_wire(from, NULL), 0);
        open_ends(PIPE, to);
        CHECK_EQ(belay_close(to[1], 0), 0);
        CHECK_EQ(belay_write(from[0], "0123456789", 10), 10);
        CHECK_EQ(belay_copy(to[0], from[1], -1, &copied), -EPIPE);
        CHECK_EQ(copied, 0);
        CHECK_EQ(belay_read_exactly(from[1], buffer, 10), 10);
        CHECK(memcmp(buffer, "0123456789", 10) == 0);
        to[1] = NULL;
        close_all();
        return 0;
}

/* Copies a stream back to itself. */
static int echo(void *arg) {
        static char data[SIZE], buffer[SIZE];
        struct subject *subject = arg;
        struct once writer = { .data = data, .size = SIZE },
                    reader = { .buffer = buffer, .size = SIZE };
        belay_task *tasks[2];
        int64_t copied = -1;

        if (subject->kind == PIPE)
                return 0;
        fill(data, SIZE, 0);
        open_ends(subject->kind, to);
        reader.stream = writer.stream = to[0];
        tasks[0] = must(belay_spawn(write_once, &writer));
        tasks[1] = must(belay_spawn(read_exactly_once, &reader));
        CHECK_EQ(belay_copy(to[1], to[1], SIZE, &copied), 0);
        CHECK_EQ(copied, SIZE);
        join_task(tasks[0], 0);
        join_task(tasks[1], 0);
        CHECK(writer.result == SIZE && reader.result == SIZE);
        CHECK(is_filled(buffer, SIZE, 0));
        from[0] = from[1] = NULL;
        close_all();
        return 0;
}

int main(void) {
        all_kinds();
        RUN_ALL_KINDS(so_much);
        for (uint64_t seed = 1; seed <= 60; seed++)
                CHECK_EQ(belay_run_with(cancelled, &seed, VIRTUAL), 0);
        for (unsigned seed = 1; seed <= 20; seed++)
                CHECK_EQ(belay_run(cancelled_sockets, &seed), 0);
        RUN_VIRTUAL(source_fails);
        RUN_VIRTUAL(target_fails);
        RUN_VIRTUAL(pipe_breaks);
        RUN_ALL_KINDS(echo);
        return 0;
}
