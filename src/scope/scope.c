/* SPDX-License-Identifier: MIT */
/*
 * Entering and leaving scopes of every kind, reports of their misuse, and their alarms.
 */
#include "scope/group.h"

static const char *const kind_names[] = {
        [BLY_SCOPE_TIMEOUT] = "timeout",
        [BLY_SCOPE_GROUP] = "group",
        [BLY_SCOPE_SHIELD] = "shielded region",
};

static int no_task(enum bly_scope_kind kind, const char *place) {
        return bly_misuse(-EPERM, place, "a %s is entered outside of a task", kind_names[kind]);
}

/*
 * Returns the loop's task at this address, or NULL. scope->task may be left over from another run,
 * so it is compared and not dereferenced.
 */
static const belay_task *task_at(struct belay_loop *loop, const belay_task *address) {
        const belay_task *task = bly_record_next(loop, NULL);

        while (task != NULL && task != address)
                task = bly_record_next(loop, task);
        return task;
}

/*
 * Clears every pointer to scopes between two addresses, and cancels the members of groups there.
 * The scopes themselves may be overwritten, so they are not read.
 */
static void forget_between(belay_task *self, const char *low, const char *high) {
        struct belay_loop *loop = self->loop;

        bly_timers_forget(loop, low, high);
        bly_callbacks_forget(loop, low, high);
        bly_group_forget(loop, low, high);
        for (belay_task *task = bly_record_next(loop, NULL); task != NULL;
             task = bly_record_next(loop, task))
                if ((const char *) task->owner >= low && (const char *) task->owner < high) {
                        task->owner = NULL;
                        task->owned = (struct bly_link) { 0 };
                        bly_request_cancel(task, &(struct bly_request) { .kind = BELAY_ORIGIN_GROUP,
                                                                         .sender = self });
                }
}

static const size_t sizes[] = {
        [BLY_SCOPE_TIMEOUT] = sizeof(belay_timeout),
        [BLY_SCOPE_GROUP] = sizeof(belay_group),
        [BLY_SCOPE_SHIELD] = sizeof(belay_shield_scope),
};

static void forget_one(belay_task *self, struct bly_scope *scope, enum bly_scope_kind kind) {
        forget_between(self, (const char *) scope, (const char *) scope + sizes[kind]);
        scope->mark = ~bly_scope_mark(scope, kind);
        scope->state = BLY_SCOPE_ENTERED;
}

/*
 * No shielded region is left to hold requests back. A request that was held back is pending for the
 * next wait.
 */
static void forget_regions(belay_task *self) {
        self->shield = 0;
        self->held = 0;
        self->origin_held = false;
        if (self->node.flags & BLY_TASK_HELD) {
                self->node.flags &= (uint8_t) ~BLY_TASK_HELD;
                self->node.must_cancel = true;
        }
}

/*
 * The scope was overwritten while it was in force, so the scopes around it cannot be found. They
 * are not in force from then on.
 */
static void cut_off(belay_task *self, struct bly_scope *scope, enum bly_scope_kind kind) {
        struct bly_scope **inner = &self->scope;
        bool shielded = false;

        for (; *inner != scope; inner = &(*inner)->outer)
                shielded = shielded || (*inner)->kind == BLY_SCOPE_SHIELD;
        *inner = NULL;
        if (!shielded)
                forget_regions(self);
        scope->kind = (uint8_t) kind;
        scope->place = NULL;
        forget_one(self, scope, kind);
}

/*
 * Returns whether the scope is among the `most` innermost scopes of the task. Only addresses are
 * compared, since the scope may have been overwritten.
 */
static bool is_among(const belay_task *task, const struct bly_scope *scope, size_t most) {
        const struct bly_scope *inner = task->scope;

        for (size_t i = 0; i < most && inner != NULL; i++) {
                if (inner == scope)
                        return true;
                inner = bly_scope_is_in_force(inner) ? inner->outer : NULL;
        }
        return false;
}

static int entered_again(belay_task *self, struct bly_scope *scope, enum bly_scope_kind kind,
                         const char *place) {
        const belay_task *other;
        char label[32];

        if (is_among(self, scope, SIZE_MAX)) {
                if (bly_scope_is_in_force(scope))
                        return bly_misuse(-EPERM, place,
                                          "the %s entered at %s is entered again, and was not left",
                                          kind_names[scope->kind], bly_place_text(scope->place));
                cut_off(self, scope, kind);
                return bly_misuse(
                        -EPERM, place,
                        "a %s is entered again that was not left, and was overwritten since",
                        kind_names[kind]);
        }
        other = task_at(self->loop, scope->task);
        if (other == NULL || !is_among(other, scope, SIZE_MAX))
                return 0;
        return bly_misuse(-EPERM, place,
                          "the %s entered at %s belongs to task %s, and another enters it",
                          kind_names[scope->kind], bly_place_text(scope->place),
                          bly_task_label(other, label));
}

/*
 * Returns -EPERM if the scope is in force already. Its mark shows that, even if another task
 * entered it. A scope that was overwritten has lost its mark, so its address is searched for among
 * the FEW innermost scopes.
 */
