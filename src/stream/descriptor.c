/* SPDX-License-Identifier: MIT */
/*
 * The common part of the transports of descriptors: making them, naming them, and closing them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "stream/stream.h"

void bly_descriptor_interrupt(void *self) {
        struct bly_descriptor *descriptor = self;

        descriptor->fd->closing = true;
        bly_fd_forget(descriptor->io, descriptor->fd);
}

/* Makes close() discard unsent data and send a reset to the peer. */
static void reset(int fd) {
        struct linger none = { .l_onoff = 1, .l_linger = 0 };

        setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

/* Ends the stream's ownership of a descriptor, and closes it unless it stays open. */
static void let_go(struct bly_io *io, struct bly_fd *fd, bool stays_open) {
        int number = fd->fd;

        bly_fd_disown(io, fd, !stays_open);
        if (!stays_open)
                close(number);
}

static void free_descriptor(struct bly_descriptor *descriptor) {
        bly_free(descriptor->packet);
        bly_free(descriptor->name);
        bly_free(descriptor);
}

void bly_descriptor_destroy(void *self, bool abort) {
        struct bly_descriptor *descriptor = self;
        int saved = errno;

        if (descriptor->fd != NULL) {
                int fd = descriptor->fd->fd;

                if (abort && descriptor->is_tcp && !descriptor->keep_open)
                        reset(fd);
                if (descriptor->restore)
                        fcntl(fd, F_SETFL, descriptor->flags);
                let_go(descriptor->io, descriptor->fd,
                       descriptor->keep_open && !descriptor->is_apart);
        }
        if (descriptor->given != NULL)
                let_go(descriptor->io, descriptor->given, descriptor->keep_open);
        free_descriptor(descriptor);
        errno = saved;
}

int bly_descriptor_fd(const void *self) {
        const struct bly_descriptor *descriptor = self;
        const struct bly_fd *fd = descriptor->is_apart ? descriptor->given : descriptor->fd;

        return fd != NULL ? fd->fd : -EBADF;
}

const char *bly_descriptor_describe(const void *self) {
        struct bly_descriptor *descriptor = (struct bly_descriptor *) self;
        char name[160], end[128];

        if (descriptor->name != NULL)
                return descriptor->name;
        if (descriptor->peer_length > 0)
                snprintf(name, sizeof(name), "%s%s", descriptor->is_tcp ? "tcp " : "",
                         bly_address_text((struct sockaddr *) &descriptor->peer,
                                          descriptor->peer_length, end, sizeof(end)));
        else
                bly_fd_name(bly_descriptor_fd(descriptor), name, sizeof(name));
        descriptor->name = bly_alloc(strlen(name) + 1);
        return descriptor->name != NULL ? strcpy(descriptor->name, name) : NULL;
}

void bly_stream_note_peer(belay_stream *stream, const struct sockaddr *peer, socklen_t length) {
        struct bly_descriptor *descriptor = bly_stream_socket(stream);

        /* If a Unix socket has no name, bly_fd_name() says more than its address would. */
        if (descriptor == NULL || length <= sizeof(sa_family_t)
            || length > sizeof(descriptor->peer))
                return;
        memcpy(&descriptor->peer, peer, length);
        descriptor->peer_length = length;
}

/* ---- descriptors that the program closed although a stream owned them ---- */

static ssize_t lost_read(void *self, void *buffer, size_t size) {
        (void) self;
        (void) buffer;
        (void) size;
        return -EBADF;
}

static ssize_t lost_write(void *self, const struct iovec *parts, int count) {
        (void) self;
        (void) parts;
        (void) count;
        return -EBADF;
}

static void lost_interrupt(void *self) {
        (void) self;
}

static const belay_transport lost_transport = {
        .size = sizeof(belay_transport),
        .name = "lost descriptor",
        .read = lost_read,
        .write = lost_write,
        .interrupt = lost_interrupt,
        .destroy = bly_descriptor_destroy,
        .fd = bly_descriptor_fd,
};

static void lost(struct bly_fd_owner *owner) {
        struct bly_descriptor *descriptor = container_of(owner, struct bly_descriptor, owner);

        descriptor->fd = NULL;
        bly_stream_lose(descriptor->stream, &lost_transport, descriptor);
}

/* The stream goes on with the descriptor that it opened itself. */
static void lost_given(struct bly_fd_owner *owner) {
        container_of(owner, struct bly_descriptor, given_owner)->given = NULL;
}

static bool is_that_file(const struct bly_descriptor *descriptor, int fd) {
        struct sockaddr_storage peer;
        socklen_t length = sizeof(peer);
        struct stat stat;

        if (fstat(fd, &stat) < 0)
                return false;
        if (descriptor->file != 0)
                return stat.st_ino == descriptor->file && stat.st_dev == descriptor->device;
        /* For a socket that belay made no inode is known, so the peer's address identifies it. */
        return S_ISSOCK(stat.st_mode)
               && (descriptor->peer_length == 0
                   || (getpeername(fd, (struct sockaddr *) &peer, &length) == 0
                       && length == descriptor->peer_length
                       && memcmp(&peer, &descriptor->peer, length) == 0));
}

static bool is_same(const struct bly_fd_owner *owner, int fd) {
        return is_that_file(container_of(owner, struct bly_descriptor, owner), fd);
}

static bool is_same_given(const struct bly_fd_owner *owner, int fd) {
        return is_that_file(container_of(owner, struct bly_descriptor, given_owner), fd);
}

/* ---- making ---- */

/* A descriptor of which a stream is made. */
struct source {
        struct bly_io *io;
        int fd;
        bool is_fresh; /* opened just before, so any earlier owner has lost it */
        const char *place;
        struct stat stat; /* all zero: unknown */
};

static int make(struct bly_descriptor **out, const struct source *source) {
        struct bly_descriptor *descriptor = bly_zalloc(sizeof(*descriptor));
        int rc;

        *out = descriptor;
        if (descriptor == NULL)
                return -ENOMEM;
        descriptor->io = source->io;
        descriptor->device = source->stat.st_dev;
        descriptor->file = source->stat.st_ino;
        descriptor->owner = (struct bly_fd_owner) {
                .what = "a stream", .place = source->place, .is_same = is_same, .lost = lost
        };
        rc = bly_fd_own(source->io, source->fd, &descriptor->owner, source->is_fresh,
                        &descriptor->fd);
        if (rc < 0)
                bly_free(descriptor);
        return rc;
}

static int make_socket_stream(belay_stream **stream, struct bly_descriptor *descriptor,
                              int family) {
        struct bly_fd *fd = descriptor->fd;
        int rc;

        descriptor->is_tcp = fd->is_tcp = family == AF_INET || family == AF_INET6;
        descriptor->is_unix = family == AF_UNIX;
        rc = belay_stream_new(stream, &bly_socket_transport, fd);
        descriptor->stream = *stream;
        return rc;
}

int bly_stream_of_socket(belay_stream **stream, struct bly_io *io, int fd, int family,
                         const char *place) {
        struct bly_descriptor *descriptor;
        int rc = make(&descriptor,
                      &(struct source) { .io = io, .fd = fd, .is_fresh = true, .place = place });

        *stream = NULL;
        if (rc < 0) {
                close(fd);
                return rc;
        }
        rc = make_socket_stream(stream, descriptor, family);
        if (rc < 0)
                bly_descriptor_destroy(descriptor, false);
        return rc;
}

/* ---- making streams of descriptors of the program ---- */

static int option_of(int fd, int option) {
        int value = 0;
        socklen_t length = sizeof(value);

        return getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0 ? -errno : value;
}

static int open_socket(belay_stream **stream, const struct source *source, bool keep_open) {
        struct bly_descriptor *descriptor;
        int fd = source->fd, type = option_of(fd, SO_TYPE), listens = option_of(fd, SO_ACCEPTCONN);
        int family = option_of(fd, SO_DOMAIN), rc;

        if (type < 0 || listens < 0 || family < 0)
                return type < 0 ? type : listens < 0 ? listens : family;
        if (type != SOCK_STREAM || listens)
                return -EINVAL;
        rc = make(&descriptor, source);
        if (rc < 0)
                return rc;
        descriptor->keep_open = true;
        rc = make_socket_stream(stream, descriptor, family);
        if (rc < 0)
                bly_descriptor_destroy(descriptor, false);
        else
                descriptor->keep_open = keep_open;
        return rc;
}

/*
 * Opens a pipe or a terminal a second time, with O_NONBLOCK. Returns the new descriptor, or -1 if
 * the file cannot be opened again.
 *
 * O_NONBLOCK is a flag of the open file description, which all processes that hold it share. A
 * second open makes another description, so other processes neither notice its flag nor can change
 * it. Other devices are not opened again, because an open may make another device. That is so for
 * the master of a terminal. A pipe's packet mode (O_DIRECT) is a flag of the description too, so
 * the new one gets it as well.
 */
static int open_apart(int fd, const struct stat *stat, int flags) {
        char path[32];
        int number, other;

        if (!(S_ISFIFO(stat->st_mode) || (isatty(fd) && ioctl(fd, TIOCGPTN, &number) < 0)))
                return -1;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        other = open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (other >= 0 && flags & O_DIRECT && fcntl(other, F_SETFL, O_NONBLOCK | O_DIRECT) < 0) {
                close(other);
                return -1;
        }
        return other;
}

/* Returns true for /dev/null and similar devices, whose reads and writes never wait. */
static bool never_blocks(const struct stat *stat) {
        enum { MEMORY = 1, NONE = 3, ZERO = 5, FULL = 7, URANDOM = 9 };
        unsigned number = minor(stat->st_rdev);

        return S_ISCHR(stat->st_mode) && major(stat->st_rdev) == MEMORY
               && (number == NONE || number == ZERO || number == FULL || number == URANDOM);
}

/* Makes the stream the owner of the given descriptor too. It uses the one that was opened apart. */
static int own_both(struct bly_descriptor *descriptor, const struct source *source) {
        descriptor->is_apart = true;
        descriptor->given_owner = descriptor->owner;
        descriptor->given_owner.is_same = is_same_given;
        descriptor->given_owner.lost = lost_given;
        return bly_fd_own(source->io, source->fd, &descriptor->given_owner, source->is_fresh,
                          &descriptor->given);
}

/*
 * Prepares a description that other processes may share. A pipe's O_NONBLOCK flag stays as it is,
 * because pipe.c has ways to use a pipe that never wait. For terminals and devices the function
 * sets the flag until the stream is closed.
 */
static int use_shared(struct bly_descriptor *descriptor, const struct source *source, int flags) {
        descriptor->is_shared = !never_blocks(&source->stat);
        if (!descriptor->is_shared || descriptor->is_pipe || flags & O_NONBLOCK)
                return 0;
        descriptor->flags = flags;
        descriptor->restore = fcntl(source->fd, F_SETFL, flags | O_NONBLOCK) == 0;
        return descriptor->restore ? 0 : -errno;
}

static int make_plain(struct bly_descriptor **out, const struct source *source, int other) {
        struct source apart = *source;

        if (other < 0)
                return make(out, source);
        apart.fd = other;
        apart.is_fresh = true;
        return make(out, &apart);
}

/* If belay made the pipe (`is_own`), its descriptors do not block, and none is opened again. */
static int open_plain(belay_stream **stream, const struct source *source, int flags, bool is_own,
                      bool keep_open) {
        struct bly_descriptor *descriptor;
        int other = is_own ? -1 : open_apart(source->fd, &source->stat, flags),
            rc = make_plain(&descriptor, source, other);

        if (rc < 0) {
                if (other >= 0)
                        close(other);
                return rc;
        }
        descriptor->is_terminal = isatty(source->fd);
        descriptor->is_pipe = S_ISFIFO(source->stat.st_mode);
        descriptor->keep_open = true;
        rc = other >= 0 ? own_both(descriptor, source) : use_shared(descriptor, source, flags);
        if (rc == 0)
                rc = belay_stream_new(stream, &bly_plain_transport, descriptor);
        descriptor->stream = *stream;
        if (rc < 0)
                bly_descriptor_destroy(descriptor, false);
        else
                descriptor->keep_open = keep_open;
        return rc;
}

static int open_fd(belay_stream **stream, int fd, bool is_own, bool keep_open, const char *place) {
        struct source source = {
                .io = bly_io_of(bly_loop), .fd = fd, .is_fresh = is_own, .place = place
        };
        int flags;

        if (source.io == NULL)
                return -errno;
        flags = fcntl(fd, F_GETFL);
        if (flags < 0 || fstat(fd, &source.stat) < 0)
                return -errno;
        if (S_ISREG(source.stat.st_mode) || S_ISBLK(source.stat.st_mode))
                return -EPERM;
        if (S_ISDIR(source.stat.st_mode))
                return -EINVAL;
        return S_ISSOCK(source.stat.st_mode)
                       ? open_socket(stream, &source, keep_open)
                       : open_plain(stream, &source, flags, is_own, keep_open);
}

int belay_stream_open_fd_placed(const char *place, belay_stream **stream, int fd,
                                const belay_stream_options *given) {
        belay_stream_options options;

        *stream = NULL;
        bly_options(&options, sizeof(options), given);
        if (bly_loop == NULL)
                return bly_misuse(-EPERM, place, "belay_stream_open_fd() where no loop runs");
        return open_fd(stream, fd, false, options.keep_open, place);
}

static int open_both(int fds[2], belay_stream **one, belay_stream **other, const char *place) {
        int rc = open_fd(one, fds[0], true, false, place);

        if (rc < 0)
                close(fds[0]);
        else
                rc = open_fd(other, fds[1], true, false, place);
        if (*other == NULL)
                close(fds[1]);
        if (rc < 0) {
                belay_abort(*one);
                *one = NULL;
        }
        return rc;
}

int belay_stream_pipe_placed(const char *place, belay_stream **reader, belay_stream **writer) {
        int fds[2];

        *reader = *writer = NULL;
        if (bly_loop == NULL)
                return bly_misuse(-EPERM, place, "belay_stream_pipe() where no loop runs");
        if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
                return -errno;
        return open_both(fds, reader, writer, place);
}

int belay_stream_pair_placed(const char *place, belay_stream **one, belay_stream **other) {
        int fds[2];

        *one = *other = NULL;
        if (bly_loop == NULL)
                return bly_misuse(-EPERM, place, "belay_stream_pair() where no loop runs");
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
                return -errno;
        return open_both(fds, one, other, place);
}
