/* SPDX-License-Identifier: MIT */
/*
 * A connection in memory: a transport (<belay/stream.h>) whose delays, partial transfers and breaks
 * a test sets.
 *
 * No byte moves by itself. A write gives its bytes the instant at which they will have arrived. The
 * end of the stream, a reset and a break have such an instant, too. A read or write compares these
 * instants with the current time. A timer is set only while a task waits, for the next instant that
 * may end a wait.
 */
#include <sys/uio.h>

#include "stream/stream.h"
#include "sync/waiters.h"

#include <belay/wire.h>

enum { ROOM = 64 * 1024 };

struct chunk {
        struct chunk *next;
        belay_time due;
        size_t taken, size;
        char bytes[];
};

/*
 * One direction. Each instant is the one at which the event arrives at the other end, or
 * BELAY_NEVER if the event does not happen.
 */
struct way {
        belay_wire_way options;
        struct chunk *first, *last;
        size_t used;         /* room taken, also by lost bytes */
        uint64_t arriving;   /* all bytes ever written that come before the break */
        uint64_t random;     /* state of the random numbers */
        belay_time latest;   /* latest arrival so far; later writes arrive no earlier */
        belay_time ended_at; /* end of the stream */
        belay_time gone_at;  /* destruction of the writing end: it reads no more */
        belay_time reset_at; /* reset by the writing end */
        belay_time cut_at;   /* the break: the first byte beyond .cut_after */
        struct bly_waiters readers, writers;
};

struct end {
        struct wire *wire;
        struct end *peer;
        struct way *in, *out;
        const char *name;
        unsigned interrupts;
        bool shut; /* after a half-close */
        bool gone; /* after its destruction */
};

struct wire {
        struct way ways[2];
        struct end ends[2];
        belay_time now; /* time of the latest look() */
        int tries;      /* calls without a wait that are left until a task yields */
        struct bly_timer timer;
        belay_time timer_at;     /* instant of the timer, or BELAY_NEVER if it is not set */
        struct belay_loop *loop; /* loop of the timer, or NULL if it was never set */
};

/* What a read or write finds, in addition to 0 for the end of the stream and negative errors. */
enum { READY = 1, NOTHING = 2 };

/* ---- time ---- */

static void look(struct wire *wire) {
        belay_time now = bly_loop != NULL ? bly_now(bly_loop) : bly_clock();

        if (now > wire->now)
                wire->now = now;
}

static belay_time earlier(belay_time one, belay_time other) {
        return one < other ? one : other;
}

/*
 * Returns 0 if the connection is not broken, otherwise the break's negative errno or
 * BELAY_WIRE_STALLS.
 */
static int stopped(const struct wire *wire) {
        const struct way *first = wire->ways[0].cut_at <= wire->ways[1].cut_at ? &wire->ways[0]
                                                                               : &wire->ways[1];

        return first->cut_at <= wire->now ? first->options.cut_with : 0;
}

static bool arrived(const struct wire *wire, belay_time when) {
        belay_time cut = earlier(wire->ways[0].cut_at, wire->ways[1].cut_at);

        return when <= earlier(wire->now, cut) && when != BELAY_NEVER;
}

/* ---- random numbers ---- */

/* Returns the next random number of splitmix64, which works with any seed. */
static uint64_t chance(struct way *way) {
        uint64_t x = way->random += 0x9e3779b97f4a7c15;

        x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
        x = (x ^ x >> 27) * 0x94d049bb133111eb;
        return x ^ x >> 31;
}

/*
 * Returns how many of `size` possible bytes a call moves: a random number of them if .ragged is
 * set, otherwise all.
 */
static size_t piece(struct way *way, size_t size) {
        return way->options.ragged ? 1 + (size_t) (chance(way) % size) : size;
}

