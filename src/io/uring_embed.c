/* SPDX-License-Identifier: MIT */
/*
 * The ring in a loop that a host loop drives, where the host loop waits for one descriptor.
 *
 * The ring's own descriptor does not serve for that. The kernel defers work until the loop's thread
 * enters it, and such work does not wake a host loop that already waits. The kernel does signal it
 * to an eventfd that is registered with the ring, except if a write to another eventfd caused it.
 *
 * The host loop therefore waits for an epoll instance. It contains the registered eventfd
 * (completion_fd), for operations. Descriptors are polled by the instance itself, each armed for
 * one event, as the ring would do.
 */
#define _GNU_SOURCE
#include "io/poll_bits.h"
#include "io/uring.h"

#ifdef BLY_HAVE_URING
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/timespec.h"

/* ---- arming ---- */

static int control(int outside, int how, int fd, unsigned events, uint64_t user_data) {
        struct epoll_event event = { .events = events, .data.u64 = user_data };

        return epoll_ctl(outside, how, fd, &event) < 0 ? -errno : 0;
}

int bly_uring_embed_arm(struct bly_uring *ring, struct bly_fd *fd, unsigned events, bool same) {
        unsigned bits = bly_poll_of(events) | (unsigned) EPOLLONESHOT;
        int rc = -EEXIST;

        fd->generation++;
        if (!same)
                rc = control(ring->outside, EPOLL_CTL_ADD, fd->fd, bits, bly_user_data_of(fd));
        /* The instance has it from an earlier arming, or because a copy keeps the file open. */
        if (rc == -EEXIST)
                rc = control(ring->outside, EPOLL_CTL_MOD, fd->fd, bits, bly_user_data_of(fd));
        if (rc == 0)
                fd->armed = (uint8_t) events;
        else if (same)
                fd->armed = 0;
        else
                fd->generation--;
        /* The descriptor that was armed before has been closed. */
        return same && rc == -ENOENT ? -EBADF : rc;
}

void bly_uring_embed_disarm(struct bly_uring *ring, struct bly_fd *fd) {
        control(ring->outside, EPOLL_CTL_DEL, fd->fd, 0, 0);
}

int bly_uring_embed_open(struct bly_io *io) {
        struct bly_uring *ring = io->state;
        int outside = epoll_create1(EPOLL_CLOEXEC), completion_fd, rc;

        if (outside < 0)
                return -errno;
        completion_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        rc = completion_fd < 0 ? -errno : io_uring_register_eventfd(&ring->queues, completion_fd);
        /* No code reads completion_fd. With EPOLLET, each write to it is an event. */
        if (rc == 0)
                rc = control(outside, EPOLL_CTL_ADD, completion_fd, EPOLLIN | (unsigned) EPOLLET,
                             bly_user_data(BLY_OF_NOBODY, 0, 0));
        if (rc == 0)
                rc = control(outside, EPOLL_CTL_ADD, io->loop->inbox->wake_fd, EPOLLIN,
                             bly_user_data(BLY_OF_WAKE_FD, 0, 0));
        if (rc < 0) {
                close(outside);
                if (completion_fd >= 0)
                        close(completion_fd);
                return rc;
        }
        ring->completion_fd = completion_fd;
        eventfd_write(completion_fd, 1);
        return outside;
}

/* ---- waiting ---- */

enum { EVENTS_AT_ONCE = 64, ROUNDS = 16 };

static void wait_outside(int outside, belay_time span) {
        struct timespec timeout = bly_timespec(span);
        struct pollfd pollfd = { .fd = outside, .events = POLLIN };

        ppoll(&pollfd, 1, span == BELAY_NEVER ? NULL : &timeout, NULL);
}

static void take_events(struct bly_io *io, int outside) {
        struct epoll_event events[EVENTS_AT_ONCE];
        int count = epoll_wait(outside, events, EVENTS_AT_ONCE, 0);

        for (int i = 0; i < count; i++) {
                uint64_t user_data = events[i].data.u64;

                if (bly_user_data_kind(user_data) == BLY_OF_DESCRIPTOR)
                        bly_uring_happened(io, user_data, (int) events[i].events);
                else if (bly_user_data_kind(user_data) == BLY_OF_WAKE_FD)
                        bly_request_attention(io->loop);
        }
}

void bly_uring_embed_signal(struct bly_uring *ring) {
        if (io_uring_cq_ready(&ring->queues) > 0 || bly_uring_has_more(ring))
                eventfd_write(ring->completion_fd, 1);
}

/*
 * completion_fd reports each completion once, so the loop must take all completions, in at most
 * ROUNDS rounds. The kernel also writes to completion_fd for the work that bly_uring_hand_in()
 * makes it run. That write must not wake the loop again, so take_events() comes after it. If
 * completions are left, bly_uring_embed_signal() writes to completion_fd.
 */
void bly_uring_embed_wait(struct bly_io *io, belay_time span) {
        struct bly_uring *ring = io->state;
        int round = 0;

        if (io_uring_sq_ready(&ring->queues) > 0)
                bly_uring_hand_in(ring);
        if (span != 0 && io_uring_cq_ready(&ring->queues) == 0 && !bly_uring_has_more(ring))
                wait_outside(ring->outside, span);
        do {
                if (bly_uring_has_more(ring))
                        bly_uring_hand_in(ring);
                take_events(io, ring->outside);
                bly_uring_take(ring, io);
        } while (bly_uring_has_more(ring) && ++round < ROUNDS);
        bly_uring_embed_signal(ring);
}

#endif
