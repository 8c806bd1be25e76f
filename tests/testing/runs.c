/* SPDX-License-Identifier: MIT */
/*
 * Tests that belay_everywhere() makes exactly the runs that its documentation describes, and that
 * it reports no complaint about correct programs.
 */
#include <belay.h>
#include <fcntl.h>

#include "check.h"
#include "testing/lines.h"

static unsigned waits, runs, untested, resets, checks, calls;

static void note_reset(void *arg) {
        (void) arg;
        /* Each run must call reset, fn and check in this order. */
        CHECK_EQ(resets, calls);
        CHECK_EQ(resets, checks);
        resets++;
}

static int note_check(void *arg, int outcome) {
        (void) arg;
        (void) outcome;
        checks++;
        CHECK_EQ(checks, calls);
        CHECK(belay_loop_self() == NULL);
        return 0;
}

static int everywhere(belay_fn *fn, void *arg, bool all_tasks) {
        keep_lines();
        waits = runs = resets = checks = calls = 0;
        return belay_everywhere(fn, arg,
                                BELAY_OPTIONS(belay_everywhere_options, .main_only = !all_tasks,
                                              .waits = &waits, .runs = &runs, .untested = &untested,
                                              .reset = note_reset, .check = note_check));
}

/* ---- the number of runs ---- */

static int no_wait(void *arg) {
        (void) arg;
        calls++;
        /*
         * belay_checkpoint() does not wait if it has no reason to, so it is no wait that could be
         * cancelled.
         */
        return belay_checkpoint();
}

static int child(void *arg) {
        (void) arg;
        for (int i = 0; i < 3; i++) {
                int rc = belay_sleep(BELAY_SECOND);

                if (rc < 0)
                        return rc;
        }
        return 0;
}

static int three_kinds(void *arg) {
        belay_task *task = belay_spawn(child, arg);
        int rc = belay_yield();

        calls++;
        if (rc == 0)
                rc = belay_sleep(BELAY_HOUR);
        if (rc == 0)
                rc = belay_sleep(0);
        /* The task has ended by this time, so this is no wait. */
        if (rc == 0)
                rc = belay_join(task, NULL);
        belay_release(task);
        return rc;
}

static void test_counts(void) {
        CHECK_EQ(everywhere(no_wait, NULL, false), 0);
        CHECK(waits == 0 && runs == 1 && resets == 1 && checks == 1);

        CHECK_EQ(everywhere(three_kinds, NULL, false), 0);
        CHECK(waits == 3 && untested == 3);
        CHECK(runs == 10 && calls == 10 && resets == 10 && checks == 10);
        CHECK_LINES(lines_with("everywhere: 3 waits of other tasks than main were not cancelled "
                               "(.main_only)\n")
                    == 1);

        CHECK_EQ(everywhere(three_kinds, NULL, true), 0);
        CHECK(waits == 6 && untested == 0);
        CHECK(runs == 19 && calls == 19 && resets == 19 && checks == 19);
        CHECK_LINES(lines.length == 0);
        /* Options may be NULL. Then all waits of all tasks are cancelled. */
        calls = 0;
        CHECK_EQ(belay_everywhere(three_kinds, NULL, NULL), 0);
        CHECK_EQ(calls, 19);
        CHECK_LINES(lines.length == 0);
}

/* ---- the three kinds of runs ---- */

static struct seen {
        int first, second, outcome;
        belay_origin_kind kind;
        char reason[64], again[64];
        bool limited;
        belay_time when;
} seen[8];
static unsigned run_number;

static void copy_reason(char *to, size_t size) {
        belay_failure *failure = belay_failure_take(-ECANCELED);
        const char *text = belay_failure_text(failure);

        snprintf(to, size, "%s", text != NULL ? text : "");
        belay_failure_release(failure);
}

