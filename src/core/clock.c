/* SPDX-License-Identifier: MIT */
/*
 * The clock, and the counter that replaces it between two readings.
 */
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "core/loop.h"

/*
 * The scale is measured over at least this span. Over a shorter one, the delay between reading the
 * clock and reading the counter would blur it.
 */
#define MEASURE_OVER (5 * BELAY_MILLISECOND)
#define GOOD_FOR     BELAY_MILLISECOND

belay_time bly_clock(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (belay_time) now.tv_sec * BELAY_SECOND + now.tv_nsec;
}

/*
 * Returns whether the kernel itself uses the counter as its clock. *could_ask is false if no
 * descriptor was free to find out.
 */
static bool kernel_trusts_it(bool *could_ask) {
        *could_ask = true;
#if defined(__x86_64__)
        static const char wanted[] = "tsc\n";
        char name[sizeof(wanted)] = "";
        int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
                      O_RDONLY | O_CLOEXEC);
        bool same;

        *could_ask = fd >= 0 || (errno != EMFILE && errno != ENFILE);
        same = fd >= 0 && read(fd, name, sizeof(name)) == sizeof(wanted) - 1
               && strcmp(name, wanted) == 0;

        if (fd >= 0)
                close(fd);
        return same;
#elif defined(__aarch64__)
        return true;
#else
        return false;
#endif
}

bool bly_ticks_trusted(void) {
        enum { UNKNOWN, YES, NO };
        static int known;
        int answer = __atomic_load_n(&known, __ATOMIC_RELAXED);

        if (answer == UNKNOWN) {
                bool could_ask;
                int saved = errno;

                answer = kernel_trusts_it(&could_ask) ? YES : NO;
                errno = saved;
                if (could_ask)
                        __atomic_store_n(&known, answer, __ATOMIC_RELAXED);
        }
        return answer == YES;
}

belay_time bly_ticks_read(struct bly_ticks *ticks) {
        belay_time now = bly_clock(), passed;

        if (!bly_ticks_trusted())
                return now;
        ticks->at = bly_counter();
        ticks->when = now;
        if (ticks->first_when == 0) {
                ticks->first_at = ticks->at;
                ticks->first_when = now;
        }
        passed = now - ticks->first_when;
        if (passed >= MEASURE_OVER && ticks->at > ticks->first_at) {
                double scale = (double) passed / (double) (ticks->at - ticks->first_at);

                ticks->scale = (uint64_t) (scale * 4294967296.0);
                ticks->valid = (uint64_t) ((double) GOOD_FOR / scale);
        }
        return now;
}

belay_time bly_now_slowly(struct belay_loop *loop) {
        return loop->is_virtual ? loop->now : bly_ticks_read(&loop->ticks);
}

belay_time belay_now(void) {
        return bly_loop != NULL ? belay_loop_now(bly_loop) : bly_clock();
}

/* A program gets the clock itself, which never goes back. */
belay_time belay_loop_now(const belay_loop *loop) {
        return loop->is_virtual ? loop->now : bly_clock();
}
