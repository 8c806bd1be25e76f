/* SPDX-License-Identifier: MIT */
/*
 * The memory in which a queue keeps its items.
 */
#include "sync/queue_store.h"

void bly_store_init(struct bly_store *store, belay_queue_order order,
                    int (*compare)(const void *a, const void *b)) {
        *store = (struct bly_store) { .order = order, .compare = compare };
}

void bly_store_free(struct bly_store *store) {
        bly_free(store->items);
}

static bool grow(struct bly_store *store) {
        size_t room = store->room == 0 ? 8 : 2 * store->room;
        void **items = room <= SIZE_MAX / 2 / sizeof(*items) ? bly_alloc(room * sizeof(*items))
                                                             : NULL;

        if (items == NULL)
                return false;
        for (size_t i = 0; i < store->count; i++)
                items[i] = store->items[(store->first + i) & (store->room - 1)];
        bly_free(store->items);
        store->items = items;
        store->first = 0;
        store->room = room;
        return true;
}

/* The heap of a priority queue always begins at index 0. Only a ring moves its first item. */
static void sift_up(struct bly_store *store, size_t i, void *item) {
        while (i > 0) {
                size_t parent = (i - 1) / 2;

                if (store->compare(store->items[parent], item) <= 0)
                        break;
                store->items[i] = store->items[parent];
                i = parent;
        }
        store->items[i] = item;
}

static void sift_down(struct bly_store *store, void *item) {
        size_t i = 0;

        for (;;) {
                size_t child = 2 * i + 1;

                if (child >= store->count)
                        break;
                if (child + 1 < store->count
                    && store->compare(store->items[child + 1], store->items[child]) < 0)
                        child++;
                if (store->compare(store->items[child], item) >= 0)
                        break;
                store->items[i] = store->items[child];
                i = child;
        }
        store->items[i] = item;
}

bool bly_store_put_slowly(struct bly_store *store, void *item) {
        if (store->count == store->room && !grow(store))
                return false;
        if (store->order == BELAY_QUEUE_PRIORITY)
                sift_up(store, store->count++, item);
        else
                store->items[(store->first + store->count++) & (store->room - 1)] = item;
        return true;
}

void *bly_store_take_slowly(struct bly_store *store) {
        void *item;

        if (store->order == BELAY_QUEUE_LIFO)
                return store->items[(store->first + --store->count) & (store->room - 1)];
        item = store->items[0];
        if (--store->count > 0)
                sift_down(store, store->items[store->count]);
        return item;
}
