/* SPDX-License-Identifier: MIT */
/*
 * A stream has one reader and one writer at a time. A second one is refused, with a report that
 * names the first. Also timeouts, the clock, and streams that are always ready.
 */
#include <sys/uio.h>
#include "stream/streams.h"

static belay_stream *ends[2];

static void close_both(void) {
        CHECK_EQ(belay_close(ends[0], 0), 0);
        CHECK_EQ(belay_close(ends[1], 0), 0);
}

/* ---- two at once ---- */

static belay_task *spawn_named(belay_fn *fn, void *arg, const char *name) {
        return must(belay_spawn_with(fn, arg, BELAY_OPTIONS(belay_spawn_options, .name = name)));
}

static int second(void *arg) {
        char buffer[10];
        const void *seen;
        int64_t copied = 5;
        struct iovec part = { buffer, 1 };

        (void) arg;
        CHECK_EQ(belay_read(ends[1], buffer, 10), -EBUSY);
        CHECK_EQ(belay_read_exactly(ends[1], buffer, 10), -EBUSY);
        CHECK_EQ(belay_read_until(ends[1], "x", 1, buffer, 10), -EBUSY);
        CHECK_EQ(belay_read_line(ends[1], buffer, 10), -EBUSY);
        CHECK_EQ(belay_peek(ends[1], 1, &seen), -EBUSY);
        CHECK(seen == NULL);
        CHECK_EQ(belay_copy(ends[1], ends[1], -1, &copied), -EBUSY);
        CHECK_EQ(copied, 0);
        CHECK_EQ(belay_write(ends[0], buffer, 1), -EBUSY);
        CHECK_EQ(belay_writev(ends[0], &part, 1), -EBUSY);
        CHECK_EQ(belay_write_some(ends[0], buffer, 1), -EBUSY);
        CHECK_EQ(belay_print(ends[0], "x"), -EBUSY);
        CHECK_EQ(belay_half_close(ends[0]), -EBUSY);
        CHECK_EQ(belay_send_file(ends[0], 0, 0, 1), -EBUSY);
        return 0;
}

static int two_at_once(void *arg) {
        enum { SIZE = 1 << 22 };
        struct subject *subject = arg;
        char buffer[10], *data = calloc(1, SIZE);
        struct once reader = { .buffer = buffer, .size = 10 },
                    writer = { .data = data, .size = SIZE };
        belay_stream *other_end;
        belay_task *tasks[3];
        int outcome = 1;

        CHECK(data != NULL);
        if (subject->kind == PIPE) {
                free(data);
                return 0;
        }
        open_ends(subject->kind, ends);
        /*
         * At one end a task reads, and another writes more than there is room for. Neither can
         * proceed.
         */
        other_end = ends[1];
        ends[1] = ends[0];
        reader.stream = writer.stream = ends[0];
        tasks[0] = spawn_named(read_once, &reader, "anna");
        tasks[1] = spawn_named(write_once, &writer, "otto");
        let_run();
        CHECK(!reader.done && !writer.done);
        keep_lines();
        tasks[2] = spawn_named(second, NULL, "third");
        join_task(tasks[2], 0);
        belay_set_log(NULL, NULL);
        /* Each report names both tasks, the call site of the first, and the stream. */
        CHECK_EQ(kept_count, 12);
        CHECK_LINES(12, "third");
        CHECK_LINES(6, "anna");
        CHECK_LINES(6, "otto");
        CHECK_LINES(12, belay_stream_name(ends[0]));
        CHECK_LINES(12, "streams.h:");
        CHECK_LINES(1, "belay_read_line()");
        CHECK_LINES(1, "belay_half_close()");
        CHECK(belay_cancel(tasks[0], NULL));
        CHECK(belay_cancel(tasks[1], NULL));
        join_task(tasks[0], 0);
        CHECK_EQ(reader.result, -ECANCELED);
        /*
         * io_uring may end the two requests in different turns, so only a join tells that the
         * writer has its result. A write that moved bytes leaves the cancellation to the task.
         */
        CHECK_EQ(belay_join(tasks[1], &outcome), 0);
        CHECK_EQ(outcome, writer.result > 0 ? -ECANCELED : 0);
        belay_release(tasks[1]);
        free(data);
        belay_abort(ends[0]);
        belay_abort(other_end);
        return 0;
}

