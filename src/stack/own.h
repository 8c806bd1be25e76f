/* SPDX-License-Identifier: MIT */
/*
 * Stacks of other sizes than the default: each has a mapping of its own, and a record
 * in the books of the pool, because its memory must not be written to.
 */
#ifndef BELAY_STACK_OWN_H
#define BELAY_STACK_OWN_H

#include <stdbool.h>
#include <stddef.h>

struct bly_stack;
struct bly_stack_pool;

/* So many different sizes are cached. */
#define BLY_OWN_CLASSES 8

struct bly_stack_own {
        struct bly_stack_own *next; /* of all */
        struct bly_stack_own *prev;
        struct bly_stack_own *next_idle; /* of its class */
        struct bly_own_class *class_;
        char *low;
        size_t size; /* usable, up to the end of the last page */
        size_t stagger;
        bool is_idle;
        bool trimmed;
};

struct bly_own_class {
        size_t size; /* 0: not in use */
        struct bly_stack_own *idle;
        size_t idle_count;
        size_t live;
};

/* size: usable bytes with the stagger, whole pages */
int bly_stack_own_get(struct bly_stack_pool *pool, size_t size, struct bly_stack *out);
void bly_stack_own_put(struct bly_stack_pool *pool, struct bly_stack_own *own);

/* bly_stack_trim() for the free ones; untrimmed: all of them are to be looked at again. */
size_t bly_stack_own_trim(struct bly_stack_pool *pool, size_t keep, size_t limit);
void bly_stack_own_untrimmed(struct bly_stack_pool *pool);

void bly_stack_own_destroy(struct bly_stack_pool *pool);
void bly_stack_own_stack(struct bly_stack_own *own, struct bly_stack *out);

#endif
