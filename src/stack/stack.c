/* SPDX-License-Identifier: MIT */
/*
 * The pool of stacks.
 *
 * Free stacks of the default size form one array that is used from its end. The stack put back
 * last, which is still in the caches, is therefore handed out first. An entry is one word: the
 * stack's lowest address, with the stagger in the low bits. Putting a stack back writes only that
 * word.
 */
#include "stack.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "own.h"
#include "fast.h"
#include "pool.h"

/* If one call can make many guards, the pool makes them for this many stacks in advance. */
#define GUARD_AHEAD 64

#define ARENA_FIRST 16
#define ARENA_MOST  4096

static __thread const char *last_error __attribute__((tls_model("initial-exec"))) = "no error";

const char *bly_stack_error(void) {
        return last_error;
}

int bly_stack_fail(int error, const char *text) {
        last_error = text;
        return error;
}

int bly_stack_guard_failed(int error) {
        /*
         * Removing access rights from memory allocates no memory, so mprotect() fails with -ENOMEM
         * only if it would exceed the limit on mappings.
         */
        if (bly_guard_way() == BLY_GUARD_PROTECT && error == -ENOMEM)
                return bly_stack_fail(error,
                                      "no guard for another stack: the kernel's limit on mappings "
                                      "(vm.max_map_count) is reached");
        return bly_stack_fail(error, "no guard for another stack: the kernel is out of memory");
}

char *bly_stack_map(size_t size) {
        char *low;

        low = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
        if (low == MAP_FAILED)
                return NULL;
        /*
         * One touched byte must not make 2 MiB resident. The call fails on kernels without huge
         * pages, where it is not needed.
         */
        (void) madvise(low, size, MADV_NOHUGEPAGE);
        return low;
}

static void *hook_malloc(size_t size, void *user) {
        (void) user;
        return malloc(size);
}

static void hook_free(void *memory, size_t size, void *user) {
        (void) size;
        (void) user;
        free(memory);
}

struct bly_stack_pool *bly_stack_pool_create(const struct bly_stack_allocator *a) {
        static const struct bly_stack_allocator libc = { hook_malloc, hook_free, NULL };
        struct bly_stack_pool *pool;

        if (!a)
                a = &libc;
        pool = a->alloc(sizeof(*pool), a->user);
        if (!pool) {
                bly_stack_fail(-ENOMEM, "no memory for a pool of stacks");
                return NULL;
        }
        memset(pool, 0, sizeof(*pool));
        pool->allocator = *a;
        pool->page = bly_page_size();
        pool->usable = bly_stack_round(BLY_STACK_DEFAULT, pool->page);
        pool->slot = pool->usable + pool->page;
        return pool;
}

void bly_stack_pool_destroy(struct bly_stack_pool *pool) {
        struct bly_stack_allocator a = pool->allocator;
        struct arena *arena = pool->arenas;

        while (arena) {
                struct arena *next = arena->next;

                munmap(arena->low, arena->slots * pool->slot);
                a.free(arena, sizeof(*arena), a.user);
                arena = next;
        }
        bly_stack_own_destroy(pool);
        if (pool->free)
                a.free(pool->free, pool->capacity * sizeof(*pool->free), a.user);
        a.free(pool, sizeof(*pool), a.user);
}

/*
 * The array of free stacks always has room for every stack of the pool, because put must not fail.
 */
