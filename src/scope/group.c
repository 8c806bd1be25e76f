/* SPDX-License-Identifier: MIT */
/*
 * Groups of tasks.
 *
 * Leaving follows asyncio's TaskGroup step by step. tests/conformance has traces of the corner
 * cases.
 */
#include "scope/group.h"

static const char *describe_group(const struct bly_owner *owner) {
        const struct bly_group *group = container_of(owner, struct bly_group, owner);

        return group->name;
}

/* Returns false if the request went round in a circle of tasks that await each other. */
static bool send_request(belay_task *task, const struct bly_group *group, belay_origin_kind kind,
                         const char *place) {
        bool in_circle = false;
        struct bly_request request = {
                .kind = kind,
                .place = place != NULL ? place : group->scope.place,
                .sender = bly_current(),
                /*
                 * The group's depth counts in its own task only. For a member, the request comes
                 * from outside of all scopes.
                 */
                .depth = task == group->scope.task ? group->scope.depth : 0,
                .in_circle = &in_circle,
        };

        bly_request_cancel(task, &request);
        return !in_circle;
}

/*
 * Cancels the members that were spawned with .last if `last` is set, and the ordinary members
 * otherwise. Returns false if a request went round in a circle.
 */
static bool cancel_members(struct bly_group *group, bool last, belay_origin_kind kind,
                           const char *place) {
        struct bly_link *link, *next;
        bool arrived = true;

        for (link = group->owner.members.next; link != &group->owner.members; link = next) {
                belay_task *task = container_of(link, belay_task, owned);

                next = link->next;
                if (!bly_is_done(task) && !!(task->node.flags & BLY_TASK_LAST) == last)
                        arrived = send_request(task, group, kind, place) && arrived;
        }
        return arrived;
}

static void cancel_the_last(struct bly_group *group) {
        if (group->last_cancelled || group->ordinary > 0 || !(group->exiting || group->aborting))
                return;
        group->last_cancelled = true;
        cancel_members(group, true, BELAY_ORIGIN_GROUP, NULL);
}

static bool abort_group(struct bly_group *group, belay_origin_kind kind, const char *place) {
        bool arrived;

        group->aborting = true;
        bly_group_refuse_room(group);
        arrived = cancel_members(group, false, kind, place);
        cancel_the_last(group);
        return arrived;
}

static void add_failure(struct bly_group *group, int code, belay_failure *failure) {
        if (group->failed++ == 0)
                group->first_code = code;
        if (failure == NULL)
                failure = bly_failure_new(code, NULL);
        if (group->failures == NULL)
                group->failures = bly_failure_new(group->first_code, NULL);
        if (failure != NULL && group->failures != NULL)
                bly_failure_add(group->failures, failure);
        else
                belay_failure_release(failure);
}

static void wake_waiter(struct bly_group *group) {
        if (group->waiting && group->scope.task->wait == &group->wait) {
                group->waiting = false;
                bly_wake(group->scope.task, 0);
        }
}

static void member_ended(struct bly_owner *owner, belay_task *task) {
        struct bly_group *group = container_of(owner, struct bly_group, owner);
        bool taken;

        bly_list_remove(&task->owned);
        task->owner = NULL;
        group->count--;
        if (!(task->node.flags & BLY_TASK_LAST))
                group->ordinary--;
        taken = bly_group_start_failed(group, task);
        if (group->exiting && group->count == 0)
                bly_group_refuse_room(group);
        else
                bly_group_serve_room(group);
        if (group->count == 0)
                wake_waiter(group);
        if (task->outcome < 0 && !bly_is_cancelled(task) && !group->supervise && !taken) {
                task->node.flags |= BLY_TASK_RETRIEVED;
                add_failure(group, task->outcome,
                            task->failure != NULL ? belay_failure_ref(task->failure) : NULL);
                /*
                 * If the request to a member goes round in a circle, asyncio raises an error and
                 * never cancels the parent.
                 */
                if (!group->aborting && !group->parent_requested
                    && abort_group(group, BELAY_ORIGIN_SIBLING, task->started_at)) {
                        group->parent_requested = true;
                        send_request(group->scope.task, group, BELAY_ORIGIN_SIBLING,
                                     task->started_at);
                }
        }
        cancel_the_last(group);
}

