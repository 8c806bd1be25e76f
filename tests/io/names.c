/* SPDX-License-Identifier: MIT */
/*
 * The names of addresses and descriptors, as reports, dumps and streams show them.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/un.h>

#include "descriptors.h"
#include "io/io.h"

/* ---- addresses ---- */

static void check_address(const void *address, size_t length, const char *expected) {
        char text[128];

        memset(text, '?', sizeof(text));
        CHECK(bly_address_text(address, (unsigned) length, text, sizeof(text)) == text);
        CHECK_STR(text, expected);
}

static void ipv4(void) {
        struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(8080) };
        char text[4] = "???";

        CHECK_EQ(inet_pton(AF_INET, "192.0.2.7", &address.sin_addr), 1);
        check_address(&address, sizeof(address), "192.0.2.7:8080");
        check_address(&address, sizeof(struct sockaddr_in6), "192.0.2.7:8080");
        check_address(&address, sizeof(address) - 1, "family 2");
        /* The text is cut, and a buffer of size 0 stays as it is. */
        CHECK(bly_address_text((struct sockaddr *) &address, sizeof(address), text, 0) == text);
        CHECK_EQ(text[0], '?');
        bly_address_text((struct sockaddr *) &address, sizeof(address), text, 1);
        CHECK_EQ(text[0], '\0');
        CHECK_EQ(text[1], '?');
        bly_address_text((struct sockaddr *) &address, sizeof(address), text, sizeof(text));
        CHECK_STR(text, "192");
}

static void ipv6(void) {
        static const struct {
                const char *address;
                uint32_t scope;
                const char *expected;
        } table[] = {
                { "2001:db8::1", 0, "[2001:db8::1]:8080" },
                { "fe80::1", 1, "[fe80::1%1]:8080" },
                { "fe80::1", UINT32_MAX, "[fe80::1%4294967295]:8080" },
                { "::ffff:192.0.2.7", 0, "192.0.2.7:8080" },
        };

        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
                struct sockaddr_in6 address = {
                        .sin6_family = AF_INET6,
                        .sin6_port = htons(8080),
                        .sin6_scope_id = table[i].scope,
                };

                CHECK_EQ(inet_pton(AF_INET6, table[i].address, &address.sin6_addr), 1);
                check_address(&address, sizeof(address), table[i].expected);
                check_address(&address, sizeof(address) - 1, "family 10");
        }
}

static void check_unix(const char *path, size_t used, const char *expected) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        /* Bytes beyond the length are no part of the address. */
        memset(address.sun_path, '#', sizeof(address.sun_path));
        memcpy(address.sun_path, path, used);
        check_address(&address, offsetof(struct sockaddr_un, sun_path) + used, expected);
}

static void unix_sockets(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        check_unix("", 0, "unix:");
        check_unix("/run/a", 6, "unix:/run/a");
        check_unix("/run/a", 7, "unix:/run/a");
        check_unix("a", 2, "unix:a");
        check_unix("\0abc", 4, "unix:@abc");
        check_unix("\0", 1, "unix:@");
        check_address(&address, 1, "family 1");
        address.sun_family = AF_NETLINK;
        check_address(&address, sizeof(address), "family 16");
}

/* ---- descriptors ---- */

static void check_name(int fd, const char *expected) {
        char text[128];

        CHECK(fd >= 0);
        errno = E2BIG;
        CHECK(bly_fd_name(fd, text, sizeof(text)) == text);
        CHECK_EQ(errno, E2BIG);
        CHECK_STR(text, expected);
}

static void check_name_and_close(int fd, const char *expected) {
        check_name(fd, expected);
        CHECK_EQ(close(fd), 0);
}

static void kinds(void) {
        char path[] = "/tmp/belay-test.XXXXXX", text[32];
        int ends[2], fd;

        open_pipe(ends);
        check_name(ends[0], "pipe");
        snprintf(text, sizeof(text), "read fd %d (pipe)", ends[0]);
        CHECK_STR(bly_fd_doing("read", ends[0]), text);
        close_both(ends);
        snprintf(text, sizeof(text), "fd %d", ends[0]);
        check_name(ends[0], text);
        fd = mkstemp(path);
        unlink(path);
        check_name_and_close(fd, "file");
        check_name_and_close(open("/dev/null", O_RDWR | O_CLOEXEC), "device");
        check_name_and_close(open("/", O_RDONLY | O_CLOEXEC), "descriptor");
        fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0)
                check_name_and_close(fd, "terminal");
}

static int bound(int type, struct sockaddr_in *own) {
        socklen_t length = sizeof(*own);
        int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

        *own = (struct sockaddr_in) { .sin_family = AF_INET,
                                      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        CHECK_EQ(bind(fd, (struct sockaddr *) own, length), 0);
        CHECK_EQ(getsockname(fd, (struct sockaddr *) own, &length), 0);
        return fd;
}

/* A connected socket has its peer's address, any other its own. */
static void internet_sockets(void) {
        static const struct {
                int type;
                const char *word;
        } types[] = { { SOCK_STREAM, "tcp" }, { SOCK_DGRAM, "udp" } };

        for (size_t i = 0; i < 2; i++) {
                struct sockaddr_in own, others;
                int fd = bound(types[i].type, &own), other = bound(types[i].type, &others);
                char text[64];

                snprintf(text, sizeof(text), "%s 127.0.0.1:%u", types[i].word, ntohs(own.sin_port));
                check_name(fd, text);
                if (types[i].type == SOCK_STREAM)
                        CHECK_EQ(listen(other, 1), 0);
                CHECK_EQ(connect(fd, (struct sockaddr *) &others, sizeof(others)), 0);
                snprintf(text, sizeof(text), "%s 127.0.0.1:%u", types[i].word,
                         ntohs(others.sin_port));
                check_name(fd, text);
                close(fd);
                close(other);
        }
}

/* The socket of an accepted connection has its own path, because its peer has no name. */
static void local_sockets(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int ends[2], listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd, accepted;
        char name[sizeof(address.sun_path) + 8];

        open_pair(ends);
        check_name(ends[0], "unix:");
        close_both(ends);
        snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/belay-test.names.%d",
                 (int) getpid());
        snprintf(name, sizeof(name), "unix:%s", address.sun_path);
        CHECK_EQ(bind(listener, (struct sockaddr *) &address, sizeof(address)), 0);
        CHECK_EQ(listen(listener, 1), 0);
        fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(connect(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        unlink(address.sun_path);
        check_name(accepted, name);
        check_name(listener, name);
        check_name(fd, name);
        close(fd);
        close(accepted);
        close(listener);
        fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
        if (fd >= 0)
                check_name_and_close(fd, "socket family 16");
}

int main(void) {
        ipv4();
        ipv6();
        unix_sockets();
        kinds();
        internet_sockets();
        local_sockets();
        return 0;
}
