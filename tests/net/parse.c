/* SPDX-License-Identifier: MIT */
/*
 * The parser of endpoints: what it finds in a text, and at which character it expects what instead
 * of a text that is no endpoint.
 */
#define _GNU_SOURCE
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "base/help.h"
#include "net/endpoint.h"
#include "net/net.h"

static struct bly_endpoint endpoint;

static int parse(const char *text, bool to_listen) {
        /* The parser sets every member that counts. */
        memset(&endpoint, 0x55, sizeof(endpoint));
        return bly_endpoint_parse(&endpoint, text, SOCK_STREAM, to_listen);
}

/* ---- texts that are endpoints ---- */

static const char *address(size_t i) {
        static char text[BELAY_ADDRESS_TEXT];
        const belay_address *found = &endpoint.addresses[i];
        char rest[sizeof(found->address)] = { 0 };

        CHECK_EQ(found->type, SOCK_STREAM);
        CHECK(memcmp(found->address + found->length, rest, sizeof(rest) - found->length) == 0);
        return belay_address_text((const struct sockaddr *) &found->address, found->length, text,
                                  sizeof(text));
}

static void is_address(const char *text, const char *expected) {
        CHECK_EQ(parse(text, false), 0);
        CHECK_EQ(endpoint.count, 1);
        CHECK(!endpoint.anywhere);
        CHECK_STR(address(0), expected);
}

static void are_both(const char *text, bool to_listen, const char *one, const char *other) {
        CHECK_EQ(parse(text, to_listen), 0);
        CHECK_EQ(endpoint.count, 2);
        CHECK(endpoint.anywhere);
        CHECK_STR(address(0), one);
        CHECK_STR(address(1), other);
}

/* A name must be looked up: of the host, of the service, or of both. */
static void is_name(const char *text, const char *host, const char *service, bool anywhere) {
        CHECK_EQ(parse(text, false), 0);
        CHECK_EQ(endpoint.count, 0);
        CHECK_STR(endpoint.host, host);
        CHECK_STR(endpoint.service, service);
        CHECK_EQ(endpoint.anywhere, anywhere);
}

static void addresses(void) {
        is_address("192.0.2.7:0", "192.0.2.7:0");
        is_address("192.0.2.7:65535", "192.0.2.7:65535");
        is_address("192.0.2.7:0080", "192.0.2.7:80");
        is_address("[::]:80", "[::]:80");
        is_address("[2001:db8::7]:8080", "[2001:db8::7]:8080");
        CHECK_STR(endpoint.host, "2001:db8::7");
        is_address("[fe80::1%4294967295]:1", "[fe80::1%4294967295]:1");
        CHECK_STR(endpoint.host, "fe80::1%4294967295");
        is_address("[fe80::1%7]:1", "[fe80::1%7]:1");
        is_address("[fe80::1%10]:1", "[fe80::1%10]:1");
        is_address("unix:a", "unix:a");
        is_address("unix:/run/app", "unix:/run/app");
        is_address("unix:@a", "unix:@a");
}

static void names(void) {
        char text[512], host[BLY_HOST_MOST + 1], service[BLY_SERVICE_MOST + 1];

        are_both(":80", false, "[::1]:80", "127.0.0.1:80");
        are_both("*:80", false, "[::1]:80", "127.0.0.1:80");
        are_both(":80", true, "[::]:80", "0.0.0.0:80");
        is_name("example:80", "example", "80", false);
        is_name("x:80", "x", "80", false);
        is_name("example:http", "example", "http", false);
        is_name("192.0.2.7:http", "192.0.2.7", "http", false);
        is_name("[::1]:http", "::1", "http", false);
        is_name("*:http", "*", "http", true);
        is_name(":http", "", "http", true);
        is_name("example:x-1", "example", "x-1", false);
        is_name("example:1a", "example", "1a", false);
        memset(host, 'h', sizeof(host) - 1);
        host[sizeof(host) - 1] = '\0';
        memset(service, 's', sizeof(service) - 1);
        service[sizeof(service) - 1] = '\0';
        snprintf(text, sizeof(text), "%s:%s", host, service);
        is_name(text, host, service, false);
}

/* ---- other texts ---- */

static void expects(const char *text, size_t at, const char *expected) {
        CHECK_EQ(parse(text, false), -EINVAL);
        CHECK_EQ(endpoint.count, 0);
        CHECK_STR(endpoint.expected, expected);
        CHECK_EQ(endpoint.at, at);
}

