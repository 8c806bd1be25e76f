/* SPDX-License-Identifier: MIT */
/*
 * One side of a conversation: a task that reads, a task that writes, and a pest that cancels either
 * of them at any wait.
 *
 * A task that the pest cancelled enters what its call returned, withdraws the request and goes on.
 */
#ifndef BELAY_SOAK_SIDE_H
#define BELAY_SOAK_SIDE_H

#include <fcntl.h>

#include "soak/ledger.h"

#define PAUSE_MOST (2 * BELAY_MILLISECOND)
#define LIFE_MOST  (20 * BELAY_MILLISECOND)
#define PATIENCE   BELAY_MINUTE /* limit on what must happen */

enum fate {
        FINISH,
        ABORT, /* abort midway */
        CANCEL,
        LIMIT, /* end by a timeout */
        FATES
};

enum { READER, WRITER, BODY }; /* tasks, each with its own dice */

struct side {
        struct talk *talk;
        int number;
        belay_stream *stream; /* NULL: it was aborted */
        bool is_lent;         /* the server closes the stream, not the side */
        struct dice dice[3];
        struct way *in, *out;         /* NULL: no such direction */
        uint64_t other_in, other_out; /* bytes that are not in the books, such as the greeting */
        belay_task *tasks[2];
        /* requests that the pest sent and the task has not withdrawn */
        unsigned pestered[2];
};

static inline void side_init(struct side *side, struct talk *talk, int number,
                             belay_stream *stream) {
        *side = (struct side) {
                .talk = talk,
                .number = number,
                .stream = stream,
                .in = &talk->ways[1 - number],
                .out = &talk->ways[number],
        };
        for (int who = READER; who <= BODY; who++)
                side->dice[who] = dice_of(talk->dice, (uint64_t) (1 + 3 * number + who));
}

/* ---- going on after a cancellation ---- */

/*
 * Returns 0, so that the task goes on, if `rc` comes from a request of the pest or from the call's
 * own timeout. Returns -ECANCELED if another request is left, and any other `rc` as it is.
 *
 * If another request was pending when the timeout was entered, the timeout takes it for its own, as
 * in asyncio. The count of requests still shows it.
 */
static inline int get_over(struct side *side, int who, int rc) {
        if (rc != -ECANCELED && rc != -ETIMEDOUT)
                return rc;
        for (; side->pestered[who] > 0; side->pestered[who]--)
                belay_uncancel(belay_self());
        return belay_cancelling(belay_self()) > 0 ? -ECANCELED : 0;
}

/*
 * If a request arrived while bytes moved, it is still pending. The next cancellation point must
 * deliver it.
 */
static inline int hear_of_requests(const struct side *side) {
        int rc = belay_cancelling(belay_self()) > 0 ? belay_checkpoint() : 0;

        if (rc == 0 && belay_cancelling(belay_self()) > 0)
                wrong(side->talk, "side %d: a request was lost", side->number);
        return rc;
}

static inline int pause_now_and_then(struct side *side, int who) {
        if (!one_in(&side->dice[who], 8))
                return 0;
        return get_over(side, who, belay_sleep(some_time(&side->dice[who], PAUSE_MOST)));
}

static inline int pester(void *arg) {
        struct side *side = arg;
        struct dice dice = dice_of(side->dice[BODY], 1);

        for (;;) {
                int rc = belay_sleep(some_time(&dice, 2 * PAUSE_MOST)),
                    who = one_in(&dice, 2) ? READER : WRITER;

                if (rc < 0)
                        return rc;
                if (side->tasks[who] != NULL && belay_cancel(side->tasks[who], "a pest"))
                        side->pestered[who]++;
        }
}

/* ---- reading ---- */

/* A call that may have waited may find the stream closed, no matter what the call returned. */
static inline ssize_t read_on(struct side *side, char *buffer, size_t size) {
        return side->stream != NULL ? belay_read(side->stream, buffer, size) : -EBADF;
}