/* Returns when bytes that are sent now arrive, which is never before bytes sent earlier. */
static belay_time arrival(const struct wire *wire, struct way *way) {
        belay_time when = bly_add_time(wire->now, way->options.delay);

        if (way->options.jitter > 0)
                when = bly_add_time(
                        when, (belay_time) (chance(way) % ((uint64_t) way->options.jitter + 1)));
        if (when > way->latest)
                way->latest = when;
        return way->latest;
}

/* ---- the state that a call finds ---- */

static int find_to_read(const struct end *end) {
        const struct wire *wire = end->wire;
        const struct way *in = end->in;
        int stop = stopped(wire);

        if (in->first != NULL && arrived(wire, in->first->due))
                return READY;
        if (stop < 0)
                return stop;
        if (arrived(wire, in->reset_at))
                return -ECONNRESET;
        return arrived(wire, in->ended_at) ? 0 : NOTHING;
}

static int find_to_write(const struct end *end) {
        const struct wire *wire = end->wire;
        int stop = stopped(wire);

        if (stop < 0)
                return stop;
        if (arrived(wire, end->in->reset_at))
                return -ECONNRESET;
        if (arrived(wire, end->in->gone_at))
                return -EPIPE;
        if (end->shut)
                return -ESHUTDOWN;
        return end->out->used < end->out->options.room ? READY : NOTHING;
}

/* ---- waiting ---- */

static const struct bly_wait_class read_class = { .what = "read",
                                                  .on_request = bly_waiter_meet,
                                                  .on = bly_waiter_on };
static const struct bly_wait_class write_class = { .what = "write",
                                                   .on_request = bly_waiter_meet,
                                                   .on = bly_waiter_on };

/* Does a task wait that was not woken? A woken task stays in the list until it runs. */
static bool has_waiter(const struct bly_waiters *waiters) {
        for (const struct bly_waiter *waiter = waiters->first; waiter != NULL;
             waiter = waiter->next)
                if (waiter->state == BLY_WAITER_PENDING)
                        return true;
        return false;
}

/* Returns the next instant at which a task that reads or writes at this end may find something. */
static belay_time next_at(const struct end *end, bool reads, bool writes) {
        belay_time next = BELAY_NEVER;

        if (stopped(end->wire) != 0)
                return BELAY_NEVER;
        if (reads && end->in->first != NULL)
                next = earlier(next, end->in->first->due);
        if (reads)
                next = earlier(next, end->in->ended_at);
        if (writes)
                next = earlier(next, end->in->gone_at);
        if (reads || writes)
                next = earlier(earlier(next, end->in->reset_at),
                               earlier(end->in->cut_at, end->out->cut_at));
        return next;
}

static belay_time next_of_all(const struct wire *wire) {
        belay_time next = BELAY_NEVER;

        for (int i = 0; i < 2; i++) {
                const struct end *end = &wire->ends[i];

                next = earlier(next, next_at(end, has_waiter(&end->in->readers),
                                             has_waiter(&end->out->writers)));
        }
        return next;
}

static void tell(struct wire *wire);

static void timer_fires(struct bly_timer *timer) {
        struct wire *wire = container_of(timer, struct wire, timer);

        /*
         * bly_now() may be slightly behind the timer's instant. The bytes that are due then count
         * as arrived.
         */
        if (wire->now < wire->timer_at)
                wire->now = wire->timer_at;
        wire->timer_at = BELAY_NEVER;
        tell(wire);
}

/*
 * Sets the timer to `when`, or switches it off for BELAY_NEVER. Returns false if there is no
 * memory.
 */
static bool set_timer(struct wire *wire, belay_time when) {
        /* If another loop runs, the timer's loop was closed, and only abandoned tasks wait. */
        if (wire->timer_at == when || (wire->loop != NULL && wire->loop != bly_loop))
                return true;
        if (wire->timer_at != BELAY_NEVER)
                bly_timer_off(wire->loop, &wire->timer);
        wire->timer_at = BELAY_NEVER;
        if (when == BELAY_NEVER)
                return true;
        wire->loop = bly_loop;
        wire->timer.fire = timer_fires;
        if (bly_timer_set(wire->loop, &wire->timer, when) < 0)
                return false;
        wire->timer_at = when;
        return true;
}

