/* SPDX-License-Identifier: MIT */
/*
 * Costs that must not grow with the number of unrelated tasks: the same work alone, and among a
 * million sleepers. Also how late a timeout or sleep ends among tasks that never stop.
 */
#include "bench.h"

enum { CROWD = 1000000 };

struct work {
        long count;
        double took;
        double (*measure)(long count);
};

static int sleeper(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_HOUR);
}

static int nothing(void *arg) {
        (void) arg;
        return 0;
}

static double cancel_one(long count) {
        double begin = clock_ns();

        for (long i = 0; i < count; i++) {
                belay_task *task = belay_spawn(sleeper, NULL);

                must(belay_yield());
                must(belay_cancel_wait(task, NULL, BELAY_NEVER, NULL));
                belay_release(task);
        }
        return (clock_ns() - begin) / (double) count;
}

static double limit(long count) {
        double begin = clock_ns();

        for (long i = 0; i < count; i++) {
                belay_timeout timeout;

                must(belay_timeout_enter(&timeout, BELAY_MINUTE));
                must(belay_timeout_leave(&timeout, 0));
        }
        return (clock_ns() - begin) / (double) count;
}

static double group_of_one(long count) {
        double begin = clock_ns();

        for (long i = 0; i < count; i++) {
                belay_group group;

                must(belay_group_enter(&group));
                must(belay_group_spawn(&group, nothing, NULL));
                must(belay_group_leave(&group, 0));
        }
        return (clock_ns() - begin) / (double) count;
}

static int alone(void *arg) {
        struct work *work = arg;

        work->took = work->measure(work->count);
        return 0;
}

static int beside_a_crowd(void *arg) {
        struct work *work = arg;

        for (long i = 0; i < CROWD; i++)
                belay_release(belay_spawn(sleeper, NULL));
        must(belay_yield());
        work->measure(1000);
        return alone(arg);
}

static double measure(belay_fn *fn, double (*what)(long count), long count) {
        struct work work = { .count = count, .measure = what };

        run(fn, &work);
        return work.took;
}

static double cancel_alone(long count) {
        return measure(alone, cancel_one, count);
}
static double cancel_beside(long count) {
        (void) count;
        return measure(beside_a_crowd, cancel_one, 200000);
}
static double limit_alone(long count) {
        return measure(alone, limit, count);
}
static double limit_beside(long count) {
        (void) count;
        return measure(beside_a_crowd, limit, 1000000);
}
static double group_alone(long count) {
        return measure(alone, group_of_one, count);
}
static double group_beside(long count) {
        (void) count;
        return measure(beside_a_crowd, group_of_one, 200000);
}

/* ---- lateness ---- */

static bool over;

static int yield_for_ever(void *arg) {
        (void) arg;
        while (!over)
                must(belay_yield());
        return 0;
}

static int check_for_ever(void *arg) {
        belay_timeout timeout;
        double *worst = arg, due, late;

        for (int i = 0; i < 20; i++) {
                int rc;

                must(belay_timeout_enter(&timeout, 5 * BELAY_MILLISECOND));
                due = (double) belay_timeout_when(&timeout);
                do
                        rc = belay_checkpoint();
                while (rc == 0);
                late = clock_ns() - due;
                rc = belay_timeout_leave(&timeout, rc);
                if (rc != -ETIMEDOUT)
                        must(rc < 0 ? rc : -EIO);
                if (late > *worst)
                        *worst = late;
        }
        return 0;
}

static int sleep_beside_yielders(void *arg) {
        double *worst = arg;
        belay_task *tasks[2];

        over = false;
        for (int i = 0; i < 2; i++)
                tasks[i] = belay_spawn(yield_for_ever, NULL);
        for (int i = 0; i < 20; i++) {
                double due = clock_ns() + 5 * BELAY_MILLISECOND, late;

                must(belay_sleep(5 * BELAY_MILLISECOND));
                late = clock_ns() - due;
                if (late > *worst)
                        *worst = late;
        }
        over = true;
        for (int i = 0; i < 2; i++) {
                must(belay_await(tasks[i], NULL));
                belay_release(tasks[i]);
        }
        return 0;
}

static double late_yielders(long count) {
        double worst = 0;

        (void) count;
        run(sleep_beside_yielders, &worst);
        return worst;
}

static double late_checkpoints(long count) {
        double worst = 0;

        (void) count;
        run(check_for_ever, &worst);
        return worst;
}

const struct figure crowd_figures[] = {
        { "late-yielders", "ns",
          "how late at worst a sleep of 5 ms ends beside two that yield without end", late_yielders,
          1 },
        { "late-checkpoints", "ns",
          "how late at worst a timeout of 5 ms ends a loop of checkpoints", late_checkpoints, 1 },
        { "cancel-one", "ns", "a sleeper spawned, cancelled and awaited", cancel_alone, 10000 },
        { "cancel-one-of-1000000", "ns", "the same beside a million sleepers", cancel_beside, 1 },
        { "limit-one", "ns", "a timeout of a minute entered and left", limit_alone, 100000 },
        { "limit-among-1000000", "ns", "the same beside a million sleepers", limit_beside, 1 },
        { "group-of-one", "ns", "a group entered and left with one member", group_alone, 10000 },
        { "group-beside-1000000", "ns", "the same beside a million sleepers", group_beside, 1 },
        { 0 },
};
