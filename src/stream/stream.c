/* SPDX-License-Identifier: MIT */
/*
 * Streams: made, entered, left, closed.
 */
#include "scope/scope.h"
#include "stream/stream.h"

int belay_stream_new(belay_stream **out, const belay_transport *given, void *self) {
        belay_stream *stream;
        belay_transport transport;

        *out = NULL;
        bly_options(&transport, sizeof(transport), given);
        if (transport.name == NULL || transport.read == NULL || transport.write == NULL || transport.interrupt == NULL
            || transport.destroy == NULL)
                return -EINVAL;
        stream = bly_zalloc(sizeof(*stream));
        if (stream == NULL)
                return -ENOMEM;
        stream->transport = transport;
        stream->read = transport.read;
        stream->write = transport.write;
        stream->self = self;
        stream->loop = bly_loop;
        *out = stream;
        return 0;
}

/* ---- coming and going ---- */

static bool is_inside(const belay_stream *stream) {
        return stream->reader.task != NULL || stream->writer.task != NULL;
}

static void destroy(belay_stream *stream) {
        stream->transport.destroy(stream->self, stream->aborted);
        bly_free(stream->buffer);
        bly_free(stream);
}

static __attribute__((noinline)) int refuse(belay_stream *stream, struct bly_stream_end *end, belay_task *self,
                                            const char *place, const char *what) {
        char label[32], other[32];

        if (stream->loop != NULL && stream->loop != self->loop)
                return bly_misuse(-EPERM, place, "%s of a stream (%s) that belongs to another loop", what,
                                  belay_stream_name(stream));
        if (end->task != NULL)
                return bly_misuse(-EBUSY, place, "%s by task %s, while task %s is at it (%s): %s has one reader and one writer",
                                  what, bly_task_label(self, label), bly_task_label(end->task, other),
                                  end->place != NULL ? end->place : "an unknown place", belay_stream_name(stream));
        if (stream->closed)
                return -EBADF;
        stream->loop = self->loop;
        return 0;
}

int bly_stream_enter(belay_stream *stream, struct bly_stream_end *end, const char *place, const char *what) {
        belay_task *self = bly_waiter(place, what);
        int rc;

        if (unlikely(self == NULL))
                return -EPERM;
        if (unlikely(stream->loop != self->loop || end->task != NULL || stream->closed)) {
                rc = refuse(stream, end, self, place, what);
                if (rc < 0)
                        return rc;
        }
        end->task = self;
        end->place = place;
        self->place = place;
        return 0;
}

void bly_stream_leave(belay_stream *stream, struct bly_stream_end *end) {
        end->task = NULL;
        if (unlikely(stream->closed) && !is_inside(stream))
                destroy(stream);
}

/* ---- closing ---- */

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
        /* The system's word for a connection that is gone. */
        if (rc == -ENOTCONN)
                rc = -EPIPE;
        bly_stream_leave(stream, &stream->writer);
        return rc;
}

/* Reads what still comes and drops it, until the other side has ended too. */
static int drain(belay_stream *stream) {
        char dropped[4096];
        ssize_t size;

        do
                size = bly_stream_read(stream, dropped, sizeof(dropped));
        while (size > 0);
        return (int) size;
}

static int say_goodbye(belay_stream *stream, belay_time span, const char *place) {
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
        if (is_inside(stream))
                stream->transport.interrupt(stream->self);
        else
                destroy(stream);
}

/* A descriptor that stays open is nobody's to end; and where the other side of a socket has ended, closing says it all. */
static bool needs_goodbye(const belay_stream *stream) {
        const struct bly_descriptor *socket = bly_stream_socket(stream);

        if (stream->closed || stream->cut || is_inside(stream) || stream->reader.error != 0 || stream->writer.error != 0)
                return false;
        return socket == NULL || (!socket->keep_open && !stream->ended);
}

static int close_in_order(belay_stream *stream, belay_time span, const char *place) {
        belay_task *self = bly_waiter(place, "belay_close() with a limit");
        int rc;

        if (self == NULL)
                return -EPERM;
        if (stream->loop != NULL && stream->loop != self->loop)
                return bly_misuse(-EPERM, place, "belay_close() of a stream (%s) that belongs to another loop",
                                  belay_stream_name(stream));
        stream->reader = stream->writer = (struct bly_stream_end) { .task = self, .place = place };
        self->place = place;
        rc = say_goodbye(stream, span, place);
        stream->reader.task = stream->writer.task = NULL;
        /* The system's word for a connection that is gone. */
        if (rc == -ENOTCONN)
                return -ECONNRESET;
        return rc == -EOPNOTSUPP ? 0 : rc;
}

int belay_close_placed(const char *place, belay_stream *stream, belay_time span) {
        int rc;

        if (stream == NULL)
                return 0;
        rc = span > 0 && needs_goodbye(stream) ? close_in_order(stream, span, place) : 0;
        give_up(stream, stream->cut);
        return rc;
}

void belay_abort(belay_stream *stream) {
        if (stream != NULL)
                give_up(stream, true);
}

/* ---- looking ---- */

int belay_stream_fd(const belay_stream *stream) {
        return stream->transport.fd != NULL ? stream->transport.fd(stream->self) : -EOPNOTSUPP;
}

const char *belay_stream_name(const belay_stream *stream) {
        const char *name = stream->transport.describe != NULL ? stream->transport.describe(stream->self) : NULL;

        return name != NULL ? name : stream->transport.name;
}

uint64_t belay_received(const belay_stream *stream) {
        return stream->received;
}

uint64_t belay_sent(const belay_stream *stream) {
        return stream->sent;
}
