/* SPDX-License-Identifier: MIT */
/*
 * Making streams, entering and leaving them in calls, and ending calls that wait elsewhere.
 */
#include "scope/scope.h"
#include "stream/stream.h"

int belay_stream_new(belay_stream **out, const belay_transport *given, void *self) {
        belay_stream *stream;
        belay_transport transport;

        *out = NULL;
        bly_options(&transport, sizeof(transport), given);
        if (transport.name == NULL || transport.read == NULL || transport.write == NULL
            || transport.interrupt == NULL || transport.destroy == NULL)
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

/* ---- calls that wait elsewhere ---- */

void bly_recall_begin(struct bly_recall *recall, struct bly_stream_end *end,
                      struct bly_stream_end *other) {
        belay_task *self = end->task;

        *recall = (struct bly_recall) {
                .task = self,
                .depth = self->scope != NULL ? self->scope->depth : 0,
                .requests = bly_visible_requests(self),
        };
        end->recall = recall;
        if (other != NULL)
                other->recall = recall;
}

int64_t bly_recall_end(struct bly_recall *recall, int64_t rc) {
        /* If another request has arrived too, the count stays higher, and rc is about that one. */
        if (unlikely(recall->asked) && bly_uncancel_visible(recall->task) <= recall->requests
            && rc == -ECANCELED) {
                bly_set_last_failure(recall->task, -EBADF, NULL);
                return -EBADF;
        }
        return rc;
}

void bly_stream_recall(struct bly_stream_end *end) {
        struct bly_recall *recall = end->task != NULL ? end->recall : NULL;
        struct bly_request request = {
                .kind = BELAY_ORIGIN_CALLER,
                .place = bly_current() != NULL ? bly_current()->place : NULL,
                .reason = "the stream was closed",
                .sender = bly_current(),
        };

        if (recall == NULL || recall->asked)
                return;
        request.depth = recall->depth;
        recall->asked = bly_request_cancel(recall->task, &request);
}

/* ---- entering and leaving ---- */

void bly_stream_destroy(belay_stream *stream) {
        stream->transport.destroy(stream->self, stream->aborted);
        bly_free(stream->buffer);
        bly_free(stream);
}

static __attribute__((noinline)) int refuse(belay_stream *stream, struct bly_stream_end *end,
                                            belay_task *self, const char *place, const char *what) {
        char label[32], other[32];

        if (stream->loop != NULL && stream->loop != self->loop)
                return bly_misuse(-EPERM, place, "%s of a stream (%s) that belongs to another loop",
                                  what, belay_stream_name(stream));
        if (end->task != NULL)
                return bly_misuse(-EBUSY, place,
                                  "%s by task %s while task %s uses the stream (%s): "
                                  "%s has one reader and one writer",
                                  what, bly_task_label(self, label),
                                  bly_task_label(end->task, other), bly_place_text(end->place),
                                  belay_stream_name(stream));
        if (stream->closed)
                return -EBADF;
        stream->loop = self->loop;
        return 0;
}

void bly_stream_lose(belay_stream *stream, const belay_transport *instead, void *self) {
        stream->transport = *instead;
        stream->read = instead->read;
        stream->write = instead->write;
        stream->self = self;
        stream->reader.error = stream->writer.error = -EBADF;
        bly_stream_recall(&stream->reader);
        bly_stream_recall(&stream->writer);
}

int bly_stream_enter(belay_stream *stream, struct bly_stream_end *end, const char *place,
                     const char *what) {
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
        end->recall = NULL;
        self->place = place;
        return 0;
}

static int leave_closed(belay_stream *stream, belay_task *self, int64_t rc) {
        if (rc == -ECANCELED)
                bly_undeliver(self);
        if (!bly_stream_is_inside(stream))
                bly_stream_destroy(stream);
        bly_set_last_failure(self, -EBADF, NULL);
        return -EBADF;
}

/*
 * Transports of descriptors fail with a code alone. If the task's latest failure has that code, its
 * text belongs to an earlier failure, so it is replaced. Other transports may have set a text.
 */
static __attribute__((noinline)) int64_t leave_in_failure(belay_stream *stream, belay_task *self,
                                                          int64_t rc) {
        if (stream->closed)
                return leave_closed(stream, self, rc);
        if (rc != -ECANCELED
            && (stream->read == bly_socket_transport.read
                || stream->read == bly_plain_transport.read))
                bly_set_last_failure(self, (int) rc, NULL);
        return rc;
}

int64_t bly_stream_leave(belay_stream *stream, struct bly_stream_end *end, int64_t rc) {
        belay_task *self = end->task;

        end->task = NULL;
        return unlikely(rc < 0 || stream->closed) ? leave_in_failure(stream, self, rc) : rc;
}

/* ---- properties ---- */

int belay_stream_fd(const belay_stream *stream) {
        return stream->transport.fd != NULL ? stream->transport.fd(stream->self) : -EOPNOTSUPP;
}

const char *belay_stream_name(const belay_stream *stream) {
        const char *name = stream->transport.describe != NULL
                                   ? stream->transport.describe(stream->self)
                                   : NULL;

        return name != NULL ? name : stream->transport.name;
}

uint64_t belay_received(const belay_stream *stream) {
        return stream->received;
}

uint64_t belay_sent(const belay_stream *stream) {
        return stream->sent;
}
