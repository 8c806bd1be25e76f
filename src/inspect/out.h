/* SPDX-License-Identifier: MIT */
/*
 * Text on its way to a descriptor, in pieces: no memory but this struct, which lies on the writer's stack. After
 * the first error nothing more is written, so that only the end needs to look at it.
 */
#ifndef BLY_OUT_H
#define BLY_OUT_H

#include "base/base.h"

struct bly_out {
        int fd;
        int error;              /* a negative errno */
        size_t used;
        char buffer[1024];
};

/* As printf(), for a line of reasonable length: what is longer than 200 bytes is cut off. */
void bly_out(struct bly_out *out, const char *format, ...) BELAY_PRINTF(2, 3);
/* A text of somebody else, whole, of which control characters become '?': a name must not break the tree. */
void bly_out_text(struct bly_out *out, const char *text);
/* Writes what is left. Returns 0 or the first error. */
int bly_out_flush(struct bly_out *out);

#endif