/*
 * Wakes the tasks that find something now, and sets the timer for the others. If there is no memory
 * for the timer, the function wakes these, too.
 */
static void tell(struct wire *wire) {
        bool all;

        look(wire);
        for (int i = 0; i < 2; i++) {
                const struct end *end = &wire->ends[i];

                if (find_to_read(end) != NOTHING)
                        bly_waiters_wake(&end->in->readers, SIZE_MAX);
                if (find_to_write(end) != NOTHING)
                        bly_waiters_wake(&end->out->writers, SIZE_MAX);
        }
        all = !set_timer(wire, next_of_all(wire));
        for (int i = 0; all && i < 2; i++) {
                bly_waiters_wake(&wire->ways[i].readers, SIZE_MAX);
                bly_waiters_wake(&wire->ways[i].writers, SIZE_MAX);
        }
}

/*
 * Waits once for a change at this end. Returns 0 if the caller must check the state again, or a
 * negative errno.
 */
static int wait_at(struct end *end, belay_task *self, bool reads) {
        struct wire *wire = end->wire;
        enum bly_waiter_state state;
        int rc;

        if (!set_timer(wire, earlier(next_of_all(wire), next_at(end, reads, !reads))))
                return -ENOMEM;
        wire->tries = BLY_TRIES;
        if (reads)
                rc = bly_waiters_wait(&end->in->readers, self, &read_class, end->name, &state,
                                      self->place);
        else
                rc = bly_waiters_wait(&end->out->writers, self, &write_class, end->name, &state,
                                      self->place);
        /*
         * A request came after the wake-up. Cancellation never discards completed work, so the
         * request stays pending.
         */
        if (unlikely(rc == -ECANCELED && state == BLY_WAITER_WOKEN)) {
                bly_undeliver(self);
                rc = 0;
        }
        tell(wire);
        return rc;
}

/*
 * Waits until a read or write finds something, and returns that. Every BLY_TRIES calls without a
 * wait the task yields first. Returns -EBADF if the transport interrupts the wait.
 */
static int wait_until_found(struct end *end, bool reads) {
        belay_task *self = bly_waiter(NULL, reads ? "read" : "write");
        unsigned interrupts = end->interrupts;
        int rc = 0, found;

        if (self == NULL)
                return -EPERM;
        if (--end->wire->tries <= 0) {
                end->wire->tries = BLY_TRIES;
                rc = belay_yield_placed(self->place);
        }
        while (rc == 0) {
                if (end->interrupts != interrupts)
                        return -EBADF;
                look(end->wire);
                found = reads ? find_to_read(end) : find_to_write(end);
                if (found != NOTHING)
                        return found;
                rc = wait_at(end, self, reads);
        }
        return rc;
}

/* ---- the transport ---- */

static void take(struct way *way, char *buffer, size_t size) {
        way->used -= size;
        while (size > 0) {
                struct chunk *chunk = way->first;
                size_t part = chunk->size - chunk->taken < size ? chunk->size - chunk->taken : size;

                memcpy(buffer, chunk->bytes + chunk->taken, part);
                buffer += part;
                size -= part;
                chunk->taken += part;
                if (chunk->taken == chunk->size) {
                        way->first = chunk->next;
                        bly_free(chunk);
                }
        }
}

/* Returns how many bytes have arrived, at most `most`. */
static size_t there(const struct end *end, size_t most) {
        size_t size = 0;

        for (const struct chunk *chunk = end->in->first; chunk != NULL && size < most;
             chunk = chunk->next) {
                if (!arrived(end->wire, chunk->due))
                        break;
                size += chunk->size - chunk->taken;
        }
        return size < most ? size : most;
}

