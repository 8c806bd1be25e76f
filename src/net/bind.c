/* SPDX-License-Identifier: MIT */
/*
 * A Unix socket's file outlives the process that did not remove it, and would keep the next one from its address.
 * That nobody is there any more is known by trying to connect.
 */
#define _GNU_SOURCE
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/io.h"
#include "net/bind.h"

const char *bly_path_of(const belay_address *address) {
        const struct sockaddr_un *un = (const struct sockaddr_un *) &address->address;

        return un->sun_family == AF_UNIX && un->sun_path[0] != '\0' ? un->sun_path : NULL;
}

static bool is_left_over(const belay_address *address, const char *path) {
        struct stat stat;
        int fd, error;

        if (lstat(path, &stat) < 0 || !S_ISSOCK(stat.st_mode))
                return false;
        fd = socket(AF_UNIX, address->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return false;
        error = connect(fd, bly_sockaddr(address), address->length) < 0 ? errno : 0;
        close(fd);
        return error == ECONNREFUSED;
}

int bly_bind(int fd, const belay_address *address) {
        const char *path = bly_path_of(address);

        if (bind(fd, bly_sockaddr(address), address->length) == 0)
                return 0;
        if (errno != EADDRINUSE)
                return -errno;
        if (path == NULL || !is_left_over(address, path))
                return -EADDRINUSE;
        return unlink(path) < 0 || bind(fd, bly_sockaddr(address), address->length) < 0 ? -errno : 0;
}

void bly_own_endpoint(int fd, char text[BELAY_ADDRESS_TEXT]) {
        struct sockaddr_storage address;
        socklen_t length = sizeof(address);

        text[0] = '\0';
        if (getsockname(fd, (struct sockaddr *) &address, &length) == 0)
                bly_address_text((struct sockaddr *) &address, length, text, BELAY_ADDRESS_TEXT);
}
