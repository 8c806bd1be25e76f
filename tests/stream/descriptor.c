/* SPDX-License-Identifier: MIT */
/*
 * Streams of descriptors that the program has: which descriptors are accepted, how shared ones are
 * treated, and SIGPIPE.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/guarded.h"
#include "stream/streams.h"

#define KEEP_OPEN BELAY_OPTIONS(belay_stream_options, .keep_open = true)

static int flags_of(int fd) {
        return fcntl(fd, F_GETFL);
}

/* ---- descriptors that are refused ---- */

/* The descriptor is refused and keeps its flags. */
static void refused(int fd, int error) {
        belay_stream *stream = (belay_stream *) &stream;
        int flags = flags_of(fd);

        CHECK_EQ(belay_stream_open_fd(&stream, fd, NULL), error);
        CHECK(stream == NULL);
        CHECK_EQ(flags_of(fd), flags);
        if (flags >= 0)
                close(fd);
}

static int not_to_be_had(void *arg) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int fd, fds[2];

        (void) arg;
        refused(-1, -EBADF);
        fd = dup(0);
        close(fd);
        refused(fd, -EBADF);
        refused(memfd_create("file", MFD_CLOEXEC), -EPERM);
        refused(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), -EINVAL);
        refused(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), -EINVAL);
        refused(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), -EINVAL);
        CHECK_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
        refused(fds[0], -EINVAL);
        close(fds[1]);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        CHECK_EQ(listen(fd, 1), 0);
        refused(fd, -EINVAL);
        return 0;
}

/* ---- kinds and names ---- */

static int names(void *arg) {
        belay_stream *ends[2];

        (void) arg;
        open_ends(PIPE, ends);
        CHECK_STR(belay_stream_name(ends[0]), "pipe");
        for (int i = 0; i < 2; i++)
                CHECK_EQ(belay_close(ends[i], 0), 0);
        open_ends(TERMINAL, ends);
        CHECK_STR(belay_stream_name(ends[0]), "terminal");
        CHECK(isatty(belay_stream_fd(ends[0])));
        for (int i = 0; i < 2; i++)
                CHECK_EQ(belay_close(ends[i], 0), 0);
        open_ends(PAIR, ends);
        CHECK(strstr(belay_stream_name(ends[0]), "unix") != NULL);
        CHECK(belay_stream_fd(ends[0]) >= 0
              && belay_stream_fd(ends[0]) != belay_stream_fd(ends[1]));
        CHECK(fcntl(belay_stream_fd(ends[0]), F_GETFD) & FD_CLOEXEC);
        for (int i = 0; i < 2; i++)
                CHECK_EQ(belay_close(ends[i], 0), 0);
        return 0;
}

/* Devices and the like, which are no pipes but can be read and written. */
static int devices(void *arg) {
        belay_stream *stream;
        uint64_t count = 5;
        char buffer[100] = "";

        (void) arg;
        CHECK_EQ(belay_stream_open_fd(&stream, open("/dev/null", O_RDWR | O_CLOEXEC), NULL), 0);
        CHECK_EQ(belay_write(stream, buffer, 100), 100);
        CHECK_EQ(belay_read(stream, buffer, 100), 0);
        CHECK_EQ(belay_close(stream, 0), 0);
        CHECK_EQ(belay_stream_open_fd(&stream, open("/dev/zero", O_RDONLY | O_CLOEXEC), NULL), 0);
        memset(buffer, 'x', 100);
        CHECK_EQ(belay_read_exactly(stream, buffer, 100), 100);
        CHECK(buffer[0] == 0 && buffer[99] == 0);
        CHECK_EQ(belay_close(stream, 0), 0);
        CHECK_EQ(belay_stream_open_fd(&stream, eventfd(0, EFD_CLOEXEC), NULL), 0);
        CHECK_EQ(belay_write(stream, &count, 8), 8);
        count = 0;
        CHECK_EQ(belay_read(stream, &count, 8), 8);
        CHECK_EQ(count, 5);
        CHECK_EQ(belay_close(stream, 0), 0);
        return 0;
}

