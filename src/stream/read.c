/* SPDX-License-Identifier: MIT */
/*
 * Reading available bytes, reading an exact number of bytes, and the buffer of bytes read ahead.
 */
#include "stream/stream.h"

enum { BUFFER_LEAST = 4096 };

/* ---- from the transport ---- */

/*
 * Returns whether an error is permanent, so that each later read returns it too. Errors of the
 * wait, of misuse, of a closed descriptor, and of a lack of memory or space are not.
 */
static bool is_final(ssize_t rc) {
        switch (-rc) {
        case ECANCELED:
        case EDEADLK:
        case ENOMEM:
        case ENOBUFS:
        case ENOSPC:
        case EBADF:
        case EPERM:
                return false;
        }
        return rc < 0;
}

/*
 * Returns the error if the end of stream means that the connection broke, otherwise 0. The kernel
 * reports a broken connection only once, and the writer of this stream may have received the
 * report. -EPIPE is none: a writer receives it too after the peer has closed in good order.
 */
static ssize_t look_at_end(const belay_stream *stream) {
        return stream->writer.error != -EPIPE ? stream->writer.error : 0;
}

/* Returns 1 if the transport may be read; otherwise the value that the read must return. */
static inline ssize_t readable(const belay_stream *stream) {
        if (unlikely(stream->reader.error != 0))
                return stream->reader.error;
        if (unlikely(stream->ended))
                return 0;
        /* If the stream was closed between two steps of a call, interrupt() ends no later step. */
        return unlikely(stream->closed) ? -EBADF : 1;
}

/* Records that the transport returned no bytes: the end of stream, or a permanent error. */
static ssize_t note(belay_stream *stream, ssize_t rc) {
        if (rc == 0)
                rc = look_at_end(stream);
        if (rc == 0)
                stream->ended = true;
        else if (is_final(rc))
                stream->reader.error = (int) rc;
        return rc;
}

ssize_t bly_stream_read(belay_stream *stream, void *buffer, size_t size) {
        ssize_t rc = readable(stream);

        if (unlikely(rc <= 0))
                return rc;
        rc = stream->read(stream->self, buffer, size);
        return likely(rc > 0) ? rc : note(stream, rc);
}

ssize_t bly_stream_read_now(belay_stream *stream, struct bly_fd *socket, void *buffer,
                            size_t size) {
        ssize_t rc = readable(stream);

        if (unlikely(rc <= 0))
                return rc;
        rc = bly_socket_receive_now(socket, buffer, size);
        return likely(rc > 0 || rc == -EAGAIN) ? rc : note(stream, rc);
}

/* ---- the buffer ---- */

static int make_room(belay_stream *stream, size_t most) {
        size_t used = bly_stream_buffered(stream), room = stream->room;
        char *buffer;

        if (stream->end < stream->room && stream->room - stream->start >= most)
                return 0;
        if (stream->start > 0) {
                memmove(stream->buffer, stream->buffer + stream->start, used);
                stream->start = 0;
                stream->end = used;
        }
        if (used < room)
                return 0;
        room = room < BUFFER_LEAST ? BUFFER_LEAST : room * 2;
        buffer = bly_realloc(stream->buffer, room);
        if (buffer == NULL)
                return -ENOMEM;
        stream->buffer = buffer;
        stream->room = room;
        return 0;
}

ssize_t bly_stream_fill(belay_stream *stream, size_t most) {
        ssize_t rc = make_room(stream, most);

        if (rc < 0)
                return rc;
        rc = bly_stream_read(stream, stream->buffer + stream->end, stream->room - stream->end);
        if (rc > 0)
                stream->end += (size_t) rc;
        return rc;
}

void bly_stream_take(belay_stream *stream, void *to, size_t size) {
        if (to != NULL)
                memcpy(to, stream->buffer + stream->start, size);
        stream->start += size;
        stream->received += size;
        if (stream->start == stream->end)
                stream->start = stream->end = 0;
}

static size_t take_some(belay_stream *stream, void *to, size_t most) {
        size_t size = bly_stream_buffered(stream);

        if (size > most)
                size = most;
        bly_stream_take(stream, to, size);
        return size;
}

/* ---- reading available bytes ---- */

ssize_t belay_read_placed(const char *place, belay_stream *stream, void *buffer, size_t size) {
        ssize_t rc = bly_stream_enter(stream, &stream->reader, place, "belay_read()");

        if (unlikely(rc < 0))
                return rc;
        if (unlikely(size == 0)) {
                rc = 0;
        } else if (unlikely(stream->end != stream->start)) {
                rc = (ssize_t) take_some(stream, buffer, size);
        } else {
                rc = bly_stream_read(stream, buffer, size);
                if (likely(rc > 0))
                        stream->received += (size_t) rc;
        }
        return (ssize_t) bly_stream_leave(stream, &stream->reader, rc);
}

/* ---- reading an exact number of bytes ---- */

ssize_t belay_read_exactly_placed(const char *place, belay_stream *stream, void *buffer,
                                  size_t size) {
        ssize_t rc = bly_stream_enter(stream, &stream->reader, place, "belay_read_exactly()");
        size_t moved;

        if (rc < 0)
                return rc;
        moved = stream->end != stream->start ? take_some(stream, buffer, size) : 0;
        while (moved < size) {
                rc = bly_stream_read(stream, (char *) buffer + moved, size - moved);
                if (rc <= 0)
                        break;
                moved += (size_t) rc;
                stream->received += (size_t) rc;
        }
        if (moved > 0 && rc == -ECANCELED)
                bly_undeliver(stream->reader.task);
        return (ssize_t) bly_stream_leave(stream, &stream->reader,
                                          moved > 0 || rc > 0 ? (ssize_t) moved : rc);
}

/* ---- peeking and skipping ---- */

ssize_t belay_peek_placed(const char *place, belay_stream *stream, size_t least,
                          const void **data) {
        ssize_t rc = bly_stream_enter(stream, &stream->reader, place, "belay_peek()");

        *data = NULL;
        if (rc < 0)
                return rc;
        rc = 1;
        while (rc > 0 && bly_stream_buffered(stream) < least)
                rc = bly_stream_fill(stream, least);
        if (rc >= 0) {
                *data = stream->buffer != NULL ? stream->buffer + stream->start : "";
                rc = (ssize_t) bly_stream_buffered(stream);
        }
        rc = (ssize_t) bly_stream_leave(stream, &stream->reader, rc);
        if (rc < 0)
                *data = NULL;
        return rc;
}

size_t belay_skip(belay_stream *stream, size_t size) {
        return stream->reader.task == NULL ? take_some(stream, NULL, size) : 0;
}

size_t belay_buffered(const belay_stream *stream) {
        return bly_stream_buffered(stream);
}
