/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that other threads and processes share. They may change O_NONBLOCK at any time, and
 * belay must not change it for them. In spite of that, no thread blocks in a system call, and
 * timeouts and requests end each wait.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "io/back_ends.h"
#include "stream/streams.h"

enum { MUCH = 1 << 22 };

static char data[MUCH];

static bool blocks(int fd) {
        return !(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void set_blocking(int fd, bool blocking) {
        int flags = fcntl(fd, F_GETFL);

        CHECK_EQ(fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK), 0);
}

/* ---- a thread that makes the descriptor block again and again ---- */

/* An emulator runs one thread at a time, and keeps running a thread that never waits. */
static void let_others_run(void) {
        if (is_checked())
                usleep(100);
}

static int meddled_with[2];
static atomic_bool stop;

static void *meddle(void *arg) {
        (void) arg;
        while (!atomic_load(&stop)) {
                for (int i = 0; i < 2; i++)
                        if (meddled_with[i] >= 0)
                                set_blocking(meddled_with[i], true);
                let_others_run();
        }
        return NULL;
}

static pthread_t begin_meddling(int one, int other) {
        pthread_t thread;

        meddled_with[0] = one;
        meddled_with[1] = other;
        atomic_store(&stop, false);
        CHECK_EQ(pthread_create(&thread, NULL, meddle, NULL), 0);
        return thread;
}

static void end_meddling(pthread_t thread) {
        atomic_store(&stop, true);
        CHECK_EQ(pthread_join(thread, NULL), 0);
}

static ssize_t limited(ssize_t (*move)(belay_stream *, void *, size_t), belay_stream *stream,
                       size_t size) {
        belay_timeout limit;
        ssize_t rc;

        CHECK_EQ(belay_timeout_enter(&limit, 20 * BELAY_MILLISECOND), 0);
        rc = move(stream, data, size);
        if (rc < 0)
                return belay_timeout_leave(&limit, (int) rc);
        CHECK_EQ(belay_timeout_leave(&limit, 0), 0);
        return rc;
}

static ssize_t read_it(belay_stream *stream, void *buffer, size_t size) {
        return belay_read(stream, buffer, size);
}

static ssize_t write_it(belay_stream *stream, void *buffer, size_t size) {
        return belay_write(stream, buffer, size);
}

/* ---- each kind ---- */

enum way { BELAYS_OWN, GIVEN_BLOCKING, GIVEN_NOT_BLOCKING, WAYS };

static void open_way(enum kind kind, enum way way, belay_stream *ends[2]) {
        int fds[2], both[2];

        if (way == BELAYS_OWN) {
                open_ends(kind, ends);
                return;
        }
        if (kind == TERMINAL) {
                open_pty(fds, true);
        } else if (kind == PIPE) {
                CHECK_EQ(pipe2(both, O_CLOEXEC), 0);
                fds[0] = both[1];
                fds[1] = both[0];
        } else {
                CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        }
        for (int i = 0; i < 2; i++) {
                set_blocking(fds[i], way == GIVEN_BLOCKING);
                CHECK_EQ(belay_stream_open_fd(&ends[i], fds[i], NULL), 0);
        }
}

/*
 * There is nothing to read and no room to write, but neither call blocks in the kernel. All bytes
 * that are written arrive, whatever the flag is.
 */
static int meddling(void *arg) {
        (void) arg;
        for (int i = 0; i < WAYS * (KINDS - PAIR); i++) {
                enum kind kind = (enum kind)(PAIR + i / WAYS);
                struct once writer = { .data = data };
                belay_task *task;
                belay_stream *ends[2];
                static char got[MUCH];
                pthread_t thread;
                ssize_t size;

                printf("    %s, way %d\n", kind_names[kind], i % WAYS);
                open_way(kind, (enum way)(i % WAYS), ends);
                thread = begin_meddling(belay_stream_fd(ends[0]), belay_stream_fd(ends[1]));
                for (int again = 0; again < 3; again++) {
                        CHECK_EQ(limited(read_it, ends[1], 10), -ETIMEDOUT);
                        if (kind != PIPE)
                                CHECK_EQ(limited(read_it, ends[0], 10), -ETIMEDOUT);
                }
                size = limited(write_it, ends[0], MUCH);
                CHECK(size > 0 && size < MUCH);
                CHECK_EQ(belay_mend(ends[0]), 0);
                CHECK_EQ(belay_read_exactly(ends[1], got, (size_t) size), size);
                CHECK(memcmp(got, data, (size_t) size) == 0);
                size = kind == TERMINAL ? 50000 : MUCH;
                writer.stream = ends[0];
                writer.size = (size_t) size;
                task = must(belay_spawn(write_once, &writer));
                CHECK_EQ(belay_read_exactly(ends[1], got, (size_t) size), size);
                CHECK(memcmp(got, data, (size_t) size) == 0);
                end_meddling(thread);
                join_task(task, 0);
                CHECK_EQ(writer.result, size);
                for (int end = 0; end < 2; end++)
                        CHECK_EQ(belay_close(ends[end], 0), 0);
        }
        return 0;
}

struct sender {
        belay_stream *stream;
        int file;
        int64_t result;
};

static int send_it(void *arg) {
        struct sender *self = arg;

        self->result = belay_send_file(self->stream, self->file, 0, 4 * MUCH);
        return 0;
}

/*
 * Sending a file does not block either, and no other thread ever sees the socket's flags changed.
 */
static atomic_bool saw_change;

static void *watch(void *arg) {
        int fd = *(int *) arg;

        while (!atomic_load(&stop)) {
                if (!blocks(fd))
                        atomic_store(&saw_change, true);
                let_others_run();
        }
        return NULL;
}

static int send_file(void *arg) {
        struct sender sender = { .file = memfd_create("file", MFD_CLOEXEC) };
        int fds[2];

        (void) arg;
        CHECK_EQ(write(sender.file, data, MUCH), MUCH);
        CHECK_EQ(ftruncate(sender.file, 4 * MUCH), 0);
        for (int meddles = 0; meddles < 2; meddles++) {
                pthread_t thread;
                belay_task *task;

                CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
                CHECK_EQ(belay_stream_open_fd(&sender.stream, fds[0], NULL), 0);
                if (meddles) {
                        thread = begin_meddling(fds[0], -1);
                } else {
                        atomic_store(&stop, false);
                        CHECK_EQ(pthread_create(&thread, NULL, watch, &fds[0]), 0);
                }
                task = must(belay_spawn(send_it, &sender));
                CHECK_EQ(belay_wait_fd(fds[1], BELAY_READABLE), BELAY_READABLE);
                CHECK_EQ(belay_sleep(10 * BELAY_MILLISECOND), 0);
                belay_cancel(task, NULL);
                CHECK_EQ(belay_join(task, NULL), 0);
                belay_release(task);
                CHECK(sender.result > 0 && sender.result < 4 * MUCH);
                CHECK(belay_is_cut(sender.stream));
                end_meddling(thread);
                CHECK(!atomic_load(&saw_change));
                CHECK(blocks(fds[0]));
                belay_abort(sender.stream);
                close(fds[1]);
        }
        close(sender.file);
        return 0;
}

/* ---- listeners ---- */

static int accept_all(void *arg) {
        belay_stream *stream;
        int rc;

        while ((rc = belay_accept(arg, &stream)) == 0)
                belay_abort(stream);
        return rc;
}

/* Another thread that blocks in accept(). It receives a connection of its own at the end. */
static atomic_uint taken;

static void *accept_elsewhere(void *arg) {
        int fd = *(int *) arg;

        while (!atomic_load(&stop)) {
                int connection = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

                atomic_fetch_add(&taken, 1);
                if (connection >= 0)
                        close(connection);
                else
                        let_others_run();
        }
        return NULL;
}

enum { MEDDLER = 1, ACCEPTOR = 2 };

static int handed_down(void *arg) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof(address);
        int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), copy;

        (void) arg;
        CHECK_EQ(bind(listening, (struct sockaddr *) &address, sizeof(address)), 0);
        CHECK_EQ(listen(listening, 100), 0);
        CHECK_EQ(getsockname(listening, (struct sockaddr *) &address, &length), 0);
        for (int others = 0; others <= (MEDDLER | ACCEPTOR); others++) {
                bool blocking = others != 0;
                belay_listener *listener;
                belay_task *task;
                pthread_t threads[2];

                /*
                 * With epoll, both threads together may leave a thread in accept(), as
                 * belay_listen_fd() documents.
                 */
                if (others == (MEDDLER | ACCEPTOR)
                    && strcmp(belay_loop_backend(NULL), "io_uring") != 0)
                        continue;
                set_blocking(listening, blocking);
                copy = dup(listening);
                CHECK_EQ(belay_listen_fd(&listener, copy), 0);
                task = must(belay_spawn(accept_all, listener));
                let_run();
                atomic_store(&stop, false);
                if (others & MEDDLER)
                        threads[0] = begin_meddling(listening, -1);
                if (others & ACCEPTOR)
                        CHECK_EQ(pthread_create(&threads[1], NULL, accept_elsewhere, &listening),
                                 0);
                for (int i = 0; i < 100; i++) {
                        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

                        CHECK_EQ(connect(fd, (struct sockaddr *) &address, length), 0);
                        /* If the loop's thread blocked in accept(), this sleep would never end. */
                        CHECK_EQ(belay_sleep(100 * BELAY_MICROSECOND), 0);
                        close(fd);
                }
                belay_cancel(task, NULL);
                join_task(task, -ECANCELED);
                belay_listener_close(listener);
                atomic_store(&stop, true);
                if (others & MEDDLER)
                        end_meddling(threads[0]);
                if (others & ACCEPTOR) {
                        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

                        CHECK_EQ(connect(fd, (struct sockaddr *) &address, length), 0);
                        CHECK_EQ(pthread_join(threads[1], NULL), 0);
                        close(fd);
                }
                CHECK(blocks(listening) == blocking);
        }
        close(listening);
        return 0;
}

/*
 * The descriptor blocks again after the listener is closed, and after a listener could not be made.
 */
static int restored(void *arg) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), copy = dup(listening);
        belay_listener *listener;

        (void) arg;
        CHECK_EQ(bind(listening, (struct sockaddr *) &address, sizeof(address)), 0);
        CHECK_EQ(listen(listening, 1), 0);
        CHECK_EQ(belay_listen_fd(&listener, copy), 0);
        belay_listener_close(listener);
        CHECK(blocks(listening));
        close(listening);
        return 0;
}

static void all(void) {
        printf("%s\n", getenv("BELAY_BACKEND"));
        CHECK_EQ(belay_run(meddling, NULL), 0);
        CHECK_EQ(belay_run(send_file, NULL), 0);
        CHECK_EQ(belay_run(handed_down, NULL), 0);
        CHECK_EQ(belay_run(restored, NULL), 0);
}

int main(void) {
        fill(data, MUCH, 0);
        on_back_ends(all);
        return 0;
}
