/* SPDX-License-Identifier: MIT */
/*
 * Another task closes a stream while a call is inside it. Each call returns -EBADF, even if it had
 * moved bytes, and whatever else happened in the same turn. A copy is inside two streams, and the
 * close of either ends it.
 */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "io/back_ends.h"
#include "stream/streams.h"

enum { MUCH = 1 << 22 }; /* more bytes than any kind of stream has room for */

static char data[MUCH];
static int file;

/* ---- calls ---- */

/* The result of a call that has not returned. No call returns this many bytes. */
enum { NOT_YET = 12345 };

struct call {
        int64_t (*fn)(struct call *self);
        belay_stream *stream, *other;
        int64_t result;
        int next; /* result of the wait after the call */
        bool done;
};

static int do_call(void *arg) {
        struct call *self = arg;

        self->result = self->fn(self);
        self->next = belay_sleep(0);
        self->done = true;
        return 0;
}

static int64_t call_read(struct call *self) {
        char byte;

        return belay_read(self->stream, &byte, 1);
}

static int64_t call_read_exactly(struct call *self) {
        char buffer[100];

        return belay_read_exactly(self->stream, buffer, sizeof(buffer));
}

static int64_t call_read_until(struct call *self) {
        char buffer[100];

        return belay_read_until(self->stream, "\n\n", 2, buffer, sizeof(buffer));
}

static int64_t call_read_line(struct call *self) {
        char buffer[100] = "x";
        int64_t rc = belay_read_line(self->stream, buffer, sizeof(buffer));

        CHECK_STR(buffer, "");
        return rc;
}

static int64_t call_peek(struct call *self) {
        const void *shown = self;
        int64_t rc = belay_peek(self->stream, 100, &shown);

        CHECK(shown == NULL);
        return rc;
}

static int64_t call_receive_descriptors(struct call *self) {
        size_t count = 1;
        char byte;
        int fd;

        return belay_receive_descriptors(self->stream, &byte, 1, &fd, &count);
}

static int64_t call_write(struct call *self) {
        return belay_write(self->stream, data, MUCH);
}

static int64_t call_writev(struct call *self) {
        struct iovec parts[] = { { data, 10 }, { data, MUCH - 10 } };

        return belay_writev(self->stream, parts, 2);
}

static int64_t call_print(struct call *self) {
        return belay_print(self->stream, "%*s", MUCH, "");
}

static int64_t call_send_file(struct call *self) {
        return belay_send_file(self->stream, file, 0, MUCH);
}

static int64_t call_send_descriptors(struct call *self) {
        return belay_send_descriptors(self->stream, data, MUCH, &file, 1);
}

static int64_t call_echo(struct call *self) {
        return belay_copy(self->stream, self->stream, -1, NULL);
}

static int64_t call_close(struct call *self) {
        return belay_close(self->stream, BELAY_HOUR);
}

static const struct {
        const char *name;
        int64_t (*fn)(struct call *self);
        bool reads; /* the call waits for bytes; otherwise for room */
        /* only with sockets; only with streams of both directions */
        bool by_sockets, by_two_ways;
} calls[] = {
        { "read", call_read, true, false, false },
        { "read_exactly", call_read_exactly, true, false, false },
        { "read_until", call_read_until, true, false, false },
        { "read_line", call_read_line, true, false, false },
        { "peek", call_peek, true, false, false },
        { "receive_descriptors", call_receive_descriptors, true, true, false },
        { "echo", call_echo, true, false, true },
        { "close", call_close, true, false, true },
        { "write", call_write, false, false, false },
        { "writev", call_writev, false, false, false },
        { "print", call_print, false, false, false },
        { "send_file", call_send_file, false, false, false },
        { "send_descriptors", call_send_descriptors, false, true, false },
};

static void give_up(belay_stream *stream, int way) {
        if (way == 0)
                belay_abort(stream);
        else
                CHECK_EQ(belay_close(stream, way == 1 ? 0 : BELAY_HOUR), 0);
}

/*
 * Waits until the call has moved what it can and waits. Descriptors take real time, and the thread
 * pool takes more of it.
 */
static void let_begin(enum kind kind) {
        let_run();
        for (int i = 0; kind >= WIRES && i < 2; i++)
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
}

/*
 * Closes the stream in each way while a call waits in it. The task may receive a request before or
 * after the close.
 */
static void close_under(size_t number, enum kind kind, int way, int request) {
        struct call call = { .fn = calls[number].fn, .result = NOT_YET };
        belay_stream *ends[2];
        belay_task *task;

        open_ends(kind, ends);
        call.stream = calls[number].reads ? ends[1] : ends[0];
        call.other = calls[number].reads ? ends[0] : ends[1];
        task = must(belay_spawn(do_call, &call));
        let_begin(kind);
        /* The call has received a byte, and waits for the rest. */
        if (calls[number].reads && call.fn != call_read && call.fn != call_receive_descriptors) {
                CHECK_EQ(belay_write(call.other, "a", 1), 1);
                let_begin(kind);
        }
        CHECK(!call.done);
        if (request == 1)
                belay_cancel(task, NULL);
        give_up(call.stream, way);
        if (request == 2)
                belay_cancel(task, NULL);
        join_task(task, 0);
        CHECK_EQ(call.result, -EBADF);
        CHECK_EQ(call.next, request != 0 ? -ECANCELED : 0);
        belay_abort(call.other);
}

