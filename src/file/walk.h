/* SPDX-License-Identifier: MIT */
/*
 * The state of a walk over a tree, which the task shares with the thread that reads directories.
 * The state has a level for each directory from the root to the current one.
 *
 * The thread allocates no memory. If it needs more, it sets `needs_room` and ends, and the task
 * runs it again with more.
 */
#ifndef BLY_WALK_H
#define BLY_WALK_H

#include "file/file.h"

enum {
        BLY_WALK_BATCH = 32, /* entries whose status the thread reads in a single run */
        BLY_WALK_OPEN = 16,  /* directories kept open in addition to the root */
};

/* The status of an entry, or the error of reading it. */
struct bly_entry_status {
        struct stat stat;
        int error;
};

/* A directory on the way from the root to the current one. */
struct bly_level {
        int fd;     /* -1 while it is not open */
        bool known; /* it was opened before; the next two fields identify it */
        dev_t device;
        ino_t inode;
        size_t path_length; /* length of the directory's path in bly_walk.path */

        /* Buffer with the names from its front, and their offsets from its back. */
        char *names;
        size_t used, room;
        size_t count;
        bool listed; /* all names are there, and the offsets sorted by name */

        size_t next;                     /* index of the next entry to report */
        struct bly_entry_status *status; /* status of the entries from `status_first` on */
        size_t status_first, status_count;
};

struct bly_walk {
        struct bly_job job;
        int from; /* directory from which the root's path is resolved */
        const char *root;
        struct bly_level *levels;
        size_t depth, levels_room;
        char *path; /* path of the current entry */
        size_t path_room;

        /* Results of the thread, for the deepest level. */
        bool needs_room;
        int error;
};

/*
 * Returns the offsets at which the names of a level's entries begin. They are sorted by name if the
 * level is listed.
 */
static inline uint32_t *bly_level_places(const struct bly_level *level) {
        return (uint32_t *) (void *) (level->names + level->room) - level->count;
}

static inline const char *bly_level_name(const struct bly_level *level, size_t entry) {
        return level->names + bly_level_places(level)[entry];
}

/*
 * Runs in a thread. Opens the deepest level if it is not open, lists it, and reads the status of
 * the next batch of its entries. Ends early if a request stops the job, or if the buffer is too
 * small.
 */
void bly_walk_read(struct bly_job *job);

/* Does the error mean that an entry vanished, or that another file took its name? */
static inline bool bly_walk_vanished(int error) {
        return error == -ENOENT || error == -ENOTDIR || error == -ELOOP || error == -ESTALE;
}

#endif