/* The flags of a device whose reads and writes never wait need not change. Those of others do. */
static int flags_of_devices(void *arg) {
        static const struct {
                const char *path;
                bool keeps_flags;
        } devices[] = {
                { "/dev/null", true },    { "/dev/zero", true },    { "/dev/full", true },
                { "/dev/urandom", true }, { "/dev/random", false },
        };

        (void) arg;
        for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
                int fd = open(devices[i].path, O_RDONLY | O_CLOEXEC), flags = flags_of(fd);
                belay_stream *stream;

                /* A container may lack some of them. */
                if (fd < 0)
                        continue;
                CHECK_EQ(belay_stream_open_fd(&stream, fd, KEEP_OPEN), 0);
                CHECK_EQ(flags_of(fd), devices[i].keeps_flags ? flags : flags | O_NONBLOCK);
                CHECK_EQ(belay_close(stream, 0), 0);
                CHECK_EQ(flags_of(fd), flags);
                close(fd);
        }
        return 0;
}

/* Bytes that a read did not ask for stay in the descriptor, for its next reader. */
static int leaves_the_rest(void *arg) {
        enum kind kinds[] = { PIPE, TERMINAL, PIPE };

        (void) arg;
        for (int i = 0; i < 3; i++) {
                belay_stream *ends[2];
                char bytes[100];
                int copy;

                open_ends(kinds[i], ends);
                /* A terminal is read at its other end, which is opened a second time. */
                if (kinds[i] == TERMINAL) {
                        belay_stream *master = ends[1];

                        ends[1] = ends[0];
                        ends[0] = master;
                }
                copy = fcntl(belay_stream_fd(ends[1]), F_DUPFD_CLOEXEC, 0);
                CHECK_EQ(belay_write(ends[0], "0123456789", 10), 10);
                CHECK_EQ(belay_read(ends[1], bytes, 3), 3);
                CHECK_EQ(read(copy, bytes, sizeof(bytes)), 7);
                CHECK(memcmp(bytes, "3456789", 7) == 0);
                CHECK_EQ(belay_write(ends[0], "ab", 2), 2);
                CHECK_EQ(belay_read(ends[1], bytes, 1), 1);
                CHECK_EQ(read(copy, bytes, sizeof(bytes)), 1);
                CHECK_EQ(bytes[0], 'b');
                belay_abort(ends[0]);
                belay_abort(ends[1]);
                close(copy);
        }
        return 0;
}

/* ---- shared descriptions ---- */

/* Opens two blocking ends: [0] is written to, and [1] is read from. */
static void open_blocking(int fds[2], enum kind kind) {
        int both[2];

        switch (kind) {
        case PIPE:
                CHECK_EQ(pipe2(both, O_CLOEXEC), 0);
                break;
        case PAIR:
                CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both), 0);
                break;
        default:
                open_pty(fds, true);
                return;
        }
        fds[0] = both[1];
        fds[1] = both[0];
}

/*
 * All descriptors of a description share its flags, in other processes too. O_NONBLOCK must
 * therefore stay as it was, both while the stream is open and after it.
 */
