/* SPDX-License-Identifier: MIT */
/*
 * 100000 tasks await each other, and the last one of the chain is cancelled. Forwarding the
 * request, the way back and the release must not take stack in proportion to the length.
 */
#include "../base/help.h"

static int length = 100000;
static int ended;

static int link_of(void *arg) {
        belay_task *next = *(belay_task **) arg;
        int rc = next != NULL ? belay_await(next, NULL) : belay_sleep(BELAY_HOUR);

        ended++;
        return rc;
}

static int chain(void *arg) {
        belay_task **tasks = calloc((size_t) length + 1, sizeof(*tasks));
        belay_failure *failure;
        int outcome;

        (void) arg;
        CHECK(tasks != NULL);
        ended = 0;
        for (int i = 1; i <= length; i++)
                tasks[i] = must(belay_spawn(link_of, &tasks[i - 1]));
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(ended, 0);
        CHECK(belay_cancel(tasks[length], "all of you"));
        CHECK_EQ(belay_await(tasks[length], &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK_EQ(ended, length);
        failure = belay_failure_take(-ECANCELED);
        CHECK_STR(belay_failure_text(failure), "all of you");
        belay_failure_release(failure);
        for (int i = 1; i <= length; i++) {
                CHECK_EQ(belay_cancelling(tasks[i]), 1);
                CHECK(belay_cancelled(tasks[i]));
                belay_release(tasks[i]);
        }
        CHECK_EQ(belay_loop_count(belay_loop_self()), 1);
        free(tasks);
        return 0;
}

/*
 * The same, but the only handle of each task belongs to the task that awaits it. Each end releases
 * the next task.
 */
struct owner {
        belay_task *next;
};

static int owns_next(void *arg) {
        struct owner *owner = arg;
        int rc = owner->next != NULL ? belay_await(owner->next, NULL) : belay_sleep(BELAY_HOUR);

        ended++;
        return rc;
}

static void release_next(void *arg) {
        struct owner *owner = arg;

        belay_release(owner->next);
        free(owner);
}

static belay_task *owning_chain(void) {
        belay_task *task = NULL;

        ended = 0;
        for (int i = 0; i < length; i++) {
                struct owner *owner = calloc(1, sizeof(*owner));

                CHECK(owner != NULL);
                owner->next = task;
                task = must(belay_spawn_with(
                        owns_next, owner,
                        BELAY_OPTIONS(belay_spawn_options, .destroy = release_next)));
        }
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        return task;
}

static int released(void *arg) {
        belay_task *task = owning_chain();

        (void) arg;
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, NULL), 0);
        CHECK_EQ(ended, length);
        belay_release(task);
        return 0;
}

/*
 * The shutdown cancels every task of the chain, and each request is forwarded down the chain. The
 * chain is shorter, since the time grows with the square of its length.
 */
static int left_to_the_loop(void *arg) {
        (void) arg;
        if (length > 5000)
                length = 5000;
        belay_release(owning_chain());
        return 0;
}

static int in_the_middle(void *arg) {
        belay_task **tasks;
        int half;

        (void) arg;
        if (length > 20000)
                length = 20000;
        half = length / 2;
        tasks = calloc((size_t) length + 1, sizeof(*tasks));
        CHECK(tasks != NULL);
        ended = 0;
        for (int i = 1; i <= length; i++)
                tasks[i] = must(belay_spawn(link_of, &tasks[i - 1]));
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        /*
         * The task in the middle is cancelled. The tasks above it succeed, and the tasks beneath it
         * are cancelled.
         */
        CHECK(belay_cancel(tasks[half], NULL));
        CHECK_EQ(belay_await(tasks[length], NULL), 0);
        CHECK_EQ(belay_result(tasks[length]), 0);
        CHECK_EQ(belay_result(tasks[half + 1]), 0);
        CHECK_EQ(belay_result(tasks[half]), -ECANCELED);
        CHECK_EQ(belay_result(tasks[1]), -ECANCELED);
        for (int i = 1; i <= length; i++)
                belay_release(tasks[i]);
        free(tasks);
        return 0;
}

int main(void) {
        if (is_checked())
                length = 3000;
        RUN_VIRTUAL(chain);
        RUN_VIRTUAL(released);
        RUN_VIRTUAL(in_the_middle);
        RUN_VIRTUAL(left_to_the_loop);
        CHECK_EQ(ended, length);
        return 0;
}
