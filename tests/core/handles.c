/* SPDX-License-Identifier: MIT */
/*
 * References that outlive their task and its loop, results, and values.
 */
#include "../base/help.h"

static int runs;

static int adds_one(void *arg) {
        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        runs++;
        return 6;
}

/* A task without a handle goes on (cpython 88831). Releasing a handle cancels nothing. */
static int released_at_once(void *arg) {
        belay_task *task;

        (void) arg;
        runs = 0;
        for (int i = 0; i < 100; i++)
                belay_release(must(belay_spawn(adds_one, NULL)));
        task = must(belay_spawn(adds_one, NULL));
        CHECK(belay_ref(task) == task);
        belay_release(task);
        CHECK_EQ(belay_loop_count(belay_loop_self()), 102);
        CHECK_EQ(belay_sleep(2 * BELAY_SECOND), 0);
        CHECK_EQ(runs, 101);
        CHECK_EQ(belay_loop_count(belay_loop_self()), 1);
        CHECK_EQ(belay_result(task), 6);
        belay_release(task);
        CHECK(belay_ref(NULL) == NULL);
        belay_release(NULL);
        return 0;
}

static int is_itself(void *arg) {
        CHECK(belay_self() == *(belay_task **) arg);
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_self() == *(belay_task **) arg);
        return 0;
}

static int selves(void *arg) {
        belay_task *tasks[3], *self = belay_self();

        (void) arg;
        CHECK(self == belay_loop_main(belay_loop_self()));
        for (int i = 0; i < 3; i++)
                tasks[i] = must(belay_spawn(is_itself, &tasks[i]));
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_await(tasks[i], NULL), 0);
                CHECK(belay_self() == self);
                belay_release(tasks[i]);
        }
        return 0;
}

/* ---- results ---- */

static int returns(void *arg) {
        return *(int *) arg;
}

static int results(void *arg) {
        int codes[] = { 0, 1, 100000, -EIO, -ECANCELED, -ETIMEDOUT };

        (void) arg;
        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
                belay_task *task = must(belay_spawn(returns, &codes[i]));
                int line = 0, outcome = 12345;

                keep_lines();
                CHECK(!belay_done(task));
                CHECK(!belay_cancelled(task));
                line = __LINE__ + 1;
                CHECK_EQ(belay_result(task), -EINPROGRESS);
                CHECK_LINES(1, "misuse at " __FILE__);
                CHECK(strstr(kept_lines[0].text, "the result of #") != NULL);
                CHECK_EQ(atoi(strstr(kept_lines[0].text, __FILE__) + sizeof(__FILE__)), line);
                CHECK_EQ(belay_await(task, &outcome), 0);
                CHECK_EQ(outcome, codes[i]);
                CHECK(belay_done(task));
                CHECK_EQ(belay_cancelled(task), codes[i] == -ECANCELED);
                CHECK_EQ(belay_result(task), codes[i]);
                CHECK_EQ(belay_result(task), codes[i]);
                /* A failure without a detail has no failure object. */
                CHECK(belay_failure_of(task) == NULL);
                belay_release(task);
        }
        return 0;
}

static int fails_with_detail(void *arg) {
        (void) arg;
        return belay_fail(-EPROTO, "bad header %d", 7);
}

static int details(void *arg) {
        belay_task *task = must(belay_spawn(fails_with_detail, NULL));

        (void) arg;
        keep_lines();
        CHECK(belay_failure_of(task) == NULL);
        CHECK_LINES(1, "misuse at ");
        belay_set_log(NULL, NULL);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK(belay_failure_of(task) != NULL);
        CHECK_EQ(belay_failure_code(belay_failure_of(task)), -EPROTO);
        CHECK_STR(belay_failure_text(belay_failure_of(task)), "bad header 7");
        belay_release(task);
        return 0;
}

static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_NEVER);
}

/*
 * A borrowed reason stays valid while there is a handle, even if a wait has received the reason
 * meanwhile.
 */
static int borrowed(void *arg) {
        belay_task *task = must(belay_spawn(sleeps, NULL));
        const belay_failure *reason;

        (void) arg;
        CHECK_EQ(belay_yield(), 0);
        belay_cancel(task, "enough");
        CHECK_EQ(belay_yield(), 0);
        reason = belay_failure_of(task);
        CHECK_STR(belay_failure_text(reason), "enough");
        CHECK_EQ(belay_await(task, NULL), 0);
        belay_failure_release(belay_failure_take(-ECANCELED));
        CHECK_STR(belay_failure_text(reason), "enough");
        belay_release(task);
        return 0;
}

/* ---- states ---- */

static int minus_five = -EIO, five = 5;

static void pokes(belay_task *task, void *arg) {
        *(const char **) arg = belay_state(task);
}

