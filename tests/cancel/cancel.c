/* SPDX-License-Identifier: MIT */
/*
 * A request is delivered once, at the next wait, and each request counts. The outcome of a task
 * after a delivery depends on what its function returns.
 */
#include "../base/help.h"

/* Waits `count` times, stores what each wait returns, and ends with `result`. */
struct waits {
        int count, result;
        int rc[8];
        bool began;
};

static int waits(void *arg) {
        struct waits *waits = arg;

        waits->began = true;
        for (int i = 0; i < waits->count; i++)
                waits->rc[i] = belay_sleep(BELAY_SECOND);
        return waits->result;
}

static belay_task *start(struct waits *state) {
        belay_task *task = must(belay_spawn(waits, state));

        CHECK_EQ(belay_yield(), 0);
        CHECK(state->began);
        return task;
}

static int delivered_once(void *arg) {
        struct waits state = { .count = 4, .result = -ECANCELED };
        belay_task *task = start(&state);
        belay_time begin = belay_now();
        int outcome;

        (void) arg;
        CHECK_EQ(belay_sleep(1500 * BELAY_MILLISECOND), 0);
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(state.rc[0], 0);
        CHECK_EQ(state.rc[1], -ECANCELED);
        CHECK_EQ(state.rc[2], 0); /* cleanup may wait */
        CHECK_EQ(state.rc[3], 0);
        CHECK_EQ(belay_now() - begin, 3500 * BELAY_MILLISECOND);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK(belay_cancelled(task));
        CHECK_EQ(belay_cancelling(task), 1);
        CHECK_EQ(belay_cancelling(belay_self()), 0);
        belay_release(task);
        return 0;
}

/* After a delivery, a task may end with any outcome. */
static int ends_as_it_likes(void *arg) {
        int results[] = { 0, 5, -EIO, -ETIMEDOUT, -ECANCELED };

        (void) arg;
        for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
                struct waits state = { .count = 1, .result = results[i] };
                belay_task *task = start(&state);
                int outcome;

                belay_cancel(task, NULL);
                CHECK_EQ(belay_await(task, &outcome), 0);
                CHECK_EQ(state.rc[0], -ECANCELED);
                CHECK_EQ(outcome, results[i]);
                CHECK_EQ(belay_cancelled(task), results[i] == -ECANCELED);
                CHECK_EQ(belay_cancelling(task), 1);
                belay_release(task);
        }
        return 0;
}

/* Pending requests merge into one delivery, and each of them counts. */
static int merging(void *arg) {
        struct waits state = { .count = 3 };
        belay_task *task = start(&state);

        (void) arg;
        for (int i = 1; i <= 5; i++) {
                CHECK(belay_cancel(task, NULL));
                CHECK_EQ(belay_cancelling(task), i);
        }
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_EQ(state.rc[0], -ECANCELED);
        CHECK_EQ(state.rc[1], 0);
        CHECK_EQ(state.rc[2], 0);
        CHECK_EQ(belay_cancelling(task), 5);
        belay_release(task);
        return 0;
}

/* A request that comes after a delivery is delivered separately: it ends a wait of the cleanup. */
static int during_cleanup(void *arg) {
        struct waits state = { .count = 4, .result = -ECANCELED };
        belay_task *task = start(&state);

        (void) arg;
        belay_cancel(task, NULL);
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK_EQ(state.rc[0], -ECANCELED);
        belay_cancel(task, NULL);
        belay_cancel(task, NULL);
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK_EQ(state.rc[1], -ECANCELED);
        CHECK(!belay_done(task));
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_EQ(state.rc[2], 0);
        CHECK_EQ(state.rc[3], 0);
        CHECK_EQ(belay_cancelling(task), 3);
        belay_release(task);
        return 0;
}

/* ---- before the first step ---- */

static int before_first_step(void *arg) {
        struct waits state = { .count = 1 };
        belay_task *task = must(belay_spawn(waits, &state));
        int outcome;

        (void) arg;
        CHECK(belay_cancel(task, "never mind"));
        CHECK(!belay_done(task));
        CHECK_EQ(belay_cancelling(task), 1);
        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK(belay_cancelled(task));
        CHECK(!state.began);
        belay_release(task);

        /* The request is forwarded by an awaiting task. */
        task = must(belay_spawn(waits, &state));
        belay_cancel(belay_self(), NULL);
        CHECK_EQ(belay_await(task, &outcome), -ECANCELED);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK(!state.began);
        belay_release(task);

        /* The request is withdrawn before the first step, so the task runs. */
        task = must(belay_spawn(waits, &state));
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(belay_uncancel(task), 0);
        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(outcome, 0);
        CHECK(state.began);
        CHECK_EQ(state.rc[0], 0);
        belay_release(task);
        return 0;
}

/* ---- a task cancels itself ---- */

static int cancels_itself(void *arg) {
        CHECK(belay_cancel(belay_self(), "myself"));
        CHECK_EQ(belay_cancelling(belay_self()), 1);
        return *(int *) arg;
}

static int cancels_itself_and_waits(void *arg) {
        (void) arg;
        CHECK(belay_cancel(belay_self(), NULL));
        CHECK(belay_cancel(belay_self(), NULL));
        CHECK_EQ(belay_sleep(BELAY_SECOND), -ECANCELED);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        return 4;
}

