/* SPDX-License-Identifier: MIT */
/*
 * Waits for a descriptor that a stream owns. They work as for any other descriptor, and end when
 * the stream is closed.
 */
#define _GNU_SOURCE
#include <stdint.h>

#include "descriptors.h"

static belay_stream *open_stream(int fd, bool keep_open) {
        belay_stream *stream;

        CHECK_EQ(belay_stream_open_fd(&stream, fd,
                                      BELAY_OPTIONS(belay_stream_options, .keep_open = keep_open)),
                 0);
        return stream;
}

/* ---- events ---- */

/*
 * A descriptor that became ready long ago is found ready, although the kernel does not report it
 * again.
 */
static int is_told(void *arg) {
        struct waiter waiter;
        belay_stream *stream;
        int ends[2], fd;
        char byte;

        (void) arg;
        open_pair(ends);
        stream = open_stream(ends[0], false);
        fd = belay_stream_fd(stream);
        CHECK_EQ(fd, ends[0]);
        CHECK_EQ(is_ready(fd, READABLE), 0);
        CHECK_EQ(is_ready(fd, PRIORITY), 0);
        CHECK_EQ(belay_wait_fd(fd, READABLE | WRITABLE), WRITABLE);
        start_waiter(&waiter, fd, READABLE);
        CHECK(!waiter.done);
        put(ends[1], "abc");
        join_waiter(&waiter, READABLE);
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_wait_fd(fd, READABLE), READABLE);
                CHECK_EQ(belay_wait_fd(fd, READABLE | WRITABLE), READABLE | WRITABLE);
                CHECK_EQ(belay_read(stream, &byte, 1), 1);
        }
        CHECK_EQ(is_ready(fd, READABLE), 0);
        start_waiter(&waiter, fd, READABLE);
        CHECK(!waiter.done);
        put(ends[1], "d");
        join_waiter(&waiter, READABLE);
        CHECK_EQ(belay_read(stream, &byte, 1), 1);

        stuff(fd);
        CHECK_EQ(is_ready(fd, WRITABLE), 0);
        start_waiter(&waiter, fd, WRITABLE);
        CHECK(!waiter.done);
        drain(ends[1]);
        join_waiter(&waiter, WRITABLE);

        close(ends[1]);
        CHECK_EQ(belay_wait_fd(fd, PRIORITY), PRIORITY);
        CHECK_EQ(belay_wait_fd(fd, READABLE | WRITABLE | PRIORITY), READABLE | WRITABLE | PRIORITY);
        CHECK_EQ(belay_wait_fd(fd, 0), -EINVAL);
        CHECK_EQ(belay_close(stream, 0), 0);
        return 0;
}

/*
 * An event whose data has been read meanwhile is not reported. The data may be read while no task
 * waits, or by another task between the wake-up and the waiter's turn.
 */
static int is_not_told_of_what_is_gone(void *arg) {
        (void) arg;
        for (int i = 0; i < 8; i++) {
                belay_stream *stream, *other;
                struct waiter waiter;
                char bytes[8];
                int fd;

                CHECK_EQ(i % 2 == 0 ? belay_stream_pipe(&stream, &other)
                                    : belay_stream_pair(&stream, &other),
                         0);
                fd = belay_stream_fd(stream);
                if (i & 2)
                        CHECK_EQ(is_ready(fd, READABLE), 0);
                put(belay_stream_fd(other), "12345");
                if (i & 4)
                        CHECK_EQ(belay_wait_fd(fd, READABLE), READABLE);
                CHECK_EQ(belay_read(stream, bytes, sizeof(bytes)), 5);
                CHECK_EQ(is_ready(fd, READABLE), 0);

                start_waiter(&waiter, fd, READABLE);
                put(belay_stream_fd(other), "67");
                CHECK_EQ(belay_wait_fd(fd, READABLE), READABLE);
                CHECK_EQ(belay_read(stream, bytes, sizeof(bytes)), 2);
                CHECK_EQ(belay_sleep(1), 0);
                CHECK(!waiter.done);
                put(belay_stream_fd(other), "8");
                join_waiter(&waiter, READABLE);
                belay_abort(stream);
                belay_abort(other);
        }
        return 0;
}

/* Several tasks wait for a descriptor that no stream owns; the first takes the byte. */
static int takes_it(void *arg) {
        struct waiter *self = arg;
        char byte;

        self->result = belay_wait_fd(self->fd, self->events);
        CHECK_EQ(read(self->fd, &byte, 1), 1);
        self->done = true;
        return 0;
}