struct bly_group *bly_group_of(const belay_task *task) {
        if (task->owner == NULL || task->owner->ended != member_ended)
                return NULL;
        return container_of(task->owner, struct bly_group, owner);
}

static void look_at_end(void *arg) {
        belay_task *task = arg;

        if (task->owner != NULL)
                task->owner->ended(task->owner, task);
        bly_record_unref(task);
}

void bly_group_join(struct bly_group *group, belay_task *task) {
        task->owner = &group->owner;
        bly_list_append(&group->owner.members, &task->owned);
        group->count++;
        if (!(task->node.flags & BLY_TASK_LAST))
                group->ordinary++;
        if (!bly_is_done(task)) {
                /*
                 * An eager member may have cancelled the group during its first step, before this
                 * call.
                 */
                if (group->aborting)
                        send_request(task, group, BELAY_ORIGIN_GROUP, NULL);
                return;
        }
        /*
         * An eager member is done already. Its end is handled in a callback of its own, so that its
         * failure does not cancel the task that is just starting it.
         */
        if (bly_callback_soon(task->loop, look_at_end, bly_record_ref(task)) == 0)
                look_at_end(task);
}

int belay_group_enter_with_placed(const char *place, belay_group *handle,
                                  const belay_group_options *options) {
        struct bly_group *group = (struct bly_group *) handle;
        belay_group_options known;
        int rc;

        rc = bly_scope_enter(&group->scope, BLY_SCOPE_GROUP, place);
        if (rc < 0)
                return rc;
        bly_options(&known, sizeof(known), options);
        memset((char *) group + sizeof(group->scope), 0, sizeof(*group) - sizeof(group->scope));
        group->owner.ended = member_ended;
        group->owner.describe = describe_group;
        group->supervise = known.supervise;
        group->limit = known.limit;
        group->name = known.name;
        bly_list_init(&group->owner.members);
        bly_list_init(&group->room);
        bly_list_init(&group->woken);
        bly_list_init(&group->starts);
        return 0;
}

int belay_group_enter_placed(const char *place, belay_group *group) {
        return belay_group_enter_with_placed(place, group, NULL);
}

/* ---- leaving ---- */

static const char *group_name(const struct bly_wait *wait) {
        return container_of(wait, struct bly_group, wait)->name;
}

static belay_task *a_member(const struct bly_wait *wait, size_t *cursor) {
        const struct bly_group *group = container_of(wait, struct bly_group, wait);
        size_t i = 0;

        for (struct bly_link *link = group->owner.members.next; link != &group->owner.members;
             link = link->next)
                if (i++ == *cursor) {
                        (*cursor)++;
                        return container_of(link, belay_task, owned);
                }
        return NULL;
}

static enum bly_answer stop_waiting(belay_task *task, struct bly_wait *wait) {
        (void) task;
        container_of(wait, struct bly_group, wait)->waiting = false;
        return BLY_DETACHED;
}

static const struct bly_wait_class group_class = {
        .what = "group",
        .on_request = stop_waiting,
        .on = group_name,
        .awaits = a_member,
        .drawn = true,
        .breaks = BLY_BREAK_NEVER,
};

struct leaving {
        bool cancelled;           /* leaving returns -ECANCELED unless a member failed */
        bool cancelled_meanwhile; /* the same, delivered during the wait for members */
        belay_failure *reason;    /* detail of the cancellation that set `cancelled` */
        belay_failure *reason_meanwhile;
};

/*
 * Waits until all members have ended. A cancellation that is delivered meanwhile aborts the group
 * and does not end the wait.
 */
static void await_members(struct bly_group *group, belay_task *self, struct leaving *leaving,
                          const char *place) {
        group->wait.class = &group_class;
        while (group->count > 0) {
                int rc;

                group->waiting = true;
                rc = bly_wait(self, &group->wait, place);
                group->waiting = false;
                if (rc != -ECANCELED)
                        continue;
                belay_failure_release(leaving->reason_meanwhile);
                leaving->reason_meanwhile = bly_take_last_failure(self, -ECANCELED);
                leaving->cancelled_meanwhile = true;
                if (!group->aborting) {
                        belay_failure_release(leaving->reason);
                        leaving->reason = leaving->reason_meanwhile != NULL
                                                  ? belay_failure_ref(leaving->reason_meanwhile)
                                                  : NULL;
                        leaving->cancelled = true;
                        abort_group(group, BELAY_ORIGIN_GROUP, place);
                }
        }
}