/* Two waits, and a third in the cleanup. */
static int observed(void *arg) {
        struct seen *now = &seen[run_number];
        belay_origin origin = { .size = sizeof(origin) };
        int rc = belay_sleep(BELAY_MINUTE);

        (void) arg;
        now->limited = belay_deadline() != BELAY_NEVER;
        if (rc == 0)
                rc = belay_sleep(BELAY_MINUTE);
        now->first = rc;
        now->when = belay_now();
        if (rc < 0) {
                copy_reason(now->reason, sizeof(now->reason));
                belay_origin_of(belay_self(), &origin);
                now->kind = origin.kind;
                if (origin.kind == BELAY_ORIGIN_TEST)
                        CHECK_STR(origin.place, "belay_everywhere()");
                now->second = belay_sleep(BELAY_SECOND);
                if (now->second < 0)
                        copy_reason(now->again, sizeof(now->again));
        }
        return rc;
}

static int note_outcome(void *arg, int outcome) {
        (void) arg;
        seen[run_number++].outcome = outcome;
        return 0;
}

static void test_kinds(void) {
        CHECK_EQ(belay_everywhere(observed, NULL,
                                  BELAY_OPTIONS(belay_everywhere_options, .check = note_outcome)),
                 0);
        CHECK_EQ(run_number, 7);
        CHECK(seen[0].first == 0 && seen[0].outcome == 0);
        for (int i = 1; i <= 6; i++) {
                const struct seen *run = &seen[i];
                bool by_limit = (i - 1) % 3 == 1, twice = (i - 1) % 3 == 2;

                CHECK_EQ(run->first, -ECANCELED);
                /* The wait ends before the virtual clock moves. */
                CHECK_EQ(run->when, i <= 3 ? 0 : BELAY_MINUTE);
                CHECK_EQ(run->outcome, by_limit ? -ETIMEDOUT : -ECANCELED);
                CHECK_EQ(run->kind, by_limit ? BELAY_ORIGIN_TIMEOUT : BELAY_ORIGIN_TEST);
                CHECK_STR(run->reason, by_limit ? ""
                                       : twice  ? "cancelled everywhere, late"
                                                : "cancelled everywhere");
                CHECK_EQ(run->second, twice ? -ECANCELED : 0);
                CHECK_STR(run->again, twice ? "cancelled everywhere again" : "");
        }
}

/* ---- the second request waits for the delivery of the first ---- */

static int in_region, after_region, in_clean_up;

static int shielded(void *arg) {
        belay_shield_scope region;
        int rc;

        (void) arg;
        belay_shield_enter(&region, BELAY_NEVER);
        rc = belay_sleep(BELAY_SECOND);
        if (rc == 0)
                rc = belay_sleep(BELAY_SECOND);
        in_region += rc == -ECANCELED;
        rc = belay_shield_leave(&region, rc);
        if (rc == 0)
                rc = belay_sleep(BELAY_SECOND);
        after_region += rc == -ECANCELED;
        if (rc < 0)
                in_clean_up += belay_yield() == -ECANCELED;
        return rc;
}

static void test_held_back(void) {
        CHECK_EQ(belay_everywhere(shielded, NULL,
                                  BELAY_OPTIONS(belay_everywhere_options, .waits = &waits)),
                 0);
        CHECK_EQ(waits, 3);
        CHECK_EQ(in_region, 0);
        CHECK_EQ(after_region, 9);
        CHECK_EQ(in_clean_up, 3);
}

/* ---- correct programs without complaints ---- */

/*
 * The first run makes things that the program keeps. The first cancelled run opens another
 * descriptor that it keeps. Neither may count as lost.
 */
static int makes_things_once(void *arg) {
        static belay_queue *kept;
        static int fd = -1, spare = -1;
        int rc;

        (void) arg;
        calls++;
        if (kept == NULL) {
                kept = belay_queue_new(0);
                fd = open("/dev/null", O_RDONLY);
        }
        CHECK_EQ(belay_queue_try_put(kept, &fd), 0);
        rc = belay_sleep(BELAY_SECOND);
        if (rc < 0 && spare < 0)
                spare = open("/dev/null", O_RDONLY);
        return rc;
}

