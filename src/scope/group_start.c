/* SPDX-License-Identifier: MIT */
/*
 * Starting a member and waiting until it is ready: belay_group_start() and belay_ready().
 */
#include "scope/group.h"

struct bly_start_wait {
        struct bly_wait wait;
        struct bly_link link;
        belay_task *task, *member;
        struct bly_group *group; /* NULL if the group is gone, since it was never left */
        bool ready;
        bool given_up; /* the wait failed before the member was ready */
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
        for (struct bly_link *link = group->starts.next; link != &group->starts;
             link = link->next) {
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

        if (self == NULL)
                return -EPERM;
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
 * The wait failed with `rc` before the member was ready. Cancels the member, waits for its end, and
 * returns `rc` with the failure of the wait.
 *
 * A member in a shielded region that holds the request back may run for long. The group waits for
 * that member, and this function does not. A member may also refuse the request. The starter's next
 * request then ends the wait and stays pending, and the group waits for the member.
 */
static int give_up(belay_task *self, struct bly_start_wait *start_wait, int rc, const char *place) {
        belay_failure *why = bly_take_last_failure(self, rc);
        belay_task *member = start_wait->member;

        start_wait->given_up = true;
        bly_request_cancel(member, &(struct bly_request) { .kind = BELAY_ORIGIN_CALLER,
                                                           .place = place,
                                                           .sender = self });
        if (member->held == 0 && belay_join_placed(place, member, NULL) == -ECANCELED)
                bly_undeliver(self);
        bly_set_last_failure(self, rc, why);
        return rc;
}

/*
 * The member ended before it was ready. Returns the code of its failure, or -EPIPE if it has none.
 * A cancelled member gives -EPIPE, too, so that the caller does not appear to be cancelled.
 */
static int failed_start(belay_task *self, belay_task *member) {
        member->node.flags |= BLY_TASK_RETRIEVED;
        if (member->outcome < 0 && !bly_is_cancelled(member)) {
                bly_pass_outcome(self, member, NULL);
                return member->outcome;
        }
        bly_set_last_failure(self, -EPIPE, NULL);
        return -EPIPE;
}

static void forget_start(belay_task *task, const char *low, const char *high) {
        struct bly_start_wait *start_wait;

        if (task->wait == NULL || task->wait->class != &start_class)
                return;
        start_wait = container_of(task->wait, struct bly_start_wait, wait);
        if ((const char *) start_wait->group < low || (const char *) start_wait->group >= high)
                return;
        start_wait->group = NULL;
        start_wait->link = (struct bly_link) { 0 };
        bly_wake(task, 0);
}

/*
 * A group is gone if its task ended without leaving it, or if its storage was overwritten. A task
 * that waits in such a group has links into it. This function clears the links and wakes the task.
 */
void bly_group_forget(struct belay_loop *loop, const char *low, const char *high) {
        for (belay_task *task = bly_record_next(loop, NULL); task != NULL;
             task = bly_record_next(loop, task)) {
                bly_group_forget_room(task, low, high);
                forget_start(task, low, high);
        }
}

int belay_group_start_placed(const char *place, belay_group *handle, belay_fn *fn, void *arg,
                             const belay_spawn_options *options, belay_task **task) {
        struct bly_group *group = (struct bly_group *) handle;
        belay_task *self = bly_waiter(place, "belay_group_start()");
        struct bly_start_wait start_wait = { .wait.class = &start_class,
                                             .task = self,
                                             .group = group };
        belay_spawn_options known;
        belay_task *member;
        int rc;

        if (self == NULL)
                return -EPERM;
        /* If the member ran at once, it could be ready before this task waits for that. */
        bly_options(&known, sizeof(known), options);
        known.eager = false;
        rc = bly_group_spawn(group, fn, arg, &known, place, &member);
        if (rc < 0)
                return rc;
        start_wait.member = member;
        bly_list_append(&group->starts, &start_wait.link);
        bly_suspend(self, &start_wait.wait, place);
        /*
         * belay_ready() has returned 0 to the member, so the start has succeeded. If a request came
         * meanwhile, it is left pending for the next wait.
         */
        if (start_wait.ready) {
                bly_postpone(self);
                rc = 0;
        } else {
                rc = bly_verdict(self);
                if (rc == 0 && unlikely(start_wait.group == NULL))
                        rc = bly_group_no_room(self);
                rc = rc < 0 ? give_up(self, &start_wait, rc, place) : failed_start(self, member);
        }
        bly_list_remove(&start_wait.link);
        if (rc == 0 && task != NULL)
                *task = member;
        else
                bly_record_unref(member);
        return rc;
}
