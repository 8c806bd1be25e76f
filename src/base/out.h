/* SPDX-License-Identifier: MIT */
/*
 * Buffered text output to a descriptor. It needs no memory but struct bly_out, which lies on the
 * writer's stack. After the first error it writes no more, so that only bly_out_flush() at the end
 * needs a check.
 */
#ifndef BLY_OUT_H
#define BLY_OUT_H

#include "base/base.h"

struct bly_out {
        int fd;
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
/* Writes the buffered text to the descriptor. Returns 0 or the first error. */
int bly_out_flush(struct bly_out *out);

#endif