static void test_first_use(void) {
        CHECK_EQ(everywhere(makes_things_once, NULL, false), 0);
        CHECK_LINES(lines.length == 0);
        CHECK_EQ(waits, 1);
        /*
         * Two runs are repeated: the undisturbed one and the first cancelled one. If the queue
         * grows, more runs are repeated.
         */
        CHECK(runs >= 6 && runs <= 8);
}

/*
 * A run leaves items behind, and reset frees them. Their number differs from run to run and must
 * not count as lost.
 */
static belay_queue *filled;

static void empty_it(void *arg) {
        (void) arg;
        CHECK_EQ(belay_queue_free(filled), 0);
        filled = belay_queue_new(0);
        CHECK(filled != NULL);
}

static int fills_it(void *arg) {
        (void) arg;
        for (int i = 0; i < 40; i++) {
                int rc = belay_queue_put(filled, belay_failure_ref(NULL));

                if (rc == 0 && i % 10 == 9)
                        rc = belay_sleep(BELAY_SECOND);
                if (rc < 0)
                        return rc;
        }
        return 0;
}

static void test_reset_gives_back(void) {
        keep_lines();
        CHECK_EQ(belay_everywhere(fills_it, NULL,
                                  BELAY_OPTIONS(belay_everywhere_options, .reset = empty_it)),
                 0);
        CHECK_LINES(lines.length == 0);
        CHECK_EQ(belay_queue_free(filled), 0);
}

/*
 * Each run has other waits than the run before. belay_everywhere() must count the waits that do not
 * occur again.
 */
static int varies(void *arg) {
        static int times;
        int rc = 0;

        (void) arg;
        calls++;
        for (int i = 0, n = times++ == 0 ? 5 : times % 3; i < n && rc == 0; i++)
                rc = belay_yield();
        return rc;
}

static void test_not_met(void) {
        CHECK_EQ(everywhere(varies, NULL, false), 0);
        CHECK(waits == 5 && runs == 16 && untested == 5);
        CHECK_LINES(
                lines_with("everywhere: 5 of 5 waits were not cancelled in each of the three ways, "
                           "the first of them is wait 1: in 12 runs")
                == 1);
}

/*
 * The option .most limits the number of waits that are cancelled. The third wait of leaves_one()
 * occurs after fn has returned. A timeout around fn cannot cancel it, so only two of the three
 * kinds of runs reach it.
 */
static int cleans_up(void *arg) {
        int rc = belay_sleep(BELAY_HOUR);

        (void) arg;
        if (rc == -ECANCELED)
                (void) !belay_sleep(BELAY_SECOND);
        return rc;
}

static int leaves_one(void *arg) {
        calls++;
        belay_release(belay_spawn(cleans_up, arg));
        return belay_sleep(BELAY_SECOND);
}

static int yields_once(void *arg) {
        (void) arg;
        return belay_yield();
}

/* Two waits of main, and one of another task. */
static int one_more(void *arg) {
        belay_task *task = belay_spawn(yields_once, arg);
        int rc;

        calls++;
        rc = belay_sleep(BELAY_SECOND);
        if (rc == 0)
                rc = belay_sleep(BELAY_SECOND);
        belay_release(task);
        return rc;
}

