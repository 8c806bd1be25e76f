/* SPDX-License-Identifier: MIT */
/*
 * Pipes, terminals and devices as transports: tried without waiting, and waited for.
 *
 * Most have a description of their own that does not block. Others share theirs, and whether that blocks may be changed
 * by somebody else at any time. So each try on these is one that cannot wait, whatever the flag says: the system's call
 * for it, or a look before that it is ready.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "stream/stream.h"

#ifndef RWF_NOWAIT
#  define RWF_NOWAIT 0x8
#endif

/* ---- without waiting ---- */

/* The offset is -1, the descriptor's own. Returns what the system says, with errno. */
static ssize_t move_now(long call, int fd, const struct iovec *parts, int count) {
        unsigned long high = sizeof(long) < sizeof(int64_t) ? -1UL : 0;

        return syscall(call, fd, parts, (unsigned long) count, -1UL, high, RWF_NOWAIT);
}

/* The system, or this descriptor, has no such call. */
static bool has_no_call(void) {
        return errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL;
}

/* Sets errno if not. */
static bool is_ready(int fd, short events) {
        struct pollfd pollfd = { .fd = fd, .events = events };

        if (poll(&pollfd, 1, 0) > 0)
                return true;
        errno = EAGAIN;
        return false;
}

static ssize_t read_shared(struct bly_descriptor *plain, int fd, void *buffer, size_t size) {
        struct iovec part = { .iov_base = buffer, .iov_len = size };
        ssize_t rc;

        if (!plain->cannot_read_now) {
                rc = move_now(SYS_preadv2, fd, &part, 1);
                if (rc >= 0 || !has_no_call())
                        return rc;
                plain->cannot_read_now = true;
        }
        return is_ready(fd, POLLIN) ? read(fd, buffer, size) : -1;
}

static ssize_t read_now(struct bly_descriptor *plain, int fd, void *buffer, size_t size) {
        return unlikely(plain->is_shared) ? read_shared(plain, fd, buffer, size) : read(fd, buffer, size);
}

/* ---- reading ---- */

static ssize_t read_some(struct bly_descriptor *plain, void *buffer, size_t size) {
        struct bly_io *io = plain->io;
        struct bly_fd *fd = plain->fd;
        const char *place = io->loop->current->place;
        ssize_t rc;

        for (;;) {
                rc = bly_fd_try(io, fd, BELAY_READABLE, place);
                if (rc < 0)
                        return rc;
                rc = read_now(plain, fd->fd, buffer, size);
                if (rc >= 0)
                        return rc;
                /* The other side of a terminal that was closed: its end. */
                if (errno == EIO && plain->is_terminal)
                        return 0;
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return -errno;
                rc = bly_fd_wait(io, fd, BELAY_READABLE, "read", place);
                if (rc < 0)
                        return rc;
        }
}

/* The system gives one packet at a time, and drops what there is no room for. So there always is room. */
static ssize_t read_packet(struct bly_descriptor *plain, void *buffer, size_t size) {
        struct bly_packet *packet = plain->packet;
        ssize_t rc;

        if (size >= packet->room && packet->start == packet->end)
                return read_some(plain, buffer, size);
        if (packet->start == packet->end) {
                rc = read_some(plain, packet->bytes, packet->room);
                if (rc <= 0)
                        return rc;
                packet->start = 0;
                packet->end = (size_t) rc;
        }
        if (size > packet->end - packet->start)
                size = packet->end - packet->start;
        memcpy(buffer, packet->bytes + packet->start, size);
        packet->start += size;
        return (ssize_t) size;
}

static ssize_t plain_read(void *self, void *buffer, size_t size) {
        struct bly_descriptor *plain = self;

        return unlikely(plain->packet != NULL) ? read_packet(plain, buffer, size) : read_some(plain, buffer, size);
}

/* ---- writing, and SIGPIPE ---- */

/*
 * As many bytes of the first part that is not empty as surely go without waiting, if the flag says nothing: a pipe that is ready
 * has room for so many, a terminal for one.
 */
static ssize_t write_little(const struct bly_descriptor *plain, int fd, const struct iovec *parts) {
        size_t most = plain->is_pipe ? PIPE_BUF : 1;

        while (parts->iov_len == 0)
                parts++;
        return write(fd, parts->iov_base, parts->iov_len < most ? parts->iov_len : most);
}

static ssize_t write_shared(struct bly_descriptor *plain, int fd, const struct iovec *parts, int count) {
        ssize_t rc;

        if (!plain->cannot_write_now) {
                rc = move_now(SYS_pwritev2, fd, parts, count);
                if (rc >= 0 || !has_no_call())
                        return rc;
                plain->cannot_write_now = true;
        }
        if (!is_ready(fd, POLLOUT))
                return -1;
        if ((plain->is_pipe || plain->is_terminal) && !(fcntl(fd, F_GETFL) & O_NONBLOCK))
                return write_little(plain, fd, parts);
        return writev(fd, parts, count);
}

static ssize_t write_now(struct bly_descriptor *plain, int fd, const struct iovec *parts, int count) {
        return unlikely(plain->is_shared) ? write_shared(plain, fd, parts, count) : writev(fd, parts, count);
}

/*
 * The signal that comes with EPIPE is this thread's, and is taken away before anybody is to have it. If one was there before,
 * it is somebody else's and stays.
 */
static ssize_t write_quietly(struct bly_descriptor *plain, int fd, const struct iovec *parts, int count) {
        const struct timespec now = { 0 };
        sigset_t pipe, before, pending;
        int error;
        ssize_t rc;

        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        sigpending(&pending);
        if (sigismember(&pending, SIGPIPE))
                return write_now(plain, fd, parts, count);
        pthread_sigmask(SIG_BLOCK, &pipe, &before);
        rc = write_now(plain, fd, parts, count);
        error = errno;
        if (rc < 0 && error == EPIPE)
                while (sigtimedwait(&pipe, NULL, &now) < 0 && errno == EINTR)
                        ;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        errno = error;
        return rc;
}

static ssize_t plain_write(void *self, const struct iovec *parts, int count) {
        struct bly_descriptor *plain = self;
        struct bly_io *io = plain->io;
        struct bly_fd *fd = plain->fd;
        const char *place = io->loop->current->place;
        ssize_t rc;

        for (;;) {
                rc = bly_fd_try(io, fd, BELAY_WRITABLE, place);
                if (rc < 0)
                        return rc;
                rc = write_quietly(plain, fd->fd, parts, count);
                if (rc >= 0)
                        return rc;
                if (errno == EINTR)
                        continue;
                if (errno != EAGAIN)
                        return -errno;
                rc = bly_fd_wait(io, fd, BELAY_WRITABLE, "write", place);
                if (rc < 0)
                        return rc;
        }
}

const belay_transport bly_plain_transport = {
        .size = sizeof(belay_transport),
        .name = "descriptor",
        .read = plain_read,
        .write = plain_write,
        .interrupt = bly_descriptor_interrupt,
        .destroy = bly_descriptor_destroy,
        .fd = bly_descriptor_fd,
        .describe = bly_descriptor_describe,
};
