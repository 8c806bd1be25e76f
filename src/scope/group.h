/* SPDX-License-Identifier: MIT */
/*
 * What a group is made of.
 */
#ifndef BLY_GROUP_H
#define BLY_GROUP_H

#include "scope/scope.h"

struct bly_group {
        struct bly_scope scope;
        struct bly_owner owner;
        struct bly_wait wait;           /* of the parent, in leaving */
        struct bly_link room;           /* who waits for room, struct bly_room */
        struct bly_link woken;          /* who waited for it, and has not run since */
        struct bly_link starts;         /* who waits for a member to be ready, struct bly_start_wait */
        const char *name;
        belay_failure *failures;        /* the members', beneath one of the group's */
        size_t limit;
        size_t kept;                    /* places for those who were woken and have not run since */
        size_t count;                   /* members that have not ended, or whose end was not looked at */
        size_t ordinary;                /* of them, those not to be cancelled last */
        size_t failed;
        int first_code;
        bool supervise;
        bool exiting, aborting;
        bool parent_requested;          /* the body was asked to end, which leaving takes back */
        bool waiting;
        bool last_cancelled;
};

_Static_assert(sizeof(struct bly_group) <= sizeof(belay_group), "room for a group");

/* The group a task is a member of, or NULL. */
struct bly_group *bly_group_of(const belay_task *task);

/* ---- group_spawn.c ---- */

/* 0, and *task is a reference of the caller's to the member; or a negative errno. */
int bly_group_spawn(struct bly_group *group, belay_fn *fn, void *arg, const belay_spawn_options *options,
                    const char *place, belay_task **task);
/* For a task that waited for room in time, where no room will come. That is no misuse, and not reported. */
int bly_group_no_room(belay_task *self);
/* A task that waits for room of a group between two addresses, which is gone, is woken. */
void bly_group_forget_room(belay_task *task, const char *low, const char *high);

/* A place has become free: the first who waits for one is woken. */
void bly_group_serve_room(struct bly_group *group);
/* There will be no room any more: the tasks that wait for it are woken, and find that out. */
void bly_group_refuse_waiting(struct bly_group *group);

static inline void bly_group_refuse_room(struct bly_group *group) {
        if (unlikely(!bly_list_empty(&group->room) || !bly_list_empty(&group->woken)))
                bly_group_refuse_waiting(group);
}

/* ---- group_start.c ---- */

/* A member has ended. True if somebody still waited for it to be ready, who now takes its end upon himself. */
bool bly_group_start_failed(struct bly_group *group, belay_task *task);

/* Groups that lay between two addresses are gone without having been left: who waits in them is woken, and fails. */
void bly_group_forget(struct belay_loop *loop, const char *low, const char *high);

/* ---- group.c ---- */

void bly_group_join(struct bly_group *group, belay_task *task);

#endif
