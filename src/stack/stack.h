/* SPDX-License-Identifier: MIT */
/*
 * Guarded stacks from a pool. A pool belongs to one thread and takes no lock. Stacks
 * of the default size lie in arenas, side by side, each with a guard page below it,
 * so that a million of them are a few hundred mappings and one touched page each.
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
 * Tops start at different multiples of 64 bytes within their page: the same frames of
 * many tasks would otherwise compete for the same few sets of the cache. The bound
 * leaves a sleeping task of up to 2.5 KiB in the one page it has touched.
 */
#define BLY_STACK_STAGGER_STEPS 24
#define BLY_STACK_STAGGER_MAX ((BLY_STACK_STAGGER_STEPS - 1) * (size_t) 64)

struct bly_stack_pool;
struct bly_stack_own;

/*
 * [low, top) is usable, and the page below low is the guard. Between top and the end
 * of its page are less than BLY_STACK_STAGGER_MAX + 64 bytes that nobody uses.
 */
struct bly_stack {
        char *low;
        char *top;
        struct bly_stack_own *own; /* NULL for the default size */
};

/* Where a pool keeps its books. Stacks themselves always come from the system. */
struct bly_stack_allocator {
        void *(*alloc)(size_t size, void *user); /* NULL when there is no memory */
        void (*free)(void *memory, size_t size, void *user);
        void *user;
};

/* a: NULL for malloc() and free(). Returns NULL without memory. Maps no stacks yet. */
struct bly_stack_pool *bly_stack_pool_create(const struct bly_stack_allocator *a);

/* Unmaps all stacks, whether given back or not. */
void bly_stack_pool_destroy(struct bly_stack_pool *pool);

/*
 * A stack of at least `size` bytes, or 0 for BLY_STACK_DEFAULT. The default size is
 * 64 KiB less the stagger (at most BLY_STACK_STAGGER_MAX bytes); other sizes are
 * never less than asked for. Contents are whatever the last owner left.
 *
 * Returns 0, -EINVAL (absurd size) or -ENOMEM; then bly_stack_error() says more.
 */
int bly_stack_get(struct bly_stack_pool *pool, size_t size, struct bly_stack *out);

/*
 * Takes a stack back. Touches nothing of it and unmaps nothing of it: the caller
 * may still stand on it, but must have left it when the pool is next called.
 */
void bly_stack_put(struct bly_stack_pool *pool, const struct bly_stack *stack);

/*
 * Promises a stack of the default size for later: 0, or an error as bly_stack_get() has. bly_stack_take() gets it
 * then, and cannot fail; bly_stack_forgo() does without it.
 */
int bly_stack_reserve(struct bly_stack_pool *pool);
void bly_stack_take(struct bly_stack_pool *pool, struct bly_stack *out);
void bly_stack_forgo(struct bly_stack_pool *pool);

/* Why the last call of this thread failed: a text in English, never NULL. */
const char *bly_stack_error(void);

/*
 * Gives the system what free stacks have touched, but for the `keep` bytes at their
 * upper end (rounded up to pages). Looks at no more than `limit` free stacks, and goes on
 * from there the next time; stacks that nobody used since they were last looked at
 * cost nothing. Returns the number of bytes given back.
 */
size_t bly_stack_trim(struct bly_stack_pool *pool, size_t keep, size_t limit);

/*
 * The same for a live but suspended stack: what lies below its stack pointer is of
 * no use to anybody. Returns the number of bytes given back.
 */
size_t bly_stack_give_back(const struct bly_stack *stack, const void *sp);

/*
 * How deep the stack has ever been since its memory was last given back, in
 * bytes from its top, by the page. Costs a system call.
 */
size_t bly_stack_used(const struct bly_stack *stack);

/* The size a human would call it: with what the stagger takes. */
size_t bly_stack_size(const struct bly_stack *stack);

enum bly_stack_place {
        BLY_STACK_NOWHERE,
        BLY_STACK_INSIDE,
        BLY_STACK_GUARD,
};

/*
 * Where in the pool an address lies; *out is the stack then, which may be one that is
 * free at present. Safe in a signal handler of the pool's thread, provided that the
 * signal did not interrupt the pool itself.
 */
enum bly_stack_place bly_stack_find(const struct bly_stack_pool *pool, const void *address,
                                    struct bly_stack *out);

struct bly_stack_stats {
        size_t made;   /* stacks of the default size that were ever handed out */
        size_t free;   /* of those, free ones */
        size_t mapped; /* bytes of address space, with guards and all sizes */
        size_t others; /* stacks of other sizes that exist */
        size_t cached; /* of those, free ones */
};

void bly_stack_pool_stats(const struct bly_stack_pool *pool, struct bly_stack_stats *out);

#ifdef __cplusplus
}
#endif

#endif
