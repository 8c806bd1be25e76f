/* SPDX-License-Identifier: MIT */
/*
 * Copying from stream to stream.
 *
 * What was read and could not be written at once goes through the buffer of the stream that is read, so that it is still
 * there whatever happens. Between sockets most is written at once, and needs no memory of the stream's: it passes through a buffer
 * that all share, which is valid until the task waits.
 */
#include "stream/stream.h"

enum { COPY_ROOM = 64 * 1024 };

/* One copy as it goes on. */
struct copying {
        belay_stream *to, *from;
        const struct bly_fd *socket;    /* to write to without waiting; NULL: not so */
        struct bly_io *io;              /* with that: has the buffer that all share; NULL: not so */
        int64_t most;                   /* negative: no end */
        int64_t *copied;
};

static size_t next_size(const struct copying *copying) {
        int64_t left = copying->most - *copying->copied;

        return copying->most < 0 || left > COPY_ROOM ? COPY_ROOM : (size_t) left;
}

/*
 * The loop keeps a buffer in reserve, so that what was read has a place, whatever happens, and a copy that never needs one
 * never asks for memory. It is looked after when there is something to read, since another copy may have taken it before.
 */
int bly_copy_keep_reserve(struct bly_io *io) {
        if (unlikely(io->reserve == NULL))
                io->reserve = bly_alloc(COPY_ROOM);
        return likely(io->reserve != NULL) ? 0 : -ENOMEM;
}

static void take_reserve(struct copying *copying) {
        belay_stream *from = copying->from;

        bly_free(from->buffer);
        from->buffer = copying->io->reserve;
        from->room = COPY_ROOM;
        copying->io->reserve = NULL;
}

/* A buffer that is empty again goes back. */
static void give_back(struct copying *copying) {
        belay_stream *from = copying->from;

        if (from->room != COPY_ROOM || bly_stream_buffered(from) > 0)
                return;
        if (copying->io->reserve == NULL)
                copying->io->reserve = from->buffer;
        else
                bly_free(from->buffer);
        from->buffer = NULL;
        from->room = from->start = from->end = 0;
}

/* Writes what is in the buffer, as far as it goes. */
static ssize_t write_buffered(struct copying *copying) {
        belay_stream *from = copying->from;
        struct iovec part = { .iov_base = from->buffer + from->start, .iov_len = bly_stream_buffered(from) };
        size_t most = next_size(copying);
        ssize_t rc = bly_stream_writable(copying->to);

        if (part.iov_len > most)
                part.iov_len = most;
        if (rc == 0)
                rc = bly_stream_write(copying->to, &part, 1);
        if (rc < 0)
                return rc;
        bly_stream_take(from, NULL, (size_t) rc);
        *copying->copied += rc;
        return rc;
}

/* Reads, and writes at once what can be; the rest goes to the buffer. 0 at the end. */
static ssize_t pass_on(struct copying *copying) {
        belay_stream *from = copying->from;
        char *shared = copying->io->shared;
        ssize_t size = bly_stream_read(from, shared, next_size(copying)), rc;

        if (size <= 0)
                return size;
        rc = bly_stream_writable(copying->to);
        if (rc == 0)
                rc = bly_stream_write_now(copying->to, copying->socket, shared, (size_t) size);
        if (rc > 0) {
                from->received += (size_t) rc;
                *copying->copied += rc;
                if (likely(rc == size))
                        return rc;
        }
        if (from->room < COPY_ROOM)
                take_reserve(copying);
        from->start = 0;
        from->end = (size_t) (size - (rc > 0 ? rc : 0));
        memcpy(from->buffer, shared + (rc > 0 ? rc : 0), from->end);
        return rc == -EAGAIN || rc > 0 ? 1 : rc;
}

static int copy(struct copying *copying) {
        ssize_t rc = 1;

        while (rc > 0 && (copying->most < 0 || *copying->copied < copying->most)) {
                if (bly_stream_buffered(copying->from) > 0) {
                        rc = write_buffered(copying);
                        if (copying->io != NULL)
                                give_back(copying);
                } else if (copying->io != NULL) {
                        rc = pass_on(copying);
                } else {
                        rc = bly_stream_fill(copying->from, next_size(copying));
                }
        }
        if (copying->io != NULL)
                give_back(copying);
        return rc < 0 ? (int) rc : 0;
}

/* For streams whose back end, or transport, is given the buffer and has it while we wait. */
static int make_room(belay_stream *stream) {
        char *buffer;

        if (stream->room >= COPY_ROOM)
                return 0;
        buffer = bly_realloc(stream->buffer, COPY_ROOM);
        if (buffer == NULL)
                return -ENOMEM;
        stream->buffer = buffer;
        stream->room = COPY_ROOM;
        return 0;
}

static int begin(struct copying *copying) {
        const struct bly_descriptor *source = bly_stream_socket(copying->from), *target = bly_stream_socket(copying->to);

        if (source == NULL || target == NULL || bly_performs(source->io))
                return make_room(copying->from);
        if (source->io->shared == NULL)
                source->io->shared = bly_alloc(COPY_ROOM);
        if (source->io->shared == NULL)
                return -ENOMEM;
        copying->io = source->io;
        copying->socket = target->fd;
        return 0;
}

int belay_copy_placed(const char *place, belay_stream *to, belay_stream *from, int64_t most, int64_t *copied) {
        int64_t unheeded;
        struct copying copying = { .to = to, .from = from, .most = most, .copied = copied != NULL ? copied : &unheeded };
        int rc;

        *copying.copied = 0;
        rc = bly_stream_enter(from, &from->reader, place, "belay_copy()");
        if (rc < 0)
                return rc;
        rc = bly_stream_enter(to, &to->writer, place, "belay_copy()");
        if (rc == 0) {
                rc = begin(&copying);
                if (rc == 0)
                        rc = copy(&copying);
                bly_stream_leave(to, &to->writer);
        }
        bly_stream_leave(from, &from->reader);
        return rc;
}
