/* SPDX-License-Identifier: MIT */
/*
 * Counts the memory, descriptors and locks that a run takes and must give back.
 *
 * The allocator calls bly_memory_watch for each block. A table keeps the blocks by address, since a
 * call that frees a block does not know its size. The table's own memory comes from calloc() and so
 * is not counted.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sync/lock.h"
#include "testing/balance.h"

/* ---- memory ---- */

struct block {
        uintptr_t address; /* 0 if the entry is free */
        size_t size;
};

/*
 * The hash table of the thread, with open addressing. `room` is a power of two, and at most half of
 * it is in use.
 */
static __thread struct {
        struct block *blocks;
        size_t room, count, bytes;
        bool incomplete;
} table;

static size_t slot_of(uintptr_t address) {
        return (size_t) ((address >> 4) * 0x9e3779b97f4a7c15u >> 17) & (table.room - 1);
}

static struct block *find(uintptr_t address) {
        size_t i = slot_of(address);

        while (table.blocks[i].address != 0 && table.blocks[i].address != address)
                i = (i + 1) & (table.room - 1);
        return &table.blocks[i];
}

static bool grow(void) {
        struct block *old = table.blocks;
        size_t count = table.room;
        struct block *blocks = calloc(2 * count, sizeof(*blocks));

        if (blocks == NULL)
                return false;
        table.blocks = blocks;
        table.room = 2 * count;
        for (size_t i = 0; i < count; i++)
                if (old[i].address != 0)
                        *find(old[i].address) = old[i];
        free(old);
        return true;
}

/* Removes an entry, and moves up the later entries that collisions had displaced. */
static void drop(struct block *block) {
        size_t hole = (size_t) (block - table.blocks), i = hole;

        table.count--;
        table.bytes -= block->size;
        for (;;) {
                i = (i + 1) & (table.room - 1);
                if (table.blocks[i].address == 0)
                        break;
                if (((i - slot_of(table.blocks[i].address)) & (table.room - 1))
                    >= ((i - hole) & (table.room - 1))) {
                        table.blocks[hole] = table.blocks[i];
                        hole = i;
                }
        }
        table.blocks[hole].address = 0;
}

static void watch(uintptr_t before, uintptr_t after, size_t size) {
        struct block *block;

        if (before != 0) {
                block = find(before);
                /* A block from before the counting began is not counted when its size changes. */
                if (block->address == 0 && after != 0)
                        return;
                if (block->address != 0)
                        drop(block);
        }
        if (after == 0)
                return;
        if (2 * (table.count + 1) > table.room && !grow()) {
                table.incomplete = true;
                return;
        }
        block = find(after);
        if (block->address == 0)
                table.count++;
        else
                table.bytes -= block->size; /* another thread freed the block here before */
        table.bytes += size;
        *block = (struct block) { .address = after, .size = size };
}

int bly_balance_begin(void) {
        if (bly_memory_watch != NULL)
                return -EBUSY;
        table.room = 256;
        table.blocks = calloc(table.room, sizeof(*table.blocks));
        if (table.blocks == NULL)
                return -ENOMEM;
        table.count = table.bytes = 0;
        table.incomplete = false;
        bly_memory_watch = watch;
        return 0;
}

int bly_balance_end(void) {
        bly_memory_watch = NULL;
        free(table.blocks);
        table.blocks = NULL;
        return table.incomplete ? -ENOMEM : 0;
}

/* ---- descriptors ---- */

static void note_open(struct bly_balance *balance, int fd) {
        balance->descriptors++;
        if (fd < BLY_DESCRIPTORS_NAMED)
                balance->open[fd / 64] |= (uint64_t) 1 << fd % 64;
}

static void count_open(struct bly_balance *balance) {
        DIR *directory = opendir("/proc/self/fd");
        const struct dirent *entry;

        if (directory == NULL) {
                for (int fd = 0; fd < BLY_DESCRIPTORS_NAMED; fd++)
                        if (fcntl(fd, F_GETFD) >= 0)
                                note_open(balance, fd);
                return;
        }
        while ((entry = readdir(directory)) != NULL) {
                int fd = entry->d_name[0] != '.' ? atoi(entry->d_name) : -1;

                if (fd >= 0 && fd != dirfd(directory))
                        note_open(balance, fd);
        }
        closedir(directory);
}

/* Names the first new descriptor and its file: ", among them 8 (socket:[4711])". */
static void name_open(const struct bly_balance *before, const struct bly_balance *after, char *text,
                      size_t size) {
        char path[32], target[256];

        for (int fd = 0; fd < BLY_DESCRIPTORS_NAMED; fd++) {
                uint64_t bit = (uint64_t) 1 << fd % 64;
                ssize_t length;

                if (!(after->open[fd / 64] & bit) || (before->open[fd / 64] & bit))
                        continue;
                snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
                length = readlink(path, target, sizeof(target) - 1);
                snprintf(text, size, length > 0 ? ", among them %d (%.*s)" : ", among them %d", fd,
                         (int) length, target);
                return;
        }
        text[0] = '\0';
}

/* ---- the balance ---- */

void bly_balance_take(struct bly_balance *balance) {
        *balance = (struct bly_balance) { .blocks = table.count,
                                          .bytes = table.bytes,
                                          .locks = bly_locks_held };
        count_open(balance);
}

bool bly_balance_tilted(const struct bly_balance *before, const struct bly_balance *after) {
        return after->blocks > before->blocks || after->bytes > before->bytes
               || after->descriptors > before->descriptors || after->locks > before->locks;
}

static bool describe(const struct bly_balance *before, const struct bly_balance *after,
                     unsigned which, char *text, size_t size) {
        char name[320];

        switch (which) {
        case 0:
                if (after->blocks <= before->blocks && after->bytes <= before->bytes)
                        return false;
                snprintf(text, size, "memory was not given back: %zd bytes in %zd blocks",
                         (ssize_t) (after->bytes - before->bytes),
                         (ssize_t) (after->blocks - before->blocks));
                return true;
        case 1:
                if (after->descriptors <= before->descriptors)
                        return false;
                name_open(before, after, name, sizeof(name));
                snprintf(text, size, "open descriptors: %zu more%s",
                         after->descriptors - before->descriptors, name);
                return true;
        default:
                if (after->locks <= before->locks)
                        return false;
                snprintf(text, size, "locks are still held: %ld more",
                         after->locks - before->locks);
                return true;
        }
}

bool bly_balance_next(const struct bly_balance *before, const struct bly_balance *after,
                      unsigned *cursor, char *text, size_t size) {
        while (*cursor < 3)
                if (describe(before, after, (*cursor)++, text, size))
                        return true;
        return false;
}
