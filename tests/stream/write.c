/* SPDX-License-Identifier: MIT */
/*
 * Writing all bytes in order, however slow the reader is; in several parts, as many bytes as fit,
 * and text.
 *
 * If a message is incomplete, the number of bytes that were moved is reported exactly. Nothing is
 * written after them until the program resumes writing.
 */
#define _GNU_SOURCE
#include <sys/uio.h>

#include "base/guarded.h"
#include "stream/streams.h"

static belay_stream *ends[2];

static void close_both(void) {
        CHECK_EQ(belay_close(ends[0], 0), 0);
        CHECK_EQ(belay_close(ends[1], 0), 0);
}

/* Opens a connection with `room` bytes in one direction. */
static void open_narrow(size_t room) {
        CHECK_EQ(belay_wire(ends, BELAY_OPTIONS(belay_wire_options, .ways = { { .room = room } })),
                 0);
}

/* ---- slow readers ---- */

enum { MUCH = 400000 };

static int drain_slowly(void *arg) {
        static char buffer[MUCH];
        size_t there = 0, most = 1;
        ssize_t size;

        (void) arg;
        while (there < MUCH) {
                size = belay_read(ends[1], buffer + there,
                                  MUCH - there < most ? MUCH - there : most);
                CHECK(size > 0);
                there += (size_t) size;
                most = most * 5 % 4099;
                CHECK_EQ(belay_yield(), 0);
        }
        CHECK(is_filled(buffer, MUCH, 0));
        CHECK_EQ(belay_received(ends[1]), MUCH);
        return 0;
}

static int back_pressure(void *arg) {
        static char data[MUCH];
        struct subject *subject = arg;
        belay_task *task;

        fill(data, MUCH, 0);
        open_ends(subject->kind, ends);
        task = must(belay_spawn(drain_slowly, NULL));
        CHECK_EQ(belay_write(ends[0], data, MUCH), MUCH);
        CHECK_EQ(belay_sent(ends[0]), MUCH);
        join_task(task, 0);
        close_both();
        return 0;
}

/* Both peers write more than a direction holds, at the same time. Each has a task that reads. */
static int both_ways(void *arg) {
        static char data[MUCH], buffers[2][MUCH];
        struct subject *subject = arg;
        struct once reads[2];
        belay_task *readers[2], *writers[2];
        struct once writes[2];

        if (subject->kind == PIPE)
                return 0;
        fill(data, MUCH, 0);
        open_ends(subject->kind, ends);
        for (int i = 0; i < 2; i++) {
                writes[i] = (struct once) { .stream = ends[i], .data = data, .size = MUCH };
                reads[i] = (struct once) { .stream = ends[i], .buffer = buffers[i], .size = MUCH };
                writers[i] = must(belay_spawn(write_once, &writes[i]));
                readers[i] = must(belay_spawn(read_exactly_once, &reads[i]));
        }
        for (int i = 0; i < 2; i++) {
                join_task(writers[i], 0);
                join_task(readers[i], 0);
                CHECK_EQ(writes[i].result, MUCH);
                CHECK_EQ(reads[i].result, MUCH);
                CHECK(is_filled(buffers[i], MUCH, 0));
                CHECK(belay_sent(ends[i]) == MUCH && belay_received(ends[i]) == MUCH);
        }
        close_both();
        return 0;
}

/* ---- parts ---- */

static int parts(void *arg) {
        enum { PARTS = 100 };
        struct subject *subject = arg;
        static char data[PARTS * PARTS], buffer[PARTS * PARTS];
        struct iovec given[PARTS], before[PARTS];
        size_t size = 0;

        fill(data, sizeof(data), 0);
        open_ends(subject->kind, ends);
        /*
         * Parts of increasing sizes, with empty ones at the beginning, in between and at the end.
         */
        for (int i = 0; i < PARTS; i++) {
                size_t length = i % 3 == 0 || i > PARTS - 4 ? 0 : (size_t) i;

                given[i] = (struct iovec) { .iov_base = length > 0 ? data + size : NULL,
                                            .iov_len = length };
                size += length;
        }
        memcpy(before, given, sizeof(given));
        CHECK_EQ(belay_writev(ends[0], given, 0), 0);
        CHECK_EQ(belay_writev(ends[0], NULL, 0), 0);
        CHECK_EQ(belay_writev(ends[0], given, 1), 0);
        CHECK_EQ(belay_writev(ends[0], given, -1), -EINVAL);
        CHECK_EQ(belay_writev(ends[0], given, UIO_MAXIOV + 1), -EINVAL);
        CHECK_EQ(belay_writev(ends[0], given, PARTS), size);
        CHECK(memcmp(before, given, sizeof(given)) == 0);
        CHECK_EQ(belay_read_exactly(ends[1], buffer, size), size);
        CHECK(is_filled(buffer, size, 0));
        CHECK_EQ(belay_sent(ends[0]), size);
        close_both();
        return 0;
}

