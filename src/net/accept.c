/* SPDX-License-Identifier: MIT */
/*
 * Accepting connections.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <unistd.h>

#include "net/net.h"

/*
 * Returns whether an error of accept() belongs to a connection that ended before it was accepted.
 * Then it is no error of the listener (see accept(2)).
 */
static bool is_of_the_connection(int error) {
        switch (error) {
        case ECONNABORTED:
        case EPROTO:
        case EPERM:
        case ENETDOWN:
        case ENOPROTOOPT:
        case EHOSTDOWN:
        case ENONET:
        case EHOSTUNREACH:
        case EOPNOTSUPP:
        case ENETUNREACH:
        case ETIMEDOUT:
        case ECONNRESET:
        case EINTR:
                return true;
        }
        return false;
}

static int perform_accept(belay_listener *listener, const char *place) {
        struct bly_op op = {
                .slot = listener->fd,
                .what = "accept",
                .kind = BLY_OP_ACCEPT,
                .fd = listener->fd->fd,
                .flags = SOCK_CLOEXEC,
        };

        listener->fd->ready = 0;
        return (int) bly_perform(listener->io, &op, place);
}

/* The address of an accepted connection's peer. */
struct peer {
        struct sockaddr_storage address;
        socklen_t length; /* 0: unknown */
};

/*
 * Gets the peer's address, or the length 0. belay_accept() does so at once, because the kernel
 * forgets the address when the connection is gone.
 */
static void read_peer(int fd, struct peer *peer) {
        peer->length = sizeof(peer->address);
        if (getpeername(fd, (struct sockaddr *) &peer->address, &peer->length) < 0)
                peer->length = 0;
}

/*
 * Checks before accept() that a connection is waiting, because another process that shares the
 * socket may have cleared O_NONBLOCK. The function sets that flag again. So if another process
 * takes the connection first, accept() still does not wait. Returns -EAGAIN if no connection is
 * waiting.
 */
static int look_before(const belay_listener *listener) {
        struct pollfd pollfd = { .fd = listener->fd->fd, .events = POLLIN };
        int rc = poll(&pollfd, 1, 0);

        if (rc <= 0)
                return rc < 0 ? -errno : -EAGAIN;
        return bly_do_not_block(listener->fd->fd);
}

static int try_accept(belay_listener *listener, struct peer *peer, const char *place) {
        int rc = bly_fd_try(listener->io, listener->fd, BELAY_READABLE, place);

        if (rc < 0)
                return rc;
        /* Other tasks may have run in bly_fd_try(), so the number may be another descriptor's. */
        if (listener->stopped)
                return -EBADF;
        rc = listener->is_shared ? look_before(listener) : 0;
        if (rc < 0)
                return rc;
        peer->length = sizeof(peer->address);
        rc = accept4(listener->fd->fd, (struct sockaddr *) &peer->address, &peer->length,
                     SOCK_CLOEXEC);
        return rc >= 0 ? rc : -errno;
}

/*
 * Returns the descriptor of a connection, or a negative errno. A back end that performs accepts
 * works on a socket that may block, so the function never tries accept4() there itself.
 */
static int accept_one(belay_listener *listener, struct peer *peer, const char *place) {
        struct bly_io *io = listener->io;
        int rc;

        while (!listener->stopped) {
                rc = bly_performs(io) ? perform_accept(listener, place)
                                      : try_accept(listener, peer, place);
                if (rc >= 0)
                        return rc;
                if (rc == -EAGAIN && !listener->stopped)
                        rc = bly_fd_wait(io, listener->fd, BELAY_READABLE, "accept", place);
                if (rc < 0 && rc != -EAGAIN && !is_of_the_connection(-rc))
                        return rc;
        }
        return -EBADF;
}

static int explain(int rc, const belay_listener *listener) {
        if (likely(rc >= 0) || rc == -ECANCELED)
                return rc;
        return bly_explain(rc, "accept at %s: %s", listener->endpoint, strerror(-rc));
}

int belay_accept_placed(const char *place, belay_listener *listener, belay_stream **stream) {
        belay_task *self = bly_waiter(place, "belay_accept()");
        struct peer peer = { .length = 0 };
        int rc;

        *stream = NULL;
        if (self == NULL)
                return -EPERM;
        if (listener->io->loop != self->loop)
                return bly_misuse(-EPERM, place,
                                  "belay_accept() of a listener that belongs to another loop");
        bly_listener_enter(listener);
        rc = explain(accept_one(listener, &peer, place), listener);
        if (rc >= 0 && peer.length == 0)
                read_peer(rc, &peer);
        if (rc >= 0)
                rc = bly_stream_of_socket(stream, listener->io, rc, listener->family, place);
        if (rc == 0)
                bly_stream_note_peer(*stream, (struct sockaddr *) &peer.address, peer.length);
        rc = bly_listener_leave(listener, rc);
        /* Another task closed the listener in the turn in which the connection was accepted. */
        if (unlikely(rc < 0) && *stream != NULL) {
                belay_abort(*stream);
                *stream = NULL;
        }
        return rc;
}
