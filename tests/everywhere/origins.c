/* SPDX-License-Identifier: MIT */
/*
 * Tests that a delivered request has the origin of its sender. An earlier request that the task did
 * not honour must not leave its origin behind.
 */
#include "everywhere/everywhere.h"

static int refuses(void *arg) {
        int rc = belay_sleep(BELAY_SECOND);

        (void) arg;
        if (rc < 0)
                rc = belay_sleep(BELAY_SECOND) == 0 ? 7 : -ECANCELED;
        return rc;
}

static int fails_instead(void *arg) {
        int rc = belay_sleep(BELAY_SECOND);

        (void) arg;
        return rc < 0 ? -EPROTO : rc;
}

static belay_origin_kind delivered(int rc) {
        belay_origin origin = { .size = sizeof(origin) };

        CHECK_EQ(rc, -ECANCELED);
        CHECK(belay_origin_of(belay_self(), &origin));
        return origin.kind;
}

/*
 * belay_everywhere() cancels the waits above. The timeout's request comes later and must have the
 * timeout as its origin.
 */
static int awaits_and_limits(void *arg) {
        belay_task *tasks[2] = { belay_spawn(arg, NULL), belay_spawn(arg, NULL) };
        int rc = belay_await(tasks[0], NULL);
        belay_timeout limit;

        if (rc == 0)
                rc = belay_gather(tasks, 2, NULL);
        belay_cancel(tasks[1], NULL);
        belay_release(tasks[0]);
        belay_release(tasks[1]);
        if (rc < 0)
                return rc;
        belay_timeout_enter(&limit, BELAY_SECOND);
        rc = belay_sleep(BELAY_MINUTE);
        CHECK(delivered(rc) == BELAY_ORIGIN_TIMEOUT || belay_now() < 2 * BELAY_SECOND);
        return belay_timeout_leave(&limit, rc);
}

static int check(void *arg, int outcome) {
        (void) arg;
        return is_cancelled(outcome) ? 0 : 1;
}

/* The same cases without belay_everywhere(): each request is sent at a known instant. */
static belay_fn *child;
static bool by_gather;

static void cancel_it(void *task) {
        belay_cancel(task, "the first");
}

static int in_turn(void *arg) {
        belay_task *task = belay_spawn(child, NULL);
        belay_timeout limit;
        int rc, outcome = 0;

        (void) arg;
        CHECK(belay_later(BELAY_SECOND / 2, cancel_it, belay_self()) != 0);
        rc = by_gather ? belay_gather(&task, 1, &outcome) : belay_await(task, &outcome);
        if (child == fails_instead || !by_gather) {
                CHECK_EQ(rc, 0);
                CHECK_EQ(outcome, child == refuses ? 7 : -EPROTO);
        } else {
                /* As in asyncio, gather() is cancelled even if its children refuse the request. */
                CHECK_EQ(delivered(rc), BELAY_ORIGIN_CALLER);
        }
        belay_release(task);
        CHECK_EQ(belay_cancelling(belay_self()), 1);
        belay_timeout_enter(&limit, BELAY_SECOND);
        rc = belay_sleep(BELAY_MINUTE);
        CHECK_EQ(delivered(rc), BELAY_ORIGIN_TIMEOUT);
        CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);
        return 0;
}

int main(void) {
        for (int i = 0; i < 4; i++) {
                child = i & 1 ? refuses : fails_instead;
                by_gather = i & 2;
                CHECK_EQ(belay_run_with(
                                 in_turn, NULL,
                                 BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL)),
                         0);
        }
        EVERYWHERE(awaits_and_limits, refuses, NULL, check, 4);
        return 0;
}
