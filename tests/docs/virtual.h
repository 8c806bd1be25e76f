/* SPDX-License-Identifier: MIT */
/*
 * Included before a program of examples/documents: runs it on a virtual clock, which starts at 0
 * and jumps to the next deadline when no task is ready. The output does not depend on the speed of
 * the machine.
 */
#include <belay.h>

static inline int run_virtually(belay_fn *fn, void *arg) {
        return belay_run_with(fn, arg,
                              BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL));
}

/* The program took the time of its start (say.h) from the real clock. */
#undef belay_run
#define belay_run(fn, arg) (say_began = 0, run_virtually(fn, arg))
