/* SPDX-License-Identifier: MIT */
/*
 * Failures as deep as groups can nest, and the lifetime of a borrowed failure.
 */
#include "../base/help.h"

enum { DEPTH = 3000 };

struct nest {
        int depth;
        bool alone; /* whether each group has the failure of its member only */
};

static int nests(void *arg) {
        struct nest deeper = *(struct nest *) arg;
        belay_group group;
        int rc;

        if (deeper.depth-- == 0)
                return belay_fail(-EPROTO, "at the bottom");
        belay_group_enter(&group);
        CHECK_EQ(belay_group_spawn(&group, nests, &deeper), 0);
        rc = belay_sleep(BELAY_NEVER);
        CHECK_EQ(rc, -ECANCELED);
        return belay_group_leave(&group, deeper.alone ? rc : belay_fail(-EPROTO, "beside"));
}

static int deep(void *arg) {
        struct nest nest = { .depth = DEPTH, .alone = *(bool *) arg };
        char text[4096];
        int levels = 0;
        belay_task *task = must(belay_spawn(nests, &nest));
        const belay_failure *failure;

        CHECK_EQ(belay_join(task, NULL), 0);
        failure = belay_failure_of(task);
        for (const belay_failure *at = failure; at != NULL; at = belay_failure_at(at, 0))
                levels++;
        CHECK_EQ(levels, DEPTH + 1);
        CHECK(belay_failure_format(failure, text, sizeof(text)) < sizeof(text));
        CHECK((strstr(text, "[...]") != NULL) == !nest.alone);
        CHECK((strstr(text, "at the bottom") != NULL) == nest.alone);
        CHECK((belay_failure_text(failure) != NULL) == nest.alone);
        belay_release(task);
        return 0;
}

static unsigned destroyed;

static void destroy(void *data) {
        destroyed++;
        free(data);
}

static int fails_with_data(void *arg) {
        /* The first failure cancels this task, which fails as well. */
        (void) !belay_yield();
        (void) arg;
        return belay_fail_data(-EIO, strdup("data"), destroy, "broken");
}

static int all_destroyed(void *arg) {
        belay_group group;
        belay_failure *failure;

        (void) arg;
        belay_group_enter_with(&group, NULL);
        for (int i = 0; i < 5; i++)
                CHECK_EQ(belay_group_spawn(&group, fails_with_data, NULL), 0);
        CHECK_EQ(belay_group_leave(&group, 0), -EIO);
        CHECK_EQ(destroyed, 0);
        failure = belay_failure_take(-EIO);
        CHECK_EQ(belay_failure_count(failure), 5);
        belay_failure_release(failure);
        CHECK_EQ(destroyed, 5);
        return 0;
}

static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_HOUR);
}

static int borrowed(void *arg) {
        belay_task *task = must(belay_spawn(fails_with_data, NULL));
        const belay_failure *failure;
        belay_failure *first;

        (void) arg;
        /*
         * The call comes before the end of the task. It is logged, and does not count as
         * retrieving.
         */
        CHECK(belay_failure_of(task) == NULL);
        CHECK_LINES(1, "is asked for before its end");
        CHECK_LINES(1, __FILE__);
        CHECK_EQ(belay_join(task, NULL), 0);
        belay_release(task);
        CHECK_LINES(1, "was not retrieved");

        /*
         * The reason goes only to the first task that awaits. A pointer that was borrowed before
         * stays valid.
         */
        task = must(belay_spawn(sleeps, NULL));
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_cancel(task, "enough"));
        CHECK_EQ(belay_yield(), 0);
        failure = belay_failure_of(task);
        CHECK_STR(belay_failure_text(failure), "enough");
        CHECK_EQ(belay_await(task, NULL), 0);
        first = belay_failure_take(-ECANCELED);
        CHECK_STR(belay_failure_text(first), "enough");
        belay_failure_release(first);
        CHECK_EQ(belay_await(task, NULL), 0);
        first = belay_failure_take(-ECANCELED);
        CHECK(belay_failure_text(first) == NULL);
        belay_failure_release(first);
        CHECK(belay_failure_of(task) == failure);
        CHECK_STR(belay_failure_text(failure), "enough");
        belay_release(task);
        return 0;
}

int main(void) {
        for (int alone = 0; alone < 2; alone++)
                CHECK_EQ(belay_run_with(deep, &(bool) { alone }, VIRTUAL), 0);
        RUN_VIRTUAL(all_destroyed);
        keep_lines();
        RUN_VIRTUAL(borrowed);
        return 0;
}
