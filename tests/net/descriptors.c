/* SPDX-License-Identifier: MIT */
/*
 * Descriptors sent over a stream: up to the largest number, to receivers with and without room for
 * them, and with incomplete messages. No descriptor may stay open.
 */
#define _GNU_SOURCE
#include "net/plain.h"

static belay_stream *ends[2];

static void open_pair(void) {
        CHECK_EQ(belay_stream_pair(&ends[0], &ends[1]), 0);
}

static void close_pair(void) {
        belay_abort(ends[0]);
        belay_abort(ends[1]);
}

/* ---- descriptors to send ---- */

enum { MOST = BELAY_DESCRIPTORS_MOST };

static int sent[MOST + 1], got[MOST + 1];

/* Makes a pipe whose writing end is to be sent. */
static int reading_end(int *writing_end) {
        int fds[2];

        CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
        *writing_end = fds[1];
        return fds[0];
}

static void check_pipe(int reading, int writing) {
        char byte = 0;

        CHECK_EQ(write(writing, "p", 1), 1);
        CHECK_EQ(read(reading, &byte, 1), 1);
        CHECK_EQ(byte, 'p');
}

static void close_many(const int *fds, size_t count) {
        for (size_t i = 0; i < count; i++)
                CHECK_EQ(close(fds[i]), 0);
}

/* ---- one, and the largest number ---- */

static int one(void *arg) {
        char buffer[16];
        size_t count = 8;
        int writing, reading = reading_end(&writing), before;

        (void) arg;
        open_pair();
        before = open_count();
        CHECK_EQ(belay_send_descriptors(ends[0], "take", 4, &writing, 1), 4);
        CHECK_EQ(belay_sent(ends[0]), 4);
        CHECK_EQ(belay_receive_descriptors(ends[1], buffer, sizeof(buffer), got, &count), 4);
        CHECK_EQ(belay_received(ends[1]), 4);
        CHECK(memcmp(buffer, "take", 4) == 0);
        CHECK_EQ(count, 1);
        CHECK_EQ(open_count(), before + 1);
        CHECK(fcntl(got[0], F_GETFD) & FD_CLOEXEC);
        CHECK(got[0] != writing);
        /*
         * The received descriptor refers to the same pipe, and stays open independently of the
         * original.
         */
        CHECK_EQ(close(writing), 0);
        check_pipe(reading, got[0]);
        close(got[0]);

        /* A receiver of descriptors gets bytes without any, and then the end of the stream. */
        CHECK_EQ(belay_send_descriptors(ends[0], "none", 4, NULL, 0), 4);
        count = 8;
        CHECK_EQ(belay_receive_descriptors(ends[1], buffer, 2, got, &count), 2);
        CHECK_EQ(count, 0);
        count = 0;
        CHECK_EQ(belay_receive_descriptors(ends[1], buffer, 0, NULL, &count), 0);
        CHECK_EQ(belay_receive_descriptors(ends[1], buffer, sizeof(buffer), NULL, &count), 2);
        CHECK_EQ(belay_half_close(ends[0]), 0);
        CHECK_EQ(belay_send_descriptors(ends[0], "x", 1, &reading, 1), -ESHUTDOWN);
        count = 8;
        CHECK_EQ(belay_receive_descriptors(ends[1], buffer, sizeof(buffer), got, &count), 0);
        CHECK_EQ(belay_receive_descriptors(ends[1], buffer, sizeof(buffer), got, &count), 0);
        CHECK_EQ(count, 0);
        /* In the opposite direction. */
        CHECK_EQ(belay_send_descriptors(ends[1], "x", 1, &reading, 1), 1);
        count = 1;
        CHECK_EQ(belay_receive_descriptors(ends[0], buffer, sizeof(buffer), got, &count), 1);
        CHECK_EQ(count, 1);
        close(got[0]);
        close(reading);
        close_pair();
        return 0;
}

