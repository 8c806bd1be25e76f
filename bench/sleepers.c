/* SPDX-License-Identifier: MIT */
/*
 * 100,000 and 1,000,000 tasks that sleep for an hour: the cost to create, cancel and reap them, and
 * their memory.
 */
#include <string.h>

#include "bench.h"

struct pass {
        double create, request, run, reap, bytes;
};

static struct {
        long count;
        struct pass cold, warm;
} crowd;

static int sleeper(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_HOUR);
}

/* Returns the sum of VmRSS and VmPTE in bytes. */
static double memory(void) {
        FILE *file = fopen("/proc/self/status", "r");
        char line[256];
        double sum = 0, value;

        while (file != NULL && fgets(line, sizeof(line), file) != NULL)
                if (sscanf(line, "VmRSS: %lf", &value) == 1
                    || sscanf(line, "VmPTE: %lf", &value) == 1)
                        sum += value * 1024;
        if (file != NULL)
                fclose(file);
        return sum;
}

static void pass(belay_task **tasks, struct pass *pass) {
        double before = memory(), marks[5];
        double count = (double) crowd.count;

        marks[0] = clock_ns();
        for (long i = 0; i < crowd.count; i++)
                tasks[i] = belay_spawn(sleeper, NULL);
        /* This task runs after all of them, so that every one sleeps when belay_yield() returns. */
        must(belay_yield());
        marks[1] = clock_ns();
        pass->bytes = (memory() - before) / count;
        pass->create = (marks[1] - marks[0]) / count;
        marks[1] = clock_ns();
        for (long i = 0; i < crowd.count; i++)
                belay_cancel(tasks[i], NULL);
        marks[2] = clock_ns();
        must(belay_yield());
        marks[3] = clock_ns();
        for (long i = 0; i < crowd.count; i++) {
                int outcome;

                must(belay_await(tasks[i], &outcome));
                belay_release(tasks[i]);
        }
        marks[4] = clock_ns();
        pass->request = (marks[2] - marks[1]) / count;
        pass->run = (marks[3] - marks[2]) / count;
        pass->reap = (marks[4] - marks[3]) / count;
}

static int both_passes(void *arg) {
        belay_task **tasks = malloc((size_t) crowd.count * sizeof(*tasks));

        (void) arg;
        if (tasks == NULL)
                return -ENOMEM;
        /* Touches the array first, because it is not part of the memory of a sleeper. */
        memset(tasks, 0, (size_t) crowd.count * sizeof(*tasks));
        pass(tasks, &crowd.cold);
        pass(tasks, &crowd.warm);
        free(tasks);
        return 0;
}

static void measure(long count) {
        if (crowd.count == count)
                return;
        crowd.count = count;
        run(both_passes, NULL);
}

static const struct {
        const char *name, *unit, *what;
} parts[] = {
        { "create", "ns", "spawned, and each asleep" },
        { "create-warm", "ns", "the same for a second time in the process" },
        { "request", "ns", "all cancelled" },
        { "run", "ns", "each has run, and has ended" },
        { "reap", "ns", "awaited and released" },
        { "cancel", "ns", "request, run and reap" },
        { "bytes", "B", "resident, page tables included, while all sleep" },
};

static double part(const char *name) {
        const struct pass *cold = &crowd.cold;

        if (strcmp(name, "create") == 0)
                return cold->create;
        if (strcmp(name, "create-warm") == 0)
                return crowd.warm.create;
        if (strcmp(name, "request") == 0)
                return cold->request;
        if (strcmp(name, "run") == 0)
                return cold->run;
        if (strcmp(name, "reap") == 0)
                return cold->reap;
        if (strcmp(name, "cancel") == 0)
                return cold->request + cold->run + cold->reap;
        return cold->bytes;
}

static const long counts[] = { 100000, 1000000 };

bool measure_sleepers(const char *name,
                      void (*print)(const char *name, double value, const char *unit)) {
        bool found = false;

        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
                for (size_t j = 0; j < sizeof(parts) / sizeof(parts[0]); j++) {
                        char full[64];

                        snprintf(full, sizeof(full), "sleepers-%ld-%s", counts[i], parts[j].name);
                        if (name != NULL && strcmp(name, full) != 0)
                                continue;
                        found = true;
                        measure(counts[i]);
                        print(full, part(parts[j].name), parts[j].unit);
                }
        return found;
}

void list_sleepers(void (*print)(const char *name, const char *what)) {
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
                for (size_t j = 0; j < sizeof(parts) / sizeof(parts[0]); j++) {
                        char full[64];

                        snprintf(full, sizeof(full), "sleepers-%ld-%s", counts[i], parts[j].name);
                        print(full, parts[j].what);
                }
}
