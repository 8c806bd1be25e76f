/* SPDX-License-Identifier: MIT */
/*
 * The transport of sockets.
 *
 * Each system call has MSG_DONTWAIT, so the socket's own O_NONBLOCK flag does not matter.
 *
 * If recv() on TCP returned fewer bytes than requested, nothing is left, and the back end announces
 * the next bytes. So the next read waits without trying first (`drained`). Other sockets return
 * fewer bytes at the end of each message too, so there a short read shows nothing.
 */
#include <sys/socket.h>

#include "stream/stream.h"

/* Not inlined, so that struct bly_op takes no stack in a task that waits for readiness instead. */
static __attribute__((noinline)) ssize_t perform(struct bly_io *io, struct bly_fd *fd,
                                                 enum bly_op_kind kind, const char *what,
                                                 const void *address, size_t length, int flags) {
        struct bly_op op = {
                .slot = fd,
                .what = what,
                .kind = kind,
                .fd = fd->fd,
                .address = address,
                .length = length,
                .flags = flags,
        };

        return bly_perform(io, &op, io->loop->current->place);
}

/*
 * Prefetches the stack of the task that runs next, while the kernel executes this task's recv(). A
 * system call leaves little of that stack in the caches.
 */
static inline void bring_next(const struct belay_loop *loop) {
        enum { LINES = 7 }; /* cache lines up to the frame of the reading function */
        const struct bly_node *next = loop->ready.head;
        const char *sp;

        if (next == NULL || next->kind != BLY_NODE_TASK)
                return;
        sp = container_of(next, belay_task, node)->context.sp;
        for (size_t line = 0; line < LINES; line++)
                BLY_PREFETCH_WRITE(sp + line * BLY_CACHE_LINE);
}

/* ---- reading ---- */

ssize_t bly_socket_receive_now(struct bly_fd *fd, void *buffer, size_t size) {
        ssize_t rc;

        fd->ready &= (uint8_t) ~BELAY_READABLE;
        do
                rc = recv(fd->fd, buffer, size, MSG_DONTWAIT);
        while (unlikely(rc < 0 && errno == EINTR));
        if (likely(rc >= 0)) {
                fd->drained = fd->is_tcp && (size_t) rc < size && rc > 0 && !fd->gone;
                return rc;
        }
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

__attribute__((noinline)) ssize_t
bly_socket_receive_all_the_same(struct bly_io *io, struct bly_fd *fd, void *buffer, size_t size) {
        ssize_t rc = unlikely(fd->closing) ? -EAGAIN : bly_socket_receive_now(fd, buffer, size);

        if (rc == -EAGAIN)
                return -ECANCELED;
        bly_undeliver(io->loop->current);
        return rc;
}

static ssize_t socket_read(void *self, void *buffer, size_t size) {
        struct bly_io *io = bly_loop->io;
        struct bly_fd *fd = self;
        const char *place = io->loop->current->place;
        ssize_t rc = 0;

        if (bly_performs(io)) {
                rc = perform(io, fd, BLY_OP_RECEIVE, "read", buffer, size, 0);
                if (rc != -EAGAIN)
                        return rc;
        }
        if (fd->drained && likely(!io->loop->current->node.must_cancel)) {
                rc = bly_fd_wait(io, fd, BELAY_READABLE, "read", place);
                if (unlikely(rc == -ECANCELED))
                        return bly_socket_receive_all_the_same(io, fd, buffer, size);
        }
        while (rc >= 0) {
                rc = bly_fd_try(io, fd, BELAY_READABLE, place);
                if (unlikely(rc < 0))
                        break;
                bring_next(io->loop);
                rc = bly_socket_receive_now(fd, buffer, size);
                if (likely(rc != -EAGAIN))
                        return rc;
                rc = bly_fd_wait(io, fd, BELAY_READABLE, "read", place);
        }
        return rc;
}

/* ---- writing ---- */

static ssize_t send_parts(int fd, const struct iovec *parts, int count) {
        struct msghdr message = { .msg_iov = (struct iovec *) parts, .msg_iovlen = (size_t) count };

        return count == 1 ? send(fd, parts->iov_base, parts->iov_len, MSG_DONTWAIT | MSG_NOSIGNAL)
                          : sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

ssize_t bly_socket_send_now(const struct bly_fd *fd, const void *data, size_t size) {
        ssize_t rc = send(fd->fd, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (likely(rc >= 0))
                return rc;
        return errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
}

static __attribute__((noinline)) ssize_t perform_write(struct bly_io *io, struct bly_fd *fd,
                                                       const struct iovec *parts, int count) {
        struct msghdr message = { .msg_iov = (struct iovec *) parts, .msg_iovlen = (size_t) count };

        return perform(io, fd, BLY_OP_SEND_MESSAGE, "write", &message, 0, MSG_NOSIGNAL);
}

static ssize_t socket_write(void *self, const struct iovec *parts, int count) {
        struct bly_io *io = bly_loop->io;
        struct bly_fd *fd = self;
        const char *place = io->loop->current->place;
        ssize_t rc = 0;

        if (bly_performs(io)) {
                rc = perform_write(io, fd, parts, count);
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
        const struct bly_fd *fd = self;

        return shutdown(fd->fd, SHUT_WR) < 0 ? -errno : 0;
}

/* ---- functions that all descriptors share ---- */

static struct bly_descriptor *descriptor_of(const void *self) {
        return container_of(((const struct bly_fd *) self)->owner, struct bly_descriptor, owner);
}

static void socket_interrupt(void *self) {
        bly_descriptor_interrupt(descriptor_of(self));
}

static void socket_destroy(void *self, bool abort) {
        bly_descriptor_destroy(descriptor_of(self), abort);
}

static int socket_fd(const void *self) {
        return ((const struct bly_fd *) self)->fd;
}

static const char *socket_describe(const void *self) {
        return bly_descriptor_describe(descriptor_of(self));
}

const belay_transport bly_socket_transport = {
        .size = sizeof(belay_transport),
        .name = "socket",
        .read = socket_read,
        .write = socket_write,
        .half_close = socket_half_close,
        .interrupt = socket_interrupt,
        .destroy = socket_destroy,
        .fd = socket_fd,
        .describe = socket_describe,
};
