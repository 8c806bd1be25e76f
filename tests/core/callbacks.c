/* SPDX-License-Identifier: MIT */
/*
 * Callbacks at the end of a task, in the next turn and after a span. The tests withdraw some of
 * them, and use tickets that have long been stale.
 */
#include "../base/help.h"

static char trace[256];

static void note(void *arg) {
        size_t length = strlen(trace);

        CHECK(belay_self() == NULL);
        CHECK(belay_loop_self() != NULL);
        CHECK(length + 1 < sizeof(trace));
        trace[length] = *(const char *) arg;
        trace[length + 1] = '\0';
}

static void done(belay_task *task, void *arg) {
        CHECK(belay_done(task));
        note(arg);
}

static void other_done(belay_task *task, void *arg) {
        done(task, arg);
}

static int sleeps(void *arg) {
        int rc = belay_sleep(BELAY_SECOND);

        return rc < 0 ? rc : *(int *) arg;
}

static int seven = 7;

static int at_the_end(void *arg) {
        belay_task *task = must(belay_spawn(sleeps, &seven));

        (void) arg;
        trace[0] = '\0';
        CHECK_EQ(belay_on_done(task, done, "a"), 0);
        CHECK_EQ(belay_on_done(task, other_done, "b"), 0);
        CHECK_EQ(belay_on_done(task, done, "c"), 0);
        CHECK_EQ(belay_on_done(task, done, "a"), 0);
        CHECK_EQ(belay_join(task, NULL), 0);
        /* Callbacks run in the order in which they were added, before the later waiter. */
        CHECK_STR(trace, "abca");
        CHECK_EQ(belay_off_done(task, done, "a"), 0);

        /* The task has ended: the callback runs in the next turn, not inside this call. */
        trace[0] = '\0';
        CHECK_EQ(belay_on_done(task, done, "d"), 0);
        CHECK_STR(trace, "");
        /* The callback is already due, so it cannot be withdrawn. */
        CHECK_EQ(belay_off_done(task, done, "d"), 0);
        belay_release(task); /* the callback holds a reference of its own */
        CHECK_EQ(belay_yield(), 0);
        CHECK_STR(trace, "d");
        return 0;
}

static int taken_back(void *arg) {
        belay_task *task = must(belay_spawn(sleeps, &seven));

        (void) arg;
        trace[0] = '\0';
        for (int i = 0; i < 3; i++)
                CHECK_EQ(belay_on_done(task, done, "a"), 0);
        CHECK_EQ(belay_on_done(task, done, "b"), 0);
        CHECK_EQ(belay_on_done(task, other_done, "a"), 0);
        CHECK_EQ(belay_off_done(task, done, "a"), 3);
        CHECK_EQ(belay_off_done(task, done, "a"), 0);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_STR(trace, "ba");
        belay_release(task);
        return 0;
}

static void spawns(belay_task *task, void *arg) {
        belay_task **next = arg;

        CHECK_EQ(belay_result(task), 7);
        *next = must(belay_spawn(sleeps, &seven));
}

