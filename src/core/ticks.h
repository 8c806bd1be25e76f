/* SPDX-License-Identifier: MIT */
/*
 * Ticks: the processor's own counter, which replaces the clock between two readings of it.
 *
 * Reading the clock is most of the cost of entering a timeout. For 1 ms after a reading, the
 * counter gives the time for a third of that cost. The error is below a microsecond. The counter is
 * used only if the kernel's clock is based on it, which shows that the kernel trusts it.
 */
#ifndef BLY_TICKS_H
#define BLY_TICKS_H

#include "base/base.h"

struct bly_ticks {
        uint64_t at;       /* counter at the latest reading of the clock */
        belay_time when;   /* clock at that reading */
        uint64_t valid;    /* ticks for which the reading stays valid; 0 if it is not */
        uint64_t scale;    /* nanoseconds per tick, times 2^32 */
        uint64_t first_at; /* counter at the first reading, from which the scale is measured */
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

/*
 * Returns whether the counter can be trusted. The process finds out once, or again later if no
 * descriptor was free.
 */
bool bly_ticks_trusted(void);

/* Reads the clock and, if it is trusted, the counter. Returns the clock's time. */
belay_time bly_ticks_read(struct bly_ticks *ticks);

#endif