/* There are many parts, and each write moves only a few bytes. */
static int parts_in_pieces(void *arg) {
        static char data[1000], buffer[1000];
        struct iovec given[100];

        (void) arg;
        fill(data, 1000, 0);
        for (int i = 0; i < 100; i++)
                given[i] = (struct iovec) { .iov_base = data + 10 * i, .iov_len = 10 };
        for (size_t most = 1; most < 400; most = most * 2 + 1) {
                CHECK_EQ(belay_wire(ends, BELAY_OPTIONS(belay_wire_options,
                                                        .ways = { { .write_most = most } })),
                         0);
                CHECK_EQ(belay_writev(ends[0], given, 100), 1000);
                CHECK_EQ(belay_read_exactly(ends[1], buffer, 1000), 1000);
                CHECK(is_filled(buffer, 1000, 0));
                close_both();
        }
        return 0;
}

/* ---- as many bytes as fit ---- */

static int some(void *arg) {
        char data[100], buffer[100];
        struct once once = { .data = data, .size = 20 };
        belay_task *task;

        (void) arg;
        fill(data, 100, 0);
        open_narrow(10);
        CHECK_EQ(belay_write_some(ends[0], data, 0), 0);
        CHECK_EQ(belay_write_some(ends[0], data, 4), 4);
        CHECK_EQ(belay_write_some(ends[0], data + 4, 96), 6);
        CHECK(!belay_is_cut(ends[0]));
        /* There is no room, so the call waits until the first byte fits. */
        once.stream = ends[0];
        task = must(belay_spawn(write_once, &once));
        let_run();
        CHECK(!once.done);
        CHECK(belay_cancel(task, NULL));
        join_task(task, 0);
        CHECK_EQ(once.result, -ECANCELED);
        CHECK(!belay_is_cut(ends[0]));
        CHECK_EQ(belay_read(ends[1], buffer, 3), 3);
        CHECK_EQ(belay_write_some(ends[0], data + 10, 90), 3);
        CHECK_EQ(belay_read_exactly(ends[1], buffer + 3, 10), 10);
        CHECK(is_filled(buffer, 13, 0));
        CHECK_EQ(belay_sent(ends[0]), 13);
        close_both();
        return 0;
}

/* ---- text ---- */

static int prints(void *arg) {
        struct subject *subject = arg;
        char buffer[3000], text[2000];

        open_ends(subject->kind, ends);
        CHECK_EQ(belay_print(ends[0], "%s is %d%%\n", "x", 42), 9);
        CHECK_EQ(belay_read_exactly(ends[1], buffer, 9), 9);
        CHECK(memcmp(buffer, "x is 42%\n", 9) == 0);
        CHECK_EQ(belay_print(ends[0], "%s", ""), 0);
        /* Sizes around the one from which it allocates memory, and far above. */
        for (size_t size = 250; size < 2000; size += size < 260 ? 1 : 500) {
                memset(text, 'a', size);
                text[size] = '\0';
                CHECK_EQ(belay_print(ends[0], "<%s>", text), size + 2);
                CHECK_EQ(belay_read_exactly(ends[1], buffer, size + 2), size + 2);
                CHECK(buffer[0] == '<' && buffer[size + 1] == '>'
                      && memcmp(buffer + 1, text, size) == 0);
        }
        CHECK_EQ((belay_print) (ends[0], "%c", 'y'), 1);
        CHECK_EQ(belay_read(ends[1], buffer, 1), 1);
        CHECK_EQ(buffer[0], 'y');
        close_both();
        return 0;
}

/* ---- incomplete messages ---- */

struct writer {
        ssize_t result;
        int next; /* result of the next wait */
};

static int write_then_wait(void *arg) {
        static char data[1000];
        struct writer *self = arg;

        fill(data, 1000, 0);
        self->result = belay_write(ends[0], data, 1000);
        self->next = belay_sleep(BELAY_SECOND);
        return 0;
}

