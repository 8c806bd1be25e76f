/* SPDX-License-Identifier: MIT */
/*
 * The clock.
 */
#include <time.h>

#include "task/loop.h"

belay_time bly_clock(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (belay_time) now.tv_sec * BELAY_SECOND + now.tv_nsec;
}

belay_time belay_now(void) {
        return bly_loop != NULL ? bly_now(bly_loop) : bly_clock();
}

belay_time belay_loop_now(const belay_loop *loop) {
        return bly_now(loop);
}
