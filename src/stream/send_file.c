/* SPDX-License-Identifier: MIT */
/*
 * Sending a file through a stream.
 *
 * Where the stream is a plain socket, the system moves the bytes by itself; a thread waits for the disk. Other streams
 * are given what was read.
 */
#include <fcntl.h>

#include "stream/stream.h"
#include "thread/pool.h"

enum { CHUNK = 1024 * 1024, ROOM = 64 * 1024 };

/* How far it got, and what ended it: 0 at the end of the file, or a negative errno. */
struct progress {
        int64_t moved;
        ssize_t rc;
};

static int64_t least(int64_t one, int64_t other) {
        return one < other ? one : other;
}

static void by_system(belay_stream *stream, struct bly_descriptor *socket, int fd, int64_t offset, int64_t size,
                      struct progress *progress, const char *place) {
        struct bly_io *io = socket->io;
        int64_t rc;

        while (progress->moved < size) {
                rc = stream->closed ? -EBADF : bly_fd_try(io, socket->fd, BELAY_WRITABLE, place);
                if (rc == 0)
                        rc = bly_pool_sendfile(stream->loop, socket->fd->fd, fd, offset + progress->moved,
                                               least(size - progress->moved, CHUNK), place);
                /* Nothing moved: the file ends here. */
                if (rc != 0)
                        rc = bly_stream_note(stream, (ssize_t) rc);
                if (rc > 0) {
                        progress->moved += rc;
                        continue;
                }
                if (rc == -EAGAIN)
                        rc = bly_fd_wait(io, socket->fd, BELAY_WRITABLE, "send file", place);
                else if (rc == 0)
                        return;
                progress->rc = (ssize_t) rc;
                if (rc < 0)
                        return;
        }
}

/* The socket must not block the thread that sends. */
static void through_socket(belay_stream *stream, struct bly_descriptor *socket, int fd, int64_t offset, int64_t size,
                           struct progress *progress, const char *place) {
        int flags = fcntl(socket->fd->fd, F_GETFL);

        /* What ends the connection after the other side's end is not for who reads. */
        stream->sent_file = !stream->ended && !bly_socket_has_other_ended(socket->fd);
        fcntl(socket->fd->fd, F_SETFL, flags | O_NONBLOCK);
        by_system(stream, socket, fd, offset, size, progress, place);
        fcntl(socket->fd->fd, F_SETFL, flags);
}

static ssize_t write_all(belay_stream *stream, char *data, size_t size, int64_t *moved) {
        struct iovec part = { .iov_base = data, .iov_len = size };
        ssize_t rc = 0;

        while (part.iov_len > 0) {
                rc = bly_stream_write(stream, &part, 1);
                if (rc < 0)
                        return rc;
                *moved += rc;
                part.iov_base = (char *) part.iov_base + rc;
                part.iov_len -= (size_t) rc;
        }
        return rc;
}

static void through_memory(belay_stream *stream, int fd, int64_t offset, int64_t size, struct progress *progress,
                           const char *place) {
        char *buffer = bly_alloc(ROOM);

        if (buffer == NULL) {
                progress->rc = -ENOMEM;
                return;
        }
        while (progress->moved < size) {
                progress->rc = bly_pool_read(stream->loop, fd, buffer, (size_t) least(size - progress->moved, ROOM),
                                             offset + progress->moved, place);
                if (progress->rc <= 0)
                        break;
                progress->rc = write_all(stream, buffer, (size_t) progress->rc, &progress->moved);
                if (progress->rc < 0)
                        break;
        }
        bly_free(buffer);
}

static bool is_of_the_file(ssize_t rc) {
        return rc == -EINVAL || rc == -ENOSYS || rc == -EOPNOTSUPP;
}

static int64_t send_file(belay_stream *stream, int fd, int64_t offset, int64_t size, const char *place) {
        struct bly_descriptor *socket = bly_stream_socket(stream);
        struct progress progress = { .moved = 0 };

        progress.rc = bly_stream_writable(stream);
        if (progress.rc < 0)
                return progress.rc;
        if (socket != NULL)
                through_socket(stream, socket, fd, offset, size, &progress, place);
        /* A file that the system does not send by itself. */
        if (socket == NULL || (progress.moved == 0 && is_of_the_file(progress.rc))) {
                progress.rc = 0;
                through_memory(stream, fd, offset, size, &progress, place);
        }
        return bly_stream_written(stream, (ssize_t) progress.moved, progress.rc);
}

int64_t belay_send_file_placed(const char *place, belay_stream *stream, int fd, int64_t offset, int64_t size) {
        struct bly_recall recall;
        int64_t rc;

        if (offset < 0 || size < 0)
                return -EINVAL;
        rc = bly_stream_enter(stream, &stream->writer, place, "belay_send_file()");
        if (rc < 0)
                return rc;
        bly_recall_begin(&recall, &stream->writer, NULL);
        rc = send_file(stream, fd, offset, size, place);
        rc = bly_recall_end(&recall, rc);
        return bly_stream_leave(stream, &stream->writer, rc);
}
