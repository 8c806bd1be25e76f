/* SPDX-License-Identifier: MIT */
/*
 * Spawning members, and waiting for room in a group that limits the number of its members.
 */
#include "scope/group.h"

/* ---- room ---- */

struct bly_room {
        struct bly_wait wait;
        /* in `room`; in `woken` from the end of the wait until the task runs */
        struct bly_link link;
        belay_task *task;
        struct bly_group *group; /* NULL if no room will come; the group may then be gone */
        bool served;             /* a place is kept for the task */
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

void bly_group_refuse_waiting(struct bly_group *group) {
        refuse(&group->room, true);
        refuse(&group->woken, false);
}

int bly_group_no_room(belay_task *self) {
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
                return rc < 0 ? rc : bly_group_no_room(self);
        bly_list_remove(&room.link);
        group->kept -= room.served;
        /* This task does not take the place that was kept for it, so the next task gets it. */
        if (rc < 0)
                bly_group_serve_room(group);
        return rc;
}

/* ---- starting ---- */

static int check_open(const struct bly_group *group, const char *place) {
        const char *entered;

        if (!bly_scope_is(&group->scope, BLY_SCOPE_GROUP))
                return bly_misuse(-EPERM, place,
                                  "a member is started into a group that was never entered");
        entered = bly_place_text(group->scope.place);
        if (!bly_scope_is_in_force(&group->scope) || (group->exiting && group->count == 0)
            || group->scope.task->loop->closed)
                return bly_misuse(
                        -EPERM, place,
                        "a member is started into the group entered at %s, which was left",
                        entered);
        if (group->aborting)
                return bly_misuse(
                        -EPERM, place,
                        "a member is started into the group entered at %s, which is shutting down",
                        entered);
        return 0;
}

static inline __attribute__((always_inline)) int spawn(struct bly_group *group, belay_fn *fn,
                                                       void *arg,
                                                       const belay_spawn_options *options,
                                                       const char *place, belay_task **task) {
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

int bly_group_spawn(struct bly_group *group, belay_fn *fn, void *arg,
                    const belay_spawn_options *options, const char *place, belay_task **task) {
        return spawn(group, fn, arg, options, place, task);
}

int belay_group_spawn_with_placed(const char *place, belay_group *group, belay_fn *fn, void *arg,
                                  const belay_spawn_options *options, belay_task **task) {
        belay_task *member;
        int rc = spawn((struct bly_group *) group, fn, arg, options, place, &member);

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

void bly_group_forget_room(belay_task *task, const char *low, const char *high) {
        struct bly_room *room;

        if (task->wait == NULL || task->wait->class != &room_class)
                return;
        room = container_of(task->wait, struct bly_room, wait);
        if ((const char *) room->group < low || (const char *) room->group >= high)
                return;
        room->group = NULL;
        room->link = (struct bly_link) { 0 };
        bly_wake(task, 0);
}
