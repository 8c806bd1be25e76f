/* SPDX-License-Identifier: MIT */
/*
 * Connecting to one address, and the public functions that connect.
 *
 * A task calls connect() again after each wait. That call reports whether the connection is made,
 * in progress or failed. Cancellation never discards completed work: if the connection is made when
 * a request is delivered, it is returned, and the request stays pending.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "net/bind.h"
#include "net/connect.h"
#include "net/endpoint.h"
#include "net/net.h"
#include "net/pause.h"

#define STAGGER (250 * BELAY_MILLISECOND)

/* ---- a socket ---- */

/*
 * Binds the socket to the first local address of this family that can be bound. *chosen is that
 * address, or NULL if the program names none.
 */
static int bind_own(const struct bly_connect *how, int fd, int family,
                    const belay_address **chosen) {
        int rc = how->local_count > 0 ? -EAFNOSUPPORT : 0, one = 1;

        *chosen = NULL;
        /*
         * If the local address has no port, the kernel chooses one at connect(), when it knows the
         * peer. Connections to different peers may share a port, so ports do not run out.
         */
        if (how->local_count > 0 && family != AF_UNIX)
                setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
        for (size_t i = 0; i < how->local_count; i++) {
                const belay_address *local = &how->locals[i];

                if (bly_family(local) != family)
                        continue;
                if (bind(fd, bly_sockaddr(local), local->length) == 0) {
                        *chosen = local;
                        return 0;
                }
                rc = -errno;
        }
        return rc;
}

/*
 * Returns a descriptor, or a negative errno. It is non-blocking, so that connect() does not wait.
 */
static int open_socket(const struct bly_connect *how, int family, const belay_address **local) {
        int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1, rc = 0;

        if (fd < 0)
                return -errno;
        if ((family == AF_INET || family == AF_INET6) && !how->nagle
            && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) < 0)
                rc = -errno;
        if (rc == 0)
                rc = bind_own(how, fd, family, local);
        if (rc == 0)
                return fd;
        close(fd);
        return rc;
}

/* ---- connecting it ---- */

/*
 * Returns 0 if the connection is made, or -EINPROGRESS. Returns -EAGAIN if the queue of a Unix
 * socket's listener is full, or another negative errno if the connection failed.
 */
static int try_once(int fd, const belay_address *address) {
        int rc;

        do
                rc = connect(fd, bly_sockaddr(address), address->length);
        while (rc < 0 && errno == EINTR);
        if (rc == 0 || errno == EISCONN)
                return 0;
        return errno == EALREADY ? -EINPROGRESS : -errno;
}

static int wait_for_answer(const struct bly_connect *how, struct bly_fd *fd,
                           const belay_address *address) {
        char end[BELAY_ADDRESS_TEXT], what[sizeof(end) + 16];
        int rc, tried;

        bly_address_text(bly_sockaddr(address), address->length, end, sizeof(end));
        snprintf(what, sizeof(what), "connect to %s", end);
        rc = bly_fd_wait(how->io, fd, BELAY_WRITABLE, what, how->place);
        fd->ready = 0;
        if (rc != -ECANCELED)
                return rc;
        tried = try_once(fd->fd, address);
        if (tried == -EINPROGRESS)
                return rc;
        bly_undeliver(how->io->loop->current);
        return tried;
}

static int connect_socket(const struct bly_connect *how, struct bly_fd *fd,
                          const belay_address *address) {
        int rc = bly_fd_try(how->io, fd, BELAY_WRITABLE, how->place), tried;
        unsigned pauses = 0;

        while (rc == 0) {
                tried = try_once(fd->fd, address);
                if (tried == -EINPROGRESS)
                        rc = wait_for_answer(how, fd, address);
                else if (tried == -EAGAIN && bly_family(address) == AF_UNIX)
                        rc = bly_pause(&pauses, how->place);
                else
                        return tried;
        }
        return rc;
}

/* ---- the stream of a connection ---- */

/*
 * Returns whether the socket is connected to itself. If no socket listens at a port of this
 * machine, the kernel may choose that same port for the connecting socket. The connect() then
 * succeeds.
 */
static bool met_itself(int fd, const belay_address *address) {
        struct sockaddr_storage own, peer;
        struct sockaddr_in *in = (struct sockaddr_in *) &own;
        socklen_t own_length = sizeof(own), peer_length = sizeof(peer);

        /* The port has the same offset in the addresses of both families. */
        if (bly_family(address) != AF_INET && bly_family(address) != AF_INET6)
                return false;
        if (getsockname(fd, (struct sockaddr *) &own, &own_length) < 0
            || in->sin_port != ((const struct sockaddr_in *) &address->address)->sin_port)
                return false;
        return getpeername(fd, (struct sockaddr *) &peer, &peer_length) == 0
               && peer_length == own_length && memcmp(&own, &peer, own_length) == 0;
}

