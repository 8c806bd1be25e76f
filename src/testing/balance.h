/* SPDX-License-Identifier: MIT */
/*
 * Counts the memory, descriptors and locks that a run takes and must give back.
 */
#ifndef BLY_BALANCE_H
#define BLY_BALANCE_H

#include "base/base.h"

enum { BLY_DESCRIPTORS_NAMED = 1024 };

struct bly_balance {
        /* The library's memory that this thread has allocated since bly_balance_begin(). */
        size_t blocks, bytes;
        size_t descriptors;
        long locks;
        uint64_t open[BLY_DESCRIPTORS_NAMED / 64];
};

/*
 * Begins to count the calling thread's memory. Returns 0, -ENOMEM, or -EBUSY if the thread's memory
 * is counted already.
 */
int bly_balance_begin(void);
/* Ends the counting. Returns 0, or -ENOMEM if there was no memory to count everything. */
int bly_balance_end(void);

void bly_balance_take(struct bly_balance *balance);

/* Is any count greater in `after` than in `before`? */
bool bly_balance_tilted(const struct bly_balance *before, const struct bly_balance *after);

/*
 * Describes in `text` the next kind of thing of which `after` has more than `before`. Returns false
 * if there is none left. *cursor must be 0 at the first call.
 */
bool bly_balance_next(const struct bly_balance *before, const struct bly_balance *after,
                      unsigned *cursor, char *text, size_t size);

#endif
