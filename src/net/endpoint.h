/* SPDX-License-Identifier: MIT */
/*
 * Parsing the text of an endpoint.
 */
#ifndef BLY_ENDPOINT_H
#define BLY_ENDPOINT_H

#include <belay/net.h>

#include "base/base.h"

enum { BLY_HOST_MOST = 255, BLY_SERVICE_MOST = 63 };

struct bly_endpoint {
        size_t count; /* number of addresses; 0: a name must be looked up */
        belay_address addresses[2];
        bool anywhere; /* the text names no host */
        char host[BLY_HOST_MOST + 1];
        char service[BLY_SERVICE_MOST + 1];
        const char *expected; /* expected text, if the text is no endpoint */
        size_t at;            /* index of the character where it was expected */
};

/*
 * Parses the text of an endpoint. If `to_listen`, a missing host means every address of this
 * machine, otherwise its loopback address. Returns 0, -EINVAL if the text is no endpoint, or a
 * shortage of the system (see shortage.h).
 */
int bly_endpoint_parse(struct bly_endpoint *endpoint, const char *text, int type, bool to_listen);

/*
 * Copies a text for a failure's detail, truncated and without control characters. Returns `quoted`.
 */
enum { BLY_QUOTED = 128 };
const char *bly_endpoint_quote(char quoted[BLY_QUOTED], const char *text);

/*
 * Adds the addresses that a missing host means, with a port. The IPv6 address comes first, because
 * its socket can serve both families.
 */
void bly_endpoint_anywhere(struct bly_endpoint *endpoint, int type, bool to_listen, uint16_t port);

#endif
