/* SPDX-License-Identifier: MIT */
/*
 * belay_advance() lets virtual time pass while nothing else runs.
 */
#include "core/loop.h"

#include <belay/testing.h>

int belay_advance(belay_time span) {
        struct belay_loop *loop = bly_loop;

        if (loop == NULL || !loop->is_virtual || span < 0)
                return bly_misuse(-EPERM, NULL,
                                  "belay_advance() on a clock that is not virtual, or backwards");
        loop->now = bly_add_time(loop->now, span);
        return 0;
}