static ssize_t read_wire(void *self, void *buffer, size_t size) {
        struct end *end = self;
        struct way *in = end->in;
        int found = wait_until_found(end, true);

        if (found != READY)
                return found;
        if (in->options.read_most > 0 && size > in->options.read_most)
                size = in->options.read_most;
        size = piece(in, there(end, size));
        take(in, buffer, size);
        tell(end->wire);
        return (ssize_t) size;
}

static struct chunk *new_chunk(const struct iovec *parts, size_t size) {
        struct chunk *chunk = bly_alloc(sizeof(*chunk) + size);

        if (chunk == NULL)
                return NULL;
        *chunk = (struct chunk) { .size = 0 };
        for (; chunk->size < size; parts++) {
                size_t part = parts->iov_len < size - chunk->size ? parts->iov_len
                                                                  : size - chunk->size;

                if (part > 0)
                        memcpy(chunk->bytes + chunk->size, parts->iov_base, part);
                chunk->size += part;
        }
        return chunk;
}

/* Returns how many of `size` bytes that are written now come before the break. */
static size_t uncut(const struct end *end, size_t size) {
        const struct way *out = end->out;
        uint64_t left = out->options.cut_after - out->arriving;

        if (out->cut_at != BELAY_NEVER || stopped(end->wire) != 0)
                return 0;
        return out->options.cut_after > 0 && left < size ? (size_t) left : size;
}

/*
 * Sends bytes, for which the caller has checked that there is room. Returns false if there is no
 * memory.
 */
static bool put(struct end *end, const struct iovec *parts, size_t size) {
        struct way *out = end->out;
        size_t rest = uncut(end, size);
        struct chunk *chunk = NULL;
        belay_time due;

        if (rest > 0 && !end->peer->gone && (chunk = new_chunk(parts, rest)) == NULL)
                return false;
        out->used += size;
        out->arriving += rest;
        due = arrival(end->wire, out);
        if (chunk != NULL) {
                chunk->due = due;
                if (out->first != NULL)
                        out->last->next = chunk;
                else
                        out->first = chunk;
                out->last = chunk;
        }
        if (rest < size && out->cut_at == BELAY_NEVER && stopped(end->wire) == 0)
                out->cut_at = due;
        return true;
}

static ssize_t write_wire(void *self, const struct iovec *parts, int count) {
        struct end *end = self;
        struct way *out = end->out;
        size_t size = 0, most;
        int found = wait_until_found(end, false);

        if (found != READY)
                return found;
        most = out->options.room - out->used;
        if (out->options.write_most > 0 && most > out->options.write_most)
                most = out->options.write_most;
        for (int i = 0; i < count && size < most; i++)
                size += parts[i].iov_len < most - size ? parts[i].iov_len : most - size;
        size = piece(out, size);
        if (!put(end, parts, size))
                return -ENOMEM;
        tell(end->wire);
        return (ssize_t) size;
}

static int half_close_wire(void *self) {
        struct end *end = self;
        int stop;

        look(end->wire);
        stop = stopped(end->wire);
        if (stop < 0)
                return stop;
        if (!end->shut && stop == 0)
                end->out->ended_at = arrival(end->wire, end->out);
        end->shut = true;
        tell(end->wire);
        return 0;
}

static void interrupt_wire(void *self) {
        struct end *end = self;

        end->interrupts++;
        bly_waiters_wake(&end->in->readers, SIZE_MAX);
        bly_waiters_wake(&end->out->writers, SIZE_MAX);
}

/* Drops all bytes in a direction, or only those that have not arrived. */
static void drop(struct wire *wire, struct way *way, bool only_under_way) {
        struct chunk **link = &way->first;

        way->last = NULL;
        while (*link != NULL) {
                struct chunk *chunk = *link;

                if (only_under_way && arrived(wire, chunk->due)) {
                        way->last = chunk;
                        link = &chunk->next;
                } else {
                        *link = chunk->next;
                        bly_free(chunk);
                }
        }
}

