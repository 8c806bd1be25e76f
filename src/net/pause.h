/* SPDX-License-Identifier: MIT */
/*
 * Pauses between tries on a Unix socket whose peer has no room.
 *
 * The kernel then fails with EAGAIN, and no event reports when there is room. So the task tries
 * again after a pause, which grows from 1 to 32 milliseconds.
 */
#ifndef BLY_PAUSE_H
#define BLY_PAUSE_H

#include "base/base.h"

#include <belay/places.h>
#include <belay/task.h>

enum { BLY_PAUSES_GROW = 5 };

/* Sleeps before the next try. *tries must be 0 before the first. Returns as belay_sleep(). */
static inline int bly_pause(unsigned *tries, const char *place) {
        belay_time span = BELAY_MILLISECOND << *tries;

        if (*tries < BLY_PAUSES_GROW)
                ++*tries;
        return belay_sleep_placed(place, span);
}

#endif
