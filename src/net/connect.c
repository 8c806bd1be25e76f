/* SPDX-License-Identifier: MIT */
/*
 * Connecting.
 *
 * connect() is called again after each wait: that says whether it came to something, and to what. What happened wins:
 * a connection that stands when a cancellation is delivered is returned, and the request is there for the next wait.
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

/* To the first of our addresses of this family that will do. *chosen is it, NULL if none is asked for. */
static int bind_own(const struct bly_connect *how, int fd, int family, const belay_address **chosen) {
        int rc = how->local_count > 0 ? -EAFNOSUPPORT : 0, one = 1;

        *chosen = NULL;
        /* Without a port of its own it gets one when it is known whom it connects to: there are enough then. */
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

/* The descriptor, or a negative errno. It does not block, which connect() must not. */
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

/* 0: it stands; -EINPROGRESS, -EAGAIN (a Unix socket's listener has no room); or it failed. */
static int try_once(int fd, const belay_address *address) {
        int rc;

        do
                rc = connect(fd, bly_sockaddr(address), address->length);
        while (rc < 0 && errno == EINTR);
        if (rc == 0 || errno == EISCONN)
                return 0;
        return errno == EALREADY ? -EINPROGRESS : -errno;
}

static int wait_for_answer(const struct bly_connect *how, struct bly_fd *fd, const belay_address *address) {
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

static int connect_socket(const struct bly_connect *how, struct bly_fd *fd, const belay_address *address) {
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

/* ---- what came of it ---- */

/*
 * A port of this machine at which nobody listens may be the one that the system chooses for our end. Then the socket
 * meets itself, and is connected.
 */
static bool met_itself(int fd, const belay_address *address) {
        struct sockaddr_storage own, peer;
        struct sockaddr_in *in = (struct sockaddr_in *) &own;
        socklen_t own_length = sizeof(own), peer_length = sizeof(peer);

        /* The port stands at the same place in both families. */
        if (bly_family(address) != AF_INET && bly_family(address) != AF_INET6)
                return false;
        if (getsockname(fd, (struct sockaddr *) &own, &own_length) < 0
            || in->sin_port != ((const struct sockaddr_in *) &address->address)->sin_port)
                return false;
        return getpeername(fd, (struct sockaddr *) &peer, &peer_length) == 0 && peer_length == own_length
               && memcmp(&own, &peer, own_length) == 0;
}

/* Somebody closed the descriptor that connects, which belay alone knows. */
static void lost(struct bly_fd_owner *owner) {
        (void) owner;
}

/* Takes the descriptor over. */
static int make_stream(const struct bly_connect *how, int fd, const belay_address *address, belay_stream **stream) {
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

static int connect_one(const struct bly_connect *how, const belay_address *address, belay_stream **stream) {
        struct bly_fd_owner owner = { .what = "a connection that is being made", .place = how->place, .lost = lost };
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

/* A cancellation keeps its own reason. */
int bly_connect_one(const struct bly_connect *how, const belay_address *address, belay_stream **stream) {
        int rc = connect_one(how, address, stream);
        char text[BELAY_ADDRESS_TEXT], quoted[BLY_QUOTED];

        if (rc == 0 || rc == -ECANCELED)
                return rc;
        bly_address_text(bly_sockaddr(address), address->length, text, sizeof(text));
        if (how->local != NULL)
                return bly_explain(rc, "connect to %s from %s: %s", text, bly_endpoint_quote(quoted, how->local), strerror(-rc));
        return bly_explain(rc, "connect to %s: %s", text, strerror(-rc));
}

/* ---- the functions ---- */

static int prepare(struct bly_connect *how, belay_task *self, const belay_connect_options *given, const char *place) {
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
        return bly_resolve(self->loop, options.local, SOCK_STREAM, true, &how->locals, &how->local_count, place);
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
                rc = bly_resolve(self->loop, endpoint, SOCK_STREAM, false, &addresses, &count, place);
        how.endpoint = endpoint;
        if (rc == 0)
                rc = bly_connect_any(&how, addresses, count, stream);
        belay_addresses_free(addresses, count);
        belay_addresses_free(how.locals, how.local_count);
        return rc;
}

int belay_connect_to_placed(const char *place, belay_stream **stream, const struct sockaddr *given, socklen_t length,
                            const belay_connect_options *options) {
        belay_task *self = bly_waiter(place, "belay_connect_to()");
        belay_address address = { .length = length, .type = SOCK_STREAM };
        struct bly_connect how;
        int rc;

        *stream = NULL;
        if (length < sizeof(given->sa_family) || length > sizeof(address.address))
                return -EINVAL;
        memcpy(&address.address, given, length);
        rc = prepare(&how, self, options, place);
        if (rc == 0)
                rc = bly_connect_one(&how, &address, stream);
        belay_addresses_free(how.locals, how.local_count);
        return rc;
}
