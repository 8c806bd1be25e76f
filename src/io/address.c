/* SPDX-License-Identifier: MIT */
/*
 * Descriptions of descriptors and addresses for people, in dumps, reports and names of streams.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/io.h"

static void unix_text(const struct sockaddr_un *address, socklen_t length, char *text,
                      size_t size) {
        size_t used = length > offsetof(struct sockaddr_un, sun_path)
                              ? length - offsetof(struct sockaddr_un, sun_path)
                              : 0;

        if (used == 0)
                snprintf(text, size, "unix:");
        else if (address->sun_path[0] == '\0')
                snprintf(text, size, "unix:@%.*s", (int) used - 1, address->sun_path + 1);
        else
                snprintf(text, size, "unix:%.*s", (int) strnlen(address->sun_path, used),
                         address->sun_path);
}

char *bly_address_text(const struct sockaddr *address, socklen_t length, char *text, size_t size) {
        char host[INET6_ADDRSTRLEN];

        if (size == 0)
                return text;
        if (address->sa_family == AF_INET && length >= sizeof(struct sockaddr_in)) {
                const struct sockaddr_in *in = (const struct sockaddr_in *) (const void *) address;

                snprintf(text, size, "%s:%u", inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host)),
                         ntohs(in->sin_port));
        } else if (address->sa_family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
                const struct sockaddr_in6 *in = (const struct sockaddr_in6 *) (const void *)
                        address;
                char scope[16] = "";

                if (IN6_IS_ADDR_V4MAPPED(&in->sin6_addr)) {
                        snprintf(text, size, "%s:%u",
                                 inet_ntop(AF_INET, &in->sin6_addr.s6_addr[12], host, sizeof(host)),
                                 ntohs(in->sin6_port));
                        return text;
                }
                if (in->sin6_scope_id != 0)
                        snprintf(scope, sizeof(scope), "%%%u", in->sin6_scope_id);
                snprintf(text, size, "[%s%s]:%u",
                         inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof(host)), scope,
                         ntohs(in->sin6_port));
        } else if (address->sa_family == AF_UNIX && length >= sizeof(sa_family_t)) {
                unix_text((const struct sockaddr_un *) (const void *) address, length, text, size);
        } else {
                snprintf(text, size, "family %d", address->sa_family);
        }
        return text;
}

static const char *word_for(int fd, int family) {
        int type = 0;
        socklen_t length = sizeof(type);

        getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length);
        if (family == AF_UNIX)
                return "";
        return type == SOCK_STREAM ? "tcp " : type == SOCK_DGRAM ? "udp " : "socket ";
}

/* Writes the peer's address, or the socket's own address if it has no peer. */
static char *socket_name(int fd, char *text, size_t size) {
        struct sockaddr_storage address;
        struct sockaddr *generic = (struct sockaddr *) &address;
        socklen_t length = sizeof(address);
        char end[128];

        if (getpeername(fd, generic, &length) < 0 || length <= sizeof(sa_family_t)) {
                length = sizeof(address);
                if (getsockname(fd, generic, &length) < 0)
                        length = 0;
        }
        if (length < sizeof(sa_family_t))
                snprintf(text, size, "socket");
        else
                snprintf(text, size, "%s%s", word_for(fd, generic->sa_family),
                         bly_address_text(generic, length, end, sizeof(end)));
        return text;
}

char *bly_fd_name(int fd, char *text, size_t size) {
        int saved = errno;
        struct stat stat;

        if (fstat(fd, &stat) < 0)
                snprintf(text, size, "fd %d", fd);
        else if (S_ISSOCK(stat.st_mode))
                socket_name(fd, text, size);
        else
                snprintf(text, size, "%s",
                         S_ISFIFO(stat.st_mode)  ? "pipe"
                         : isatty(fd)            ? "terminal"
                         : S_ISREG(stat.st_mode) ? "file"
                         : S_ISCHR(stat.st_mode) ? "device"
                                                 : "descriptor");
        errno = saved;
        return text;
}

const char *bly_fd_doing(const char *what, int fd) {
        static __thread char text[192];
        char name[160];

        snprintf(text, sizeof(text), "%s fd %d (%s)", what, fd,
                 bly_fd_name(fd, name, sizeof(name)));
        return text;
}
