/* SPDX-License-Identifier: MIT */
/*
 * Trimming: memory that free and suspended stacks have touched returns to the system, without any
 * other effect.
 */
#include "../base/help.h"

enum { TASKS = 200, DEEP = 40 * 1024 };

static __attribute__((noinline)) int dive(int seed) {
        volatile char room[DEEP];
        int sum = 0;

        for (size_t i = 0; i < sizeof(room); i += 64)
                room[i] = (char) seed;
        for (size_t i = 0; i < sizeof(room); i += 64)
                sum += room[i] == (char) seed;
        return sum == DEEP / 64 ? 0 : -EIO;
}

static int dives(void *arg) {
        volatile int kept[16];
        int seed = *(int *) arg;

        for (int i = 0; i < 16; i++)
                kept[i] = seed + i;
        CHECK_EQ(dive(seed), 0);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        for (int i = 0; i < 16; i++)
                CHECK_EQ(kept[i], seed + i);
        CHECK_EQ(dive(seed + 1), 0);
        return belay_sleep(BELAY_SECOND);
}

static int app(void *arg) {
        static belay_task *tasks[TASKS];
        static int seeds[TASKS];
        long before, after;
        size_t bytes;

        (void) arg;
        for (int i = 0; i < TASKS; i++) {
                seeds[i] = i;
                tasks[i] = must(belay_spawn(dives, &seeds[i]));
        }
        CHECK_EQ(belay_yield(), 0);
        /* Suspended stacks, whose tasks go on with their data. */
        before = resident_memory();
        bytes = belay_trim();
        after = resident_memory();
        printf("suspended: %zu KiB said to be given back, %ld KiB less resident\n", bytes / 1024,
               (before - after) / 1024);
        CHECK(bytes >= (size_t) TASKS * (DEEP - 8192));
        if (!is_checked())
                CHECK(before - after >= (long) TASKS * (DEEP - 8192) / 2);
        for (int i = 0; i < TASKS; i++) {
                int outcome;

                CHECK_EQ(belay_await(tasks[i], &outcome), 0);
                CHECK_EQ(outcome, 0);
                belay_release(tasks[i]);
        }
        /* Free stacks. */
        before = resident_memory();
        bytes = belay_trim();
        after = resident_memory();
        printf("free: %zu KiB said to be given back, %ld KiB less resident\n", bytes / 1024,
               (before - after) / 1024);
        CHECK(bytes >= (size_t) TASKS * (DEEP - 8192));
        if (!is_checked())
                CHECK(before - after >= (long) TASKS * (DEEP - 8192) / 2);
        /* They can be used again. */
        CHECK_EQ(dive(1), 0);
        for (int i = 0; i < TASKS; i++)
                tasks[i] = must(belay_spawn(dives, &seeds[i]));
        for (int i = 0; i < TASKS; i++) {
                CHECK_EQ(belay_await(tasks[i], NULL), 0);
                CHECK_EQ(belay_result(tasks[i]), 0);
                belay_release(tasks[i]);
        }
        return 0;
}

/* Trims from a frame that is deeper than the caller was when it last waited. */
static __attribute__((noinline)) int trim_below(void) {
        volatile char room[DEEP];

        for (size_t i = 0; i < sizeof(room); i += 64)
                room[i] = (char) (i / 64);
        belay_trim();
        for (size_t i = 0; i < sizeof(room); i += 64)
                CHECK_EQ(room[i], (char) (i / 64));
        return 0;
}

static int from_below(void *arg) {
        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        return trim_below();
}

static void from_callback(void *arg) {
        belay_trim();
        *(bool *) arg = true;
}

static int eager(void *arg) {
        belay_trim();
        CHECK_EQ(belay_yield(), 0);
        (void) arg;
        belay_trim();
        return 0;
}

/*
 * Trims from everywhere. The stack of a running task, and that of a task that goes on after an
 * eager start, are in use.
 */
static int anywhere(void *arg) {
        volatile char kept[4096];
        bool called = false;
        belay_task *task;

        (void) arg;
        memset((char *) kept, 7, sizeof(kept));
        task = must(
                belay_spawn_with(eager, NULL, BELAY_OPTIONS(belay_spawn_options, .eager = true)));
        CHECK(belay_soon(from_callback, &called) != 0);
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK(called);
        for (size_t i = 0; i < sizeof(kept); i++)
                CHECK_EQ(kept[i], 7);
        belay_release(task);
        return 0;
}

int main(void) {
        CHECK_EQ(belay_trim(), 0);
        RUN_VIRTUAL(app);
        RUN_VIRTUAL(anywhere);
        RUN_VIRTUAL(from_below);
        return 0;
}