static int add_arena(struct bly_stack_pool *pool) {
        const struct bly_stack_allocator *a = &pool->allocator;
        size_t slots = pool->arenas ? pool->arenas->slots * 2 : ARENA_FIRST;
        size_t capacity;
        struct arena *arena;
        uintptr_t *free_stacks;

        if (slots > ARENA_MOST)
                slots = ARENA_MOST;

        arena = a->alloc(sizeof(*arena), a->user);
        if (!arena)
                return bly_stack_fail(-ENOMEM,
                                      "no memory for the books of another arena of stacks");

        /* If address space is scarce, a smaller arena may still fit. */
        for (;;) {
                arena->low = bly_stack_map(slots * pool->slot);
                if (arena->low || slots == 1)
                        break;
                slots /= 2;
        }
        if (!arena->low) {
                a->free(arena, sizeof(*arena), a->user);
                return bly_stack_map_failed();
        }

        capacity = pool->made + slots;
        free_stacks = a->alloc(capacity * sizeof(*free_stacks), a->user);
        if (!free_stacks) {
                munmap(arena->low, slots * pool->slot);
                a->free(arena, sizeof(*arena), a->user);
                return bly_stack_fail(-ENOMEM,
                                      "no memory for the books of another arena of stacks");
        }
        if (pool->count > 0)
                memcpy(free_stacks, pool->free, pool->count * sizeof(*free_stacks));
        if (pool->free)
                a->free(pool->free, pool->capacity * sizeof(*pool->free), a->user);
        pool->free = free_stacks;
        pool->capacity = capacity;

        arena->slots = slots;
        arena->used = 0;
        arena->guarded = 0;
        arena->before = pool->made;
        arena->next = pool->arenas;
        pool->arenas = arena;
        return 0;
}

static size_t stagger_of(size_t number) {
        return number % BLY_STACK_STAGGER_STEPS * 64;
}

static void slot_stack(const struct bly_stack_pool *pool, const struct arena *arena, size_t i,
                       struct bly_stack *out) {
        out->low = arena->low + i * pool->slot + pool->page;
        out->top = out->low + pool->usable - stagger_of(arena->before + i);
        out->own = NULL;
}

/* Out of line: gets a stack that was never used. */
static __attribute__((noinline)) int get_new(struct bly_stack_pool *pool, struct bly_stack *out) {
        struct arena *arena = pool->arenas;
        int r;

        if (!arena || arena->used == arena->slots) {
                r = add_arena(pool);
                if (r < 0)
                        return r;
                arena = pool->arenas;
        }
        if (arena->used == arena->guarded) {
                size_t ahead = arena->slots - arena->guarded;
                size_t most = bly_guard_way() == BLY_GUARD_MARK ? GUARD_AHEAD : 1;
                size_t made;

                if (ahead > most)
                        ahead = most;
                made = bly_guard_install(arena->low + arena->guarded * pool->slot, pool->slot,
                                         ahead, &r);
                if (made == 0)
                        return bly_stack_guard_failed(r);
                arena->guarded += made;
        }
        slot_stack(pool, arena, arena->used, out);
        arena->used++;
        pool->made++;
        return 0;
}

int bly_stack_get(struct bly_stack_pool *pool, size_t size, struct bly_stack *out) {
        if (__builtin_expect(size != 0, 0)) {
                if (size > (size_t) PTRDIFF_MAX / 2)
                        return bly_stack_fail(-EINVAL, "a stack cannot be that large");
                if (bly_stack_round(size, pool->page) != pool->usable) {
                        size = bly_stack_round(size + BLY_STACK_STAGGER_MAX, pool->page);
                        if (size != pool->usable)
                                return bly_stack_own_get(pool, size, out);
                }
        }
        if (__builtin_expect(pool->count > pool->reserved, 1)) {
                bly_stack_pop_fast(pool, out);
                return 0;
        }
        return get_new(pool, out);
}

int bly_stack_reserve_new(struct bly_stack_pool *pool) {
        struct bly_stack stack;
        int r = get_new(pool, &stack);

        if (r < 0)
                return r;
        bly_stack_put(pool, &stack);
        pool->reserved++;
        return 0;
}

int bly_stack_reserve(struct bly_stack_pool *pool) {
        return bly_stack_reserve_fast(pool);
}

void bly_stack_take(struct bly_stack_pool *pool, struct bly_stack *out) {
        bly_stack_take_fast(pool, out);
}

void bly_stack_forgo(struct bly_stack_pool *pool) {
        bly_stack_forgo_fast(pool);
}

void bly_stack_put(struct bly_stack_pool *pool, const struct bly_stack *stack) {
        bly_stack_put_fast(pool, stack->low, stack->top, stack->own);
}

