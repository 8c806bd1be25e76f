/* SPDX-License-Identifier: MIT */
/*
 * Failures: what a failure carries besides its code, which task has it at which time, and that its
 * data is destroyed once.
 */
#include "../base/help.h"

static int destroyed;

static void destroy(void *data) {
        CHECK(data != NULL);
        destroyed++;
}

static int data = 5;

/* ---- leaving and taking a failure ---- */

static int left(void *arg) {
        belay_failure *failure, *again;

        (void) arg;
        CHECK_EQ(belay_fail(-EIO, "disk %s, block %d", "a", 7), -EIO);
        failure = belay_failure_take(-EIO);
        CHECK_EQ(belay_failure_code(failure), -EIO);
        CHECK_STR(belay_failure_text(failure), "disk a, block 7");
        CHECK(belay_failure_data(failure) == NULL);
        CHECK_EQ(belay_failure_count(failure), 0);
        CHECK(belay_failure_at(failure, 0) == NULL);
        /* The failure has been taken, so a second take returns one without a detail. */
        again = belay_failure_take(-EIO);
        CHECK(again != failure);
        CHECK_EQ(belay_failure_code(again), -EIO);
        CHECK_STR(belay_failure_text(again), NULL);
        belay_failure_release(again);

        /* After a raise, the failure is the latest failure again. */
        CHECK_EQ(belay_failure_raise(failure), -EIO);
        again = belay_failure_take(-EIO);
        CHECK(again == failure);
        belay_failure_release(again);

        /* A failure with another code must not be returned, and stays. */
        belay_fail(-EPIPE, "pipe");
        failure = belay_failure_take(-EIO);
        CHECK_STR(belay_failure_text(failure), NULL);
        CHECK_EQ(belay_failure_code(failure), -EIO);
        belay_failure_release(failure);
        failure = belay_failure_take(-EPIPE);
        CHECK_STR(belay_failure_text(failure), "pipe");
        belay_failure_release(failure);

        /* The latest failure counts. */
        belay_fail(-EIO, "first");
        belay_fail(-EIO, "second");
        failure = belay_failure_take(-EIO);
        CHECK_STR(belay_failure_text(failure), "second");
        belay_failure_release(failure);
        belay_fail(-EIO, "first");
        belay_fail(-EIO, NULL);
        failure = belay_failure_take(-EIO);
        CHECK_STR(belay_failure_text(failure), NULL);
        belay_failure_release(failure);
        CHECK_EQ(belay_fail(-EIO, NULL), -EIO);
        return 0;
}

static int with_data(void *arg) {
        belay_failure *failure, *second;

        (void) arg;
        destroyed = 0;
        CHECK_EQ(belay_fail_data(-EPROTO, &data, destroy, "%d bytes", 3), -EPROTO);
        failure = belay_failure_take(-EPROTO);
        CHECK(belay_failure_data(failure) == &data);
        CHECK_STR(belay_failure_text(failure), "3 bytes");
        second = belay_failure_ref(failure);
        CHECK(second == failure);
        belay_failure_release(failure);
        CHECK_EQ(destroyed, 0);
        belay_failure_release(second);
        CHECK_EQ(destroyed, 1);

        /* Without a text, and without a destructor. The next failure replaces each. */
        belay_fail_data(-EPROTO, &data, destroy, NULL);
        belay_fail_data(-EPROTO, &data, NULL, NULL);
        CHECK_EQ(destroyed, 2);
        failure = belay_failure_take(-EPROTO);
        CHECK(belay_failure_data(failure) == &data);
        CHECK_STR(belay_failure_text(failure), NULL);
        belay_failure_release(failure);
        CHECK_EQ(destroyed, 2);

        /* The latest failure of a task that ends with a result. */
        belay_fail_data(-EPROTO, &data, destroy, "nobody asks");
        return 0;
}

