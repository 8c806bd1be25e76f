/* SPDX-License-Identifier: MIT */
/*
 * Lookups with the system's getaddrinfo() while descriptors are short, as the first lookups of a
 * process. The errors must say nothing about the name, and later lookups must work.
 */
#define _GNU_SOURCE
#include "servers.h"

static const char *const endpoints[] = { "localhost:80", "127.0.0.1:http", ":http",
                                         "localhost:no-such-service" };

static const char *endpoint;
static unsigned more;

static int look_up(void) {
        belay_address *found;
        size_t count;
        int rc = belay_resolve(endpoint, SOCK_STREAM, &found, &count);

        belay_addresses_free(found, count);
        return rc;
}

static int look_up_twice(void *arg) {
        int first, second, later;

        (void) arg;
        begin_io();
        limit_descriptors(more);
        first = look_up();
        second = look_up();
        unlimit_descriptors();
        later = look_up();
        printf("%s with %u: %d, %d, later %d\n", endpoint, more, first, second, later);
        CHECK(first == -EMFILE || (more > 0 && first == later));
        CHECK(second == -EMFILE || (more > 0 && second == later));
        CHECK(later != -EMFILE);
        if (endpoint == endpoints[0])
                CHECK_EQ(later, 0);
        return 0;
}

static int run(void *arg) {
        return belay_run(look_up_twice, arg);
}

/* The C library needs a socket to determine the interface. */
static int scopes(void *arg) {
        (void) arg;
        begin_io();
        endpoint = "[fe80::1%no-such-one]:80";
        CHECK_EQ(look_up(), -EINVAL);
        limit_descriptors(0);
        CHECK_EQ(look_up(), -EMFILE);
        endpoint = "[fe80::1%1]:80";
        CHECK_EQ(look_up(), 0);
        unlimit_descriptors();
        return 0;
}

/*
 * If an address cannot be tried for lack of a descriptor, the call returns that error, whatever the
 * other addresses returned. A listener or socket is not opened for only some of its addresses.
 */
static int sockets(void *arg) {
        belay_datagrams *datagrams;
        belay_listener *listener;
        belay_stream *stream;

        (void) arg;
        begin_io();
        limit_descriptors(0);
        CHECK_EQ(belay_connect(&stream, "*:1", NULL), -EMFILE);
        CHECK_EQ(belay_connect(&stream, "127.0.0.1:1", NULL), -EMFILE);
        CHECK_EQ(belay_listen(&listener, "*:0", NULL), -EMFILE);
        CHECK_EQ(belay_datagrams_open(&datagrams, "*:0", NULL), -EMFILE);
        unlimit_descriptors();
        return 0;
}

int main(void) {
        struct child child;

        if (is_under_valgrind())
                SKIP("valgrind's descriptors are beyond the limit");
        for (size_t i = 0; i < sizeof(endpoints) / sizeof(endpoints[0]); i++)
                for (more = 0; more < 6; more++) {
                        endpoint = endpoints[i];
                        in_child(&child, run, NULL);
                        CHECK_CHILD(&child, 0);
                }
        CHECK_EQ(belay_run(scopes, NULL), 0);
        CHECK_EQ(belay_run(sockets, NULL), 0);
        return 0;
}
