/* SPDX-License-Identifier: MIT */
/*
 * The observation of several tasks at once: an observer on each task that is not done, and a
 * reference to each.
 */
#ifndef BLY_WATCH_H
#define BLY_WATCH_H

#include "core/await.h"

#include <belay/many.h>

struct bly_watch;

struct bly_watched {
        struct bly_observer observer;
        struct bly_watch *watch;
        belay_task *task;
        size_t index; /* first index of the task in the caller's array */
        bool noted;   /* in a race: the race reports its failure */
};

enum { BLY_WATCH_FEW = 8 };

struct bly_watch {
        struct bly_watched *watched; /* each task once, in the caller's order */
        size_t count;
        void (*ended)(struct bly_watch *watch, struct bly_watched *watched);
        struct bly_watched few[BLY_WATCH_FEW];
};

/*
 * Begins the observation. ended() is called for each task that ends from then on, and not for tasks
 * that are done. Returns 0, or -ENOMEM if there is no memory or if a task is NULL.
 */
int bly_watch_begin(struct bly_watch *watch, belay_task *const tasks[], size_t count,
                    void (*ended)(struct bly_watch *watch, struct bly_watched *watched));
void bly_watch_end(struct bly_watch *watch);

/* For wait classes: returns a task that is not done at each call, and NULL after the last. */
belay_task *bly_watch_pending(const struct bly_watch *watch, size_t *cursor);

#endif
