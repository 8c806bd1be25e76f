/* SPDX-License-Identifier: MIT */
/*
 * Watching several tasks at once: an observer on each that is not done, and a reference to each.
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
        size_t index;                   /* the first place where it stands in the caller's array */
        bool noted;                     /* in a race: its failure is among those that are told of */
};

enum { BLY_WATCH_FEW = 8 };

struct bly_watch {
        struct bly_watched *watched;    /* each task once, in the caller's order */
        size_t count;
        void (*ended)(struct bly_watch *watch, struct bly_watched *watched);
        struct bly_watched few[BLY_WATCH_FEW];
};

/*
 * Begins to watch: ended() is called for each that ends from now on, not for those that are done. 0; -ENOMEM, also for a NULL
 * among them.
 */
int bly_watch_begin(struct bly_watch *watch, belay_task *const tasks[], size_t count,
                    void (*ended)(struct bly_watch *watch, struct bly_watched *watched));
void bly_watch_end(struct bly_watch *watch);

/* For wait classes: the tasks that are not done, one for each call. */
belay_task *bly_watch_pending(const struct bly_watch *watch, size_t *cursor);

#endif
