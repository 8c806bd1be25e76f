/* SPDX-License-Identifier: MIT */
/*
 * Opening, stopping and closing listeners.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/bind.h"
#include "net/endpoint.h"
#include "net/net.h"
#include "net/shortage.h"

/* ---- sockets that listen ---- */

static int set(int fd, int level, int option, int value) {
        return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int prepare(int fd, const belay_address *address, const belay_listen_options *options) {
        int family = bly_family(address), rc = 0;

        if (family == AF_UNIX)
                return 0;
        rc = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        if (rc == 0 && options->share)
                rc = set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
        /* Accepted sockets inherit this option. */
        if (rc == 0 && !options->nagle)
                rc = set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        /* A socket at "::", which is every address, serves IPv4 as well. */
        if (rc == 0 && family == AF_INET6) {
                const struct sockaddr_in6 *in = (const struct sockaddr_in6 *) &address->address;

                rc = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, !IN6_IS_ADDR_UNSPECIFIED(&in->sin6_addr));
        }
        return rc;
}

/* A socket of which a listener is made. */
struct opened {
        int fd;
        const char *path; /* Unix socket's file; NULL: none */
        struct bly_inode file;
};

static void undo(const struct opened *opened) {
        bly_remove_file(opened->path, &opened->file);
        close(opened->fd);
}

/* Makes a bound socket listen. Returns 0 or a negative errno. */
static int begin(struct opened *opened, const belay_listen_options *options) {
        int rc = opened->path != NULL ? bly_note_file(opened->path, &opened->file) : 0;

        if (rc < 0) {
                unlink(opened->path);
                opened->path = NULL;
                return rc;
        }
        if (opened->path != NULL && options->mode != 0
            && chmod(opened->path, (mode_t) options->mode) < 0)
                return -errno;
        return listen(opened->fd, options->backlog > 0 ? options->backlog : 65535) < 0 ? -errno : 0;
}

static int open_at(struct opened *opened, const belay_address *address,
                   const belay_listen_options *options) {
        int rc;

        *opened = (struct opened) { .fd = socket(bly_family(address), SOCK_STREAM | SOCK_CLOEXEC,
                                                 0) };
        if (opened->fd < 0)
                return -errno;
        rc = prepare(opened->fd, address, options);
        if (rc == 0)
                rc = bly_bind(opened->fd, address);
        if (rc == 0) {
                opened->path = bly_path_of(address);
                rc = begin(opened, options);
        }
        if (rc < 0)
                undo(opened);
        return rc;
}

/* ---- listeners ---- */

