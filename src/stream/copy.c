/* SPDX-License-Identifier: MIT */
/*
 * Copying from stream to stream.
 *
 * Bytes that were read and could not be written at once stay in the buffer of the stream that is
 * read. So no byte is lost if the copy ends early.
 *
 * Between sockets, most bytes are written at once and need no memory of the stream. They pass
 * through a buffer that all copies of the loop share, and that is valid until the task waits. The
 * task need not even wake up for them. When bytes arrive, the loop itself calls serve(), which
 * moves them until the source ends, an error occurs or the target is full.
 */
#include "stream/stream.h"

enum {
        COPY_ROOM = 64 * 1024,
        PAGE = 4096,
        SERVED_AT_ONCE = 3, /* pieces that one call of serve() moves at most */
};

static inline belay_stream *source_of(struct bly_copying *copying) {
        return container_of(copying, belay_stream, copying);
}

static inline bool is_complete(const struct bly_copying *copying) {
        return copying->most >= 0 && copying->copied >= copying->most;
}

static inline size_t next_size(const struct bly_copying *copying) {
        int64_t left = copying->most - copying->copied;

        return copying->most < 0 || left > COPY_ROOM ? COPY_ROOM : (size_t) left;
}

/* Writes buffered bytes by one write of the transport, and takes those that were written. */
static ssize_t write_buffered(struct bly_copying *copying) {
        belay_stream *from = source_of(copying);
        struct iovec part = { .iov_base = from->buffer + from->start,
                              .iov_len = bly_stream_buffered(from) };
        size_t most = next_size(copying);
        ssize_t rc = bly_stream_writable(copying->to);

        if (part.iov_len > most)
                part.iov_len = most;
        if (rc == 0)
                rc = bly_stream_write(copying->to, &part, 1);
        if (rc < 0)
                return rc;
        bly_stream_take(from, NULL, (size_t) rc);
        copying->copied += rc;
        return rc;
}

/* ---- between sockets ---- */

/*
 * Ensures before a read that the loop has a buffer in reserve, into which a rest that the target
 * did not take can go. One reserve serves all copies of the loop, so a copy without a rest
 * allocates nothing. The check precedes each read because another copy may have taken the reserve.
 */
static int keep_reserve(struct bly_io *io) {
        if (unlikely(io->reserve == NULL))
                io->reserve = bly_alloc(COPY_ROOM);
        return likely(io->reserve != NULL) ? 0 : -ENOMEM;
}

static void take_reserve(struct bly_copying *copying) {
        belay_stream *from = source_of(copying);

        bly_free(from->buffer);
        from->buffer = copying->io->reserve;
        from->room = COPY_ROOM;
        copying->io->reserve = NULL;
}

/* Returns the buffer to the loop if it is empty, as its reserve or to the allocator. */
static void give_back(struct bly_copying *copying) {
        belay_stream *from = source_of(copying);

        if (from->room != COPY_ROOM || bly_stream_buffered(from) > 0)
                return;
        if (copying->io->reserve == NULL)
                copying->io->reserve = from->buffer;
        else
                bly_free(from->buffer);
        from->buffer = NULL;
        from->room = from->start = from->end = 0;
}

/* Keeps bytes that were read and not written in the buffer of the stream that is read. */
static __attribute__((noinline)) void keep_rest(struct bly_copying *copying, const char *rest,
                                                size_t size) {
        belay_stream *from = source_of(copying);

        if (from->room < COPY_ROOM)
                take_reserve(copying);
        from->start = 0;
        from->end = size;
        memcpy(from->buffer, rest, size);
}

/*
 * Reads once, and writes at once as much as the target takes. Returns 1 if bytes were read, 0 at
 * the end of stream, -EAGAIN if nothing is there, or another negative errno.
 */
static ssize_t pass_on_now(struct bly_copying *copying, struct bly_fd *fd) {
        belay_stream *from = source_of(copying), *to = copying->to;
        char *shared = copying->io->shared;
        ssize_t size, rc;

        rc = keep_reserve(copying->io);
        if (unlikely(rc < 0)) {
                fd->ready |= BELAY_READABLE;
                return rc;
        }
        size = bly_stream_read_now(from, fd, shared, next_size(copying));
        if (unlikely(size <= 0))
                return size;
        rc = unlikely(to->closed) ? -EBADF : bly_stream_writable(to);
        if (rc == 0)
                rc = bly_stream_write_now(to, copying->target, shared, (size_t) size);
        if (rc > 0) {
                from->received += (size_t) rc;
                copying->copied += rc;
                if (likely(rc == size))
                        return 1;
        }
        keep_rest(copying, shared + (rc > 0 ? rc : 0), (size_t) (size - (rc > 0 ? rc : 0)));
        return rc == -EAGAIN || rc > 0 ? 1 : rc;
}

static bool serve(struct bly_fd_server *server, struct bly_fd *fd) {
        struct bly_copying *copying = container_of(server, struct bly_copying, server);

        for (int i = 0; i < SERVED_AT_ONCE; i++) {
                copying->rc = pass_on_now(copying, fd);
                if (copying->rc == -EAGAIN)
                        return true;
                if (unlikely(copying->rc <= 0 || bly_stream_buffered(source_of(copying)) > 0
                             || is_complete(copying)))
                        return false;
                if (fd->drained)
                        return true;
        }
        /* More bytes may be left, and the back end will not announce them again. */
        fd->ready |= BELAY_READABLE;
        return false;
}

