/* SPDX-License-Identifier: MIT */
/*
 * Walks over a tree in the task: moves from entry to entry, and reports each entry to the caller's
 * function.
 *
 * The levels from the root to the current directory are in an array, so that a deep tree needs no
 * more stack.
 */
#define _GNU_SOURCE
#include <unistd.h>

#include "file/walk.h"

enum { NAMES_ROOM = 4096, LEVELS_ROOM = 8 };

/* ---- memory ---- */

static int push(struct bly_walk *walk, size_t path_length) {
        size_t room = walk->levels_room == 0 ? LEVELS_ROOM : walk->levels_room * 2;
        struct bly_level *level, *levels;

        if (walk->depth == walk->levels_room) {
                levels = bly_realloc(walk->levels, room * sizeof(*levels));
                if (levels == NULL)
                        return -ENOMEM;
                walk->levels = levels;
                walk->levels_room = room;
        }
        level = &walk->levels[walk->depth];
        *level = (struct bly_level) {
                .fd = -1,
                .path_length = path_length,
                .names = bly_alloc(NAMES_ROOM),
                .room = NAMES_ROOM,
                .status = bly_alloc(BLY_WALK_BATCH * sizeof(*level->status)),
        };
        walk->depth++;
        return level->names != NULL && level->status != NULL ? 0 : -ENOMEM;
}

static void pop(struct bly_walk *walk) {
        struct bly_level *level = &walk->levels[--walk->depth];

        if (level->fd >= 0)
                close(level->fd);
        bly_free(level->names);
        bly_free(level->status);
}

/*
 * Doubles the buffer, and moves the offsets to its new end. An offset has 32 bits, which bounds the
 * buffer.
 */
static int grow(struct bly_level *level) {
        size_t room = level->room * 2, size = level->count * sizeof(uint32_t);
        char *names;

        if (room > UINT32_MAX)
                return -ENOMEM;
        names = bly_realloc(level->names, room);
        if (names == NULL)
                return -ENOMEM;
        memmove(names + room - size, names + level->room - size, size);
        level->names = names;
        level->room = room;
        return 0;
}

/*
 * Gives back the unused part of `status` if a single batch holds all entries. A deep tree may have
 * many small directories from the root to the current one.
 */
static void fit(struct bly_level *level) {
        struct bly_entry_status *status;

        if (level->status_first > 0 || level->status_count == 0 || level->count >= BLY_WALK_BATCH)
                return;
        status = bly_realloc(level->status, level->count * sizeof(*status));
        if (status != NULL)
                level->status = status;
}

/* ---- paths ---- */

static int set_path(struct bly_walk *walk, size_t length, const char *name) {
        bool slash = length > 0 && walk->path[length - 1] != '/';
        size_t size = length + slash + strlen(name) + 1, room = walk->path_room * 2;
        char *path;

        if (size > walk->path_room) {
                if (room < size)
                        room = size;
                path = bly_realloc(walk->path, room);
                if (path == NULL)
                        return -ENOMEM;
                walk->path = path;
                walk->path_room = room;
        }
        if (slash)
                walk->path[length] = '/';
        strcpy(walk->path + length + slash, name);
        return 0;
}

/* ---- walking ---- */

/*
 * Reads the deepest level in a thread. Returns 0, walk->error, or the error because of which no
 * thread read it.
 */
static int read_level(const struct bly_file_call *call, struct bly_walk *walk) {
        struct bly_level *level = &walk->levels[walk->depth - 1];
        int rc;

        walk->job.path = walk->path;
        walk->error = 0;
        do {
                rc = bly_pool_do(call->self->loop, &walk->job, call->place);
                if (rc == 0 && walk->needs_room)
                        rc = grow(level);
                else if (rc == 0)
                        rc = walk->error;
        } while (rc == 0 && !level->listed);
        if (rc == 0)
                fit(level);
        return (int) bly_file_end(call, rc);
}

static int report(const struct bly_walk *walk, size_t level, const char *name,
                  const struct bly_entry_status *status, belay_walk_fn *fn, void *arg) {
        belay_walk_entry entry = {
                .size = sizeof(entry),
                .path = walk->path,
                .name = name,
                .depth = (int) level + 1,
                .stat = &status->stat,
                .error = status->error,
        };

        return fn(&entry, arg);
}

/* Reports the directory of the deepest level a second time, with the error of reading it. */
static int report_unreadable(struct bly_walk *walk, int error, belay_walk_fn *fn, void *arg) {
        size_t at = walk->depth - 2;
        const struct bly_level *level = &walk->levels[at];
        size_t entry = level->next - 1;
        struct bly_entry_status status = level->status[entry - level->status_first];
        int rc;

        walk->path[level[1].path_length] = '\0';
        status.error = error;
        rc = report(walk, at, bly_level_name(level, entry), &status, fn, arg);
        return rc == BELAY_WALK_PASS ? 0 : rc;
}

/*
 * Reads more of the deepest level. If it cannot be read, the function reports that and leaves the
 * level.
 */
static int read_on(const struct bly_file_call *call, struct bly_walk *walk, belay_walk_fn *fn,
                   void *arg) {
        int rc = read_level(call, walk);

        if (rc == 0 || rc != walk->error || walk->depth == 1)
                return rc;
        rc = bly_walk_vanished(rc) ? 0 : report_unreadable(walk, rc, fn, arg);
        pop(walk);
        return rc;
}

static int go_into(const struct bly_file_call *call, struct bly_walk *walk, belay_walk_fn *fn,
                   void *arg) {
        int rc = push(walk, strlen(walk->path));

        return rc < 0 ? (int) bly_file_end(call, rc) : read_on(call, walk, fn, arg);
}

static int step(const struct bly_file_call *call, struct bly_walk *walk, belay_walk_fn *fn,
                void *arg) {
        size_t at = walk->depth - 1;
        struct bly_level *level = &walk->levels[at];
        const struct bly_entry_status *status;
        const char *name;
        int rc;

        if (level->next == level->count) {
                pop(walk);
                return 0;
        }
        if (level->next == level->status_first + level->status_count)
                return read_on(call, walk, fn, arg);
        status = &level->status[level->next - level->status_first];
        name = bly_level_name(level, level->next++);
        if (bly_walk_vanished(status->error))
                return 0;
        rc = (int) bly_file_end(call, set_path(walk, level->path_length, name));
        if (rc == 0)
                rc = report(walk, at, name, status, fn, arg);
        if (rc == BELAY_WALK_PASS)
                return 0;
        return rc == 0 && S_ISDIR(status->stat.st_mode) ? go_into(call, walk, fn, arg) : rc;
}

int belay_walk_placed(const char *place, const char *root, belay_walk_fn *fn, void *arg) {
        struct bly_walk walk = { .job = { .run = bly_walk_read, .what = "read directory" },
                                 .root = root };
        struct bly_file_call call;
        int rc = bly_file_begin(&call, place, "belay_walk()");

        if (rc < 0)
                return rc;
        walk.from = bly_file_directory(root);
        rc = set_path(&walk, 0, root);
        if (rc == 0)
                rc = push(&walk, strlen(root));
        rc = (int) bly_file_end(&call, rc);
        if (rc == 0)
                rc = read_level(&call, &walk);
        bly_file_directory_close(walk.from);
        while (rc == 0 && walk.depth > 0)
                rc = step(&call, &walk, fn, arg);
        while (walk.depth > 0)
                pop(&walk);
        bly_free(walk.levels);
        bly_free(walk.path);
        return rc;
}
