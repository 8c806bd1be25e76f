/* SPDX-License-Identifier: MIT */
/*
 * Descriptors with an owner. No second stream, listener or datagram socket can be made of one. If
 * the program closes a descriptor without its owner, the owner neither uses nor closes the next
 * descriptor with that number.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "io/back_ends.h"
#include "stream/streams.h"

static bool is_open(int fd) {
        return fcntl(fd, F_GETFD) >= 0;
}

/* ---- a second owner ---- */

static void refused(int fd, bool listens) {
        belay_listener *listener = (belay_listener *) &listener;
        belay_stream *stream = (belay_stream *) &stream;
        int flags = fcntl(fd, F_GETFL);

        keep_lines();
        if (listens) {
                CHECK_EQ(belay_listen_fd(&listener, fd), -EBUSY);
                CHECK(listener == NULL);
        } else {
                CHECK_EQ(belay_stream_open_fd(&stream, fd, NULL), -EBUSY);
                CHECK(stream == NULL);
        }
        CHECK_EQ(kept_count, 1);
        /* The report names both call sites. */
        CHECK_LINES(1, "misuse at tests/stream/owners.c:");
        CHECK_LINES(1, "made at tests/stream/");
        belay_set_log(NULL, NULL);
        CHECK_EQ(fcntl(fd, F_GETFL), flags);
}

/*
 * Removes the limit on log lines. The test checks each report, and many reports come from one call
 * site.
 */
static void count_all_reports(void) {
        extern __thread struct bly_log_limits *bly_log_limits;

        bly_log_limits = NULL;
}

static int second_owner(void *arg) {
        belay_listener *listener, *other;
        belay_stream *ends[2];
        char byte;
        int fds[2], copy;

        (void) arg;
        count_all_reports();
        for (int kind = PAIR; kind < KINDS; kind++) {
                open_ends((enum kind) kind, ends);
                for (int i = 0; i < 2; i++)
                        refused(belay_stream_fd(ends[i]), false);
                /* The first owner still works. */
                CHECK_EQ(belay_write(ends[0], "x", 1), 1);
                CHECK_EQ(belay_read(ends[1], &byte, 1), 1);
                for (int i = 0; i < 2; i++)
                        CHECK_EQ(belay_close(ends[i], 0), 0);
        }
        /*
         * The descriptor blocks, so the stream opens another one of it. The descriptor is kept
         * open, or is free again after the close.
         */
        for (int keep = 0; keep < 2; keep++) {
                CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
                CHECK_EQ(belay_stream_open_fd(
                                 &ends[0], fds[0],
                                 BELAY_OPTIONS(belay_stream_options, .keep_open = keep)),
                         0);
                refused(fds[0], false);
                CHECK_EQ(belay_close(ends[0], 0), 0);
                CHECK_EQ(is_open(fds[0]), keep);
                if (keep) {
                        CHECK_EQ(belay_stream_open_fd(&ends[0], fds[0], NULL), 0);
                        CHECK_EQ(belay_close(ends[0], 0), 0);
                }
                close(fds[1]);
        }
        CHECK_EQ(belay_listen(&listener, "127.0.0.1:0", NULL), 0);
        refused(belay_listener_fd(listener), true);
        copy = dup(belay_listener_fd(listener));
        CHECK_EQ(belay_listen_fd(&other, copy), 0);
        belay_listener_close(other);
        /* The same for streams that were accepted or connected. */
        CHECK_EQ(belay_connect(&ends[0], belay_listener_endpoint(listener), NULL), 0);
        CHECK_EQ(belay_accept(listener, &ends[1]), 0);
        for (int i = 0; i < 2; i++) {
                refused(belay_stream_fd(ends[i]), false);
                CHECK_EQ(belay_close(ends[i], 0), 0);
        }
        belay_listener_close(listener);
        return 0;
}

/* ---- closed without the owner ---- */

/* The kind of descriptor that receives the number next. */
enum again { BY_PAIR, BY_PIPE, BY_ACCEPT, BY_CONNECT, BY_LISTEN, BY_DATAGRAMS, BY_PROGRAM, AGAINS };

struct next {
        belay_stream *stream, *other;
        belay_listener *listener;
        belay_datagrams *socket;
};

static belay_listener *listener;

/*
 * Makes a descriptor that receives the number. The kernel gives out the lowest free number, which
 * is that of the descriptor that was closed last.
 */
