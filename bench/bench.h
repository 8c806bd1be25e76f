/* SPDX-License-Identifier: MIT */
/*
 * The declarations that all figures share.
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
        /*
         * Measures one round and returns the value for `count` repetitions. If this is NULL, the
         * previous figure supplies the value.
         */
        double (*measure)(long count);
        long count; /* number of repetitions to begin with */
};

/* Tables that end with a figure without a name. */
extern const struct figure switch_figures[], task_figures[], sync_figures[], crowd_figures[];

/* Measures all figures of the sleepers in one pass. Returns false if `name` is none of them. */
bool measure_sleepers(const char *name,
                      void (*print)(const char *name, double value, const char *unit));
void list_sleepers(void (*print)(const char *name, const char *what));

/* Returns the monotonic clock in nanoseconds. */
static inline double clock_ns(void) {
        return (double) (belay_now) ();
}

/* Runs fn as the main task. Exits if that fails, because a failed run measures nothing. */
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
