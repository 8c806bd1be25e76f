/* SPDX-License-Identifier: MIT */
/*
 * Testing programs that wait: a clock that jumps, orders that vary, and cancellation everywhere.
 *
 * The virtual clock (belay_loop_options.clock) begins at 0. When nothing is ready, it moves to the
 * earliest timer at once. A program runs through hours in milliseconds, and in the same way each
 * time.
 *
 * With a seed (belay_loop_options.seed or, if that is 0, the environment variable BELAY_SEED) the
 * order in which ready tasks run is pseudo-random. In each turn the loop shuffles the first 64
 * entries of the ready queue. In half of the turns it may defer some of them to the next turn. A
 * log line shows the seed when a run begins, and the same seed gives the same order.
 *
 * Cancellation: no function here is a cancellation point.
 */
#ifndef BELAY_TESTING_H
#define BELAY_TESTING_H

#include <belay/loop.h>

BELAY_BEGIN

/*
 * Let virtual time pass while nothing else runs, as a long computation does.
 *
 * Returns: 0.
 * Errors:
 *   -EPERM      no loop with a virtual clock runs in this thread, or `span` is negative (reported).
 * Threads: the loop's own thread.
 */
BELAY_API int belay_advance(belay_time span);

/* Options of belay_everywhere(). Zero is the default of each. */
typedef struct belay_everywhere_options {
        size_t size;                          /* sizeof(belay_everywhere_options) */
        void (*reset)(void *arg);             /* called before each run; NULL: none */
        int (*check)(void *arg, int outcome); /* called after each run; NULL: none */
        /* span from the cancellation on, or for all of the undisturbed run; 0: 1 hour */
        belay_time patience;
        bool main_only;     /* cancel main in its own waits, and no other task */
        unsigned most;      /* cancel only this number of waits, the first; 0: all */
        unsigned *waits;    /* gets the number of waits; NULL: not wanted */
        unsigned *runs;     /* gets the number of runs, with repeated ones; or NULL */
        unsigned *untested; /* gets the number of waits not fully tested; or NULL */
} belay_everywhere_options;
/*
 * Cancel a program at each of its waits.
 *
 * The first run of fn(arg), as a main task under the virtual clock, is undisturbed. It counts the
 * waits in which a task yields, of all tasks and until the end of the shutdown. Then there are
 * three more runs for each wait. They cancel the task that is in the wait (BELAY_ORIGIN_TEST):
 *     - by a request, as soon as the wait begins;
 *     - by a timeout around the whole of fn, which then expires;
 *     - by a request after the ready tasks have run, which may find the wait just ended. When that
 *       request has been delivered, the next wait, which is in the cleanup, gets a second one.
 *
 * Each time the program, with the tasks that it left to the shutdown, must end within .patience of
 * virtual time. The number of the process's open descriptors, the library's memory in this thread
 * and the held locks must be as before. If one of these fails, a log line names the wait with its
 * file and line, the kind of the run, and the fault. If tasks still wait, log lines name each of
 * them, and the shutdown abandons them.
 *
 * .reset is called before each run. .check is called with main's outcome after each run, when the
 * loop is closed. If it returns another value than 0, that is a complaint. The comparison covers
 * the time from before .reset until after .check. A run that leaves something is repeated, and only
 * what the repeated run leaves again is a complaint. So a program may make something once and keep
 * it.
 *
 * `fn` must do the same each time. If BELAY_SEED is set, it orders these runs, too. The runs
 * install no signal handlers. A deadlock is a run that does not end, and so is a run of 1,000,000
 * waits.
 *
 * No complaints say nothing about a wait that was not cancelled. So log lines report how many waits
 * were not cancelled in each of the three ways, and why. The wait did not come again, fn had
 * returned before the timeout, the wait was another task's (.main_only), or there are more waits
 * than .most.
 *
 * The function also returns any other error of belay_loop_new() and belay_loop_run().
 *
 * Returns: the number of complaints, 0 for none.
 * Errors:
 *   -EBUSY      a loop runs in this thread.
 *   -ENOMEM     no memory.
 *   -EMFILE     the process has no descriptor left for a loop.
 *   -ENFILE     the system has no descriptor left for a loop.
 * Threads: any thread in which no loop runs.
 */
BELAY_API int belay_everywhere(belay_fn *fn, void *arg,
                               const belay_everywhere_options *options) BELAY_MUST_USE;

BELAY_END
#endif
