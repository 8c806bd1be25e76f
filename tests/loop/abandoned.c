/* SPDX-License-Identifier: MIT */
/*
 * Tasks that the shutdown abandoned, after their loop was closed. Calls on their handles, on their
 * scopes and on the objects that they wait for return as documented, and no abandoned task runs.
 */
#include "../base/help.h"

static belay_task *sleeper, *awaiter, *waits_long, *locker, *grouped, *limited, *racing, *lists,
        *in_queue;
static belay_future *future, *other;
static belay_lock lock;
static belay_event event;
static belay_queue *queue;
static belay_timeout limit;
static belay_group group;
static belay_shield_scope region;

static volatile bool forever = true;

/* Each task refuses to end. */
static int sleeps(void *arg) {
        (void) arg;
        while (forever)
                (void) !belay_sleep(BELAY_HOUR);
        return 0;
}

static int awaits(void *arg) {
        while (forever)
                (void) !belay_join(arg, NULL);
        return 0;
}

static int waits(void *arg) {
        belay_task *tasks[] = { arg, other };

        while (forever)
                (void) !belay_wait(tasks, 2, BELAY_WAIT_ALL, BELAY_HOUR);
        return 0;
}

static int wants_lock(void *arg) {
        (void) arg;
        while (forever)
                (void) !belay_lock_acquire(&lock);
        return 0;
}

static int wants_event(void *arg) {
        (void) arg;
        while (forever)
                (void) !belay_event_wait(&event);
        return 0;
}

static int in_group(void *arg) {
        (void) arg;
        belay_group_enter(&group);
        CHECK_EQ(belay_group_spawn(&group, sleeps, NULL), 0);
        return belay_group_leave(&group, 0);
}

static int in_limit(void *arg) {
        (void) arg;
        belay_timeout_enter(&limit, BELAY_HOUR);
        belay_shield_enter(&region, BELAY_HOUR);
        while (forever)
                (void) !belay_sleep(2 * BELAY_HOUR);
        return 0;
}

static int races(void *arg) {
        belay_task *tasks[] = { arg };

        while (forever)
                (void) !belay_race(tasks, 1, NULL, NULL);
        return 0;
}

static int as_completed(void *arg) {
        belay_task *tasks[] = { arg, other };
        belay_as_completed each;
        int rc = belay_as_completed_begin(&each, tasks, 2, BELAY_HOUR);

        CHECK_EQ(rc, 0);
        while (forever)
                (void) !belay_as_completed_next(&each, NULL);
        return 0;
}

static int gets(void *arg) {
        void *item;

        (void) arg;
        while (forever)
                (void) !belay_queue_get(queue, &item);
        return 0;
}

static int leaves_them(void *arg) {
        (void) arg;
        future = must(belay_future_new());
        other = must(belay_future_new());
        CHECK_EQ(belay_lock_acquire(&lock), 0);
        sleeper = must(belay_spawn(sleeps, NULL));
        awaiter = must(belay_spawn(awaits, future));
        waits_long = must(belay_spawn(waits, future));
        locker = must(belay_spawn(wants_lock, NULL));
        belay_release(must(belay_spawn(wants_event, NULL)));
        grouped = must(belay_spawn(in_group, NULL));
        limited = must(belay_spawn(in_limit, NULL));
        racing = must(belay_spawn(races, sleeper));
        lists = must(belay_spawn(as_completed, future));
        in_queue = must(belay_spawn(gets, NULL));
        return belay_sleep(BELAY_SECOND);
}

/* A task of another loop. The abandoned task never ends, so only the limit ends this wait. */
static int waits_for_abandoned(void *arg) {
        int outcome = 7;

        (void) arg;
        CHECK_EQ(belay_cancel_wait(sleeper, NULL, BELAY_SECOND, &outcome), -ETIMEDOUT);
        CHECK_EQ(outcome, 7);
        CHECK_EQ(belay_now(), BELAY_SECOND);
        return 0;
}

int main(void) {
        belay_task **all[] = {
                &sleeper, &awaiter, &waits_long, &locker,   &grouped,
                &limited, &racing,  &lists,      &in_queue,
        };
        belay_loop_options options = {
                .size = sizeof(options),
                .clock = BELAY_CLOCK_VIRTUAL,
                .shutdown_limit = BELAY_SECOND,
        };
        belay_origin origin = { .size = sizeof(origin) };

        keep_lines();
        queue = belay_queue_new(0);
        CHECK(queue != NULL);
        CHECK_EQ(belay_run_with(leaves_them, NULL, &options), -ETIMEDOUT);
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                belay_task *task = *all[i];

                CHECK(!belay_cancel(task, "too late"));
                CHECK(!belay_done(task));
                CHECK(!belay_cancelled(task));
                CHECK(belay_cancelling(task) > 0);
                CHECK(belay_origin_of(task, &origin));
                CHECK(origin.kind == BELAY_ORIGIN_SHUTDOWN || task == sleeper);
                CHECK_EQ(belay_result(task), -EINPROGRESS);
                CHECK(belay_failure_of(task) == NULL);
                CHECK_STR(belay_state(task), "waiting");
        }
        /* The scopes of the abandoned tasks. */
        CHECK(!belay_timeout_expired(&limit));
        CHECK_EQ(belay_timeout_reschedule(&limit, BELAY_SECOND), -EPERM);
        CHECK_EQ(belay_timeout_reschedule_until(&limit, BELAY_SECOND), -EPERM);
        CHECK_EQ(belay_group_count(&group), 1);
        CHECK_EQ(belay_group_spawn(&group, sleeps, NULL), -EPERM);
        belay_group_cancel(&group);
        /* The objects that they wait for. */
        CHECK_EQ(belay_future_set(future, 1), 0);
        CHECK(belay_cancel(other, NULL));
        belay_event_set(&event);
        CHECK_EQ(belay_lock_release(&lock), 0);
        CHECK_EQ(belay_queue_try_put(queue, queue), 0);
        CHECK(belay_uncancel(awaiter) == 0);
        RUN_VIRTUAL(waits_for_abandoned);
        belay_release(future);
        belay_release(other);
        for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
                CHECK(!belay_done(*all[i]));
                belay_release(*all[i]);
        }
        return 0;
}
