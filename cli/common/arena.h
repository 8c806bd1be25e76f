/* SPDX-License-Identifier: MIT */
/*
 * Memory that is given back all at once: what a scenario is made of, and what playing it leaves behind.
 * Each piece is a block of its own, so that a sanitizer sees every step beyond one.
 */
#pragma once

#include <stddef.h>

struct arena {
        struct arena_block *blocks;
};

/* Zeroed. Never NULL: a command without memory says so and ends. */
void *arena_take(struct arena *arena, size_t size);
char *arena_copy(struct arena *arena, const char *text, size_t length);
void arena_free(struct arena *arena);