static void test_untested(void) {
        keep_lines();
        CHECK_EQ(
                belay_everywhere(three_kinds, NULL,
                                 BELAY_OPTIONS(belay_everywhere_options, .most = 2, .waits = &waits,
                                               .runs = &runs, .untested = &untested)),
                0);
        CHECK(waits == 6 && runs == 7 && untested == 4);
        CHECK_LINES(lines_with("everywhere: 4 waits after the first 2 were not cancelled (.most)\n")
                    == 1);
        CHECK_EQ(belay_everywhere(
                         three_kinds, NULL,
                         BELAY_OPTIONS(belay_everywhere_options, .most = 6, .untested = &untested)),
                 0);
        CHECK_EQ(untested, 0);
        /* The least number, and all waits but one. */
        CHECK_EQ(belay_everywhere(three_kinds, NULL,
                                  BELAY_OPTIONS(belay_everywhere_options, .most = 1, .runs = &runs,
                                                .untested = &untested)),
                 0);
        CHECK(runs == 4 && untested == 5);
        CHECK_EQ(belay_everywhere(
                         three_kinds, NULL,
                         BELAY_OPTIONS(belay_everywhere_options, .most = 5, .untested = &untested)),
                 0);
        CHECK_EQ(untested, 1);
        CHECK_LINES(lines_with("everywhere: 1 waits after the first 5 were not cancelled (.most)\n")
                    == 1);
        /* Waits of both kinds count together. */
        CHECK_EQ(belay_everywhere(three_kinds, NULL,
                                  BELAY_OPTIONS(belay_everywhere_options, .most = 2,
                                                .main_only = true, .untested = &untested)),
                 0);
        CHECK_EQ(untested, 4);

        CHECK_EQ(everywhere(one_more, NULL, false), 0);
        CHECK(waits == 2 && untested == 1);
        CHECK_LINES(lines_with("everywhere: 1 waits of other tasks than main were not cancelled")
                    == 1);

        CHECK_EQ(everywhere(leaves_one, NULL, true), 0);
        CHECK(waits == 3 && runs == 10 && untested == 1);
        CHECK_LINES(lines_with("1 of 3 waits were not cancelled in each of the three ways, "
                               "the first of them is wait 3: in 1 runs")
                    == 1);
}

/* The program takes longer than the patience, unless it is cancelled. */
static int is_slow(void *arg) {
        calls++;
        (void) arg;
        for (int i = 0; i < 5; i++) {
                int rc = belay_sleep(30 * BELAY_SECOND);

                if (rc < 0)
                        return belay_sleep(50 * BELAY_SECOND) < 0 ? -EIO : rc;
        }
        return 0;
}

static void test_patience(void) {
        keep_lines();
        CHECK_EQ(belay_everywhere(
                         is_slow, NULL,
                         BELAY_OPTIONS(belay_everywhere_options, .patience = 150 * BELAY_SECOND)),
                 0);
        CHECK_LINES(lines.length == 0);
        CHECK_EQ(belay_everywhere(
                         is_slow, NULL,
                         BELAY_OPTIONS(belay_everywhere_options, .patience = 149 * BELAY_SECOND)),
                 1);
        CHECK_LINES(lines_with("everywhere: undisturbed: it did not end in time:") == 1);
        /* The least patience. */
        CHECK(belay_everywhere(is_slow, NULL,
                               BELAY_OPTIONS(belay_everywhere_options, .patience = 1))
              > 0);
        CHECK_EQ(belay_everywhere(is_slow, NULL,
                                  BELAY_OPTIONS(belay_everywhere_options, .patience = -1)),
                 0);
}

/* ---- the number of waits of a run ---- */

/*
 * A run may have 10 times the waits of the undisturbed run and 10000, counted again from the
 * cancellation on. The undisturbed run may have a million.
 */
static unsigned long extra, times;

static int yields_more(void) {
        for (unsigned long i = 0; i < extra; i++)
                (void) !belay_yield();
        return 0;
}

static int yields_after(void *arg) {
        int rc = belay_yield();

        (void) arg;
        return rc < 0 ? yields_more(), rc : 0;
}

static int yields_undisturbed(void *arg) {
        (void) arg;
        return times++ == 0 ? yields_more() : 0;
}

enum { FEW = 200 };

static int yields_often(void *arg) {
        int rc = 0;

        (void) arg;
        for (unsigned long i = 0; rc == 0 && i < (times == 1 ? FEW : extra); i++)
                rc = belay_yield();
        return rc;
}

