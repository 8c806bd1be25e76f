/* SPDX-License-Identifier: MIT */
/*
 * The end of streams: half-closed, closed gracefully or at once, and aborted. Tasks may be inside
 * the stream, the close may be cancelled, and a message may be incomplete.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "stream/streams.h"

enum { MUCH = 1 << 22 }; /* more bytes than any kind of stream has room for */

static belay_stream *ends[2];

static void open_wire(belay_time delay) {
        CHECK_EQ(
                belay_wire(ends, BELAY_OPTIONS(belay_wire_options,
                                               .ways = { { .delay = delay }, { .delay = delay } })),
                0);
}

/* Opens both ends of a TCP connection. */
static void open_tcp(void) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof(address);
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fds[2];

        CHECK(listener >= 0);
        CHECK_EQ(bind(listener, (struct sockaddr *) &address, sizeof(address)), 0);
        CHECK_EQ(listen(listener, 1), 0);
        CHECK_EQ(getsockname(listener, (struct sockaddr *) &address, &length), 0);
        fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(fds[0] >= 0);
        CHECK_EQ(connect(fds[0], (struct sockaddr *) &address, sizeof(address)), 0);
        fds[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        CHECK(fds[1] >= 0);
        close(listener);
        for (int i = 0; i < 2; i++)
                CHECK_EQ(belay_stream_open_fd(&ends[i], fds[i], NULL), 0);
}

static bool is_open(int fd) {
        return fcntl(fd, F_GETFD) >= 0;
}

/* ---- half-close ---- */

static int half(void *arg) {
        struct subject *subject = arg;
        struct iovec part = { "x", 1 };
        char buffer[100];

        open_ends(subject->kind, ends);
        CHECK_EQ(belay_write(ends[0], "question", 8), 8);
        if (subject->kind >= PIPE) {
                CHECK_EQ(belay_half_close(ends[0]), -EOPNOTSUPP);
                CHECK_EQ(belay_write(ends[0], "x", 1), 1);
        } else {
                CHECK_EQ(belay_half_close(ends[0]), 0);
                CHECK_EQ(belay_half_close(ends[0]), 0);
                CHECK_EQ(belay_write(ends[0], "x", 1), -ESHUTDOWN);
                CHECK_EQ(belay_writev(ends[0], &part, 1), -ESHUTDOWN);
                CHECK_EQ(belay_write_some(ends[0], "x", 1), -ESHUTDOWN);
                CHECK_EQ(belay_print(ends[0], "x"), -ESHUTDOWN);
                CHECK(!belay_is_cut(ends[0]));
                CHECK_EQ(belay_read_exactly(ends[1], buffer, 100), 8);
                CHECK(memcmp(buffer, "question", 8) == 0);
                CHECK_EQ(belay_read(ends[1], buffer, 100), 0);
                /* The other direction goes on. */
                CHECK_EQ(belay_write(ends[1], "answer", 6), 6);
                CHECK_EQ(belay_read_exactly(ends[0], buffer, 6), 6);
                CHECK_EQ(belay_half_close(ends[1]), 0);
                CHECK_EQ(belay_read(ends[0], buffer, 100), 0);
                CHECK_EQ(belay_sent(ends[0]), 8);
        }
        /* Both sides have ended, so the close does not wait. */
        CHECK_EQ(belay_close(ends[0], subject->kind < PIPE ? BELAY_HOUR : 0), 0);
        CHECK_EQ(belay_close(ends[1], subject->kind < PIPE ? BELAY_HOUR : 0), 0);
        return 0;
}

/* ---- gracefully ---- */

struct peer {
        belay_time delay; /* span before it closes */
        size_t sends;     /* bytes that it sends before that */
        int rc;
};

/* Reads until the end of the stream, and then closes. */
static int answer_late(void *arg) {
        struct peer *self = arg;
        char buffer[100];
        ssize_t size;

        while ((size = belay_read(ends[1], buffer, 100)) > 0)
                ;
        CHECK_EQ(size, 0);
        CHECK_EQ(belay_sleep(self->delay), 0);
        memset(buffer, 'x', 100);
        for (size_t i = 0; i < self->sends; i++)
                CHECK_EQ(belay_write(ends[1], buffer, 100), 100);
        self->rc = belay_close(ends[1], BELAY_SECOND);
        return 0;
}

