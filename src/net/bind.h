/* SPDX-License-Identifier: MIT */
/*
 * Giving a socket its own address.
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

/* The path of a Unix socket's file; NULL for all other addresses. */
const char *bly_path_of(const belay_address *address);

/* As bind(), but a Unix socket's file that was left over is replaced. 0 or a negative errno. */
int bly_bind(int fd, const belay_address *address);

/* Which file it is that has a path: another may take its name. */
struct bly_inode {
        dev_t device;
        ino_t number;
};

/* 0 or a negative errno. */
int bly_note_file(const char *path, struct bly_inode *file);
/* Not if it is another's by now. */
void bly_remove_file(const char *path, const struct bly_inode *file);

/* Where a socket is, as an endpoint's text. Its family, or a negative errno. */
int bly_own_endpoint(int fd, char text[BELAY_ADDRESS_TEXT]);

#endif
