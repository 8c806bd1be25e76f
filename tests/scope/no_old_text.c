/* SPDX-License-Identifier: MIT */
/*
 * A call that fails without a text of its own must not leave the text of an earlier failure with
 * the same code. The calling task would report that text as the reason.
 */
#include "parts.h"

/* Leaves a failure of the calling task, as a call does that failed before. */
static void earlier(int code) {
        CHECK_EQ(belay_fail(code, "earlier"), code);
}

static int ends_with(void *arg) {
        return *(int *) arg;
}

static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_HOUR);
}

static int refuses(void *arg) {
        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        return belay_sleep(BELAY_HOUR);
}

/* The code that a call returned in another task than the main task. */
static int verdict;

/* ---- scope ---- */

static int expires(void) {
        belay_timeout limit;
        int rc;

        CHECK_EQ(belay_timeout_enter(&limit, SECONDS(1)), 0);
        rc = belay_sleep(BELAY_HOUR);
        earlier(-ETIMEDOUT);
        return belay_timeout_leave(&limit, rc);
}

static int call_without_time(void) {
        earlier(-ETIMEDOUT);
        return belay_wait_for(sleeps, NULL, 0);
}

static int task_without_time(void) {
        belay_task *task = must(belay_spawn(sleeps, NULL));
        int rc;

        earlier(-ETIMEDOUT);
        rc = belay_await_for(task, 0, NULL);
        belay_release(task);
        return rc;
}

static int member_never_ready(void) {
        int rc, result = 4;
        belay_group group;

        CHECK_EQ(belay_group_enter(&group), 0);
        earlier(-EPIPE);
        rc = belay_group_start(&group, ends_with, &result, NULL, NULL);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        return rc;
}

static int ready_too_late(void *arg) {
        CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        earlier(-EPIPE);
        *(int *) arg = belay_ready();
        CHECK_LEFT(-EPIPE, NULL);
        return 0;
}

static int starter_gave_up(void) {
        belay_group group;
        int late = 0;

        CHECK_EQ(belay_group_enter(&group), 0);
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_group_start(&group, ready_too_late, &late, NULL, NULL), -ECANCELED);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        return late;
}

static int wants_room(void *arg) {
        int rc;

        earlier(-ESHUTDOWN);
        rc = belay_group_spawn(arg, sleeps, NULL);
        CHECK_LEFT(-ESHUTDOWN, NULL);
        return rc;
}

static int no_room(void) {
        belay_group group;
        belay_task *task;

        CHECK_EQ(belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .limit = 1)), 0);
        CHECK_EQ(belay_group_spawn(&group, sleeps, NULL), 0);
        task = must(belay_spawn(wants_room, &group));
        CHECK_EQ(belay_yield(), 0);
        belay_group_cancel(&group);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        CHECK_EQ(belay_join(task, NULL), 0);
        return ended_with(task);
}

/* ---- core ---- */

static int no_task(void) {
        earlier(-ENOMEM);
        return belay_await(NULL, NULL);
}

static int joins_itself(void) {
        earlier(-EDEADLK);
        return belay_join(belay_self(), NULL);
}

static int awaits_itself(void) {
        earlier(-EDEADLK);
        return belay_await(belay_self(), NULL);
}

static int awaited_itself(void *arg) {
        (void) arg;
        CHECK_EQ(belay_await(belay_self(), NULL), -EDEADLK);
        return belay_sleep(SECONDS(1));
}

static int awaits_such_a_task(void) {
        belay_task *task = must(belay_spawn(awaited_itself, NULL));
        int rc;

        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        earlier(-EDEADLK);
        rc = belay_await(task, NULL);
        belay_release(task);
        return rc;
}

static int deadlock(void) {
        belay_future *future = must(belay_future_new());
        int rc;

        earlier(-EDEADLK);
        rc = belay_await(future, NULL);
        belay_release(future);
        return rc;
}

static int request_without_reason(void) {
        int rc;

        belay_cancel(belay_self(), NULL);
        earlier(-ECANCELED);
        rc = belay_yield();
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        return rc;
}

/* The functions that wait for one task, and return its outcome without a text. */
static int outcome_of(int (*wait)(belay_task *task, int *outcome), int end) {
        struct part part = { .span = SECONDS(1), .end = end };
        belay_task *task = start_part(&part);
        int outcome = UNWRITTEN;

        earlier(end);
        CHECK_EQ(wait(task, &outcome), 0);
        belay_release(task);
        return outcome;
}

static int await(belay_task *task, int *outcome) {
        return belay_await(task, outcome);
}

static int join(belay_task *task, int *outcome) {
        return belay_join(task, outcome);
}

static int shield(belay_task *task, int *outcome) {
        return belay_shield(task, outcome);
}

static int gather(belay_task *task, int *outcome) {
        return belay_gather(&task, 1, outcome);
}

