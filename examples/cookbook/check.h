/* SPDX-License-Identifier: MIT */
/*
 * The programs of the cookbook check themselves with these.
 *
 *     check(condition)     always evaluated; if it is false, the program prints the place and exits
 *                          with 1
 *     run_virtual(fn)      runs fn(NULL) as a program on a virtual clock, which jumps to the next
 *                          deadline when no task is ready
 */
#ifndef COOKBOOK_CHECK_H
#define COOKBOOK_CHECK_H

#include <belay.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define check(condition) ((condition) ? (void) 0 : check_failed(__FILE__, __LINE__, #condition))

static inline void check_failed(const char *file, int line, const char *condition) {
        fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, condition);
        exit(1);
}

static inline int run_virtual(belay_fn *fn) {
        return belay_run_with(fn, NULL,
                              BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL));
}

#endif