static int in_good_order(void *arg) {
        struct peer peer = { .delay = BELAY_MINUTE, .sends = 2000 };
        belay_task *task;

        (void) arg;
        open_wire(BELAY_SECOND);
        task = must(belay_spawn(answer_late, &peer));
        CHECK_EQ(belay_write(ends[0], "bye", 3), 3);
        /*
         * The end of the stream takes a second to the peer, and the peer's end takes a second back.
         * Bytes that arrive before that end are dropped.
         */
        CHECK_EQ(belay_close(ends[0], BELAY_HOUR), 0);
        CHECK(belay_now() >= BELAY_MINUTE + 2 * BELAY_SECOND);
        CHECK(belay_now() <= BELAY_MINUTE + 10 * BELAY_SECOND);
        join_task(task, 0);
        CHECK_EQ(peer.rc, 0);
        return 0;
}

static int limit_met(void *arg) {
        struct peer peer = { .delay = BELAY_MINUTE };
        char buffer[10];
        belay_task *task;

        (void) arg;
        open_wire(0);
        task = must(belay_spawn(answer_late, &peer));
        CHECK_EQ(belay_close(ends[0], BELAY_SECOND), -ETIMEDOUT);
        CHECK_EQ(belay_now(), BELAY_SECOND);
        join_task(task, 0);
        /* The stream is closed in spite of the expired limit. The peer sees no reset. */
        CHECK_EQ(peer.rc, 0);

        /* The expired limit leaves no request with the task. */
        open_wire(0);
        CHECK_EQ(belay_close(ends[0], BELAY_SECOND), -ETIMEDOUT);
        CHECK_EQ(belay_cancelling(belay_self()), 0);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(belay_read(ends[1], buffer, 10), 0);
        CHECK_EQ(belay_write(ends[1], "x", 1), -EPIPE);
        CHECK_EQ(belay_close(ends[1], BELAY_HOUR), 0);
        return 0;
}

static int send_without_end(void *arg) {
        char buffer[100] = "";
        ssize_t rc;

        (void) arg;
        while ((rc = belay_write(ends[1], buffer, 100)) == 100)
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK_EQ(rc, -EPIPE);
        return 0;
}

static int endless(void *arg) {
        belay_task *task;

        (void) arg;
        open_wire(0);
        task = must(belay_spawn(send_without_end, NULL));
        CHECK_EQ(belay_close(ends[0], BELAY_SECOND), -ETIMEDOUT);
        CHECK_EQ(belay_now(), BELAY_SECOND);
        join_task(task, 0);
        CHECK_EQ(belay_close(ends[1], 0), 0);
        return 0;
}

/*
 * A peer that sends after this side has stopped reading must still receive the last answer. If the
 * socket were closed at once with unread data, the kernel would reset the connection and drop the
 * answer.
 */
struct client {
        char answer[100];
        ssize_t size;
        int rc;
};

static int read_last_answer(void *arg) {
        struct client *self = arg;

        self->size = belay_read_exactly(ends[1], self->answer, 100);
        self->rc = (int) belay_read(ends[1], self->answer + 50, 1);
        CHECK_EQ(belay_close(ends[1], 0), 0);
        return 0;
}

static int last_answer(void *arg) {
        struct client client = { .size = -1 };
        belay_task *task;

        (void) arg;
        open_tcp();
        CHECK_EQ(belay_write(ends[1], "a question that nobody reads", 28), 28);
        CHECK_EQ(belay_write(ends[0], "the last answer", 15), 15);
        task = must(belay_spawn(read_last_answer, &client));
        CHECK_EQ(belay_close(ends[0], BELAY_MINUTE), 0);
        join_task(task, 0);
        CHECK_EQ(client.size, 15);
        CHECK(memcmp(client.answer, "the last answer", 15) == 0);
        CHECK_EQ(client.rc, 0);
        return 0;
}

/* ---- at once ---- */

static int at_once(void *arg) {
        struct subject *subject = arg;
        char buffer[100];

        open_ends(subject->kind, ends);
        CHECK_EQ(belay_write(ends[0], "bye", 3), 3);
        CHECK_EQ(belay_close(ends[0], 0), 0);
        CHECK_EQ(belay_read_exactly(ends[1], buffer, 100), 3);
        CHECK_EQ(belay_read(ends[1], buffer, 100), 0);
        CHECK_EQ(belay_close(ends[1], 0), 0);
        CHECK_EQ(belay_close(NULL, 0), 0);
        CHECK_EQ(belay_close(NULL, BELAY_HOUR), 0);
        belay_abort(NULL);
        return 0;
}

