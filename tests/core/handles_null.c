/* SPDX-License-Identifier: MIT */
/*
 * NULL where a handle is expected, as after a spawn that failed; and the names of the states.
 */
#include "../base/help.h"

static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_HOUR);
}

static int sees_itself(void *arg) {
        (void) arg;
        CHECK_STR(belay_state(belay_self()), "running");
        CHECK_EQ(belay_yield(), 0);
        return -EIO;
}

static int result(void *arg) {
        (void) arg;
        return 1;
}

static void ended(belay_task *task, void *arg) {
        (void) task;
        (void) arg;
        CHECK(false);
}

static int nothing(void *arg) {
        belay_task *some = must(belay_spawn(sleeps, NULL)), *tasks[] = { some, NULL };
        belay_origin origin = BELAY_ORIGIN_INIT;
        belay_as_completed each;
        size_t winner;
        int outcome = 99;

        (void) arg;
        CHECK(belay_done(NULL));
        CHECK(!belay_cancelled(NULL));
        CHECK(!belay_cancel(NULL, "why"));
        CHECK_EQ(belay_cancelling(NULL), 0);
        CHECK_EQ(belay_uncancel(NULL), 0);
        CHECK_EQ(belay_result(NULL), -ENOMEM);
        CHECK(belay_failure_of(NULL) == NULL);
        CHECK_EQ(belay_await(NULL, &outcome), -ENOMEM);
        CHECK_EQ(belay_join(NULL, &outcome), -ENOMEM);
        CHECK_EQ(belay_shield(NULL, &outcome), -ENOMEM);
        CHECK_EQ(belay_await_for(NULL, BELAY_SECOND, &outcome), -ENOMEM);
        CHECK_EQ(belay_await_for(NULL, 0, &outcome), -ENOMEM);
        CHECK_EQ(belay_cancel_wait(NULL, NULL, BELAY_NEVER, &outcome), -ENOMEM);
        CHECK_EQ(belay_force_cancel(NULL, 3, BELAY_SECOND), -ENOMEM);
        CHECK_EQ(outcome, 99);
        CHECK(belay_name(NULL) == NULL);
        CHECK_EQ(belay_id(NULL), 0);
        CHECK(belay_started_at(NULL) == NULL);
        CHECK_STR(belay_state(NULL), "failed");
        CHECK(belay_value(NULL) == NULL);
        CHECK(belay_take_value(NULL) == NULL);
        CHECK(belay_ref(NULL) == NULL);
        belay_release(NULL);
        belay_release_arg(NULL);
        CHECK_EQ(belay_future_set(NULL, 1), -ENOMEM);
        CHECK_EQ(belay_future_set_value(NULL, NULL, NULL), -ENOMEM);
        CHECK_EQ(belay_on_done(NULL, ended, NULL), -ENOMEM);
        CHECK_EQ(belay_off_done(NULL, ended, NULL), 0);
        CHECK(!belay_origin_of(NULL, &origin));
        CHECK_EQ(origin.kind, BELAY_ORIGIN_NONE);
        CHECK_EQ(belay_gather(tasks, 2, &outcome), -ENOMEM);
        CHECK_EQ(belay_gather_collect(tasks, 2), -ENOMEM);
        CHECK_EQ(belay_wait(tasks, 2, BELAY_WAIT_ALL, BELAY_NEVER), -ENOMEM);
        CHECK_EQ(belay_race(tasks, 2, &winner, &outcome), -ENOMEM);
        CHECK_EQ(belay_as_completed_begin(&each, tasks, 2, BELAY_NEVER), -ENOMEM);
        CHECK(!belay_done(some));
        CHECK_EQ(belay_cancelling(some), 0);
        CHECK_EQ(belay_cancelling(belay_self()), 0);
        belay_release(some);
        return 0;
}

static int releases(void *arg) {
        CHECK(!belay_done(arg));
        return 0;
}

static int states(void *arg) {
        belay_task *task = must(belay_spawn(sees_itself, NULL)),
                   *sleeper = must(belay_spawn(sleeps, NULL));
        belay_task *well = must(belay_spawn(result, NULL)), *owner;
        belay_future *future = must(belay_future_new());

        (void) arg;
        CHECK_STR(belay_name(belay_self()), "main");
        CHECK_STR(belay_state(task), "new");
        CHECK_EQ(belay_yield(), 0);
        CHECK_STR(belay_state(task), "ready");
        CHECK_STR(belay_state(sleeper), "waiting");
        CHECK_STR(belay_state(well), "done");
        CHECK_STR(belay_state(future), "waiting");
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_STR(belay_state(task), "failed");
        CHECK_EQ(belay_cancel_wait(sleeper, NULL, BELAY_NEVER, NULL), 0);
        CHECK_STR(belay_state(sleeper), "cancelled");
        belay_release(task);
        CHECK_LINES(1, "was not retrieved");
        owner = must(
                belay_spawn_with(releases, belay_ref(future),
                                 BELAY_OPTIONS(belay_spawn_options, .destroy = belay_release_arg)));
        CHECK_EQ(belay_await(owner, NULL), 0);
        belay_release(owner);
        belay_release(sleeper);
        belay_release(well);
        belay_release(future);
        return 0;
}

/*
 * Each of 3000 tasks appears twice in the array. Marking the duplicates needs no memory besides
 * that of the program's memory function, and the tasks are returned in the caller's order.
 */
static int twins(void *arg) {
        enum { COUNT = 3000 };
        belay_task **tasks = calloc(2 * COUNT, sizeof(*tasks));
        belay_as_completed each;
        belay_task *next;

        (void) arg;
        CHECK(tasks != NULL);
        for (int i = 0; i < COUNT; i++)
                tasks[i] = tasks[2 * COUNT - 1 - i] = must(belay_spawn(result, NULL));
        for (int round = 0; round < 2; round++) {
                CHECK_EQ(belay_wait(tasks, 2 * COUNT, BELAY_WAIT_ALL, BELAY_NEVER), 2 * COUNT);
                CHECK_EQ(belay_as_completed_begin(&each, tasks, 2 * COUNT, BELAY_NEVER), 0);
                for (int i = 0; i < COUNT; i++) {
                        CHECK_EQ(belay_as_completed_next(&each, &next), 1);
                        CHECK(next == tasks[i]);
                }
                CHECK_EQ(belay_as_completed_next(&each, &next), 0);
                belay_as_completed_end(&each);
        }
        for (int i = 0; i < COUNT; i++)
                belay_release(tasks[i]);
        free(tasks);
        return 0;
}

int main(void) {
        keep_lines();
        RUN_VIRTUAL(nothing);
        RUN_VIRTUAL(states);
        RUN_VIRTUAL(twins);
        return 0;
}
