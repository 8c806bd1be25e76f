/* SPDX-License-Identifier: MIT */
/*
 * The reason of a request travels as asyncio's message does, and is lost where asyncio loses it.
 */
#include "../base/help.h"

/* Compares the text of the calling task's latest failure. */
static void check_left(const char *expected, int line) {
        belay_failure *failure = belay_failure_take(-ECANCELED);
        const char *text = belay_failure_text(failure);

        CHECK_EQ(belay_failure_code(failure), -ECANCELED);
        if (text != expected && (text == NULL || expected == NULL || strcmp(text, expected) != 0)) {
                fprintf(stderr, "%s:%d: failed: the reason is %s, not %s\n", __FILE__, line,
                        text != NULL ? text : "NULL", expected != NULL ? expected : "NULL");
                CHECK_END(1);
        }
        belay_failure_release(failure);
}

#define CHECK_LEFT(expected) check_left(expected, __LINE__)

static int delivered(void *arg) {
        belay_task *self = belay_self();
        char reason[] = "copied";

        (void) arg;
        belay_cancel(self, reason);
        reason[0] = 'X';
        CHECK_EQ(belay_yield(), -ECANCELED);
        CHECK_LEFT("copied");
        CHECK_LEFT(NULL); /* taken by the line above */
        belay_cancel(self, NULL);
        CHECK_EQ(belay_sleep(1), -ECANCELED);
        CHECK_LEFT(NULL);
        /* Of several requests that are pending at the next wait, the last one's reason counts. */
        belay_cancel(self, "first");
        belay_cancel(self, "second");
        CHECK_EQ(belay_sleep(1), -ECANCELED);
        CHECK_LEFT("second");
        belay_cancel(self, "first");
        belay_cancel(self, NULL);
        CHECK_EQ(belay_sleep(1), -ECANCELED);
        CHECK_LEFT(NULL);
        return 0;
}

static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_HOUR);
}

static int yields(void *arg) {
        int rc;

        (void) arg;
        while ((rc = belay_yield()) == 0)
                ;
        return rc;
}

static int sleeps_and_looks(void *arg) {
        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        CHECK_LEFT("first");
        return 0;
}

static int loses_it(void *arg) {
        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        CHECK_LEFT("lost");
        return -ECANCELED;
}

static int awaits(void *arg) {
        return belay_await(arg, NULL);
}

static int through_tasks(void *arg) {
        belay_task *inner, *outer, *task;

        (void) arg;
        /*
         * A task that a request has woken keeps the reason of that request, even if another request
         * comes before it runs.
         */
        task = must(belay_spawn(sleeps_and_looks, NULL));
        CHECK_EQ(belay_yield(), 0);
        belay_cancel(task, "first");
        belay_cancel(task, "second");
        CHECK_EQ(belay_join(task, NULL), 0);
        belay_release(task);

        /*
         * In a chain of awaits the reason travels to the innermost task, and back to the task that
         * was cancelled first and its caller.
         */
        inner = must(belay_spawn(sleeps, NULL));
        task = must(belay_spawn(awaits, inner));
        outer = must(belay_spawn(awaits, task));
        CHECK_EQ(belay_yield(), 0);
        belay_cancel(outer, "enough");
        CHECK_EQ(belay_await(outer, NULL), 0);
        CHECK(belay_cancelled(inner) && belay_cancelled(task) && belay_cancelled(outer));
        CHECK_LEFT("enough");
        belay_release(inner);
        belay_release(task);
        belay_release(outer);

        /*
         * The reason is handed out once. asyncio hands out its exception once, and the next await
         * gets one without a message.
         */
        task = must(belay_spawn(sleeps, NULL));
        CHECK_EQ(belay_yield(), 0);
        belay_cancel(task, "once");
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_LEFT("once");
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_LEFT(NULL);
        belay_release(task);

        /* The same holds for a request that was pending until the next wait. */
        task = must(belay_spawn(yields, NULL));
        CHECK_EQ(belay_yield(), 0);
        belay_cancel(task, "once");
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_LEFT("once");
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_LEFT(NULL);
        belay_release(task);

        /*
         * The return of the task's function decides: a task that has taken its failure returns no
         * reason.
         */
        task = must(belay_spawn(loses_it, NULL));
        CHECK_EQ(belay_yield(), 0);
        belay_cancel(task, "lost");
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_LEFT(NULL);
        belay_release(task);

        /* A shield does not pass the reason to its caller. */
        task = must(belay_spawn(sleeps, NULL));
        CHECK_EQ(belay_yield(), 0);
        belay_cancel(task, "hidden");
        CHECK_EQ(belay_shield(task, NULL), 0);
        CHECK_LEFT(NULL);
        belay_release(task);

        /* A task that is cancelled before its first step, and a future. */
        task = must(belay_spawn(sleeps, NULL));
        belay_cancel(task, "never");
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_LEFT("never");
        belay_release(task);
        task = must(belay_future_new());
        belay_cancel(task, "gone");
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_LEFT("gone");
        belay_release(task);
        return 0;
}

static int gives_a_reason(void *arg) {
        (void) arg;
        return belay_fail(-ECANCELED, "by %s", "myself");
}

static int waits_no_more(void *arg) {
        (void) arg;
        belay_cancel(belay_self(), "too late");
        return 3;
}

static int at_the_end(void *arg) {
        belay_task *task = must(belay_spawn(sleeps, NULL));

        (void) arg;
        CHECK_EQ(belay_yield(), 0);
        belay_cancel(task, "enough");
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_failure_of(task) != NULL);
        CHECK_EQ(belay_failure_code(belay_failure_of(task)), -ECANCELED);
        CHECK_STR(belay_failure_text(belay_failure_of(task)), "enough");
        belay_release(task);

        /* The body's own reason. */
        task = must(belay_spawn(gives_a_reason, NULL));
        CHECK_EQ(belay_yield(), 0);
        CHECK_STR(belay_failure_text(belay_failure_of(task)), "by myself");
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_LEFT("by myself");
        belay_release(task);

        task = must(belay_spawn(waits_no_more, NULL));
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_failure_of(task) != NULL);
        CHECK_STR(belay_failure_text(belay_failure_of(task)), "too late");
        belay_release(task);

        task = must(belay_spawn(sleeps, NULL));
        CHECK_EQ(belay_yield(), 0);
        belay_cancel(task, NULL);
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_failure_of(task) == NULL);
        belay_release(task);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(delivered);
        RUN_VIRTUAL(through_tasks);
        RUN_VIRTUAL(at_the_end);
        return 0;
}