static void refused(void) {
        static const char port[] = "a port or the name of a service",
                          pair[] = "HOST:PORT, or [IPv6 address]:PORT",
                          v6[] = "an IPv6 address between the brackets",
                          interface[] = "the name or the number of an interface";
        char text[512];

        expects(NULL, 0, "a text");
        expects("", 0, "HOST:PORT");
        expects("example", 7, "HOST:PORT");
        expects("unix", 4, "HOST:PORT");
        expects("example:", 8, port);
        expects("example:-1", 8, port);
        expects("example:a b", 9, port);
        expects("example:1/2", 9, port);
        expects("example:abc]", 11, port);
        expects("example:65536", 8, "a port of at most 65535");
        expects("a b:80", 1, pair);
        expects("abc%:80", 3, pair);
        expects("**:80", 0, pair);
        expects("]:80", 0, pair);
        expects("[:80", 0, pair);
        expects("::1:80", 0, pair);
        expects("[::1:80", 0, pair);
        expects("x::1]:80", 1, pair);
        expects("[]:80", 1, v6);
        expects("[x]:80", 1, v6);
        expects("[x%7]:80", 1, v6);
        expects("[fe80::1%]:80", 9, interface);
        expects("[fe80::1%7x]:80", 9, interface);
        expects("[fe80::1%-7]:80", 9, interface);
        expects("[fe80::1%4294967296]:80", 9, interface);
        expects("[fe80::1%a-name-of-16-byte]:80", 9, interface);
        expects("[fe80::1%a-name-of-15-byt]:80", 9, interface);
        expects("unix:", 5, "a path");
        expects("unix:@", 6, "a name");

        memset(text, 'x', sizeof(text));
        memcpy(text, "unix:", 5);
        text[5 + 107] = '\0';
        is_address(text, text);
        text[5 + 107] = 'x';
        text[5 + 108] = '\0';
        expects(text, 5 + 107, "a path of at most 107 bytes");
        text[5 + 108] = 'x';
        text[5 + 109] = '\0';
        expects(text, 5 + 107, "a path of at most 107 bytes");

        memset(text, 'x', sizeof(text));
        memcpy(text, "[fe80::1%", 9);
        strcpy(text + 240, "]:80");
        expects(text, 9, interface);

        memset(text, 'h', sizeof(text));
        strcpy(text + 256, ":80");
        expects(text, 0, "a host's name of at most 255 bytes");
        text[0] = '[';
        memset(text + 1, '1', 257);
        strcpy(text + 257, "]:80");
        expects(text, 1, "a host's name of at most 255 bytes");

        memset(text, '0', sizeof(text));
        memcpy(text, "h:", 2);
        text[2 + 63] = '\0';
        is_name(text, "h", text + 2, false);
        text[2 + 63] = '0';
        text[2 + 64] = '\0';
        expects(text, 2, "a port of at most 65535");
        text[2] = 's';
        expects(text, 2, "a service's name of at most 63 bytes");
        text[2 + 40] = '/';
        expects(text, 2 + 40, port);

        CHECK_EQ(bly_endpoint_parse(&endpoint, "h:80", SOCK_RAW, false), -EINVAL);
        CHECK_STR(endpoint.expected, "SOCK_STREAM or SOCK_DGRAM for its type");
        CHECK_EQ(endpoint.at, 0);
        CHECK_EQ(bly_endpoint_parse(&endpoint, "h:80", SOCK_DGRAM, false), 0);
}

/* The scope by the name of an interface. No descriptor stays open. */
static void interfaces(void) {
        unsigned loopback = if_nametoindex("lo");
        int lowest = dup(0);

        close(lowest);
        if (loopback == 0)
                return;
        CHECK_EQ(parse("[fe80::1%lo]:80", false), 0);
        CHECK_EQ(((struct sockaddr_in6 *) &endpoint.addresses[0].address)->sin6_scope_id, loopback);
        CHECK_STR(endpoint.host, "fe80::1%lo");
        CHECK_EQ(parse("[fe80::1%no]:80", false), -EINVAL);
        CHECK_EQ(dup(0), lowest);
        close(lowest);
}

/* ---- quoting ---- */

static void quoting(void) {
        char quoted[BLY_QUOTED + 8], text[300];

        CHECK(bly_endpoint_quote(quoted, "a\tb\nc d\x7f") == quoted);
        CHECK_STR(quoted, "a?b?c d?");
        CHECK_STR(bly_endpoint_quote(quoted, ""), "");
        CHECK_STR(bly_endpoint_quote(quoted, "\x01"), "?");
        for (size_t length = 100; length < 200; length++) {
                memset(text, 'x', length);
                text[length] = '\0';
                if (length >= BLY_QUOTED)
                        strcpy(text + BLY_QUOTED - 4, "...");
                memset(quoted, '#', sizeof(quoted));
                if (length < BLY_QUOTED) {
                        CHECK_STR(bly_endpoint_quote(quoted, text), text);
                } else {
                        char whole[300];

                        memset(whole, 'x', length);
                        whole[length] = '\0';
                        CHECK_STR(bly_endpoint_quote(quoted, whole), text);
                }
                CHECK_EQ(quoted[BLY_QUOTED], '#');
        }
}

int main(void) {
        addresses();
        names();
        refused();
        interfaces();
        quoting();
        return 0;
}
