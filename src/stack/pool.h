/* SPDX-License-Identifier: MIT */
/*
 * The structure of a pool, for the files of this directory only.
 */
#ifndef BELAY_STACK_POOL_H
#define BELAY_STACK_POOL_H

#include <stdint.h>

#include "own.h"
#include "stack.h"

struct arena {
        struct arena *next;
        char *low; /* guard of the first stack */
        size_t slots;
        size_t used;    /* number of stacks that were handed out at least once */
        size_t guarded; /* number of stacks that have a guard; at least `used` */
        size_t before;  /* number of stacks that the pool had made when this arena was added */
};

struct bly_stack_pool {
        uintptr_t *free; /* free stacks: lowest address | stagger */
        size_t count;
        size_t reserved; /* number of free stacks that are promised */
        size_t clean;    /* number of stacks at the front that were trimmed and not used since */
        size_t usable;   /* usable bytes of a default stack, up to the end of its last page */
        size_t page;

        size_t slot;     /* bytes of a stack and its guard */
        size_t capacity; /* capacity of the array of free stacks */
        size_t made;     /* number of stacks that were ever handed out */
        size_t kept;     /* `keep` of the last trim */
        struct arena *arenas;
        struct bly_stack_own *owns; /* all stacks with a mapping of their own */
        struct bly_own_class classes[BLY_OWN_CLASSES];
        struct bly_own_class misfits; /* stacks of further sizes, which are not cached for long */
        size_t own_made;
        struct bly_stack_allocator allocator;
};

static inline size_t bly_stack_round(size_t size, size_t page) {
        return (size + page - 1) & ~(page - 1);
}

/* Stores the text for bly_stack_error(). Returns `error`. */
int bly_stack_fail(int error, const char *text);
int bly_stack_guard_failed(int error);
int bly_stack_map_failed(void);

/* Maps memory for stacks. Returns NULL if there is none. */
char *bly_stack_map(size_t size);

/*
 * Returns the whole pages of [low, end) to the kernel. Returns how many bytes of them were in
 * memory.
 */
size_t bly_stack_give_back_range(char *low, char *end, size_t page);

#endif
