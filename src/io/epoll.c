/* SPDX-License-Identifier: MIT */
/*
 * The epoll back end.
 *
 * It registers an owned descriptor once, edge-triggered. A wait then needs no system call, and
 * fd->ready keeps events that come while no task waits. It arms any other descriptor for each wait
 * separately (EPOLLONESHOT), so that a descriptor that the program closes does no harm.
 *
 * Each event carries a generation. A file may stay open in another process after this process
 * closed its descriptor, and epoll then still reports its events. The generation keeps them apart
 * from events of the next descriptor with the same number.
 */
#define _GNU_SOURCE
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <poll.h>
#include <unistd.h>

#include "base/timespec.h"
#include "io/io.h"
#include "io/poll_bits.h"

enum { EVENTS_AT_ONCE = 64 };

#define WAKE_FD UINT64_MAX

struct epoll {
        int fd;
        struct epoll_event events[EVENTS_AT_ONCE];
};

static int epoll_open(struct bly_io *io) {
        struct epoll_event event = { .events = EPOLLIN, .data.u64 = WAKE_FD };
        struct epoll *state = bly_alloc(sizeof(*state));
        int rc;

        if (state == NULL)
                return -ENOMEM;
        state->fd = epoll_create1(EPOLL_CLOEXEC);
        if (state->fd < 0
            || epoll_ctl(state->fd, EPOLL_CTL_ADD, io->loop->inbox->wake_fd, &event) < 0) {
                rc = -errno;
                if (state->fd >= 0)
                        close(state->fd);
                bly_free(state);
                return rc;
        }
        io->state = state;
        return 0;
}

static void epoll_close(struct bly_io *io) {
        struct epoll *state = io->state;

        close(state->fd);
        bly_free(state);
}

static int epoll_descriptor(struct bly_io *io) {
        return ((struct epoll *) io->state)->fd;
}

/* ---- registering ---- */

static int control(struct bly_io *io, struct bly_fd *fd, struct epoll_event *event, bool same) {
        const struct epoll *state = io->state;
        int first = fd->registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

        if (unlikely(same && !fd->registered))
                return -EBADF;
        if (epoll_ctl(state->fd, first, fd->fd, event) == 0)
                return 0;
        /* The registered descriptor was closed. Its file may still be open elsewhere. */
        if (same && errno == ENOENT)
                return -EBADF;
        /*
         * ENOENT: the descriptor was closed after its registration. EEXIST: epoll knows this file
         * under this number already, because a copy of the descriptor kept the file open.
         */
        if (errno == ENOENT || errno == EEXIST) {
                if (epoll_ctl(state->fd, first == EPOLL_CTL_MOD ? EPOLL_CTL_ADD : EPOLL_CTL_MOD,
                              fd->fd, event)
                    == 0)
                        return 0;
        }
        return -errno;
}

static int epoll_watch(struct bly_io *io, struct bly_fd *fd, bool same) {
        unsigned wanted = bly_fd_wanted(fd);
        struct epoll_event event;
        int rc;

        if (fd->owned)
                wanted |= fd->armed;
        else
                fd->generation++;
        event.events = bly_poll_of(wanted) | (fd->owned ? (unsigned) EPOLLPRI : 0)
                       | (fd->owned ? (unsigned) EPOLLET : (unsigned) EPOLLONESHOT);
        event.data.u64 = (uint64_t) fd->generation << 32 | (uint32_t) fd->fd;
        rc = control(io, fd, &event, same);
        if (unlikely(rc == -EBADF)) {
                fd->generation++;
                fd->registered = false;
                fd->armed = 0;
        }
        if (rc < 0)
                return rc;
        fd->registered = true;
        fd->armed = (uint8_t) wanted;
        return 0;
}

static void epoll_unwatch(struct bly_io *io, struct bly_fd *fd, bool closing) {
        if (!closing && fd->registered)
                epoll_ctl(((struct epoll *) io->state)->fd, EPOLL_CTL_DEL, fd->fd, NULL);
}

/* ---- waiting ---- */

static unsigned events_of(const struct bly_fd *fd, unsigned bits) {
        unsigned events = bly_events_of(bits);

        if (unlikely(bits & EPOLLPRI) && fd->owned)
                events |= BLY_GONE;
        return events;
}

static inline struct bly_fd *fd_of(const struct bly_io *io, const struct epoll_event *event) {
        uint32_t number = (uint32_t) event->data.u64;

        return &io->pages[number / BLY_FD_PAGE][number % BLY_FD_PAGE];
}

/*
 * With many descriptors, their table entries are cold in the cache. While the loop dispatches one
 * event, it prefetches the entry for the event 8 places ahead. It also prefetches the record of the
 * waiting task for the event 4 places ahead.
 */
static inline void prefetch_after(const struct bly_io *io, const struct epoll_event *event,
                                  const struct epoll_event *end) {
        enum { TASK = 4, DESCRIPTOR = 8 };

        if (end - event > DESCRIPTOR && event[DESCRIPTOR].data.u64 != WAKE_FD)
                __builtin_prefetch(fd_of(io, event + DESCRIPTOR), 1);
        if (end - event > TASK && event[TASK].data.u64 != WAKE_FD)
                __builtin_prefetch(fd_of(io, event + TASK)->waiter, 1);
}

static void handle(struct bly_io *io, const struct epoll_event *event) {
        struct bly_fd *fd;

        if (event->data.u64 == WAKE_FD) {
                bly_request_attention(io->loop);
                return;
        }
        fd = fd_of(io, event);
        if (likely(fd->generation == event->data.u64 >> 32))
                bly_fd_happened(io, fd, events_of(fd, event->events));
}

static int wait_exactly(struct epoll *state, belay_time span) {
        static bool has_no_pwait2;
        struct bly_kernel_time timeout = bly_kernel_time(span);
        struct pollfd pollfd = { .fd = state->fd, .events = POLLIN };
        struct timespec rounded;
        int count;

        /* Valgrind does not know epoll_pwait2() either, and prints a warning if it is called. */
        if (!__atomic_load_n(&has_no_pwait2, __ATOMIC_RELAXED)
            && likely(!(bly_tools & BLY_TOOL_VALGRIND))) {
                count = (int) syscall(SYS_epoll_pwait2, state->fd, state->events, EVENTS_AT_ONCE,
                                      &timeout, NULL, 8);
                if (count >= 0 || errno != ENOSYS)
                        return count;
                __atomic_store_n(&has_no_pwait2, true, __ATOMIC_RELAXED);
        }
        rounded = bly_timespec(span);
        count = ppoll(&pollfd, 1, &rounded, NULL);
        return count > 0 ? epoll_wait(state->fd, state->events, EVENTS_AT_ONCE, 0) : count;
}

static void epoll_wait_(struct bly_io *io, belay_time span) {
        struct epoll *state = io->state;
        int count;

        if (span == 0 || span == BELAY_NEVER)
                count = epoll_wait(state->fd, state->events, EVENTS_AT_ONCE, span == 0 ? 0 : -1);
        else
                count = wait_exactly(state, span);
        for (int i = 0; i < count; i++) {
                prefetch_after(io, &state->events[i], &state->events[count]);
                handle(io, &state->events[i]);
        }
}

const struct bly_backend bly_epoll_backend = {
        .name = "epoll",
        .open = epoll_open,
        .close = epoll_close,
        .wait = epoll_wait_,
        .descriptor = epoll_descriptor,
        .watch = epoll_watch,
        .unwatch = epoll_unwatch,
};
