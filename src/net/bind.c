/* SPDX-License-Identifier: MIT */
/*
 * Binding sockets, and the files of Unix sockets.
 *
 * If a process does not remove its Unix socket's file, the file outlives the process and blocks the
 * address for the next one. An attempt to connect shows whether a socket still belongs to the file.
 */
#define _GNU_SOURCE
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/io.h"
#include "net/bind.h"
#include "net/shortage.h"

const char *bly_path_of(const belay_address *address) {
        const struct sockaddr_un *un = (const struct sockaddr_un *) &address->address;

        return un->sun_family == AF_UNIX && un->sun_path[0] != '\0' ? un->sun_path : NULL;
}

/*
 * Returns 0 if no socket belongs to the file, or if the file is gone. Returns -EADDRINUSE if a
 * socket belongs to it, or the error that prevented the check.
 */
static int is_stale(const belay_address *address, const char *path) {
        struct stat stat;
        int fd, error;

        if (lstat(path, &stat) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISSOCK(stat.st_mode))
                return -EADDRINUSE;
        /* The type is SOCK_DGRAM for all addresses, so that no server notices the connect(). */
        fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        error = connect(fd, bly_sockaddr(address), address->length) < 0 ? errno : 0;
        close(fd);
        if (bly_is_shortage(-error))
                return -error;
        return error == ECONNREFUSED ? 0 : -EADDRINUSE;
}

int bly_bind(int fd, const belay_address *address) {
        const char *path = bly_path_of(address);
        int rc;

        if (bind(fd, bly_sockaddr(address), address->length) == 0)
                return 0;
        if (errno != EADDRINUSE)
                return -errno;
        rc = path != NULL ? is_stale(address, path) : -EADDRINUSE;
        if (rc < 0)
                return rc;
        if (unlink(path) < 0 && errno != ENOENT)
                return -errno;
        return bind(fd, bly_sockaddr(address), address->length) < 0 ? -errno : 0;
}

int bly_note_file(const char *path, struct bly_inode *file) {
        struct stat now;

        if (lstat(path, &now) < 0)
                return -errno;
        *file = (struct bly_inode) { .device = now.st_dev, .number = now.st_ino };
        return 0;
}

void bly_remove_file(const char *path, const struct bly_inode *file) {
        struct stat now;

        if (path != NULL
            && (lstat(path, &now) < 0
                || (now.st_dev == file->device && now.st_ino == file->number)))
                unlink(path);
}

int bly_own_endpoint(int fd, char text[BELAY_ADDRESS_TEXT]) {
        struct sockaddr_storage address;
        socklen_t length = sizeof(address);

        if (getsockname(fd, (struct sockaddr *) &address, &length) < 0)
                return -errno;
        bly_address_text((struct sockaddr *) &address, length, text, BELAY_ADDRESS_TEXT);
        return address.ss_family;
}