static int check_storage(belay_task *self, struct bly_scope *scope, enum bly_scope_kind kind,
                         const char *place) {
        enum { FEW = 8 };

        if (bly_tools & BLY_TOOL_VALGRIND)
                bly_tool_written(scope, sizeof(*scope));
        if (likely(!bly_scope_is_in_force(scope) && !is_among(self, scope, FEW)))
                return 0;
        return entered_again(self, scope, kind, place);
}

int bly_scope_enter_slowly(struct bly_scope *scope, enum bly_scope_kind kind, const char *place) {
        belay_task *self = bly_current();

        if (self == NULL)
                return no_task(kind, place);
        if (check_storage(self, scope, kind, place) < 0)
                return -EPERM;
        bly_scope_begin(scope, kind, place, self);
        return 0;
}

/* Returns the task's scope of which these bytes are a copy, or NULL. */
static const struct bly_scope *copied_from(const belay_task *self, const struct bly_scope *scope) {
        for (const struct bly_scope *original = bly_scope_of(self); original != NULL;
             original = bly_scope_outer(original))
                if (scope->mark == original->mark)
                        return original;
        return NULL;
}

static void report_unentered(const belay_task *self, const struct bly_scope *scope,
                             enum bly_scope_kind kind, const char *place) {
        const struct bly_scope *original = self != NULL ? copied_from(self, scope) : NULL;

        if (original != NULL)
                bly_misuse(-EPERM, place, "a copy of the %s entered at %s is left",
                           kind_names[original->kind], bly_place_text(original->place));
        else
                bly_misuse(-EPERM, place, "a %s is left that was never entered", kind_names[kind]);
}

belay_task *bly_scope_wrong(struct bly_scope *scope, enum bly_scope_kind kind, const char *place) {
        belay_task *self = bly_current();
        const char *entered;
        char label[32];

        if (!bly_scope_is_in_force(scope) && !bly_scope_was_left(scope)) {
                if (self == NULL || !is_among(self, scope, SIZE_MAX)) {
                        report_unentered(self, scope, kind, place);
                        return NULL;
                }
                cut_off(self, scope, kind);
                bly_misuse(-EPERM, place, "a %s is left that was overwritten since it was entered",
                           kind_names[kind]);
                return NULL;
        }
        entered = bly_place_text(scope->place);
        if (!bly_scope_is_in_force(scope)) {
                bly_misuse(-EPERM, place, "the %s entered at %s is left again",
                           kind_names[scope->kind], entered);
        } else if (scope->task != self) {
                bly_misuse(-EPERM, place,
                           "the %s entered at %s belongs to task %s, and another leaves it",
                           kind_names[scope->kind], entered, bly_task_label(scope->task, label));
        } else if (scope->kind != kind) {
                bly_misuse(-EPERM, place, "the %s entered at %s is left as a %s",
                           kind_names[scope->kind], entered, kind_names[kind]);
        } else if (!is_among(self, scope, SIZE_MAX)) {
                forget_one(self, scope, kind);
                bly_misuse(-EPERM, place,
                           "the %s entered at %s is left after a scope within it was overwritten",
                           kind_names[kind], entered);
        } else {
                const struct bly_scope *inner = self->scope;
                bool known = bly_scope_is_in_force(inner);

                bly_misuse(-EPERM, place,
                           "the %s entered at %s is left before the %s within it, entered at %s",
                           kind_names[kind], entered, known ? kind_names[inner->kind] : "scope",
                           bly_place_text(known ? inner->place : NULL));
        }
        return NULL;
}

/*
 * The scopes on the task's stack lay in frames that are gone, and may have been overwritten. Scopes
 * elsewhere, for example in the task's argument, still name the scope around them. The loop below
 * follows them outwards to the first scope on the stack, or to the first that was overwritten.
 */
void bly_forget_scopes(belay_task *self) {
        const char *low = self->stack.low, *high = self->stack.top;
        struct bly_scope *scope = self->scope, *outer;
        char label[32];

        bly_misuse(-EPERM, self->started_at, "task %s ended within a scope that it had not left",
                   bly_task_label(self, label));
        for (; scope != NULL && !((const char *) scope >= low && (const char *) scope < high);
             scope = outer) {
                if (!bly_scope_is_in_force(scope))
                        break;
                outer = scope->outer;
                forget_one(self, scope, scope->kind);
        }
        if (scope != NULL)
                forget_between(self, low, high);
        self->scope = NULL;
        forget_regions(self);
}

/* ---- alarms ---- */

static void expire_soon(void *arg) {
        struct bly_alarm *alarm = arg;

        alarm->ticket = 0;
        alarm->timer.fire(&alarm->timer);
}

int bly_alarm_set(struct belay_loop *loop, struct bly_alarm *alarm, belay_time when, bool over,
                  void (*fire)(struct bly_timer *timer)) {
        alarm->timer.fire = fire;
        if (when == BELAY_NEVER)
                return 0;
        if (likely(!over))
                return bly_timer_set(loop, &alarm->timer, when);
        alarm->ticket = bly_callback_soon(loop, expire_soon, alarm);
        return alarm->ticket != 0 ? 0 : -ENOMEM;
}

void bly_alarm_off(struct belay_loop *loop, struct bly_alarm *alarm) {
        if (alarm->timer.state != BLY_TIMER_OFF)
                bly_timer_off(loop, &alarm->timer);
        if (alarm->ticket != 0) {
                bly_callback_cancel(loop, alarm->ticket);
                alarm->ticket = 0;
        }
}
