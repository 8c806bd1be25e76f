/* SPDX-License-Identifier: MIT */
/*
 * What transports of descriptors have in common: their end, and making them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stream/stream.h"

void bly_descriptor_interrupt(void *self) {
        struct bly_descriptor *descriptor = self;

        descriptor->fd->closing = true;
        bly_fd_forget(descriptor->io, descriptor->fd);
}

/* What was written is given up, and the other side is told so. */
static void reset(int fd) {
        struct linger none = { .l_onoff = 1, .l_linger = 0 };

        setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

void bly_descriptor_destroy(void *self, bool abort) {
        struct bly_descriptor *descriptor = self;
        int fd = descriptor->fd->fd, saved = errno;
        bool stays_open = descriptor->keep_open && descriptor->given < 0;

        if (abort && descriptor->is_tcp && !descriptor->keep_open)
                reset(fd);
        if (descriptor->restore)
                fcntl(fd, F_SETFL, descriptor->flags);
        bly_fd_disown(descriptor->io, descriptor->fd, !stays_open);
        if (!stays_open)
                close(fd);
        if (descriptor->given >= 0 && !descriptor->keep_open)
                close(descriptor->given);
        bly_free(descriptor->name);
        bly_free(descriptor);
        errno = saved;
}

int bly_descriptor_fd(const void *self) {
        const struct bly_descriptor *descriptor = self;

        return descriptor->given >= 0 ? descriptor->given : descriptor->fd->fd;
}

const char *bly_descriptor_describe(const void *self) {
        struct bly_descriptor *descriptor = (struct bly_descriptor *) self;
        char name[160], end[128];

        if (descriptor->name != NULL)
                return descriptor->name;
        if (descriptor->peer_length > 0)
                snprintf(name, sizeof(name), "%s%s", descriptor->is_tcp ? "tcp " : "",
                         bly_address_text((struct sockaddr *) &descriptor->peer, descriptor->peer_length, end, sizeof(end)));
        else
                bly_fd_name(bly_descriptor_fd(descriptor), name, sizeof(name));
        descriptor->name = bly_alloc(strlen(name) + 1);
        return descriptor->name != NULL ? strcpy(descriptor->name, name) : NULL;
}

void bly_stream_note_peer(belay_stream *stream, const struct sockaddr *peer, socklen_t length) {
        struct bly_descriptor *descriptor = bly_stream_socket(stream);

        /* A Unix socket that has no name is better told of by where it leads from. */
        if (descriptor == NULL || length <= sizeof(sa_family_t) || length > sizeof(descriptor->peer))
                return;
        memcpy(&descriptor->peer, peer, length);
        descriptor->peer_length = length;
}

/* ---- making ---- */

/* NULL without memory. */
static struct bly_descriptor *make(struct bly_io *io, int fd) {
        struct bly_descriptor *descriptor = bly_zalloc(sizeof(*descriptor));

        if (descriptor == NULL)
                return NULL;
        descriptor->io = io;
        descriptor->given = -1;
        descriptor->fd = bly_fd_own(io, fd);
        if (descriptor->fd == NULL) {
                bly_free(descriptor);
                return NULL;
        }
        return descriptor;
}

static int make_socket_stream(belay_stream **stream, struct bly_descriptor *descriptor, int family) {
        struct bly_fd *fd = descriptor->fd;
        int rc;

        descriptor->is_tcp = fd->is_tcp = family == AF_INET || family == AF_INET6;
        descriptor->is_unix = family == AF_UNIX;
        fd->owner = descriptor;
        rc = belay_stream_new(stream, &bly_socket_transport, fd);
        return rc;
}

int bly_stream_of_socket(belay_stream **stream, struct bly_io *io, int fd, int family) {
        struct bly_descriptor *descriptor = make(io, fd);
        int rc;

        *stream = NULL;
        if (descriptor == NULL) {
                close(fd);
                return -ENOMEM;
        }
        rc = make_socket_stream(stream, descriptor, family);
        if (rc < 0)
                bly_descriptor_destroy(descriptor, false);
        return rc;
}

/* ---- of a descriptor that the program has ---- */

static int option_of(int fd, int option) {
        int value = 0;
        socklen_t length = sizeof(value);

        return getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0 ? -errno : value;
}

static int open_socket(belay_stream **stream, struct bly_io *io, int fd, bool keep_open) {
        struct bly_descriptor *descriptor;
        int type = option_of(fd, SO_TYPE), listens = option_of(fd, SO_ACCEPTCONN), family = option_of(fd, SO_DOMAIN), rc;

        if (type < 0 || listens < 0 || family < 0)
                return type < 0 ? type : listens < 0 ? listens : family;
        if (type != SOCK_STREAM || listens)
                return -EINVAL;
        descriptor = make(io, fd);
        if (descriptor == NULL)
                return -ENOMEM;
        descriptor->keep_open = true;
        rc = make_socket_stream(stream, descriptor, family);
        if (rc < 0)
                bly_descriptor_destroy(descriptor, false);
        else
                descriptor->keep_open = keep_open;
        return rc;
}

/*
 * Whether a description blocks is a property that all share who have it. So it is opened once more, and this one is
 * made non-blocking: the others notice nothing. Where that cannot be, its flag is changed, and put back in the end. It
 * cannot be with devices, of which opening may make another one: the master of a terminal is such.
 */
static int open_apart(int fd, int flags) {
        struct stat stat;
        char path[32];
        int number;

        if (fstat(fd, &stat) < 0 || !(S_ISFIFO(stat.st_mode) || (isatty(fd) && ioctl(fd, TIOCGPTN, &number) < 0)))
                return -1;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        return open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

static int open_plain(belay_stream **stream, struct bly_io *io, int fd, int flags, bool keep_open) {
        struct bly_descriptor *descriptor;
        int other = flags & O_NONBLOCK ? -1 : open_apart(fd, flags), rc = 0;

        descriptor = make(io, other >= 0 ? other : fd);
        if (descriptor == NULL) {
                if (other >= 0)
                        close(other);
                return -ENOMEM;
        }
        descriptor->given = other >= 0 ? fd : -1;
        descriptor->is_terminal = isatty(fd);
        descriptor->keep_open = true;
        if (other < 0 && !(flags & O_NONBLOCK)) {
                descriptor->flags = flags;
                descriptor->restore = fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
                rc = descriptor->restore ? 0 : -errno;
        }
        if (rc == 0)
                rc = belay_stream_new(stream, &bly_plain_transport, descriptor);
        if (rc < 0)
                bly_descriptor_destroy(descriptor, false);
        else
                descriptor->keep_open = keep_open;
        return rc;
}

int belay_stream_open_fd(belay_stream **stream, int fd, const belay_stream_options *given) {
        belay_stream_options options;
        struct bly_io *io;
        struct stat stat;
        int flags;

        *stream = NULL;
        bly_options(&options, sizeof(options), given);
        if (bly_loop == NULL)
                return bly_misuse(-EPERM, NULL, "belay_stream_open_fd() where no loop runs");
        io = bly_io_of(bly_loop);
        if (io == NULL)
                return -errno;
        flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fstat(fd, &stat) < 0)
                return -errno;
        if (S_ISREG(stat.st_mode) || S_ISBLK(stat.st_mode))
                return -EPERM;
        if (S_ISDIR(stat.st_mode))
                return -EINVAL;
        return S_ISSOCK(stat.st_mode) ? open_socket(stream, io, fd, options.keep_open)
                                      : open_plain(stream, io, fd, flags, options.keep_open);
}

static int open_both(int fds[2], belay_stream **one, belay_stream **other) {
        int rc = belay_stream_open_fd(one, fds[0], NULL);

        *other = NULL;
        if (rc < 0)
                close(fds[0]);
        else
                rc = belay_stream_open_fd(other, fds[1], NULL);
        if (*other == NULL)
                close(fds[1]);
        if (rc < 0) {
                belay_abort(*one);
                *one = NULL;
        }
        return rc;
}

int belay_stream_pipe(belay_stream **reader, belay_stream **writer) {
        int fds[2];

        *reader = *writer = NULL;
        if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        return open_both(fds, reader, writer);
}

int belay_stream_pair(belay_stream **one, belay_stream **other) {
        int fds[2];

        *one = *other = NULL;
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
                return -errno;
        return open_both(fds, one, other);
}