/*
 * The bytes that the call waits for arrive. Another task, which is woken first, closes the stream.
 */
struct closer {
        belay_stream *signal;
        struct call *call;
        int way;
        bool was_first;
};

static int close_at_signal(void *arg) {
        struct closer *self = arg;
        char byte;

        CHECK_EQ(belay_read(self->signal, &byte, 1), 1);
        self->was_first = self->call->result == NOT_YET;
        if (self->was_first)
                give_up(self->call->stream, self->way);
        return 0;
}

static void close_before_it_runs(size_t number, enum kind kind, int way) {
        struct call call = { .fn = calls[number].fn, .result = NOT_YET };
        struct closer closer = { .call = &call, .way = way };
        belay_stream *ends[2], *signal[2];
        belay_task *tasks[2];

        open_ends(kind, ends);
        open_ends(kind, signal);
        call.stream = ends[1];
        closer.signal = signal[1];
        tasks[0] = must(belay_spawn(close_at_signal, &closer));
        tasks[1] = must(belay_spawn(do_call, &call));
        let_begin(kind);
        CHECK_EQ(belay_write(signal[0], "x", 1), 1);
        CHECK_EQ(belay_write(ends[0], data, 100), 100);
        join_task(tasks[0], 0);
        join_task(tasks[1], 0);
        if (closer.was_first)
                CHECK_EQ(call.result, -EBADF);
        else
                belay_abort(call.stream);
        CHECK(closer.was_first || kind >= WIRES);
        belay_abort(ends[0]);
        belay_abort(signal[0]);
        belay_abort(signal[1]);
}

static int each_call(void *arg) {
        enum kind kind = ((struct subject *) arg)->kind;

        for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
                if ((calls[i].by_sockets && kind != PAIR) || (calls[i].by_two_ways && kind >= PIPE))
                        continue;
                printf("    %s\n", calls[i].name);
                for (int way = 0; way < 3; way++) {
                        for (int request = 0; request < 3; request++)
                                close_under(i, kind, way, request);
                        if (calls[i].reads && calls[i].fn != call_close && calls[i].fn != call_echo)
                                close_before_it_runs(i, kind, way);
                }
        }
        return 0;
}

/* ---- copies ---- */

/*
 * A transport of the program. It never delivers a byte, accepts a limited number of bytes, and
 * waits for an event of its own.
 */
struct own {
        belay_event told;
        size_t room;
        bool interrupted;
        bool *destroyed;
};

static int wait_in(struct own *self) {
        int rc = self->interrupted ? -EBADF : belay_event_wait(&self->told);

        return rc == 0 ? -EBADF : rc;
}

static ssize_t read_own(void *self, void *buffer, size_t size) {
        (void) buffer;
        (void) size;
        return wait_in(self);
}

static ssize_t write_own(void *arg, const struct iovec *parts, int count) {
        struct own *self = arg;

        (void) count;
        if (self->room == 0)
                return wait_in(self);
        self->room--;
        return parts->iov_len > 0;
}

static void interrupt_own(void *arg) {
        struct own *self = arg;

        self->interrupted = true;
        belay_event_set(&self->told);
}

static void destroy_own(void *arg, bool abort) {
        struct own *self = arg;

        (void) abort;
        *self->destroyed = true;
        free(self);
}

static const belay_transport own_transport = {
        .size = sizeof(own_transport),
        .name = "own",
        .read = read_own,
        .write = write_own,
        .interrupt = interrupt_own,
        .destroy = destroy_own,
};

static belay_stream *open_own(bool *destroyed) {
        struct own *own = malloc(sizeof(*own));
        belay_stream *stream;

        CHECK(own != NULL);
        *own = (struct own) { .told = BELAY_EVENT_INIT, .destroyed = destroyed };
        *destroyed = false;
        CHECK_EQ(belay_stream_new(&stream, &own_transport, own), 0);
        return stream;
}

static int64_t call_copy(struct call *self) {
        return belay_copy(self->stream, self->other, -1, NULL);
}

/* The other task that uses the stream that stays open. */
static int64_t call_write_one(struct call *self) {
        return belay_write(self->stream, data, MUCH);
}

/*
 * Closes one of the two streams of a copy. The copy must end, and the call in the other stream must
 * go on.
 */
