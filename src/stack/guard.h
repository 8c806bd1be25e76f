/* SPDX-License-Identifier: MIT */
/*
 * Guard pages.
 *
 * Since Linux 6.13 the kernel can mark a page within a mapping as a guard. Before, a guard splits a
 * mapping, and the kernel's limit on mappings limits the number of stacks. The library tries the
 * mark once to find out whether it works.
 */
#ifndef BELAY_STACK_GUARD_H
#define BELAY_STACK_GUARD_H

#include <stddef.h>

enum bly_guard_way {
        BLY_GUARD_UNKNOWN,
        BLY_GUARD_MARK,    /* madvise(MADV_GUARD_INSTALL): mappings stay whole */
        BLY_GUARD_PROTECT, /* mprotect(PROT_NONE): splits a mapping into three */
};

size_t bly_page_size(void);

/* Returns how this process makes guards. Never BLY_GUARD_UNKNOWN. */
enum bly_guard_way bly_guard_way(void);

/* For tests: sets the way. BLY_GUARD_UNKNOWN makes the next call detect it again. */
void bly_guard_force(enum bly_guard_way way);

/*
 * Makes `count` guards of one page each, at first, first + stride, ..., in writable private
 * anonymous memory. Returns how many it made, counted from the first. If that is fewer than count,
 * *error is a negative errno.
 */
size_t bly_guard_install(char *first, size_t stride, size_t count, int *error);

#endif
