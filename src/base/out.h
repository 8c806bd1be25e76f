/* SPDX-License-Identifier: MIT */
/*
 * Buffered text output to a descriptor, or into a line for the log. It needs no memory but struct
 * bly_out, which lies on the writer's stack. After the first error it writes no more, so that only
 * bly_out_flush() at the end needs a check.
 */
#ifndef BLY_OUT_H
#define BLY_OUT_H

#include "base/base.h"

struct bly_out {
        int fd;    /* -1: the text stays in the buffer, and the rest of a longer one is cut off */
        int error; /* 0, or the negative errno of the first error */
        size_t used;
        char buffer[1024];
};

/* As printf(), for at most 199 bytes. The function cuts a longer text off. */
void bly_out(struct bly_out *out, const char *format, ...) BELAY_PRINTF(2, 3);
/*
 * Writes a text of any length that the program supplied, such as a name. Control characters become
 * '?', so that the text cannot break the lines of the tree.
 */
void bly_out_text(struct bly_out *out, const char *text);
/* Writes a call site after the text `before`. Writes nothing if the call site is NULL. */
void bly_out_place(struct bly_out *out, const char *before, const char *place);
/* Writes a span such as "3.2 s" or "12 ms" between two texts. A negative span is written as 0. */
void bly_out_span(struct bly_out *out, const char *before, belay_time span, const char *after);

static inline const char *bly_plural(size_t count) {
        return count == 1 ? "" : "s";
}

/* Ends the text of a bly_out whose descriptor is -1, and returns it. */
const char *bly_out_line(struct bly_out *out);
/* Writes the buffered text to the descriptor. Returns 0 or the first error. */
int bly_out_flush(struct bly_out *out);

#endif