/* Each call whose bytes the peer would take for the rest of the message is refused. */
static void check_refuses(void) {
        struct iovec part = { "x", 1 };
        int64_t copied = 7;
        belay_stream *others[2];

        CHECK(belay_is_cut(ends[0]));
        CHECK_EQ(belay_write(ends[0], "x", 1), -ENOTRECOVERABLE);
        CHECK_EQ(belay_writev(ends[0], &part, 1), -ENOTRECOVERABLE);
        CHECK_EQ(belay_write_some(ends[0], "x", 1), -ENOTRECOVERABLE);
        CHECK_EQ(belay_print(ends[0], "x"), -ENOTRECOVERABLE);
        CHECK_EQ(belay_wire(others, NULL), 0);
        CHECK_EQ(belay_write(others[0], "x", 1), 1);
        CHECK_EQ(belay_copy(ends[0], others[1], -1, &copied), -ENOTRECOVERABLE);
        CHECK_EQ(copied, 0);
        CHECK_EQ(belay_close(others[0], 0), 0);
        CHECK_EQ(belay_close(others[1], 0), 0);
        /* The peer would take the message for a whole one. */
        CHECK_EQ(belay_half_close(ends[0]), -ENOTRECOVERABLE);
}

static int cut_in_the_middle(void *arg) {
        char buffer[1000];
        struct writer writer = { 0 };
        belay_task *task;

        (void) arg;
        open_narrow(100);
        task = must(belay_spawn(write_then_wait, &writer));
        let_run();
        CHECK_EQ(belay_read(ends[1], buffer, 33), 33);
        let_run();
        CHECK_EQ(belay_sent(ends[0]), 133);
        CHECK(!belay_is_cut(ends[0]));
        CHECK(belay_cancel(task, "enough"));
        join_task(task, 0);
        /* The bytes that were moved are counted, and the request is pending for the next wait. */
        CHECK_EQ(writer.result, 133);
        CHECK_EQ(writer.next, -ECANCELED);
        check_refuses();
        /* Reading goes on in both directions, and finds the bytes that were reported as moved. */
        CHECK_EQ(belay_read_exactly(ends[1], buffer + 33, 100), 100);
        CHECK(is_filled(buffer, 133, 0));
        CHECK_EQ(belay_write(ends[1], "back", 4), 4);
        CHECK_EQ(belay_read(ends[0], buffer, 10), 4);
        CHECK(!belay_is_cut(ends[1]));
        CHECK_EQ(belay_mend(ends[0]), 0);
        CHECK(!belay_is_cut(ends[0]));
        CHECK_EQ(belay_mend(ends[0]), 0);
        CHECK_EQ(belay_write(ends[0], "the rest", 8), 8);
        CHECK_EQ(belay_read_exactly(ends[1], buffer, 8), 8);
        CHECK(memcmp(buffer, "the rest", 8) == 0);
        close_both();
        return 0;
}

/* If the cancellation comes before the first byte, the message is not incomplete. */
static int cancelled_at_the_beginning(void *arg) {
        struct writer writer = { 0 };
        char buffer[100];
        belay_task *task;

        (void) arg;
        open_narrow(100);
        memset(buffer, 'x', 100);
        CHECK_EQ(belay_write(ends[0], buffer, 100), 100);
        task = must(belay_spawn(write_then_wait, &writer));
        let_run();
        CHECK(belay_cancel(task, NULL));
        join_task(task, 0);
        CHECK_EQ(writer.result, -ECANCELED);
        CHECK_EQ(writer.next, 0);
        CHECK(!belay_is_cut(ends[0]));
        CHECK_EQ(belay_sent(ends[0]), 100);
        close_both();
        return 0;
}

/*
 * If a timeout expires in a write that has moved bytes, the write returns their number. Only
 * belay_timeout_expired() reports the expiry then.
 */
static int limited(void *arg) {
        static char data[1000];
        belay_timeout limit;
        char buffer[1000];
        ssize_t rc;

        (void) arg;
        open_narrow(100);
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_SECOND), 0);
        rc = belay_write(ends[0], data, 1000);
        CHECK_EQ(rc, 100);
        CHECK(belay_timeout_expired(&limit));
        CHECK_EQ(belay_timeout_leave(&limit, (int) rc), 100);
        CHECK(belay_is_cut(ends[0]));
        /* The timeout's request was withdrawn with it. */
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(belay_mend(ends[0]), 0);
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_SECOND), 0);
        rc = belay_write(ends[0], data, 1000);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&limit, (int) rc), -ETIMEDOUT);
        CHECK(!belay_is_cut(ends[0]));
        CHECK_EQ(belay_read_exactly(ends[1], buffer, 100), 100);
        close_both();
        return 0;
}

/*
 * An error in the middle of a message: the write returns the count, and the next one returns the
 * error.
 */
static int failed_in_the_middle(void *arg) {
        static char data[1000];

        (void) arg;
        CHECK_EQ(belay_wire(ends,
                            BELAY_OPTIONS(belay_wire_options, .ways = { { .cut_after = 250,
                                                                          .write_most = 100,
                                                                          .cut_with = -EPIPE } })),
                 0);
        CHECK_EQ(belay_write(ends[0], data, 1000), 300);
        CHECK(belay_is_cut(ends[0]));
        CHECK_EQ(belay_write(ends[0], data, 1000), -EPIPE);
        CHECK_EQ(belay_sent(ends[0]), 300);
        close_both();
        return 0;
}

