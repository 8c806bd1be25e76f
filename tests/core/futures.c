/* SPDX-License-Identifier: MIT */
/*
 * Futures: tasks without a body, which a caller sets or cancels.
 */
#include "../base/help.h"

static int destroyed;

static void destroy(void *value) {
        ++*(int *) value;
}

struct setter {
        belay_future *future;
        int code;
};

static int sets_later(void *arg) {
        struct setter *setter = arg;
        int rc = belay_sleep(BELAY_SECOND);

        if (rc < 0)
                return rc;
        return belay_future_set(setter->future, setter->code);
}

static int results(void *arg) {
        int codes[] = { 0, 9, -EIO, -ECANCELED };

        (void) arg;
        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
                struct setter setter = { must(belay_future_new()), codes[i] };
                belay_task *task = must(belay_spawn(sets_later, &setter));
                int outcome = 1234;

                CHECK(!belay_done(setter.future));
                CHECK_EQ(belay_await(setter.future, &outcome), 0);
                CHECK_EQ(outcome, codes[i]);
                CHECK_EQ(belay_result(setter.future), codes[i]);
                CHECK_EQ(belay_cancelled(setter.future), codes[i] == -ECANCELED);
                CHECK_EQ(belay_future_set(setter.future, 1), -EALREADY);
                CHECK_EQ(belay_result(setter.future), codes[i]);
                CHECK_EQ(belay_cancelling(belay_self()), 0);
                belay_release(setter.future);
                belay_release(task);
        }
        return 0;
}

static int fails_with_detail(void *arg) {
        belay_fail(-EPROTO, "line %d", 3);
        return belay_future_set(arg, -EPROTO);
}

static void set_from_callback(void *arg) {
        CHECK_EQ(belay_future_set(arg, -EPIPE), 0);
}

static int details(void *arg) {
        belay_future *future = must(belay_future_new());
        belay_task *task = must(belay_spawn(fails_with_detail, future));
        belay_failure *failure;
        int outcome;

        (void) arg;
        CHECK_EQ(belay_await(future, &outcome), 0);
        CHECK_EQ(outcome, -EPROTO);
        failure = belay_failure_take(outcome);
        CHECK_STR(belay_failure_text(failure), "line 3");
        CHECK(belay_failure_of(future) == failure);
        belay_failure_release(failure);
        belay_release(future);
        belay_release(task);

        /* The detail of a different code stays with the calling task. */
        future = must(belay_future_new());
        belay_fail(-EIO, "mine");
        CHECK_EQ(belay_future_set(future, -EPIPE), 0);
        CHECK(belay_failure_of(future) == NULL);
        failure = belay_failure_take(-EIO);
        CHECK_STR(belay_failure_text(failure), "mine");
        belay_failure_release(failure);
        belay_release(future);

        /* Set from outside of a task, the future receives the code alone. */
        future = must(belay_future_new());
        CHECK(belay_soon(set_from_callback, future) != 0);
        CHECK_EQ(belay_join(future, &outcome), 0);
        CHECK_EQ(outcome, -EPIPE);
        CHECK(belay_failure_of(future) == NULL);
        belay_release(future);
        return 0;
}

static int values(void *arg) {
        belay_future *future = must(belay_future_new());
        int other = 0;

        (void) arg;
        CHECK_EQ(belay_future_set_value(future, &destroyed, destroy), 0);
        CHECK_EQ(belay_result(future), 0);
        CHECK(belay_value(future) == &destroyed);
        /* The future is done, so the value still belongs to the caller. */
        CHECK_EQ(belay_future_set_value(future, &other, destroy), -EALREADY);
        belay_release(future);
        CHECK_EQ(destroyed, 1);
        CHECK_EQ(other, 0);

        future = must(belay_future_new());
        CHECK_EQ(belay_future_set_value(future, &destroyed, destroy), 0);
        CHECK(belay_take_value(future) == &destroyed);
        belay_release(future);
        CHECK_EQ(destroyed, 1);
        return 0;
}

static int awaits(void *arg) {
        return belay_await(arg, NULL);
}

/*
 * A future that is cancelled ends at once, also if the request is forwarded by a task that awaits
 * it.
 */
