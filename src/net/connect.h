/* SPDX-License-Identifier: MIT */
/*
 * Connecting to addresses.
 */
#ifndef BLY_CONNECT_H
#define BLY_CONNECT_H

#include <belay/net.h>

#include "io/io.h"

/* What all attempts have in common. */
struct bly_connect {
        struct bly_io *io;
        const char *place;
        const char *endpoint;           /* as the program has it; NULL: it gave an address, one */
        const char *local;              /* likewise; NULL: the system chooses */
        belay_address *locals;          /* to connect from, one of the same family */
        size_t local_count;             /* 0: the system chooses */
        belay_time stagger;
        bool nagle;
};

/* To one address, by the calling task. 0 with the stream, or a negative errno. */
int bly_connect_one(const struct bly_connect *how, const belay_address *address, belay_stream **stream);

/* To the first of several that answers (happy_eyeballs.c). */
int bly_connect_any(const struct bly_connect *how, const belay_address *addresses, size_t count,
                    belay_stream **stream);

#endif
