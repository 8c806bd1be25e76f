/* SPDX-License-Identifier: MIT */
/*
 * Unix sockets whose other side has no room: the system then says "not now", but never when. So it is tried again
 * after a while, which grows from one millisecond to some thirty.
 */
#ifndef BLY_PAUSE_H
#define BLY_PAUSE_H

#include "base/base.h"

#include <belay/places.h>
#include <belay/task.h>

enum { BLY_PAUSES_GROW = 5 };

/* Before the next try; *tries is 0 before the first. As belay_sleep(). */
static inline int bly_pause(unsigned *tries, const char *place) {
        belay_time span = BELAY_MILLISECOND << *tries;

        if (*tries < BLY_PAUSES_GROW)
                ++*tries;
        return belay_sleep_placed(place, span);
}

#endif