static void share(enum kind kind, bool is_master, bool keep_open) {
        belay_stream *streams[2];
        int fds[2], copies[2], flags[2];
        char byte;

        open_blocking(fds, kind);
        for (int i = 0; i < 2; i++) {
                copies[i] = dup(fds[i]);
                flags[i] = flags_of(fds[i]);
                CHECK(!(flags[i] & O_NONBLOCK));
                CHECK_EQ(belay_stream_open_fd(&streams[i], fds[i], keep_open ? KEEP_OPEN : NULL),
                         0);
                CHECK_EQ(belay_stream_fd(streams[i]), fds[i]);
                /* The master of a terminal is not shared, so its flags may change. */
                if (i == 0 || !is_master)
                        CHECK_EQ(flags_of(copies[i]), flags[i]);
        }
        CHECK_EQ(belay_write(streams[0], "x", 1), 1);
        CHECK_EQ(belay_read(streams[1], &byte, 1), 1);
        CHECK_EQ(byte, 'x');
        for (int i = 0; i < 2; i++) {
                if (i == 0 || !is_master)
                        CHECK_EQ(flags_of(copies[i]), flags[i]);
                CHECK_EQ(belay_close(streams[i], 0), 0);
                CHECK_EQ(flags_of(copies[i]), flags[i]);
                CHECK_EQ(flags_of(fds[i]), keep_open ? flags[i] : -1);
        }
        /* The descriptors work as before. */
        CHECK_EQ(write(copies[0], "y", 1), 1);
        CHECK_EQ(read(copies[1], &byte, 1), 1);
        CHECK_EQ(byte, 'y');
        for (int i = 0; i < 2; i++) {
                close(copies[i]);
                if (keep_open)
                        close(fds[i]);
        }
}

static int shared(void *arg) {
        (void) arg;
        for (int keep_open = 0; keep_open < 2; keep_open++) {
                share(PIPE, false, keep_open);
                share(PAIR, false, keep_open);
                share(TERMINAL, true, keep_open);
        }
        return 0;
}

/* Aborting a stream that keeps its descriptor open does not affect the connection. */
static int abort_kept(void *arg) {
        belay_stream *stream;
        int fds[2];
        char byte;

        (void) arg;
        open_blocking(fds, PAIR);
        CHECK_EQ(belay_stream_open_fd(&stream, fds[0], KEEP_OPEN), 0);
        CHECK_EQ(belay_write(stream, "x", 1), 1);
        belay_abort(stream);
        CHECK_EQ(write(fds[0], "y", 1), 1);
        CHECK_EQ(read(fds[1], &byte, 1), 1);
        CHECK_EQ(read(fds[1], &byte, 1), 1);
        CHECK_EQ(byte, 'y');
        /* The descriptor can be opened as a stream again. */
        CHECK_EQ(belay_stream_open_fd(&stream, fds[0], NULL), 0);
        CHECK_EQ(belay_write(stream, "z", 1), 1);
        CHECK_EQ(read(fds[1], &byte, 1), 1);
        CHECK_EQ(belay_close(stream, 0), 0);
        close(fds[1]);
        return 0;
}

/*
 * A descriptor that belay opens a second time may get the number 0. It is closed with the stream,
 * and no program that this one starts inherits it. It has the packet mode of a pipe.
 */
static void open_again(int fds[2], bool packets, int zero) {
        belay_stream *streams[2];
        char bytes[8];

        CHECK_EQ(belay_stream_open_fd(&streams[1], fds[1], NULL), 0);
        close(0);
        CHECK_EQ(belay_stream_open_fd(&streams[0], fds[0], NULL), 0);
        CHECK_EQ(fcntl(0, F_GETFD), FD_CLOEXEC);
        CHECK_EQ(belay_stream_fd(streams[0]), fds[0]);
        CHECK_EQ(belay_write(streams[0], "ab", 2), 2);
        if (packets)
                CHECK_EQ(belay_write(streams[0], "cd", 2), 2);
        CHECK_EQ(belay_read(streams[1], bytes, sizeof(bytes)), 2);
        CHECK(memcmp(bytes, "ab", 2) == 0);
        CHECK_EQ(belay_close(streams[0], 0), 0);
        CHECK_EQ(fcntl(0, F_GETFD), -1);
        CHECK_EQ(belay_close(streams[1], 0), 0);
        CHECK_EQ(dup2(zero, 0), 0);
}

