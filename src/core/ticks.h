/* SPDX-License-Identifier: MIT */
/*
 * Ticks: the processor's own counter, between two readings of the clock.
 *
 * Reading the clock is most of what entering a time limit costs. For a millisecond after it was read, the counter tells how
 * much later it is for a third of that; the error is a few hundred nanoseconds at most. Only where the kernel's clock is
 * that same counter, and so trusts it.
 */
#ifndef BLY_TICKS_H
#define BLY_TICKS_H

#include "base/base.h"

struct bly_ticks {
        uint64_t at;            /* the counter when the clock was read last, ... */
        belay_time when;        /* ... and what the clock said */
        uint64_t valid;         /* so many ticks that stays good; 0: not at all */
        uint64_t scale;         /* nanoseconds a tick, times 2^32 */
        uint64_t first_at;      /* where the scale is measured from */
        belay_time first_when;
};

#if defined(__x86_64__)
static inline uint64_t bly_counter(void) {
        return __builtin_ia32_rdtsc();
}
#elif defined(__aarch64__)
static inline uint64_t bly_counter(void) {
        uint64_t count;

        __asm__ volatile("mrs %0, cntvct_el0" : "=r"(count));
        return count;
}
#else
static inline uint64_t bly_counter(void) {
        return 0;
}
#endif

/* Can the counter be trusted? Looks once in a process. */
bool bly_ticks_trusted(void);

/* Reads the clock, and takes the counter along. */
belay_time bly_ticks_read(struct bly_ticks *ticks);

#endif
