/* SPDX-License-Identifier: MIT */
/*
 * What a pool consists of; for the files of this directory only.
 */
#ifndef BELAY_STACK_POOL_H
#define BELAY_STACK_POOL_H

#include <stdint.h>

#include "own.h"
#include "stack.h"

struct arena {
        struct arena *next;
        char *low;      /* the guard of the first stack */
        size_t slots;
        size_t used;    /* have been handed out at least once */
        size_t guarded; /* have a guard; at least as many as are used */
        size_t before;  /* how many stacks the pool had made when this one was added */
};

struct bly_stack_pool {
        uintptr_t *free;  /* free stacks: lowest address | stagger */
        size_t count;
        size_t reserved;  /* of the free ones, those that were promised */
        size_t clean;     /* so many from the front were trimmed and not used since */
        size_t usable;    /* of a default stack, up to the end of its last page */
        size_t page;

        size_t slot;      /* usable and guard */
        size_t capacity;  /* of the array of free stacks */
        size_t made;      /* stacks ever handed out */
        size_t kept;      /* what the last trim kept */
        struct arena *arenas;
        struct bly_stack_own *owns; /* all stacks with a mapping of their own */
        struct bly_own_class classes[BLY_OWN_CLASSES];
        struct bly_own_class misfits; /* sizes beyond those: never cached for long */
        size_t own_made;
        struct bly_stack_allocator allocator;
};

static inline size_t bly_stack_round(size_t size, size_t page)
{
        return (size + page - 1) & ~(page - 1);
}

/* Remembers the text for bly_stack_error(); returns `error`. */
int bly_stack_fail(int error, const char *text);
int bly_stack_guard_failed(int error);
int bly_stack_map_failed(void);

/* Memory for stacks, NULL if there is none. */
char *bly_stack_map(size_t size);

/* Gives back [low, end), whole pages. Returns how many bytes of it were there. */
size_t bly_stack_give_back_range(char *low, char *end, size_t page);

#endif
