/* SPDX-License-Identifier: MIT */
/*
 * After a burst of tasks their memory returns to the system: by belay_trim() while the loop runs,
 * and without a call when it is closed. A remaining handle keeps only a few pages.
 */
#include "../base/help.h"

enum { TASKS = 10000, FUTURES = 200000, ROUND = 100 };

#define MUCH   ((long) FUTURES * 320) /* least memory that their records take */
#define LITTLE (MUCH / 8)

static long before;

static void is_little(const char *what) {
        long more = resident_memory() - before;

        printf("%s: %ld KiB more than before\n", what, more / 1024);
        CHECK(more < LITTLE);
}

static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_SECOND);
}

static void many_tasks(void) {
        static belay_task *tasks[TASKS];

        for (int i = 0; i < TASKS; i++)
                tasks[i] = must(belay_spawn(sleeps, NULL));
        for (int i = 0; i < TASKS; i++) {
                CHECK_EQ(belay_await(tasks[i], NULL), 0);
                belay_release(tasks[i]);
        }
}

static belay_future *futures[FUTURES];

static void make_futures(void) {
        for (int i = 0; i < FUTURES; i++)
                futures[i] = must(belay_future_new());
        CHECK(resident_memory() - before >= MUCH);
}

static void release_futures(int but_each) {
        for (int i = 0; i < FUTURES; i++)
                if (but_each == 0 || i % but_each != 0)
                        belay_release(futures[i]);
}

static int trims(void *arg) {
        (void) arg;
        for (int round = 0; round < 2; round++) {
                many_tasks();
                belay_trim();
                is_little("after many tasks");
                make_futures();
                release_futures(0);
                CHECK(belay_trim() >= (size_t) MUCH / 2);
                is_little("after many futures");
        }
        /* Futures that are in use stay, with everything that belongs to them. */
        make_futures();
        release_futures(ROUND);
        belay_trim();
        for (int i = 0; i < FUTURES; i += ROUND)
                CHECK(!belay_done(futures[i]));
        many_tasks();
        for (int i = 0; i < FUTURES; i += ROUND) {
                CHECK_EQ(belay_future_set(futures[i], i), 0);
                CHECK_EQ(belay_result(futures[i]), i);
                belay_release(futures[i]);
        }
        return 0;
}

/* The heap of timers shrinks, and the timers in it must still fire in order. */
static int fired;

static void fires(void *arg) {
        CHECK_EQ(fired, (int) (long) arg);
        fired++;
}

static int timers(void *arg) {
        enum { KEPT = 50 };

        (void) arg;
        fired = 0;
        for (long i = 0; i < KEPT; i++)
                CHECK(belay_later((KEPT * 2 + i) * BELAY_SECOND, fires, (void *) i) != 0);
        many_tasks();
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        belay_trim();
        CHECK_EQ(belay_trim(), 0);
        CHECK_EQ(belay_sleep(3 * KEPT * BELAY_SECOND), 0);
        CHECK_EQ(fired, KEPT);
        return 0;
}

static int closes(void *arg) {
        (void) arg;
        many_tasks();
        make_futures();
        release_futures(0);
        return 0;
}

static int leaves_some(void *arg) {
        (void) arg;
        make_futures();
        release_futures(FUTURES / 20);
        return 0;
}

int main(void) {
        if (is_checked())
                SKIP("memory is counted");
        memset(futures, 1, sizeof(futures));
        RUN_VIRTUAL(timers);
        before = resident_memory();
        RUN_VIRTUAL(trims);
        RUN_VIRTUAL(closes);
        is_little("after a loop");
        RUN_VIRTUAL(leaves_some);
        is_little("after a loop of which handles are left");
        for (int i = 0; i < FUTURES; i += FUTURES / 20)
                belay_release(futures[i]);
        is_little("after they were released");
        return 0;
}
