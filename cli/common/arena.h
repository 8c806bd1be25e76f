/* SPDX-License-Identifier: MIT */
/*
 * Memory that is freed all at once: the parts of a scenario, and the objects that playing it leaves
 * behind.
 *
 * Each piece is a heap block of its own, so that a sanitizer detects every access beyond its end.
 */
#ifndef BELAY_CLI_COMMON_ARENA_H
#define BELAY_CLI_COMMON_ARENA_H

#include <stddef.h>

struct arena {
        struct arena_block *blocks;
};

/* Returns zeroed memory, never NULL. If there is no memory, the command reports that and exits. */
void *arena_take(struct arena *arena, size_t size);
char *arena_copy(struct arena *arena, const char *text, size_t length);
void arena_free(struct arena *arena);

#endif
