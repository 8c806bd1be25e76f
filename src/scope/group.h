/* SPDX-License-Identifier: MIT */
/*
 * The struct behind belay_group, and the functions that its files share.
 */
#ifndef BLY_GROUP_H
#define BLY_GROUP_H

#include "scope/scope.h"

struct bly_group {
        struct bly_scope scope;
        struct bly_owner owner;
        struct bly_wait wait;  /* wait of the task that leaves the group */
        struct bly_link room;  /* tasks that wait for room (struct bly_room) */
        struct bly_link woken; /* tasks whose wait for room is over, until they run */
        /* starters that wait for a member (struct bly_start_wait) */
        struct bly_link starts;
        const char *name;
        belay_failure *failures; /* the group's, with those of its members beneath it */
        size_t limit;
        size_t kept;     /* places kept for tasks in `woken` */
        size_t count;    /* members whose end was not handled yet */
        size_t ordinary; /* those of `count` that were not spawned with .last */
        size_t failed;
        int first_code;
        bool supervise;
        bool exiting, aborting;
        bool parent_requested; /* the body has a request that leaving withdraws */
        bool waiting;
        bool last_cancelled;
};

_Static_assert(sizeof(struct bly_group) <= sizeof(belay_group), "room for a group");

/* Returns the group of which the task is a member, or NULL. */
struct bly_group *bly_group_of(const belay_task *task);

/* ---- group_spawn.c ---- */

/*
 * Spawns a member. If the group is full, the calling task first waits for room. Returns 0 and
 * stores a reference to the member in *task, or returns a negative errno.
 */
int bly_group_spawn(struct bly_group *group, belay_fn *fn, void *arg,
                    const belay_spawn_options *options, const char *place, belay_task **task);
/*
 * Sets the failure of a task that waited in a group in which the member cannot be started any more.
 * Returns -ESHUTDOWN. The task came in time, so this is no misuse and is not reported.
 */
int bly_group_no_room(belay_task *self);
/* Wakes the task if it waits for room in a group that lay between two addresses and is gone. */
void bly_group_forget_room(belay_task *task, const char *low, const char *high);

/* A place may have become free. Keeps it for the first task that waits, and wakes that task. */
void bly_group_serve_room(struct bly_group *group);
/* Wakes all tasks that wait for room, because there will be none. Their spawns fail. */
void bly_group_refuse_waiting(struct bly_group *group);

static inline void bly_group_refuse_room(struct bly_group *group) {
        if (unlikely(!bly_list_empty(&group->room) || !bly_list_empty(&group->woken)))
                bly_group_refuse_waiting(group);
}

/* ---- group_start.c ---- */

/*
 * A member has ended. Returns true if it was not ready and its starter has not returned yet. The
 * starter then handles the outcome.
 */
bool bly_group_start_failed(struct bly_group *group, belay_task *task);

/* Wakes all tasks that wait in groups that lay between two addresses and are gone. */
void bly_group_forget(struct belay_loop *loop, const char *low, const char *high);

/* ---- group.c ---- */

void bly_group_join(struct bly_group *group, belay_task *task);

#endif