static int opened_again(void *arg) {
        int zero = fcntl(0, F_DUPFD_CLOEXEC, 0), fds[2], both[2];

        (void) arg;
        open_blocking(fds, PIPE);
        open_again(fds, false, zero);
        open_blocking(fds, TERMINAL);
        open_again(fds, false, zero);
        CHECK_EQ(pipe2(both, O_CLOEXEC | O_DIRECT), 0);
        fds[0] = both[1];
        fds[1] = both[0];
        open_again(fds, true, zero);
        close(zero);
        return 0;
}

/*
 * Numbers are given out again. The state of an earlier descriptor must not be applied to the next
 * one.
 */
static int numbers_again(void *arg) {
        int first = -1;

        (void) arg;
        for (int i = 0; i < 50; i++) {
                struct once reader = { .size = 1 };
                belay_stream *ends[2];
                belay_task *task;
                char byte;
                int copy;

                open_ends(i % 3 == 0 ? PIPE : i % 3 == 1 ? PAIR : TERMINAL, ends);
                if (i % 3 == 1)
                        first = first < 0 ? belay_stream_fd(ends[0]) : first;
                reader.stream = ends[1];
                reader.buffer = &byte;
                task = must(belay_spawn(read_once, &reader));
                CHECK_EQ(belay_yield(), 0);
                /*
                 * A copy of the descriptor stays open. Its events occur when its number belongs to
                 * another descriptor.
                 */
                copy = dup(belay_stream_fd(ends[1]));
                CHECK_EQ(belay_write(ends[0], "x", 1), 1);
                if (i % 2 == 0)
                        join_task(task, 0);
                CHECK_EQ(belay_close(ends[1], 0), 0);
                if (i % 2 == 1)
                        join_task(task, 0);
                CHECK(reader.result == 1 || reader.result == -EBADF);
                CHECK_EQ(belay_close(ends[0], 0), 0);
                close(copy);
        }
        CHECK(first >= 0);
        return 0;
}

/* ---- pipes in packet mode ---- */

static void fill_packet(char *packet, size_t size, unsigned number) {
        fill(packet, size, number * 10000);
}

/*
 * Packets are read in pieces, and no byte of a packet is lost. With room for several packets, a
 * read returns one packet at a time.
 */
static int packets(void *arg) {
        static const size_t sizes[] = { 1, 100, 4096, 3 }, rooms[] = { 1, 7, 4095, 4096, 10000 };
        static char packet[4096], got[10000];

        (void) arg;
        for (size_t r = 0; r < sizeof(rooms) / sizeof(*rooms); r++)
                for (int not_blocking = 0; not_blocking < 2; not_blocking++) {
                        belay_stream *ends[2];
                        const void *shown;
                        int fds[2];

                        CHECK_EQ(pipe2(fds, O_CLOEXEC | O_DIRECT | (not_blocking ? O_NONBLOCK : 0)),
                                 0);
                        CHECK_EQ(belay_stream_open_fd(&ends[0], fds[0], NULL), 0);
                        CHECK_EQ(belay_stream_open_fd(&ends[1], fds[1], NULL), 0);
                        for (unsigned i = 0; i < 4; i++) {
                                fill_packet(packet, sizes[i], i);
                                CHECK_EQ(belay_write(ends[1], packet, sizes[i]), sizes[i]);
                        }
                        for (unsigned i = 0; i < 4; i++) {
                                size_t all = 0;

                                while (all < sizes[i]) {
                                        ssize_t size = belay_read(
                                                ends[0], got + all,
                                                rooms[r] < sizeof(got) - all ? rooms[r] : 1);

                                        CHECK(size > 0);
                                        all += (size_t) size;
                                }
                                CHECK_EQ(all, sizes[i]);
                                CHECK(is_filled(got, all, i * 10000));
                        }
                        /* The same with data that was read ahead. */
                        CHECK_EQ(belay_write(ends[1], "one\ntwo\nthree", 13), 13);
                        CHECK_EQ(belay_read_line(ends[0], got, sizeof(got)), 4);
                        CHECK_EQ(belay_peek(ends[0], 2, &shown), 9);
                        CHECK_EQ(belay_read_exactly(ends[0], got, 9), 9);
                        CHECK_EQ(belay_write(ends[1], "last", 4), 4);
                        CHECK_EQ(belay_close(ends[1], 0), 0);
                        CHECK_EQ(belay_read_exactly(ends[0], got, 2), 2);
                        CHECK_EQ(belay_read_exactly(ends[0], got + 2, 10), 2);
                        CHECK(memcmp(got, "last", 4) == 0);
                        CHECK_EQ(belay_read(ends[0], got, 1), 0);
                        CHECK_EQ(belay_close(ends[0], 0), 0);
                }
        return 0;
}

