/* SPDX-License-Identifier: MIT */
/*
 * The text of an endpoint, taken apart.
 */
#ifndef BLY_ENDPOINT_H
#define BLY_ENDPOINT_H

#include <belay/net.h>

#include "base/base.h"

enum { BLY_HOST_MOST = 255, BLY_SERVICE_MOST = 63 };

struct bly_endpoint {
        size_t count;                   /* of addresses; 0: there is a name to be looked up */
        belay_address addresses[2];
        bool anywhere;                  /* it names no host */
        char host[BLY_HOST_MOST + 1];
        char service[BLY_SERVICE_MOST + 1];
        /* Of a text that is no endpoint: what was expected, and before which character, from 0. */
        const char *expected;
        size_t at;
};

/* 0, -EINVAL if it is no endpoint, or what the system is short of. `to_listen`: no host means every address, not this machine's own. */
int bly_endpoint_parse(struct bly_endpoint *endpoint, const char *text, int type, bool to_listen);

/* A text of the program's, for a failure's: cut, and without control characters. Returns `quoted`. */
enum { BLY_QUOTED = 128 };
const char *bly_endpoint_quote(char quoted[BLY_QUOTED], const char *text);

/* The addresses without a host, at a port: of IPv6 first, since one socket may then serve both families. */
void bly_endpoint_anywhere(struct bly_endpoint *endpoint, int type, bool to_listen, uint16_t port);

#endif