static void notify_peer(struct end *end, bool abort) {
        struct wire *wire = end->wire;
        struct way *out = end->out;

        if (abort) {
                drop(wire, out, true);
                if (!arrived(wire, out->ended_at))
                        out->ended_at = BELAY_NEVER;
                out->reset_at = arrival(wire, out);
        } else {
                out->gone_at = arrival(wire, out);
                if (!end->shut)
                        out->ended_at = out->gone_at;
        }
}

static void destroy_wire(void *self, bool abort) {
        struct end *end = self;
        struct wire *wire = end->wire;

        end->gone = true;
        drop(wire, end->in, false);
        if (end->peer->gone) {
                drop(wire, end->out, false);
                bly_free(wire);
                return;
        }
        look(wire);
        if (stopped(wire) == 0)
                notify_peer(end, abort);
        tell(wire);
}

static const char *describe_wire(const void *self) {
        return ((const struct end *) self)->name;
}

static const belay_transport transport = {
        .size = sizeof(transport),
        .name = "wire",
        .read = read_wire,
        .write = write_wire,
        .half_close = half_close_wire,
        .interrupt = interrupt_wire,
        .destroy = destroy_wire,
        .describe = describe_wire,
};

/* ---- making and breaking ---- */

static bool is_valid(const belay_wire_way *way) {
        return way->delay >= 0 && way->jitter >= 0 && way->cut_with <= BELAY_WIRE_STALLS;
}

static void begin(struct wire *wire, int number, const belay_wire_options *options) {
        struct way *way = &wire->ways[number];
        struct end *end = &wire->ends[number];

        way->options = options->ways[number];
        if (way->options.room == 0)
                way->options.room = ROOM;
        if (way->options.cut_with == 0)
                way->options.cut_with = -ECONNRESET;
        way->random = 2 * (options->seed != 0 ? options->seed : 1) + (uint64_t) number;
        way->ended_at = way->gone_at = way->reset_at = way->cut_at = BELAY_NEVER;
        *end = (struct end) {
                .wire = wire,
                .in = &wire->ways[1 - number],
                .out = way,
                .peer = &wire->ends[1 - number],
                .name = number == 0 ? "wire end 0" : "wire end 1",
        };
}

int belay_wire(belay_stream *ends[2], const belay_wire_options *given) {
        belay_wire_options options;
        struct wire *wire;
        int rc;

        bly_options(&options, sizeof(options), given);
        ends[0] = ends[1] = NULL;
        if (!is_valid(&options.ways[0]) || !is_valid(&options.ways[1]))
                return -EINVAL;
        wire = bly_zalloc(sizeof(*wire));
        if (wire == NULL)
                return -ENOMEM;
        wire->timer_at = BELAY_NEVER;
        wire->tries = BLY_TRIES;
        begin(wire, 0, &options);
        begin(wire, 1, &options);
        rc = belay_stream_new(&ends[0], &transport, &wire->ends[0]);
        if (rc == 0 && (rc = belay_stream_new(&ends[1], &transport, &wire->ends[1])) == 0)
                return 0;
        if (ends[0] != NULL) {
                wire->ends[1].gone = true;
                belay_abort(ends[0]);
        } else {
                bly_free(wire);
        }
        ends[0] = ends[1] = NULL;
        return rc;
}

void belay_wire_cut(belay_stream *stream, int error) {
        struct end *end = stream->transport.read == read_wire ? stream->self : NULL;
        struct wire *wire;

        if (end == NULL || error > BELAY_WIRE_STALLS || error == 0) {
                bly_misuse(-EINVAL, NULL, "belay_wire_cut() of %s with %d",
                           belay_stream_name(stream), error);
                return;
        }
        wire = end->wire;
        look(wire);
        for (int i = 0; i < 2; i++) {
                struct way *way = &wire->ways[i];

                drop(wire, way, false);
                way->cut_at = earlier(way->cut_at, wire->now);
                way->options.cut_with = error;
        }
        tell(wire);
}
