/* SPDX-License-Identifier: MIT */
/*
 * The memory in which a queue keeps its items. A ring gives its items out at the front or at the
 * back, and a heap gives out the least item.
 */
#ifndef BLY_STORE_H
#define BLY_STORE_H

#include "base/base.h"

#include <belay/queue.h>

struct bly_store {
        void **items;
        size_t first, count, room; /* `room` is a power of two or 0 */
        belay_queue_order order;
        int (*compare)(const void *a, const void *b);
};

void bly_store_init(struct bly_store *store, belay_queue_order order,
                    int (*compare)(const void *a, const void *b));
void bly_store_free(struct bly_store *store);

/*
 * The general functions. The inline functions below call them for orders other than FIFO, and if
 * the ring must grow.
 */
bool bly_store_put_slowly(struct bly_store *store, void *item);
void *bly_store_take_slowly(struct bly_store *store);

/* Returns false if there is no memory. */
static inline bool bly_store_put(struct bly_store *store, void *item) {
        if (unlikely(store->order == BELAY_QUEUE_PRIORITY || store->count == store->room))
                return bly_store_put_slowly(store, item);
        store->items[(store->first + store->count++) & (store->room - 1)] = item;
        return true;
}

/* Takes the first item of a FIFO queue. There must be an item. */
static inline void *bly_store_take_first(struct bly_store *store) {
        void *item = store->items[store->first];

        store->first = (store->first + 1) & (store->room - 1);
        store->count--;
        return item;
}

/* Takes the item that is next in the queue's order. There must be an item. */
static inline void *bly_store_take(struct bly_store *store) {
        return likely(store->order == BELAY_QUEUE_FIFO) ? bly_store_take_first(store)
                                                        : bly_store_take_slowly(store);
}

#endif