static inline ssize_t read_by_line(struct side *side, char *buffer, size_t size) {
        ssize_t rc = belay_read_line(side->stream, buffer, size);

        return rc == -EMSGSIZE ? read_on(side, buffer, size) : rc;
}

static inline ssize_t read_by_word(struct side *side, char *buffer, size_t size) {
        const char *delimiter = next_bytes(side->in, roll(&side->dice[READER]) % PERIOD);
        ssize_t rc = belay_read_until(side->stream, delimiter, 1 + below(&side->dice[READER], 2),
                                      buffer, size);

        return rc == -EMSGSIZE ? read_on(side, buffer, size) : rc;
}

static inline ssize_t read_by_peek(struct side *side, char *buffer, size_t size) {
        const void *data;
        ssize_t there = belay_peek(side->stream, 1 + below(&side->dice[READER], size), &data);

        if (there <= 0)
                return there;
        if (side->stream == NULL)
                return -EBADF;
        if ((size_t) there < size)
                size = (size_t) there;
        memcpy(buffer, data, size);
        if (belay_skip(side->stream, size) != size)
                wrong(side->talk, "what was shown could not be taken");
        return (ssize_t) size;
}

static inline ssize_t read_somehow(struct side *side, char *buffer, size_t size) {
        switch (below(&side->dice[READER], 6)) {
        case 0:
                return belay_read_exactly(side->stream, buffer, size);
        case 1:
                return read_by_line(side, buffer, size);
        case 2:
                return read_by_word(side, buffer, size);
        case 3:
                return read_by_peek(side, buffer, size);
        default:
                return belay_read(side->stream, buffer, size);
        }
}

/* Returns 1 if more may follow, 0 at the end, or a failure. */
static inline int read_once(struct side *side) {
        char buffer[16 * 1024];
        size_t size = 2 + some(&side->dice[READER], sizeof(buffer) - 2);
        bool is_limited = one_in(&side->dice[READER], 6);
        belay_timeout limit;
        ssize_t moved;
        int rc;

        belay_timeout_enter(&limit,
                            is_limited ? some_time(&side->dice[READER], PAUSE_MOST) : PATIENCE);
        moved = read_somehow(side, buffer, size);
        if (moved > 0)
                note_received(side->talk, side->in, buffer, (size_t) moved);
        rc = moved > 0 ? hear_of_requests(side) : (int) moved;
        rc = belay_timeout_leave(&limit, rc);
        if (moved == 0)
                return 0;
        if (rc == -ETIMEDOUT && !is_limited)
                wrong(side->talk, "side %d: nothing came for a minute, after %llu bytes",
                      side->number, (unsigned long long) side->in->received);
        rc = get_over(side, READER, rc);
        return rc < 0 ? rc : 1;
}

static inline int read_all(void *arg) {
        struct side *side = arg;
        int rc = 1;

        while (rc > 0 && side->stream != NULL) {
                rc = read_once(side);
                if (rc > 0)
                        rc = pause_now_and_then(side, READER) < 0 ? -ECANCELED : 1;
        }
        if (rc == 0)
                side->in->saw_end = true;
        else if (rc < 0 && rc != -ECANCELED && rc != -EBADF)
                side->in->read_failed = rc;
        get_over(side, READER, -ECANCELED);
        return rc == -ECANCELED ? rc : 0;
}

/* ---- writing ---- */

static inline ssize_t write_in_parts(struct side *side, const char *data, size_t size) {
        struct iovec parts[40];
        int count = 1 + (int) below(&side->dice[WRITER], 40);
        size_t at = 0;

        for (int i = 0; i < count; i++) {
                size_t part = i == count - 1 ? size - at
                                             : below(&side->dice[WRITER], size - at + 1);

                parts[i] = (struct iovec) { (char *) data + at, part };
                at += part;
        }
        return belay_writev(side->stream, parts, count);
}

static inline ssize_t write_from_file(struct side *side, const char *data, size_t size) {
        int fd = open(pattern_path, O_RDONLY | O_CLOEXEC);
        int64_t offset = (data - pattern) % PERIOD, rc;

        if (fd < 0)
                return belay_write(side->stream, data, size);
        rc = belay_send_file(side->stream, fd, offset, (int64_t) size);
        close(fd);
        return (ssize_t) rc;
}