static int one_takes_it(void *arg) {
        struct waiter waiters[3];
        unsigned done;
        int ends[2];

        (void) arg;
        open_pipe(ends);
        for (int i = 0; i < 3; i++) {
                waiters[i] = (struct waiter) { .fd = ends[0], .events = READABLE };
                waiters[i].task = must(belay_spawn(takes_it, &waiters[i]));
        }
        for (unsigned i = 1; i <= 3; i++) {
                put(ends[1], "x");
                CHECK_EQ(belay_sleep(1), 0);
                done = 0;
                for (int j = 0; j < 3; j++)
                        done += waiters[j].done;
                CHECK_EQ(done, i);
        }
        for (int i = 0; i < 3; i++)
                join_waiter(&waiters[i], READABLE);
        close_both(ends);
        return 0;
}

/*
 * One task reads the stream while another waits for its descriptor. The waiter gets the event, or
 * waits until more bytes come.
 */
struct reads {
        belay_stream *stream;
        char buffer[8];
        ssize_t size;
        bool done;
};

static int reads_once(void *arg) {
        struct reads *self = arg;

        self->size = belay_read(self->stream, self->buffer, sizeof(self->buffer));
        self->done = true;
        return 0;
}

static int beside_a_reader(void *arg) {
        struct reads reads = { 0 };
        belay_task *task;
        struct waiter waiter;
        int ends[2], outcome;

        (void) arg;
        open_pair(ends);
        reads.stream = open_stream(ends[0], false);
        task = must(belay_spawn(reads_once, &reads));
        start_waiter(&waiter, ends[0], READABLE);
        CHECK(!reads.done && !waiter.done);
        put(ends[1], "ab");
        CHECK_EQ(belay_join(task, &outcome), 0);
        belay_release(task);
        CHECK_EQ(reads.size, 2);
        let_run();
        /* The waiter has ended, or the bytes were gone before it could run. */
        if (!waiter.done)
                put(ends[1], "c");
        join_waiter(&waiter, READABLE);
        CHECK_EQ(belay_close(reads.stream, 0), 0);
        close(ends[1]);
        return 0;
}

/* ---- the end ---- */

static int ends_with_the_stream(void *arg) {
        (void) arg;
        for (int way = 0; way < 3; way++) {
                struct waiter waiters[2];
                belay_stream *stream;
                int ends[2];

                open_pair(ends);
                stream = open_stream(ends[0], way == 2);
                for (int i = 0; i < 2; i++)
                        start_waiter(&waiters[i], ends[0], i == 0 ? READABLE : PRIORITY);
                if (way == 0)
                        belay_abort(stream);
                else
                        CHECK_EQ(belay_close(stream, 0), 0);
                for (int i = 0; i < 2; i++)
                        join_waiter(&waiters[i], -EBADF);
                if (way == 2) {
                        /*
                         * The descriptor belongs to the caller again, and can be waited for as any
                         * other.
                         */
                        start_waiter(&waiters[0], ends[0], READABLE);
                        CHECK(!waiters[0].done);
                        put(ends[1], "x");
                        join_waiter(&waiters[0], READABLE);
                        close(ends[0]);
                } else {
                        CHECK_EQ(belay_wait_fd(ends[0], READABLE), -EBADF);
                }
                close(ends[1]);
        }
        return 0;
}

/*
 * A task waits for the descriptor when a stream takes ownership of it. The wait ends with -EBADF,
 * and a new wait works.
 */
static int becomes_owned(void *arg) {
        struct waiter waiter;
        belay_stream *stream;
        int ends[2];
        char byte;

        (void) arg;
        open_pair(ends);
        start_waiter(&waiter, ends[0], READABLE);
        stream = open_stream(ends[0], false);
        join_waiter(&waiter, -EBADF);
        start_waiter(&waiter, ends[0], READABLE);
        CHECK(!waiter.done);
        put(ends[1], "x");
        join_waiter(&waiter, READABLE);
        CHECK_EQ(belay_read(stream, &byte, 1), 1);
        CHECK_EQ(belay_close(stream, 0), 0);
        close(ends[1]);
        return 0;
}

/*
 * belay_forget_fd() ends the waits of the stream's own tasks, too. The stream can be used
 * afterwards.
 */
