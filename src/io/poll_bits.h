/* SPDX-License-Identifier: MIT */
/*
 * The events of descriptors as belay.h, poll() and epoll write them.
 *
 * A file that includes this header defines _GNU_SOURCE, for POLLRDHUP.
 */
#ifndef BLY_POLL_BITS_H
#define BLY_POLL_BITS_H

#include <poll.h>
#include <sys/epoll.h>

#include "io/io.h"

/*
 * poll() and epoll have the same bits, except that some architectures number POLLRDHUP and
 * EPOLLRDHUP differently. Each of the two ignores the bit of the other.
 */
enum { BLY_RDHUP = POLLRDHUP | EPOLLRDHUP };

/* Converts BELAY_READABLE... to the bits of poll() and epoll. */
static inline unsigned bly_poll_of(unsigned events) {
        return (events & BELAY_READABLE ? POLLIN | BLY_RDHUP : 0)
               | (events & BELAY_WRITABLE ? POLLOUT : 0) | (events & BELAY_PRIORITY ? POLLPRI : 0);
}

/* Converts the bits of poll() and epoll to BELAY_READABLE... and BLY_GONE. */
static inline unsigned bly_events_of(unsigned bits) {
        unsigned events = 0;

        if (bits & (POLLIN | BLY_RDHUP))
                events |= BELAY_READABLE;
        if (bits & POLLOUT)
                events |= BELAY_WRITABLE;
        if (bits & POLLPRI)
                events |= BELAY_PRIORITY;
        if (bits & (POLLERR | POLLHUP))
                events |= BELAY_READABLE | BELAY_WRITABLE | BELAY_PRIORITY;
        if (unlikely(bits & (POLLERR | POLLHUP | BLY_RDHUP)))
                events |= BLY_GONE;
        return events;
}

#endif
