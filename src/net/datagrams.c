/* SPDX-License-Identifier: MIT */
/*
 * Datagram sockets.
 *
 * Any number of tasks may wait for one. Each task that is woken tries, and waits again if it finds
 * nothing. When the socket is closed, its descriptor is closed at once, so that the address is
 * free. Its memory is freed when the last task has left.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <unistd.h>

#include "net/bind.h"
#include "net/endpoint.h"
#include "net/message.h"
#include "net/net.h"
#include "net/shortage.h"

struct belay_datagrams {
        struct bly_fd_owner owner;
        struct bly_io *io;
        struct bly_fd *fd;
        int family;
        size_t inside;         /* number of tasks in a call */
        bool closed;           /* the handle is invalid */
        bool unusable;         /* closed, or the program closed the descriptor */
        char *path;            /* Unix socket's file, which closing removes; NULL: none */
        struct bly_inode file; /* identity of that file */
        char endpoint[BELAY_ADDRESS_TEXT];
};

/* ---- opening ---- */

/* The addresses of one end of a socket, local or remote. */
struct end {
        belay_address *addresses;
        size_t count; /* 0: the program named no endpoint */
};

/* Makes the socket serve IPv4 as well if its address is "::", which is every address. */
static int choose_families(int fd, const belay_address *local) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *) &local->address;
        int only = !IN6_IS_ADDR_UNSPECIFIED(&in->sin6_addr);

        return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) < 0 ? -errno : 0;
}

static int attach(int fd, const belay_address *local, const belay_address *remote) {
        const char *path = local != NULL ? bly_path_of(local) : NULL;
        int rc = 0;

        if (local != NULL && bly_family(local) == AF_INET6)
                rc = choose_families(fd, local);
        if (rc == 0 && local != NULL)
                rc = bly_bind(fd, local);
        if (rc < 0 || remote == NULL || connect(fd, bly_sockaddr(remote), remote->length) == 0)
                return rc;
        rc = -errno;
        if (path != NULL)
                unlink(path);
        return rc;
}

