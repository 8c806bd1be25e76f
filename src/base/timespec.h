/* SPDX-License-Identifier: MIT */
/*
 * Spans in the forms that the kernel and the C library take.
 */
#ifndef BLY_TIMESPEC_H
#define BLY_TIMESPEC_H

#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/base.h"

/*
 * Older headers do not define the number, and the kernel may know the call nevertheless. Some
 * architectures number their calls differently, and there the call is not used.
 */
#ifndef SYS_epoll_pwait2
#if defined(__alpha__) || defined(__mips__) || (defined(__x86_64__) && defined(__ILP32__))
#define SYS_epoll_pwait2 (-1)
#else
#define SYS_epoll_pwait2 441
#endif
#endif

/* The kernel's own struct. It has 64 bits for seconds, while `struct timespec` may have 32. */
struct bly_kernel_time {
        int64_t seconds, nanoseconds;
};

static inline struct bly_kernel_time bly_kernel_time(belay_time span) {
        return (struct bly_kernel_time) { span / BELAY_SECOND, span % BELAY_SECOND };
}

/*
 * A time_t of 32 bits ends after 68 years. A wait that ends then finds its deadline still ahead,
 * and goes on.
 */
static inline struct timespec bly_timespec(belay_time span) {
        belay_time seconds = span / BELAY_SECOND;

        if (sizeof(time_t) < sizeof(belay_time) && seconds > INT32_MAX)
                seconds = INT32_MAX;
        return (struct timespec) { .tv_sec = (time_t) seconds,
                                   .tv_nsec = (long) (span % BELAY_SECOND) };
}

#endif
