/* SPDX-License-Identifier: MIT */
/*
 * A host loop that uses poll(), for tests. It knows one descriptor and one function of belay, and
 * counts its calls of that function.
 */
#ifndef BELAY_TESTS_EMBED_H
#define BELAY_TESTS_EMBED_H

#include <poll.h>

#include "../base/help.h"

struct host {
        belay_loop *loop;
        unsigned dispatches;
        int rc; /* result of the latest dispatch */
};

static inline void host_start(struct host *host, belay_backend backend, belay_fn *fn, void *arg) {
        *host = (struct host) { .loop = belay_loop_new(
                                        BELAY_OPTIONS(belay_loop_options, .backend = backend)) };
        CHECK(host->loop != NULL);
        /* An errno that is set already is no failure. */
        errno = EIO;
        CHECK_EQ(belay_loop_start(host->loop, fn, arg), 0);
        CHECK(belay_loop_fd(host->loop) >= 0);
}

/*
 * Waits until the descriptor is readable, for `wait` milliseconds at most, or without a limit if
 * `wait` is -1. A test that hangs is killed from outside.
 */
static inline bool host_readable(struct host *host, int wait) {
        struct pollfd pollfd = { .fd = belay_loop_fd(host->loop), .events = POLLIN };
        int count = poll(&pollfd, 1, wait);

        CHECK(count >= 0);
        CHECK(count == 0 || pollfd.revents == POLLIN);
        return count == 1;
}

static inline void host_dispatch(struct host *host) {
        host->dispatches++;
        host->rc = belay_loop_dispatch(host->loop);
        CHECK(host->rc >= 0);
}

/* One turn of the host loop, which sleeps until there is something to do. */
static inline void host_turn(struct host *host) {
        CHECK(host_readable(host, -1));
        host_dispatch(host);
}

static inline void host_until(struct host *host, const bool *done) {
        while (!*done)
                host_turn(host);
}

static inline void host_until_main_ends(struct host *host) {
        do
                host_turn(host);
        while (host->rc > 0);
}

/*
 * Checks that the host loop sleeps, apart from events that the system reports late. Those may cause
 * a few dispatches, not an endless series.
 */
static inline void host_rests(struct host *host) {
        for (int i = 0; host_readable(host, 30); i++) {
                CHECK(i < 5);
                host_dispatch(host);
        }
}

/*
 * Dispatches until there is nothing to do at the moment. A loop that needs 20 dispatches for that
 * would never sleep.
 */
static inline void host_settle(struct host *host) {
        for (int i = 0; host_readable(host, 0); i++) {
                CHECK(i < 20);
                host_dispatch(host);
        }
}

static inline void host_close(struct host *host) {
        CHECK_EQ(belay_loop_close(host->loop), 0);
        CHECK(belay_loop_self() == NULL);
}

static inline int sleeps_for_ever(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_NEVER);
}

#define BOTH_BACKENDS(test) (test(BELAY_BACKEND_EPOLL), test(BELAY_BACKEND_IO_URING))

#endif
