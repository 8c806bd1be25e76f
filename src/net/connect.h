/* SPDX-License-Identifier: MIT */
/*
 * Connecting to addresses.
 */
#ifndef BLY_CONNECT_H
#define BLY_CONNECT_H

#include <belay/net.h>

#include "io/io.h"

/* The parameters of a connection that are the same for each address tried. */
struct bly_connect {
        struct bly_io *io;
        const char *place;     /* call site */
        const char *endpoint;  /* the program's text; NULL: it gave a single address */
        const char *local;     /* text of the local endpoint; NULL: the kernel chooses */
        belay_address *locals; /* addresses of `local`, to connect from */
        size_t local_count;    /* 0: the kernel chooses */
        belay_time stagger;    /* span between the starts of two attempts */
        bool nagle;
};

/*
 * Connects to one address in the calling task. Returns 0 with the stream in *stream, or a negative
 * errno.
 */
int bly_connect_one(const struct bly_connect *how, const belay_address *address,
                    belay_stream **stream);

/* Connects to the first of `count` addresses that answers (happy_eyeballs.c). */
int bly_connect_any(const struct bly_connect *how, const belay_address *addresses, size_t count,
                    belay_stream **stream);

#endif
