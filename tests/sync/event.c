/* SPDX-License-Identifier: MIT */
/*
 * The event: setting it wakes all waiting tasks in the order of arrival. While it is set, a wait is
 * no cancellation point.
 */
#include "../scope/parts.h"

enum { MANY = 5 };

static belay_event event = BELAY_EVENT_INIT;
static int order[MANY], ordered;

static int waits(void *arg) {
        int rc = belay_event_wait(&event);

        order[ordered++] = *(int *) arg;
        return rc;
}

static int numbers[] = { 0, 1, 2, 3, 4 };
static belay_task *tasks[MANY];

static void start_all(void) {
        ordered = 0;
        for (int i = 0; i < MANY; i++)
                tasks[i] = must(belay_spawn(waits, &numbers[i]));
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(ordered, 0);
}

static int set(void *arg) {
        (void) arg;
        CHECK(!belay_event_is_set(&event));
        start_all();
        belay_event_set(&event);
        belay_event_set(&event);
        CHECK(belay_event_is_set(&event));
        CHECK_EQ(ordered, 0);
        CHECK_EQ(belay_yield(), 0);
        for (int i = 0; i < MANY; i++) {
                CHECK_EQ(order[i], i);
                CHECK_EQ(ended_with(tasks[i]), 0);
        }
        /* The event is set, so the wait is no cancellation point. */
        belay_cancel(belay_self(), NULL);
        CHECK_EQ(belay_event_wait(&event), 0);
        belay_event_clear(&event);
        CHECK(!belay_event_is_set(&event));
        CHECK_EQ(belay_event_wait(&event), -ECANCELED);
        CHECK_DELIVERED();
        return 0;
}

/*
 * The event is cleared before the woken tasks run. They must return, and a task that arrives later
 * waits.
 */
static int cleared(void *arg) {
        belay_task *late;

        (void) arg;
        start_all();
        belay_event_set(&event);
        belay_event_clear(&event);
        late = must(belay_spawn(waits, &numbers[0]));
        ordered = 0;
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(ordered, MANY);
        for (int i = 0; i < MANY; i++)
                CHECK_EQ(ended_with(tasks[i]), 0);
        CHECK_EQ(belay_sleep(SECONDS(1)), 0);
        CHECK(!belay_done(late));
        ordered = 0;
        belay_event_set(&event);
        CHECK_EQ(belay_join(late, NULL), 0);
        belay_release(late);
        belay_event_clear(&event);
        return 0;
}

static int cancelled(void *arg) {
        (void) arg;
        for (int woken = 0; woken < 2; woken++) {
                start_all();
                if (woken)
                        belay_event_set(&event);
                belay_cancel(tasks[1], NULL);
                belay_cancel(tasks[3], NULL);
                CHECK_EQ(belay_yield(), 0);
                CHECK_EQ(belay_done(tasks[0]), woken);
                belay_event_set(&event);
                CHECK_EQ(belay_gather_collect(tasks, MANY), 0);
                for (int i = 0; i < MANY; i++)
                        CHECK_EQ(ended_with(tasks[i]), i == 1 || i == 3 ? -ECANCELED : 0);
                belay_event_clear(&event);
        }
        return 0;
}

static int limited(void *arg) {
        belay_timeout limit;
        belay_time begin = belay_now();

        (void) arg;
        belay_timeout_enter(&limit, SECONDS(2));
        CHECK_EQ(belay_timeout_leave(&limit, belay_event_wait(&event)), -ETIMEDOUT);
        CHECK_EQ(belay_now() - begin, SECONDS(2));
        CHECK_CLEAN();
        return 0;
}

static void in_callback(void *arg) {
        (void) arg;
        CHECK_EQ(belay_event_wait(&event), -EPERM);
        belay_event_set(&event);
        CHECK_EQ(belay_event_wait(&event), 0);
        belay_event_clear(&event);
}

static int misuse(void *arg) {
        (void) arg;
        keep_lines();
        CHECK(belay_soon(in_callback, NULL) != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_LINES(1, "belay_event_wait() outside of a task");
        belay_set_log(NULL, NULL);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(set);
        RUN_VIRTUAL(cleared);
        RUN_VIRTUAL(cancelled);
        RUN_VIRTUAL(limited);
        RUN_VIRTUAL(misuse);
        return 0;
}