/*
 * The same with descriptors: the reader receives exactly the bytes that the writer was reported to
 * have written.
 */
static int cut_descriptors(void *arg) {
        enum { SIZE = 4 << 20 };
        struct subject *subject = arg;
        char *data = malloc(SIZE), *buffer = malloc(SIZE);
        struct once once = { .data = data, .size = SIZE };
        belay_task *task;
        ssize_t size;

        CHECK(data != NULL && buffer != NULL);
        fill(data, SIZE, 0);
        open_ends(subject->kind, ends);
        once.stream = ends[0];
        task = must(belay_spawn(write_once, &once));
        let_run();
        CHECK(!once.done);
        for (size_t there = 0; there < 10000; there += (size_t) size) {
                size = belay_read(ends[1], buffer + there, 10000 - there);
                CHECK(size > 0);
        }
        let_run();
        CHECK(belay_cancel(task, NULL));
        /*
         * The task makes no further wait, so the request is still pending at its end, and the task
         * ends cancelled.
         */
        join_task(task, -ECANCELED);
        CHECK(once.result >= 10000 && once.result < SIZE);
        CHECK_EQ(belay_sent(ends[0]), once.result);
        CHECK(belay_is_cut(ends[0]));
        CHECK_EQ(belay_write(ends[0], "x", 1), -ENOTRECOVERABLE);
        CHECK_EQ(belay_read_exactly(ends[1], buffer + 10000, (size_t) once.result - 10000),
                 once.result - 10000);
        CHECK(is_filled(buffer, (size_t) once.result, 0));
        CHECK_EQ(belay_mend(ends[0]), 0);
        CHECK_EQ(belay_write(ends[0], "rest", 4), 4);
        CHECK_EQ(belay_read_exactly(ends[1], buffer, 4), 4);
        CHECK(memcmp(buffer, "rest", 4) == 0);
        close_both();
        free(data);
        free(buffer);
        return 0;
}

/* ---- no reader ---- */

static int broken(void *arg) {
        struct subject *subject = arg;
        char data[100] = "";
        ssize_t rc;

        if (subject->kind == TERMINAL)
                return 0;
        open_ends(subject->kind, ends);
        CHECK_EQ(belay_close(ends[1], 0), 0);
        do {
                rc = belay_write(ends[0], data, 100);
        } while (rc > 0);
        CHECK_EQ(rc, -EPIPE);
        /* The error is permanent. */
        CHECK_EQ(belay_write(ends[0], data, 100), -EPIPE);
        CHECK_EQ(belay_print(ends[0], "x"), -EPIPE);
        CHECK_EQ(belay_close(ends[0], 0), 0);
        return 0;
}

/* The reader closes while the writer waits for room. */
static int broken_while_waiting(void *arg) {
        enum { SIZE = 4 << 20 };
        struct subject *subject = arg;
        char *data = calloc(1, SIZE);
        struct once once = { .data = data, .size = SIZE };
        belay_task *task;

        if (subject->kind == TERMINAL) {
                free(data);
                return 0;
        }
        CHECK(data != NULL);
        open_ends(subject->kind, ends);
        once.stream = ends[0];
        task = must(belay_spawn(write_once, &once));
        let_run();
        CHECK(!once.done);
        CHECK_EQ(belay_close(ends[1], 0), 0);
        join_task(task, 0);
        CHECK(once.result > 0 && once.result < SIZE);
        CHECK_EQ(belay_sent(ends[0]), once.result);
        CHECK_EQ(belay_write(ends[0], data, 1), -EPIPE);
        CHECK_EQ(belay_close(ends[0], 0), 0);
        free(data);
        return 0;
}

int main(void) {
        belay_set_memory(guarded_memory, NULL);
        RUN_ALL_KINDS(back_pressure);
        RUN_ALL_KINDS(both_ways);
        RUN_ALL_KINDS(parts);
        RUN_VIRTUAL(parts_in_pieces);
        RUN_VIRTUAL(some);
        RUN_ALL_KINDS(prints);
        RUN_VIRTUAL(cut_in_the_middle);
        RUN_VIRTUAL(cancelled_at_the_beginning);
        RUN_VIRTUAL(limited);
        RUN_VIRTUAL(failed_in_the_middle);
        RUN_ALL_KINDS(cut_descriptors);
        RUN_ALL_KINDS(broken);
        RUN_ALL_KINDS(broken_while_waiting);
        return 0;
}
