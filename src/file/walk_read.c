/* SPDX-License-Identifier: MIT */
/*
 * Reads directories in a thread.
 *
 * The thread opens each directory by its name from its parent's descriptor, and never through a
 * symbolic link. So no change to the tree can lead the walk out of it. Of the directories from the
 * root to the current one, only the deepest stay open. The thread opens a closed one again by the
 * names that lead to it, and checks that it is the same directory.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "file/walk.h"

/* ---- opening ---- */

static int open_one(struct bly_walk *walk, size_t index) {
        struct bly_level *level = &walk->levels[index], *parent = level - 1;
        struct stat stat;
        int fd, rc;

        do
                if (index == 0)
                        fd = openat(walk->from, walk->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                else
                        fd = openat(parent->fd, bly_level_name(parent, parent->next - 1),
                                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        while (fd < 0 && errno == EINTR);
        if (fd < 0)
                return -errno;
        rc = fstat(fd, &stat) < 0 ? -errno : 0;
        if (rc == 0 && level->known
            && (stat.st_dev != level->device || stat.st_ino != level->inode))
                rc = -ESTALE;
        if (rc < 0) {
                close(fd);
                return rc;
        }
        level->fd = fd;
        level->known = true;
        level->device = stat.st_dev;
        level->inode = stat.st_ino;
        return 0;
}

static void close_one(struct bly_level *level) {
        if (level->fd >= 0)
                close(level->fd);
        level->fd = -1;
}

/*
 * Opens the deepest level and the closed levels directly above it. Closes the levels that are
 * BLY_WALK_OPEN or more above it, except the root, which stays open.
 */
static int open_deepest(struct bly_walk *walk) {
        size_t deepest = walk->depth - 1, index = deepest;
        int rc;

        while (index > 0 && walk->levels[index - 1].fd < 0)
                index--;
        for (; index <= deepest; index++) {
                rc = open_one(walk, index);
                if (rc < 0)
                        return rc;
                if (index > BLY_WALK_OPEN)
                        close_one(&walk->levels[index - BLY_WALK_OPEN]);
        }
        return 0;
}

/* ---- listing ---- */

/* A directory entry as getdents64() writes it. */
struct record {
        uint64_t inode;
        int64_t next;
        uint16_t size;
        uint8_t type;
        char name[];
};

enum { NAMES_AT_ONCE = 1024, RECORD_LEAST = 24 };

static bool is_self_or_parent(const char *name) {
        return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/*
 * Moves the names out of the kernel's records, which begin after the names of the level, to the end
 * of these names.
 */
static void take_names(struct bly_level *level, const char *records, size_t size) {
        const char *at = records;

        while (at < records + size) {
                const struct record *record = (const struct record *) (const void *) at;
                size_t length = strlen(record->name) + 1, step = record->size;

                if (!is_self_or_parent(record->name)) {
                        uint32_t place = (uint32_t) level->used;

                        memmove(level->names + level->used, record->name, length);
                        level->used += length;
                        level->count++;
                        *bly_level_places(level) = place;
                }
                at += step;
        }
}

static int compare(const void *a, const void *b, void *names) {
        return strcmp((const char *) names + *(const uint32_t *) a,
                      (const char *) names + *(const uint32_t *) b);
}

/*
 * Reads all names of a level, and sorts them. The kernel writes its records into the free part of
 * the buffer, less the room that the offsets of their names will need.
 */
static int list(struct bly_walk *walk, struct bly_level *level) {
        for (;;) {
                size_t start = (level->used + 7) & ~(size_t) 7;
                size_t end = level->room - level->count * sizeof(uint32_t);
                size_t size = end > start ? (end - start) * RECORD_LEAST
                                                    / (RECORD_LEAST + sizeof(uint32_t))
                                          : 0;
                long got;

                if (bly_job_asked(&walk->job))
                        return 0;
                walk->needs_room = size < NAMES_AT_ONCE;
                if (walk->needs_room)
                        return 0;
                got = syscall(SYS_getdents64, level->fd, level->names + start, size);
                if (got < 0)
                        return -errno;
                if (got == 0)
                        break;
                take_names(level, level->names + start, (size_t) got);
        }
        qsort_r(bly_level_places(level), level->count, sizeof(uint32_t), compare, level->names);
        level->listed = true;
        return 0;
}

/* ---- status ---- */

static void look(struct bly_level *level) {
        size_t count = level->count - level->next;

        if (count > BLY_WALK_BATCH)
                count = BLY_WALK_BATCH;
        for (size_t i = 0; i < count; i++) {
                struct bly_entry_status *status = &level->status[i];

                memset(status, 0, sizeof(*status));
                if (fstatat(level->fd, bly_level_name(level, level->next + i), &status->stat,
                            AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT)
                    < 0)
                        status->error = -errno;
        }
        level->status_first = level->next;
        level->status_count = count;
}

void bly_walk_read(struct bly_job *job) {
        struct bly_walk *walk = container_of(job, struct bly_walk, job);
        struct bly_level *level = &walk->levels[walk->depth - 1];

        walk->error = 0;
        walk->needs_room = false;
        if (level->fd < 0)
                walk->error = open_deepest(walk);
        if (walk->error == 0 && !level->listed)
                walk->error = list(walk, level);
        if (walk->error == 0 && level->listed)
                look(level);
}