/* Sets *wanted to the number of bytes that must be written so that the message is complete. */
static inline ssize_t write_somehow(struct side *side, const char *data, size_t size,
                                    size_t *wanted) {
        *wanted = size;
        switch (below(&side->dice[WRITER], 6)) {
        case 0:
                *wanted = 1;
                return belay_write_some(side->stream, data, size);
        case 1:
                return write_in_parts(side, data, size);
        case 2:
                return belay_print(side->stream, "%.*s", (int) size, data);
        case 3:
                /* The file contains only one period of the pattern. */
                if ((size_t) (data - pattern) % PERIOD + size > PERIOD)
                        break;
                return write_from_file(side, data, size);
        }
        return belay_write(side->stream, data, size);
}

/*
 * Handles a message that was written in part. Writes must fail until belay_mend() is called.
 * Returns the reason, or 0 if the call does not report it.
 */
static inline int mend(struct side *side) {
        ssize_t rc;

        if (!belay_is_cut(side->stream)) {
                wrong(side->talk, "side %d: a part was written, and the stream is not cut",
                      side->number);
                return 0;
        }
        rc = belay_write(side->stream, "x", 1);
        if (rc >= 0)
                wrong(side->talk, "side %d: a cut stream was written to", side->number);
        /* The stream may have been closed during that wait. */
        if (rc != -EBADF && side->stream != NULL && belay_mend(side->stream) < 0)
                wrong(side->talk, "side %d: a stream could not be mended", side->number);
        return rc == -ENOTRECOVERABLE ? 0 : (int) rc;
}

/* Returns 0 to go on, or a failure. */
static inline int write_once(struct side *side) {
        struct way *way = side->out;
        size_t left = way->planned - way->sent, most = left < PIECE_MOST ? left : PIECE_MOST;
        size_t size = 1 + some(&side->dice[WRITER], most - 1), wanted;
        bool is_limited = one_in(&side->dice[WRITER], 6);
        belay_timeout limit;
        ssize_t moved;
        int rc;

        belay_timeout_enter(&limit,
                            is_limited ? some_time(&side->dice[WRITER], PAUSE_MOST) : PATIENCE);
        moved = write_somehow(side, next_bytes(way, way->sent), size, &wanted);
        if (moved > 0)
                way->sent += (size_t) moved;
        way->is_unsure |= moved == -EBADF;
        if (moved == 0 || moved > (ssize_t) size)
                wrong(side->talk, "side %d: of %zu bytes %zd were written", side->number, size,
                      moved);
        rc = moved < 0 ? (int) moved : 0;
        if (moved > 0 && (size_t) moved < wanted && side->stream != NULL)
                rc = mend(side);
        if (moved > 0 && rc == 0)
                rc = hear_of_requests(side);
        rc = belay_timeout_leave(&limit, rc);
        if (rc == -ETIMEDOUT && !is_limited)
                wrong(side->talk, "side %d: nothing went for a minute, after %llu bytes",
                      side->number, (unsigned long long) way->sent);
        return get_over(side, WRITER, rc);
}

static inline int end_writing(struct side *side) {
        int rc;

        if (side->talk->transport == PIPE) {
                /* A pipe has only this direction, which ends with the descriptor. */
                belay_close(side->stream, 0);
                side->stream = NULL;
                side->out->has_ended = true;
                return 0;
        }
        rc = belay_half_close(side->stream);
        if (rc == 0)
                side->out->has_ended = true;
        return rc;
}

static inline int write_all(void *arg) {
        struct side *side = arg;
        int rc = 0;

        while (rc == 0 && side->stream != NULL && side->out->sent < side->out->planned) {
                rc = write_once(side);
                if (rc == 0)
                        rc = pause_now_and_then(side, WRITER);
        }
        if (rc == 0 && side->stream != NULL)
                rc = end_writing(side);
        if (rc < 0 && rc != -ECANCELED && rc != -EBADF)
                side->out->write_failed = rc;
        get_over(side, WRITER, -ECANCELED);
        return rc == -ECANCELED ? rc : 0;
}

