/* SPDX-License-Identifier: MIT */
/*
 * Race: the first task to end with a result wins, and no task is left running.
 */
#include "../scope/parts.h"

enum { MANY = 12 };

static struct part parts[MANY];
static belay_task *tasks[MANY];

static void start_all(size_t count) {
        for (size_t i = 0; i < count; i++)
                tasks[i] = start_part(&parts[i]);
}

static void release_all(size_t count) {
        for (size_t i = 0; i < count; i++) {
                CHECK(belay_done(tasks[i]));
                belay_release(tasks[i]);
                parts[i] = (struct part) { 0 };
        }
}

static int wins(void *arg) {
        belay_time begin = belay_now();
        size_t winner = UNWRITTEN;
        int outcome = UNWRITTEN;

        (void) arg;
        keep_lines();
        for (int i = 0; i < MANY; i++)
                parts[i] = (struct part) { .span = SECONDS(20 + i), .clean_up = SECONDS(i) };
        /* A failure and a cancellation do not win. */
        parts[3] = (struct part) { .span = SECONDS(1), .end = -EIO };
        parts[4] = (struct part) { .span = SECONDS(2), .end = -ECANCELED };
        parts[7] = (struct part) { .span = SECONDS(3), .end = 8 };
        start_all(MANY);
        CHECK_EQ(belay_race(tasks, MANY, &winner, &outcome), 0);
        CHECK_EQ(winner, 7);
        CHECK_EQ(outcome, 8);
        /* The losers were cancelled, and the race waited for their ends. */
        CHECK_EQ(belay_now() - begin, SECONDS(3 + MANY - 1));
        for (int i = 0; i < MANY; i++) {
                CHECK_EQ(parts[i].ended, 1);
                if (i != 3 && i != 4 && i != 7)
                        CHECK_EQ(parts[i].origin, BELAY_ORIGIN_RACE);
        }
        release_all(MANY);
        /* A loser that failed before is not logged, even if its failure is not retrieved. */
        CHECK_EQ(kept_count, 0);
        belay_set_log(NULL, NULL);
        CHECK_CLEAN();
        return 0;
}

static int done_already(void *arg) {
        size_t winner = UNWRITTEN;

        (void) arg;
        parts[0] = (struct part) { .span = SECONDS(9) };
        parts[1] = (struct part) { .end = 5 };
        parts[2] = (struct part) { .end = 6 };
        start_all(3);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_race(tasks, 3, &winner, NULL), 0);
        CHECK_EQ(winner, 1);
        CHECK_EQ(parts[0].requests, 1);
        CHECK_EQ(belay_race(tasks, 3, NULL, NULL), 0);
        release_all(3);
        CHECK_CLEAN();
        return 0;
}

static int destroyed[3];

static void destroy(void *value) {
        ++*(int *) value;
}

static int sets_value(void *arg) {
        int i = *(int *) arg;

        CHECK_EQ(belay_set_value(&destroyed[i], destroy), 0);
        while (belay_sleep(SECONDS(i + 1)) == -ECANCELED)
                ;
        return 10 + i;
}

/*
 * Losers that still end with a result. The outcome stays in their handles, and the value is
 * destroyed with the handle.
 */
static int late_results(void *arg) {
        static int numbers[] = { 0, 1, 2 };
        belay_time begin = belay_now();
        size_t winner;
        int outcome;

        (void) arg;
        for (int i = 0; i < 3; i++)
                tasks[i] = must(belay_spawn(sets_value, &numbers[i]));
        CHECK_EQ(belay_race(tasks, 3, &winner, &outcome), 0);
        CHECK_EQ(winner, 0);
        CHECK_EQ(outcome, 10);
        CHECK_EQ(belay_now() - begin, SECONDS(4));
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_result(tasks[i]), 10 + i);
                CHECK(belay_value(tasks[i]) == &destroyed[i]);
                CHECK_EQ(destroyed[i], 0);
        }
        CHECK(belay_take_value(tasks[2]) == &destroyed[2]);
        for (int i = 0; i < 3; i++)
                belay_release(tasks[i]);
        CHECK_EQ(destroyed[0], 1);
        CHECK_EQ(destroyed[1], 1);
        CHECK_EQ(destroyed[2], 0);
        return 0;
}

static int nobody(void *arg) {
        belay_failure *failure;
        size_t winner = UNWRITTEN;
        int outcome = UNWRITTEN;

        (void) arg;
        parts[0] = (struct part) { .span = SECONDS(3), .end = -EIO, .text = "third" };
        parts[1] = (struct part) { .span = SECONDS(1), .end = -EPROTO, .text = "first" };
        parts[2] = (struct part) { .span = SECONDS(2), .end = -ENOENT, .text = "second" };
        start_all(3);
        CHECK_EQ(belay_race(tasks, 3, &winner, &outcome), 0);
        CHECK_EQ(winner, 3);
        CHECK_EQ(outcome, -EPROTO);
        failure = belay_failure_take(-EPROTO);
        CHECK_EQ(belay_failure_count(failure), 3);
        CHECK_BENEATH(failure, 0, -EPROTO, "first");
        CHECK_BENEATH(failure, 1, -ENOENT, "second");
        CHECK_BENEATH(failure, 2, -EIO, "third");
        belay_failure_release(failure);
        release_all(3);

        /* Another task cancels all the tasks. */
        parts[0].span = parts[1].span = SECONDS(9);
        start_all(2);
        cancel_after(SECONDS(1), tasks[0]);
        cancel_after(SECONDS(2), tasks[1]);
        CHECK_EQ(belay_race(tasks, 2, &winner, &outcome), 0);
        CHECK_EQ(winner, 2);
        CHECK_EQ(outcome, -ECANCELED);
        release_all(2);
        CHECK_CLEAN();
        return 0;
}

