/* SPDX-License-Identifier: MIT */
/*
 * Entering and leaving, whatever the scope does.
 */
#include "scope/group.h"

static const char *const kind_names[] = {
        [BLY_SCOPE_TIMEOUT] = "time limit",
        [BLY_SCOPE_GROUP] = "group",
        [BLY_SCOPE_SHIELD] = "shielded region",
};

static const char *place_or(const char *place) {
        return place != NULL ? place : "an unknown place";
}

int bly_scope_no_task(enum bly_scope_kind kind, const char *place) {
        return bly_misuse(-EPERM, place, "a %s is entered outside of a task", kind_names[kind]);
}

belay_task *bly_scope_wrong(const struct bly_scope *scope, enum bly_scope_kind kind, const char *place) {
        belay_task *self = bly_current();
        char label[32];

        if (scope->kind != kind || scope->state < BLY_SCOPE_ENTERED || scope->state > BLY_SCOPE_LEFT) {
                bly_misuse(-EPERM, place, "a %s is left that was never entered", kind_names[kind]);
                return NULL;
        }
        if (scope->state == BLY_SCOPE_LEFT || scope->state == BLY_SCOPE_EXPIRED) {
                bly_misuse(-EPERM, place, "the %s entered at %s is left again", kind_names[kind], place_or(scope->place));
                return NULL;
        }
        if (scope->task != self) {
                bly_misuse(-EPERM, place, "the %s entered at %s belongs to task %s, and another leaves it",
                           kind_names[kind], place_or(scope->place), bly_task_label(scope->task, label));
                return NULL;
        }
        if (self->scope != scope) {
                bly_misuse(-EPERM, place, "the %s entered at %s is left before the %s within it, entered at %s",
                           kind_names[kind], place_or(scope->place),
                           kind_names[self->scope->kind], place_or(self->scope->place));
                return NULL;
        }
        return self;
}

/* Scopes between two addresses: what points to them from outside is found, and they themselves are not read. */
static void forget_between(belay_task *self, const char *low, const char *high) {
        struct belay_loop *loop = self->loop;

        bly_timers_forget(loop, low, high);
        bly_tickets_forget(loop, low, high);
        bly_group_forget(loop, low, high);
        for (belay_task *task = bly_record_next(loop, NULL); task != NULL; task = bly_record_next(loop, task))
                if ((const char *) task->owner >= low && (const char *) task->owner < high) {
                        task->owner = NULL;
                        task->owned = (struct bly_link) { 0 };
                        bly_request(task, &(struct bly_ask) { .kind = BELAY_ORIGIN_GROUP, .asker = self });
                }
}

/*
 * Scopes on the task's stack lay in frames that are gone, and may have been written over since. Those that lie elsewhere, in
 * what the task was given as its argument, can still tell what is around them, until one on the stack cannot.
 */
void bly_forget_scopes(belay_task *self) {
        static const size_t sizes[] = {
                [BLY_SCOPE_TIMEOUT] = sizeof(belay_timeout),
                [BLY_SCOPE_GROUP] = sizeof(belay_group),
                [BLY_SCOPE_SHIELD] = sizeof(belay_shield_scope),
        };
        const char *low = self->stack.low, *high = self->stack.top;
        struct bly_scope *scope = self->scope, *outer;
        char label[32];

        bly_misuse(-EPERM, self->started_at, "task %s ended within a scope that it had not left", bly_task_label(self, label));
        for (; scope != NULL && !((const char *) scope >= low && (const char *) scope < high); scope = outer) {
                outer = scope->outer;
                forget_between(self, (const char *) scope, (const char *) scope + sizes[scope->kind]);
                scope->state = BLY_SCOPE_LEFT;
                scope->task = NULL;
        }
        if (scope != NULL)
                forget_between(self, low, high);
        self->scope = NULL;
        self->shield = 0;
        self->held = 0;
        self->origin_held = false;
        /* A request that was held back comes after the last wait now. */
        if (self->node.flags & BLY_TASK_HELD) {
                self->node.flags &= (uint8_t) ~BLY_TASK_HELD;
                self->node.must_cancel = true;
        }
}

/* ---- alarms ---- */

static void strike_soon(void *arg) {
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
        alarm->ticket = bly_ticket_soon(loop, strike_soon, alarm);
        return alarm->ticket != 0 ? 0 : -ENOMEM;
}

void bly_alarm_off(struct belay_loop *loop, struct bly_alarm *alarm) {
        if (alarm->timer.state != BLY_TIMER_OFF)
                bly_timer_off(loop, &alarm->timer);
        if (alarm->ticket != 0) {
                bly_ticket_cancel(loop, alarm->ticket);
                alarm->ticket = 0;
        }
}
