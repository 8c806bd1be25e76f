/* SPDX-License-Identifier: MIT */
/*
 * Guard pages. Linux 6.13 can mark a page as a guard inside of a mapping; before,
 * a guard was a mapping of its own, and the kernel's bound on mappings was a bound
 * on stacks. Which way works is found by trying it once.
 */
#ifndef BELAY_STACK_GUARD_H
#define BELAY_STACK_GUARD_H

#include <stddef.h>

enum bly_guard_way {
        BLY_GUARD_UNKNOWN,
        BLY_GUARD_MARK,    /* madvise(MADV_GUARD_INSTALL): mappings stay whole */
        BLY_GUARD_PROTECT, /* mprotect(PROT_NONE): splits a mapping in three */
};

size_t bly_page_size(void);

/* How guards are made in this process. Never BLY_GUARD_UNKNOWN. */
enum bly_guard_way bly_guard_way(void);

/* For tests: settles the way by hand; BLY_GUARD_UNKNOWN detects again. */
void bly_guard_force(enum bly_guard_way way);

/*
 * Makes `count` guards of one page each, at first, first + stride, ... in writable
 * private anonymous memory. Returns how many from the first on were made; if that is
 * fewer than count, *error is a negative errno.
 */
size_t bly_guard_install(char *first, size_t stride, size_t count, int *error);

#endif
