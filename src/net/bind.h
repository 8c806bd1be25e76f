/* SPDX-License-Identifier: MIT */
/*
 * Binding sockets to their own addresses, and the files of Unix sockets.
 */
#ifndef BLY_BIND_H
#define BLY_BIND_H

#include <sys/socket.h>
#include <sys/types.h>

#include <belay/net.h>

static inline const struct sockaddr *bly_sockaddr(const belay_address *address) {
        return (const struct sockaddr *) (const void *) address->address;
}

static inline int bly_family(const belay_address *address) {
        return bly_sockaddr(address)->sa_family;
}

/* Returns the path of a Unix socket's file; NULL for all other addresses. */
const char *bly_path_of(const belay_address *address);

/*
 * Works as bind(), and replaces the file of a Unix socket if no socket belongs to it any more.
 * Returns 0 or a negative errno.
 */
int bly_bind(int fd, const belay_address *address);

/* The identity of a Unix socket's file, because another file may take its path. */
struct bly_inode {
        dev_t device;
        ino_t number;
};

/* Stores the identity of the file at `path`. Returns 0 or a negative errno. */
int bly_note_file(const char *path, struct bly_inode *file);
/*
 * Removes the file, unless another file has the path. If lstat() fails, tries in any case. Does
 * nothing if the path is NULL.
 */
void bly_remove_file(const char *path, const struct bly_inode *file);

/*
 * Writes the socket's own address as the text of an endpoint. Returns its address family, or a
 * negative errno.
 */
int bly_own_endpoint(int fd, char text[BELAY_ADDRESS_TEXT]);

#endif
