/* SPDX-License-Identifier: MIT */
/*
 * Sockets as transports.
 *
 * Each call says that it must not block, so the socket's own flag does not matter. A byte stream of TCP that gave less
 * than was asked for has nothing left, and what comes next is announced: then the next read waits without trying. Other sockets
 * stop at the borders of messages, and say nothing by that.
 */
#include <sys/socket.h>

#include "stream/stream.h"

static inline const char *place_of(const struct bly_io *io) {
        return io->loop->current->place;
}

static ssize_t perform(struct bly_descriptor *socket, enum bly_op_kind kind, const char *what, const void *address,
                       size_t length, int flags) {
        struct bly_op op = {
                .slot = socket->fd,
                .what = what,
                .kind = kind,
                .fd = socket->fd->fd,
                .address = address,
                .length = length,
                .flags = flags,
        };

        return bly_perform(socket->io, &op, place_of(socket->io));
}

/* ---- reading ---- */

static ssize_t socket_read(void *self, void *buffer, size_t size) {
        struct bly_descriptor *socket = self;
        struct bly_io *io = socket->io;
        struct bly_fd *fd = socket->fd;
        const char *place = place_of(io);
        ssize_t rc = 0;

        if (bly_performs(io)) {
                rc = perform(socket, BLY_OP_RECEIVE, "read", buffer, size, 0);
                if (rc != -EAGAIN)
                        return rc;
        }
        if (fd->drained)
                rc = bly_fd_wait(io, fd, BELAY_READABLE, "read", place);
        while (rc >= 0) {
                rc = bly_fd_try(io, fd, BELAY_READABLE, place);
                if (unlikely(rc < 0))
                        break;
                rc = recv(fd->fd, buffer, size, MSG_DONTWAIT);
                if (likely(rc >= 0)) {
                        fd->drained = socket->is_tcp && (size_t) rc < size && rc > 0 && !fd->gone;
                        return rc;
                }
                if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
                        return -errno;
                rc = errno == EINTR ? 0 : bly_fd_wait(io, fd, BELAY_READABLE, "read", place);
        }
        return rc;
}

/* ---- writing ---- */

static ssize_t send_parts(int fd, const struct iovec *parts, int count) {
        struct msghdr message = { .msg_iov = (struct iovec *) parts, .msg_iovlen = (size_t) count };

        return count == 1 ? send(fd, parts->iov_base, parts->iov_len, MSG_DONTWAIT | MSG_NOSIGNAL)
                          : sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

ssize_t bly_socket_send_now(struct bly_descriptor *socket, const void *data, size_t size) {
        ssize_t rc = send(socket->fd->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (likely(rc >= 0))
                return rc;
        return errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

static ssize_t perform_write(struct bly_descriptor *socket, const struct iovec *parts, int count) {
        struct msghdr message = { .msg_iov = (struct iovec *) parts, .msg_iovlen = (size_t) count };

        return perform(socket, BLY_OP_SEND_MESSAGE, "write", &message, 0, MSG_NOSIGNAL);
}

static ssize_t socket_write(void *self, const struct iovec *parts, int count) {
        struct bly_descriptor *socket = self;
        struct bly_io *io = socket->io;
        struct bly_fd *fd = socket->fd;
        const char *place = place_of(io);
        ssize_t rc = 0;

        if (bly_performs(io)) {
                rc = perform_write(socket, parts, count);
                if (rc != -EAGAIN)
                        return rc;
        }
        for (;;) {
                rc = bly_fd_try(io, fd, BELAY_WRITABLE, place);
                if (unlikely(rc < 0))
                        return rc;
                rc = send_parts(fd->fd, parts, count);
                if (likely(rc >= 0))
                        return rc;
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN && errno != EWOULDBLOCK)
                        return -errno;
                rc = bly_fd_wait(io, fd, BELAY_WRITABLE, "write", place);
                if (rc < 0)
                        return rc;
        }
}

static int socket_half_close(void *self) {
        struct bly_descriptor *socket = self;

        return shutdown(socket->fd->fd, SHUT_WR) < 0 ? -errno : 0;
}

const belay_transport bly_socket_transport = {
        .size = sizeof(belay_transport),
        .name = "socket",
        .read = socket_read,
        .write = socket_write,
        .half_close = socket_half_close,
        .interrupt = bly_descriptor_interrupt,
        .destroy = bly_descriptor_destroy,
        .fd = bly_descriptor_fd,
        .describe = bly_descriptor_describe,
};