static int all(void *arg) {
        char byte;
        size_t count = MOST;
        int writing, reading = reading_end(&writing), before;

        (void) arg;
        open_pair();
        for (int i = 0; i <= MOST; i++)
                sent[i] = writing;
        before = open_count();
        CHECK_EQ(belay_send_descriptors(ends[0], "x", 1, sent, MOST), 1);
        CHECK_EQ(belay_receive_descriptors(ends[1], &byte, 1, got, &count), 1);
        CHECK_EQ(count, MOST);
        CHECK_EQ(open_count(), before + MOST);
        for (size_t i = 0; i < count; i++)
                check_pipe(reading, got[i]);
        close_many(got, count);
        CHECK_EQ(belay_send_descriptors(ends[0], "x", 1, sent, MOST + 1), -EINVAL);
        CHECK_EQ(belay_send_descriptors(ends[0], NULL, 0, sent, 1), -EINVAL);
        CHECK_EQ(belay_sent(ends[0]), 1);
        close(reading);
        close(writing);
        close_pair();
        return 0;
}

/* ---- messages ---- */

/* The descriptors of each message arrive with its first byte. */
static int borders(void *arg) {
        char buffer[64];
        size_t count;
        int writing, reading = reading_end(&writing), before;

        (void) arg;
        open_pair();
        before = open_count();
        sent[0] = sent[1] = sent[2] = writing;
        CHECK_EQ(belay_write(ends[0], "plain", 5), 5);
        CHECK_EQ(belay_send_descriptors(ends[0], "two", 3, sent, 2), 3);
        CHECK_EQ(belay_send_descriptors(ends[0], "three", 5, sent, 3), 5);
        CHECK_EQ(belay_write(ends[0], "plain", 5), 5);
        count = 0;
        CHECK_EQ(belay_receive_descriptors(ends[1], buffer, 5, NULL, &count), 5);
        CHECK_EQ(count, 0);
        count = 8;
        CHECK_EQ(belay_receive_descriptors(ends[1], buffer, sizeof(buffer), got, &count), 3);
        CHECK(memcmp(buffer, "two", 3) == 0);
        CHECK_EQ(count, 2);
        close_many(got, count);
        count = 8;
        CHECK_EQ(belay_receive_descriptors(ends[1], buffer, 1, got, &count), 1);
        CHECK_EQ(count, 3);
        close_many(got, count);
        count = 8;
        CHECK_EQ(belay_receive_descriptors(ends[1], buffer, 4, got, &count), 4);
        CHECK(memcmp(buffer, "hree", 4) == 0);
        CHECK_EQ(count, 0);
        CHECK_EQ(open_count(), before);
        close(reading);
        close(writing);
        close_pair();
        return 0;
}

/* ---- no room for descriptors ---- */

static int no_room(void *arg) {
        char buffer[64];
        size_t count;
        int writing, reading = reading_end(&writing), before;

        (void) arg;
        open_pair();
        before = open_count();
        for (int i = 0; i < MOST; i++)
                sent[i] = writing;
        for (size_t room = 0; room < 4; room++)
                for (size_t number = room + 1; number <= MOST; number += number < 5 ? 1 : 62) {
                        CHECK_EQ(belay_send_descriptors(ends[0], "bare", 4, sent, number), 4);
                        CHECK_EQ(belay_write(ends[0], "kept", 4), 4);
                        count = room;
                        CHECK_EQ(belay_receive_descriptors(ends[1], buffer, 1 + number % 4, got,
                                                           &count),
                                 -EMSGSIZE);
                        CHECK_EQ(count, 0);
                        CHECK_EQ(open_count(), before);
                        /* The bytes of the message are still there, without the descriptors. */
                        if (number % 2) {
                                CHECK_EQ(belay_read_exactly(ends[1], buffer, 4), 4);
                        } else {
                                for (ssize_t size = 0, rc; size < 4; size += rc) {
                                        count = room;
                                        rc = belay_receive_descriptors(ends[1], buffer + size,
                                                                       (size_t) (4 - size), got,
                                                                       &count);
                                        CHECK(rc > 0);
                                        CHECK_EQ(count, 0);
                                }
                        }
                        CHECK(memcmp(buffer, "bare", 4) == 0);
                        count = room;
                        CHECK_EQ(belay_receive_descriptors(ends[1], buffer, sizeof(buffer), got,
                                                           &count),
                                 4);
                        CHECK(memcmp(buffer, "kept", 4) == 0);
                        CHECK_EQ(count, 0);
                }
        CHECK_EQ(belay_received(ends[1]), belay_sent(ends[0]));

        close(reading);
        close(writing);
        close_pair();
        return 0;
}