/* ---- echo ---- */

/* Returns 1 if more may follow, 0 at the end, or a failure. */
static inline int copy_once(struct side *side, int who, belay_stream *to, belay_stream *from,
                            uint64_t *out, uint64_t *in) {
        int64_t most = one_in(&side->dice[who], 2) ? -1 : (int64_t) some(&side->dice[who], PERIOD),
                copied;
        bool is_limited = one_in(&side->dice[who], 3);
        belay_timeout limit;
        int rc;

        belay_timeout_enter(&limit,
                            is_limited ? some_time(&side->dice[who], PAUSE_MOST) : BELAY_NEVER);
        rc = belay_copy(to, from, most, &copied);
        if (copied < 0 || (most >= 0 && copied > most))
                wrong(side->talk, "%lld bytes were copied of %lld", (long long) copied,
                      (long long) most);
        if (out != NULL)
                *out += (uint64_t) copied;
        if (in != NULL)
                *in += (uint64_t) copied;
        if (rc == 0 && (most < 0 || copied < most)) {
                (void) !belay_timeout_leave(&limit, 0);
                return 0;
        }
        rc = get_over(side, who, belay_timeout_leave(&limit, rc));
        return rc < 0 ? rc : 1;
}

/* An echo through a pipe. */
struct relay {
        struct side *side;
        belay_stream *reader, *writer;
};

static inline int relay_in(void *arg) {
        struct relay *relay = arg;
        struct side *side = relay->side;
        int rc = 1;

        while (rc > 0 && side->stream != NULL)
                rc = copy_once(side, READER, relay->writer, side->stream, NULL,
                               &side->in->received);
        if (rc == 0)
                side->in->saw_end = true;
        else if (rc < 0 && rc != -ECANCELED && rc != -EBADF)
                side->in->read_failed = rc;
        belay_close(relay->writer, 0);
        relay->writer = NULL;
        get_over(side, READER, -ECANCELED);
        return rc == -ECANCELED ? rc : 0;
}

static inline int relay_out(void *arg) {
        struct relay *relay = arg;
        struct side *side = relay->side;
        int rc = 1;

        while (rc > 0 && side->stream != NULL)
                rc = copy_once(side, WRITER, side->stream, relay->reader, &side->out->sent, NULL);
        /* If the client did not end its direction, the end is not passed on. */
        if (rc == 0 && side->stream != NULL && side->in->saw_end)
                rc = end_writing(side);
        if (rc < 0 && rc != -ECANCELED && rc != -EBADF)
                side->out->write_failed = rc;
        belay_close(relay->reader, 0);
        relay->reader = NULL;
        get_over(side, WRITER, -ECANCELED);
        return rc == -ECANCELED ? rc : 0;
}

static inline int send_back(void *arg) {
        struct side *side = arg;
        int rc = 1;

        while (rc > 0 && side->stream != NULL)
                rc = copy_once(side, WRITER, side->stream, side->stream, &side->out->sent,
                               &side->in->received);
        if (rc == 0) {
                side->in->saw_end = true;
                rc = side->stream != NULL ? end_writing(side) : -EBADF;
        }
        if (rc < 0 && rc != -ECANCELED && rc != -EBADF)
                side->in->read_failed = side->out->write_failed = rc;
        get_over(side, WRITER, -ECANCELED);
        return rc == -ECANCELED ? rc : 0;
}

/* ---- the whole side ---- */

static inline int start_member(belay_group *group, struct side *side, int who, belay_fn *fn,
                               void *arg) {
        return belay_group_spawn_with(group, fn, arg, NULL, &side->tasks[who]);
}

static inline int start_echo(belay_group *group, struct side *side, struct relay *relay) {
        int rc;

        if (one_in(&side->dice[BODY], 2) || belay_stream_pipe(&relay->reader, &relay->writer) < 0)
                return start_member(group, side, WRITER, send_back, side);
        rc = start_member(group, side, READER, relay_in, relay);
        if (rc == 0)
                rc = start_member(group, side, WRITER, relay_out, relay);
        return rc;
}