/* When the first task has left, another may enter. */
static int in_turn(void *arg) {
        char buffer[10];
        struct once reader = { .buffer = buffer, .size = 10 };
        belay_task *task;

        (void) arg;
        CHECK_EQ(belay_wire(ends, NULL), 0);
        reader.stream = ends[1];
        task = must(belay_spawn(read_once, &reader));
        let_run();
        keep_lines();
        CHECK_EQ(belay_read(ends[1], buffer, 10), -EBUSY);
        CHECK_LINES(1, "belay_read()");
        belay_set_log(NULL, NULL);
        CHECK_EQ(belay_write(ends[0], "abc", 3), 3);
        join_task(task, 0);
        CHECK_EQ(reader.result, 3);
        CHECK_EQ(belay_write(ends[0], "def", 3), 3);
        CHECK_EQ(belay_read(ends[1], buffer, 10), 3);
        close_both();
        return 0;
}

/* Outside of a task, no call can wait. */
static void read_in_callback(void *arg) {
        char buffer[10];

        keep_lines();
        CHECK_EQ(belay_read(ends[1], buffer, 10), -EPERM);
        CHECK_EQ(belay_write(ends[1], buffer, 10), -EPERM);
        CHECK_LINES(1, "belay_read()");
        CHECK_LINES(1, "belay_write()");
        belay_set_log(NULL, NULL);
        *(bool *) arg = true;
}

static int outside(void *arg) {
        bool called = false;

        (void) arg;
        CHECK_EQ(belay_wire(ends, NULL), 0);
        CHECK(belay_soon(read_in_callback, &called) != 0);
        let_run();
        CHECK(called);
        close_both();
        return 0;
}

/* ---- timeouts ---- */

static int limits(void *arg) {
        char buffer[100];
        belay_timeout limit;
        ssize_t rc;

        (void) arg;
        CHECK_EQ(belay_wire(ends, BELAY_OPTIONS(belay_wire_options,
                                                .ways = { { .delay = BELAY_MINUTE } })),
                 0);
        CHECK_EQ(belay_write(ends[0], "late", 4), 4);
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_SECOND), 0);
        rc = belay_read(ends[1], buffer, 100);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&limit, (int) rc), -ETIMEDOUT);
        CHECK_EQ(belay_now(), BELAY_SECOND);
        /* The expired timeout lost no data. */
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_HOUR), 0);
        rc = belay_read(ends[1], buffer, 100);
        CHECK_EQ(belay_timeout_leave(&limit, (int) rc), 4);
        CHECK_EQ(belay_now(), BELAY_MINUTE);
        /* Data that is there is read although the timeout has expired. */
        CHECK_EQ(belay_write(ends[0], "more", 4), 4);
        CHECK_EQ(belay_sleep(BELAY_HOUR), 0);
        CHECK_EQ(belay_timeout_enter(&limit, 0), 0);
        rc = belay_read(ends[1], buffer, 100);
        CHECK_EQ(belay_timeout_leave(&limit, (int) rc), 4);
        /* Of several bytes, those that arrived in time. */
        CHECK_EQ(belay_write(ends[0], "ab", 2), 2);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(belay_write(ends[0], "cd", 2), 2);
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_MINUTE + BELAY_MILLISECOND), 0);
        rc = belay_read_exactly(ends[1], buffer, 4);
        CHECK_EQ(rc, 4);
        CHECK_EQ(belay_timeout_leave(&limit, (int) rc), 4);
        CHECK_EQ(belay_write(ends[0], "ab", 2), 2);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(belay_write(ends[0], "cd", 2), 2);
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_MINUTE - BELAY_MILLISECOND), 0);
        rc = belay_read_exactly(ends[1], buffer, 4);
        CHECK_EQ(rc, 2);
        CHECK(belay_timeout_expired(&limit));
        CHECK_EQ(belay_timeout_leave(&limit, (int) rc), 2);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(belay_read(ends[1], buffer, 4), 2);
        close_both();
        return 0;
}