/*
 * A request before there is a winner ends the race. After that the race has a result, and the
 * request stays pending.
 */
static int cancelled(void *arg) {
        belay_time begin = belay_now();
        size_t winner = UNWRITTEN;
        int outcome = UNWRITTEN;

        (void) arg;
        parts[0] = (struct part) { .span = SECONDS(3), .end = 5 };
        parts[1] = (struct part) { .span = SECONDS(9), .clean_up = SECONDS(4) };
        start_all(2);
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_race(tasks, 2, &winner, &outcome), -ECANCELED);
        CHECK_EQ(belay_now() - begin, SECONDS(5));
        CHECK_EQ(parts[0].requests, 1);
        CHECK_EQ(parts[1].requests, 1);
        CHECK_EQ(winner, UNWRITTEN);
        CHECK_EQ(outcome, UNWRITTEN);
        CHECK_DELIVERED();
        release_all(2);

        parts[0] = (struct part) { .span = SECONDS(3), .end = 5 };
        parts[1] = (struct part) { .span = SECONDS(9), .clean_up = SECONDS(4) };
        start_all(2);
        begin = belay_now();
        cancel_after(SECONDS(4), belay_self());
        CHECK_EQ(belay_race(tasks, 2, &winner, &outcome), 0);
        CHECK_EQ(winner, 0);
        CHECK_EQ(outcome, 5);
        CHECK_EQ(belay_now() - begin, SECONDS(7));
        CHECK_EQ(parts[1].requests, 1);
        CHECK_PENDING();
        release_all(2);
        /*
         * A second request, while the losers clean up, stays pending until the next wait. No loser
         * may be cancelled twice.
         */
        parts[0] = parts[1] = (struct part) { .span = SECONDS(9), .clean_up = SECONDS(4) };
        start_all(2);
        cancel_after(SECONDS(1), belay_self());
        cancel_after(SECONDS(2), belay_self());
        CHECK_EQ(belay_race(tasks, 2, &winner, &outcome), -ECANCELED);
        CHECK_EQ(parts[0].requests + parts[1].requests, 2);
        CHECK_EQ(belay_cancelling(belay_self()), 2);
        CHECK_EQ(belay_uncancel(belay_self()), 1);
        CHECK_PENDING();
        release_all(2);
        return 0;
}

static int limited(void *arg) {
        belay_timeout limit;

        (void) arg;
        parts[0] = parts[1] = (struct part) { .span = SECONDS(9) };
        start_all(2);
        belay_timeout_enter(&limit, SECONDS(1));
        CHECK_EQ(belay_timeout_leave(&limit, belay_race(tasks, 2, NULL, NULL)), -ETIMEDOUT);
        CHECK_EQ(parts[0].requests + parts[1].requests, 2);
        release_all(2);
        CHECK_CLEAN();
        return 0;
}

static int doubled(void *arg) {
        belay_task *twice[4];
        size_t winner = UNWRITTEN;

        (void) arg;
        parts[0] = (struct part) { .span = SECONDS(9) };
        parts[1] = (struct part) { .span = SECONDS(1) };
        start_all(2);
        twice[0] = twice[1] = tasks[0];
        twice[2] = twice[3] = tasks[1];
        CHECK_EQ(belay_race(twice, 4, &winner, NULL), 0);
        CHECK_EQ(winner, 2);
        CHECK_EQ(parts[0].requests, 1);
        release_all(2);
        return 0;
}

static void in_callback(void *arg) {
        (void) arg;
        CHECK_EQ(belay_race(tasks, 1, NULL, NULL), -EPERM);
}

static int wrong(void *arg) {
        belay_task *with_self[2];

        (void) arg;
        keep_lines();
        parts[0] = (struct part) { .span = SECONDS(1) };
        start_all(1);
        with_self[0] = tasks[0];
        with_self[1] = belay_self();
        CHECK_EQ(belay_race(with_self, 2, NULL, NULL), -EDEADLK);
        CHECK_EQ(belay_race(tasks, 0, NULL, NULL), -EINVAL);
        CHECK(belay_soon(in_callback, NULL) != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_LINES(3, "misuse at " __FILE__);
        belay_set_log(NULL, NULL);
        with_self[1] = NULL;
        CHECK_EQ(belay_race(with_self, 2, NULL, NULL), -ENOMEM);
        CHECK_EQ(belay_join(tasks[0], NULL), 0);
        CHECK_EQ(parts[0].requests, 0);
        release_all(1);
        CHECK_CLEAN();
        return 0;
}

int main(void) {
        RUN_VIRTUAL(wins);
        RUN_VIRTUAL(done_already);
        RUN_VIRTUAL(late_results);
        RUN_VIRTUAL(nobody);
        RUN_VIRTUAL(cancelled);
        RUN_VIRTUAL(limited);
        RUN_VIRTUAL(doubled);
        RUN_VIRTUAL(wrong);
        return 0;
}
