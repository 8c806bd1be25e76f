/* SPDX-License-Identifier: MIT */
/*
 * The network: its parts for each other.
 */
#ifndef BLY_NET_H
#define BLY_NET_H

#include <sys/socket.h>
#include <sys/types.h>

#include <belay/net.h>

#include "stream/stream.h"

/*
 * Looks an endpoint up (resolve.c). `to_listen`: without a host it means every address of this machine. As belay_resolve(), for a
 * task.
 */
int bly_resolve(struct belay_loop *loop, const char *endpoint, int type, bool to_listen, belay_address **addresses,
                size_t *count, const char *place);

/* ---- listeners (listen.c) ---- */

struct belay_listener {
        struct bly_fd_owner owner;
        struct bly_io *io;
        struct bly_fd *fd;
        int family;
        size_t inside;                  /* tasks that are at it: it goes when the last one leaves */
        bool closed;                    /* its handle is gone */
        bool hushed;                    /* it listens no more, and has no descriptor */
        bool is_shared;                 /* it was handed down: others may change whether it blocks */
        bool restore;                   /* it blocked, and is to block again at the end */
        char *path;                     /* of a Unix socket's file, which is removed in the end; NULL */
        dev_t device;                   /* which file that is */
        ino_t file;
        struct bly_serve *serve;        /* who serves there; NULL */
        char endpoint[BELAY_ADDRESS_TEXT];
};

/* A task is at it. */
void bly_listener_enter(belay_listener *listener);
/*
 * The task leaves it: returns what its call returns. That is `rc`, but -EBADF if the listener was closed meanwhile, as with
 * streams. The listener may be gone when the function returns.
 */
int bly_listener_leave(belay_listener *listener, int rc);
/* Listens no more: those who wait get -EBADF. Its handle stays. */
void bly_listener_stop(belay_listener *listener);

/*
 * Sets O_NONBLOCK: 0, 1 if it was set already, or a negative errno. accept() has no other way not to wait. Every process that
 * shares the description shares the flag.
 */
int bly_do_not_block(int fd);

#endif
