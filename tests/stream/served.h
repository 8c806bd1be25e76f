/* SPDX-License-Identifier: MIT */
/*
 * Copies between sockets that the loop itself continues while their tasks sleep, as it does with
 * epoll in real time.
 *
 * The bytes written to one stream arrive at another, are copied, and are read. The connections are
 * TCP or socket pairs, and a copy goes back to its source or on to a third stream.
 */
#ifndef BELAY_TESTS_SERVED_H
#define BELAY_TESTS_SERVED_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "stream/streams.h"

enum { PIECE = 64 * 1024, MUCH = 6 * PIECE };

/* ---- ways ---- */

enum shape { TCP_BACK, TCP_ON, PAIR_BACK, PAIR_ON, SHAPES };

/*
 * The bytes written to `in` arrive at `from`, are copied to `to`, and are read from `out`. In the
 * shapes ..._BACK, from == to and in == out.
 */
struct way {
        belay_stream *in, *from, *to, *out;
};

static inline void make_sockets(bool tcp, int fds[2]) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof(address);
        int listener;

        if (!tcp) {
                CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
                return;
        }
        listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(listener >= 0 && fds[0] >= 0);
        CHECK_EQ(bind(listener, (struct sockaddr *) &address, sizeof(address)), 0);
        CHECK_EQ(listen(listener, 1), 0);
        CHECK_EQ(getsockname(listener, (struct sockaddr *) &address, &length), 0);
        CHECK_EQ(connect(fds[0], (struct sockaddr *) &address, sizeof(address)), 0);
        fds[1] = accept(listener, NULL, NULL);
        CHECK(fds[1] >= 0);
        close(listener);
}

static inline void open_two(bool tcp, belay_stream **one, belay_stream **other) {
        int fds[2];

        make_sockets(tcp, fds);
        CHECK_EQ(belay_stream_open_fd(one, fds[0], NULL), 0);
        CHECK_EQ(belay_stream_open_fd(other, fds[1], NULL), 0);
}

static inline struct way open_way(enum shape shape) {
        struct way way;

        open_two(shape < PAIR_BACK, &way.in, &way.from);
        way.to = way.from;
        way.out = way.in;
        if (shape == TCP_ON || shape == PAIR_ON)
                open_two(shape < PAIR_BACK, &way.to, &way.out);
        return way;
}

static inline void close_way(const struct way *way) {
        if (way->to != way->from)
                belay_abort(way->to);
        if (way->out != way->in)
                belay_abort(way->out);
        belay_abort(way->in);
        belay_abort(way->from);
}

/* Passes all bytes, whichever tasks have to run for that. */
static inline void pass(const struct way *way, size_t size, uint64_t from) {
        static char data[MUCH], buffer[MUCH];
        struct once writer = { .stream = way->in, .data = data, .size = size };
        belay_task *task;

        fill(data, size, from);
        task = must(belay_spawn(write_once, &writer));
        CHECK_EQ(belay_read_exactly(way->out, buffer, size), size);
        CHECK(is_filled(buffer, size, from));
        join_task(task, 0);
        CHECK_EQ(writer.result, size);
}

/* ---- copies ---- */

struct copy {
        belay_stream *to, *from;
        int64_t most, copied;
        int rc, next; /* result of the copy, and of the wait after it */
        belay_task *task;
};

static inline int copy(void *arg) {
        struct copy *self = arg;

        self->rc = belay_copy(self->to, self->from, self->most, &self->copied);
        self->next = belay_sleep(0);
        return 0;
}

/* Waits long enough for everything in progress. */
static inline void settle(void) {
        CHECK_EQ(belay_sleep(5 * BELAY_MILLISECOND), 0);
}

static inline void start(struct copy *self, const struct way *way, int64_t most) {
        *self = (struct copy) {
                .to = way->to, .from = way->from, .most = most, .copied = -1, .rc = 1
        };
        self->task = must(belay_spawn(copy, self));
}

/*
 * Returns since when the task sleeps in its copy. If the task was awake meanwhile, this is another
 * instant.
 */
static inline belay_time asleep_since(const struct copy *self) {
        belay_wait_info info = BELAY_WAIT_INFO_INIT;

        belay_waiting(self->task, &info);
        CHECK_STR(info.what, "descriptor");
        CHECK(strncmp(info.on, "copy fd ", 8) == 0);
        return info.since;
}

static inline belay_time start_and_sleep(struct copy *self, const struct way *way, int64_t most) {
        start(self, way, most);
        let_run();
        return asleep_since(self);
}

static inline void ends(struct copy *self, int rc, int64_t copied) {
        join_task(self->task, 0);
        CHECK_EQ(self->rc, rc);
        CHECK_EQ(self->copied, copied);
}

/* Checks that the bytes arrived here, and in order. */
static inline void is_at(belay_stream *from, size_t size, uint64_t place) {
        char buffer[1000];

        CHECK_EQ(belay_read_exactly(from, buffer, size), size);
        CHECK(is_filled(buffer, size, place));
}

static inline void put(const struct way *way, size_t size, uint64_t place) {
        char data[1000];

        fill(data, size, place);
        CHECK_EQ(belay_write(way->in, data, size), size);
}

static inline int random_below(int bound) {
        static uint64_t state = 20261121;

        state = state * 6364136223846793005 + 1442695040888963407;
        return (int) ((state >> 33) % (uint64_t) bound);
}

/*
 * Runs `fn` without signal handlers. A signal may end any wait, so the loop reports no deadlock
 * while it handles signals.
 */
static inline void run_served(belay_fn *fn) {
        struct rlimit files;

        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
        if (files.rlim_cur < 1024 && files.rlim_max >= 1024) {
                files.rlim_cur = 1024;
                CHECK_EQ(setrlimit(RLIMIT_NOFILE, &files), 0);
        }
        CHECK_EQ(belay_run_with(fn, NULL,
                                BELAY_OPTIONS(belay_loop_options, .backend = BELAY_BACKEND_EPOLL,
                                              .no_signals = true)),
                 0);
}

#endif
