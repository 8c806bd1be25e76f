/* SPDX-License-Identifier: MIT */
/*
 * Scopes whose storage is in use: entered twice or by another task, overwritten, or copied. Each is
 * reported with both call sites, and the first use goes on. Bytes that an earlier use left in
 * memory must not be taken for a scope in force.
 */
#include <fcntl.h>

#include "parts.h"

/* One line was logged since the last check. It contains the text and both call sites. */
static void check_line(int line, int entered, const char *what) {
        char text[300];

        CHECK_EQ(kept_count, 1);
        CHECK_LINES(1, what);
        snprintf(text, sizeof(text), "misuse at %s:%d:", __FILE__, line);
        CHECK_LINES(1, text);
        if (entered != 0) {
                snprintf(text, sizeof(text), "entered at %s:%d ", __FILE__, entered);
                CHECK_LINES(1, text);
        }
        CHECK_EQ(kept_lines[0].level, BELAY_LOG_ERROR);
        keep_lines();
}

/* The dump of the scopes succeeds and terminates. */
static void check_dump(void) {
        int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

        CHECK(fd >= 0);
        CHECK_EQ(belay_dump(fd), 0);
        close(fd);
}

static int time_limit(void *arg) {
        belay_timeout limit, within;
        int entered;

        (void) arg;
        keep_lines();
        CHECK_EQ((entered = __LINE__, belay_timeout_enter(&limit, SECONDS(1))), 0);
        CHECK_EQ(belay_timeout_enter(&limit, SECONDS(9)), -EPERM);
        check_line(__LINE__ - 1, entered, "the timeout entered at");
        CHECK_EQ(belay_timeout_enter(&within, SECONDS(9)), 0);
        CHECK_EQ(belay_timeout_enter_until(&limit, 0), -EPERM);
        check_line(__LINE__ - 1, entered, "is entered again, and was not left");
        check_dump();
        CHECK_EQ(belay_deadline(), SECONDS(1));
        CHECK_EQ(belay_timeout_leave(&within, belay_sleep(SECONDS(5))), -ECANCELED);
        /* The timeout has expired, and is still in force. */
        CHECK_EQ(belay_timeout_enter(&limit, SECONDS(9)), -EPERM);
        check_line(__LINE__ - 1, entered, "is entered again, and was not left");
        CHECK_EQ(belay_timeout_leave(&limit, -ECANCELED), -ETIMEDOUT);
        CHECK_EQ(belay_now(), SECONDS(1));
        CHECK_EQ(belay_timeout_leave(&limit, 0), -EPERM);
        check_line(__LINE__ - 1, entered, "is left again");
        /* The scope has been left, so it may be entered. */
        CHECK_EQ(belay_timeout_enter(&limit, SECONDS(1)), 0);
        CHECK_EQ(belay_timeout_leave(&limit, 4), 4);
        CHECK_EQ(kept_count, 0);
        CHECK_CLEAN();
        return 0;
}

static int group(void *arg) {
        struct part member = { .span = SECONDS(3), .end = -EIO, .text = "member" };
        belay_group_options options = { .size = sizeof(options), .supervise = true };
        belay_group group;
        int entered;

        (void) arg;
        keep_lines();
        CHECK_EQ((entered = __LINE__, belay_group_enter(&group)), 0);
        CHECK_EQ(belay_group_spawn(&group, play, &member), 0);
        CHECK_EQ(belay_group_enter_with(&group, &options), -EPERM);
        check_line(__LINE__ - 1, entered, "the group entered at");
        check_dump();
        CHECK_EQ(belay_group_count(&group), 1);
        CHECK_EQ(belay_group_leave(&group, 0), -EIO);
        CHECK_EQ(belay_now(), SECONDS(3));
        CHECK_EQ(kept_count, 0);
        CHECK_CLEAN();
        return 0;
}

static int region(void *arg) {
        belay_shield_scope outer, region;
        int entered;

        (void) arg;
        keep_lines();
        CHECK_EQ(belay_shield_enter(&outer, BELAY_NEVER), 0);
        CHECK_EQ((entered = __LINE__, belay_shield_enter(&region, SECONDS(5))), 0);
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_sleep(SECONDS(2)), 0);
        CHECK_EQ(belay_shield_enter(&region, 0), -EPERM);
        check_line(__LINE__ - 1, entered, "the shielded region entered at");
        check_dump();
        CHECK_EQ(belay_sleep(SECONDS(2)), 0);
        CHECK_EQ(belay_shield_leave(&region, 3), 3);
        CHECK_EQ(belay_sleep(SECONDS(2)), 0);
        CHECK_EQ(belay_shield_leave(&outer, 4), 4);
        CHECK_EQ(kept_count, 0);
        CHECK_PENDING();
        return 0;
}