/* Descriptors under a virtual clock. No event comes, so the timeout expires at once. */
static int limits_of_descriptors(void *arg) {
        char buffer[100];
        belay_timeout limit;
        ssize_t rc;

        (void) arg;
        CHECK_EQ(belay_stream_pair(&ends[0], &ends[1]), 0);
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_HOUR), 0);
        rc = belay_read(ends[1], buffer, 100);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&limit, (int) rc), -ETIMEDOUT);
        CHECK_EQ(belay_now(), BELAY_HOUR);
        CHECK_EQ(belay_write(ends[0], "there", 5), 5);
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_HOUR), 0);
        rc = belay_read(ends[1], buffer, 100);
        CHECK_EQ(belay_timeout_leave(&limit, (int) rc), 5);
        CHECK_EQ(belay_now(), BELAY_HOUR);
        close_both();
        return 0;
}

/* ---- streams that are always ready ---- */

static unsigned turns;

static int count_turns(void *arg) {
        int rc = 0;

        (void) arg;
        while (rc == 0) {
                turns++;
                rc = belay_yield();
        }
        return rc;
}

/* One task uses both ends, so it never has to wait. */
static int never_waits(void *arg) {
        unsigned *calls = arg;
        char byte = 'x';
        ssize_t rc = 1;

        while (rc == 1) {
                rc = ++*calls % 2 == 1 ? belay_write(ends[0], &byte, 1)
                                       : belay_read(ends[1], &byte, 1);
                CHECK(*calls < 1000000);
        }
        return (int) rc;
}

static int gives_way(void *arg) {
        struct subject *subject = arg;
        unsigned calls = 0;
        belay_task *greedy, *other;

        open_ends(subject->kind, ends);
        if (subject->kind == WIRE_RAGGED || subject->kind == TERMINAL) {
                close_both();
                return 0;
        }
        turns = 0;
        other = must(belay_spawn(count_turns, NULL));
        greedy = must(belay_spawn(never_waits, &calls));
        while (calls < 1000)
                CHECK_EQ(belay_yield(), 0);
        /* The other task had its turns: the greedy one yields after a bounded number of calls. */
        CHECK(turns >= 1000 / 200);
        CHECK(belay_cancel(greedy, NULL));
        join_task(greedy, -ECANCELED);
        /* The call that was cancelled moved nothing. */
        CHECK_EQ(belay_sent(ends[0]) + belay_received(ends[1]), calls - 1);
        CHECK(!belay_is_cut(ends[0]));
        CHECK(belay_cancel(other, NULL));
        join_task(other, -ECANCELED);
        close_both();
        return 0;
}

/* The same within one call that moves many bytes. */
static int one_long_call(void *arg) {
        enum { SIZE = 20000 };
        static char data[SIZE], buffer[SIZE];
        belay_task *task;

        (void) arg;
        CHECK_EQ(belay_wire(ends, BELAY_OPTIONS(belay_wire_options,
                                                .ways = { { .read_most = 1, .write_most = 1 } })),
                 0);
        turns = 0;
        task = must(belay_spawn(count_turns, NULL));
        fill(data, SIZE, 0);
        CHECK_EQ(belay_write(ends[0], data, SIZE), SIZE);
        CHECK(turns > SIZE / 200);
        turns = 0;
        CHECK_EQ(belay_read_exactly(ends[1], buffer, SIZE), SIZE);
        CHECK(turns > SIZE / 200);
        CHECK(is_filled(buffer, SIZE, 0));
        CHECK(belay_cancel(task, NULL));
        join_task(task, -ECANCELED);
        close_both();
        return 0;
}

int main(void) {
        RUN_ALL_KINDS(two_at_once);
        RUN_VIRTUAL(in_turn);
        RUN_VIRTUAL(outside);
        RUN_VIRTUAL(limits);
        RUN_VIRTUAL(limits_of_descriptors);
        RUN_ALL_KINDS(gives_way);
        RUN_VIRTUAL(one_long_call);
        return 0;
}
