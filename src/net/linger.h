/* SPDX-License-Identifier: MIT */
/*
 * Connections that are closed in good order after their handlers returned. Each does so in its own task and waits for
 * the other side to end, so there is a bound on how many do: beyond it the one that has lingered for longest ends.
 */
#ifndef BLY_LINGER_H
#define BLY_LINGER_H

#include "net/net.h"

struct bly_linger {
        struct bly_link all;            /* struct lingering; the oldest first */
        size_t count;
        size_t most;
        belay_time limit;               /* for each of them */
        const char *place;
};

static inline void bly_linger_init(struct bly_linger *linger, size_t most, belay_time limit, const char *place) {
        *linger = (struct bly_linger) { .most = most, .limit = limit, .place = place };
        bly_list_init(&linger->all);
}

/* Closes a connection in good order, by the calling task. It waits at most for the limit. NULL: nothing is to be closed. */
void bly_linger(struct bly_linger *linger, belay_stream *stream);

/* Ends the oldest: it is closed as soon as its task runs. False if none lingers. */
bool bly_linger_end_oldest(struct bly_linger *linger);

#endif