/* ---- terminals ---- */

/* Both directions, with the default settings of a terminal: it works by lines and echoes. */
static int terminals(void *arg) {
        belay_stream *master, *slave;
        char line[100];
        int fds[2];

        (void) arg;
        open_pty(fds, false);
        CHECK_EQ(belay_stream_open_fd(&master, fds[1], NULL), 0);
        CHECK_EQ(belay_stream_open_fd(&slave, fds[0], NULL), 0);
        CHECK_EQ(belay_print(master, "typed\n"), 6);
        CHECK_EQ(belay_read_line(slave, line, 100), 6);
        CHECK_STR(line, "typed\n");
        CHECK_EQ(belay_read_line(master, line, 100), 7);
        CHECK_STR(line, "typed\r\n");
        CHECK_EQ(belay_print(slave, "shown\n"), 6);
        CHECK_EQ(belay_read_line(master, line, 100), 7);
        CHECK_STR(line, "shown\r\n");
        CHECK_EQ(belay_half_close(slave), -EOPNOTSUPP);
        /* When the last descriptor of the terminal is closed, its unread output is lost. */
        CHECK_EQ(belay_close(slave, 0), 0);
        CHECK_EQ(belay_read_line(master, line, 100), 0);
        CHECK_EQ(belay_close(master, 0), 0);
        return 0;
}

/* ---- no reader ---- */

static int write_to_nobody(void *arg) {
        belay_stream *ends[2];
        sigset_t pending, mask;

        (void) arg;
        for (int kind = PAIR; kind <= PIPE; kind++) {
                open_ends((enum kind) kind, ends);
                CHECK_EQ(belay_close(ends[1], 0), 0);
                CHECK_EQ(belay_write(ends[0], "x", 1), -EPIPE);
                CHECK_EQ(belay_close(ends[0], 0), 0);
                sigpending(&pending);
                CHECK(!sigismember(&pending, SIGPIPE));
                pthread_sigmask(SIG_BLOCK, NULL, &mask);
                CHECK(!sigismember(&mask, SIGPIPE));
        }
        /* A SIGPIPE that another sender raised, and that the program blocks, stays pending. */
        sigemptyset(&mask);
        sigaddset(&mask, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &mask, NULL);
        raise(SIGPIPE);
        open_ends(PIPE, ends);
        CHECK_EQ(belay_close(ends[1], 0), 0);
        CHECK_EQ(belay_write(ends[0], "x", 1), -EPIPE);
        CHECK_EQ(belay_close(ends[0], 0), 0);
        sigpending(&pending);
        CHECK(sigismember(&pending, SIGPIPE));
        return 0;
}

static int without_sigpipe(void *arg) {
        (void) arg;
        signal(SIGPIPE, SIG_DFL);
        CHECK_EQ(belay_run(write_to_nobody, NULL), 0);
        return 42;
}

/* ---- no descriptors, no memory ---- */

