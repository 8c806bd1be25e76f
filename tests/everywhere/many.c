/* SPDX-License-Identifier: MIT */
/*
 * Tests gather, wait, race and as-completed with each wait cancelled. Each value that a task made
 * must be taken or destroyed exactly once. A task that a call waits for must have ended when the
 * call returns.
 */
#include "everywhere/everywhere.h"

enum { TASKS = 4 };

static int alive, values, destroyed;
static belay_task *tasks[TASKS];

static void reset(void *arg) {
        (void) arg;
        alive = values = destroyed = 0;
}

static int check(void *arg, int outcome) {
        (void) arg;
        if (alive != 0)
                return 1;
        if (values != destroyed)
                return 2;
        return outcome >= 0 || is_cancelled(outcome) ? 0 : 3;
}

static void destroy_value(void *value) {
        CHECK(value == &values);
        destroyed++;
}

/* Takes as many seconds as its argument says, and fails if these are 3. Its cleanup waits, too. */
static int worker(void *arg) {
        int seconds = *(int *) arg;
        int rc = belay_sleep(seconds * BELAY_SECOND);

        alive++;
        if (rc == 0)
                rc = belay_yield();
        values++;
        CHECK_EQ(belay_set_value(&values, destroy_value), 0);
        if (rc == -ECANCELED)
                (void) !belay_sleep(BELAY_MILLISECOND);
        else if (seconds == 3)
                rc = belay_fail(-EPROTO, "it takes three seconds");
        alive--;
        return rc < 0 ? rc : seconds;
}

static void start(const int seconds[]) {
        for (int i = 0; i < TASKS; i++) {
                tasks[i] = belay_spawn(worker, (void *) &seconds[i]);
                CHECK(tasks[i] != NULL);
        }
}

/*
 * Cancels the tasks that are left and retrieves the failures. If a request arrived while the last
 * task ended, belay_yield() delivers it.
 */
static int stop(int rc) {
        for (int i = 0; i < TASKS; i++) {
                CHECK_EQ(belay_cancel_wait(tasks[i], "not needed any more", BELAY_NEVER, NULL), 0);
                (void) !belay_result(tasks[i]);
                belay_release(tasks[i]);
        }
        CHECK_EQ(alive, 0);
        return rc >= 0 ? belay_yield() : rc;
}

static const int good[TASKS] = { 1, 2, 1, 4 }, bad[TASKS] = { 1, 4, 3, 2 },
                 at_once[TASKS] = { 0, 1, 1, 0 };

static int all_done(void) {
        for (int i = 0; i < TASKS; i++)
                if (!belay_done(tasks[i]))
                        return 0;
        return 1;
}

/* ---- gather ---- */

static int gathers(void *arg) {
        int rc, outcome = 0;

        start(arg);
        rc = belay_gather(tasks, TASKS, &outcome);
        if (rc == 0 && outcome == 0)
                CHECK(all_done());
        if (rc == 0 && outcome < 0) {
                belay_failure *failure = belay_failure_take(outcome);

                CHECK_EQ(belay_failure_code(failure), outcome);
                belay_failure_release(failure);
        }
        return stop(rc);
}

static int collects(void *arg) {
        int rc;

        start(arg);
        rc = belay_gather_collect(tasks, TASKS);
        /* All have ended, even if the call was cancelled. */
        CHECK(all_done());
        return stop(rc);
}

/* ---- wait ---- */

static int waits(void *arg) {
        int rc;

        start(arg);
        rc = belay_wait(tasks, TASKS, BELAY_WAIT_FIRST, BELAY_NEVER);
        if (rc >= 0)
                CHECK(rc >= 1);
        if (rc >= 0)
                rc = belay_wait(tasks, TASKS, BELAY_WAIT_FIRST_ERROR, 10 * BELAY_SECOND);
        if (rc >= 0)
                rc = belay_wait(tasks, TASKS, BELAY_WAIT_ALL, BELAY_SECOND / 2);
        if (rc >= 0)
                rc = belay_wait(tasks, TASKS, BELAY_WAIT_ALL, BELAY_NEVER);
        if (rc >= 0)
                CHECK(rc == TASKS && all_done());
        if (rc < 0) {
                belay_time before = belay_now();

                /* A cancelled wait must remove its timer. The timer would end this sleep early. */
                if (belay_sleep(20 * BELAY_SECOND) == 0)
                        CHECK_EQ(belay_now() - before, 20 * BELAY_SECOND);
        }
        return stop(rc);
}