static int race(belay_task *task, int *outcome) {
        return belay_race(&task, 1, NULL, outcome);
}

static int outcomes(void) {
        static int (*const ways[])(belay_task * task, int *outcome) = { await, join, shield, gather,
                                                                        race };

        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
                CHECK_EQ(outcome_of(ways[i], -EIO), -EIO);
                CHECK_LEFT(-EIO, NULL);
                CHECK_EQ(outcome_of(ways[i], -ECANCELED), -ECANCELED);
                CHECK_LEFT(-ECANCELED, NULL);
        }
        earlier(-EIO);
        return outcome_of(await, -EIO);
}

/* ---- many ---- */

static int nothing_completed(void) {
        belay_task *task = must(belay_spawn(sleeps, NULL)), *ended;
        belay_as_completed each;
        int rc;

        CHECK_EQ(belay_as_completed_begin(&each, &task, 1, SECONDS(1)), 0);
        earlier(-ETIMEDOUT);
        rc = belay_as_completed_next(&each, &ended);
        belay_as_completed_end(&each);
        belay_release(task);
        return rc;
}

/* Each of two races has a winner, and the task of the other race as its loser. */
static belay_task *fast, *rivals[2];

static int races_rival(void *arg) {
        belay_task *tasks[] = { fast, *(belay_task **) arg };
        int rc;

        earlier(-EDEADLK);
        rc = belay_race(tasks, 2, NULL, NULL);
        if (rc == -EDEADLK) {
                CHECK_LEFT(-EDEADLK, NULL);
                verdict = rc;
        }
        return 0;
}

static int races_in_a_circle(void) {
        struct part part = { .span = SECONDS(1) };

        fast = start_part(&part);
        for (size_t i = 0; i < 2; i++)
                rivals[i] = must(belay_spawn(races_rival, &rivals[1 - i]));
        for (size_t i = 0; i < 2; i++)
                CHECK_EQ(belay_join(rivals[i], NULL), 0);
        for (size_t i = 0; i < 2; i++)
                belay_release(rivals[i]);
        belay_release(fast);
        return verdict;
}

static int gather_cancelled(void) {
        belay_task *tasks[2] = { must(belay_spawn(sleeps, NULL)), must(belay_spawn(sleeps, NULL)) };
        int rc;

        cancel_after(SECONDS(1), belay_self());
        earlier(-ECANCELED);
        rc = belay_gather_collect(tasks, 2);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        belay_release(tasks[0]);
        belay_release(tasks[1]);
        return rc;
}

/* ---- cancel ---- */

static int task_that_stays(void) {
        belay_task *task = must(belay_spawn(refuses, NULL));
        int rc;

        CHECK_EQ(belay_yield(), 0);
        earlier(-ETIMEDOUT);
        rc = belay_cancel_wait(task, NULL, SECONDS(1), NULL);
        belay_release(task);
        return rc;
}

static int waits_for_leaver(void *arg) {
        earlier(-EDEADLK);
        verdict = belay_cancel_wait(arg, NULL, BELAY_NEVER, NULL);
        CHECK_LEFT(-EDEADLK, NULL);
        return 0;
}

/* A member waits for the end of the task that waits for the member. */
static int member_in_a_circle(void) {
        belay_group group;

        CHECK_EQ(belay_group_enter(&group), 0);
        CHECK_EQ(belay_group_spawn(&group, waits_for_leaver, belay_self()), 0);
        CHECK_EQ(belay_group_leave(&group, 0), -ECANCELED);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        return verdict;
}

/* The function returns the code of the call that failed. */
static const struct failing {
        int (*call)(void);
        int code;
} failing[] = {
        { expires, -ETIMEDOUT },
        { call_without_time, -ETIMEDOUT },
        { task_without_time, -ETIMEDOUT },
        { member_never_ready, -EPIPE },
        { starter_gave_up, -EPIPE },
        { no_room, -ESHUTDOWN },
        { no_task, -ENOMEM },
        { joins_itself, -EDEADLK },
        { awaits_itself, -EDEADLK },
        { awaits_such_a_task, -EDEADLK },
        { deadlock, -EDEADLK },
        { request_without_reason, -ECANCELED },
        { outcomes, -EIO },
        { nothing_completed, -ETIMEDOUT },
        { races_in_a_circle, -EDEADLK },
        { gather_cancelled, -ECANCELED },
        { task_that_stays, -ETIMEDOUT },
        { member_in_a_circle, -EDEADLK },
};

static int fails(void *arg) {
        const struct failing *each = arg;

        CHECK_EQ(each->call(), each->code);
        CHECK_LEFT(each->code, NULL);
        return 0;
}

int main(void) {
        for (size_t i = 0; i < sizeof(failing) / sizeof(failing[0]); i++) {
                keep_lines();
                verdict = 0;
                CHECK_EQ(belay_run_with(fails, (void *) &failing[i], VIRTUAL), 0);
        }
        return 0;
}
