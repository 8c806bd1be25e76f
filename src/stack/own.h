/* SPDX-License-Identifier: MIT */
/*
 * Stacks of other sizes than the default. Each has a mapping of its own. Its record lies in the
 * memory of the pool, because the library must not write to the memory of a free stack.
 */
#ifndef BELAY_STACK_OWN_H
#define BELAY_STACK_OWN_H

#include <stdbool.h>
#include <stddef.h>

struct bly_stack;
struct bly_stack_pool;

/* The number of different sizes that a pool caches. */
#define BLY_OWN_CLASSES 8

struct bly_stack_own {
        struct bly_stack_own *next; /* next of all stacks of the pool */
        struct bly_stack_own *prev;
        struct bly_stack_own *next_idle; /* next idle stack of its class */
        struct bly_own_class *class_;
        char *low;
        size_t size; /* usable bytes, up to the end of the last page */
        size_t stagger;
        bool is_idle;
        bool trimmed;
};

struct bly_own_class {
        size_t size; /* 0 if the class is not in use */
        struct bly_stack_own *idle;
        size_t idle_count;
        size_t live;
};

/* `size` is the number of usable bytes including the stagger, in whole pages. */
int bly_stack_own_get(struct bly_stack_pool *pool, size_t size, struct bly_stack *out);
void bly_stack_own_put(struct bly_stack_pool *pool, struct bly_stack_own *own);

/*
 * Trims free stacks like bly_stack_trim(). bly_stack_own_untrimmed() makes the next trim consider
 * all of them again.
 */
size_t bly_stack_own_trim(struct bly_stack_pool *pool, size_t keep, size_t limit);
void bly_stack_own_untrimmed(struct bly_stack_pool *pool);

void bly_stack_own_destroy(struct bly_stack_pool *pool);
void bly_stack_own_stack(struct bly_stack_own *own, struct bly_stack *out);

#endif
