/* SPDX-License-Identifier: MIT */
/*
 * Scopes that are left in the wrong order, twice, by another task or without having been entered.
 * Each is reported with both call sites, and does no harm.
 */
#include "parts.h"

/* Exactly one line was logged. It contains the call site of the leave, and that of the enter. */
static void check_line(int left, int entered, const char *what) {
        char text[300];

        CHECK_LINES(1, what);
        snprintf(text, sizeof(text), "misuse at %s:%d", __FILE__, left);
        CHECK_LINES(1, text);
        if (entered != 0) {
                snprintf(text, sizeof(text), "entered at %s:%d", __FILE__, entered);
                CHECK_LINES(1, text);
        }
        CHECK_EQ(kept_count, 1);
        CHECK_EQ(kept_lines[0].level, BELAY_LOG_ERROR);
        keep_lines();
}

static int wrong_order(void *arg) {
        belay_timeout outer, inner;
        belay_group group;
        belay_shield_scope shield;
        int limit_at, group_at, shield_at;

        (void) arg;
        keep_lines();
        CHECK_EQ((limit_at = __LINE__, belay_timeout_enter(&outer, SECONDS(1))), 0);
        CHECK_EQ((group_at = __LINE__, belay_group_enter(&group)), 0);
        CHECK_EQ((shield_at = __LINE__, belay_shield_enter(&shield, BELAY_NEVER)), 0);
        CHECK_EQ(belay_timeout_enter(&inner, SECONDS(9)), 0);

        CHECK_EQ(belay_timeout_leave(&outer, 5), -EPERM);
        check_line(__LINE__ - 1, limit_at, "the timeout within it, entered at");
        CHECK_EQ(belay_group_leave(&group, -EIO), -EPERM);
        check_line(__LINE__ - 1, group_at, "the timeout within it, entered at");
        CHECK_EQ(belay_shield_leave(&shield, 0), -EPERM);
        check_line(__LINE__ - 1, shield_at, "the timeout within it, entered at");

        /* The scopes are unchanged, and work. */
        CHECK_EQ(belay_timeout_leave(&inner, belay_sleep(SECONDS(3))), 0);
        CHECK_EQ(belay_shield_leave(&shield, 0), 0);
        CHECK_EQ(belay_group_leave(&group, belay_yield()), -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&outer, -ECANCELED), -ETIMEDOUT);
        CHECK_EQ(kept_count, 0);
        CHECK_CLEAN();
        return 0;
}

static int twice(void *arg) {
        belay_timeout limit;
        belay_group group;
        belay_shield_scope shield;
        int entered;

        (void) arg;
        keep_lines();
        for (int i = 0; i < 2; i++) {
                CHECK_EQ((entered = __LINE__, belay_timeout_enter(&limit, i ? 0 : SECONDS(1))), 0);
                CHECK_EQ(belay_timeout_leave(&limit, belay_yield()), i ? -ETIMEDOUT : 0);
                CHECK_EQ(belay_timeout_leave(&limit, -ECANCELED), -EPERM);
                check_line(__LINE__ - 1, entered, "left again");
        }
        CHECK_EQ((entered = __LINE__, belay_group_enter(&group)), 0);
        CHECK_EQ(belay_group_leave(&group, 3), 3);
        CHECK_EQ(belay_group_leave(&group, 3), -EPERM);
        check_line(__LINE__ - 1, entered, "left again");
        CHECK_EQ((entered = __LINE__, belay_shield_enter(&shield, SECONDS(1))), 0);
        CHECK_EQ(belay_shield_leave(&shield, 3), 3);
        CHECK_EQ(belay_shield_leave(&shield, 3), -EPERM);
        check_line(__LINE__ - 1, entered, "left again");
        CHECK_CLEAN();
        return 0;
}

static int never(void *arg) {
        static belay_timeout limit;
        static belay_group group;
        static belay_shield_scope shield;

        (void) arg;
        keep_lines();
        CHECK_EQ(belay_timeout_leave(&limit, 0), -EPERM);
        check_line(__LINE__ - 1, 0, "never entered");
        CHECK_EQ(belay_group_leave(&group, 0), -EPERM);
        check_line(__LINE__ - 1, 0, "never entered");
        CHECK_EQ(belay_shield_leave(&shield, 0), -EPERM);
        check_line(__LINE__ - 1, 0, "never entered");
        CHECK_EQ(belay_group_spawn_with(&group, play, NULL, NULL, NULL), -EPERM);
        check_line(__LINE__ - 1, 0, "never entered");
        CHECK_EQ(belay_group_count(&group), 0);
        belay_group_cancel(&group);
        CHECK_EQ(belay_timeout_reschedule(&limit, 1), -EPERM);
        CHECK(!belay_timeout_expired(&limit));
        CHECK_CLEAN();
        return 0;
}

static belay_timeout others_limit;
static belay_group others_group;
static belay_shield_scope others_shield;

static int leaves(void *arg) {
        (void) arg;
        CHECK_EQ(belay_shield_leave(&others_shield, 0), -EPERM);
        CHECK_EQ(belay_group_leave(&others_group, 0), -EPERM);
        CHECK_EQ(belay_timeout_leave(&others_limit, 0), -EPERM);
        return 0;
}

static void leaves_in_callback(void *arg) {
        leaves(arg);
}

static int by_another(void *arg) {
        belay_task *task;

        (void) arg;
        keep_lines();
        CHECK_EQ(belay_timeout_enter(&others_limit, SECONDS(1)), 0);
        CHECK_EQ(belay_group_enter(&others_group), 0);
        CHECK_EQ(belay_shield_enter(&others_shield, SECONDS(1)), 0);
        task = must(belay_spawn(leaves, NULL));
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_LINES(3, "another leaves it");
        CHECK(belay_soon(leaves_in_callback, NULL) != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_LINES(6, "misuse at " __FILE__);
        CHECK_LINES(6, "entered at " __FILE__);
        CHECK_EQ(belay_shield_leave(&others_shield, 1), 1);
        CHECK_EQ(belay_group_leave(&others_group, 2), 2);
        CHECK_EQ(belay_timeout_leave(&others_limit, 3), 3);
        belay_release(task);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(wrong_order);
        RUN_VIRTUAL(twice);
        RUN_VIRTUAL(never);
        RUN_VIRTUAL(by_another);
        return 0;
}