static int no_descriptors(void *arg) {
        belay_stream *ends[2], *some[2];
        struct rlimit limit;
        int most;

        (void) arg;
        /* The loop allocates its own descriptors here. */
        open_ends(PAIR, some);
        CHECK_EQ(belay_write(some[0], "x", 1), 1);
        most = dup(0);
        close(most);
        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
        for (int more = 0; more < 2; more++) {
                limit.rlim_cur = (rlim_t) (most + more);
                CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
                CHECK_EQ(belay_stream_pair(&ends[0], &ends[1]), -EMFILE);
                CHECK(ends[0] == NULL && ends[1] == NULL);
                CHECK_EQ(belay_stream_pipe(&ends[0], &ends[1]), -EMFILE);
                CHECK(ends[0] == NULL && ends[1] == NULL);
        }
        limit.rlim_cur = (rlim_t) (most + 2);
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
        CHECK_EQ(belay_stream_pair(&ends[0], &ends[1]), 0);
        belay_abort(ends[0]);
        belay_abort(ends[1]);
        belay_abort(some[0]);
        belay_abort(some[1]);
        return 42;
}

static int few_descriptors(void *arg) {
        (void) arg;
        return belay_run(no_descriptors, NULL);
}

/* Each allocation fails once. The call returns -ENOMEM, and no descriptor stays open. */
static int fail_at, allocations, blocks;

static void *failing(void *context, void *block, size_t size) {
        if (size > 0 && fail_at > 0 && ++allocations == fail_at)
                return NULL;
        blocks += size > 0 && block == NULL ? 1 : size == 0 && block != NULL ? -1 : 0;
        return guarded_memory(context, block, size);
}

static int without_memory(void *arg) {
        int (*const open_two[])(belay_stream **, belay_stream **) = { belay_stream_pair,
                                                                      belay_stream_pipe };

        (void) arg;
        for (int way = 0; way < 2; way++) {
                int rc = -ENOMEM, free_number = dup(0);

                close(free_number);
                for (int at = 1; rc == -ENOMEM; at++) {
                        belay_stream *ends[2];
                        int before = blocks, number;

                        allocations = 0;
                        fail_at = at;
                        rc = open_two[way](&ends[0], &ends[1]);
                        fail_at = 0;
                        CHECK(rc == 0 || rc == -ENOMEM);
                        CHECK(rc == 0 ? ends[0] != NULL && ends[1] != NULL
                                      : ends[0] == NULL && ends[1] == NULL);
                        belay_abort(ends[0]);
                        belay_abort(ends[1]);
                        /* The loop's own memory for descriptors stays allocated. */
                        CHECK(rc == 0 || blocks <= before + 8);
                        number = dup(0);
                        close(number);
                        CHECK(number <= free_number + 1);
                }
                CHECK_EQ(rc, 0);
        }
        return 0;
}

static unsigned count_open(void) {
        unsigned count = 0;

        for (int fd = 0; fd < 256; fd++)
                count += flags_of(fd) >= 0;
        return count;
}

int main(void) {
        struct child child;
        unsigned open_before;

        belay_set_memory(failing, NULL);
        CHECK_EQ(belay_run(not_to_be_had, NULL), 0);
        CHECK_EQ(belay_run(names, NULL), 0);
        CHECK_EQ(belay_run(devices, NULL), 0);
        CHECK_EQ(belay_run(flags_of_devices, NULL), 0);
        CHECK_EQ(belay_run(leaves_the_rest, NULL), 0);
        CHECK_EQ(belay_run(shared, NULL), 0);
        CHECK_EQ(belay_run(abort_kept, NULL), 0);
        CHECK_EQ(belay_run(opened_again, NULL), 0);
        CHECK_EQ(belay_run(numbers_again, NULL), 0);
        open_before = count_open();
        CHECK_EQ(belay_run(packets, NULL), 0);
        CHECK_EQ(count_open(), open_before);
        CHECK_EQ(belay_run(terminals, NULL), 0);
        CHECK_EQ(belay_run(without_memory, NULL), 0);
        CHECK_EQ(blocks, 0);
        in_child(&child, without_sigpipe, NULL);
        CHECK_CHILD(&child, 42);
        /* Checkers use descriptors of their own. */
        if (!is_checked()) {
                in_child(&child, few_descriptors, NULL);
                CHECK_CHILD(&child, 42);
        }
        return 0;
}
