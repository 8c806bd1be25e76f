/* SPDX-License-Identifier: MIT */
/*
 * Connections that are closed in good order after their handlers returned (lingering connections).
 *
 * The task of each connection waits until its peer has ended too. At most `most` tasks wait. If
 * another connection comes, the one that has lingered longest is closed at once.
 */
#ifndef BLY_LINGER_H
#define BLY_LINGER_H

#include "net/net.h"

struct bly_linger {
        struct bly_link all; /* list of struct lingering, the oldest first */
        size_t count;
        size_t most;      /* greatest `count` */
        belay_time limit; /* longest wait for each */
        const char *place;
};

static inline void bly_linger_init(struct bly_linger *linger, size_t most, belay_time limit,
                                   const char *place) {
        *linger = (struct bly_linger) { .most = most, .limit = limit, .place = place };
        bly_list_init(&linger->all);
}

/*
 * Closes a connection in good order in the calling task, which waits at most for the limit. If
 * `stream` is NULL, the function does nothing.
 */
void bly_linger(struct bly_linger *linger, belay_stream *stream);

/* Has the oldest connection closed as soon as its task runs. Returns false if none lingers. */
bool bly_linger_end_oldest(struct bly_linger *linger);

#endif
