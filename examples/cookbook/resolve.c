/* SPDX-License-Identifier: MIT */
/*
 * Look a name up, and connect to an address of a chosen family.
 */
#include <belay.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

/* ---- the recipe ---- */

/* Connects to the first address of the wanted family. *chosen gets its text. */
static int connect_by(const char *endpoint, int family, belay_stream **stream,
                      char chosen[BELAY_ADDRESS_TEXT]) {
        belay_address *addresses;
        size_t count;
        int rc = belay_resolve(endpoint, SOCK_STREAM, &addresses, &count);

        if (rc < 0)
                return rc;
        rc = -EAFNOSUPPORT;
        for (size_t i = 0; i < count; i++) {
                const struct sockaddr *address = (const struct sockaddr *) addresses[i].address;

                if (address->sa_family != family)
                        continue;
                belay_address_text(address, addresses[i].length, chosen, BELAY_ADDRESS_TEXT);
                rc = belay_connect_to(stream, address, addresses[i].length, NULL);
                if (rc == 0 || rc == -ECANCELED)
                        break;
        }
        belay_addresses_free(addresses, count);
        return rc;
}

/* ---- the check ---- */

static char directory[] = "/tmp/belay-cookbook-XXXXXX", endpoint[64];

static int app(void *arg) {
        char chosen[BELAY_ADDRESS_TEXT];
        belay_listener *listener;
        belay_stream *stream;

        (void) arg;
        check(belay_listen(&listener, endpoint, NULL) == 0);
        check(connect_by(endpoint, AF_UNIX, &stream, chosen) == 0 && strcmp(chosen, endpoint) == 0);
        belay_abort(stream);
        check(connect_by(endpoint, AF_INET6, &stream, chosen) == -EAFNOSUPPORT);
        check(connect_by("no endpoint", AF_INET, &stream, chosen) == -EINVAL);
        belay_listener_close(listener);
        check(connect_by(endpoint, AF_UNIX, &stream, chosen) == -ENOENT);
        return 0;
}

int main(void) {
        check(mkdtemp(directory) != NULL);
        snprintf(endpoint, sizeof(endpoint), "unix:%s/socket", directory);
        check(belay_run(app, NULL) == 0);
        check(rmdir(directory) == 0);
        return 0;
}