/*
 * If requests are left in the task's count, replaces one of them by a new request. The count stays
 * the same, and the task's next wait delivers the request.
 */
static void ask_again(belay_task *self, const char *place) {
        struct bly_request request = {
                .kind = BELAY_ORIGIN_GROUP,
                .place = place,
                .sender = self,
                .depth = BLY_DEPTH_INNERMOST,
        };

        if (bly_visible_requests(self) <= 0)
                return;
        bly_uncancel(self);
        bly_request_cancel(self, &request);
}

/* The group has cancelled its own task, so that the task stops waiting in the body. */
static void withdraw_own_request(belay_task *self, struct leaving *leaving, bool body_failed) {
        if (bly_uncancel_visible(self) == 0) {
                leaving->cancelled = false;
        } else if (!leaving->cancelled && !body_failed && leaving->cancelled_meanwhile) {
                /*
                 * The requests that are left are not the group's own, and the delivery during the
                 * wait has used them up. Leaving returns -ECANCELED so that they are not lost. A
                 * failure of the body has precedence.
                 */
                leaving->cancelled = true;
                belay_failure_release(leaving->reason);
                leaving->reason = leaving->reason_meanwhile;
                leaving->reason_meanwhile = NULL;
        }
}

static int fail_with_all(struct bly_group *group, belay_task *self) {
        belay_failure *failures = group->failures;

        group->failures = NULL;
        bly_set_last_failure(self, group->first_code, failures);
        return group->first_code;
}

static int leave(struct bly_group *group, belay_task *self, int rc, const char *place) {
        struct leaving leaving = { .cancelled = rc == -ECANCELED };
        belay_failure *body = rc < 0 ? bly_take_last_failure(self, rc) : NULL;
        bool body_failed = rc < 0 && rc != -ECANCELED;

        group->exiting = true;
        if (leaving.cancelled) {
                leaving.reason = body;
                body = NULL;
        }
        if (rc < 0 && !group->aborting)
                abort_group(group, BELAY_ORIGIN_GROUP, place);
        cancel_the_last(group);
        await_members(group, self, &leaving, place);
        bly_group_refuse_room(group);
        bly_scope_leave(&group->scope);

        if (group->parent_requested)
                withdraw_own_request(self, &leaving, body_failed);
        belay_failure_release(leaving.reason_meanwhile);
        if (leaving.cancelled && group->failed == 0) {
                bly_set_last_failure(self, -ECANCELED, leaving.reason);
                return -ECANCELED;
        }
        belay_failure_release(leaving.reason);
        if (body_failed && !group->supervise)
                add_failure(group, rc, body);
        if (group->failed > 0 || body_failed)
                ask_again(self, place);
        if (group->failed > 0)
                return fail_with_all(group, self);
        if (rc == -ECANCELED)
                return 0;
        if (rc < 0)
                bly_set_last_failure(self, rc, body);
        return rc;
}

int belay_group_leave_placed(const char *place, belay_group *handle, int rc) {
        struct bly_group *group = (struct bly_group *) handle;
        belay_task *self = bly_scope_check(&group->scope, BLY_SCOPE_GROUP, place);

        return self != NULL ? leave(group, self, rc, place) : -EPERM;
}

void belay_group_cancel_placed(const char *place, belay_group *handle) {
        struct bly_group *group = (struct bly_group *) handle;

        if (group->scope.mark != bly_scope_mark(&group->scope, BLY_SCOPE_GROUP)
            || (group->exiting && group->count == 0))
                return;
        if (group->aborting)
                return;
        abort_group(group, BELAY_ORIGIN_GROUP, place);
        if (!group->parent_requested) {
                group->parent_requested = true;
                send_request(group->scope.task, group, BELAY_ORIGIN_GROUP, place);
        }
}

size_t belay_group_count(const belay_group *group) {
        const struct bly_group *inside = (const struct bly_group *) group;

        return bly_scope_is(&inside->scope, BLY_SCOPE_GROUP) ? inside->count : 0;
}