int bly_do_not_block(int fd) {
        int flags = fcntl(fd, F_GETFL);

        if (flags >= 0 && flags & O_NONBLOCK)
                return 1;
        return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

static void block_again(int fd) {
        int flags = fcntl(fd, F_GETFL);

        if (flags >= 0)
                fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

static void lost(struct bly_fd_owner *owner) {
        belay_listener *listener = container_of(owner, belay_listener, owner);

        bly_remove_file(listener->path, &listener->file);
        listener->stopped = true;
}

static bool is_same(const struct bly_fd_owner *owner, int fd) {
        char endpoint[BELAY_ADDRESS_TEXT];

        return bly_own_endpoint(fd, endpoint) >= 0
               && strcmp(endpoint, container_of(owner, belay_listener, owner)->endpoint) == 0;
}

/*
 * Makes a listener of a socket. `handed_down`: the program gave the descriptor. If the function
 * fails, the descriptor is still the caller's.
 */
static int make(belay_listener **out, struct bly_io *io, const struct opened *opened,
                bool handed_down, const char *place) {
        size_t path_size = opened->path != NULL ? strlen(opened->path) + 1 : 0;
        belay_listener *listener = bly_zalloc(sizeof(*listener) + path_size);
        int rc;

        *out = NULL;
        if (listener == NULL)
                return -ENOMEM;
        listener->io = io;
        rc = listener->family = bly_own_endpoint(opened->fd, listener->endpoint);
        listener->owner = (struct bly_fd_owner) {
                .what = "a listener", .place = place, .is_same = is_same, .lost = lost
        };
        if (rc >= 0)
                rc = bly_fd_own(io, opened->fd, &listener->owner, !handed_down, &listener->fd);
        if (rc == 0 && !bly_performs(io)) {
                rc = bly_do_not_block(opened->fd);
                listener->is_shared = handed_down;
                listener->restore = handed_down && rc == 0;
        }
        if (rc < 0 && listener->fd != NULL)
                bly_fd_disown(io, listener->fd, false);
        if (rc < 0) {
                bly_free(listener);
                return rc;
        }
        if (opened->path != NULL)
                listener->path = memcpy(listener + 1, opened->path, path_size);
        listener->file = opened->file;
        *out = listener;
        return 0;
}

static int listen_at(belay_listener **out, struct bly_io *io, const belay_address *addresses,
                     size_t count, const belay_listen_options *options, const char *place) {
        struct opened opened;
        int rc = -EINVAL;

        /*
         * After a shortage no other address is tried, because none may replace the one that failed.
         */
        for (size_t i = 0; i < count && rc < 0 && !bly_is_shortage(rc); i++)
                rc = open_at(&opened, &addresses[i], options);
        if (rc < 0)
                return rc;
        rc = make(out, io, &opened, false, place);
        if (rc < 0)
                undo(&opened);
        return rc;
}

int belay_listen_placed(const char *place, belay_listener **out, const char *endpoint,
                        const belay_listen_options *given) {
        belay_task *self = bly_waiter(place, "belay_listen()");
        char quoted[BLY_QUOTED];
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
        rc = listen_at(out, io, addresses, count, &options, place);
        belay_addresses_free(addresses, count);
        if (rc < 0)
                bly_explain(rc, "listen at %s: %s", bly_endpoint_quote(quoted, endpoint),
                            strerror(-rc));
        return rc;
}

/* Returns 0, -EINVAL if the descriptor is no stream socket that listens, or another errno. */
static int check_listens(int fd) {
        int type, listens;
        socklen_t length = sizeof(type);

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0)
                return errno == ENOTSOCK ? -EINVAL : -errno;
        length = sizeof(listens);
        if (type != SOCK_STREAM || getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) < 0)
                return -EINVAL;
        return listens ? 0 : -EINVAL;
}

int belay_listen_fd_placed(const char *place, belay_listener **out, int fd) {
        struct bly_io *io;
        int rc;

        *out = NULL;
        if (bly_loop == NULL)
                return bly_misuse(-EPERM, place, "belay_listen_fd() where no loop runs");
        rc = check_listens(fd);
        if (rc == -EINVAL)
                return bly_explain(rc, "descriptor %d is no listening stream socket", fd);
        io = rc == 0 ? bly_io_of(bly_loop) : NULL;
        if (rc == 0)
                rc = io != NULL ? make(out, io, &(struct opened) { .fd = fd }, true, place)
                                : -errno;
        return rc < 0 ? bly_explain(rc, "listen at descriptor %d: %s", fd, strerror(-rc)) : rc;
}

const char *belay_listener_endpoint(const belay_listener *listener) {
        return listener->endpoint;
}

int belay_listener_fd(const belay_listener *listener) {
        return listener->stopped ? -EBADF : listener->fd->fd;
}

/* ---- stopping and closing ---- */

void bly_listener_stop(belay_listener *listener) {
        int fd;

        if (listener->stopped)
                return;
        listener->stopped = true;
        fd = listener->fd->fd;
        /* Remove the path before the socket, so that no client finds a path without a listener. */
        bly_remove_file(listener->path, &listener->file);
        bly_fd_disown(listener->io, listener->fd, true);
        if (listener->restore)
                block_again(fd);
        close(fd);
}

void bly_listener_enter(belay_listener *listener) {
        listener->inside++;
}

int bly_listener_leave(belay_listener *listener, int rc) {
        bool closed = listener->closed;

        if (--listener->inside == 0 && closed)
                bly_free(listener);
        if (closed && rc == -ECANCELED)
                bly_undeliver(bly_loop->current);
        return closed ? -EBADF : rc;
}

void belay_listener_close(belay_listener *listener) {
        if (listener == NULL)
                return;
        bly_listener_stop(listener);
        listener->closed = true;
        if (listener->inside == 0)
                bly_free(listener);
}
