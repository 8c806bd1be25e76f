/* SPDX-License-Identifier: MIT */
/*
 * Testing programs that wait: a clock that jumps, orders that vary, and cancellation everywhere.
 *
 * The virtual clock (belay_loop_options.clock) begins at 0 and moves when nothing is ready: to the earliest deadline, at
 * once. A program runs through hours in milliseconds, and the same way each time.
 *
 * The seed (belay_loop_options.seed, or the environment variable BELAY_SEED where it is 0) lets a ready task that chance
 * chooses run first, instead of the one that is ready longest. It is printed as a log line when a run begins, and the same seed
 * gives the same order.
 */
#ifndef BELAY_TESTING_H
#define BELAY_TESTING_H

#include <belay/loop.h>

BELAY_BEGIN

/* Lets virtual time pass while nothing else runs, as a long computation does. -EPERM on any other clock. */
BELAY_API int belay_advance(belay_time span);

/*
 * Cancel-everywhere. Runs fn(arg) as a main task under the virtual clock once, to count the waits in which it gives way; then once more
 * for each, cancelling it there: by a request; by a time limit around the whole; by a request followed by a second one
 * at its next wait, so during clean-up. Each time it must end (within `patience` of virtual time), and leave the number
 * of the process's open descriptors, the memory from belay_set_memory()'s function, the tasks and the held locks as they were
 * before. Where it does not, a log line names the wait: file, line and what it waited for.
 *
 * `reset` (may be NULL) is called before each run. `check` (may be NULL) after each, with fn's outcome: not 0 is a complaint, and so
 * reported. fn must do the same each time; runs are sequential, and a wait that is not met again is passed over.
 *
 * Returns the number of complaints, 0 for none; -EBUSY inside a running loop; -ENOMEM.
 */
typedef struct belay_everywhere_options {
        size_t size;                      /* sizeof(belay_everywhere_options) */
        void (*reset)(void *arg);
        int (*check)(void *arg, int outcome);
        belay_time patience;              /* 0: an hour */
        bool all_tasks;                   /* cancels whichever task is in the wait; otherwise only main's own waits count */
        unsigned *waits;                  /* if not NULL, gets the number of waits */
        unsigned *runs;                   /* if not NULL, gets the number of runs */
} belay_everywhere_options;
BELAY_API int belay_everywhere(belay_fn *fn, void *arg, const belay_everywhere_options *options) BELAY_MUST_USE;

BELAY_END
#endif