static int states(void *arg) {
        belay_task *task = must(belay_spawn(sleeps, NULL)), *other;
        const char *state = NULL;

        (void) arg;
        CHECK_STR(belay_state(belay_self()), "running");
        CHECK_STR(belay_state(task), "new");
        CHECK_EQ(belay_yield(), 0);
        CHECK_STR(belay_state(task), "waiting");
        CHECK_EQ(belay_on_done(task, pokes, &state), 0);
        belay_cancel(task, NULL);
        CHECK_STR(belay_state(task), "ready");
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_STR(belay_state(task), "cancelled");
        CHECK_STR(state, "cancelled");
        belay_release(task);

        task = must(belay_spawn(returns, &five));
        other = must(belay_spawn(returns, &minus_five));
        CHECK_EQ(belay_yield(), 0);
        CHECK_STR(belay_state(task), "done");
        CHECK_STR(belay_state(other), "failed");
        /* Reading the state does not retrieve the outcome, so the failure is still logged. */
        keep_lines();
        belay_release(task);
        belay_release(other);
        CHECK_LINES(1, "was not retrieved");
        belay_set_log(NULL, NULL);

        task = must(belay_future_new());
        CHECK_STR(belay_state(task), "waiting");
        CHECK_EQ(belay_future_set(task, 1), 0);
        CHECK_STR(belay_state(task), "done");
        belay_release(task);
        return 0;
}

/* ---- values ---- */

static int destroyed[8];

static void destroy(void *value) {
        ++*(int *) value;
}

static int sets_value(void *arg) {
        (void) arg;
        CHECK_EQ(belay_set_value(&destroyed[0], destroy), 0);
        CHECK(belay_value(belay_self()) == &destroyed[0]);
        return 1;
}

static int sets_twice(void *arg) {
        (void) arg;
        CHECK_EQ(belay_set_value(&destroyed[1], destroy), 0);
        CHECK_EQ(belay_set_value(&destroyed[2], destroy), 0);
        CHECK_EQ(destroyed[1], 1);
        return -EIO;
}

static int sets_without_destructor(void *arg) {
        (void) arg;
        return belay_set_value(&destroyed[3], NULL);
}

static int values(void *arg) {
        belay_task *task = must(belay_spawn(sets_value, NULL));

        (void) arg;
        CHECK(belay_value(task) == NULL);
        CHECK_EQ(belay_await(task, NULL), 0);
        /* Borrowing leaves the value in place. The last release destroys it. */
        CHECK(belay_value(task) == &destroyed[0]);
        CHECK(belay_value(task) == &destroyed[0]);
        belay_ref(task);
        belay_release(task);
        CHECK_EQ(destroyed[0], 0);
        belay_release(task);
        CHECK_EQ(destroyed[0], 1);

        /* A value that was taken is not destroyed. */
        task = must(belay_spawn(sets_value, NULL));
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK(belay_take_value(task) == &destroyed[0]);
        CHECK(belay_take_value(task) == NULL);
        CHECK(belay_value(task) == NULL);
        belay_release(task);
        CHECK_EQ(destroyed[0], 1);

        /* A second value replaces the first. A task that fails may have a value, too. */
        task = must(belay_spawn(sets_twice, NULL));
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_EQ(belay_result(task), -EIO);
        CHECK(belay_value(task) == &destroyed[2]);
        belay_release(task);
        CHECK_EQ(destroyed[1], 1);
        CHECK_EQ(destroyed[2], 1);

        task = must(belay_spawn(sets_without_destructor, NULL));
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK(belay_value(task) == &destroyed[3]);
        belay_release(task);
        CHECK_EQ(destroyed[3], 0);
        return 0;
}

/* ---- after the end of the loop ---- */

struct survivors {
        belay_task *done, *shut_down, *future;
};

static int leaves_handles(void *arg) {
        struct survivors *survivors = arg;

        survivors->done = must(belay_spawn_with(
                sets_value, NULL, BELAY_OPTIONS(belay_spawn_options, .name = "done")));
        survivors->shut_down = must(belay_spawn(sleeps, NULL));
        survivors->future = must(belay_future_new());
        return belay_yield();
}

static void outlive_the_loop(void) {
        belay_origin origin = { .size = sizeof(origin) };
        struct survivors survivors;

        destroyed[0] = 0;
        CHECK_EQ(belay_run_with(leaves_handles, &survivors, VIRTUAL), 0);
        CHECK(belay_done(survivors.done) && belay_done(survivors.shut_down));
        CHECK_EQ(belay_result(survivors.done), 1);
        CHECK_STR(belay_name(survivors.done), "done");
        CHECK(belay_value(survivors.done) == &destroyed[0]);
        CHECK_EQ(belay_result(survivors.shut_down), -ECANCELED);
        CHECK(belay_origin_of(survivors.shut_down, &origin));
        CHECK_EQ(origin.kind, BELAY_ORIGIN_SHUTDOWN);
        CHECK(!belay_cancel(survivors.shut_down, NULL));
        /* The pending future can still be set, though no task waits for it. */
        CHECK(!belay_done(survivors.future));
        CHECK_EQ(belay_future_set(survivors.future, 3), 0);
        CHECK_EQ(belay_result(survivors.future), 3);
        belay_release(survivors.shut_down);
        belay_release(survivors.future);
        CHECK_EQ(destroyed[0], 0);
        belay_release(survivors.done);
        CHECK_EQ(destroyed[0], 1);
}

int main(void) {
        RUN_VIRTUAL(released_at_once);
        RUN_VIRTUAL(selves);
        RUN_VIRTUAL(results);
        RUN_VIRTUAL(details);
        RUN_VIRTUAL(borrowed);
        RUN_VIRTUAL(states);
        RUN_VIRTUAL(values);
        outlive_the_loop();

        keep_lines();
        CHECK(belay_self() == NULL);
        CHECK_EQ(belay_set_value(&runs, NULL), -EPERM);
        CHECK_LINES(1, "a task's value is set outside of a task");
        return 0;
}
