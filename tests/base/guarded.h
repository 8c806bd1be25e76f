/* SPDX-License-Identifier: MIT */
/*
 * A memory function that finds wrong uses of memory: writes beyond a block, reads of memory that
 * was not set, blocks that are not freed or freed twice, and sizes.
 *
 * New memory is filled with FRESH. Each block has bytes before and after it that must not change.
 */
#ifndef BELAY_TESTS_BASE_GUARDED_H
#define BELAY_TESTS_BASE_GUARDED_H

#include <stdint.h>

#include "../base/help.h"

enum { FRESH = 0xa5, GUARD = 0x5a, GUARD_SIZE = 256 };

struct guarded {
        size_t size, filler; /* keeps the block's alignment */
        unsigned char bytes[];
};

static size_t guarded_blocks, guarded_refused_from;

static inline unsigned char *guard_of(struct guarded *block) {
        return block->bytes + block->size;
}

static inline void check_guard(struct guarded *block) {
        CHECK(block->filler == SIZE_MAX - block->size);
        for (size_t i = 0; i < GUARD_SIZE; i++)
                CHECK_EQ(guard_of(block)[i], GUARD);
}

/* For belay_set_memory(). Refuses blocks of `guarded_refused_from` bytes and more, if not 0. */
static inline void *guarded_memory(void *context, void *old, size_t size) {
        struct guarded *before = old != NULL ? (struct guarded *) old - 1 : NULL, *block;
        size_t kept;

        (void) context;
        if (before != NULL)
                check_guard(before);
        if (size > 0 && guarded_refused_from > 0 && size >= guarded_refused_from)
                return NULL;
        if (size == 0) {
                CHECK(before != NULL);
                guarded_blocks--;
                memset(before, FRESH, sizeof(*before) + before->size + GUARD_SIZE);
                free(before);
                return NULL;
        }
        block = malloc(sizeof(*block) + size + GUARD_SIZE);
        CHECK(block != NULL);
        *block = (struct guarded) { .size = size, .filler = SIZE_MAX - size };
        memset(block->bytes, FRESH, size);
        memset(guard_of(block), GUARD, GUARD_SIZE);
        guarded_blocks++;
        if (before != NULL) {
                kept = before->size < size ? before->size : size;
                memcpy(block->bytes, before->bytes, kept);
                guarded_memory(NULL, old, 0);
        }
        return block->bytes;
}

#endif
