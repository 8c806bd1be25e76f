/* SPDX-License-Identifier: MIT */
/*
 * Tests seeds. The same seed must give the same order of tasks, other seeds must give other orders,
 * and each seed must be logged. Without a seed the order must not change.
 */
#include <belay.h>

#include "check.h"
#include "testing/lines.h"

enum { TASKS = 6, ROUNDS = 3, LENGTH = TASKS * ROUNDS };

static char order[LENGTH + 1];

static int say(void *arg) {
        for (int i = 0; i < ROUNDS; i++) {
                size_t length = strlen(order);
                int rc;

                CHECK(length < LENGTH);
                order[length] = *(const char *) arg;
                order[length + 1] = '\0';
                rc = belay_yield();
                if (rc < 0)
                        return rc;
        }
        return 0;
}

static int everybody(void *arg) {
        static char names[] = "abcdef";
        belay_group group;

        (void) arg;
        order[0] = '\0';
        belay_group_enter(&group);
        for (int i = 0; i < TASKS; i++)
                CHECK_EQ(belay_group_spawn(&group, say, &names[i]), 0);
        return belay_group_leave(&group, 0);
}

static void run(uint64_t seed, belay_clock clock) {
        CHECK_EQ(belay_run_with(everybody, NULL,
                                BELAY_OPTIONS(belay_loop_options, .clock = clock, .seed = seed)),
                 0);
        CHECK_EQ(strlen(order), LENGTH);
}

static void test_orders(belay_clock clock) {
        char orders[20][LENGTH + 1];
        int different = 0;

        for (int i = 0; i < 20; i++) {
                run((uint64_t) i + 1, clock);
                strcpy(orders[i], order);
                for (int k = 0; k < i; k++)
                        different += strcmp(orders[k], orders[i]) != 0;
        }
        /* There are about 18! orders, so that two equal ones are improbable. */
        CHECK(different > 180);
        for (int i = 0; i < 20; i++) {
                run((uint64_t) i + 1, clock);
                CHECK_STR(order, orders[i]);
        }
}

static void test_printed(void) {
        keep_lines();
        run(4711, BELAY_CLOCK_VIRTUAL);
        CHECK_LINES(lines_with("seed 4711\n") == 1);

        keep_lines();
        CHECK_EQ(setenv("BELAY_SEED", "0x2a", 1), 0);
        run(0, BELAY_CLOCK_VIRTUAL);
        CHECK_LINES(lines_with("seed 42\n") == 1);
        /* The seed in the program's options takes precedence over the environment. */
        run(7, BELAY_CLOCK_VIRTUAL);
        CHECK_LINES(lines_with("seed 7\n") == 1);
}

static void test_environment(void) {
        char by_option[LENGTH + 1];

        CHECK_EQ(setenv("BELAY_SEED", "99", 1), 0);
        run(99, BELAY_CLOCK_VIRTUAL);
        strcpy(by_option, order);
        run(0, BELAY_CLOCK_VIRTUAL);
        CHECK_STR(order, by_option);
        CHECK_EQ(unsetenv("BELAY_SEED"), 0);
}

static void test_without(void) {
        static const belay_clock clocks[] = { BELAY_CLOCK_VIRTUAL, BELAY_CLOCK_MONOTONIC };

        keep_lines();
        for (int i = 0; i < 2; i++) {
                run(0, clocks[i]);
                CHECK_STR(order, "abcdefabcdefabcdef");
                CHECK_EQ(setenv("BELAY_SEED", "0", 1), 0);
                run(0, clocks[i]);
                CHECK_STR(order, "abcdefabcdefabcdef");
                CHECK_EQ(unsetenv("BELAY_SEED"), 0);
        }
        CHECK_LINES(lines.length == 0);
}

int main(void) {
        unsetenv("BELAY_SEED");
        keep_lines();
        test_without();
        test_orders(BELAY_CLOCK_VIRTUAL);
        test_orders(BELAY_CLOCK_MONOTONIC);
        test_printed();
        test_environment();
        return 0;
}