union any {
        belay_timeout limit;
        belay_group group;
        belay_shield_scope region;
};

/* The storage is entered as another kind of scope. */
static int other_kind(void *arg) {
        union any *any = malloc(sizeof(*any));
        int entered;

        (void) arg;
        CHECK(any != NULL);
        keep_lines();
        CHECK_EQ((entered = __LINE__, belay_group_enter(&any->group)), 0);
        CHECK_EQ(belay_timeout_enter(&any->limit, SECONDS(1)), -EPERM);
        check_line(__LINE__ - 1, entered, "the group entered at");
        CHECK_EQ(belay_timeout_leave(&any->limit, 1), -EPERM);
        check_line(__LINE__ - 1, entered, "is left as a timeout");
        CHECK_EQ(belay_group_leave(&any->group, 1), 1);
        CHECK_EQ(belay_timeout_leave(&any->limit, 1), -EPERM);
        check_line(__LINE__ - 1, entered, "is left again");
        free(any);
        CHECK_CLEAN();
        return 0;
}

static union any shared;

static int enters_shared(void *arg) {
        int *entered = arg;

        CHECK_EQ(belay_timeout_enter(&shared.limit, SECONDS(1)), -EPERM);
        check_line(__LINE__ - 1, *entered, "belongs to task main, and another enters it");
        CHECK_EQ(belay_shield_enter(&shared.region, SECONDS(1)), -EPERM);
        check_line(__LINE__ - 1, *entered, "belongs to task main, and another enters it");
        CHECK_EQ(belay_timeout_leave(&shared.limit, 5), -EPERM);
        check_line(__LINE__ - 1, *entered, "belongs to task main, and another leaves it");
        CHECK_EQ(belay_sleep(SECONDS(2)), 0);
        return 5;
}

static int by_another(void *arg) {
        int entered, outcome;
        belay_task *task;

        (void) arg;
        keep_lines();
        CHECK_EQ((entered = __LINE__, belay_timeout_enter(&shared.limit, SECONDS(1))), 0);
        task = must(belay_spawn(enters_shared, &entered));
        CHECK_EQ(belay_yield(), 0);
        check_dump();
        CHECK_EQ(belay_timeout_leave(&shared.limit, belay_sleep(SECONDS(5))), -ETIMEDOUT);
        CHECK_EQ(belay_join(task, &outcome), 0);
        CHECK_EQ(outcome, 5);
        belay_release(task);
        CHECK_EQ(kept_count, 0);
        return 0;
}

/*
 * A body in a loop enters the scope without leaving it. The second and later enters are refused,
 * and the scope is left once.
 */
static int in_a_loop(void *arg) {
        belay_timeout limit;

        (void) arg;
        keep_lines();
        for (int i = 0; i < 3; i++)
                CHECK_EQ(belay_timeout_enter(&limit, SECONDS(1 + i)), i == 0 ? 0 : -EPERM);
        CHECK_LINES(2, "is entered again, and was not left");
        check_dump();
        CHECK_EQ(belay_timeout_leave(&limit, belay_sleep(SECONDS(9))), -ETIMEDOUT);
        CHECK_EQ(belay_now(), SECONDS(1));
        CHECK_CLEAN();
        return 0;
}

/* ---- overwritten while it is in force ---- */

static void fill(void *storage, size_t size, int kind) {
        unsigned char *bytes = storage;

        for (size_t i = 0; i < size; i++)
                bytes[i] = kind == 0 ? 0 : kind == 1 ? 0xff : (unsigned char) (i * 37 + 11);
}

/*
 * The overwritten scope is entered again or left, with or without another scope within it. It does
 * not expire any more, and neither does the scope around it.
 */
static int overwritten(void *arg) {
        for (int i = 0; i < 12; i++) {
                belay_timeout around, limit, within;
                bool leaves = i % 2, is_nested = i / 2 % 2;

                (void) arg;
                keep_lines();
                CHECK_EQ(belay_timeout_enter(&around, SECONDS(50)), 0);
                CHECK_EQ(belay_timeout_enter(&limit, SECONDS(1)), 0);
                if (is_nested)
                        CHECK_EQ(belay_timeout_enter(&within, SECONDS(40)), 0);
                fill(&limit, sizeof(limit), i / 4);
                check_dump();
                (void) belay_deadline();
                CHECK_EQ(kept_count, 0);
                if (leaves)
                        CHECK_EQ(belay_timeout_leave(&limit, 3), -EPERM);
                else
                        CHECK_EQ(belay_timeout_enter(&limit, SECONDS(3)), -EPERM);
                check_line(leaves ? __LINE__ - 3 : __LINE__ - 1, 0, "overwritten since");
                check_dump();
                CHECK_EQ(belay_sleep(SECONDS(9)), 0);
                CHECK_EQ(belay_timeout_leave(&limit, 3), -EPERM);
                check_line(__LINE__ - 1, 0, "is left again");
                if (is_nested)
                        CHECK_EQ(belay_timeout_leave(&within, 3), 3);
                CHECK_EQ(belay_timeout_leave(&around, 3), -EPERM);
                check_line(__LINE__ - 1, 0, "is left after a scope within it was overwritten");
                CHECK_EQ(belay_sleep(SECONDS(90)), 0);
                CHECK_CLEAN();
        }
        return 0;
}