/*
 * There is no memory for the bytes that come with the descriptors. The bytes are lost, so the
 * stream returns -ENOTRECOVERABLE from then on.
 */
static bool no_memory;

static void *scarce(void *context, void *block, size_t size) {
        (void) context;
        if (size > 0 && no_memory)
                return NULL;
        if (size > 0)
                return realloc(block, size);
        free(block);
        return NULL;
}

static int no_memory_for_bytes(void *arg) {
        char buffer[4];
        size_t count = 1;
        int before;

        (void) arg;
        open_pair();
        before = open_count();
        memset(sent, 0, sizeof(sent));
        CHECK_EQ(belay_send_descriptors(ends[0], "bare", 4, sent, 2), 4);
        no_memory = true;
        CHECK_EQ(belay_receive_descriptors(ends[1], buffer, 4, got, &count), -EMSGSIZE);
        no_memory = false;
        CHECK_EQ(open_count(), before);
        for (int i = 0; i < 2; i++) {
                count = 1;
                CHECK_EQ(belay_receive_descriptors(ends[1], buffer, 4, got, &count),
                         -ENOTRECOVERABLE);
                CHECK_EQ(belay_read(ends[1], buffer, 4), -ENOTRECOVERABLE);
        }
        CHECK_EQ(belay_write(ends[1], "x", 1), 1);
        close_pair();
        return 0;
}

/* Descriptors arrive in the turn in which another task closes the stream. None stays open. */
static belay_stream *signals[2];

static int close_at_signal(void *arg) {
        char byte;

        (void) arg;
        CHECK_EQ(belay_read(signals[1], &byte, 1), 1);
        belay_abort(ends[1]);
        return 0;
}

static int receive_two(void *arg) {
        char byte;
        size_t count = 2;
        ssize_t rc = belay_receive_descriptors(ends[1], &byte, 1, got, &count);

        (void) arg;
        CHECK(rc == -EBADF ? count == 0 : rc == 1 && count == 2);
        close_many(got, count);
        return 0;
}

static int closed_in_the_same_turn(void *arg) {
        int before = open_count();
        belay_task *tasks[2];

        (void) arg;
        for (int i = 0; i < 10; i++) {
                open_pair();
                CHECK_EQ(belay_stream_pair(&signals[0], &signals[1]), 0);
                tasks[0] = must(belay_spawn(close_at_signal, NULL));
                tasks[1] = must(belay_spawn(receive_two, NULL));
                for (int turn = 0; turn < 5; turn++)
                        CHECK_EQ(belay_yield(), 0);
                memset(sent, 0, sizeof(sent));
                CHECK_EQ(belay_write(signals[0], "x", 1), 1);
                CHECK_EQ(belay_send_descriptors(ends[0], "x", 1, sent, 2), 1);
                for (int task = 0; task < 2; task++) {
                        CHECK_EQ(belay_join(tasks[task], NULL), 0);
                        belay_release(tasks[task]);
                }
                belay_abort(ends[0]);
                belay_abort(signals[0]);
                belay_abort(signals[1]);
                /* In the first round the loop opened its own descriptors. */
                if (i == 0)
                        before = open_count();
                CHECK_EQ(open_count(), before);
        }
        return 0;
}

/* valgrind keeps a limit on descriptors of its own, and does not change the system's. */
static bool is_in_valgrind(void) {
        return getenv("RUN") != NULL && strstr(getenv("RUN"), "valgrind") != NULL;
}

/* If the process cannot open all descriptors, the call returns none of them. */
static int no_more_for_us(void *arg) {
        char byte;
        size_t count = 8;
        int before;

        (void) arg;
        if (is_in_valgrind())
                return 0;
        open_pair();
        before = open_count();
        memset(sent, 0, sizeof(sent));
        CHECK_EQ(belay_send_descriptors(ends[0], "x", 1, sent, 5), 1);
        limit_descriptors(3);
        CHECK_EQ(belay_receive_descriptors(ends[1], &byte, 1, got, &count), -EMFILE);
        unlimit_descriptors();
        CHECK_EQ(count, 0);
        CHECK_EQ(open_count(), before);
        CHECK_EQ(belay_read(ends[1], &byte, 1), 1);
        CHECK_EQ(byte, 'x');
        close_pair();
        return 0;
}