static int take_number(enum again again, struct next *next) {
        struct sockaddr_storage address;
        socklen_t length = sizeof(address);
        int fd, fds[2];

        *next = (struct next) { .stream = NULL };
        switch (again) {
        case BY_PAIR:
                CHECK_EQ(belay_stream_pair(&next->stream, &next->other), 0);
                return belay_stream_fd(next->stream);
        case BY_PIPE:
                CHECK_EQ(belay_stream_pipe(&next->stream, &next->other), 0);
                return belay_stream_fd(next->stream);
        case BY_ACCEPT:
                CHECK_EQ(getsockname(belay_listener_fd(listener), (struct sockaddr *) &address,
                                     &length),
                         0);
                fd = fcntl(belay_listener_fd(listener), F_DUPFD_CLOEXEC, 200);
                close(fd);
                fds[0] = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
                CHECK_EQ(dup2(fds[0], fd), fd);
                close(fds[0]);
                CHECK_EQ(connect(fd, (struct sockaddr *) &address, length), 0);
                CHECK_EQ(belay_accept(listener, &next->stream), 0);
                CHECK_EQ(belay_stream_open_fd(&next->other, fd, NULL), 0);
                return belay_stream_fd(next->stream);
        case BY_CONNECT:
                CHECK_EQ(belay_connect(&next->stream, belay_listener_endpoint(listener), NULL), 0);
                CHECK_EQ(belay_accept(listener, &next->other), 0);
                return belay_stream_fd(next->stream);
        case BY_LISTEN:
                CHECK_EQ(belay_listen(&next->listener, "127.0.0.1:0", NULL), 0);
                return belay_listener_fd(next->listener);
        case BY_DATAGRAMS:
                CHECK_EQ(belay_datagrams_open(&next->socket, "127.0.0.1:0", NULL), 0);
                return belay_datagrams_fd(next->socket);
        default:
                CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
                CHECK_EQ(belay_stream_open_fd(&next->stream, fds[0], NULL), 0);
                CHECK_EQ(belay_stream_open_fd(&next->other, fds[1], NULL), 0);
                return fds[0];
        }
}

static void works(const struct next *next, enum again again) {
        belay_stream *from = next->stream, *to = next->other;
        char byte;

        if (next->stream == NULL)
                return;
        if (again != BY_PIPE) {
                CHECK_EQ(belay_write(from, "a", 1), 1);
                CHECK_EQ(belay_read(to, &byte, 1), 1);
        }
        CHECK_EQ(belay_write(to, "b", 1), 1);
        CHECK_EQ(belay_read(from, &byte, 1), 1);
        CHECK_EQ(byte, 'b');
}

static void end_next(const struct next *next) {
        belay_abort(next->stream);
        belay_abort(next->other);
        belay_listener_close(next->listener);
        belay_datagrams_close(next->socket);
}

static int copy_on(void *arg) {
        belay_stream **streams = arg;

        return belay_copy(streams[1], streams[0], -1, NULL);
}

/* A stream that is idle, has a reader inside, or is the target of a copy. */
static void lost_stream(bool is_tcp, enum again again, int inside) {
        struct once reader = { .size = 1, .result = 1 };
        belay_stream *ends[2], *from[2], *ways[2];
        char buffer[1];
        belay_task *task = NULL;
        struct next next;
        int fd;

        if (is_tcp) {
                CHECK_EQ(belay_connect(&ends[1], belay_listener_endpoint(listener), NULL), 0);
                CHECK_EQ(belay_accept(listener, &ends[0]), 0);
        } else {
                CHECK_EQ(belay_stream_pair(&ends[0], &ends[1]), 0);
        }
        CHECK_EQ(belay_stream_pair(&from[0], &from[1]), 0);
        fd = belay_stream_fd(ends[0]);
        reader.stream = ends[0];
        reader.buffer = buffer;
        ways[0] = from[1];
        ways[1] = ends[0];
        if (inside != 0)
                task = must(inside == 1 ? belay_spawn(read_once, &reader)
                                        : belay_spawn(copy_on, ways));
        let_run();
        /* If an operation is in progress, the kernel keeps the description open until it ends. */
        CHECK_EQ(close(fd), 0);
        keep_lines();
        CHECK_EQ(take_number(again, &next), fd);
        CHECK_EQ(kept_count, 1);
        CHECK_LINES(1, "closed by the program");
        CHECK_LINES(1, "misuse at tests/stream/owners.c:");
        belay_set_log(NULL, NULL);
        if (task != NULL) {
                join_task(task, inside == 1 ? 0 : -EBADF);
                CHECK(inside != 1 || reader.result == -EBADF);
        }
        CHECK_EQ(belay_read(ends[0], buffer, 1), -EBADF);
        CHECK_EQ(belay_write(ends[0], "x", 1), -EBADF);
        CHECK_EQ(belay_stream_fd(ends[0]), -EBADF);
        CHECK(belay_stream_name(ends[0]) != NULL);
        CHECK_EQ(belay_write(from[0], "x", 1), 1);
        CHECK_EQ(belay_copy(ends[0], from[1], -1, NULL), -EBADF);
        works(&next, again);
        CHECK_EQ(belay_close(ends[0], inside == 0 ? BELAY_HOUR : 0), 0);
        CHECK(is_open(fd));
        works(&next, again);
        belay_abort(ends[1]);
        belay_abort(from[0]);
        belay_abort(from[1]);
        end_next(&next);
        CHECK(!is_open(fd));
}

