/* SPDX-License-Identifier: MIT */
/*
 * The interface between the files of the network part: lookups and listeners.
 */
#ifndef BLY_NET_H
#define BLY_NET_H

#include <sys/socket.h>
#include <sys/types.h>

#include <belay/net.h>

#include "net/bind.h"
#include "stream/stream.h"

/*
 * Looks up an endpoint in the calling task, as belay_resolve() does (resolve.c). If `to_listen`, an
 * endpoint without a host means every address of this machine.
 */
int bly_resolve(struct belay_loop *loop, const char *endpoint, int type, bool to_listen,
                belay_address **addresses, size_t *count, const char *place);

/* ---- listeners (listen.c) ---- */

struct belay_listener {
        struct bly_fd_owner owner;
        struct bly_io *io;
        struct bly_fd *fd;
        int family;
        size_t inside;           /* number of tasks in a call; the last to leave frees it */
        bool closed;             /* the handle is invalid */
        bool stopped;            /* it does not listen, and has no descriptor */
        bool is_shared;          /* handed down: other processes may change O_NONBLOCK */
        bool restore;            /* O_NONBLOCK must be cleared when it stops */
        char *path;              /* Unix socket's file, which stopping removes; NULL: none */
        struct bly_inode file;   /* identity of that file */
        struct bly_serve *serve; /* belay_serve() that runs there; NULL: none */
        char endpoint[BELAY_ADDRESS_TEXT];
};

/* Counts the calling task as being in a call of the listener. */
void bly_listener_enter(belay_listener *listener);
/*
 * Ends the task's call, and returns the value that the call must return. That is `rc`, or -EBADF if
 * the listener was closed meanwhile. The listener may be freed when the function returns.
 */
int bly_listener_leave(belay_listener *listener, int rc);
/* Closes the socket. Tasks that wait to accept get -EBADF. The handle stays valid. */
void bly_listener_stop(belay_listener *listener);

/*
 * Sets O_NONBLOCK. Returns 0, 1 if the flag was set already, or a negative errno. No other way
 * keeps accept() from waiting, and all processes that have the open file description share the
 * flag.
 */
int bly_do_not_block(int fd);

#endif
