/* SPDX-License-Identifier: MIT */
/*
 * What a run takes and must give back: memory, descriptors, locks.
 */
#ifndef BLY_BALANCE_H
#define BLY_BALANCE_H

#include "base/base.h"

enum { BLY_DESCRIPTORS_NAMED = 1024 };

struct bly_balance {
        size_t blocks, bytes;           /* of the library's memory, taken by this thread since bly_balance_begin() */
        size_t descriptors;
        long locks;
        uint64_t open[BLY_DESCRIPTORS_NAMED / 64];
};

/* From here to the end the memory of the calling thread is watched. 0, -ENOMEM, or -EBUSY if it is already. */
int bly_balance_begin(void);
/* -ENOMEM if not all of it could be counted. */
int bly_balance_end(void);

void bly_balance_take(struct bly_balance *balance);

/* Does more stand in `after` than in `before`? */
bool bly_balance_tilted(const struct bly_balance *before, const struct bly_balance *after);

/* One thing after the other that there is more of, in words, while it returns true; *cursor is 0 at first. */
bool bly_balance_next(const struct bly_balance *before, const struct bly_balance *after, unsigned *cursor,
                      char *text, size_t size);

#endif