static int aborts(void *arg) {
        struct subject *subject = arg;
        struct once once = { .size = 100 };
        char buffer[100];
        belay_task *task;
        ssize_t rc;

        /* The peer waits meanwhile, or its data is there already. */
        open_ends(subject->kind, ends);
        once.stream = ends[1];
        once.buffer = buffer;
        task = must(belay_spawn(read_once, &once));
        let_run();
        CHECK(!once.done);
        belay_abort(ends[0]);
        join_task(task, 0);
        CHECK(once.result == (subject->kind < WIRES ? -ECONNRESET : 0)
              || (subject->kind == PAIR && once.result == -ECONNRESET));
        if (subject->kind < WIRES) {
                CHECK_EQ(belay_read(ends[1], buffer, 10), -ECONNRESET);
                CHECK_EQ(belay_write(ends[1], buffer, 10), -ECONNRESET);
        }
        rc = belay_close(ends[1], subject->kind < PIPE ? BELAY_HOUR : 0);
        CHECK(rc == 0 || rc == -ECONNRESET);
        return 0;
}

static int abort_tcp(void *arg) {
        struct once once = { .size = 100 };
        char buffer[100];
        belay_task *task;

        (void) arg;
        open_tcp();
        once.stream = ends[1];
        once.buffer = buffer;
        task = must(belay_spawn(read_once, &once));
        let_run();
        belay_abort(ends[0]);
        join_task(task, 0);
        CHECK_EQ(once.result, -ECONNRESET);
        belay_abort(ends[1]);
        return 0;
}

/* An abort discards bytes on their way, but not bytes that have arrived. */
static int abort_drops(void *arg) {
        char buffer[100];

        (void) arg;
        open_wire(BELAY_SECOND);
        CHECK_EQ(belay_write(ends[0], "here", 4), 4);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(belay_write(ends[0], "lost", 4), 4);
        belay_abort(ends[0]);
        CHECK_EQ(belay_read_exactly(ends[1], buffer, 100), 4);
        CHECK(memcmp(buffer, "here", 4) == 0);
        CHECK_EQ(belay_read(ends[1], buffer, 100), -ECONNRESET);
        CHECK_EQ(belay_now(), 2 * BELAY_SECOND);
        CHECK_EQ(belay_close(ends[1], BELAY_HOUR), 0);
        return 0;
}

/* A peer must not take an incomplete message for a whole one. */
static int close_cut(void *arg) {
        static char data[100];
        char buffer[100];

        for (int i = 0; i < 2; i++) {
                belay_timeout limit;
                ssize_t rc;

                CHECK_EQ(belay_wire(ends,
                                    BELAY_OPTIONS(belay_wire_options, .ways = { { .room = 10 } })),
                         0);
                CHECK_EQ(belay_timeout_enter(&limit, BELAY_SECOND), 0);
                rc = belay_write(ends[0], data, 100);
                CHECK_EQ(belay_timeout_leave(&limit, (int) rc), 10);
                CHECK(belay_is_cut(ends[0]));
                if (arg != NULL)
                        CHECK_EQ(belay_mend(ends[0]), 0);
                CHECK_EQ(belay_close(ends[0], i == 0 ? 0 : BELAY_NANOSECOND),
                         arg != NULL && i > 0 ? -ETIMEDOUT : 0);
                CHECK_EQ(belay_read_exactly(ends[1], buffer, 100), 10);
                CHECK_EQ(belay_read(ends[1], buffer, 100), arg != NULL ? 0 : -ECONNRESET);
                CHECK_EQ(belay_close(ends[1], 0), 0);
        }
        return 0;
}

static int close_mended(void *arg) {
        (void) arg;
        return close_cut(ends);
}

/* ---- with tasks inside ---- */

static int with_tasks_inside(void *arg) {
        struct subject *subject = arg;
        char buffer[10], *data = calloc(1, MUCH);
        struct once reader, writer;
        belay_task *tasks[2];

        CHECK(data != NULL);
        for (int way = 0; way < 3; way++) {
                bool both = subject->kind != PIPE;
                belay_stream *mine, *other;

                open_ends(subject->kind, ends);
                mine = ends[0];
                other = ends[1];
                writer = (struct once) { .stream = mine, .data = data, .size = MUCH };
                reader = (struct once) {
                        .stream = mine, .buffer = buffer, .size = 10, .result = -EBADF
                };
                tasks[0] = must(belay_spawn(write_once, &writer));
                tasks[1] = both ? must(belay_spawn(read_exactly_once, &reader)) : NULL;
                let_run();
                CHECK(!writer.done && !reader.done);
                if (way == 2)
                        belay_abort(mine);
                else
                        CHECK_EQ(belay_close(mine, way == 0 ? 0 : BELAY_HOUR), 0);
                CHECK(!writer.done && !reader.done);
                join_task(tasks[0], 0);
                if (both)
                        join_task(tasks[1], 0);
                /*
                 * The handle is invalid, so the calls return -EBADF even if they moved bytes
                 * before.
                 */
                CHECK_EQ(writer.result, -EBADF);
                CHECK_EQ(reader.result, -EBADF);
                belay_abort(other);
        }
        free(data);
        return 0;
}

