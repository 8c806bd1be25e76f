/* SPDX-License-Identifier: MIT */
/*
 * What the process holds: memory of the library, descriptors and threads. When a loop has ended,
 * each must be what it was before the loop.
 */
#ifndef BELAY_SOAK_BALANCE_H
#define BELAY_SOAK_BALANCE_H

#include <dirent.h>
#include <time.h>

#include "soak/ledger.h"

struct balance {
        long long blocks, bytes, descriptors, threads;
};

static atomic_llong blocks_held, bytes_held, bytes_most;

/* ---- memory ---- */

/* Stands before each block and holds its size. */
union block {
        size_t size;
        max_align_t align;
};

static inline void *counted_memory(void *context, void *memory, size_t size) {
        union block *block = memory != NULL ? (union block *) memory - 1 : NULL, *other;
        long long before = block != NULL ? (long long) block->size : 0, held;

        (void) context;
        if (size == 0) {
                if (block != NULL) {
                        atomic_fetch_sub(&blocks_held, 1);
                        atomic_fetch_sub(&bytes_held, before);
                }
                free(block);
                return NULL;
        }
        other = realloc(block, sizeof(*other) + size);
        if (other == NULL)
                return NULL;
        other->size = size;
        atomic_fetch_add(&blocks_held, block == NULL);
        held = atomic_fetch_add(&bytes_held, (long long) size - before) + (long long) size - before;
        if (held > atomic_load(&bytes_most))
                atomic_store(&bytes_most, held);
        return other + 1;
}

/* ---- descriptors and threads ---- */

static inline long long entries_of(const char *path) {
        DIR *directory = opendir(path);
        long long count = 0;

        if (directory == NULL) {
                perror(path);
                exit(2);
        }
        while (readdir(directory) != NULL)
                count++;
        closedir(directory);
        return count;
}

static inline struct balance take_balance(void) {
        return (struct balance) {
                .blocks = atomic_load(&blocks_held),
                .bytes = atomic_load(&bytes_held),
                .descriptors = entries_of("/proc/self/fd"),
                .threads = entries_of("/proc/self/task"),
        };
}

static inline bool is_same(const struct balance *one, const struct balance *other) {
        return one->blocks == other->blocks && one->bytes == other->bytes
               && one->descriptors == other->descriptors && one->threads == other->threads;
}

/*
 * Waits up to 20 s until the process holds what it held before. A cancelled lookup keeps its thread
 * and its memory until the resolver returns.
 */
static inline void compare_balance(const struct balance *before, const char *when) {
        const struct timespec moment = { .tv_nsec = 1000000 };
        struct balance now = take_balance();

        for (int i = 0; i < 20000 && !is_same(before, &now); i++) {
                nanosleep(&moment, NULL);
                now = take_balance();
        }
        if (!is_same(before, &now))
                wrong(NULL,
                      "%s: %lld blocks with %lld bytes, %lld descriptors, "
                      "%lld threads more than before",
                      when, now.blocks - before->blocks, now.bytes - before->bytes,
                      now.descriptors - before->descriptors, now.threads - before->threads);
}

#endif
