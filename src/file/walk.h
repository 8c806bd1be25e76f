/* SPDX-License-Identifier: MIT */
/*
 * The walk over a tree: its directories, from the root to where it is, as the task and the thread that reads them
 * share them.
 *
 * The thread takes no memory: it says what is missing, and is sent again.
 */
#ifndef BLY_WALK_H
#define BLY_WALK_H

#include "file/file.h"

enum {
        BLY_WALK_BATCH = 32,            /* entries that are looked at together */
        BLY_WALK_OPEN = 16,             /* directories that are kept open, beside the root */
};

struct bly_looked {
        struct stat stat;
        int error;
};

/* A directory. */
struct bly_level {
        int fd;                         /* -1: not open, or not any more */
        bool known;                     /* it was opened before, as these two: */
        dev_t device;
        ino_t inode;
        size_t path_length;             /* of the walk's path up to here */

        /* The names of its entries from the front, and where they are from the back: see bly_level_places(). */
        char *names;
        size_t used, room;
        size_t count;
        bool listed;                    /* all are there, in order */

        size_t next;                    /* the entry that is next */
        struct bly_looked *looked;      /* at the entries from `looked_first` on */
        size_t looked_first, looked_count;
};

struct bly_walk {
        struct bly_job job;
        int from;                       /* the directory that the root's path begins in */
        const char *root;
        struct bly_level *levels;
        size_t depth, levels_room;
        char *path;                     /* of the entry that is at hand */
        size_t path_room;

        /* What the thread says of the deepest level. */
        bool needs_room;
        int error;
};

/* Of a level's entries, in their order once it is listed: where the name begins. */
static inline uint32_t *bly_level_places(const struct bly_level *level) {
        return (uint32_t *) (void *) (level->names + level->room) - level->count;
}

static inline const char *bly_level_name(const struct bly_level *level, size_t entry) {
        return level->names + bly_level_places(level)[entry];
}

/*
 * In a thread: opens the deepest level where it is not open, lists it, and looks at the next batch of its entries.
 * Ends early if it is asked to, or needs more room.
 */
void bly_walk_read(struct bly_job *job);

/* What such an error means is that the directory vanished while we came. */
static inline bool bly_walk_vanished(int error) {
        return error == -ENOENT || error == -ENOTDIR || error == -ELOOP || error == -ESTALE;
}

#endif