static int accept_it(void *arg) {
        belay_stream *stream;

        return belay_accept(arg, &stream);
}

static int receive_it(void *arg) {
        char byte;

        return (int) belay_receive(arg, &byte, 1, NULL);
}

static void lost_others(enum again again, bool inside) {
        belay_task *tasks[2] = { NULL, NULL };
        struct next next, first;
        belay_stream *stream;
        char byte;
        int fd;

        for (int i = 0; i < 2; i++) {
                fd = take_number(i == 0 ? BY_LISTEN : BY_DATAGRAMS, &first);
                if (inside)
                        tasks[i] = must(belay_spawn(i == 0 ? accept_it : receive_it,
                                                    i == 0 ? (void *) first.listener
                                                           : (void *) first.socket));
                let_run();
                CHECK_EQ(close(fd), 0);
                keep_lines();
                CHECK_EQ(take_number(again, &next), fd);
                CHECK_LINES(1, "closed by the program");
                belay_set_log(NULL, NULL);
                if (inside)
                        join_task(tasks[i], -EBADF);
                if (i == 0) {
                        CHECK_EQ(belay_listener_fd(first.listener), -EBADF);
                        CHECK_EQ(belay_accept(first.listener, &stream), -EBADF);
                } else {
                        CHECK_EQ(belay_datagrams_fd(first.socket), -EBADF);
                        CHECK_EQ(belay_receive(first.socket, &byte, 1, NULL), -EBADF);
                }
                end_next(&first);
                CHECK(is_open(fd));
                works(&next, again);
                end_next(&next);
        }
}

static int behind_its_back(void *arg) {
        (void) arg;
        count_all_reports();
        CHECK_EQ(belay_listen(&listener, "127.0.0.1:0", NULL), 0);
        for (int again = 0; again < AGAINS; again++) {
                printf("    number comes back, way %d\n", again);
                for (int inside = 0; inside < 3; inside++)
                        for (int is_tcp = 0; is_tcp < 2; is_tcp++)
                                lost_stream(is_tcp, (enum again) again, inside);
                for (int inside = 0; inside < 2; inside++)
                        lost_others((enum again) again, inside);
        }
        belay_listener_close(listener);
        return 0;
}

/*
 * The stream opened another descriptor of the pipe and goes on with that one. It does not close the
 * descriptor that receives the number of the first.
 */
static int lost_given(void *arg) {
        belay_stream *reader, *ends[2];
        char byte;
        int fds[2];

        (void) arg;
        count_all_reports();
        CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
        CHECK_EQ(belay_stream_open_fd(&reader, fds[0], NULL), 0);
        CHECK_EQ(close(fds[0]), 0);
        keep_lines();
        CHECK_EQ(belay_stream_pair(&ends[0], &ends[1]), 0);
        CHECK_LINES(1, "closed by the program");
        belay_set_log(NULL, NULL);
        CHECK_EQ(belay_stream_fd(ends[0]), fds[0]);
        CHECK_EQ(belay_stream_fd(reader), -EBADF);
        CHECK_EQ(write(fds[1], "x", 1), 1);
        CHECK_EQ(belay_read(reader, &byte, 1), 1);
        CHECK_EQ(belay_close(reader, 0), 0);
        CHECK(is_open(fds[0]));
        for (int i = 0; i < 2; i++)
                belay_abort(ends[i]);
        close(fds[1]);
        return 0;
}

static void all(void) {
        printf("%s\n", getenv("BELAY_BACKEND"));
        CHECK_EQ(belay_run(second_owner, NULL), 0);
        CHECK_EQ(belay_run(behind_its_back, NULL), 0);
        CHECK_EQ(belay_run(lost_given, NULL), 0);
}

int main(void) {
        on_back_ends(all);
        return 0;
}