/* NULL in place of a failure. */
static void nothing(void) {
        char text[64];

        CHECK_EQ(belay_failure_code(NULL), -ENOMEM);
        CHECK_STR(belay_failure_text(NULL), NULL);
        CHECK(belay_failure_data(NULL) == NULL);
        CHECK_EQ(belay_failure_count(NULL), 0);
        CHECK(belay_failure_at(NULL, 0) == NULL);
        belay_failure_release(NULL);
        belay_failure_release(belay_failure_ref(NULL));
        CHECK_EQ(belay_failure_raise(NULL), -ENOMEM);
        CHECK(belay_failure_format(NULL, text, sizeof(text)) > 0);
}

/* Outside of tasks there is only the code. */
static void outside(void) {
        belay_failure *failure;

        destroyed = 0;
        CHECK_EQ(belay_fail(-EIO, "text"), -EIO);
        CHECK_EQ(belay_fail_data(-EIO, &data, destroy, "text"), -EIO);
        CHECK_EQ(destroyed, 1); /* at once */
        failure = belay_failure_take(-EIO);
        CHECK_EQ(belay_failure_code(failure), -EIO);
        CHECK_STR(belay_failure_text(failure), NULL);
        CHECK_EQ(belay_failure_raise(failure), -EIO);
}

/* ---- failures that travel between tasks ---- */

static int fails(void *arg) {
        int rc = belay_sleep(BELAY_SECOND);

        (void) arg;
        return rc < 0 ? rc : belay_fail_data(-EPROTO, &data, destroy, "bad header");
}

static int helper(void) {
        return belay_fail(-EIO, "deep down");
}

static int returns_helpers(void *arg) {
        int rc;

        (void) arg;
        rc = helper();
        return rc;
}

static int returns_another_code(void *arg) {
        (void) arg;
        helper();
        return -EPIPE;
}

static int passes_on(void *arg) {
        belay_task *task = must(belay_spawn(arg, NULL));
        int outcome, rc = belay_await(task, &outcome);

        belay_release(task);
        return rc < 0 ? rc : outcome;
}

static int passes_on_twice(void *arg) {
        belay_task *task = must(belay_spawn(passes_on, arg));
        int outcome, rc = belay_await(task, &outcome);

        belay_release(task);
        return rc < 0 ? rc : outcome;
}

static int takes_and_raises(void *arg) {
        belay_failure *failure;
        int rc = passes_on(arg);

        failure = belay_failure_take(rc);
        CHECK_STR(belay_failure_text(failure), "bad header");
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        helper(); /* a different failure, meanwhile */
        return belay_failure_raise(failure);
}

static int waits_for(belay_fn *fn, belay_fn *arg, const char *text, int code) {
        belay_task *task = must(belay_spawn(fn, (void *) arg));
        belay_failure *failure;
        int outcome;

        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(outcome, code);
        failure = belay_failure_take(code);
        CHECK_STR(belay_failure_text(failure), text);
        CHECK(text == NULL || belay_failure_of(task) == failure); /* shared, not copied */
        belay_failure_release(failure);
        belay_release(task);
        return 0;
}

static int travelling(void *arg) {
        (void) arg;
        destroyed = 0;
        waits_for(fails, NULL, "bad header", -EPROTO);
        CHECK_EQ(destroyed, 1);
        waits_for(returns_helpers, NULL, "deep down", -EIO);
        waits_for(returns_another_code, NULL, NULL, -EPIPE);
        waits_for(passes_on, fails, "bad header", -EPROTO);
        waits_for(passes_on_twice, fails, "bad header", -EPROTO);
        waits_for(takes_and_raises, fails, "bad header", -EPROTO);
        CHECK_EQ(destroyed, 4);
        return 0;
}

/* Several tasks await the same task, and each receives the same failure. */
static const belay_failure *shared;

static int awaits_and_looks(void *arg) {
        belay_failure *failure;
        int outcome;

        CHECK_EQ(belay_await(arg, &outcome), 0);
        failure = belay_failure_take(outcome);
        CHECK_STR(belay_failure_text(failure), "bad header");
        CHECK(belay_failure_data(failure) == &data);
        CHECK(shared == NULL || shared == failure);
        shared = failure;
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        belay_failure_release(failure);
        return 0;
}

