/* SPDX-License-Identifier: MIT */
/*
 * For tests: a connection in memory whose delays, partial transfers and breaks a test sets.
 *
 * The connection has two streams (<belay/stream.h>). Bytes written to one are read from the other,
 * after a set delay, in pieces of a set size, and until a set break. Under the virtual clock a slow
 * connection takes no time. A seed makes an irregular connection behave in the same way each time.
 *
 *     belay_stream *ends[2];
 *     int rc = belay_wire(ends, BELAY_OPTIONS(belay_wire_options, .ways = {
 *             { .delay = 200 * BELAY_MILLISECOND, .read_most = 1 },
 *             { .cut_after = 1000 } }));
 *
 * Threads: the loop's own thread.
 * Cancellation: no function here is a cancellation point. The two streams have the cancellation
 * points of all streams.
 */
#ifndef BELAY_WIRE_H
#define BELAY_WIRE_H

#include <belay/stream.h>

BELAY_BEGIN

/*
 * One direction of the connection: [0] from ends[0] to ends[1], [1] back. All zero: bytes arrive at
 * once and whole, and the connection never breaks.
 *
 * With .cut_after the connection breaks when the first byte too many would arrive. Both directions
 * then stop, and both sides get .cut_with.
 */
typedef struct belay_wire_way {
        belay_time delay;     /* span from the write until the bytes can be read */
        belay_time jitter;    /* greatest random addition; the order of bytes stays */
        size_t room;          /* unread bytes that may be on their way; 0: 64 KiB */
        size_t read_most;     /* greatest number of bytes of a read; 0: no bound */
        size_t write_most;    /* greatest number of bytes of a write; 0: no bound */
        bool ragged;          /* each read and write moves a random number up to that */
        uint64_t cut_after;   /* bytes that arrive before the break; 0: no break */
        int cut_with;         /* negative errno, or BELAY_WIRE_STALLS; 0: -ECONNRESET */
        uint64_t reserved[4]; /* zero */
} belay_wire_way;
/* Instead of an error: after the break nothing arrives any more, and calls wait without a limit. */
enum { BELAY_WIRE_STALLS = 1 };

/* Options of belay_wire(). Zero is the default of each. */
typedef struct belay_wire_options {
        size_t size; /* sizeof(belay_wire_options) */
        belay_wire_way ways[2];
        uint64_t seed; /* of all random numbers; 0: 1 */
} belay_wire_options;

/*
 * Make a connection in memory.
 *
 * If `options` is NULL, all options have their defaults. The connection may be made when no loop
 * runs.
 *
 * Returns: 0 with both streams in ends[]. If the function fails, both are NULL.
 * Errors:
 *   -EINVAL     .delay or .jitter is negative, or .cut_with is more than BELAY_WIRE_STALLS.
 *   -ENOMEM     no memory.
 * Ownership: the streams are the caller's.
 */
BELAY_API int belay_wire(belay_stream *ends[2], const belay_wire_options *options) BELAY_MUST_USE;

/*
 * Break both directions of a connection at once.
 *
 * Bytes that were not read are lost. Calls that wait, and later calls, return `error`, a negative
 * errno. If `error` is BELAY_WIRE_STALLS, they wait without a limit. If `end` is no stream of
 * belay_wire(), the function does nothing, and a log line reports the misuse. It does the same if
 * `error` is 0 or more than BELAY_WIRE_STALLS.
 */
BELAY_API void belay_wire_cut(belay_stream *end, int error);

BELAY_END
#endif
