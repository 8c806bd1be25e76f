/* SPDX-License-Identifier: MIT */
/*
 * Memory, from one function that the program may set.
 */
#include <stdlib.h>
#include <sys/mman.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/base.h"

static belay_memory_fn *memory_fn;
static void *memory_context;

__thread bly_memory_watch_fn *bly_memory_watch;

void belay_set_memory(belay_memory_fn *fn, void *context) {
        memory_fn = fn;
        memory_context = context;
}

static void *get(void *block, size_t size) {
        if (memory_fn != NULL)
                return memory_fn(memory_context, block, size);
        if (size == 0) {
                free(block);
                return NULL;
        }
        return realloc(block, size);
}

static void watch(uintptr_t before, uintptr_t after, size_t size) {
        if (unlikely(bly_memory_watch != NULL))
                bly_memory_watch(before, after, size);
}

void *bly_realloc(void *block, size_t size) {
        uintptr_t before = (uintptr_t) block;
        void *after = get(block, size);

        if (after != NULL || size == 0)
                watch(before, (uintptr_t) after, size);
        return after;
}

void *bly_alloc(size_t size) {
        return bly_realloc(NULL, size);
}

void *bly_zalloc(size_t size) {
        void *block = bly_realloc(NULL, size);

        return block != NULL ? memset(block, 0, size) : NULL;
}

void bly_free(void *block) {
        if (block != NULL)
                bly_realloc(block, 0);
}

void *bly_alloc_large(size_t size, bool large, bool *mapped) {
        void *block;

        *mapped = large && memory_fn == NULL;
        if (!*mapped)
                return bly_zalloc(size);
        block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED)
                return NULL;
        watch(0, (uintptr_t) block, size);
        return block;
}

void bly_free_large(void *block, size_t size, bool mapped) {
        if (!mapped) {
                bly_free(block);
                return;
        }
        munmap(block, size);
        watch((uintptr_t) block, 0, 0);
}

void bly_trim_memory(void) {
#ifdef __GLIBC__
        if (memory_fn == NULL)
                malloc_trim(0);
#endif
}

/* The pointer before the aligned block points to the memory that was allocated. */
void *bly_alloc_aligned(size_t alignment, size_t size) {
        char *memory = bly_alloc(size + sizeof(void *) + alignment);
        uintptr_t begin = ((uintptr_t) memory + sizeof(void *) + alignment - 1)
                          & ~(uintptr_t) (alignment - 1);

        if (memory == NULL)
                return NULL;
        ((void **) begin)[-1] = memory;
        return (void *) begin;
}

void bly_free_aligned(void *block) {
        if (block != NULL)
                bly_free(((void **) block)[-1]);
}
