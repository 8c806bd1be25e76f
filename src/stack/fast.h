/* SPDX-License-Identifier: MIT */
/*
 * The hot part of the pool, inline for the code that starts and ends tasks.
 *
 * The functions take and return the parts of a stack one by one. As a struct, the parts would be
 * read back at another width than they were just written with, which stalls.
 */
#ifndef BELAY_STACK_FAST_H
#define BELAY_STACK_FAST_H

#include "pool.h"

/* Out of line, for a pool in which every free stack is promised. */
int bly_stack_reserve_new(struct bly_stack_pool *pool);

static inline void bly_stack_pop_fast(struct bly_stack_pool *pool, struct bly_stack *out) {
        uintptr_t entry = pool->free[--pool->count];
        uintptr_t stagger = entry & (pool->page - 1);

        if (pool->clean > pool->count)
                pool->clean = pool->count;
        out->low = (char *) (entry - stagger);
        out->top = out->low + (pool->usable - stagger);
        out->own = NULL;
}

static inline int bly_stack_reserve_fast(struct bly_stack_pool *pool) {
        if (__builtin_expect(pool->count <= pool->reserved, 0))
                return bly_stack_reserve_new(pool);
        pool->reserved++;
        return 0;
}

static inline void bly_stack_take_fast(struct bly_stack_pool *pool, struct bly_stack *out) {
        pool->reserved--;
        bly_stack_pop_fast(pool, out);
}

static inline void bly_stack_forgo_fast(struct bly_stack_pool *pool) {
        pool->reserved--;
}

static inline void bly_stack_put_fast(struct bly_stack_pool *pool, char *low, char *top,
                                      struct bly_stack_own *own) {
        if (__builtin_expect(own != NULL, 0)) {
                bly_stack_own_put(pool, own);
                return;
        }
        pool->free[pool->count++] = (uintptr_t) low + (pool->usable - (size_t) (top - low));
}

/*
 * BLY_STACK_LINES is the number of cache lines, from the top of its stack, that a short task
 * touches. BLY_STACK_AHEAD is how many stacks in advance they are prefetched.
 */
#define BLY_STACK_LINES 5
#define BLY_STACK_AHEAD 4

/*
 * Prefetches the top of a stack that will be taken soon. If all stacks are cold, the cache misses
 * there are most of the cost of starting a task.
 *
 * The function is always_inline, because gcc considers a function that only prefetches free of
 * effects and removes calls of it.
 */
static inline __attribute__((always_inline)) void
bly_stack_prefetch(const struct bly_stack_pool *pool) {
        if (pool->count > BLY_STACK_AHEAD) {
                uintptr_t entry = pool->free[pool->count - 1 - BLY_STACK_AHEAD];
                uintptr_t stagger = entry & (pool->page - 1);
                const char *top = (const char *) (entry - stagger + pool->usable - stagger);

                for (int i = 1; i <= BLY_STACK_LINES; i++)
                        __builtin_prefetch(top - 64 * i, 1);
        }
}

#endif
