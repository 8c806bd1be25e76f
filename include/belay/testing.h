/* SPDX-License-Identifier: MIT */
/*
 * Testing programs that wait: a clock that jumps, orders that vary, and cancellation everywhere.
 *
 * The virtual clock (belay_loop_options.clock) begins at 0 and moves when nothing is ready: to the
 * earliest deadline, at once. A program runs through hours in milliseconds, and the same way each
 * time.
 *
 * The seed (belay_loop_options.seed, or the environment variable BELAY_SEED where it is 0) lets a
 * ready task that chance chooses among the first 16 run first, instead of the one that is ready
 * longest. It is printed as a log line when a run begins, and the same seed gives the same order.
 *
 * Threads: belay_advance(), the loop's own; belay_everywhere(), any in which no loop runs.
 */
#ifndef BELAY_TESTING_H
#define BELAY_TESTING_H

#include <belay/loop.h>

BELAY_BEGIN

/*
 * Lets virtual time pass while nothing else runs, as a long computation does. 0; -EPERM on any
 * other clock.
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_advance(belay_time span);

/*
 * Cancel a program at each of its waits.
 *
 * The first run of fn(arg), as a main task under the virtual clock, is undisturbed and counts the
 * waits in which a task gives way, of all tasks and up to the end of the shut-down. Then there are
 * three more runs for each wait. They cancel the task that is in it (BELAY_ORIGIN_TEST):
 *     - by a request, as soon as the wait begins;
 *     - by a time limit around the whole of fn, which strikes then;
 *     - by a request after the tasks have run that were ready, which may find the wait just ended.
 *       Once that request is delivered, the next wait, which is in clean-up, gets a second one.
 *       Each time the program must end within `patience` of virtual time, with the tasks that it
 *       left to the shut-down. The number of the process's open descriptors, the library's memory
 *       in this thread and the held locks must be as they were before. If they are not, a log line
 *       names the wait with its file and line, the kind of the run, and what is wrong. What still
 *       hangs is named task by task, and given up.
 *
 * `reset` is called before each run. `check` is called after each run, when its loop is closed,
 * with main's outcome. If it returns another value than 0, that is a complaint. Either may be NULL.
 * What is compared is from before `reset` and after `check`. A run that leaves something is made
 * again, and only what it leaves again is complained of: a program may make something once and keep
 * it.
 *
 * fn must do the same each time. BELAY_SEED, if it is set, orders these runs, too. Signals are left
 * alone. A deadlock is a run that does not end, and so is a run of a million waits.
 *
 * "No complaints" says nothing of a wait that was not cancelled. So log lines tell how many waits
 * were not cancelled in each of the three ways: because a wait did not come again, because the time
 * limit's fn was over, because the wait was another task's (.main_only), or because there are more
 * waits than .most.
 * Returns: the number of complaints, 0 for none.
 * Errors: -EBUSY inside a running loop; -ENOMEM; or why no loop could be made.
 * Cancellation: not a cancellation point, since it runs loops of its own.
 */
typedef struct belay_everywhere_options {
        size_t size;                      /* sizeof(belay_everywhere_options) */
        void (*reset)(void *arg);
        int (*check)(void *arg, int outcome);
        belay_time patience;              /* from the cancellation on, or for all of the undisturbed run; 0: an hour */
        bool main_only;                   /* cancels main in its own waits, and leaves the waits of all other tasks out */
        unsigned most;                    /* cancels no more waits than this, the first ones; 0: all */
        unsigned *waits;                  /* if not NULL, gets the number of waits */
        unsigned *runs;                   /* if not NULL, gets the number of runs, those included that were made again */
        unsigned *untested;               /* if not NULL, gets the number of waits that were not cancelled in each of the ways */
} belay_everywhere_options;
BELAY_API int belay_everywhere(belay_fn *fn, void *arg, const belay_everywhere_options *options) BELAY_MUST_USE;

BELAY_END
#endif