size_t bly_stack_give_back_range(char *low, char *end, size_t page) {
        unsigned char present[256];
        size_t bytes = 0;

        while (low < end) {
                size_t pages = (size_t) (end - low) / page;
                size_t found = 0;

                if (pages > sizeof(present))
                        pages = sizeof(present);
                if (mincore(low, pages * page, present) < 0)
                        break;
                for (size_t i = 0; i < pages; i++)
                        found += present[i] & 1;
                if (found && madvise(low, pages * page, MADV_DONTNEED) == 0)
                        bytes += found * page;
                low += pages * page;
        }
        return bytes;
}

size_t bly_stack_trim(struct bly_stack_pool *pool, size_t keep, size_t limit) {
        size_t bytes = 0;

        keep = keep < SIZE_MAX / 2 ? bly_stack_round(keep, pool->page) : SIZE_MAX / 2;
        if (keep < pool->kept) {
                pool->clean = 0;
                bly_stack_own_untrimmed(pool);
        }
        pool->kept = keep;

        while (pool->clean < pool->count && limit > 0) {
                char *low = (char *) (pool->free[pool->clean] & ~(uintptr_t) (pool->page - 1));

                if (keep < pool->usable)
                        bytes += bly_stack_give_back_range(low, low + pool->usable - keep,
                                                           pool->page);
                pool->clean++;
                limit--;
        }
        bytes += bly_stack_own_trim(pool, keep, limit);
        return bytes;
}

size_t bly_stack_give_back(const struct bly_stack *stack, const void *sp) {
        size_t page = bly_page_size();
        char *end = (char *) ((uintptr_t) sp & ~(uintptr_t) (page - 1));

        return bly_stack_give_back_range(stack->low, end, page);
}

size_t bly_stack_size(const struct bly_stack *stack) {
        return bly_stack_round((size_t) (stack->top - stack->low), bly_page_size());
}

size_t bly_stack_used(const struct bly_stack *stack) {
        size_t page = bly_page_size();
        char *end = stack->low + bly_stack_size(stack);
        unsigned char present[256];

        for (char *low = stack->low; low < end;) {
                size_t pages = (size_t) (end - low) / page;

                if (pages > sizeof(present))
                        pages = sizeof(present);
                if (mincore(low, pages * page, present) < 0)
                        return 0;
                for (size_t i = 0; i < pages; i++) {
                        if (present[i] & 1)
                                return (size_t) (stack->top - (low + i * page));
                }
                low += pages * page;
        }
        return 0;
}

enum bly_stack_place bly_stack_find(const struct bly_stack_pool *pool, const void *address,
                                    struct bly_stack *out) {
        uintptr_t a = (uintptr_t) address;

        for (const struct arena *arena = pool->arenas; arena; arena = arena->next) {
                size_t i = (a - (uintptr_t) arena->low) / pool->slot;

                if (a < (uintptr_t) arena->low || i >= arena->guarded)
                        continue;
                slot_stack(pool, arena, i, out);
                return a < (uintptr_t) out->low ? BLY_STACK_GUARD : BLY_STACK_INSIDE;
        }
        for (struct bly_stack_own *own = pool->owns; own; own = own->next) {
                if (a < (uintptr_t) own->low - pool->page || a >= (uintptr_t) own->low + own->size)
                        continue;
                bly_stack_own_stack(own, out);
                return a < (uintptr_t) out->low ? BLY_STACK_GUARD : BLY_STACK_INSIDE;
        }
        return BLY_STACK_NOWHERE;
}

void bly_stack_pool_stats(const struct bly_stack_pool *pool, struct bly_stack_stats *out) {
        memset(out, 0, sizeof(*out));
        out->made = pool->made;
        out->free = pool->count;
        for (const struct arena *arena = pool->arenas; arena; arena = arena->next)
                out->mapped += arena->slots * pool->slot;
        for (const struct bly_stack_own *own = pool->owns; own; own = own->next) {
                out->mapped += own->size + pool->page;
                out->others++;
                out->cached += own->is_idle;
        }
}
