/* SPDX-License-Identifier: MIT */
/*
 * Writing all bytes or as many as there is room for, and streams that are incomplete.
 */
#define _GNU_SOURCE
#include <sys/uio.h>

#include "stream/stream.h"

/* ---- writing to the transport ---- */

int bly_stream_writable(const belay_stream *stream) {
        if (likely(!stream->cut && !stream->half_closed && stream->writer.error == 0))
                return 0;
        if (stream->writer.error != 0)
                return stream->writer.error;
        return stream->cut ? -ENOTRECOVERABLE : -ESHUTDOWN;
}

/* Returns whether an error is permanent: the peer or the device will take nothing more. */
static bool is_final(ssize_t rc) {
        return rc == -EPIPE || rc == -ECONNRESET || rc == -ETIMEDOUT || rc == -EIO
               || rc == -ECONNABORTED;
}

ssize_t bly_stream_note(belay_stream *stream, ssize_t rc) {
        if (likely(rc > 0)) {
                stream->sent += (size_t) rc;
                return rc;
        }
        /* If a transport returned 0 each time, a write of all bytes would call it without end. */
        if (rc == 0)
                rc = -EIO;
        if (is_final(rc))
                stream->writer.error = (int) rc;
        if (unlikely(stream->transport.is_sound != NULL)
            && !stream->transport.is_sound(stream->self))
                stream->cut = stream->unsound = true;
        return rc;
}

ssize_t bly_stream_write(belay_stream *stream, const struct iovec *parts, int count) {
        /* If the stream was closed between two steps of a call, interrupt() ends no later step. */
        if (unlikely(stream->closed))
                return -EBADF;
        return bly_stream_note(stream, stream->write(stream->self, parts, count));
}

ssize_t bly_stream_write_now(belay_stream *stream, const struct bly_fd *socket, const void *data,
                             size_t size) {
        return bly_stream_note(stream, bly_socket_send_now(socket, data, size));
}

ssize_t bly_stream_written(belay_stream *stream, ssize_t moved, ssize_t rc) {
        if (likely(rc >= 0))
                return moved;
        if (moved == 0)
                return rc;
        stream->cut = true;
        if (rc == -ECANCELED)
                bly_undeliver(stream->writer.task);
        return moved;
}

/* ---- writing all bytes ---- */

ssize_t belay_write_placed(const char *place, belay_stream *stream, const void *data, size_t size) {
        ssize_t rc = bly_stream_enter(stream, &stream->writer, place, "belay_write()"), moved = 0;
        struct iovec part = { .iov_base = (void *) data, .iov_len = size };

        if (unlikely(rc < 0))
                return rc;
        rc = bly_stream_writable(stream);
        while (part.iov_len > 0 && rc >= 0) {
                rc = bly_stream_write(stream, &part, 1);
                if (rc < 0)
                        break;
                moved += rc;
                part.iov_base = (char *) part.iov_base + rc;
                part.iov_len -= (size_t) rc;
        }
        rc = bly_stream_written(stream, moved, rc);
        return (ssize_t) bly_stream_leave(stream, &stream->writer, rc);
}

/* The parts that are not written yet. */
struct position {
        const struct iovec *parts;
        int count;
        size_t within; /* bytes of the first part that are written */
};

static int window(const struct position *position, struct iovec *parts, int most) {
        int count = position->count < most ? position->count : most;

        memcpy(parts, position->parts, (size_t) count * sizeof(*parts));
        if (count > 0) {
                parts[0].iov_base = (char *) parts[0].iov_base + position->within;
                parts[0].iov_len -= position->within;
        }
        return count;
}

static void advance(struct position *position, size_t size) {
        position->within += size;
        while (position->count > 0 && position->within >= position->parts->iov_len) {
                position->within -= position->parts->iov_len;
                position->parts++;
                position->count--;
        }
}

static ssize_t write_parts(belay_stream *stream, const struct iovec *given, int given_count) {
        struct position position = { .parts = given, .count = given_count };
        struct iovec parts[32];
        ssize_t moved = 0, rc = bly_stream_writable(stream);

        if (rc < 0)
                return rc;
        advance(&position, 0);
        while (position.count > 0) {
                rc = bly_stream_write(stream, parts,
                                      window(&position, parts, (int) ARRAY_SIZE(parts)));
                if (rc < 0)
                        break;
                moved += rc;
                advance(&position, (size_t) rc);
        }
        return bly_stream_written(stream, moved, rc);
}

ssize_t belay_writev_placed(const char *place, belay_stream *stream, const struct iovec *parts,
                            int count) {
        ssize_t rc, sum = 0;

        if (count < 0 || count > UIO_MAXIOV)
                return -EINVAL;
        for (int i = 0; i < count; i++)
                if (__builtin_add_overflow(sum, parts[i].iov_len, &sum))
                        return -EINVAL;
        rc = bly_stream_enter(stream, &stream->writer, place, "belay_writev()");
        if (rc < 0)
                return rc;
        rc = write_parts(stream, parts, count);
        return (ssize_t) bly_stream_leave(stream, &stream->writer, rc);
}

/* ---- writing as much as there is room for ---- */

ssize_t belay_write_some_placed(const char *place, belay_stream *stream, const void *data,
                                size_t size) {
        ssize_t rc = bly_stream_enter(stream, &stream->writer, place, "belay_write_some()");
        struct iovec part = { .iov_base = (void *) data, .iov_len = size };

        if (rc < 0)
                return rc;
        rc = bly_stream_writable(stream);
        if (rc == 0 && size > 0)
                rc = bly_stream_write(stream, &part, 1);
        return (ssize_t) bly_stream_leave(stream, &stream->writer, rc);
}

/* ---- incomplete streams ---- */

bool belay_is_cut(const belay_stream *stream) {
        return stream->cut;
}

int belay_mend(belay_stream *stream) {
        if (stream->unsound)
                return -ENOTRECOVERABLE;
        stream->cut = false;
        return 0;
}
