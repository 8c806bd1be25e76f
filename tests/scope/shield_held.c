/* SPDX-License-Identifier: MIT */
/*
 * A request that a shielded region holds back keeps its origin and its reason, whatever requests
 * come from inside meanwhile. Requests from inside have origins of their own.
 */
#include "../base/help.h"

static belay_origin_kind kind_of(const belay_task *task, const char *reason) {
        belay_origin origin = BELAY_ORIGIN_INIT;

        CHECK(belay_origin_of(task, &origin));
        CHECK_STR(origin.reason, reason);
        return origin.kind;
}

static const char *text_left(int code) {
        static char text[64];
        belay_failure *failure = belay_failure_take(code);
        const char *found = belay_failure_text(failure);

        if (found != NULL)
                snprintf(text, sizeof(text), "%s", found);
        belay_failure_release(failure);
        return found != NULL ? text : NULL;
}

static bool nested;

/*
 * A request from outside comes after 1 s. A timeout inside expires after 2 s, and another after 2 s
 * more.
 */
static int shielded(void *arg) {
        belay_shield_scope outer, inner;
        belay_timeout limit;
        int rc;

        (void) arg;
        belay_shield_enter(&outer, BELAY_NEVER);
        if (nested)
                belay_shield_enter(&inner, BELAY_HOUR);
        for (int i = 0; i < 2; i++) {
                belay_timeout_enter(&limit, 2 * BELAY_SECOND);
                rc = belay_sleep(BELAY_HOUR);
                CHECK_EQ(rc, -ECANCELED);
                CHECK_EQ(kind_of(belay_self(), NULL), BELAY_ORIGIN_TIMEOUT);
                CHECK(text_left(rc) == NULL);
                CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);
        }
        CHECK_EQ(belay_cancelling(belay_self()), 1);
        if (nested)
                CHECK_EQ(belay_shield_leave(&inner, 0), 0);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(belay_shield_leave(&outer, 0), 0);
        CHECK_EQ(kind_of(belay_self(), "outside"), BELAY_ORIGIN_CALLER);
        rc = belay_sleep(BELAY_SECOND);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(kind_of(belay_self(), "outside"), BELAY_ORIGIN_CALLER);
        CHECK_STR(text_left(rc), "outside");
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        return 1;
}

/*
 * The timeout expires first, and its request is still pending when the request from outside comes.
 */
static int other_way_round(void *arg) {
        belay_shield_scope region;
        belay_timeout limit;
        int rc;

        belay_shield_enter(&region, BELAY_NEVER);
        belay_timeout_enter(&limit, 0);
        /* The wait yields, and the other task sends its request before this task runs again. */
        rc = belay_join(arg, NULL);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(kind_of(belay_self(), NULL), BELAY_ORIGIN_TIMEOUT);
        CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);
        CHECK_EQ(belay_shield_leave(&region, 0), 0);
        rc = belay_sleep(BELAY_SECOND);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(kind_of(belay_self(), "outside"), BELAY_ORIGIN_CALLER);
        CHECK_STR(text_left(rc), "outside");
        return 0;
}

/* The request is withdrawn while it is held back. */
static int taken_back(void *arg) {
        belay_shield_scope region;
        belay_timeout limit;
        int rc;

        (void) arg;
        belay_shield_enter(&region, BELAY_NEVER);
        belay_timeout_enter(&limit, 2 * BELAY_SECOND);
        rc = belay_sleep(BELAY_HOUR);
        CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        CHECK_EQ(belay_shield_leave(&region, 0), 0);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        return 1;
}

static int asks(void *arg) {
        belay_task *task = must(belay_spawn((belay_fn *) arg, NULL));
        int outcome;

        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK(belay_cancel(task, "outside"));
        CHECK(belay_cancel(task, "outside"));
        CHECK_EQ(belay_uncancel(task), 1);
        CHECK_EQ(belay_join(task, &outcome), 0);
        CHECK_EQ(outcome, 1);
        belay_release(task);
        return 0;
}

static int asks_late(void *arg) {
        belay_future *future = must(belay_future_new());
        belay_task *task = must(belay_spawn(other_way_round, future));

        (void) arg;
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_cancel(task, "outside"));
        CHECK_EQ(belay_join(task, NULL), 0);
        belay_release(task);
        belay_release(future);
        return 0;
}

/*
 * The origin of a task is that of its first pending request, or else of the request delivered last.
 */
static int which(void *arg) {
        belay_task *self = belay_self();

        (void) arg;
        CHECK(belay_cancel(self, "first"));
        CHECK(belay_cancel(self, "second"));
        CHECK_EQ(kind_of(self, "first"), BELAY_ORIGIN_CALLER);
        CHECK_EQ(belay_yield(), -ECANCELED);
        CHECK_EQ(kind_of(self, "first"), BELAY_ORIGIN_CALLER);
        CHECK(belay_cancel(self, "third"));
        CHECK_EQ(kind_of(self, "third"), BELAY_ORIGIN_CALLER);
        CHECK_EQ(belay_yield(), -ECANCELED);
        CHECK_EQ(belay_uncancel(self), 2);
        CHECK_EQ(belay_uncancel(self), 1);
        CHECK_EQ(belay_uncancel(self), 0);
        return 0;
}

int main(void) {
        for (int i = 0; i < 2; i++) {
                nested = i == 1;
                CHECK_EQ(belay_run_with(asks, shielded, VIRTUAL), 0);
        }
        RUN_VIRTUAL(asks_late);
        CHECK_EQ(belay_run_with(asks, taken_back, VIRTUAL), 0);
        RUN_VIRTUAL(which);
        return 0;
}