/*
 * Waits until the source is readable, or until the loop has moved all that it can by serve().
 * Returns 1 if the copy goes on, 0 at the end of stream, or a negative errno. If the loop has a
 * virtual clock or a seed, or a test counts waits (on_wait), serve() is not used. Then each piece
 * is a wait of its own.
 */
static ssize_t await(struct bly_copying *copying, struct bly_fd *fd, const char *place) {
        struct belay_loop *loop = copying->io->loop;
        bool alone = !loop->by_turns && loop->on_wait == NULL;
        int rc;

        copying->rc = 1;
        rc = bly_fd_wait_served(copying->io, fd, BELAY_READABLE, "copy", place,
                                alone ? &copying->server : NULL);
        return rc < 0 ? rc : copying->rc;
}

/*
 * Tries once after a request ended the task's wait, because the task waited without trying first.
 * Bytes may have arrived that the back end has not announced yet. Unless nothing is there, the
 * request is pending again; otherwise the function returns -ECANCELED.
 */
static __attribute__((noinline)) ssize_t pass_on_all_the_same(struct bly_copying *copying,
                                                              struct bly_fd *fd) {
        ssize_t rc = fd->closing || copying->target->closing ? -EAGAIN : pass_on_now(copying, fd);

        if (rc == -EAGAIN)
                return -ECANCELED;
        bly_undeliver(copying->io->loop->current);
        return rc;
}

/* Returns 1 if bytes moved or the socket may be readable, 0 at the end, or a negative errno. */
static ssize_t pass_on(struct bly_copying *copying, const char *place) {
        belay_stream *from = source_of(copying);
        struct bly_fd *fd = from->self;
        ssize_t rc;

        /* If the stream has lost its descriptor, from->self is no struct bly_fd. */
        if (unlikely(from->reader.error != 0))
                return from->reader.error;
        if (fd->drained && !(fd->ready & BELAY_READABLE)
            && likely(!copying->io->loop->current->node.must_cancel)) {
                rc = await(copying, fd, place);
                return unlikely(rc == -ECANCELED) ? pass_on_all_the_same(copying, fd) : rc;
        }
        rc = bly_fd_try(copying->io, fd, BELAY_READABLE, place);
        if (rc < 0)
                return rc;
        rc = pass_on_now(copying, fd);
        return rc == -EAGAIN ? await(copying, fd, place) : rc;
}

/* ---- all of it ---- */

static int copy(struct bly_copying *copying, const char *place) {
        belay_stream *from = source_of(copying);
        ssize_t rc = 1;

        while (rc > 0 && !is_complete(copying)) {
                if (bly_stream_buffered(from) > 0) {
                        rc = write_buffered(copying);
                        if (copying->io != NULL)
                                give_back(copying);
                } else if (copying->io != NULL) {
                        rc = pass_on(copying, place);
                } else {
                        rc = bly_stream_fill(from, next_size(copying));
                }
        }
        if (copying->io != NULL)
                give_back(copying);
        return rc < 0 ? (int) rc : 0;
}

/*
 * Gives the stream a buffer of its own for the copy. The shared buffer cannot serve if the back end
 * or the transport uses the memory while the task waits, because other copies write to it.
 */
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

static int begin(struct bly_copying *copying) {
        belay_stream *from = source_of(copying);
        const struct bly_descriptor *source = bly_stream_socket(from),
                                    *target = bly_stream_socket(copying->to);

        if (source == NULL || target == NULL || bly_performs(source->io))
                return make_room(from);
        /* The kernel copies to whole pages faster. */
        if (source->io->shared == NULL)
                source->io->shared = bly_alloc_aligned(PAGE, COPY_ROOM);
        if (source->io->shared == NULL)
                return -ENOMEM;
        copying->io = source->io;
        copying->target = target->fd;
        return 0;
}

int belay_copy_placed(const char *place, belay_stream *to, belay_stream *from, int64_t most,
                      int64_t *copied) {
        struct bly_copying *copying = &from->copying;
        struct bly_recall recall;
        int rc;

        if (copied != NULL)
                *copied = 0;
        rc = bly_stream_enter(from, &from->reader, place, "belay_copy()");
        if (rc < 0)
                return rc;
        rc = bly_stream_enter(to, &to->writer, place, "belay_copy()");
        if (rc == 0) {
                *copying = (struct bly_copying) { .server.serve = serve, .to = to, .most = most };
                bly_recall_begin(&recall, &from->reader, &to->writer);
                rc = begin(copying);
                if (rc == 0)
                        rc = copy(copying, place);
                if (copied != NULL)
                        *copied = copying->copied;
                rc = (int) bly_recall_end(&recall, rc);
                rc = (int) bly_stream_leave(to, &to->writer, rc);
        }
        return (int) bly_stream_leave(from, &from->reader, rc);
}