/* Reads a byte, and then closes the other stream. */
struct closer {
        belay_stream *stream, *other;
};

static int read_and_close(void *arg) {
        struct closer *self = arg;
        char byte;

        CHECK_EQ(belay_read(self->stream, &byte, 1), 1);
        CHECK_EQ(belay_close(self->other, 0), 0);
        return 0;
}

/*
 * Data has arrived for two streams, so both readers are ready. The first reader closes the stream
 * of the second before the second runs. The second must not wait again in the closed stream.
 */
static int closed_before_it_runs(void *arg) {
        struct subject *subject = arg;
        belay_stream *others[2];
        char buffer[100];
        struct once reader = { .buffer = buffer, .size = 100 };
        struct closer closer;
        belay_task *tasks[2];

        open_ends(subject->kind, ends);
        open_ends(subject->kind, others);
        reader.stream = ends[1];
        closer = (struct closer) { others[1], ends[1] };
        tasks[0] = must(belay_spawn(read_and_close, &closer));
        tasks[1] = must(belay_spawn(read_exactly_once, &reader));
        let_run();
        CHECK_EQ(belay_write(others[0], "x", 1), 1);
        CHECK_EQ(belay_write(ends[0], "0123456789", 10), 10);
        join_task(tasks[0], 0);
        join_task(tasks[1], 0);
        CHECK_EQ(reader.result, -EBADF);
        belay_abort(ends[0]);
        belay_abort(others[0]);
        belay_abort(others[1]);
        return 0;
}

struct copier {
        belay_stream *to, *from;
        int64_t copied;
        int rc;
        bool done;
};

static int copy_once(void *arg) {
        struct copier *self = arg;

        self->rc = belay_copy(self->to, self->from, -1, &self->copied);
        self->done = true;
        return 0;
}

/* A task that copies from a stream to itself is inside the stream twice. */
static int echo_closed(void *arg) {
        struct subject *subject = arg;
        struct copier echo = { .copied = -1 };
        char buffer[100];
        belay_task *task;

        if (subject->kind == PIPE)
                return 0;
        open_ends(subject->kind, ends);
        echo.to = echo.from = ends[0];
        task = must(belay_spawn(copy_once, &echo));
        CHECK_EQ(belay_write(ends[1], "there and back", 14), 14);
        CHECK_EQ(belay_read_exactly(ends[1], buffer, 14), 14);
        CHECK_EQ(belay_close(ends[0], 0), 0);
        CHECK(!echo.done);
        join_task(task, 0);
        CHECK_EQ(echo.rc, -EBADF);
        CHECK_EQ(echo.copied, 14);
        CHECK_EQ(belay_close(ends[1], 0), 0);
        return 0;
}

/* The source is closed while the copy waits to write. The other time, the target is closed. */
static int copy_closed(void *arg) {
        struct subject *subject = arg;
        char *data = calloc(1, MUCH);

        CHECK(data != NULL);
        for (int way = 0; way < 2; way++) {
                struct copier copier = { .copied = -1 };
                struct once writer = { .data = data, .size = MUCH };
                belay_stream *others[2];
                belay_task *tasks[2];

                open_ends(subject->kind, ends);
                open_ends(subject->kind, others);
                copier.to = others[0];
                copier.from = ends[1];
                writer.stream = ends[0];
                tasks[0] = must(belay_spawn(copy_once, &copier));
                tasks[1] = must(belay_spawn(write_once, &writer));
                /* Wait until all buffers are full. In real time this is likely but not certain. */
                do
                        CHECK_EQ(
                                belay_sleep(subject->kind < WIRES ? BELAY_HOUR : BELAY_MILLISECOND),
                                0);
                while (belay_sent(others[0]) == 0);
                for (int i = 0; i < 1000; i++)
                        CHECK_EQ(belay_yield(), 0);
                CHECK(!copier.done && !writer.done);
                CHECK_EQ(belay_close(way == 0 ? ends[1] : others[0], 0), 0);
                join_task(tasks[0], 0);
                CHECK_EQ(copier.rc, -EBADF);
                CHECK(copier.copied > 0);
                belay_abort(way == 0 ? others[0] : ends[1]);
                belay_abort(others[1]);
                belay_cancel(tasks[1], NULL);
                CHECK_EQ(belay_join(tasks[1], NULL), 0);
                belay_release(tasks[1]);
                belay_abort(ends[0]);
        }
        free(data);
        return 0;
}

