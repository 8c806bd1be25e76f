/* SPDX-License-Identifier: MIT */
/*
 * Listening and accepting.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/net.h"

/* ---- sockets that listen ---- */

static int set(int fd, int level, int option, int value) {
        return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* A socket's file is left over if nobody listens at it. */
static bool is_left_over(const struct sockaddr *address, socklen_t length) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), error;

        if (fd < 0)
                return false;
        error = connect(fd, address, length) < 0 ? errno : 0;
        close(fd);
        return error == ECONNREFUSED;
}

static const char *path_of(const belay_address *address) {
        const struct sockaddr_un *un = (const struct sockaddr_un *) &address->address;

        return un->sun_family == AF_UNIX && un->sun_path[0] != '\0' ? un->sun_path : NULL;
}

static int bind_to(int fd, const belay_address *address) {
        const struct sockaddr *generic = (const struct sockaddr *) &address->address;
        const char *path = path_of(address);
        struct stat stat;

        if (bind(fd, generic, address->length) == 0)
                return 0;
        if (errno != EADDRINUSE || path == NULL || lstat(path, &stat) < 0 || !S_ISSOCK(stat.st_mode)
            || !is_left_over(generic, address->length))
                return -errno;
        if (unlink(path) < 0 || bind(fd, generic, address->length) < 0)
                return -errno;
        return 0;
}

static int prepare(int fd, const belay_address *address, const belay_listen_options *options) {
        int family = ((const struct sockaddr *) address->address)->sa_family, rc = 0;

        if (family == AF_UNIX)
                return 0;
        rc = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        if (rc == 0 && options->share)
                rc = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
        /* Those who are accepted inherit it. */
        if (rc == 0 && !options->nagle)
                rc = set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        /* One socket for both families, where the address is of neither. */
        if (rc == 0 && family == AF_INET6) {
                const struct sockaddr_in6 *in = (const struct sockaddr_in6 *) &address->address;

                rc = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, !IN6_IS_ADDR_UNSPECIFIED(&in->sin6_addr));
        }
        return rc;
}

static int open_at(const belay_address *address, const belay_listen_options *options) {
        int fd = socket(((const struct sockaddr *) address->address)->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;
        const char *path = path_of(address);

        if (fd < 0)
                return -errno;
        rc = prepare(fd, address, options);
        if (rc == 0)
                rc = bind_to(fd, address);
        if (rc == 0 && path != NULL && options->mode != 0 && chmod(path, (mode_t) options->mode) < 0)
                rc = -errno;
        if (rc == 0 && listen(fd, options->backlog > 0 ? options->backlog : 65535) < 0)
                rc = -errno;
        if (rc == 0)
                return fd;
        close(fd);
        return rc;
}

/* ---- listeners ---- */

static void note_endpoint(belay_listener *listener, int fd) {
        struct sockaddr_storage address;
        socklen_t length = sizeof(address);

        listener->family = AF_UNSPEC;
        if (getsockname(fd, (struct sockaddr *) &address, &length) < 0)
                return;
        listener->family = address.ss_family;
        bly_address_text((struct sockaddr *) &address, length, listener->endpoint, sizeof(listener->endpoint));
}

/* The descriptor is still the caller's where it fails. */
static int make(belay_listener **out, struct bly_io *io, int fd, const char *path) {
        belay_listener *listener = bly_zalloc(sizeof(*listener) + (path != NULL ? strlen(path) + 1 : 0));

        *out = NULL;
        if (listener == NULL)
                return -ENOMEM;
        listener->io = io;
        listener->fd = bly_fd_own(io, fd);
        if (listener->fd == NULL) {
                bly_free(listener);
                return -ENOMEM;
        }
        if (path != NULL)
                listener->path = strcpy((char *) (listener + 1), path);
        if (!bly_performs(io))
                fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        note_endpoint(listener, fd);
        *out = listener;
        return 0;
}

static int listen_at(belay_listener **out, struct bly_io *io, const belay_address *addresses, size_t count,
                     const belay_listen_options *options) {
        const char *path = NULL;
        int fd = -EINVAL, rc;

        for (size_t i = 0; i < count && fd < 0; i++) {
                fd = open_at(&addresses[i], options);
                path = path_of(&addresses[i]);
        }
        if (fd < 0)
                return fd;
        rc = make(out, io, fd, path);
        if (rc < 0) {
                close(fd);
                if (path != NULL)
                        unlink(path);
        }
        return rc;
}

int belay_listen_placed(const char *place, belay_listener **out, const char *endpoint, const belay_listen_options *given) {
        belay_task *self = bly_waiter(place, "belay_listen()");
        belay_listen_options options;
        belay_address *addresses;
        struct bly_io *io;
        size_t count;
        int rc;

        *out = NULL;
        bly_options(&options, sizeof(options), given);
        if (self == NULL)
                return -EPERM;
        if (options.backlog < 0 || options.mode < 0)
                return -EINVAL;
        io = bly_io_of(self->loop);
        if (io == NULL)
                return -errno;
        rc = bly_resolve(self->loop, endpoint, SOCK_STREAM, true, &addresses, &count, place);
        if (rc < 0)
                return rc;
        rc = listen_at(out, io, addresses, count, &options);
        belay_addresses_free(addresses, count);
        return rc;
}

int belay_listen_fd(belay_listener **out, int fd) {
        int type, listens;
        socklen_t length = sizeof(type);
        struct bly_io *io;

        *out = NULL;
        if (bly_loop == NULL)
                return bly_misuse(-EPERM, NULL, "belay_listen_fd() where no loop runs");
        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0)
                return errno == ENOTSOCK ? -EINVAL : -errno;
        length = sizeof(listens);
        if (type != SOCK_STREAM || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) < 0 || !listens)
                return -EINVAL;
        io = bly_io_of(bly_loop);
        return io != NULL ? make(out, io, fd, NULL) : -errno;
}