/* The overwritten shield has held a request back, which becomes pending afterwards. */
static int overwritten_region(void *arg) {
        belay_shield_scope region;

        (void) arg;
        keep_lines();
        CHECK_EQ(belay_shield_enter(&region, SECONDS(5)), 0);
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_sleep(SECONDS(2)), 0);
        fill(&region, sizeof(region), 0);
        CHECK_EQ(belay_shield_leave(&region, 3), -EPERM);
        check_line(__LINE__ - 1, 0, "a shielded region is left that was overwritten");
        CHECK_PENDING();
        CHECK_EQ(belay_sleep(SECONDS(9)), 0);
        return 0;
}

/* The members of an overwritten group are cancelled, and then belong to no group. */
static int overwritten_group(void *arg) {
        struct part member = { .span = SECONDS(3) };
        belay_group group;

        (void) arg;
        keep_lines();
        CHECK_EQ(belay_group_enter(&group), 0);
        CHECK_EQ(belay_group_spawn(&group, play, &member), 0);
        CHECK_EQ(belay_yield(), 0);
        fill(&group, sizeof(group), 1);
        CHECK_EQ(belay_group_enter(&group), -EPERM);
        check_line(__LINE__ - 1, 0,
                   "a group is entered again that was not left, and was overwritten");
        CHECK_EQ(belay_sleep(SECONDS(9)), 0);
        CHECK_EQ(member.requests, 1);
        CHECK_CLEAN();
        return 0;
}

/* ---- copies, and storage that never was a scope ---- */

static int copies(void *arg) {
        belay_timeout limit, limit_copy;
        belay_group group, group_copy;
        struct part member = { .span = SECONDS(1) };
        int entered;

        (void) arg;
        keep_lines();
        CHECK_EQ((entered = __LINE__, belay_timeout_enter(&limit, SECONDS(1))), 0);
        limit_copy = limit;
        CHECK_EQ(belay_timeout_reschedule(&limit_copy, SECONDS(3)), -EPERM);
        CHECK(!belay_timeout_expired(&limit_copy));
        CHECK_EQ(belay_timeout_leave(&limit_copy, 3), -EPERM);
        check_line(__LINE__ - 1, entered, "a copy of the timeout entered at");
        CHECK_EQ(belay_timeout_leave(&limit, belay_sleep(SECONDS(2))), -ETIMEDOUT);
        limit_copy = limit;
        CHECK_EQ(belay_timeout_leave(&limit_copy, 3), -EPERM);
        check_line(__LINE__ - 1, 0, "that was never entered");

        CHECK_EQ((entered = __LINE__, belay_group_enter(&group)), 0);
        CHECK_EQ(belay_group_spawn(&group, play, &member), 0);
        group_copy = group;
        CHECK_EQ(belay_group_spawn(&group_copy, play, &member), -EPERM);
        check_line(__LINE__ - 1, 0, "never entered");
        belay_group_cancel(&group_copy);
        CHECK_EQ(belay_group_count(&group_copy), 0);
        CHECK_EQ(belay_group_leave(&group_copy, 3), -EPERM);
        check_line(__LINE__ - 1, entered, "a copy of the group entered at");
        /* The copy is copied back, and the group works as before. */
        group = group_copy;
        CHECK_EQ(belay_group_leave(&group, 3), 3);
        CHECK_EQ(member.begun, 1);
        CHECK_EQ(member.requests, 0);
        CHECK_CLEAN();
        return 0;
}