/* Two waits of main. The other waits come between them. */
static int waits_for_another(void *arg) {
        belay_task *task;
        int rc;

        times++;
        task = belay_spawn(yields_often, arg);
        rc = belay_join(task, NULL);
        belay_release(task);
        return rc < 0 ? rc : belay_sleep(BELAY_SECOND);
}

static int main_everywhere(belay_fn *fn) {
        keep_lines();
        times = 0;
        return belay_everywhere(fn, NULL,
                                BELAY_OPTIONS(belay_everywhere_options, .main_only = true));
}

static int first_everywhere(belay_fn *fn) {
        keep_lines();
        times = 0;
        return belay_everywhere(fn, NULL, BELAY_OPTIONS(belay_everywhere_options, .most = 1));
}

static void test_many_waits(void) {
        extra = 10 + 10000;
        CHECK_EQ(first_everywhere(yields_after), 0);
        extra++;
        CHECK_EQ(first_everywhere(yields_after), 3);
        CHECK_LINES(lines_with("it waits again and again, and does not end:") == 3);
        extra = 20000;
        CHECK_EQ(first_everywhere(yields_undisturbed), 0);
        /* Before the cancellation, in the three runs that cancel the second wait of main. */
        extra = 10 * (FEW + 2) + 10000 - 2;
        CHECK_EQ(main_everywhere(waits_for_another), 0);
        extra++;
        CHECK_EQ(main_everywhere(waits_for_another), 3);
        CHECK_LINES(lines_with("it waits again and again, and does not end:") == 3);
}

/* Main is cancelled by belay_interrupt(). Its outcome must be -EINTR, as in belay_run(). */
static int interrupted_outcome;

static int interrupts(void *arg) {
        (void) arg;
        CHECK_EQ(belay_interrupt(NULL), 0);
        return belay_sleep(BELAY_SECOND);
}

static int note_interrupted(void *arg, int outcome) {
        (void) arg;
        interrupted_outcome += outcome == -EINTR;
        return 0;
}

static void test_interrupted(void) {
        CHECK_EQ(belay_everywhere(
                         interrupts, NULL,
                         BELAY_OPTIONS(belay_everywhere_options, .check = note_interrupted)),
                 0);
        /*
         * The undisturbed run and the run with a timeout end with -EINTR. In the two other runs
         * main received the test's request as well. The interrupt must not hide it, so main ends
         * with -ECANCELED.
         */
        CHECK_EQ(interrupted_outcome, 2);
}

/* ---- calls from places where it is refused ---- */

static int inside(void *arg) {
        CHECK_EQ(belay_everywhere(no_wait, arg, NULL), -EBUSY);
        return 0;
}

static void test_inside(void) {
        CHECK_EQ(belay_run(inside, NULL), 0);
        /* A refused call must not prevent the next one. */
        CHECK_EQ(belay_everywhere(inside, NULL, NULL), 0);
}

static int inside_reset;

static void calls_itself(void *arg) {
        inside_reset = belay_everywhere(no_wait, arg, NULL);
}

static void test_within_itself(void) {
        CHECK_EQ(belay_everywhere(child, NULL,
                                  BELAY_OPTIONS(belay_everywhere_options, .reset = calls_itself)),
                 0);
        CHECK_EQ(inside_reset, -EBUSY);
}

/* ---- with a seed ---- */

static void test_seed(void) {
        CHECK_EQ(setenv("BELAY_SEED", "5", 1), 0);
        CHECK_EQ(everywhere(three_kinds, NULL, true), 0);
        CHECK_EQ(waits, 6);
        CHECK_EQ(runs, 19);
        CHECK_LINES(lines_with("seed 5\n") == 19);
        CHECK_EQ(unsetenv("BELAY_SEED"), 0);
}

int main(void) {
        unsetenv("BELAY_SEED");
        test_counts();
        test_kinds();
        test_held_back();
        test_first_use();
        test_reset_gives_back();
        test_not_met();
        test_untested();
        test_patience();
        test_many_waits();
        test_interrupted();
        test_inside();
        test_within_itself();
        test_seed();
        return 0;
}
