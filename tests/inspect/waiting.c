/* SPDX-License-Identifier: MIT */
/*
 * Tests belay_waiting() for a task in each of its states, and for each wait that names another
 * task.
 */
#include "capture.h"

static belay_wait_info about(const belay_task *task) {
        belay_wait_info info = { .size = sizeof(info) };

        belay_waiting(task, &info);
        CHECK_EQ(info.size, sizeof(info));
        return info;
}

/* The task does not wait, so all fields but `what` must be empty. */
static void says_only(const belay_task *task, const char *what) {
        belay_wait_info info = about(task);

        CHECK_STR(info.what, what);
        CHECK_STR(info.on, NULL);
        CHECK_STR(info.place, NULL);
        CHECK_EQ(info.since, 0);
        CHECK(info.task == NULL);
}

static void says(const belay_task *task, const char *what, const char *on, const belay_task *whom) {
        belay_wait_info info = about(task);

        CHECK_STR(info.what, what);
        CHECK_STR(info.on, on);
        CHECK(info.place != NULL && strncmp(info.place, "tests/inspect/waiting.c:", 24) == 0);
        CHECK_EQ(info.since, BELAY_SECOND);
        CHECK(info.task == whom);
}

static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_HOUR);
}

static int sleeps_for_ever(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_NEVER);
}

static int awaits(void *arg) {
        return belay_await(arg, NULL);
}

static int joins(void *arg) {
        return belay_join(arg, NULL);
}

static int shields(void *arg) {
        return belay_shield(arg, NULL);
}

static int waits(void *arg) {
        return belay_wait(arg, 2, BELAY_WAIT_ALL, BELAY_HOUR);
}

static int awaits_event(void *arg) {
        return belay_event_wait(arg);
}

static int leaves_group(void *arg) {
        belay_group group;
        int rc = belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .name = "crew"));

        if (rc == 0)
                rc = belay_group_spawn_with(&group, sleeps, NULL, NULL, arg);
        return belay_group_leave(&group, rc);
}

static int ends(void *arg) {
        (void) arg;
        return 5;
}

static belay_task *start(belay_fn *fn, void *arg, const char *name) {
        belay_task *task = belay_spawn_with(fn, arg,
                                            BELAY_OPTIONS(belay_spawn_options, .name = name));

        CHECK(task != NULL);
        return task;
}

static int everything(void *arg) {
        enum { COUNT = 10 };
        /* Static, because other tasks still use these when this task has ended. */
        static belay_event event;
        static belay_task *both[2], *member;
        belay_task *tasks[COUNT];
        belay_future *future = belay_future_new();
        struct {
                belay_wait_info info;
                const char *more;
        } wide = { .more = "untouched" };
        belay_wait_info narrow = { .size = offsetof(belay_wait_info, place), .place = "untouched" };

        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        tasks[0] = both[0] = start(sleeps, NULL, "sleeper");
        tasks[1] = both[1] = start(sleeps_for_ever, NULL, NULL);
        tasks[2] = start(awaits, tasks[0], NULL);
        tasks[3] = start(joins, tasks[1], NULL);
        tasks[4] = start(shields, future, NULL);
        tasks[5] = start(waits, both, NULL);
        tasks[6] = start(awaits_event, &event, NULL);
        tasks[7] = start(leaves_group, &member, NULL);
        tasks[8] = start(ends, NULL, NULL);

        says_only(NULL, "none");
        says_only(belay_self(), "running");
        says_only(tasks[0], "new");
        says_only(future, "pending");
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);

        says(tasks[0], "sleep", NULL, NULL);
        says(tasks[1], "sleep without a limit", NULL, NULL);
        says(tasks[2], "await", "sleeper", tasks[0]);
        says(tasks[3], "join", NULL, tasks[1]);
        says(tasks[4], "shield", NULL, future);
        says(tasks[5], "wait", NULL, tasks[0]);
        says(tasks[6], "event", NULL, NULL);
        says(tasks[7], "group", "crew", member);
        says_only(tasks[8], "done");
        belay_event_set(&event);
        says_only(tasks[6], "ready");
        CHECK(belay_cancel(future, NULL));
        says_only(future, "done");

        /* Programs that were compiled with another version of the struct. */
        belay_waiting(tasks[2], &narrow);
        CHECK_STR(narrow.on, "sleeper");
        CHECK_STR(narrow.place, "untouched");
        wide.info.size = sizeof(wide);
        belay_waiting(tasks[2], &wide.info);
        CHECK(wide.info.task == tasks[0]);
        CHECK_STR(wide.more, "untouched");

        CHECK_EQ(belay_yield(), 0);
        tasks[9] = belay_ref(future);
        belay_release(future);
        belay_release(member);
        for (int i = 0; i < COUNT; i++)
                belay_release(tasks[i]);
        return 0;
}

int main(void) {
        CHECK_EQ(run_virtually(everything), 0);
        return 0;
}