static void ends_copy(belay_stream *from, belay_stream *to, bool close_from, int way, int request,
                      enum kind kind) {
        struct call copy = { .fn = call_copy, .stream = to, .other = from, .result = NOT_YET };
        struct call beside = { .fn = close_from ? call_read : call_write_one,
                               .stream = close_from ? to : from,
                               .result = NOT_YET };
        belay_task *tasks[2];
        int fd = belay_stream_fd(close_from ? from : to);

        tasks[0] = must(belay_spawn(do_call, &copy));
        tasks[1] = kind == PIPE ? NULL : must(belay_spawn(do_call, &beside));
        let_begin(kind);
        CHECK(!copy.done && !beside.done);
        if (request == 1)
                belay_cancel(tasks[0], NULL);
        give_up(close_from ? from : to, way);
        if (request == 2)
                belay_cancel(tasks[0], NULL);
        join_task(tasks[0], 0);
        CHECK_EQ(copy.result, -EBADF);
        CHECK_EQ(copy.next, request != 0 ? -ECANCELED : 0);
        CHECK(fd < 0 || fcntl(fd, F_GETFD) < 0);
        let_begin(kind);
        CHECK(!beside.done);
        if (tasks[1] != NULL) {
                belay_cancel(tasks[1], NULL);
                join_task(tasks[1], 0);
                CHECK(beside.result != -EBADF);
        }
}

/* From a source that delivers nothing, and to a target that accepts no more. */
static int copies(void *arg) {
        enum kind kind = ((struct subject *) arg)->kind;

        for (int i = 0; i < 2 * 3 * 3 * 2; i++) {
                bool close_from = i % 2, is_full = i / 18;
                int way = i / 2 % 3, request = i / 6 % 3;
                struct once filler = { .data = data, .size = MUCH };
                belay_stream *in[2], *out[2];
                belay_task *task;
                char byte;

                /*
                 * The second task uses the direction that the copy does not use. A pipe has no such
                 * direction.
                 */
                if (is_full && kind == PIPE)
                        continue;
                open_ends(kind, in);
                open_ends(kind, out);
                filler.stream = in[0];
                task = is_full ? must(belay_spawn(write_once, &filler)) : NULL;
                ends_copy(in[1], out[0], close_from, way, request, kind);
                /* The peer finds out at once. */
                if (!is_full) {
                        ssize_t rc = close_from ? belay_write(in[0], data, MUCH)
                                                : belay_read(out[1], &byte, 1);

                        CHECK(rc <= 0 || close_from);
                }
                if (task != NULL) {
                        belay_cancel(task, NULL);
                        CHECK_EQ(belay_join(task, NULL), 0);
                        belay_release(task);
                }
                belay_abort(close_from ? out[0] : in[1]);
                belay_abort(in[0]);
                belay_abort(out[1]);
        }
        return 0;
}

/* From a program's own transport, and to one. */
static int copies_of_others(void *arg) {
        enum kind kind = ((struct subject *) arg)->kind;

        for (int i = 0; i < 2 * 3 * 3; i++) {
                bool close_from = i % 2, destroyed;
                int way = i / 2 % 3, request = i / 6 % 3;
                belay_stream *ends[2], *own = open_own(&destroyed);

                open_ends(kind, ends);
                ends_copy(own, ends[0], close_from, way, request, PIPE);
                CHECK_EQ(destroyed, close_from);
                belay_abort(close_from ? ends[0] : own);
                belay_abort(ends[1]);

                own = open_own(&destroyed);
                open_ends(kind, ends);
                CHECK_EQ(belay_write(ends[0], "abc", 3), 3);
                ends_copy(ends[1], own, close_from, way, request, PIPE);
                CHECK_EQ(destroyed, !close_from);
                belay_abort(close_from ? own : ends[1]);
                belay_abort(ends[0]);
        }
        return 0;
}

/* The task's own timeout around a copy is reported as such, and not as the end of a stream. */
static int with_limit(void *arg) {
        belay_stream *in[2], *out[2];
        belay_timeout limit;
        int rc;

        (void) arg;
        CHECK_EQ(belay_stream_pair(&in[0], &in[1]), 0);
        CHECK_EQ(belay_stream_pair(&out[0], &out[1]), 0);
        belay_timeout_enter(&limit, BELAY_MILLISECOND);
        rc = belay_copy(out[0], in[1], -1, NULL);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);
        CHECK_EQ(belay_cancelling(belay_self()), 0);
        for (int i = 0; i < 2; i++) {
                belay_abort(in[i]);
                belay_abort(out[i]);
        }
        return 0;
}

static void all(void) {
        printf("%s\n", getenv("BELAY_BACKEND"));
        RUN_ALL_KINDS(each_call);
        RUN_ALL_KINDS(copies);
        RUN_ALL_KINDS(copies_of_others);
        CHECK_EQ(belay_run(with_limit, NULL), 0);
}

int main(void) {
        file = memfd_create("file", MFD_CLOEXEC);
        CHECK_EQ(ftruncate(file, MUCH), 0);
        on_back_ends(all);
        return 0;
}
