/* SPDX-License-Identifier: MIT */
/*
 * The default stack must bear the printing functions of the C library, including floating point,
 * with room to spare.
 */
#include <math.h>

#include "core/task.h"

#include <belay/places.h>

#include "check.h"

static size_t used(void) {
        return bly_stack_used(&belay_self()->stack);
}

static int compare(const void *a, const void *b) {
        return *(const int *) a - *(const int *) b;
}

static int prints(void *arg) {
        char text[512];
        int numbers[64];
        double value = 0;
        FILE *file;

        (void) arg;
        snprintf(text, sizeof(text), "%.30Lf %a %e %g", (long double) 1e30, 3.25, -1e-300,
                 12345.678);
        CHECK(strstr(text, "0x1.ap+1") != NULL);
        CHECK_EQ(sscanf("2.5e3", "%lf", &value), 1);
        CHECK(value == 2500.0);
        snprintf(text, sizeof(text), "%.400f", M_PI);
        CHECK(strncmp(text, "3.14159265358979", 16) == 0);
        file = tmpfile();
        CHECK(file != NULL);
        CHECK(fprintf(file, "%f %s %d\n", value, "text", 3) > 0);
        fclose(file);
        for (int i = 0; i < 64; i++)
                numbers[i] = 64 - i;
        qsort(numbers, 64, sizeof(numbers[0]), compare);
        CHECK_EQ(numbers[0], 1);
        CHECK(strerror(ENOENT) != NULL);
        return 0;
}

static int measures(void *arg) {
        size_t before = used();
        int rc = prints(arg), line;

        printf("before: %zu KiB, after the C library's printing: %zu KiB\n", before / 1024,
               used() / 1024);
        CHECK(used() <= 32 * 1024);
        /* A log line of the library, from the depth of a task. */
        line = belay_result_placed("here:1", belay_self());
        CHECK_EQ(line, -EINPROGRESS);
        printf("and after a report: %zu KiB\n", used() / 1024);
        CHECK(used() <= 32 * 1024);
        return rc;
}

static int only_sleeps(void *arg) {
        CHECK_EQ(belay_sleep_placed(NULL, 1), 0);
        *(size_t *) arg = used();
        return 0;
}

static int app(void *arg) {
        belay_task *task;
        size_t depth = 0;
        int outcome;

        (void) arg;
        task = belay_spawn_placed(NULL, measures, NULL);
        CHECK(task != NULL);
        CHECK_EQ(belay_await_placed(NULL, task, &outcome), 0);
        CHECK_EQ(outcome, 0);
        belay_release(task);

        /*
         * The default is 64 KiB. The offset that staggers the tops of the stacks is subtracted from
         * it.
         */
        CHECK(bly_stack_size(&belay_self()->stack) == 64 * 1024);
        /* A task that only waits touches 1 or 2 pages of a fresh stack. */
        for (int i = 0; i < 3; i++)
                CHECK_EQ(belay_yield_placed(NULL), 0);
        task = belay_spawn_with_placed(NULL, only_sleeps, &depth,
                                       &(belay_spawn_options) { .size = sizeof(belay_spawn_options),
                                                                .stack_size = 128 * 1024 });
        CHECK(task != NULL);
        CHECK_EQ(belay_await_placed(NULL, task, NULL), 0);
        printf("a task that sleeps touched %zu KiB\n", depth / 1024);
        CHECK(depth > 0);
        if (bly_tools == 0)
                CHECK(depth <= 12 * 1024);
        belay_release(task);
        return 0;
}

int main(void) {
        CHECK_EQ(belay_run_placed(NULL, app, NULL), 0);
        return 0;
}
