/* SPDX-License-Identifier: MIT */
/*
 * Where a queue keeps its items: a ring, taken from at the front, the back, or by least first.
 */
#ifndef BLY_STORE_H
#define BLY_STORE_H

#include "base/base.h"

#include <belay/queue.h>

struct bly_store {
        void **items;
        size_t first, count, room;      /* room is a power of two or 0 */
        belay_queue_order order;
        int (*compare)(const void *a, const void *b);
};

void bly_store_init(struct bly_store *store, belay_queue_order order, int (*compare)(const void *a, const void *b));
void bly_store_free(struct bly_store *store);
/* False without memory. */
bool bly_store_put(struct bly_store *store, void *item);
/* There must be one. */
void *bly_store_take(struct bly_store *store);

#endif