const char *belay_listener_endpoint(const belay_listener *listener) {
        return listener->endpoint;
}

int belay_listener_fd(const belay_listener *listener) {
        return listener->hushed ? -EBADF : listener->fd->fd;
}

/* ---- their end ---- */

void bly_listener_hush(belay_listener *listener) {
        int fd;

        if (listener->hushed)
                return;
        listener->hushed = true;
        fd = listener->fd->fd;
        if (!listener->io->closed)
                bly_fd_forget(listener->io, listener->fd);
        /* First the name, then the socket: in between nobody finds a name at which nobody listens. */
        if (listener->path != NULL)
                unlink(listener->path);
        bly_fd_disown(listener->io, listener->fd, true);
        close(fd);
}

void bly_listener_enter(belay_listener *listener) {
        listener->inside++;
}

void bly_listener_leave(belay_listener *listener) {
        if (--listener->inside == 0 && listener->closed)
                bly_free(listener);
}

void belay_listener_close(belay_listener *listener) {
        if (listener == NULL)
                return;
        bly_listener_hush(listener);
        listener->closed = true;
        if (listener->inside == 0)
                bly_free(listener);
}

/* ---- accepting ---- */

/* The connection was gone before it was taken: its error is not ours (see accept(2)). */
static bool is_of_the_connection(int error) {
        switch (error) {
        case ECONNABORTED: case EPROTO: case EPERM: case ENETDOWN: case ENOPROTOOPT: case EHOSTDOWN: case ENONET:
        case EHOSTUNREACH: case EOPNOTSUPP: case ENETUNREACH: case ETIMEDOUT: case ECONNRESET: case EINTR:
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

        return (int) bly_perform(listener->io, &op, place);
}

/* Who was accepted. */
struct peer {
        struct sockaddr_storage address;
        socklen_t length;               /* 0: not known */
};

static int try_accept(belay_listener *listener, struct peer *peer, const char *place) {
        int rc = bly_fd_try(listener->io, listener->fd, BELAY_READABLE, place);

        if (rc < 0)
                return rc;
        peer->length = sizeof(peer->address);
        rc = accept4(listener->fd->fd, (struct sockaddr *) &peer->address, &peer->length, SOCK_CLOEXEC);
        return rc >= 0 ? rc : -errno;
}

/* The descriptor of a connection, or a negative errno. */
static int accept_one(belay_listener *listener, struct peer *peer, const char *place) {
        struct bly_io *io = listener->io;
        int rc;

        for (;;) {
                if (listener->hushed)
                        return -EBADF;
                rc = -EAGAIN;
                if (bly_performs(io))
                        rc = perform_accept(listener, place);
                if (rc == -EAGAIN && !listener->hushed)
                        rc = try_accept(listener, peer, place);
                if (rc == -EAGAIN && !listener->hushed) {
                        rc = bly_fd_wait(io, listener->fd, BELAY_READABLE, "accept", place);
                        if (rc == 0)
                                continue;
                        return rc;
                }
                if (rc >= 0 || !is_of_the_connection(-rc))
                        return rc;
        }
}

int belay_accept_placed(const char *place, belay_listener *listener, belay_stream **stream) {
        belay_task *self = bly_waiter(place, "belay_accept()");
        struct peer peer = { .length = 0 };
        int rc;

        *stream = NULL;
        if (self == NULL)
                return -EPERM;
        if (listener->io->loop != self->loop)
                return bly_misuse(-EPERM, place, "belay_accept() of a listener that belongs to another loop");
        bly_listener_enter(listener);
        rc = accept_one(listener, &peer, place);
        if (rc >= 0)
                rc = bly_stream_of_socket(stream, listener->io, rc, listener->family);
        if (rc == 0)
                bly_stream_note_peer(*stream, (struct sockaddr *) &peer.address, peer.length);
        bly_listener_leave(listener);
        return rc;
}