static int several(void *arg) {
        belay_task *task = must(belay_spawn(fails, NULL)), *waiters[5];

        (void) arg;
        destroyed = 0;
        shared = NULL;
        for (int i = 0; i < 5; i++)
                waiters[i] = must(belay_spawn(awaits_and_looks, task));
        for (int i = 0; i < 5; i++) {
                CHECK_EQ(belay_await(waiters[i], NULL), 0);
                belay_release(waiters[i]);
        }
        CHECK_EQ(destroyed, 0);
        belay_release(task);
        CHECK_EQ(destroyed, 1);
        return 0;
}

/* A task ends with a latest failure that no task can reach. */
static int ends_with_something_left(void *arg) {
        (void) arg;
        belay_fail_data(-EIO, &data, destroy, "nobody asks");
        return 0;
}

static int left_behind(void *arg) {
        belay_task *task = must(belay_spawn(ends_with_something_left, NULL));

        (void) arg;
        destroyed = 0;
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_EQ(destroyed, 1);
        belay_release(task);
        CHECK_EQ(destroyed, 1);
        return 0;
}

/* Neither a result nor a successful wait removes the latest failure. */
static int stays(void *arg) {
        belay_failure *failure;

        (void) arg;
        belay_fail(-EIO, "still there");
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(belay_yield(), 0);
        failure = belay_failure_take(-EIO);
        CHECK_STR(belay_failure_text(failure), "still there");
        belay_failure_release(failure);
        return 0;
}

/* ---- the text for a reader ---- */

/* Cancelled by the failure of the other member, it fails as well. */
static int fails_anyway(void *arg) {
        (void) arg;
        (void) !belay_sleep(BELAY_SECOND);
        return helper();
}

static int formats(void *arg) {
        belay_failure *failure;
        char text[256], expected[256];
        size_t length;

        (void) arg;
        belay_fail(-EPROTO, "bad header");
        failure = belay_failure_take(-EPROTO);
        snprintf(expected, sizeof(expected), "%s: bad header", strerror(EPROTO));
        length = belay_failure_format(failure, text, sizeof(text));
        CHECK_STR(text, expected);
        CHECK_EQ(length, strlen(expected));
        /*
         * A short buffer receives a truncated text, which is always terminated. The call returns
         * the length of the whole text.
         */
        for (size_t size = 1; size <= strlen(expected) + 1; size++) {
                memset(text, 'X', sizeof(text));
                CHECK_EQ(belay_failure_format(failure, text, size), strlen(expected));
                CHECK_EQ(strlen(text), size - 1);
                CHECK_EQ(strncmp(text, expected, size - 1), 0);
                CHECK_EQ(text[size], 'X');
        }
        CHECK_EQ(belay_failure_format(failure, NULL, 0), strlen(expected));
        belay_failure_release(failure);

        failure = belay_failure_take(-EIO);
        CHECK_EQ(belay_failure_format(failure, text, sizeof(text)), strlen(strerror(EIO)));
        CHECK_STR(text, strerror(EIO));
        belay_failure_release(failure);

        /* Failures beneath: those of a group's members. */
        belay_group group;
        belay_group_enter(&group);
        for (int i = 0; i < 2; i++)
                CHECK_EQ(belay_group_spawn(&group, fails_anyway, NULL), 0);
        int rc = belay_group_leave(&group, 0);
        CHECK_EQ(rc, -EIO);
        failure = belay_failure_take(rc);
        CHECK_EQ(belay_failure_count(failure), 2);
        CHECK_STR(belay_failure_text(belay_failure_at(failure, 0)), "deep down");
        CHECK_EQ(belay_failure_code(belay_failure_at(failure, 1)), -EIO);
        CHECK(belay_failure_at(failure, 2) == NULL);
        belay_failure_format(failure, text, sizeof(text));
        CHECK(strstr(text, "2 beneath") != NULL && strstr(text, "deep down") != NULL);
        belay_failure_release(failure);
        return 0;
}

static int single_data;

static int fails_with_data(void *arg) {
        (void) arg;
        return belay_fail_data(-EIO, &single_data, NULL, "deep down");
}