/* ---- cancelled ---- */

static int close_first(void *arg) {
        int *rc = arg;

        rc[0] = belay_close(ends[0], BELAY_HOUR);
        rc[1] = belay_sleep(BELAY_SECOND);
        return 0;
}

static int cancelled(void *arg) {
        char buffer[10];
        belay_task *task;
        int rc[2] = { 1, 1 };

        (void) arg;
        open_wire(0);
        task = must(belay_spawn(close_first, rc));
        let_run();
        CHECK(belay_cancel(task, NULL));
        join_task(task, 0);
        CHECK_EQ(rc[0], -ECANCELED);
        CHECK_EQ(rc[1], 0);
        CHECK_EQ(belay_read(ends[1], buffer, 10), 0);
        CHECK_EQ(belay_write(ends[1], "x", 1), -EPIPE);
        CHECK_EQ(belay_close(ends[1], 0), 0);
        return 0;
}

/*
 * A close without a limit, whose peer never ends, is a deadlock. The stream is closed all the same.
 */
static int without_hope(void *arg) {
        char byte;

        (void) arg;
        open_wire(0);
        keep_lines();
        CHECK_EQ(belay_close(ends[0], BELAY_NEVER), -EDEADLK);
        CHECK_LINES(1, "deadlock");
        belay_set_log(NULL, NULL);
        CHECK_EQ(belay_read(ends[1], &byte, 1), 0);
        CHECK_EQ(belay_close(ends[1], 0), 0);
        return 0;
}

static int closes_descriptors(void *arg) {
        struct subject *subject = arg;
        int fds[2];

        if (subject->kind < WIRES)
                return 0;
        for (int way = 0; way < 2; way++) {
                open_ends(subject->kind, ends);
                for (int i = 0; i < 2; i++) {
                        fds[i] = belay_stream_fd(ends[i]);
                        CHECK(is_open(fds[i]));
                        if (way == 0)
                                CHECK_EQ(belay_close(ends[i], 0), 0);
                        else
                                belay_abort(ends[i]);
                        CHECK(!is_open(fds[i]));
                }
        }
        return 0;
}

/* A close with a limit would have to wait, which a callback cannot. */
static void close_in_callback(void *arg) {
        keep_lines();
        CHECK_EQ(belay_close(ends[0], BELAY_SECOND), -EPERM);
        CHECK_LINES(1, "belay_close()");
        belay_set_log(NULL, NULL);
        CHECK_EQ(belay_close(ends[1], 0), 0);
        *(bool *) arg = true;
}

static int in_callback(void *arg) {
        bool called = false;

        (void) arg;
        open_wire(0);
        CHECK(belay_soon(close_in_callback, &called) != 0);
        let_run();
        CHECK(called);
        return 0;
}

int main(void) {
        RUN_ALL_KINDS(half);
        RUN_VIRTUAL(in_good_order);
        RUN_VIRTUAL(limit_met);
        RUN_VIRTUAL(endless);
        CHECK_EQ(belay_run(last_answer, NULL), 0);
        RUN_ALL_KINDS(at_once);
        RUN_ALL_KINDS(aborts);
        CHECK_EQ(belay_run(abort_tcp, NULL), 0);
        RUN_VIRTUAL(abort_drops);
        RUN_VIRTUAL(close_cut);
        RUN_VIRTUAL(close_mended);
        RUN_ALL_KINDS(with_tasks_inside);
        RUN_ALL_KINDS(closed_before_it_runs);
        RUN_ALL_KINDS(echo_closed);
        RUN_ALL_KINDS(copy_closed);
        RUN_VIRTUAL(cancelled);
        RUN_VIRTUAL(without_hope);
        RUN_ALL_KINDS(closes_descriptors);
        RUN_VIRTUAL(in_callback);
        return 0;
}
