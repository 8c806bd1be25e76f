/* SPDX-License-Identifier: MIT */
/*
 * A task ends within scopes that it has not left. None of them may expire, start a member or be
 * accessed afterwards.
 */
#include "../base/help.h"

static int overwrites(void *arg) {
        volatile char frames[8192];

        (void) arg;
        memset((void *) frames, 0x5a, sizeof(frames));
        return frames[4000] == 0x5a ? 0 : 1;
}

/* Ends within timeouts in the future, and timeouts with a span of 0 or less. */
static int leaves_limits(void *arg) {
        belay_timeout ahead, behind, none, none_either;
        belay_shield_scope region;

        (void) arg;
        belay_timeout_enter(&ahead, BELAY_SECOND);
        belay_shield_enter(&region, 11 * BELAY_SECOND);
        belay_timeout_enter_until(&behind, 11 * BELAY_SECOND);
        CHECK_EQ(belay_timeout_reschedule_until(&ahead, 20 * BELAY_SECOND), 0);
        CHECK_EQ(belay_sleep_until(10 * BELAY_SECOND), 0);
        belay_timeout_enter(&none, 0);
        belay_timeout_enter(&none_either, -1);
        return 5;
}

/* Sleeps until 10 s, the instant at which the task with the timeouts ends. */
static int sleeps(void *arg) {
        (void) arg;
        CHECK_EQ(belay_sleep_until(10 * BELAY_SECOND), 0);
        return 0;
}

static int limits(void *arg) {
        belay_task *sleepers[3], *task;
        int outcome;

        (void) arg;
        sleepers[0] = must(belay_spawn(sleeps, NULL));
        task = must(belay_spawn(leaves_limits, NULL));
        sleepers[1] = must(belay_spawn(sleeps, NULL));
        CHECK_EQ(belay_yield(), 0);
        sleepers[2] = must(belay_spawn(sleeps, NULL));
        CHECK_EQ(belay_join(task, &outcome), 0);
        CHECK_EQ(outcome, 5);
        for (int i = 0; i < 10; i++)
                belay_release(must(belay_spawn(overwrites, NULL)));
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_join(sleepers[i], &outcome), 0);
                CHECK_EQ(outcome, 0);
                belay_release(sleepers[i]);
        }
        CHECK_EQ(belay_now(), 10 * BELAY_SECOND);
        CHECK_EQ(belay_sleep(BELAY_MINUTE), 0);
        CHECK_EQ(belay_cancelling(task), 0);
        belay_release(task);
        return 0;
}

/* The timeouts are due, but the task was ready before them and ends first. They must not expire. */
static int ends_while_due(void *arg) {
        belay_timeout first, second;

        belay_timeout_enter_until(&first, 10 * BELAY_SECOND);
        belay_timeout_enter_until(&second, 10 * BELAY_SECOND);
        (void) !belay_await(arg, NULL);
        return 6;
}

static int due(void *arg) {
        belay_future *future = must(belay_future_new());
        belay_task *task = must(belay_spawn(ends_while_due, future)), *sleeper;
        int outcome;

        (void) arg;
        CHECK_EQ(belay_yield(), 0);
        sleeper = must(belay_spawn(sleeps, NULL));
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_future_set(future, 0), 0);
        CHECK_EQ(belay_advance(10 * BELAY_SECOND), 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_join(task, &outcome), 0);
        CHECK_EQ(outcome, 6);
        for (int i = 0; i < 10; i++)
                belay_release(must(belay_spawn(overwrites, NULL)));
        CHECK_EQ(belay_join(sleeper, NULL), 0);
        CHECK_EQ(belay_sleep(BELAY_MINUTE), 0);
        belay_release(future);
        belay_release(task);
        belay_release(sleeper);
        return 0;
}

/* ---- groups ---- */

static belay_group *gone;
static int room_got, start_got;

static int stays(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_HOUR);
}

static int wants_room(void *arg) {
        (void) arg;
        room_got = belay_group_spawn(gone, stays, NULL);
        return 0;
}

static int wants_start(void *arg) {
        (void) arg;
        start_got = belay_group_start(gone, stays, NULL, NULL, NULL);
        return 0;
}

static int leaves_group(void *arg) {
        belay_group group;

        (void) arg;
        belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .limit = 1));
        gone = &group;
        belay_release(must(belay_spawn(wants_start, NULL)));
        CHECK_EQ(belay_yield(), 0);
        belay_release(must(belay_spawn(wants_room, NULL)));
        belay_release(must(belay_spawn(wants_room, NULL)));
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(belay_group_count(&group), 1);
        return 0;
}

static int groups(void *arg) {
        belay_task *task = must(belay_spawn(leaves_group, NULL));

        (void) arg;
        room_got = start_got = 1;
        CHECK_EQ(belay_join(task, NULL), 0);
        for (int i = 0; i < 10; i++)
                belay_release(must(belay_spawn(overwrites, NULL)));
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(room_got, -ESHUTDOWN);
        CHECK_EQ(start_got, -ESHUTDOWN);
        CHECK_EQ(belay_loop_count(belay_loop_self()), 1);
        belay_release(task);
        return 0;
}

/* ---- a scope in the task's argument ---- */

struct given {
        belay_timeout limit;
        belay_group group;
};

static int uses_given(void *arg) {
        struct given *given = arg;

        belay_timeout_enter(&given->limit, BELAY_SECOND);
        belay_group_enter(&given->group);
        CHECK_EQ(belay_group_spawn(&given->group, stays, NULL), 0);
        CHECK_EQ(belay_yield(), 0);
        return 0;
}

static int elsewhere(void *arg) {
        struct given *given = calloc(1, sizeof(*given));
        belay_task *task;

        (void) arg;
        CHECK(given != NULL);
        task = must(belay_spawn_with(uses_given, given,
                                     BELAY_OPTIONS(belay_spawn_options, .destroy = free)));
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(belay_sleep(BELAY_MINUTE), 0);
        CHECK_EQ(belay_loop_count(belay_loop_self()), 1);
        belay_release(task);
        return 0;
}

/* ---- a request that was held back ---- */

static int leaves_region(void *arg) {
        belay_shield_scope region;

        (void) arg;
        belay_shield_enter(&region, BELAY_NEVER);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        return 8;
}

static int held(void *arg) {
        belay_task *task = must(belay_spawn(leaves_region, NULL));
        int outcome;

        (void) arg;
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(belay_join(task, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        belay_release(task);
        return 0;
}

int main(void) {
        keep_lines();
        RUN_VIRTUAL(limits);
        RUN_VIRTUAL(due);
        RUN_VIRTUAL(groups);
        RUN_VIRTUAL(elsewhere);
        RUN_VIRTUAL(held);
        CHECK_LINES(5, "ended within a scope");
        return 0;
}