/* A callback may start tasks and add callbacks. It is also called if the task ends cancelled. */
static int goes_on(void *arg) {
        belay_task *task = must(belay_spawn(sleeps, &seven)), *next = NULL;

        (void) arg;
        CHECK_EQ(belay_on_done(task, spawns, &next), 0);
        CHECK_EQ(belay_sleep(1500 * BELAY_MILLISECOND), 0);
        CHECK(next != NULL);
        trace[0] = '\0';
        CHECK_EQ(belay_on_done(next, done, "x"), 0);
        belay_cancel(next, NULL);
        CHECK_EQ(belay_join(next, NULL), 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_STR(trace, "x");
        belay_release(next);
        belay_release(task);
        return 0;
}

/* ---- belay_soon() and belay_later() ---- */

static int task_notes(void *arg) {
        size_t length = strlen(trace);

        trace[length] = *(const char *) arg;
        trace[length + 1] = '\0';
        return 0;
}

static int soon(void *arg) {
        belay_ticket first, second;

        (void) arg;
        trace[0] = '\0';
        belay_release(must(belay_spawn(task_notes, "t")));
        first = belay_soon(note, "a");
        second = belay_soon(note, "b");
        belay_release(must(belay_spawn(task_notes, "u")));
        CHECK(first != 0 && second != 0 && first != second);
        CHECK_STR(trace, "");
        CHECK_EQ(belay_yield(), 0);
        /* They run after all that was ready before them, and before all that became ready later. */
        CHECK_STR(trace, "tabu");
        CHECK(!belay_timer_cancel(first));

        trace[0] = '\0';
        first = belay_soon(note, "a");
        second = belay_soon(note, "b");
        CHECK(belay_timer_cancel(first));
        CHECK(!belay_timer_cancel(first));
        CHECK_EQ(belay_yield(), 0);
        CHECK_STR(trace, "b");
        CHECK(!belay_timer_cancel(first) && !belay_timer_cancel(second));
        return 0;
}

static int later(void *arg) {
        belay_ticket tickets[4];

        (void) arg;
        trace[0] = '\0';
        tickets[0] = belay_later(3 * BELAY_SECOND, note, "c");
        tickets[1] = belay_later(1 * BELAY_SECOND, note, "a");
        tickets[2] = belay_later(2 * BELAY_SECOND, note, "b");
        tickets[3] = belay_later(BELAY_NEVER, note, "n");
        for (int i = 0; i < 4; i++)
                CHECK(tickets[i] != 0);
        CHECK_EQ(belay_sleep(1500 * BELAY_MILLISECOND), 0);
        CHECK_STR(trace, "a");
        CHECK(!belay_timer_cancel(tickets[1]));
        CHECK(belay_timer_cancel(tickets[0]));
        CHECK(!belay_timer_cancel(tickets[0]));
        CHECK_EQ(belay_sleep(10 * BELAY_HOUR), 0);
        CHECK_STR(trace, "ab");
        CHECK(belay_timer_cancel(tickets[3]));
        /*
         * A span of 0 and a span in the past: the callback runs in the next turn, not inside this
         * call.
         */
        CHECK(belay_later(0, note, "x") != 0);
        CHECK(belay_later(-BELAY_SECOND, note, "y") != 0);
        CHECK_STR(trace, "ab");
        CHECK_EQ(belay_sleep(1), 0);
        CHECK_STR(trace, strchr(trace, 'x') < strchr(trace, 'y') ? "abxy" : "abyx");
        return 0;
}

/*
 * A span counts from the call, even if the task has computed for long since the loop last read its
 * clock.
 */
static int counts_from_the_call(void *arg) {
        (void) arg;
        trace[0] = '\0';
        CHECK_EQ(belay_advance(BELAY_HOUR), 0);
        CHECK(belay_later(BELAY_SECOND, note, "a") != 0);
        CHECK_EQ(belay_sleep(BELAY_SECOND - 1), 0);
        CHECK_STR(trace, "");
        CHECK_EQ(belay_sleep(2), 0);
        CHECK_STR(trace, "a");
        return 0;
}

/* A stale ticket, whose slot serves another callback by this time, withdraws nothing. */
static int stale(void *arg) {
        belay_ticket old[100], new[100];

        (void) arg;
        for (int round = 0; round < 50; round++) {
                trace[0] = '\0';
                for (int i = 0; i < 100; i++)
                        CHECK((old[i] = i % 2 ? belay_soon(note, "o") : belay_later(1, note, "o"))
                              != 0);
                for (int i = 0; i < 100; i += 3)
                        CHECK(belay_timer_cancel(old[i]));
                CHECK_EQ(belay_sleep(2), 0);
                CHECK_EQ(strlen(trace), 66);
                trace[0] = '\0';
                for (int i = 0; i < 100; i++)
                        CHECK((new[i] = belay_later(i, note, "n")) != 0);
                for (int i = 0; i < 100; i++)
                        CHECK(!belay_timer_cancel(old[i]));
                CHECK_EQ(belay_sleep(200), 0);
                CHECK_EQ(strlen(trace), 100);
                for (int i = 0; i < 100; i++)
                        CHECK(!belay_timer_cancel(new[i]));
        }
        CHECK(!belay_timer_cancel(0));
        CHECK(!belay_timer_cancel(~(belay_ticket) 0));
        CHECK(!belay_timer_cancel(12345));
        return 0;
}

static belay_ticket own_ticket;

static void cancels_itself(void *arg) {
        /* The callback is running, so it is too late to withdraw it. */
        CHECK(!belay_timer_cancel(own_ticket));
        note(arg);
}

static void cancels_another(void *arg) {
        CHECK(belay_timer_cancel(own_ticket));
        note(arg);
}

/* Of two callbacks that are due at the same time, the first can still withdraw the second. */
static int within_callbacks(void *arg) {
        (void) arg;
        trace[0] = '\0';
        own_ticket = belay_later(BELAY_SECOND, cancels_itself, "a");
        CHECK_EQ(belay_sleep(2 * BELAY_SECOND), 0);
        own_ticket = belay_soon(cancels_itself, "b");
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_later(BELAY_SECOND, cancels_another, "c") != 0);
        own_ticket = belay_later(BELAY_SECOND, note, "-");
        CHECK_EQ(belay_sleep(2 * BELAY_SECOND), 0);
        CHECK(belay_soon(cancels_another, "d") != 0);
        own_ticket = belay_soon(note, "-");
        CHECK_EQ(belay_sleep(2 * BELAY_SECOND), 0);
        CHECK_STR(trace, "abcd");
        return 0;
}