static int oneself(void *arg) {
        int results[] = { 0, 3, -ECANCELED };
        int failure = -EIO, outcome;
        belay_task *task;

        (void) arg;
        /*
         * A task that has a pending request and never waits again ends cancelled even if it returns
         * a result ...
         */
        for (int i = 0; i < 3; i++) {
                task = must(belay_spawn(cancels_itself, &results[i]));
                CHECK_EQ(belay_await(task, &outcome), 0);
                CHECK_EQ(outcome, -ECANCELED);
                CHECK(belay_cancelled(task));
                belay_release(task);
        }
        /* ... but a failure stays its outcome, as in asyncio. */
        task = must(belay_spawn(cancels_itself, &failure));
        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(outcome, -EIO);
        belay_release(task);

        task = must(belay_spawn(cancels_itself_and_waits, NULL));
        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(outcome, 4);
        CHECK(!belay_cancelled(task));
        CHECK_EQ(belay_cancelling(task), 2);
        belay_release(task);

        task = must(belay_spawn_with(cancels_itself, &results[1],
                                     BELAY_OPTIONS(belay_spawn_options, .eager = true)));
        CHECK(belay_done(task));
        CHECK_EQ(belay_result(task), -ECANCELED);
        belay_release(task);
        return 0;
}

/* ---- a call that need not wait is no cancellation point ---- */

static int succeeds(void *arg) {
        (void) arg;
        return 1;
}

static int no_points(void *arg) {
        static belay_local key = BELAY_LOCAL_INIT(NULL);
        belay_task *self = belay_self(), *task;
        belay_future *future;

        (void) arg;
        task = must(belay_spawn(succeeds, NULL));
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_cancel(self, NULL));
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(belay_shield(task, NULL), 0);
        CHECK_EQ(belay_cancel_wait(task, NULL, 0, NULL), 0);
        CHECK_EQ(belay_force_cancel(task, 3, BELAY_SECOND), 0);
        CHECK_EQ(belay_local_set(&key, "x"), 0);
        CHECK_EQ(belay_set_value("x", NULL), 0);
        future = must(belay_future_new());
        CHECK_EQ(belay_future_set(future, 1), 0);
        belay_release(future);
        belay_release(task);
        task = must(belay_spawn(succeeds, NULL));
        belay_release(task);
        CHECK_EQ(belay_cancelling(self), 1);
        CHECK_EQ(belay_yield(), -ECANCELED);
        CHECK_EQ(belay_yield(), 0);
        return 0;
}

/* ---- a task that is done ---- */

static int the_done(void *arg) {
        belay_origin origin = { .size = sizeof(origin) };
        struct waits state = { .count = 1, .result = 2 };
        belay_task *task = start(&state);

        (void) arg;
        CHECK(belay_cancel(task, "a"));
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK(!belay_cancel(task, "b"));
        CHECK_EQ(belay_cancelling(task), 1);
        CHECK_EQ(belay_result(task), 2);
        CHECK(belay_origin_of(task, &origin));
        CHECK_STR(origin.reason, "a");
        belay_release(task);
        return 0;
}

/* A task that returns -ECANCELED without a request ends cancelled, with a request count of 0. */
static int unasked(void *arg) {
        int result = -ECANCELED, outcome;
        struct waits state = { .result = result };
        belay_task *task = must(belay_spawn(waits, &state));

        (void) arg;
        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK(belay_cancelled(task));
        CHECK_EQ(belay_cancelling(task), 0);
        belay_release(task);
        return 0;
}

/* ---- requests from outside of tasks ---- */

static belay_task *target;

static void asks(void *arg) {
        *(bool *) arg = belay_cancel(target, NULL);
}

static int from_elsewhere(void *arg) {
        struct waits state = { .count = 1, .result = -ECANCELED };
        bool asked = false;

        (void) arg;
        /* From a callback. */
        target = start(&state);
        CHECK(belay_soon(asks, &asked) != 0);
        CHECK_EQ(belay_join(target, NULL), 0);
        CHECK(asked && belay_cancelled(target));
        belay_release(target);
        return 0;
}

static int leaves_running(void *arg) {
        target = must(belay_spawn(waits, arg));
        return belay_yield();
}

static int joins_target(void *arg) {
        (void) arg;
        return belay_join(target, NULL);
}

/* Between two runs of the loop. */
static void between_runs(void) {
        struct waits state = { .count = 2, .result = 6 };
        belay_loop *loop = belay_loop_new(VIRTUAL);
        int outcome;

        CHECK(loop != NULL);
        CHECK_EQ(belay_loop_run(loop, leaves_running, &state, NULL), 0);
        CHECK(belay_cancel(target, "between"));
        CHECK_EQ(belay_cancelling(target), 1);
        CHECK_EQ(belay_loop_run(loop, joins_target, NULL, &outcome), 0);
        CHECK_EQ(outcome, 0);
        CHECK_EQ(state.rc[0], -ECANCELED);
        CHECK_EQ(state.rc[1], 0);
        CHECK_EQ(belay_result(target), 6);
        belay_release(target);
        CHECK_EQ(belay_loop_close(loop), 0);
}

int main(void) {
        RUN_VIRTUAL(delivered_once);
        RUN_VIRTUAL(ends_as_it_likes);
        RUN_VIRTUAL(merging);
        RUN_VIRTUAL(during_cleanup);
        RUN_VIRTUAL(before_first_step);
        RUN_VIRTUAL(oneself);
        RUN_VIRTUAL(no_points);
        RUN_VIRTUAL(the_done);
        RUN_VIRTUAL(unasked);
        RUN_VIRTUAL(from_elsewhere);
        between_runs();
        return 0;
}
