/* SPDX-License-Identifier: MIT */
/*
 * Sending a file through a stream: the part that runs in the task.
 *
 * A thread reads the file, because a read may wait for the disk. If the stream is a plain socket,
 * the thread also sends the bytes at once. To other streams the task writes them.
 */
#include "stream/stream.h"
#include "thread/pool.h"

enum { SOCKET_ROOM = 256 * 1024, ROOM = 64 * 1024 };

/* How far a transfer got. */
struct progress {
        int64_t moved;
        ssize_t rc; /* why it ended: 0 at the end of the file, or an error */
};

static int64_t least(int64_t one, int64_t other) {
        return one < other ? one : other;
}

/* ---- to a socket ---- */

/*
 * Moves about a megabyte, or waits until the socket has room. Returns 0 if the transfer goes on, or
 * a negative errno.
 */
static ssize_t send_step(belay_stream *stream, struct bly_fd *fd, struct bly_sending *state,
                         int64_t *moved, const char *place) {
        struct bly_io *io = bly_loop->io;
        ssize_t rc = bly_fd_try(io, fd, BELAY_WRITABLE, place);

        if (rc == 0)
                rc = stream->closed ? -EBADF : bly_stream_writable(stream);
        if (rc == 0)
                rc = bly_pool_send(stream->loop, state, place);
        if (rc < 0)
                return rc;
        if (rc > 0)
                *moved += bly_stream_note(stream, rc);
        if (state->socket_error == -EAGAIN)
                return bly_fd_wait(io, fd, BELAY_WRITABLE, "send file", place);
        return state->socket_error < 0 ? bly_stream_note(stream, state->socket_error) : 0;
}

static bool is_over(const struct bly_sending *state) {
        return state->start == state->end && (state->ended || state->left == 0);
}

static void through_socket(belay_stream *stream, struct bly_fd *fd, int file, int64_t offset,
                           int64_t size, struct progress *progress, const char *place) {
        struct bly_sending state = {
                .socket = fd->fd,
                .file = file,
                .offset = offset,
                .left = size,
                .room = (size_t) least(size, SOCKET_ROOM),
        };

        state.buffer = bly_alloc(state.room);
        progress->rc = state.buffer != NULL ? 0 : -ENOMEM;
        while (progress->rc == 0 && !is_over(&state))
                progress->rc = send_step(stream, fd, &state, &progress->moved, place);
        if (progress->rc == 0)
                progress->rc = state.file_error;
        bly_free(state.buffer);
}

/* ---- to other streams ---- */

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

static void through_memory(belay_stream *stream, int fd, int64_t offset, int64_t size,
                           struct progress *progress, const char *place) {
        char *buffer = bly_alloc(ROOM);

        if (buffer == NULL) {
                progress->rc = -ENOMEM;
                return;
        }
        while (progress->moved < size) {
                progress->rc = bly_pool_read(stream->loop, fd, buffer,
                                             (size_t) least(size - progress->moved, ROOM),
                                             offset + progress->moved, place);
                if (progress->rc <= 0)
                        break;
                progress->rc = write_all(stream, buffer, (size_t) progress->rc, &progress->moved);
                if (progress->rc < 0)
                        break;
        }
        bly_free(buffer);
}

static int64_t send_file(belay_stream *stream, int fd, int64_t offset, int64_t size,
                         const char *place) {
        struct bly_descriptor *socket = bly_stream_socket(stream);
        struct progress progress = { .rc = bly_stream_writable(stream) };

        if (progress.rc < 0 || size == 0)
                return progress.rc;
        if (socket != NULL)
                through_socket(stream, socket->fd, fd, offset, size, &progress, place);
        else
                through_memory(stream, fd, offset, size, &progress, place);
        return bly_stream_written(stream, (ssize_t) progress.moved, progress.rc);
}

int64_t belay_send_file_placed(const char *place, belay_stream *stream, int fd, int64_t offset,
                               int64_t size) {
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
