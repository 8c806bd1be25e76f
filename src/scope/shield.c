/* SPDX-License-Identifier: MIT */
/*
 * Shielded regions. Requests from outside are held back until the task leaves the region or the
 * region's limit is reached.
 *
 * The depth of a request's sender decides if the request comes from outside. A scope that is deeper
 * than the region sends from inside. The number of requests plays no part.
 */
#include "scope/scope.h"

struct region {
        struct bly_scope scope;
        struct bly_alarm alarm;
        belay_time when; /* instant at which the limit is reached */
        int shield;      /* depth of the next region further out that is in force, or 0 */
        bool open;       /* the limit was reached, so the region holds nothing back */
        size_t holds;    /* held requests that no region around this one holds back */
        struct bly_held held;
};

_Static_assert(sizeof(struct region) <= sizeof(belay_shield_scope), "room for a shielded region");
_Static_assert(offsetof(struct region, when) == offsetof(struct bly_limited, when),
               "begins as those with a limit do");

/*
 * Returns the memory for held requests in the outermost region. When the task leaves that region,
 * nothing is held back any more.
 */
struct bly_held *bly_shield_held(belay_task *task) {
        struct region *region = NULL;

        for (struct bly_scope *scope = bly_scope_of(task); scope != NULL;
             scope = bly_scope_outer(scope))
                if (scope->kind == BLY_SCOPE_SHIELD)
                        region = container_of(scope, struct region, scope);
        return &region->held;
}

/*
 * Counts a request at the outermost of the regions that hold it back. When that region opens, no
 * region further out holds the request back.
 */
void bly_shield_count(belay_task *task, int depth) {
        struct region *outermost = NULL;

        for (struct bly_scope *scope = bly_scope_of(task); scope != NULL && scope->depth > depth;
             scope = bly_scope_outer(scope))
                if (scope->kind == BLY_SCOPE_SHIELD
                    && !container_of(scope, struct region, scope)->open)
                        outermost = container_of(scope, struct region, scope);
        if (outermost != NULL)
                outermost->holds++;
}

/*
 * Lowers task->shield to the next region further out that is in force, or to 0. Requests that only
 * this region held back become pending.
 */
static void open_up(struct region *region) {
        belay_task *task = region->scope.task;
        int between = region->holds < (size_t) task->held ? (int) region->holds : task->held;

        task->shield = region->shield;
        region->holds = 0;
        if (task->shield == 0 || between == task->held) {
                bly_release_held(task);
        } else if (between > 0) {
                task->held -= between;
                task->node.must_cancel = true;
                if (task->wait != NULL)
                        bly_handle_pending(task);
        }
}

static void time_is_over(struct bly_timer *timer) {
        struct region *region = container_of(timer, struct region, alarm.timer);

        region->open = true;
        /*
         * A region further inside that is in force holds back on its own. It takes over the
         * requests that this region held back.
         */
        if (region->scope.task->shield == region->scope.depth) {
                open_up(region);
        } else {
                for (struct bly_scope *scope = bly_scope_of(region->scope.task);
                     scope != NULL && scope != &region->scope; scope = bly_scope_outer(scope)) {
                        struct region *inner = container_of(scope, struct region, scope);

                        if (scope->kind != BLY_SCOPE_SHIELD || inner->shield != region->scope.depth)
                                continue;
                        inner->shield = region->shield;
                        inner->holds += region->holds;
                        region->holds = 0;
                }
        }
}

int belay_shield_enter_placed(const char *place, belay_shield_scope *scope, belay_time span) {
        struct region *region = (struct region *) scope;
        belay_task *self;
        int rc;

        rc = bly_scope_enter(&region->scope, BLY_SCOPE_SHIELD, place);
        if (rc < 0)
                return rc;
        *region = (struct region) { .scope = region->scope, .when = BELAY_NEVER };
        self = region->scope.task;
        if (span != BELAY_NEVER) {
                region->when = bly_add_time(bly_now(self->loop), span);
                rc = bly_alarm_set(self->loop, &region->alarm, region->when, span <= 0,
                                   time_is_over);
                if (rc < 0) {
                        bly_scope_leave(&region->scope);
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
        bly_scope_leave(&region->scope);
        return rc;
}
