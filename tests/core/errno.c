/* SPDX-License-Identifier: MIT */
/*
 * errno belongs to a task: a wait restores its value, whatever the other tasks did to errno
 * meanwhile.
 */
#include "../base/help.h"

static int spoils(void *arg) {
        int mine = *(int *) arg;

        CHECK_EQ(errno, 0); /* a new task begins with errno 0 */
        for (int i = 0; i < 10; i++) {
                errno = mine;
                CHECK_EQ(belay_yield(), 0);
                CHECK_EQ(errno, mine);
                CHECK_EQ(belay_sleep(BELAY_MICROSECOND), 0);
                CHECK_EQ(errno, mine);
        }
        return 0;
}

static void spoils_in_callback(void *arg) {
        (void) arg;
        errno = 99;
}

static int spoils_eagerly(void *arg) {
        (void) arg;
        errno = 98;
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(errno, 98);
        errno = 97;
        return 0;
}

static void log_that_spoils(void *context, belay_log_level level, const char *line) {
        (void) context;
        (void) level;
        (void) line;
        errno = 96;
}

static int several(void *arg) {
        static int numbers[] = { 11, 12, 13 };
        belay_task *tasks[3], *eager;

        (void) arg;
        for (int i = 0; i < 3; i++)
                tasks[i] = must(belay_spawn(spoils, &numbers[i]));
        errno = 42;
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_await(tasks[i], NULL), 0);
                CHECK_EQ(errno, 42);
                belay_release(tasks[i]);
        }
        CHECK(belay_soon(spoils_in_callback, NULL) != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(errno, 42);
        eager = must(belay_spawn_with(spoils_eagerly, NULL,
                                      BELAY_OPTIONS(belay_spawn_options, .eager = true)));
        CHECK_EQ(errno, 42);
        CHECK_EQ(belay_join(eager, NULL), 0);
        CHECK_EQ(errno, 42);
        belay_release(eager);
        for (int i = 0; i < 3000; i++)
                CHECK_EQ(belay_checkpoint(), 0);
        CHECK_EQ(errno, 42);

        /* A log line must not change errno either. */
        belay_set_log(log_that_spoils, NULL);
        CHECK_EQ(belay_result(belay_self()), -EINPROGRESS);
        CHECK_EQ(errno, 42);
        belay_set_log(NULL, NULL);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(several);
        CHECK_EQ(belay_run(several, NULL), 0);
        return 0;
}
