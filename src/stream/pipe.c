/* SPDX-License-Identifier: MIT */
/*
 * The transport of pipes, terminals and devices: it tries without waiting, and waits until the
 * descriptor is ready.
 *
 * Most streams have an open file description of their own that does not block. If other processes
 * share the description, they may change its O_NONBLOCK flag at any time. So each try on a shared
 * one relies on no flag: it uses a system call that never waits (RWF_NOWAIT), or polls before.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/quiet.h"
#include "stream/stream.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x8
#endif

/* ---- without waiting ---- */

/* Calls preadv2() or pwritev2() with the offset -1, the descriptor's own. Returns -1 with errno. */
static ssize_t move_now(long call, int fd, const struct iovec *parts, int count) {
        unsigned long high = sizeof(long) < sizeof(int64_t) ? -1UL : 0;

        return syscall(call, fd, parts, (unsigned long) count, -1UL, high, RWF_NOWAIT);
}

/* Returns whether errno says that the kernel does not have the call for this descriptor. */
static bool has_no_call(void) {
        return errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL;
}

/* Returns whether the descriptor is ready for `events`; if not, sets errno. */
static bool is_ready(int fd, short events) {
        struct pollfd pollfd = { .fd = fd, .events = events };
        int rc = poll(&pollfd, 1, 0);

        if (rc == 0)
                errno = EAGAIN;
        return rc > 0;
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

static ssize_t read_directly(struct bly_descriptor *plain, int fd, void *buffer, size_t size) {
        return unlikely(plain->is_shared) ? read_shared(plain, fd, buffer, size)
                                          : read(fd, buffer, size);
}

/* ---- pipes in packet mode ---- */

enum { PACKET = 65536 }; /* room for any packet, which is at most a page long */

/*
 * Copies the first bytes of a pipe, at most `most`, to another pipe, and leaves them in the first.
 * Returns their number, 0 at the end, or -1 with errno.
 */
static ssize_t copy_ahead(int fd, const int copy[2], size_t most) {
        return tee(fd, copy[1], most, SPLICE_F_NONBLOCK);
}

/*
 * Finds the mode of a pipe by a copy of its bytes, if there are at least 2. If one read does not
 * return the whole copy, the pipe holds packets. If it does, the copy may be a single packet: then
 * a read of 1 byte of a second copy discards the rest. Returns as copy_ahead().
 */
static ssize_t find_mode_with(struct bly_descriptor *plain, int fd, const int copy[2], char *room) {
        ssize_t size = copy_ahead(fd, copy, PACKET);
        int left = 0;

        if (size < 2)
                return size;
        if (read(copy[0], room, PACKET) < size)
                plain->mode = BLY_PIPE_PACKETS;
        else if (copy_ahead(fd, copy, (size_t) size) == size && read(copy[0], room, 1) == 1
                 && ioctl(copy[0], FIONREAD, &left) == 0)
                plain->mode = left == size - 1 ? BLY_PIPE_BYTES : BLY_PIPE_PACKETS;
        return size;
}

/*
 * Finds the mode of a pipe by a copy in a second pipe. `room` is scratch memory of PACKET bytes.
 * Returns as copy_ahead().
 */
static ssize_t find_mode(struct bly_descriptor *plain, int fd, char *room) {
        int copy[2], error;
        ssize_t size;

        if (pipe2(copy, O_CLOEXEC | O_NONBLOCK) < 0)
                return -1;
        size = find_mode_with(plain, fd, copy, room);
        error = errno;
        close(copy[0]);
        close(copy[1]);
        errno = error;
        return size;
}

/*
 * Reads into memory with room for any packet, and keeps the bytes that the caller has no room for.
 */
static ssize_t read_packet(struct bly_descriptor *plain, int fd, void *buffer, size_t size) {
        struct bly_packet *packet = plain->packet;
        ssize_t rc;

        if (packet->start == packet->end) {
                rc = read_directly(plain, fd, packet->bytes, PACKET);
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

static int make_packet(struct bly_descriptor *plain) {
        if (plain->packet != NULL)
                return 0;
        plain->packet = bly_alloc(sizeof(*plain->packet) + PACKET);
        if (plain->packet == NULL) {
                errno = ENOMEM;
                return -1;
        }
        plain->packet->start = plain->packet->end = 0;
        return 0;
}

/* Reads from a pipe whose mode is unknown, and finds the mode if it can. */
static ssize_t read_and_find(struct bly_descriptor *plain, int fd, void *buffer, size_t size) {
        int there = 0;
        ssize_t rc;

        ioctl(fd, FIONREAD, &there);
        /* A read of a single byte loses nothing in either mode. */
        if (there == 1)
                return read_directly(plain, fd, buffer, size);
        if (there == 0 && !is_ready(fd, POLLIN))
                return -1;
        if (make_packet(plain) < 0)
                return -1;
        rc = find_mode(plain, fd, plain->packet->bytes);
        if (rc == 0 || (rc < 0 && errno == EAGAIN))
                return rc;
        if (rc == 1)
                return read_directly(plain, fd, buffer, size);
        if (plain->mode != BLY_PIPE_BYTES)
                return read_packet(plain, fd, buffer, size);
        bly_free(plain->packet);
        plain->packet = NULL;
        return read_directly(plain, fd, buffer, size);
}

static ssize_t read_pipe(struct bly_descriptor *plain, int fd, void *buffer, size_t size) {
        bool keeps = plain->packet != NULL && plain->packet->start < plain->packet->end;

        if (size >= PACKET && !keeps)
                return read_directly(plain, fd, buffer, size);
        if (plain->mode == BLY_PIPE_UNKNOWN && !keeps)
                return read_and_find(plain, fd, buffer, size);
        return make_packet(plain) < 0 ? -1 : read_packet(plain, fd, buffer, size);
}

static ssize_t read_now(struct bly_descriptor *plain, int fd, void *buffer, size_t size) {
        return unlikely(plain->is_pipe) && plain->mode != BLY_PIPE_BYTES
                       ? read_pipe(plain, fd, buffer, size)
                       : read_directly(plain, fd, buffer, size);
}

/* ---- reading ---- */

static ssize_t plain_read(void *self, void *buffer, size_t size) {
        struct bly_descriptor *plain = self;
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
                /* EIO means that the other side of the terminal was closed: the end of stream. */
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

/* ---- writing, and SIGPIPE ---- */

/*
 * Writes to a descriptor that is ready and may block, as many bytes as are certain not to wait. A
 * pipe that is ready has room for PIPE_BUF bytes, a terminal for 1. They are taken from the first
 * part that is not empty.
 */
static ssize_t write_little(const struct bly_descriptor *plain, int fd, const struct iovec *parts) {
        size_t most = plain->is_pipe ? PIPE_BUF : 1;

        while (parts->iov_len == 0)
                parts++;
        return write(fd, parts->iov_base, parts->iov_len < most ? parts->iov_len : most);
}

static ssize_t write_shared(struct bly_descriptor *plain, int fd, const struct iovec *parts,
                            int count) {
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

static ssize_t write_now(struct bly_descriptor *plain, int fd, const struct iovec *parts,
                         int count) {
        return unlikely(plain->is_shared) ? write_shared(plain, fd, parts, count)
                                          : writev(fd, parts, count);
}

static ssize_t write_quietly(struct bly_descriptor *plain, int fd, const struct iovec *parts,
                             int count) {
        struct bly_quiet quiet;
        ssize_t rc;

        bly_quiet_begin(&quiet);
        rc = write_now(plain, fd, parts, count);
        bly_quiet_end(&quiet, rc < 0 && errno == EPIPE);
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
