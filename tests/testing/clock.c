/* SPDX-License-Identifier: MIT */
/*
 * Tests the virtual clock. Hours of waiting take no time, timers fire in the order of their
 * instants, and each run gives the same result.
 */
#include <belay.h>
#include <time.h>

#include "check.h"

#define VIRTUAL BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL)

static belay_time real_time(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return now.tv_sec * BELAY_SECOND + now.tv_nsec;
}

/* ---- hours ---- */

static int hours(void *arg) {
        (void) arg;
        CHECK_EQ(belay_now(), 0);
        CHECK_EQ(belay_sleep(5 * BELAY_HOUR), 0);
        CHECK_EQ(belay_now(), 5 * BELAY_HOUR);
        CHECK_EQ(belay_sleep_until(5 * BELAY_HOUR + 1), 0);
        CHECK_EQ(belay_now(), 5 * BELAY_HOUR + 1);
        /* The instant has passed: the call lets other tasks run and takes no time. */
        CHECK_EQ(belay_sleep_until(BELAY_HOUR), 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_now(), 5 * BELAY_HOUR + 1);
        for (int i = 0; i < 1000; i++)
                CHECK_EQ(belay_sleep(24 * BELAY_HOUR), 0);
        CHECK_EQ(belay_now(), 24005 * BELAY_HOUR + 1);
        return 3;
}

static void test_hours(void) {
        belay_time begun = real_time();

        CHECK_EQ(belay_run_with(hours, NULL, VIRTUAL), 3);
        CHECK(real_time() - begun < 20 * BELAY_SECOND);
}

/* ---- order ---- */

static char order[64];

static int letter(void *arg) {
        const char *what = arg;
        int rc = belay_sleep((what[0] - '0') * BELAY_MINUTE);

        CHECK_EQ(belay_now(), (what[0] - '0') * BELAY_MINUTE);
        strncat(order, what + 1, sizeof(order) - strlen(order) - 1);
        return rc;
}

static void note_callback(void *arg) {
        strncat(order, arg, sizeof(order) - strlen(order) - 1);
}

static int ordered(void *arg) {
        static char *const letters[] = { "5e", "1a", "7f", "3c", "2b" };
        belay_group group;

        (void) arg;
        order[0] = '\0';
        CHECK_EQ(belay_group_enter(&group), 0);
        for (size_t i = 0; i < 5; i++)
                CHECK_EQ(belay_group_spawn(&group, letter, letters[i]), 0);
        CHECK(belay_later(8 * BELAY_MINUTE, note_callback, "g") != 0);
        CHECK(belay_later(4 * BELAY_MINUTE, note_callback, "d") != 0);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        CHECK_EQ(belay_now(), 7 * BELAY_MINUTE);
        CHECK_EQ(belay_sleep(2 * BELAY_MINUTE), 0);
        return 0;
}

static void test_order(void) {
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_run_with(ordered, NULL, VIRTUAL), 0);
                CHECK_STR(order, "abcdefg");
        }
}

/* ---- time that passes while a task computes ---- */

static int computes(void *arg) {
        belay_timeout limit;
        int rc;

        (void) arg;
        CHECK_EQ(belay_timeout_enter(&limit, 10 * BELAY_SECOND), 0);
        CHECK_EQ(belay_advance(BELAY_MINUTE), 0);
        CHECK_EQ(belay_now(), BELAY_MINUTE);
        /*
         * A span counts from the instant of the call, after the advance. The timeout has expired
         * and cancels the sleep.
         */
        rc = belay_sleep(BELAY_SECOND);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_now(), BELAY_MINUTE);
        CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);

        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(belay_now(), 61 * BELAY_SECOND);
        CHECK_EQ(belay_advance(0), 0);
        CHECK_EQ(belay_advance(-1), -EPERM);
        CHECK_EQ(belay_now(), 61 * BELAY_SECOND);
        return 0;
}

static int elsewhere(void *arg) {
        (void) arg;
        CHECK_EQ(belay_advance(BELAY_SECOND), -EPERM);
        return 0;
}

static void hush(void *context, belay_log_level level, const char *line) {
        (void) level;
        CHECK(strstr(line, "belay_advance()") != NULL);
        ++*(int *) context;
}

static void test_advance(void) {
        int lines = 0;

        belay_set_log(hush, &lines);
        CHECK_EQ(belay_run_with(computes, NULL, VIRTUAL), 0);
        CHECK_EQ(belay_run(elsewhere, NULL), 0);
        CHECK_EQ(belay_advance(BELAY_SECOND), -EPERM);
        CHECK_EQ(lines, 3);
        belay_set_log(NULL, NULL);
}

/* ---- the clock of a loop goes on between its runs ---- */

static int sleeps_a_second(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_SECOND);
}

static void test_between(void) {
        belay_loop *loop = belay_loop_new(VIRTUAL);
        int outcome = -1;

        CHECK(loop != NULL);
        CHECK_EQ(belay_loop_now(loop), 0);
        for (int i = 1; i <= 3; i++) {
                CHECK_EQ(belay_loop_run(loop, sleeps_a_second, NULL, &outcome), 0);
                CHECK_EQ(outcome, 0);
                CHECK_EQ(belay_loop_now(loop), i * BELAY_SECOND);
        }
        CHECK_EQ(belay_loop_close(loop), 0);
}

int main(void) {
        test_hours();
        test_order();
        test_advance();
        test_between();
        return 0;
}
