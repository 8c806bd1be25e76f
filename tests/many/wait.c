/* SPDX-License-Identifier: MIT */
/*
 * Waits for all of several tasks, for the first, or for the first failure, under a limit.
 */
#include "../scope/parts.h"

enum { MANY = 12 };

static struct part parts[MANY];
static belay_task *tasks[MANY];

static void start_all(void) {
        for (int i = 0; i < MANY; i++)
                tasks[i] = start_part(&parts[i]);
}

/* Each task ends 1 s after the one before it, with its index. */
static void start_stairs(void) {
        for (int i = 0; i < MANY; i++)
                parts[i] = (struct part) { .span = SECONDS(i + 1), .end = i };
        start_all();
}

static void end_all(void) {
        CHECK_EQ(belay_wait(tasks, MANY, BELAY_WAIT_ALL, BELAY_NEVER), MANY);
        for (int i = 0; i < MANY; i++) {
                CHECK_EQ(parts[i].requests, 0);
                (void) !ended_with(tasks[i]);
        }
        CHECK_CLEAN();
}

static int modes(void *arg) {
        belay_time begin = belay_now();

        (void) arg;
        start_stairs();
        CHECK_EQ(belay_wait(tasks, MANY, BELAY_WAIT_FIRST, BELAY_NEVER), 1);
        CHECK_EQ(belay_now() - begin, SECONDS(1));
        CHECK(belay_done(tasks[0]) && !belay_done(tasks[1]));
        /* One task is done already. */
        CHECK_EQ(belay_wait(tasks, MANY, BELAY_WAIT_FIRST, BELAY_NEVER), 1);
        CHECK_EQ(belay_now() - begin, SECONDS(1));
        CHECK_EQ(belay_wait(tasks + 1, 3, BELAY_WAIT_ALL, BELAY_NEVER), 3);
        CHECK_EQ(belay_now() - begin, SECONDS(4));
        CHECK_EQ(belay_wait(tasks, MANY, BELAY_WAIT_FIRST_ERROR, BELAY_NEVER), MANY);
        CHECK_EQ(belay_now() - begin, SECONDS(MANY));
        end_all();

        /* A failure ends the wait. A task that ended cancelled does not count as one. */
        begin = belay_now();
        for (int i = 0; i < MANY; i++)
                parts[i] = (struct part) { .span = SECONDS(i + 1),
                                           .end = i == 2   ? -ECANCELED
                                                  : i == 4 ? -EIO
                                                           : 0 };
        start_all();
        CHECK_EQ(belay_wait(tasks, MANY, BELAY_WAIT_FIRST_ERROR, BELAY_NEVER), 5);
        CHECK_EQ(belay_now() - begin, SECONDS(5));
        CHECK_EQ(belay_wait(tasks, MANY, BELAY_WAIT_FIRST_ERROR, BELAY_NEVER), 5);
        CHECK_EQ(belay_now() - begin, SECONDS(5));
        end_all();
        return 0;
}

/* Reaching the limit is no failure, and cancels no task. */
static int limits(void *arg) {
        belay_time begin = belay_now();

        (void) arg;
        start_stairs();
        CHECK_EQ(belay_wait(tasks, MANY, BELAY_WAIT_ALL, SECONDS(3) + 1), 3);
        CHECK_EQ(belay_now() - begin, SECONDS(3) + 1);
        CHECK_EQ(belay_wait(tasks + 6, 2, BELAY_WAIT_FIRST, SECONDS(1)), 0);
        CHECK_EQ(belay_wait(tasks, MANY, BELAY_WAIT_FIRST_ERROR, SECONDS(1)), 5);
        CHECK_EQ(belay_wait(tasks, MANY, BELAY_WAIT_ALL, 0), 5);
        CHECK_EQ(belay_wait(tasks, MANY, BELAY_WAIT_ALL, -1), 5);
        CHECK_EQ(belay_now() - begin, SECONDS(5) + 1);
        /* The limit that was not used up must not end a later wait. */
        CHECK_EQ(belay_wait(tasks + 5, 1, BELAY_WAIT_ALL, SECONDS(3)), 1);
        CHECK_EQ(belay_sleep(SECONDS(10)), 0);
        CHECK_EQ(belay_now() - begin, SECONDS(16));
        end_all();
        return 0;
}

static int cancelled(void *arg) {
        belay_time begin;

        (void) arg;
        for (int mode = 0; mode < 3; mode++)
                for (int limited = 0; limited < 2; limited++) {
                        begin = belay_now();
                        start_stairs();
                        cancel_after(SECONDS(1) / 2, belay_self());
                        CHECK_EQ(belay_wait(tasks, MANY, (belay_wait_mode) mode,
                                            limited ? SECONDS(2) : BELAY_NEVER),
                                 -ECANCELED);
                        CHECK_EQ(belay_now() - begin, SECONDS(1) / 2);
                        CHECK_DELIVERED();
                        /* The end of a task from the earlier wait must not wake this sleep. */
                        CHECK_EQ(belay_sleep(SECONDS(20)), 0);
                        CHECK_EQ(belay_now() - begin, SECONDS(20) + SECONDS(1) / 2);
                        end_all();
                }
        return 0;
}

static int doubled(void *arg) {
        belay_task *twice[4];

        (void) arg;
        start_stairs();
        twice[0] = twice[2] = tasks[0];
        twice[1] = twice[3] = tasks[1];
        CHECK_EQ(belay_wait(twice, 4, BELAY_WAIT_ALL, BELAY_NEVER), 4);
        end_all();
        return 0;
}

static void in_callback(void *arg) {
        (void) arg;
        CHECK_EQ(belay_wait(tasks, MANY, BELAY_WAIT_ALL, BELAY_NEVER), -EPERM);
}

static int wrong(void *arg) {
        (void) arg;
        keep_lines();
        start_stairs();
        CHECK_EQ(belay_wait(NULL, 0, BELAY_WAIT_ALL, BELAY_NEVER), -EINVAL);
        CHECK_EQ(belay_wait(tasks, 0, BELAY_WAIT_FIRST, 0), -EINVAL);
        CHECK_LINES(2, "for no tasks");
        CHECK_EQ(belay_wait(tasks, MANY, (belay_wait_mode) 3, BELAY_NEVER), -EINVAL);
        CHECK_LINES(3, "misuse at " __FILE__);
        CHECK(belay_soon(in_callback, NULL) != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_LINES(4, "misuse at " __FILE__);
        belay_set_log(NULL, NULL);
        end_all();
        return 0;
}

int main(void) {
        RUN_VIRTUAL(modes);
        RUN_VIRTUAL(limits);
        RUN_VIRTUAL(cancelled);
        RUN_VIRTUAL(doubled);
        RUN_VIRTUAL(wrong);
        return 0;
}