/* Returns the descriptor of a new socket, or a negative errno. `local` or `remote` may be NULL. */
static int open_between(const belay_address *local, const belay_address *remote) {
        int fd, rc;

        if (local != NULL && remote != NULL && bly_family(local) != bly_family(remote))
                return -EAFNOSUPPORT;
        fd = socket(bly_family(local != NULL ? local : remote), SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        rc = attach(fd, local, remote);
        if (rc == 0)
                return fd;
        close(fd);
        return rc;
}

/*
 * Opens a socket between the first pair of addresses that fit together; *chosen is the local one.
 * Returns its descriptor, or a negative errno.
 */
static int open_first(const struct end *locals, const struct end *remotes,
                      const belay_address **chosen) {
        int error = -EAFNOSUPPORT, rc;
        size_t r = 0, l;

        do {
                l = 0;
                do {
                        *chosen = locals->count > 0 ? &locals->addresses[l] : NULL;
                        rc = open_between(*chosen,
                                          remotes->count > 0 ? &remotes->addresses[r] : NULL);
                        if (rc >= 0 || bly_is_shortage(rc))
                                return rc;
                        /* Any other error says more than that two families differ. */
                        if (rc != -EAFNOSUPPORT)
                                error = rc;
                } while (++l < locals->count);
        } while (++r < remotes->count);
        return error;
}

static void lost(struct bly_fd_owner *owner) {
        container_of(owner, struct belay_datagrams, owner)->unusable = true;
}

static bool is_same(const struct bly_fd_owner *owner, int fd) {
        char endpoint[BELAY_ADDRESS_TEXT];

        return bly_own_endpoint(fd, endpoint) >= 0
               && strcmp(endpoint, container_of(owner, struct belay_datagrams, owner)->endpoint)
                          == 0;
}

/* Makes the object of a socket. If the function fails, the descriptor is still the caller's. */
static int make(belay_datagrams **out, struct bly_io *io, int fd, const belay_address *local,
                const char *place) {
        const char *path = local != NULL ? bly_path_of(local) : NULL;
        belay_datagrams *socket = bly_zalloc(sizeof(*socket)
                                             + (path != NULL ? strlen(path) + 1 : 0));
        int rc;

        if (socket == NULL)
                return -ENOMEM;
        socket->io = io;
        rc = socket->family = bly_own_endpoint(fd, socket->endpoint);
        if (rc >= 0 && path != NULL)
                rc = bly_note_file(path, &socket->file);
        socket->owner = (struct bly_fd_owner) {
                .what = "a socket for datagrams",
                .place = place,
                .is_same = is_same,
                .lost = lost,
        };
        if (rc >= 0)
                rc = bly_fd_own(io, fd, &socket->owner, true, &socket->fd);
        if (rc < 0) {
                bly_free(socket);
                return rc;
        }
        if (path != NULL)
                socket->path = strcpy((char *) (socket + 1), path);
        *out = socket;
        return 0;
}

static int open_ends(belay_datagrams **out, struct bly_io *io, const struct end *locals,
                     const struct end *remotes, const char *place) {
        const belay_address *local;
        int fd = open_first(locals, remotes, &local), rc;

        if (fd < 0)
                return fd;
        rc = make(out, io, fd, local, place);
        if (rc < 0) {
                close(fd);
                if (local != NULL && bly_path_of(local) != NULL)
                        unlink(bly_path_of(local));
        }
        return rc;
}

static int resolve(struct belay_loop *loop, const char *endpoint, bool is_local, struct end *end,
                   const char *place) {
        if (endpoint == NULL)
                return 0;
        return bly_resolve(loop, endpoint, SOCK_DGRAM, is_local, &end->addresses, &end->count,
                           place);
}

static int explain(int rc, const char *local, const char *remote) {
        char from[BLY_QUOTED] = "", to[BLY_QUOTED] = "";

        if (rc == 0)
                return 0;
        if (local != NULL)
                bly_endpoint_quote(from, local);
        if (remote != NULL)
                bly_endpoint_quote(to, remote);
        return bly_explain(rc, "datagrams%s%s%s%s: %s", local != NULL ? " at " : "", from,
                           remote != NULL ? " to " : "", to, strerror(-rc));
}

int belay_datagrams_open_placed(const char *place, belay_datagrams **out, const char *local,
                                const char *remote) {
        belay_task *self = bly_waiter(place, "belay_datagrams_open()");
        struct end locals = { .count = 0 }, remotes = { .count = 0 };
        struct bly_io *io;
        int rc;

        *out = NULL;
        if (self == NULL)
                return -EPERM;
        if (local == NULL && remote == NULL)
                return -EINVAL;
        io = bly_io_of(self->loop);
        if (io == NULL)
                return -errno;
        rc = resolve(self->loop, local, true, &locals, place);
        if (rc == 0)
                rc = resolve(self->loop, remote, false, &remotes, place);
        if (rc == 0)
                rc = explain(open_ends(out, io, &locals, &remotes, place), local, remote);
        belay_addresses_free(locals.addresses, locals.count);
        belay_addresses_free(remotes.addresses, remotes.count);
        return rc;
}

int belay_datagrams_fd(const belay_datagrams *socket) {
        return socket->unusable ? -EBADF : socket->fd->fd;
}

const char *belay_datagrams_endpoint(const belay_datagrams *socket) {
        return socket->endpoint;
}

/* ---- closing ---- */

void belay_datagrams_close(belay_datagrams *socket) {
        int fd;

        if (socket == NULL)
                return;
        fd = socket->fd->fd;
        socket->closed = socket->unusable = true;
        if (socket->path != NULL)
                bly_remove_file(socket->path, &socket->file);
        if (!socket->owner.is_lost) {
                bly_fd_disown(socket->io, socket->fd, true);
                close(fd);
        }
        if (socket->inside == 0)
                bly_free(socket);
}

/* ---- receiving and sending ---- */

static ssize_t move(belay_datagrams *socket, struct bly_message *message, const char *place,
                    const char *what) {
        belay_task *self = bly_waiter(place, what);
        ssize_t rc;

        if (unlikely(self == NULL))
                return -EPERM;
        if (unlikely(socket->io->loop != self->loop))
                return bly_misuse(-EPERM, place,
                                  "%s with a socket (%s) that belongs to another loop", what,
                                  socket->endpoint);
        message->closed = &socket->unusable;
        socket->inside++;
        rc = socket->unusable ? -EBADF : bly_message_move(socket->io, socket->fd, message, place);
        socket->inside--;
        if (likely(!socket->closed))
                return rc;
        if (socket->inside == 0)
                bly_free(socket);
        if (rc == -ECANCELED)
                bly_undeliver(self);
        /* With any other value the caller would go on to use a handle that is invalid. */
        return -EBADF;
}

ssize_t belay_receive_placed(const char *place, belay_datagrams *socket, void *buffer, size_t size,
                             belay_address *from) {
        struct iovec part = { .iov_base = buffer, .iov_len = size };
        struct bly_message message = {
                .kind = BLY_OP_RECEIVE_MESSAGE,
                .what = "receive",
                .flags = MSG_TRUNC,
                .header.msg_iov = &part,
                .header.msg_iovlen = 1,
        };
        int family = socket->family;
        ssize_t rc;

        if (from != NULL) {
                *from = (belay_address) { .type = SOCK_DGRAM };
                message.header.msg_name = &from->address;
                message.header.msg_namelen = sizeof(from->address);
        }
        rc = move(socket, &message, place, "belay_receive()");
        if (rc < 0 || from == NULL)
                return rc;
        from->length = message.header.msg_namelen;
        /* The sender is a Unix socket without a name. */
        if (from->length == 0) {
                ((struct sockaddr *) from->address)->sa_family = (sa_family_t) family;
                from->length = sizeof(sa_family_t);
        }
        return rc;
}

ssize_t belay_send_placed(const char *place, belay_datagrams *socket, const void *data, size_t size,
                          const belay_address *to) {
        struct iovec part = { .iov_base = (void *) data, .iov_len = size };
        struct bly_message message = {
                .kind = BLY_OP_SEND_MESSAGE,
                .is_datagram = true,
                .what = "send",
                .flags = MSG_NOSIGNAL,
                .header.msg_iov = &part,
                .header.msg_iovlen = 1,
        };
        ssize_t rc;

        if (to != NULL) {
                message.header.msg_name = (void *) &to->address;
                message.header.msg_namelen = to->length;
                /* If the receiver's queue is full, no event of this socket reports room there. */
                message.without_events = socket->family == AF_UNIX;
        }
        rc = move(socket, &message, place, "belay_send()");
        /* Without a destination, Unix sockets fail with ENOTCONN, all others with EDESTADDRREQ. */
        return rc == -ENOTCONN && to == NULL ? -EDESTADDRREQ : rc;
}