/* Other data that the program has requested with each message takes room, too. */
static int with_others(void *arg) {
        enum { PASS_PIDFD = 76 };
        char byte;
        size_t count = MOST;
        int on = 1, before;

        (void) arg;
        open_pair();
        before = open_count();
        memset(sent, 0, sizeof(sent));
        CHECK_EQ(setsockopt(belay_stream_fd(ends[1]), SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
        /* Linux 6.5 introduced it. */
        (void) setsockopt(belay_stream_fd(ends[1]), SOL_SOCKET, PASS_PIDFD, &on, sizeof(on));
        CHECK_EQ(belay_send_descriptors(ends[0], "x", 1, sent, MOST), 1);
        CHECK_EQ(belay_receive_descriptors(ends[1], &byte, 1, got, &count), 1);
        CHECK_EQ(count, MOST);
        CHECK_EQ(open_count(), before + MOST);
        close_many(got, count);
        close_pair();
        return 0;
}

/* ---- with other functions ---- */

static int others(void *arg) {
        char buffer[64];
        const void *data;
        size_t count = 4;
        int writing, reading = reading_end(&writing), before;

        (void) arg;
        open_pair();
        before = open_count();
        CHECK_EQ(belay_send_descriptors(ends[0], "bytes", 5, &writing, 1), 5);
        CHECK_EQ(belay_read(ends[1], buffer, sizeof(buffer)), 5);
        CHECK_EQ(open_count(), before);
        /* Bytes that were read ahead come first and without descriptors. */
        CHECK_EQ(belay_send_descriptors(ends[0], "line\nrest", 9, &writing, 1), 9);
        CHECK_EQ(belay_read_line(ends[1], buffer, sizeof(buffer)), 5);
        CHECK_EQ(open_count(), before);
        CHECK_EQ(belay_send_descriptors(ends[0], "more", 4, &writing, 1), 4);
        CHECK_EQ(belay_receive_descriptors(ends[1], buffer, 3, got, &count), 3);
        CHECK(memcmp(buffer, "res", 3) == 0);
        CHECK_EQ(count, 0);
        count = 4;
        CHECK_EQ(belay_receive_descriptors(ends[1], buffer, sizeof(buffer), got, &count), 1);
        CHECK_EQ(count, 0);
        count = 4;
        CHECK_EQ(belay_receive_descriptors(ends[1], buffer, sizeof(buffer), got, &count), 4);
        CHECK_EQ(count, 1);
        check_pipe(reading, got[0]);
        close(got[0]);
        CHECK_EQ(belay_peek(ends[1], 0, &data), 0);
        /* Descriptors on their way when the stream is closed are closed as well. */
        CHECK_EQ(belay_send_descriptors(ends[0], "x", 1, &writing, 1), 1);
        close_pair();
        close(writing);
        CHECK_EQ(read(reading, buffer, 1), 0);
        close(reading);
        CHECK_EQ(open_count(), before - 4);
        return 0;
}

/* ---- errors ---- */

static void refused_by(belay_stream *stream) {
        size_t count = 1;
        char byte;
        int fd = 0;

        CHECK_EQ(belay_send_descriptors(stream, "x", 1, &fd, 1), -EOPNOTSUPP);
        CHECK_EQ(belay_receive_descriptors(stream, &byte, 1, &fd, &count), -EOPNOTSUPP);
        CHECK_EQ(count, 0);
}

static int errors(void *arg) {
        belay_stream *wire[2], *reader, *writer, *tcp;
        belay_address address;
        char byte;
        size_t count = 1;
        int fds[2] = { 0, -1 }, listener, connection;

        (void) arg;
        CHECK_EQ(belay_wire(wire, NULL), 0);
        refused_by(wire[0]);
        belay_abort(wire[0]);
        belay_abort(wire[1]);
        CHECK_EQ(belay_stream_pipe(&reader, &writer), 0);
        refused_by(writer);
        belay_abort(reader);
        belay_abort(writer);
        listener = listening_socket(IPV4, 1, &address);
        connection = socket(AF_INET, SOCK_STREAM, 0);
        CHECK_EQ(connect(connection, sockaddr_of(&address), address.length), 0);
        CHECK_EQ(belay_stream_open_fd(&tcp, connection, NULL), 0);
        refused_by(tcp);
        belay_abort(tcp);
        close(listener);

        open_pair();
        CHECK_EQ(belay_send_descriptors(ends[0], "x", 1, fds, 2), -EBADF);
        CHECK_EQ(belay_sent(ends[0]), 0);
        CHECK(!belay_is_cut(ends[0]));
        CHECK_EQ(belay_send_descriptors(ends[0], "x", 1, fds, 1), 1);
        CHECK_EQ(belay_receive_descriptors(ends[1], &byte, 1, got, &count), 1);
        close(got[0]);
        /* The peer has gone without reading all. */
        CHECK_EQ(belay_send_descriptors(ends[0], "x", 1, fds, 1), 1);
        belay_abort(ends[1]);
        count = 1;
        CHECK_EQ(belay_receive_descriptors(ends[0], &byte, 1, got, &count), -ECONNRESET);
        CHECK_EQ(belay_receive_descriptors(ends[0], &byte, 1, got, &count), -ECONNRESET);
        CHECK_EQ(belay_send_descriptors(ends[0], "x", 1, fds, 1), -EPIPE);
        CHECK_EQ(belay_send_descriptors(ends[0], "x", 1, fds, 1), -EPIPE);
        belay_abort(ends[0]);
        return 0;
}

/* Too many descriptors are on their way: a process without privileges gets an error. */
static int in_flight(void *arg) {
        struct rlimit limit = { 40, 40 };
        int fd = 0, rc = 0;

        (void) arg;
        if (is_in_valgrind() || (geteuid() == 0 && seteuid(65534) < 0))
                return 77;
        open_pair();
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
        for (int i = 0; i < 100 && rc >= 0; i++)
                rc = (int) belay_send_descriptors(ends[0], "x", 1, &fd, 1);
        CHECK_EQ(rc, -ETOOMANYREFS);
        CHECK(!belay_is_cut(ends[0]));
        close_pair();
        return 0;
}

static int run_in_flight(void *arg) {
        return belay_run(in_flight, arg);
}

/* ---- waiting ---- */

struct receiver {
        ssize_t rc;
        size_t count;
        char byte;
};

static int receive_one(void *arg) {
        struct receiver *self = arg;

        self->count = 1;
        self->rc = belay_receive_descriptors(ends[1], &self->byte, 1, got, &self->count);
        return (int) self->rc;
}

static int waiting(void *arg) {
        struct receiver receiver;
        belay_task *task;
        char byte;
        size_t count = 1;
        int before;

        (void) arg;
        open_pair();
        before = open_count();
        task = must(belay_spawn(receive_one, &receiver));
        let_run();
        keep_lines();
        CHECK_EQ(belay_receive_descriptors(ends[1], &byte, 1, got, &count), -EBUSY);
        CHECK_EQ(belay_read(ends[1], &byte, 1), -EBUSY);
        CHECK_LINES(1, "belay_receive_descriptors()");
        CHECK_EQ(belay_send_descriptors(ends[0], "x", 1, &(int) { 0 }, 1), 1);
        end_of(task, 1);
        CHECK_EQ(receiver.count, 1);
        close(got[0]);
        /* The wait is cancelled. A message that arrives afterwards goes to the next call. */
        task = must(belay_spawn(receive_one, &receiver));
        let_run();
        CHECK(belay_cancel(task, NULL));
        end_of(task, -ECANCELED);
        CHECK_EQ(receiver.count, 0);
        CHECK_EQ(belay_send_descriptors(ends[0], "y", 1, &(int) { 0 }, 1), 1);
        CHECK_EQ(open_count(), before);
        task = must(belay_spawn(receive_one, &receiver));
        end_of(task, 1);
        CHECK_EQ(receiver.byte, 'y');
        close(got[0]);
        /* The stream is closed while the task waits. */
        task = must(belay_spawn(receive_one, &receiver));
        let_run();
        belay_abort(ends[1]);
        end_of(task, -EBADF);
        belay_abort(ends[0]);
        CHECK_EQ(open_count(), before - 2);
        belay_set_log(NULL, NULL);
        return 0;
}

/* ---- long and incomplete messages ---- */

enum { LONG = 4 << 20 };

static char *long_data;

struct sender {
        ssize_t rc;
        int fd;
};

static int send_long(void *arg) {
        struct sender *self = arg;

        self->rc = belay_send_descriptors(ends[0], long_data, LONG, &self->fd, 1);
        return 0;
}

static int long_message(void *arg) {
        struct sender sender;
        belay_task *task;
        belay_timeout limit;
        char *data = malloc(LONG);
        int writing, reading = reading_end(&writing), before;
        size_t count, size = 0;
        ssize_t rc;

        (void) arg;
        open_pair();
        before = open_count();
        sender.fd = writing;
        task = must(belay_spawn(send_long, &sender));
        while (size < LONG) {
                count = 4;
                rc = belay_receive_descriptors(ends[1], data + size, LONG - size, got + (size > 0),
                                               &count);
                CHECK(rc > 0);
                CHECK_EQ(count, size == 0);
                size += (size_t) rc;
        }
        end_of(task, 0);
        CHECK_EQ(sender.rc, LONG);
        CHECK(memcmp(data, long_data, LONG) == 0);
        check_pipe(reading, got[0]);
        close(got[0]);

        /* The message is incomplete. The descriptors went with its first part. */
        task = must(belay_spawn(send_long, &sender));
        let_run();
        while (belay_sent(ends[0]) == LONG)
                CHECK_EQ(belay_yield(), 0);
        let_run();
        CHECK(belay_cancel(task, NULL));
        /* The request is still pending when the call returns. */
        end_of(task, -ECANCELED);
        CHECK(sender.rc > 0 && sender.rc < LONG);
        CHECK(belay_is_cut(ends[0]));
        CHECK_EQ(belay_send_descriptors(ends[0], "x", 1, &writing, 1), -ENOTRECOVERABLE);
        /* There is no room, so a call that is cancelled has sent no descriptor. */
        CHECK_EQ(belay_mend(ends[0]), 0);
        belay_timeout_enter(&limit, BELAY_MILLISECOND);
        CHECK_EQ(belay_timeout_leave(&limit,
                                     (int) belay_send_descriptors(ends[0], "x", 1, &writing, 1)),
                 -ETIMEDOUT);
        CHECK(!belay_is_cut(ends[0]));
        for (size = 0; size < (size_t) sender.rc; size += (size_t) rc) {
                count = 4;
                rc = belay_receive_descriptors(ends[1], data, LONG, got + (size > 0), &count);
                CHECK(rc > 0);
                CHECK_EQ(count, size == 0);
        }
        CHECK_EQ(size, sender.rc);
        close(got[0]);
        CHECK_EQ(open_count(), before);
        close(reading);
        close(writing);
        close_pair();
        free(data);
        return 0;
}

/* ---- outside of a task ---- */

static int leave_open(void *arg) {
        (void) arg;
        open_pair();
        return 0;
}

static void misuse(void) {
        belay_loop *loop = belay_loop_new(NULL);
        char byte;
        size_t count = 1;

        CHECK_EQ(belay_loop_run(loop, leave_open, NULL, NULL), 0);
        keep_lines();
        CHECK_EQ(belay_send_descriptors(ends[0], "x", 1, NULL, 0), -EPERM);
        CHECK_EQ(belay_receive_descriptors(ends[0], &byte, 1, NULL, &count), -EPERM);
        CHECK_LINES(1, "belay_send_descriptors() outside of a task");
        CHECK_LINES(1, "belay_receive_descriptors() outside of a task");
        close_pair();
        CHECK_EQ(belay_loop_close(loop), 0);
        belay_set_log(NULL, NULL);
}

int main(void) {
        belay_fn *const tests[] = {
                one,
                all,
                borders,
                no_room,
                no_memory_for_bytes,
                closed_in_the_same_turn,
                no_more_for_us,
                with_others,
                others,
                errors,
                waiting,
                long_message,
        };
        struct child child;

        belay_set_memory(scarce, NULL);
        long_data = malloc(LONG);
        for (size_t i = 0; i < LONG; i++)
                long_data[i] = (char) (i * 2654435761u >> 24);
        for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
                CHECK_EQ(belay_run(tests[i], NULL), 0);
        misuse();
        in_child(&child, run_in_flight, NULL);
        if (!WIFEXITED(child.status) || WEXITSTATUS(child.status) != 77)
                CHECK_CHILD(&child, 0);
        free(long_data);
        return 0;
}