static int leaves_one(void *arg) {
        belay_group group;
        int depth = *(int *) arg, beneath = depth - 1;

        belay_group_enter(&group);
        if (depth > 0)
                CHECK_EQ(belay_group_spawn(&group, leaves_one, &beneath), 0);
        else
                CHECK_EQ(belay_group_spawn(&group, fails_with_data, NULL), 0);
        return belay_group_leave(&group, 0);
}

/*
 * A group in which one member failed, groups within each other, and a race. The failure has the
 * text and data of the one that failed, and its text prints them once.
 */
static int single(void *arg) {
        char text[256], expected[256];
        const belay_failure *failure;
        belay_task *tasks[2];
        belay_failure *taken;
        int outcome = 0;

        (void) arg;
        snprintf(expected, sizeof(expected), "%s: deep down", strerror(EIO));
        for (int depth = 0; depth < 100; depth += 33) {
                int levels = 0;

                CHECK_EQ(leaves_one(&depth), -EIO);
                taken = belay_failure_take(-EIO);
                CHECK_STR(belay_failure_text(taken), "deep down");
                CHECK(belay_failure_data(taken) == &single_data);
                belay_failure_format(taken, text, sizeof(text));
                CHECK_STR(text, expected);
                for (failure = taken; belay_failure_count(failure) > 0;
                     failure = belay_failure_at(failure, 0)) {
                        CHECK_EQ(belay_failure_count(failure), 1);
                        CHECK_STR(belay_failure_text(failure), "deep down");
                        levels++;
                }
                CHECK_EQ(levels, depth + 1);
                belay_failure_release(taken);
        }
        tasks[0] = must(belay_spawn(fails_with_data, NULL));
        CHECK_EQ(belay_race(tasks, 1, NULL, &outcome), 0);
        CHECK_EQ(outcome, -EIO);
        taken = belay_failure_take(-EIO);
        CHECK_EQ(belay_failure_count(taken), 1);
        CHECK_STR(belay_failure_text(taken), "deep down");
        belay_failure_release(taken);
        belay_release(tasks[0]);
        /* Several failures beneath have no common text, so the failure has none. */
        for (int i = 0; i < 2; i++)
                tasks[i] = must(belay_spawn(fails_with_data, NULL));
        CHECK_EQ(belay_race(tasks, 2, NULL, &outcome), 0);
        taken = belay_failure_take(-EIO);
        CHECK_EQ(belay_failure_count(taken), 2);
        CHECK(belay_failure_text(taken) == NULL);
        CHECK(belay_failure_data(taken) == NULL);
        belay_failure_format(taken, text, sizeof(text));
        snprintf(expected, sizeof(expected), "%s; 2 beneath: [%s: deep down, %s: deep down]",
                 strerror(EIO), strerror(EIO), strerror(EIO));
        CHECK_STR(text, expected);
        belay_failure_release(taken);
        for (int i = 0; i < 2; i++)
                belay_release(tasks[i]);
        return 0;
}

/* The log line of a failure that was not retrieved also has the text once. */
static int single_unseen(void *arg) {
        int depth = 2;

        (void) arg;
        keep_lines();
        belay_release(must(belay_spawn(leaves_one, &depth)));
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(kept_count, 1);
        CHECK_LINES(1, ": deep down");
        CHECK_LINES(0, "beneath");
        belay_set_log(NULL, NULL);
        return 0;
}

/* A long text is not truncated. */
static int long_texts(void *arg) {
        static char text[20000];
        belay_failure *failure;

        (void) arg;
        memset(text, 'y', sizeof(text) - 1);
        belay_fail(-EIO, "%s", text);
        failure = belay_failure_take(-EIO);
        CHECK_STR(belay_failure_text(failure), text);
        belay_failure_release(failure);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(left);
        RUN_VIRTUAL(with_data);
        CHECK_EQ(destroyed, 3);
        nothing();
        outside();
        RUN_VIRTUAL(travelling);
        RUN_VIRTUAL(several);
        RUN_VIRTUAL(left_behind);
        RUN_VIRTUAL(stays);
        RUN_VIRTUAL(formats);
        RUN_VIRTUAL(single);
        RUN_VIRTUAL(single_unseen);
        RUN_VIRTUAL(long_texts);
        return 0;
}
