/* SPDX-License-Identifier: MIT */
/*
 * Memory that is freed all at once.
 */
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "text.h"

struct arena_block {
        struct arena_block *next;
        max_align_t data[];
};

void *arena_take(struct arena *arena, size_t size) {
        struct arena_block *block = calloc(1, sizeof(*block) + size);

        if (!block)
                out_of_memory();
        block->next = arena->blocks;
        arena->blocks = block;
        return block->data;
}

char *arena_copy(struct arena *arena, const char *text, size_t length) {
        char *copy = arena_take(arena, length + 1);

        memcpy(copy, text, length);
        return copy;
}

void arena_free(struct arena *arena) {
        struct arena_block *block = arena->blocks;

        while (block) {
                struct arena_block *next = block->next;

                free(block);
                block = next;
        }
        arena->blocks = NULL;
}
