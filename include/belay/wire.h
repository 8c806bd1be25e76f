/* SPDX-License-Identifier: MIT */
/*
 * For tests: a connection in memory that behaves as badly as one likes.
 *
 * Two streams (<belay/stream.h>); what is written to one is read from the other, after a set delay,
 * in pieces of a set size, and until a set cut. Under the virtual clock a slow connection takes no
 * time, and a seed makes a bad one bad in the same way each time.
 *
 *     belay_stream *ends[2];
 *     int rc = belay_wire(ends, BELAY_OPTIONS(belay_wire_options,
 *             .ways = { { .delay = 200 * BELAY_MILLISECOND, .read_most = 1 }, { .cut_after = 1000 } }));
 *
 * Threads: the loop's own. Cancellation: no cancellation point; its streams have those of all
 * streams.
 */
#ifndef BELAY_WIRE_H
#define BELAY_WIRE_H

#include <belay/stream.h>

BELAY_BEGIN

/* One way of the connection: [0] from ends[0] to ends[1], [1] back. All zero: at once, whole, without end. */
typedef struct belay_wire_way {
        belay_time delay;                 /* from being written to being readable */
        belay_time jitter;                /* so much more at most, by chance; what was written first is still read first */
        size_t room;                      /* bytes that may be under way and unread; then writing waits; 0: 64 KiB */
        size_t read_most;                 /* a read gets so many at most; 0: any number */
        size_t write_most;                /* a write moves so many at most; 0: any number */
        bool ragged;                      /* each read and write moves a number up to that most, by chance */
        uint64_t cut_after;               /* so many bytes arrive, what comes then does not; 0: all do */
        int cut_with;                     /* and then both sides get this; a negative errno; 0: -ECONNRESET. With BELAY_WIRE_STALLS nothing more happens */
        uint64_t reserved[4];             /* zero */
} belay_wire_way;
enum { BELAY_WIRE_STALLS = 1 };

typedef struct belay_wire_options {
        size_t size;                      /* sizeof(belay_wire_options) */
        belay_wire_way ways[2];
        uint64_t seed;                    /* of all chance; 0: 1 */
} belay_wire_options;

/* Makes one. 0; -ENOMEM; -EINVAL: negative times. */
BELAY_API int belay_wire(belay_stream *ends[2], const belay_wire_options *options) BELAY_MUST_USE;

/* Cuts both ways now: what is under way is lost, and all that wait or come get `error`, a negative errno, or wait for ever (BELAY_WIRE_STALLS). */
BELAY_API void belay_wire_cut(belay_stream *end, int error);

BELAY_END
#endif
