/* SPDX-License-Identifier: MIT */
/*
 * Parsing endpoints: finding the address, name, port or path in a text.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/endpoint.h"
#include "net/shortage.h"

static void add(struct bly_endpoint *endpoint, int type, const void *address, size_t length) {
        belay_address *added = &endpoint->addresses[endpoint->count++];

        memset(added, 0, sizeof(*added));
        added->length = (socklen_t) length;
        added->type = type;
        memcpy(&added->address, address, length);
}

static void add_v4(struct bly_endpoint *endpoint, int type, struct in_addr address, uint16_t port) {
        struct sockaddr_in in = { .sin_family = AF_INET,
                                  .sin_port = htons(port),
                                  .sin_addr = address };

        add(endpoint, type, &in, sizeof(in));
}

static void add_v6(struct bly_endpoint *endpoint, int type, struct in6_addr address, uint32_t scope,
                   uint16_t port) {
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

const char *bly_endpoint_quote(char quoted[BLY_QUOTED], const char *text) {
        static const char more[] = "...";
        size_t length = strlen(text),
               kept = length < BLY_QUOTED ? length : BLY_QUOTED - sizeof(more);

        for (size_t i = 0; i < kept; i++)
                quoted[i] = iscntrl((unsigned char) text[i]) ? '?' : text[i];
        strcpy(quoted + kept, kept < length ? more : "");
        return quoted;
}

/* ---- texts that are no endpoints ---- */

struct parser {
        struct bly_endpoint *endpoint;
        const char *text;
        int type;
};

static int refuse(const struct parser *parser, const char *at, const char *expected) {
        parser->endpoint->at = (size_t) (at - parser->text);
        parser->endpoint->expected = expected;
        return -EINVAL;
}

/* ---- Unix sockets ---- */

/* '@' stands for the byte 0 at the start of an abstract name. No byte 0 ends such a name. */
static int parse_unix(const struct parser *parser, const char *path) {
        struct sockaddr_un un = { .sun_family = AF_UNIX };
        size_t length = strlen(path);
        bool is_abstract = path[0] == '@';

        if (length <= (size_t) is_abstract)
                return refuse(parser, path + length, is_abstract ? "a name" : "a path");
        if (length >= sizeof(un.sun_path))
                return refuse(parser, path + sizeof(un.sun_path) - 1,
                              "a path of at most 107 bytes");
        memcpy(un.sun_path, path, length);
        if (is_abstract)
                un.sun_path[0] = '\0';
        add(parser->endpoint, parser->type, &un,
            offsetof(struct sockaddr_un, sun_path) + length + !is_abstract);
        return 0;
}

/* ---- hosts and ports ---- */

/* Returns 0 with the port in *port, 1 if the text is the name of a service, or -EINVAL. */
static int parse_port(const struct parser *parser, const char *text, uint16_t *port) {
        static const char port_or_service[] = "a port or the name of a service";
        size_t length = strlen(text);
        const char *wrong;
        unsigned long number;

        if (!isalnum((unsigned char) text[0]))
                return refuse(parser, text, port_or_service);
        if (strspn(text, "0123456789") != length) {
                wrong = strpbrk(text, " \t/[]");
                if (wrong == NULL && length > BLY_SERVICE_MOST)
                        return refuse(parser, text, "a service's name of at most 63 bytes");
                return wrong == NULL ? 1 : refuse(parser, wrong, port_or_service);
        }
        number = strtoul(text, NULL, 10);
        *port = (uint16_t) number;
        return length <= BLY_SERVICE_MOST && number <= UINT16_MAX
                       ? 0
                       : refuse(parser, text, "a port of at most 65535");
}

/*
 * Finds the number of an interface. if_nametoindex() does not report a shortage of descriptors;
 * this function does. Returns 0, -EINVAL if no interface has the name, or the shortage.
 */
static int find_interface(const char *name, uint32_t *index) {
        struct ifreq request = { .ifr_ifindex = 0 };
        int fd, rc;

        if (name[0] == '\0' || strlen(name) >= sizeof(request.ifr_name))
                return -EINVAL;
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return bly_is_shortage(-errno) ? -errno : -EINVAL;
        strcpy(request.ifr_name, name);
        rc = ioctl(fd, SIOCGIFINDEX, &request) < 0 ? -EINVAL : 0;
        close(fd);
        *index = (uint32_t) request.ifr_ifindex;
        return rc;
}

