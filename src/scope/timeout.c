/* SPDX-License-Identifier: MIT */
/*
 * Timeouts.
 *
 * The verdict follows asyncio's rule. When the task leaves an expired timeout, the timeout
 * withdraws its own request. If the count of requests is then no higher than on entering, the
 * timeout turns its cancellation into -ETIMEDOUT.
 */
#include "scope/scope.h"

struct timeout {
        struct bly_scope scope;
        struct bly_alarm alarm;
        belay_time when;
        int requests; /* count on entering */
};

_Static_assert(sizeof(struct timeout) <= sizeof(belay_timeout), "room for a timeout");
_Static_assert(offsetof(struct timeout, when) == offsetof(struct bly_limited, when),
               "begins as those with a limit do");

static struct timeout *inside(belay_timeout *timeout) {
        return (struct timeout *) timeout;
}

static const struct timeout *inside_const(const belay_timeout *timeout) {
        return (const struct timeout *) timeout;
}

static void expire(struct bly_timer *timer) {
        struct timeout *timeout = container_of(timer, struct timeout, alarm.timer);
        bool in_circle = false;
        struct bly_request request = {
                .kind = BELAY_ORIGIN_TIMEOUT,
                .place = timeout->scope.place,
                .sender = timeout->scope.task,
                .depth = timeout->scope.depth,
                .in_circle = &in_circle,
        };

        bly_request_cancel(timeout->scope.task, &request);
        /*
         * If the request goes round in a circle, the timeout does not count as expired. In asyncio,
         * cancel() raises an error there before the timeout changes its state.
         */
        if (!in_circle)
                timeout->scope.state = BLY_SCOPE_EXPIRING;
}

static inline __attribute__((always_inline)) int enter(struct timeout *timeout, belay_time when,
                                                       bool over, const char *place) {
        int rc;

        rc = bly_scope_enter(&timeout->scope, BLY_SCOPE_TIMEOUT, place);
        if (rc < 0)
                return rc;
        timeout->alarm.timer.state = BLY_TIMER_OFF;
        timeout->alarm.ticket = 0;
        timeout->when = when;
        timeout->requests = bly_visible_requests(timeout->scope.task);
        rc = bly_alarm_set(timeout->scope.task->loop, &timeout->alarm, when, over, expire);
        if (unlikely(rc < 0))
                bly_scope_leave(&timeout->scope);
        return rc;
}

static int leave(struct timeout *timeout, int rc, const char *place) {
        belay_task *self = bly_scope_check(&timeout->scope, BLY_SCOPE_TIMEOUT, place);
        bool expired;

        if (self == NULL)
                return -EPERM;
        expired = timeout->scope.state == BLY_SCOPE_EXPIRING;
        if (likely(!expired))
                bly_alarm_off(self->loop, &timeout->alarm);
        bly_scope_leave(&timeout->scope);
        if (expired && bly_uncancel_visible(self) <= timeout->requests && rc == -ECANCELED) {
                bly_set_last_failure(self, -ETIMEDOUT, NULL);
                return -ETIMEDOUT;
        }
        return rc;
}

int belay_timeout_enter_placed(const char *place, belay_timeout *timeout, belay_time span) {
        struct belay_loop *loop = bly_loop;

        return enter(inside(timeout),
                     loop != NULL && span != BELAY_NEVER ? bly_add_time(bly_now(loop), span)
                                                         : BELAY_NEVER,
                     span <= 0, place);
}

int belay_timeout_enter_until_placed(const char *place, belay_timeout *timeout,
                                     belay_time instant) {
        struct belay_loop *loop = bly_loop;

        return enter(inside(timeout), instant, loop != NULL && instant <= bly_now(loop), place);
}

int belay_timeout_leave_placed(const char *place, belay_timeout *timeout, int rc) {
        return leave(inside(timeout), rc, place);
}

/* Returns 0 if the timeout can be rescheduled, or a negative errno. */
static int check_open(const struct timeout *timeout) {
        if (!bly_scope_is(&timeout->scope, BLY_SCOPE_TIMEOUT))
                return -EPERM;
        if (timeout->scope.state == BLY_SCOPE_EXPIRING)
                return -ETIMEDOUT;
        /* If a shutdown abandoned the task, its timeouts never expire. */
        return bly_scope_is_in_force(&timeout->scope) && !timeout->scope.task->loop->closed
                       ? 0
                       : -EPERM;
}

static int reschedule(struct timeout *timeout, belay_time when, bool over) {
        struct belay_loop *loop = timeout->scope.task->loop;
        int rc;

        bly_alarm_off(loop, &timeout->alarm);
        timeout->when = when;
        rc = bly_alarm_set(loop, &timeout->alarm, when, over, expire);
        if (unlikely(rc < 0))
                timeout->when = BELAY_NEVER;
        return rc;
}

int belay_timeout_reschedule_until(belay_timeout *handle, belay_time instant) {
        struct timeout *timeout = inside(handle);
        int rc = check_open(timeout);

        return rc == 0 ? reschedule(timeout, instant, instant <= bly_now(timeout->scope.task->loop))
                       : rc;
}

int belay_timeout_reschedule(belay_timeout *handle, belay_time span) {
        struct timeout *timeout = inside(handle);
        int rc = check_open(timeout);

        return rc == 0 ? reschedule(timeout, bly_add_time(bly_now(timeout->scope.task->loop), span),
                                    span <= 0)
                       : rc;
}

bool belay_timeout_expired(const belay_timeout *timeout) {
        const struct bly_scope *scope = &inside_const(timeout)->scope;

        return bly_scope_is(scope, BLY_SCOPE_TIMEOUT) && scope->state == BLY_SCOPE_EXPIRING;
}

belay_time belay_timeout_when(const belay_timeout *timeout) {
        return bly_scope_is(&inside_const(timeout)->scope, BLY_SCOPE_TIMEOUT)
                       ? inside_const(timeout)->when
                       : BELAY_NEVER;
}

belay_time belay_deadline(void) {
        const belay_task *self = bly_current();
        belay_time first = BELAY_NEVER;

        if (self != NULL)
                for (const struct bly_scope *scope = bly_scope_of(self); scope != NULL;
                     scope = bly_scope_outer(scope))
                        if (scope->kind == BLY_SCOPE_TIMEOUT) {
                                const struct timeout *timeout = container_of(scope, struct timeout,
                                                                             scope);

                                if (timeout->when < first)
                                        first = timeout->when;
                        }
        return first;
}

static bool is_over(const belay_task *self) {
        belay_time now = bly_now(self->loop);

        for (const struct bly_scope *scope = self->scope; scope != NULL; scope = scope->outer)
                if (scope->kind == BLY_SCOPE_TIMEOUT && scope->state == BLY_SCOPE_ENTERED
                    && container_of(scope, struct timeout, scope)->when <= now)
                        return true;
        return false;
}

/*
 * bly_look() puts all that is due into the ready queue before this task, so the yield lets it run
 * first.
 */
int bly_reach_limit_slowly(belay_task *self, const char *place) {
        if (likely(!is_over(self)))
                return 0;
        /*
         * The first step of an eager task is part of its parent's step, during which the loop does
         * not look for due timers and events.
         */
        if (self->loop->eager == NULL)
                bly_look(self->loop);
        bly_yield_now(self->loop, self, place);
        return bly_verdict(self);
}
