/* SPDX-License-Identifier: MIT */
/*
 * Pipes, terminals and devices as transports: descriptors that do not block, tried and waited for.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "stream/stream.h"

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
                rc = read(fd->fd, buffer, size);
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

/* ---- writing, and SIGPIPE ---- */

/*
 * The signal that comes with EPIPE is this thread's, and is taken away before anybody is to have it. If one was there before,
 * it is somebody else's and stays.
 */
static ssize_t write_quietly(int fd, const struct iovec *parts, int count) {
        const struct timespec now = { 0 };
        sigset_t pipe, before, pending;
        int error;
        ssize_t rc;

        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        sigpending(&pending);
        if (sigismember(&pending, SIGPIPE))
                return writev(fd, parts, count);
        pthread_sigmask(SIG_BLOCK, &pipe, &before);
        rc = writev(fd, parts, count);
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
                rc = write_quietly(fd->fd, parts, count);
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