static int forgotten(void *arg) {
        struct reads reads = { 0 };
        struct waiter waiter;
        belay_task *task;
        int ends[2], outcome;
        char byte;

        (void) arg;
        open_pair(ends);
        reads.stream = open_stream(ends[0], false);
        task = must(belay_spawn(reads_once, &reads));
        start_waiter(&waiter, ends[0], READABLE);
        CHECK_EQ(belay_forget_fd(ends[0]), 2);
        join_waiter(&waiter, -EBADF);
        CHECK_EQ(belay_join(task, &outcome), 0);
        belay_release(task);
        CHECK_EQ(reads.size, -EBADF);
        put(ends[1], "x");
        CHECK_EQ(belay_wait_fd(ends[0], READABLE), READABLE);
        CHECK_EQ(belay_read(reads.stream, &byte, 1), 1);
        CHECK_EQ(belay_close(reads.stream, 0), 0);
        close(ends[1]);
        return 0;
}

/*
 * The event has occurred. Before the waiter runs, the stream is closed and its number is given to
 * another descriptor, with or without a stream.
 */
static int closed_after_the_event(void *arg) {
        (void) arg;
        for (int way = 0; way < 3; way++) {
                belay_wait_info info = BELAY_WAIT_INFO_INIT;
                belay_stream *stream, *other = NULL;
                int ends[2], others[2], number;
                struct waiter waiter;

                open_pair(ends);
                open_pair(others);
                number = ends[0];
                stream = open_stream(number, false);
                start_waiter(&waiter, number, READABLE);
                put(ends[1], "x");
                /* The main task, which closes the stream, runs between the event and the waiter. */
                do {
                        CHECK_EQ(belay_yield(), 0);
                        belay_waiting(waiter.task, &info);
                } while (strcmp(info.what, "descriptor") == 0);
                CHECK_EQ(belay_close(stream, 0), 0);
                if (way > 0)
                        move_to(&others[0], number);
                if (way > 1)
                        other = open_stream(number, false);
                let_run();
                CHECK(waiter.done);
                join_waiter(&waiter, waiter.result == READABLE ? READABLE : -EBADF);
                if (other != NULL)
                        CHECK_EQ(belay_close(other, 0), 0);
                else
                        close(others[0]);
                close(others[1]);
                close(ends[1]);
        }
        return 0;
}

/*
 * A task that has made many calls without a wait yields before its next try. If the stream is
 * closed during that yield, the task must not wait for it.
 */
static int closes(void *arg) {
        return belay_close(arg, 0);
}

static ssize_t move_one(belay_stream *stream, bool writes) {
        static char block[4096];

        return writes ? belay_write_some(stream, block, sizeof(block))
                      : belay_read(stream, block, 1);
}

static int closed_while_it_gave_way(void *arg) {
        (void) arg;
        for (int way = 0; way < 4; way++)
                for (int before = 0; before < 80; before++) {
                        bool writes = way & 1;
                        belay_stream *stream;
                        belay_timeout limit;
                        belay_task *task;
                        int ends[2];
                        ssize_t rc;

                        if (way < 2)
                                open_pair(ends);
                        else
                                open_pipe(ends);
                        stream = open_stream(ends[writes], false);
                        if (writes)
                                stuff(ends[1]);
                        for (int i = 0; i < before; i++) {
                                if (writes)
                                        drain(ends[0]);
                                else
                                        put(ends[1], "x");
                                CHECK(move_one(stream, writes) > 0);
                                if (writes)
                                        stuff(ends[1]);
                        }
                        task = must(belay_spawn(closes, stream));
                        CHECK_EQ(belay_timeout_enter(&limit, BELAY_SECOND), 0);
                        rc = belay_timeout_leave(&limit, (int) move_one(stream, writes));
                        CHECK_EQ(rc, -EBADF);
                        CHECK_EQ(belay_join(task, NULL), 0);
                        belay_release(task);
                        close(ends[!writes]);
                }
        return 0;
}

/* ---- */

static void all(void) {
        RUN_VIRTUAL(closed_while_it_gave_way);
        RUN_VIRTUAL(is_told);
        RUN_VIRTUAL(is_not_told_of_what_is_gone);
        RUN_VIRTUAL(one_takes_it);
        RUN_VIRTUAL(beside_a_reader);
        RUN_VIRTUAL(ends_with_the_stream);
        RUN_VIRTUAL(becomes_owned);
        RUN_VIRTUAL(forgotten);
        RUN_VIRTUAL(closed_after_the_event);
}

int main(void) {
        on_back_ends(all);
        return 0;
}