/* The program closed the descriptor that connects. connect_one() finds that out by is_lost. */
static void lost(struct bly_fd_owner *owner) {
        (void) owner;
}

/*
 * Makes a stream of a connected socket. The function owns the descriptor, and closes it on failure.
 */
static int make_stream(const struct bly_connect *how, int fd, const belay_address *address,
                       belay_stream **stream) {
        int not_blocking = 0, rc;

        if (ioctl(fd, FIONBIO, &not_blocking) < 0) {
                rc = -errno;
                close(fd);
                return rc;
        }
        rc = bly_stream_of_socket(stream, how->io, fd, bly_family(address), how->place);
        if (rc == 0)
                bly_stream_note_peer(*stream, bly_sockaddr(address), address->length);
        return rc;
}

static int connect_one(const struct bly_connect *how, const belay_address *address,
                       belay_stream **stream) {
        struct bly_fd_owner owner = { .what = "a connection that is being made",
                                      .place = how->place,
                                      .lost = lost };
        const belay_address *local = NULL;
        struct bly_fd *fd;
        int number, rc;

        *stream = NULL;
        number = open_socket(how, bly_family(address), &local);
        if (number < 0)
                return number;
        rc = bly_fd_own(how->io, number, &owner, true, &fd);
        if (rc == 0)
                rc = connect_socket(how, fd, address);
        if (fd != NULL && !owner.is_lost)
                bly_fd_disown(how->io, fd, rc < 0);
        if (rc == 0 && met_itself(number, address))
                rc = -ECONNREFUSED;
        if (rc < 0 && !owner.is_lost)
                close(number);
        else if (rc == 0)
                rc = make_stream(how, number, address, stream);
        if (rc < 0 && local != NULL && bly_path_of(local) != NULL)
                unlink(bly_path_of(local));
        return rc;
}

/* ---- one address ---- */

/* A failure gets a detail with the addresses. A cancellation keeps the reason of its request. */
int bly_connect_one(const struct bly_connect *how, const belay_address *address,
                    belay_stream **stream) {
        int rc = connect_one(how, address, stream);
        char text[BELAY_ADDRESS_TEXT], quoted[BLY_QUOTED];

        if (rc == 0 || rc == -ECANCELED)
                return rc;
        bly_address_text(bly_sockaddr(address), address->length, text, sizeof(text));
        if (how->local != NULL)
                return bly_explain(rc, "connect to %s from %s: %s", text,
                                   bly_endpoint_quote(quoted, how->local), strerror(-rc));
        return bly_explain(rc, "connect to %s: %s", text, strerror(-rc));
}

/* ---- the public functions ---- */

static int prepare(struct bly_connect *how, belay_task *self, const belay_connect_options *given,
                   const char *place) {
        belay_connect_options options;

        *how = (struct bly_connect) { .place = place };
        if (self == NULL)
                return -EPERM;
        bly_options(&options, sizeof(options), given);
        if (options.stagger < 0)
                return -EINVAL;
        how->io = bly_io_of(self->loop);
        if (how->io == NULL)
                return -errno;
        how->stagger = options.stagger > 0 ? options.stagger : STAGGER;
        how->nagle = options.nagle;
        how->local = options.local;
        if (options.local == NULL)
                return 0;
        return bly_resolve(self->loop, options.local, SOCK_STREAM, true, &how->locals,
                           &how->local_count, place);
}

int belay_connect_placed(const char *place, belay_stream **stream, const char *endpoint,
                         const belay_connect_options *options) {
        belay_task *self = bly_waiter(place, "belay_connect()");
        belay_address *addresses = NULL;
        struct bly_connect how;
        size_t count = 0;
        int rc = prepare(&how, self, options, place);

        *stream = NULL;
        if (rc == 0)
                rc = bly_resolve(self->loop, endpoint, SOCK_STREAM, false, &addresses, &count,
                                 place);
        how.endpoint = endpoint;
        if (rc == 0)
                rc = bly_connect_any(&how, addresses, count, stream);
        belay_addresses_free(addresses, count);
        belay_addresses_free(how.locals, how.local_count);
        return rc;
}

int belay_connect_to_placed(const char *place, belay_stream **stream, const struct sockaddr *given,
                            socklen_t length, const belay_connect_options *options) {
        belay_task *self = bly_waiter(place, "belay_connect_to()");
        belay_address address = { .length = length, .type = SOCK_STREAM };
        struct bly_connect how;
        int rc;

        *stream = NULL;
        if (self == NULL)
                return -EPERM;
        if (length < sizeof(given->sa_family) || length > sizeof(address.address))
                return -EINVAL;
        memcpy(&address.address, given, length);
        rc = prepare(&how, self, options, place);
        if (rc == 0)
                rc = bly_connect_one(&how, &address, stream);
        belay_addresses_free(how.locals, how.local_count);
        return rc;
}
