/* SPDX-License-Identifier: MIT */
/*
 * Withdrawing requests: the count, the pending request that is dropped with the last withdrawal,
 * and what goes on afterwards.
 */
#include "../base/help.h"

static int counting(void *arg) {
        belay_task *self = belay_self();

        (void) arg;
        /* The count never drops below 0. */
        CHECK_EQ(belay_uncancel(self), 0);
        CHECK_EQ(belay_cancelling(self), 0);
        for (int i = 0; i < 3; i++)
                belay_cancel(self, NULL);
        CHECK_EQ(belay_cancelling(self), 3);
        CHECK_EQ(belay_yield(), -ECANCELED);
        CHECK_EQ(belay_cancelling(self), 3); /* the delivery does not change the count */
        CHECK_EQ(belay_uncancel(self), 2);
        CHECK_EQ(belay_uncancel(self), 1);
        CHECK_EQ(belay_uncancel(self), 0);
        CHECK_EQ(belay_uncancel(self), 0);
        return 0;
}

/* A pending request is dropped when the last request is withdrawn, and not before. */
static int forgetting(void *arg) {
        belay_task *self = belay_self();

        (void) arg;
        belay_cancel(self, NULL);
        belay_cancel(self, NULL);
        CHECK_EQ(belay_uncancel(self), 1);
        CHECK_EQ(belay_yield(), -ECANCELED);
        CHECK_EQ(belay_uncancel(self), 0);
        belay_cancel(self, NULL);
        CHECK_EQ(belay_uncancel(self), 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_sleep(1), 0);
        return 0;
}

static int forgotten_at_the_end(void *arg) {
        belay_cancel(belay_self(), NULL);
        belay_uncancel(belay_self());
        return *(int *) arg;
}

static int handles_and_goes_on(void *arg) {
        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        CHECK_EQ(belay_cancelling(belay_self()), 1);
        return 8;
}

static int going_on(void *arg) {
        int five = 5, outcome;
        belay_task *task = must(belay_spawn(forgotten_at_the_end, &five));

        (void) arg;
        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(outcome, 5);
        belay_release(task);

        task = must(belay_spawn(handles_and_goes_on, NULL));
        CHECK_EQ(belay_yield(), 0);
        for (int i = 0; i < 2; i++) {
                belay_cancel(task, NULL);
                CHECK_EQ(belay_cancelling(task), 1);
                CHECK_EQ(belay_yield(), 0);
        }
        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(outcome, 8);
        belay_release(task);
        return 0;
}

static int sleeps(void *arg) {
        *(int *) arg = belay_sleep(BELAY_HOUR);
        return 0;
}

/*
 * A wait that a request has already ended stays ended, as in asyncio. Withdrawing drops only a
 * request that is pending until the next wait.
 */
static int too_late(void *arg) {
        int rc = 1;
        belay_task *task = must(belay_spawn(sleeps, &rc));

        (void) arg;
        CHECK_EQ(belay_yield(), 0);
        belay_cancel(task, NULL);
        CHECK_EQ(belay_uncancel(task), 0);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_cancelling(task), 0);
        belay_release(task);
        return 0;
}

/* The origin of a dropped request must not become that of the next request. */
static int origins(void *arg) {
        belay_origin origin = { .size = sizeof(origin) };
        belay_task *self = belay_self();

        (void) arg;
        belay_cancel(self, "forgotten");
        CHECK_EQ(belay_uncancel(self), 0);
        belay_cancel(self, "delivered");
        CHECK(belay_origin_of(self, &origin));
        CHECK_STR(origin.reason, "delivered");
        CHECK_EQ(belay_yield(), -ECANCELED);
        CHECK(belay_origin_of(self, &origin));
        CHECK_STR(origin.reason, "delivered");
        CHECK_EQ(belay_uncancel(self), 0);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(counting);
        RUN_VIRTUAL(forgetting);
        RUN_VIRTUAL(going_on);
        RUN_VIRTUAL(too_late);
        RUN_VIRTUAL(origins);
        return 0;
}
