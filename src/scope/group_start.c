/* SPDX-License-Identifier: MIT */
/*
 * Starting members: with a limit on how many there are at once, and with a handshake.
 */
#include "scope/group.h"

/* ---- room ---- */

struct bly_room {
        struct bly_wait wait;
        struct bly_link link;           /* in `room`, and in `woken` when its wait is over and it has not run yet */
        belay_task *task;
        struct bly_group *group;        /* NULL: there will be no room, and the group may be gone when the task runs */
        bool served;                    /* a place is kept for it */
};

static void out_of_line(struct bly_room *room) {
        bly_list_remove(&room->link);
        bly_list_append(&room->group->woken, &room->link);
}

static enum bly_answer leave_line(belay_task *task, struct bly_wait *wait) {
        (void) task;
        out_of_line(container_of(wait, struct bly_room, wait));
        return BLY_DETACHED;
}

static const struct bly_wait_class room_class = {
        .what = "room in a group",
        .on_request = leave_line,
};

static bool is_full(const struct bly_group *group) {
        return group->limit > 0 && group->count + group->kept >= group->limit;
}

void bly_group_serve_room(struct bly_group *group) {
        struct bly_room *room;

        if (bly_list_empty(&group->room) || is_full(group))
                return;
        room = container_of(group->room.next, struct bly_room, link);
        room->served = true;
        group->kept++;
        out_of_line(room);
        bly_wake(room->task, 0);
}

static void refuse(struct bly_link *line, bool wake) {
        while (!bly_list_empty(line)) {
                struct bly_room *room = container_of(line->next, struct bly_room, link);

                bly_list_remove(&room->link);
                room->group = NULL;
                if (wake)
                        bly_wake(room->task, 0);
        }
}

void bly_group_refuse_room(struct bly_group *group) {
        refuse(&group->room, true);
        refuse(&group->woken, false);
}

/* Who asked in time did nothing wrong: no misuse is reported. */
static int no_room(belay_task *self) {
        bly_set_last_failure(self, -ESHUTDOWN, NULL);
        return -ESHUTDOWN;
}

static int wait_for_room(struct bly_group *group, const char *place) {
        belay_task *self = bly_waiter(place, "waiting for room in a group");
        struct bly_room room = { .wait.class = &room_class, .task = self, .group = group };
        int rc;

        if (self == NULL)
                return -EPERM;
        bly_list_append(&group->room, &room.link);
        rc = bly_wait(self, &room.wait, place);
        if (room.group == NULL)
                return rc < 0 ? rc : no_room(self);
        bly_list_remove(&room.link);
        group->kept -= room.served;
        /* The place that was kept for this task goes on to the next. */
        if (rc < 0)
                bly_group_serve_room(group);
        return rc;
}

/* ---- starting ---- */

static int check_open(const struct bly_group *group, const char *place) {
        const char *entered;

        if (!bly_scope_is(&group->scope, BLY_SCOPE_GROUP))
                return bly_misuse(-EPERM, place, "a member is started into a group that was never entered");
        entered = group->scope.place != NULL ? group->scope.place : "an unknown place";
        if (!bly_scope_is_in_force(&group->scope) || (group->exiting && group->count == 0)
            || group->scope.task->loop->closed)
                return bly_misuse(-EPERM, place, "a member is started into the group entered at %s, which was left", entered);
        if (group->aborting)
                return bly_misuse(-EPERM, place, "a member is started into the group entered at %s, which is shutting down",
                                  entered);
        return 0;
}

/* 0 and a reference of the caller's to the member, or a negative errno. */
static int start(struct bly_group *group, belay_fn *fn, void *arg, const belay_spawn_options *options, const char *place,
                 belay_task **task) {
        int rc = check_open(group, place);

        if (rc == 0 && is_full(group))
                rc = wait_for_room(group, place);
        if (rc < 0)
                return rc;
        *task = bly_spawn(group->scope.task->loop, fn, arg, options, NULL, place);
        if (*task == NULL) {
                rc = -errno;
                bly_group_serve_room(group);
                return rc;
        }
        bly_group_join(group, *task);
        return 0;
}

int belay_group_spawn_with_placed(const char *place, belay_group *group, belay_fn *fn, void *arg,
                                  const belay_spawn_options *options, belay_task **task) {
        belay_task *member;
        int rc = start((struct bly_group *) group, fn, arg, options, place, &member);

        if (rc < 0)
                return rc;
        if (task != NULL)
                *task = member;
        else
                bly_record_unref(member);
        return 0;
}

int belay_group_spawn_placed(const char *place, belay_group *group, belay_fn *fn, void *arg) {
        return belay_group_spawn_with_placed(place, group, fn, arg, NULL, NULL);
}

/* ---- the handshake ---- */

struct bly_start_wait {
        struct bly_wait wait;
        struct bly_link link;
        belay_task *task, *member;
        struct bly_group *group;        /* NULL: it went with the stack that it lay on */
        bool ready;
        bool given_up;                  /* the wait came to nothing before the member was ready */
};

static const char *member_name(const struct bly_wait *wait) {
        return belay_name(container_of(wait, struct bly_start_wait, wait)->member);
}

static belay_task *member_of(const struct bly_wait *wait, size_t *cursor) {
        return (*cursor)++ == 0 ? container_of(wait, struct bly_start_wait, wait)->member : NULL;
}

