/* SPDX-License-Identifier: MIT */
/*
 * Shielded regions: requests from outside wait until the region is left or its time is over.
 *
 * Whether a request comes from outside its owner decides, not its count: the scope that asks lies deeper than the
 * region, or it does not.
 */
#include "scope/scope.h"

struct region {
        struct bly_scope scope;
        struct bly_alarm alarm;
        belay_time when;        /* its time is over then */
        int shield;             /* what was in force around it */
        bool open;              /* its time is over */
};

_Static_assert(sizeof(struct region) <= sizeof(belay_shield_scope), "room for a shielded region");
_Static_assert(offsetof(struct region, when) == offsetof(struct bly_limited, when), "begins as those with a limit do");

/* What was held back is pending now: for the next wait, or the one that is going on. */
static void let_through(belay_task *task) {
        if (!(task->node.flags & BLY_TASK_HELD))
                return;
        task->node.flags &= (uint8_t) ~BLY_TASK_HELD;
        task->held = 0;
        task->node.must_cancel = true;
        if (task->wait != NULL)
                bly_meet_pending(task);
}

/* Moves the mark out to the next region that is still closed, or to none. */
static void open_up(struct region *region) {
        belay_task *task = region->scope.task;

        task->shield = region->shield;
        if (task->shield == 0)
                let_through(task);
}

static void time_is_over(struct bly_timer *timer) {
        struct region *region = container_of(timer, struct region, alarm.timer);

        region->open = true;
        /* One that lies further in holds back on its own account. */
        if (region->scope.task->shield == region->scope.depth) {
                open_up(region);
        } else {
                for (struct bly_scope *scope = region->scope.task->scope; scope != &region->scope; scope = scope->outer) {
                        struct region *inner = container_of(scope, struct region, scope);

                        if (scope->kind == BLY_SCOPE_SHIELD && inner->shield == region->scope.depth)
                                inner->shield = region->shield;
                }
        }
}

int belay_shield_enter_placed(const char *place, belay_shield_scope *scope, belay_time span) {
        struct region *region = (struct region *) scope;
        belay_task *self;
        int rc;

        *region = (struct region) { .when = BELAY_NEVER };
        rc = bly_scope_enter(&region->scope, BLY_SCOPE_SHIELD, place);
        if (rc < 0)
                return rc;
        self = region->scope.task;
        if (span != BELAY_NEVER) {
                region->when = bly_add_time(bly_now(self->loop), span);
                rc = bly_alarm_set(self->loop, &region->alarm, region->when, time_is_over);
                if (rc < 0) {
                        bly_scope_leave(&region->scope, BLY_SCOPE_LEFT);
                        return rc;
                }
        }
        region->shield = self->shield;
        self->shield = region->scope.depth;
        return 0;
}

int belay_shield_leave_placed(const char *place, belay_shield_scope *scope, int rc) {
        struct region *region = (struct region *) scope;
        belay_task *self = bly_scope_check(&region->scope, BLY_SCOPE_SHIELD, place);

        if (self == NULL)
                return -EPERM;
        bly_alarm_off(self->loop, &region->alarm);
        if (!region->open)
                open_up(region);
        bly_scope_leave(&region->scope, BLY_SCOPE_LEFT);
        return rc;
}
