/* SPDX-License-Identifier: MIT */
/*
 * Requests that come back to their first task, because tasks await each other in a circle. If no
 * other event can end the circle, the request ends it. If another event can, the request stays
 * pending.
 */
#include "../base/help.h"

static belay_task *tasks[3];
static int verdicts[2];
static int lines[2];

/* Awaits the other task. */
static int awaits_other(void *arg) {
        int self = *(int *) arg;

        lines[self] = __LINE__ + 1;
        verdicts[self] = belay_await(tasks[1 - self], NULL);
        return verdicts[self];
}

/* Waits for the other task and for a sleeper. */
static int gathers(void *arg) {
        belay_task *all[] = { tasks[1], tasks[2] };
        int outcomes[2] = { 99, 99 };

        (void) arg;
        lines[0] = __LINE__ + 1;
        verdicts[0] = belay_gather(all, 2, outcomes);
        return verdicts[0];
}

static int gathers_from_outside(void *arg) {
        belay_task *all[] = { tasks[1], tasks[2] };

        (void) arg;
        return belay_gather(all, 2, NULL);
}

static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(10 * BELAY_SECOND) == -ECANCELED ? 5 : 0;
}

static belay_task *named(belay_fn *fn, void *arg, const char *name) {
        return must(belay_spawn_with(fn, arg, BELAY_OPTIONS(belay_spawn_options, .name = name)));
}

static void check_report(const char *name, int at) {
        char text[200];

        snprintf(text, sizeof(text),
                 "tasks wait for each other in a circle: a cancellation came back to %s, "
                 "which waits at %s:%d",
                 name, __FILE__, at);
        CHECK_LINES(1, "in a circle");
        CHECK_LINES(1, text);
}

static void release(int count) {
        for (int i = 0; i < count; i++)
                belay_release(tasks[i]);
        belay_set_log(NULL, NULL);
}

/* No other event can end this circle, so the request is delivered to its first task. */
static int closed(void *arg) {
        static int numbers[] = { 0, 1 };

        (void) arg;
        verdicts[0] = verdicts[1] = 99;
        tasks[0] = named(awaits_other, &numbers[0], "anna");
        tasks[1] = named(awaits_other, &numbers[1], "otto");
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        keep_lines();
        CHECK(belay_cancel(tasks[0], "enough"));
        check_report("anna", lines[0]);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(verdicts[0], -ECANCELED);
        CHECK(belay_cancelled(tasks[0]) && belay_done(tasks[1]));
        release(2);
        return 0;
}

/* The end of the sleeper may end this circle, so all tasks go on waiting. */
static int not_closed(void *arg) {
        static int number = 1;

        (void) arg;
        verdicts[0] = verdicts[1] = 99;
        tasks[0] = named(gathers, NULL, "anna");
        tasks[1] = named(awaits_other, &number, "otto");
        tasks[2] = named(sleeps, NULL, "sleeper");
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        keep_lines();
        CHECK(belay_cancel(tasks[0], "enough"));
        check_report("anna", lines[0]);
        CHECK_EQ(belay_sleep(20 * BELAY_SECOND), 0);
        CHECK_EQ(belay_result(tasks[2]), 0);
        CHECK(!belay_done(tasks[0]) && !belay_done(tasks[1]));
        /* The request that came back counts once more, as in asyncio. */
        CHECK_EQ(belay_cancelling(tasks[0]), 2);
        /* The sleeper has ended, so now nothing else can end the circle. */
        keep_lines();
        CHECK(belay_cancel(tasks[1], NULL));
        check_report("otto", lines[1]);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(verdicts[1], -ECANCELED);
        CHECK(belay_done(tasks[0]) && belay_cancelled(tasks[1]));
        release(3);
        return 0;
}

/* Waits for a future and for the other task. */
static int gathers_future(void *arg) {
        belay_task *all[] = { tasks[2], tasks[0] };

        (void) arg;
        verdicts[1] = belay_gather(all, 2, NULL);
        return verdicts[1];
}

/*
 * The request cancels the future, which ends the wait of the second task, before it comes back to
 * the first one. So the circle is broken already, and the request stays pending.
 */
static int broken_meanwhile(void *arg) {
        static int number = 0;

        (void) arg;
        verdicts[0] = verdicts[1] = 99;
        tasks[0] = named(awaits_other, &number, "anna");
        tasks[1] = named(gathers_future, NULL, "otto");
        tasks[2] = must(belay_future_new());
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        keep_lines();
        CHECK(belay_cancel(tasks[0], "enough"));
        check_report("anna", lines[0]);
        CHECK(!belay_done(tasks[0]));
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        /* Its await returns what the second task returned. */
        CHECK_EQ(verdicts[0], 0);
        CHECK(belay_done(tasks[0]) && belay_done(tasks[1]));
        release(3);
        return 0;
}

/* The request enters a closed circle from a task that awaits others, too. */
static int entered(void *arg) {
        static int numbers[] = { 0, 1 };
        belay_task *outside;

        (void) arg;
        verdicts[0] = verdicts[1] = 99;
        tasks[0] = named(awaits_other, &numbers[0], "anna");
        tasks[1] = named(awaits_other, &numbers[1], "otto");
        tasks[2] = named(sleeps, NULL, "sleeper");
        outside = named(gathers_from_outside, NULL, "outside");
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        keep_lines();
        CHECK(belay_cancel(outside, NULL));
        check_report("otto", lines[1]);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(verdicts[1], -ECANCELED);
        CHECK(belay_done(tasks[0]) && belay_cancelled(tasks[1]));
        belay_release(outside);
        release(3);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(closed);
        RUN_VIRTUAL(entered);
        RUN_VIRTUAL(broken_meanwhile);
        RUN_VIRTUAL(not_closed);
        return 0;
}