static const struct bly_wait_class start_class = {
        .what = "start of a member",
        .on_request = bly_detach,
        .on = member_name,
        .awaits = member_of,
};

static struct bly_start_wait *start_of(struct bly_group *group, const belay_task *member) {
        for (struct bly_link *link = group->starts.next; link != &group->starts; link = link->next) {
                struct bly_start_wait *start_wait = container_of(link, struct bly_start_wait, link);

                if (start_wait->member == member)
                        return start_wait;
        }
        return NULL;
}

bool bly_group_start_failed(struct bly_group *group, belay_task *task) {
        struct bly_start_wait *start_wait = start_of(group, task);

        if (start_wait == NULL)
                return false;
        bly_list_remove(&start_wait->link);
        if (start_wait->task->wait == &start_wait->wait)
                bly_wake(start_wait->task, 0);
        return true;
}

int belay_ready(void) {
        belay_task *self = bly_waiter(NULL, "belay_ready()");
        struct bly_group *group = self != NULL ? bly_group_of(self) : NULL;
        struct bly_start_wait *start_wait = group != NULL ? start_of(group, self) : NULL;

        if (start_wait == NULL)
                return -EALREADY;
        if (start_wait->given_up) {
                bly_set_last_failure(self, -EPIPE, NULL);
                return -EPIPE;
        }
        bly_list_remove(&start_wait->link);
        start_wait->ready = true;
        if (start_wait->task->wait == &start_wait->wait)
                bly_wake(start_wait->task, 0);
        return 0;
}

/*
 * The wait came to nothing, by `rc`: the member goes, and is waited for, without losing why. One that a shielded region keeps
 * from hearing of it may stay for long, and so may one that refuses: the group waits for the first, and for the second from the
 * starter's next request on, which stays pending.
 */
static int give_up(belay_task *self, struct bly_start_wait *start_wait, int rc, const char *place) {
        belay_failure *why = bly_take_last_failure(self, rc);
        belay_task *member = start_wait->member;

        start_wait->given_up = true;
        bly_request_cancel(member, &(struct bly_request) { .kind = BELAY_ORIGIN_CALLER, .place = place, .asker = self });
        if (member->held == 0 && belay_join_placed(place, member, NULL) == -ECANCELED)
                bly_undeliver(self);
        bly_set_last_failure(self, rc, why);
        return rc;
}

/* The member ended before it was ready. That it was cancelled is not to look as if the caller had been. */
static int failed_start(belay_task *self, belay_task *member) {
        member->node.flags |= BLY_TASK_LOOKED_AT;
        if (member->outcome < 0 && !bly_is_cancelled(member)) {
                bly_pass_outcome(self, member, NULL);
                return member->outcome;
        }
        bly_set_last_failure(self, -EPIPE, NULL);
        return -EPIPE;
}

/* A group whose task ended without leaving it is gone, and who waits in it with links into it is not told otherwise. */
void bly_group_forget(struct belay_loop *loop, const char *low, const char *high) {
        for (belay_task *task = bly_record_next(loop, NULL); task != NULL; task = bly_record_next(loop, task)) {
                struct bly_group **group = NULL;
                struct bly_link *link = NULL;

                if (task->wait != NULL && task->wait->class == &room_class) {
                        struct bly_room *room = container_of(task->wait, struct bly_room, wait);

                        group = &room->group;
                        link = &room->link;
                } else if (task->wait != NULL && task->wait->class == &start_class) {
                        struct bly_start_wait *start_wait = container_of(task->wait, struct bly_start_wait, wait);

                        group = &start_wait->group;
                        link = &start_wait->link;
                }
                if (group != NULL && (const char *) *group >= low && (const char *) *group < high) {
                        *group = NULL;
                        *link = (struct bly_link) { 0 };
                        bly_wake(task, 0);
                }
        }
}

int belay_group_start_placed(const char *place, belay_group *handle, belay_fn *fn, void *arg,
                             const belay_spawn_options *options, belay_task **task) {
        struct bly_group *group = (struct bly_group *) handle;
        belay_task *self = bly_waiter(place, "belay_group_start()");
        struct bly_start_wait start_wait = { .wait.class = &start_class, .task = self, .group = group };
        belay_spawn_options known;
        belay_task *member;
        int rc;

        if (self == NULL)
                return -EPERM;
        /* A member that runs at once could be ready before anybody waits for that. */
        bly_options(&known, sizeof(known), options);
        known.eager = false;
        rc = start(group, fn, arg, &known, place, &member);
        if (rc < 0)
                return rc;
        start_wait.member = member;
        bly_list_append(&group->starts, &start_wait.link);
        bly_suspend(self, &start_wait.wait, place);
        /* The member was told that it is awaited: a request that came meanwhile is for the next wait. */
        if (start_wait.ready) {
                bly_postpone(self);
                rc = 0;
        } else {
                rc = bly_verdict(self);
                if (rc == 0 && unlikely(start_wait.group == NULL))
                        rc = no_room(self);
                rc = rc < 0 ? give_up(self, &start_wait, rc, place) : failed_start(self, member);
        }
        bly_list_remove(&start_wait.link);
        if (rc == 0 && task != NULL)
                *task = member;
        else
                bly_record_unref(member);
        return rc;
}