/* Parses the scope of an address that is valid on one interface only: its name or its number. */
static int parse_scope(const char *text, uint32_t *scope) {
        int rc = find_interface(text, scope);
        unsigned long number;
        char *end;

        if (rc == 0 || !isdigit((unsigned char) text[0]))
                return rc;
        number = strtoul(text, &end, 10);
        *scope = (uint32_t) number;
        return *end == '\0' && number <= UINT32_MAX ? 0 : rc;
}

/* Parses the text between brackets. endpoint->host is a copy of it, and it begins at `text`. */
static int parse_v6(const struct parser *parser, const char *text, struct in6_addr *address,
                    uint32_t *scope) {
        char *host = parser->endpoint->host, *zone = strchr(host, '%');
        int rc = 0;

        *scope = 0;
        if (zone != NULL) {
                *zone++ = '\0';
                rc = parse_scope(zone, scope);
        }
        if (inet_pton(AF_INET6, host, address) != 1)
                return refuse(parser, text, "an IPv6 address between the brackets");
        return rc == -EINVAL ? refuse(parser, text + (zone - host),
                                      "the name or the number of an interface")
                             : rc;
}

static int parse_in_brackets(const struct parser *parser, const char *text, size_t length,
                             uint16_t port) {
        struct bly_endpoint *endpoint = parser->endpoint;
        struct in6_addr v6;
        uint32_t scope;
        int rc = parse_v6(parser, text, &v6, &scope);

        if (rc < 0)
                return rc;
        memcpy(endpoint->host, text, length);
        add_v6(endpoint, parser->type, v6, scope, port);
        return 0;
}

/* Returns 0 if the host is an address or missing, 1 if it is a name, or a negative errno. */
static int parse_host(const struct parser *parser, size_t length, uint16_t port) {
        struct bly_endpoint *endpoint = parser->endpoint;
        const char *text = parser->text, *wrong;
        struct in_addr v4;
        bool brackets = length >= 2 && text[0] == '[' && text[length - 1] == ']';

        if (brackets) {
                text++;
                length -= 2;
        }
        if (length > BLY_HOST_MOST)
                return refuse(parser, text, "a host's name of at most 255 bytes");
        memcpy(endpoint->host, text, length);
        endpoint->host[length] = '\0';
        if (brackets)
                return parse_in_brackets(parser, text, length, port);
        endpoint->anywhere = length == 0 || strcmp(endpoint->host, "*") == 0;
        if (endpoint->anywhere)
                return 0;
        if (inet_pton(AF_INET, endpoint->host, &v4) == 1) {
                add_v4(endpoint, parser->type, v4, port);
                return 0;
        }
        wrong = strpbrk(endpoint->host, " \t\r\n:/[]%*");
        return wrong == NULL ? 1
                             : refuse(parser, text + (wrong - endpoint->host),
                                      "HOST:PORT, or [IPv6 address]:PORT");
}

static int parse_host_and_port(const struct parser *parser, bool to_listen) {
        struct bly_endpoint *endpoint = parser->endpoint;
        const char *text = parser->text, *colon = strrchr(text, ':');
        uint16_t port = 0;
        int service, host;

        if (colon == NULL)
                return refuse(parser, text + strlen(text), "HOST:PORT");
        service = parse_port(parser, colon + 1, &port);
        if (service < 0)
                return service;
        host = parse_host(parser, (size_t) (colon - text), port);
        if (host < 0)
                return host;
        if (service == 0 && endpoint->anywhere)
                bly_endpoint_anywhere(endpoint, parser->type, to_listen, port);
        if (service == 0 && host == 0)
                return 0;
        endpoint->count = 0;
        strcpy(endpoint->service, colon + 1);
        return 0;
}

int bly_endpoint_parse(struct bly_endpoint *endpoint, const char *text, int type, bool to_listen) {
        struct parser parser = { endpoint, text != NULL ? text : "", type };

        endpoint->count = 0;
        endpoint->anywhere = false;
        if (text == NULL)
                return refuse(&parser, parser.text, "a text");
        if (type != SOCK_STREAM && type != SOCK_DGRAM)
                return refuse(&parser, text, "SOCK_STREAM or SOCK_DGRAM for its type");
        if (strncmp(text, "unix:", 5) == 0)
                return parse_unix(&parser, text + 5);
        return parse_host_and_port(&parser, to_listen);
}