static inline int start_members(belay_group *group, struct side *side, struct relay *relay) {
        int rc = 0;

        if (side->talk->is_echo && side->number == 1) {
                rc = start_echo(group, side, relay);
        } else {
                if (side->in != NULL)
                        rc = start_member(group, side, READER, read_all, side);
                if (rc == 0 && side->out != NULL)
                        rc = start_member(group, side, WRITER, write_all, side);
        }
        if (rc == 0 && one_in(&side->dice[BODY], 3))
                (void) !belay_group_spawn_with(group, pester, side,
                                               BELAY_OPTIONS(belay_spawn_options, .last = true),
                                               NULL);
        return rc;
}

static inline void abort_in_the_midst(struct side *side, belay_group *group) {
        side->talk->broke_off[side->number] = true;
        if (side->is_lent || side->stream == NULL) {
                belay_group_cancel(group);
        } else {
                belay_abort(side->stream);
                side->stream = NULL;
        }
}

/* Runs the side. Returns 0, or the reason why it broke off. */
static inline int run_side(struct side *side, enum fate fate) {
        belay_timeout limit;
        belay_group group;
        struct relay relay = { .side = side };
        int rc;

        side->talk->has_begun[side->number] = true;
        belay_timeout_enter(&limit,
                            fate == LIMIT ? some_time(&side->dice[BODY], LIFE_MOST) : BELAY_NEVER);
        belay_group_enter(&group);
        rc = start_members(&group, side, &relay);
        if (rc == 0 && (fate == ABORT || fate == CANCEL)) {
                rc = belay_sleep(some_time(&side->dice[BODY], LIFE_MOST));
                if (rc == 0 && fate == ABORT)
                        abort_in_the_midst(side, &group);
                else if (rc == 0)
                        belay_group_cancel(&group);
        }
        rc = belay_group_leave(&group, rc);
        rc = belay_timeout_leave(&limit, rc);
        /* If a task was cancelled before its first step, it has closed nothing. */
        belay_close(relay.reader, 0);
        belay_close(relay.writer, 0);
        belay_release(side->tasks[READER]);
        belay_release(side->tasks[WRITER]);
        return rc;
}

static inline bool is_complete(const struct side *side) {
        return (side->in == NULL || side->in->saw_end)
               && (side->out == NULL || side->out->has_ended);
}

static inline void check_counts(const struct side *side) {
        uint64_t out = side->other_out + (side->out != NULL ? side->out->sent : 0);
        uint64_t in = side->other_in + (side->in != NULL ? side->in->received : 0);

        if (belay_sent(side->stream) != out || belay_received(side->stream) != in)
                wrong(side->talk,
                      "side %d: the stream has sent %llu and received %llu, "
                      "the books say %llu and %llu",
                      side->number, (unsigned long long) belay_sent(side->stream),
                      (unsigned long long) belay_received(side->stream), (unsigned long long) out,
                      (unsigned long long) in);
}

/* Closes a stream that the side owns, in the way that fits its state. */
static inline void finish_side(struct side *side) {
        int rc;

        if (side->stream == NULL)
                return;
        check_counts(side);
        if (is_complete(side)) {
                rc = belay_close(side->stream, PATIENCE);
                if (rc < 0 && rc != -ECANCELED)
                        wrong(side->talk, "side %d: closing came to %d", side->number, rc);
                return;
        }
        side->talk->broke_off[side->number] = true;
        if (one_in(&side->dice[BODY], 2) || belay_is_cut(side->stream)) {
                belay_abort(side->stream);
                return;
        }
        rc = belay_close(side->stream, some_time(&side->dice[BODY], PAUSE_MOST));
        if (rc == 0 && side->out != NULL && side->out->write_failed == 0
            && (side->in == NULL || side->in->read_failed == 0))
                side->out->has_ended = true;
}

#endif
