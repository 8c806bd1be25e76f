/* SPDX-License-Identifier: MIT */
/*
 * Endpoints: which part of a text is an address, a name, a port, a path.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/un.h>

#include "net/endpoint.h"

static void add(struct bly_endpoint *endpoint, int type, const void *address, size_t length) {
        belay_address *added = &endpoint->addresses[endpoint->count++];

        memset(added, 0, sizeof(*added));
        added->length = (socklen_t) length;
        added->type = type;
        memcpy(&added->address, address, length);
}

static void add_v4(struct bly_endpoint *endpoint, int type, struct in_addr address, uint16_t port) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = address };

        add(endpoint, type, &in, sizeof(in));
}

static void add_v6(struct bly_endpoint *endpoint, int type, struct in6_addr address, uint32_t scope, uint16_t port) {
        struct sockaddr_in6 in = {
                .sin6_family = AF_INET6,
                .sin6_port = htons(port),
                .sin6_addr = address,
                .sin6_scope_id = scope,
        };

        add(endpoint, type, &in, sizeof(in));
}

void bly_endpoint_anywhere(struct bly_endpoint *endpoint, int type, bool to_listen, uint16_t port) {
        struct in_addr v4 = { .s_addr = htonl(to_listen ? INADDR_ANY : INADDR_LOOPBACK) };

        add_v6(endpoint, type, to_listen ? in6addr_any : in6addr_loopback, 0, port);
        add_v4(endpoint, type, v4, port);
}

/* ---- Unix sockets ---- */

/* '@' stands for the byte 0 that an abstract name begins with; it has no end but its length. */
static int parse_unix(struct bly_endpoint *endpoint, const char *path, int type) {
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        size_t length = strlen(path);
        bool is_abstract = path[0] == '@';

        if (length <= (size_t) is_abstract || length >= sizeof(un.sun_path))
                return -EINVAL;
        memcpy(un.sun_path, path, length);
        if (is_abstract)
                un.sun_path[0] = '\0';
        add(endpoint, type, &un, offsetof(struct sockaddr_un, sun_path) + length + !is_abstract);
        return 0;
}

/* ---- hosts and ports ---- */

/* 0 with a port; 1 if it is a name; -EINVAL. */
static int parse_port(const char *text, uint16_t *port) {
        size_t length = strlen(text);
        unsigned long number;

        if (length == 0 || length > BLY_SERVICE_MOST || !isalnum((unsigned char) text[0]))
                return -EINVAL;
        if (strspn(text, "0123456789") != length)
                return strpbrk(text, " \t/[]") == NULL ? 1 : -EINVAL;
        number = strtoul(text, NULL, 10);
        *port = (uint16_t) number;
        return number <= UINT16_MAX ? 0 : -EINVAL;
}

/* Of an address that means something on one interface only. */
static int parse_scope(const char *text, uint32_t *scope) {
        char *end;
        unsigned long number;

        *scope = if_nametoindex(text);
        if (*scope != 0)
                return 0;
        if (!isdigit((unsigned char) text[0]))
                return -EINVAL;
        number = strtoul(text, &end, 10);
        *scope = (uint32_t) number;
        return *end == '\0' && number <= UINT32_MAX ? 0 : -EINVAL;
}

/* What stands between brackets, in endpoint->host. */
static int parse_v6(char *host, struct in6_addr *address, uint32_t *scope) {
        char *zone = strchr(host, '%');

        *scope = 0;
        if (zone != NULL) {
                *zone++ = '\0';
                if (parse_scope(zone, scope) < 0)
                        return -EINVAL;
        }
        return inet_pton(AF_INET6, host, address) == 1 ? 0 : -EINVAL;
}

/* 0 if the host is an address, or none; 1 if it is a name; -EINVAL. */
static int parse_host(struct bly_endpoint *endpoint, const char *text, size_t length, int type, uint16_t port) {
        struct in6_addr v6;
        struct in_addr v4;
        uint32_t scope;
        bool brackets = length >= 2 && text[0] == '[' && text[length - 1] == ']';

        if (brackets) {
                text++;
                length -= 2;
        }
        if (length > BLY_HOST_MOST)
                return -EINVAL;
        memcpy(endpoint->host, text, length);
        endpoint->host[length] = '\0';
        if (brackets) {
                if (parse_v6(endpoint->host, &v6, &scope) < 0)
                        return -EINVAL;
                memcpy(endpoint->host, text, length);
                add_v6(endpoint, type, v6, scope, port);
                return 0;
        }
        endpoint->anywhere = length == 0 || strcmp(endpoint->host, "*") == 0;
        if (endpoint->anywhere)
                return 0;
        if (inet_pton(AF_INET, endpoint->host, &v4) == 1) {
                add_v4(endpoint, type, v4, port);
                return 0;
        }
        return strpbrk(endpoint->host, " \t\r\n:/[]%*") == NULL ? 1 : -EINVAL;
}

int bly_endpoint_parse(struct bly_endpoint *endpoint, const char *text, int type, bool to_listen) {
        const char *colon;
        uint16_t port = 0;
        int service, host;

        endpoint->count = 0;
        endpoint->anywhere = false;
        if (text == NULL || (type != SOCK_STREAM && type != SOCK_DGRAM))
                return -EINVAL;
        if (strncmp(text, "unix:", 5) == 0)
                return parse_unix(endpoint, text + 5, type);
        colon = strrchr(text, ':');
        if (colon == NULL)
                return -EINVAL;
        service = parse_port(colon + 1, &port);
        if (service < 0)
                return -EINVAL;
        host = parse_host(endpoint, text, (size_t) (colon - text), type, port);
        if (host < 0)
                return -EINVAL;
        if (service == 0 && endpoint->anywhere)
                bly_endpoint_anywhere(endpoint, type, to_listen, port);
        if (service == 0 && host == 0)
                return 0;
        endpoint->count = 0;
        strcpy(endpoint->service, colon + 1);
        return 0;
}