static int chain_left;

static void again(void *arg) {
        if (--chain_left > 0)
                CHECK(belay_soon(again, arg) != 0);
        else
                *(belay_ticket *) arg = 1;
}

/* Tasks run between callbacks that each add the next. */
static int chains(void *arg) {
        belay_ticket over = 0;
        int turns = 0;

        (void) arg;
        chain_left = 1000;
        CHECK(belay_soon(again, &over) != 0);
        while (over == 0) {
                CHECK_EQ(belay_yield(), 0);
                turns++;
        }
        CHECK(turns >= 900);
        return 0;
}

static int leaves_some(void *arg) {
        (void) arg;
        trace[0] = '\0';
        CHECK(belay_later(BELAY_HOUR, note, "l") != 0);
        return 0;
}

static void must_not_wait(void *arg) {
        CHECK_EQ(belay_sleep(1), -EPERM);
        CHECK_EQ(belay_yield(), -EPERM);
        CHECK_EQ(belay_checkpoint(), -EPERM);
        CHECK_EQ(belay_sleep_until(1), -EPERM);
        note(arg);
}

static int waits_in_callback(void *arg) {
        (void) arg;
        trace[0] = '\0';
        keep_lines();
        CHECK(belay_soon(must_not_wait, "w") != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_STR(trace, "w");
        CHECK_LINES(4, "outside of a task");
        CHECK_LINES(4, "misuse at " __FILE__);
        belay_set_log(NULL, NULL);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(at_the_end);
        RUN_VIRTUAL(taken_back);
        RUN_VIRTUAL(goes_on);
        RUN_VIRTUAL(soon);
        RUN_VIRTUAL(later);
        RUN_VIRTUAL(counts_from_the_call);
        RUN_VIRTUAL(stale);
        RUN_VIRTUAL(within_callbacks);
        RUN_VIRTUAL(chains);
        RUN_VIRTUAL(waits_in_callback);
        RUN_VIRTUAL(leaves_some);
        CHECK_STR(trace, "");

        keep_lines();
        errno = 0;
        CHECK(belay_soon(note, "a") == 0);
        CHECK_EQ(errno, EPERM);
        errno = 0;
        CHECK(belay_later(1, note, "a") == 0);
        CHECK_EQ(errno, EPERM);
        CHECK_LINES(2, "where no loop runs");
        CHECK(!belay_timer_cancel(1));
        return 0;
}
