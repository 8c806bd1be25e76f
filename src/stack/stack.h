/* SPDX-License-Identifier: MIT */
/*
 * Guarded stacks from a pool.
 *
 * A pool belongs to one thread and takes no lock. Stacks of the default size lie next to each other
 * in arenas, each with a guard page below it. A million stacks therefore take a few hundred
 * mappings, and one touched page each.
 */
#ifndef BELAY_STACK_STACK_H
#define BELAY_STACK_STACK_H

#include <stdbool.h>
#include <stddef.h>

#include "guard.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BLY_STACK_DEFAULT ((size_t) 64 * 1024)

/*
 * The tops of stacks start at different multiples of 64 bytes within their page. Otherwise the same
 * frames of many tasks would compete for the same few sets of the cache. The bound leaves room in
 * one touched page for a sleeping task of up to 2.5 KiB.
 */
#define BLY_STACK_STAGGER_STEPS 24
#define BLY_STACK_STAGGER_MAX   ((BLY_STACK_STAGGER_STEPS - 1) * (size_t) 64)

struct bly_stack_pool;
struct bly_stack_own;

/*
 * [low, top) is usable, and the page below low is the guard. Between top and the end of its page,
 * less than BLY_STACK_STAGGER_MAX + 64 bytes are unused.
 */
struct bly_stack {
        char *low;
        char *top;
        struct bly_stack_own *own; /* NULL for the default size */
};

/* The functions that allocate a pool's records. Stacks themselves always come from the kernel. */
struct bly_stack_allocator {
        void *(*alloc)(size_t size, void *user); /* NULL if there is no memory */
        void (*free)(void *memory, size_t size, void *user);
        void *user;
};

/*
 * Creates a pool that uses `a`, or malloc() and free() if `a` is NULL. Returns NULL if there is no
 * memory. The pool maps no stacks yet.
 */
struct bly_stack_pool *bly_stack_pool_create(const struct bly_stack_allocator *a);

/* Unmaps all stacks, including those that are still in use. */
void bly_stack_pool_destroy(struct bly_stack_pool *pool);

/*
 * Gets a stack of at least `size` bytes, or of BLY_STACK_DEFAULT if `size` is 0. The default size
 * is 64 KiB less the stagger (at most BLY_STACK_STAGGER_MAX bytes). Stacks of other sizes have at
 * least the requested size. The contents are those that the last owner left.
 *
 * Returns 0, -EINVAL (the size is absurd) or -ENOMEM; bly_stack_error() then has the details.
 */
int bly_stack_get(struct bly_stack_pool *pool, size_t size, struct bly_stack *out);

/*
 * Takes a stack back. It neither touches nor unmaps the stack's memory, so the caller may still run
 * on it. The caller must have left it before the next call of the pool.
 */
void bly_stack_put(struct bly_stack_pool *pool, const struct bly_stack *stack);

/*
 * Promises a stack of the default size for later. Returns 0, or an error as bly_stack_get() does.
 * After a promise, bly_stack_take() gets the stack and cannot fail, or bly_stack_forgo() withdraws
 * the promise.
 */
int bly_stack_reserve(struct bly_stack_pool *pool);
void bly_stack_take(struct bly_stack_pool *pool, struct bly_stack *out);
void bly_stack_forgo(struct bly_stack_pool *pool);

/* Returns an English text that explains the last failure in this thread. Never NULL. */
const char *bly_stack_error(void);

/*
 * Returns the memory that free stacks touched to the kernel, except for the top `keep` bytes of
 * each (rounded up to pages). A call examines at most `limit` free stacks, and the next call
 * continues after them. Stacks that were not used since the last trim cost nothing. Returns the
 * number of bytes that were returned.
 */
size_t bly_stack_trim(struct bly_stack_pool *pool, size_t keep, size_t limit);

/*
 * Does the same for a live but suspended stack: the memory below its stack pointer is unused.
 * Returns the number of bytes that were returned.
 */
size_t bly_stack_give_back(const struct bly_stack *stack, const void *sp);

/*
 * Returns the greatest depth of the stack since its memory was last returned to the kernel. The
 * depth is in bytes from its top, with the precision of a page. Costs a system call.
 */
size_t bly_stack_used(const struct bly_stack *stack);

/* Returns the nominal size, including the bytes of the stagger. */
size_t bly_stack_size(const struct bly_stack *stack);

enum bly_stack_place {
        BLY_STACK_NOWHERE,
        BLY_STACK_INSIDE,
        BLY_STACK_GUARD,
};

/*
 * Finds out where in the pool an address lies. If it lies in a stack or its guard, *out is that
 * stack, which may currently be free. Safe in a signal handler of the pool's thread, if the signal
 * did not interrupt the pool itself.
 */
enum bly_stack_place bly_stack_find(const struct bly_stack_pool *pool, const void *address,
                                    struct bly_stack *out);

struct bly_stack_stats {
        size_t made;   /* stacks of the default size that were ever handed out */
        size_t free;   /* free stacks of the default size */
        size_t mapped; /* bytes of address space, including guards and all sizes */
        size_t others; /* existing stacks of other sizes */
        size_t cached; /* free stacks of other sizes */
};

void bly_stack_pool_stats(const struct bly_stack_pool *pool, struct bly_stack_stats *out);

#ifdef __cplusplus
}
#endif

#endif