static int cancelled(void *arg) {
        belay_future *future = must(belay_future_new());
        belay_origin origin = { .size = sizeof(origin) };
        belay_task *task;

        (void) arg;
        CHECK(belay_cancel(future, "enough"));
        CHECK(belay_done(future) && belay_cancelled(future));
        CHECK_EQ(belay_result(future), -ECANCELED);
        CHECK_EQ(belay_cancelling(future), 0);
        CHECK(!belay_cancel(future, NULL));
        CHECK_EQ(belay_future_set(future, 1), -EALREADY);
        CHECK(belay_origin_of(future, &origin));
        CHECK_EQ(origin.kind, BELAY_ORIGIN_CALLER);
        CHECK_STR(origin.reason, "enough");
        CHECK(belay_failure_of(future) != NULL);
        CHECK_STR(belay_failure_text(belay_failure_of(future)), "enough");
        belay_release(future);

        future = must(belay_future_new());
        task = must(belay_spawn(awaits, future));
        CHECK_EQ(belay_yield(), 0);
        belay_cancel(task, NULL);
        CHECK(belay_cancelled(future));
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK(belay_cancelled(task));
        CHECK(belay_origin_of(future, &origin));
        CHECK_EQ(origin.kind, BELAY_ORIGIN_AWAITER);
        CHECK_EQ(origin.task, belay_id(task));
        belay_release(task);

        /* Setting a future to -ECANCELED also ends it cancelled. */
        belay_release(future);
        future = must(belay_future_new());
        CHECK_EQ(belay_future_set(future, -ECANCELED), 0);
        CHECK(belay_cancelled(future));
        belay_release(future);
        return 0;
}

/*
 * Several tasks wait for a future that is cancelled. That must not count as a cancellation of the
 * waiting tasks.
 */
static int cancelled_for_many(void *arg) {
        belay_future *future = must(belay_future_new());
        belay_task *tasks[3];

        (void) arg;
        for (int i = 0; i < 3; i++)
                tasks[i] = must(belay_spawn(awaits, future));
        CHECK_EQ(belay_yield(), 0);
        belay_cancel(tasks[0], NULL);
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_join(tasks[i], NULL), 0);
                CHECK_EQ(belay_result(tasks[i]), i == 0 ? -ECANCELED : 0);
                CHECK_EQ(belay_cancelling(tasks[i]), i == 0);
                belay_release(tasks[i]);
        }
        belay_release(future);
        return 0;
}

static void never_called(belay_task *task, void *arg) {
        (void) task;
        (void) arg;
        CHECK(!"called");
}

/*
 * After the last release no caller can end the future. Its record is freed, and with it the
 * callbacks that waited for its end.
 */
static int forgotten(void *arg) {
        belay_future *future = must(belay_future_new());

        (void) arg;
        CHECK_EQ(belay_on_done(future, never_called, NULL), 0);
        CHECK_EQ(belay_on_done(future, never_called, NULL), 0);
        belay_release(future);
        CHECK_EQ(belay_yield(), 0);
        return 0;
}

static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_SECOND);
}

static int misused(void *arg) {
        belay_task *task = must(belay_spawn(sleeps, NULL));

        (void) arg;
        keep_lines();
        CHECK_EQ(belay_future_set(task, 1), -EPERM);
        CHECK_EQ(belay_future_set_value(task, &destroyed, destroy), -EPERM);
        CHECK_LINES(2, "misuse at " __FILE__);
        CHECK_LINES(2, "is ended as if it were a future");
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_EQ(belay_result(task), 0);
        CHECK_EQ(belay_future_set(task, 1), -EPERM);
        belay_set_log(NULL, NULL);
        belay_release(task);
        return 0;
}

static belay_future *kept;

static int keeps_pending(void *arg) {
        (void) arg;
        kept = must(belay_future_new());
        return belay_on_done(kept, never_called, NULL);
}

/* Callbacks that are never called must be freed all the same. */
static size_t live;

static void *counts(void *context, void *block, size_t size) {
        (void) context;
        if (size == 0) {
                live -= block != NULL;
                free(block);
                return NULL;
        }
        live += block == NULL;
        return realloc(block, size);
}

int main(void) {
        belay_set_memory(counts, NULL);
        RUN_VIRTUAL(results);
        RUN_VIRTUAL(details);
        RUN_VIRTUAL(values);
        RUN_VIRTUAL(cancelled);
        RUN_VIRTUAL(cancelled_for_many);
        RUN_VIRTUAL(forgotten);
        RUN_VIRTUAL(misused);

        /* A callback that is not due when the loop ends never runs. */
        RUN_VIRTUAL(keeps_pending);
        belay_release(kept);
        RUN_VIRTUAL(keeps_pending);
        CHECK_EQ(belay_future_set(kept, 1), 0);
        belay_release(kept);
        CHECK_EQ(live, 0);

        keep_lines();
        errno = 0;
        CHECK(belay_future_new() == NULL);
        CHECK_EQ(errno, EPERM);
        CHECK_LINES(1, "misuse at " __FILE__);
        return 0;
}
