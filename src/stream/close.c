/* SPDX-License-Identifier: MIT */
/*
 * Ending streams: belay_half_close(), belay_close(), belay_abort().
 */
#include "scope/scope.h"
#include "stream/stream.h"

static int half_close(belay_stream *stream) {
        int rc;

        if (stream->half_closed)
                return 0;
        if (stream->transport.half_close == NULL)
                return -EOPNOTSUPP;
        rc = stream->transport.half_close(stream->self);
        if (rc == 0)
                stream->half_closed = true;
        return rc;
}

int belay_half_close_placed(const char *place, belay_stream *stream) {
        int rc = bly_stream_enter(stream, &stream->writer, place, "belay_half_close()");

        if (rc < 0)
                return rc;
        rc = stream->cut ? -ENOTRECOVERABLE : half_close(stream);
        /* The kernel fails with ENOTCONN if the connection is gone. */
        if (rc == -ENOTCONN)
                rc = -EPIPE;
        return (int) bly_stream_leave(stream, &stream->writer, rc);
}

/* Reads and discards the bytes that still arrive, until the peer has ended too. */
static int drain(belay_stream *stream) {
        char dropped[4096];
        ssize_t size;

        do
                size = bly_stream_read(stream, dropped, sizeof(dropped));
        while (size > 0);
        return (int) size;
}

static int end_in_order(belay_stream *stream, belay_time span, const char *place) {
        belay_timeout limit;
        int rc = belay_timeout_enter_placed(place, &limit, span);

        if (rc < 0)
                return rc;
        rc = half_close(stream);
        if (rc == 0 && !stream->ended)
                rc = drain(stream);
        return belay_timeout_leave_placed(place, &limit, rc);
}

static void give_up(belay_stream *stream, bool abort) {
        stream->closed = true;
        stream->aborted = abort;
        if (stream->holder != NULL)
                *stream->holder = NULL;
        stream->holder = NULL;
        if (!bly_stream_is_inside(stream)) {
                bly_stream_destroy(stream);
                return;
        }
        stream->transport.interrupt(stream->self);
        bly_stream_recall(&stream->reader);
        bly_stream_recall(&stream->writer);
}

/*
 * Returns whether the stream must be ended before it is closed. A descriptor that stays open is the
 * program's to end. If the peer of a socket has ended already, close() alone ends the connection.
 */
static bool needs_end_in_order(const belay_stream *stream) {
        const struct bly_descriptor *socket = bly_stream_socket(stream);

        if (stream->closed || stream->cut || bly_stream_is_inside(stream)
            || stream->reader.error != 0 || stream->writer.error != 0)
                return false;
        return socket == NULL || (!socket->keep_open && !stream->ended);
}

/* Returns the calling task if it may wait for the peer's end. Otherwise reports misuse: NULL. */
static belay_task *closer(const belay_stream *stream, const char *place) {
        belay_task *self = bly_waiter(place, "belay_close() with a limit");

        if (self == NULL || stream->loop == NULL || stream->loop == self->loop)
                return self;
        bly_misuse(-EPERM, place, "belay_close() of a stream (%s) that belongs to another loop",
                   belay_stream_name(stream));
        return NULL;
}

static int close_in_order(belay_stream *stream, belay_time span, const char *place) {
        belay_task *self = closer(stream, place);
        int rc = -EPERM;

        if (self != NULL) {
                stream->reader = stream->writer = (struct bly_stream_end) { .task = self,
                                                                            .place = place };
                self->place = place;
                rc = end_in_order(stream, span, place);
                /* The kernel fails with ENOTCONN if the connection is gone. */
                if (rc == -ENOTCONN)
                        rc = -ECONNRESET;
                if (rc == -EOPNOTSUPP)
                        rc = 0;
                stream->reader.task = NULL;
                if (stream->closed)
                        return (int) bly_stream_leave(stream, &stream->writer, rc);
                stream->writer.task = NULL;
        }
        give_up(stream, stream->cut);
        return rc;
}

int belay_close_placed(const char *place, belay_stream *stream, belay_time span) {
        if (stream == NULL)
                return 0;
        if (span > 0 && needs_end_in_order(stream))
                return close_in_order(stream, span, place);
        give_up(stream, stream->cut);
        return 0;
}

void belay_abort(belay_stream *stream) {
        if (stream != NULL)
                give_up(stream, true);
}