static int garbage(void *arg) {
        union any any;

        (void) arg;
        for (int i = 0; i < 3; i++) {
                keep_lines();
                fill(&any, sizeof(any), i);
                CHECK_EQ(belay_timeout_leave(&any.limit, 0), -EPERM);
                CHECK_EQ(belay_group_leave(&any.group, 0), -EPERM);
                CHECK_EQ(belay_shield_leave(&any.region, 0), -EPERM);
                CHECK_EQ(belay_group_spawn(&any.group, play, NULL), -EPERM);
                CHECK_EQ(belay_group_start(&any.group, play, NULL, NULL, NULL), -EPERM);
                CHECK_LINES(5, "never entered");
                CHECK_EQ(kept_count, 5);
                belay_group_cancel(&any.group);
                CHECK_EQ(belay_group_count(&any.group), 0);
                CHECK_EQ(belay_timeout_reschedule(&any.limit, 1), -EPERM);
                CHECK_EQ(belay_timeout_reschedule_until(&any.limit, 1), -EPERM);
                CHECK(!belay_timeout_expired(&any.limit));
                CHECK_EQ(belay_timeout_when(&any.limit), BELAY_NEVER);

                keep_lines();
                CHECK_EQ(belay_timeout_enter(&any.limit, 1), 0);
                CHECK_EQ(belay_timeout_leave(&any.limit, belay_sleep(SECONDS(1))), -ETIMEDOUT);
                CHECK_EQ(belay_group_count(&any.group), 0);
                fill(&any, sizeof(any), i);
                CHECK_EQ(belay_group_enter(&any.group), 0);
                CHECK_EQ(belay_group_leave(&any.group, 4), 4);
                fill(&any, sizeof(any), i);
                CHECK_EQ(belay_shield_enter(&any.region, 1), 0);
                CHECK_EQ(belay_shield_leave(&any.region, 4), 4);
                CHECK_EQ(kept_count, 0);
        }
        CHECK_CLEAN();
        return 0;
}

/* ---- bytes from an earlier use ---- */

static int leaves_it_unleft(void *arg) {
        belay_timeout limit;

        (void) arg;
        CHECK_EQ(belay_timeout_enter(&limit, SECONDS(1)), 0);
        return 0;
}

static int enters_where_it_was(void *arg) {
        (void) arg;
        for (int i = 0; i < 3; i++) {
                belay_task *task = must(belay_spawn(leaves_it_unleft, NULL));

                keep_lines();
                CHECK_EQ(belay_join(task, NULL), 0);
                CHECK_EQ(kept_count, 1);
                CHECK_LINES(1, "ended within a scope that it had not left");
                belay_release(task);
        }
        /*
         * The task has ended, and so has the loop. A new run finds the same addresses and the same
         * marks.
         */
        keep_lines();
        CHECK_EQ(belay_group_enter(&shared.group), 0);
        return 0;
}

/* The record that the bytes name is in use, but not by the task that entered the scope. */
static int stale_owner(void *arg) {
        union any before;
        belay_task *task;

        (void) arg;
        CHECK_EQ(belay_timeout_enter(&shared.limit, SECONDS(1)), 0);
        before = shared;
        CHECK_EQ(belay_timeout_leave(&shared.limit, 0), 0);
        shared = before;
        keep_lines();
        CHECK_EQ(belay_timeout_enter(&shared.limit, SECONDS(1)), 0);
        CHECK_EQ(belay_timeout_leave(&shared.limit, 4), 4);
        /* The bytes name a task that has ended and has a handle. */
        task = must(belay_spawn(leaves_it_unleft, NULL));
        CHECK_EQ(belay_join(task, NULL), 0);
        keep_lines();
        shared = before;
        CHECK_EQ(belay_group_enter(&shared.group), 0);
        CHECK_EQ(belay_group_leave(&shared.group, 4), 4);
        CHECK_EQ(kept_count, 0);
        belay_release(task);
        return 0;
}

/* The bytes name a task of another loop, whose memory stays while there is a handle. */
static union any from_before;
static belay_task *of_before;

static int keeps_bytes(void *arg) {
        (void) arg;
        of_before = belay_ref(belay_self());
        CHECK_EQ(belay_timeout_enter(&shared.limit, SECONDS(1)), 0);
        from_before = shared;
        return belay_timeout_leave(&shared.limit, 0);
}

static int finds_bytes(void *arg) {
        (void) arg;
        shared = from_before;
        keep_lines();
        CHECK_EQ(belay_timeout_enter(&shared.limit, SECONDS(1)), 0);
        CHECK_EQ(belay_timeout_leave(&shared.limit, belay_sleep(SECONDS(2))), -ETIMEDOUT);
        CHECK_EQ(kept_count, 0);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(time_limit);
        RUN_VIRTUAL(group);
        RUN_VIRTUAL(region);
        RUN_VIRTUAL(other_kind);
        RUN_VIRTUAL(by_another);
        RUN_VIRTUAL(in_a_loop);
        RUN_VIRTUAL(overwritten);
        RUN_VIRTUAL(overwritten_region);
        RUN_VIRTUAL(overwritten_group);
        RUN_VIRTUAL(copies);
        RUN_VIRTUAL(garbage);
        RUN_VIRTUAL(enters_where_it_was);
        RUN_VIRTUAL(enters_where_it_was);
        RUN_VIRTUAL(stale_owner);
        RUN_VIRTUAL(keeps_bytes);
        RUN_VIRTUAL(finds_bytes);
        belay_release(of_before);
        return 0;
}
