/* SPDX-License-Identifier: MIT */
/*
 * Testing programs that wait: a clock that jumps, orders that vary, and cancellation everywhere.
 *
 * The virtual clock (belay_loop_options.clock) begins at 0 and moves when nothing is ready: to the earliest deadline,
 * at once. A program runs through hours in milliseconds, and the same way each time.
 *
 * The seed (belay_loop_options.seed, or the environment variable BELAY_SEED where it is 0) lets a ready task that
 * chance chooses among the first 16 run first, instead of the one that is ready longest. It is printed as a log line
 * when a run begins, and the same seed gives the same order.
 *
 * Threads: belay_advance(), the loop's own; belay_everywhere(), any in which no loop runs.
 */
#ifndef BELAY_TESTING_H
#define BELAY_TESTING_H

#include <belay/loop.h>

BELAY_BEGIN

/*
 * Lets virtual time pass while nothing else runs, as a long computation does. 0; -EPERM on any other clock.
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_advance(belay_time span);

/*
 * Cancel-everywhere. Runs fn(arg) as a main task under the virtual clock once, undisturbed, to count the waits in
 * which it gives way; then three times more for each, cancelling it there (BELAY_ORIGIN_TEST):
 *     - by a request, as soon as the wait begins;
 *     - by a time limit around the whole of fn, which strikes then;
 *     - by a request after those have run that were ready, so that it may find the wait just ended; and, once that one is
 *       delivered, by a second one at the next wait, so during clean-up.
 * Each time it must end, the tasks that it left to the shut-down as well, within `patience` of virtual time; and
 * leave the number of the process's open descriptors, the library's memory (from belay_set_memory()'s function, this
 * thread's) and the held locks as they were before. Where it does not, a log line names the wait, its file and line
 * and what it waited for, which of the three it was and what is wrong; what still hangs is named, task by task, and
 * given up.
 *
 * `reset` (may be NULL) is called before each run, `check` (may be NULL) after each, when its loop is closed, with
 * main's outcome: not 0 is a complaint, and so reported. What is compared is from before `reset` and after `check`. A
 * run that leaves something is made again, and is complained of if it leaves something again: what is only made once,
 * at its first use, is no fault.
 *
 * fn must do the same each time. A wait that is not met again is passed over. BELAY_SEED, if set, orders these runs,
 * too. Signals are left alone. A deadlock is a run that does not end, and so is one of a million waits.
 *
 * Returns the number of complaints, 0 for none; -EBUSY inside a running loop; -ENOMEM; or why there was no loop to be
 * had.
 * Cancellation: not a cancellation point: it runs loops of its own.
 */
typedef struct belay_everywhere_options {
        size_t size;                      /* sizeof(belay_everywhere_options) */
        void (*reset)(void *arg);
        int (*check)(void *arg, int outcome);
        belay_time patience;              /* from the cancellation on, or for all of the undisturbed run; 0: an hour */
        bool all_tasks;                   /* cancels whichever task is in the wait; otherwise only main's own waits count */
        unsigned *waits;                  /* if not NULL, gets the number of waits */
        unsigned *runs;                   /* if not NULL, gets the number of runs, those included that were made again */
} belay_everywhere_options;
BELAY_API int belay_everywhere(belay_fn *fn, void *arg, const belay_everywhere_options *options) BELAY_MUST_USE;

BELAY_END
#endif
