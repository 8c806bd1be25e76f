/* SPDX-License-Identifier: MIT */
/*
 * What a figure is made of.
 */
#ifndef BENCH_H
#define BENCH_H

#include <belay.h>

#include <stdio.h>
#include <stdlib.h>

struct figure {
        const char *name;
        const char *unit;
        const char *what;
        /* One round: the value of so many repetitions. NULL: filled in by the figure before it. */
        double (*measure)(long count);
        long count;             /* repetitions to begin with */
};

/* Tables that end in a figure without a name. */
extern const struct figure switch_figures[], task_figures[], sync_figures[], crowd_figures[];

/* The sleepers' figures come all from one pass. False: the name is none of them. */
bool measure_sleepers(const char *name, void (*print)(const char *name, double value, const char *unit));
void list_sleepers(void (*print)(const char *name, const char *what));

/* Nanoseconds on the monotonic clock. */
static inline double clock_ns(void) {
        return (double) (belay_now)();
}

/* Runs fn as a main task; a program that measures wants no surprises. */
static inline void run(belay_fn *fn, void *arg) {
        int rc = belay_run(fn, arg);

        if (rc < 0) {
                fprintf(stderr, "belay-bench: %d\n", rc);
                exit(1);
        }
}

static inline void must(int rc) {
        if (rc < 0) {
                fprintf(stderr, "belay-bench: unexpected %d\n", rc);
                exit(1);
        }
}

#endif