/* ---- race ---- */

static int race(void) {
        size_t winner = TASKS + 1;
        int rc, outcome = -1, given;

        rc = belay_race(tasks, TASKS, &winner, &outcome);
        /* All tasks must have ended, no matter which task won or whether the call was cancelled. */
        CHECK(all_done() && alive == 0);
        if (rc == 0 && winner < TASKS) {
                CHECK_EQ(belay_result(tasks[winner]), outcome);
                CHECK(outcome >= 0);
                given = belay_take_value(tasks[winner]) == &values;
                CHECK(given);
                destroyed++;
        } else if (rc == 0) {
                CHECK(winner == TASKS && outcome < 0);
        }
        return stop(rc);
}

static int races(void *arg) {
        start(arg);
        return race();
}

/*
 * One task has a result before the race begins, and the others need time to end. A request that
 * arrives meanwhile must stay pending until the race returns.
 */
static int is_late(void *arg) {
        int rc;

        start(arg);
        rc = belay_sleep(BELAY_SECOND / 2);
        if (rc < 0)
                return stop(rc);
        return race();
}

/* ---- as completed ---- */

static int each_in_turn(void *arg) {
        belay_as_completed each;
        belay_task *task;
        int rc, given = 0;

        start(arg);
        CHECK_EQ(belay_as_completed_begin(&each, tasks, TASKS, BELAY_MINUTE), 0);
        while ((rc = belay_as_completed_next(&each, &task)) != 0) {
                if (rc == -ECANCELED)
                        break;
                CHECK_EQ(rc, 1);
                CHECK(belay_done(task));
                (void) !belay_result(task);
                /* The caller may wait between two tasks. */
                if (++given == 2 && (rc = belay_sleep(BELAY_SECOND)) < 0)
                        break;
        }
        if (rc == 0)
                CHECK(given == TASKS);
        /* A cancellation must not lose a task: the remaining ones are still available. */
        while (rc == -ECANCELED && given < TASKS && belay_as_completed_next(&each, &task) == 1)
                given++;
        belay_as_completed_end(&each);
        return stop(rc);
}

/* ---- one kind of wait within another ---- */

static int inner(void *arg) {
        belay_task *pair[2] = { belay_spawn(worker, arg), belay_spawn(worker, (int *) arg + 1) };
        size_t winner;
        int rc = belay_race(pair, 2, &winner, NULL);

        CHECK(belay_done(pair[0]) && belay_done(pair[1]));
        belay_release(pair[0]);
        belay_release(pair[1]);
        return rc;
}

static int nested(void *arg) {
        int rc;

        (void) arg;
        for (int i = 0; i < TASKS; i++)
                tasks[i] = belay_spawn(inner, (void *) &good[i % 2]);
        rc = belay_gather(tasks, TASKS, NULL);
        return stop(rc);
}

int main(void) {
        belay_fn *const programs[] = { gathers, collects, waits, races, each_in_turn };
        const char *const names[] = { "gathers", "collects", "waits", "races", "each_in_turn" };

        for (size_t i = 0; i < 5; i++) {
                everywhere(&(struct program) { names[i], programs[i], (void *) good, reset, check,
                                               4 });
                everywhere(
                        &(struct program) { names[i], programs[i], (void *) bad, reset, check, 4 });
                everywhere(&(struct program) { names[i], programs[i], (void *) at_once, reset,
                                               check, 4 });
        }
        EVERYWHERE(is_late, (void *) at_once, reset, check, 6);
        EVERYWHERE(nested, NULL, reset, check, 15);
        return 0;
}
