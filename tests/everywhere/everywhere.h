/* SPDX-License-Identifier: MIT */
/*
 * Runs a program again and again and cancels another of its waits each time. First only the waits
 * of main are cancelled, then those of all tasks.
 *
 * Each program runs with the plain order of the ready queue (seed 0) and with five seeds. A run
 * must leave no complaint of belay_everywhere() and no error line of the library. If a wait of main
 * is cancelled in the plain order, main must end with that cancellation. A program that loses a
 * request would end otherwise.
 *
 * If threads work for the program, a run may have fewer waits than the undisturbed run, and its
 * wait does not come. belay_everywhere() logs the number of these runs, and only as many runs may
 * end without a cancellation.
 */
#ifndef BELAY_TESTS_EVERYWHERE_H
#define BELAY_TESTS_EVERYWHERE_H

#include <belay.h>

#include "check.h"

struct program {
        const char *name;
        belay_fn *fn;
        void *arg;
        void (*reset)(void *arg);
        int (*check)(void *arg, int outcome);
        unsigned waits; /* least number of waits, of all tasks */
};

static int error_lines;
static const struct program *program_now;
static unsigned runs_now;
static bool main_is_cancelled; /* true in all runs but the undisturbed one */
static unsigned runs_spared;   /* runs of these that ended without a cancellation */
static unsigned runs_missed;   /* runs whose wait did not come, as the log says */

static inline void note_line(void *context, belay_log_level level, const char *line) {
        const char *missed = strstr(line, " is wait ");

        (void) context;
        if (level != BELAY_LOG_NOTICE) {
                fprintf(stderr, "%s\n", line);
                error_lines++;
        } else if (missed != NULL) {
                CHECK_EQ(sscanf(missed, " is wait %*u: in %u runs ", &runs_missed), 1);
        }
}

/* The outcomes with which a program may end if one of its waits is cancelled. */
static inline int is_cancelled(int outcome) {
        return outcome == -ECANCELED || outcome == -ETIMEDOUT;
}

static inline int check_program(void *arg, int outcome) {
        if (runs_now++ > 0 && main_is_cancelled && !is_cancelled(outcome))
                runs_spared++;
        return program_now->check(arg, outcome);
}

#define EVERYWHERE(fn, arg, reset, check, waits) \
        everywhere(&(struct program) { #fn, fn, arg, reset, check, waits })

static inline void everywhere(const struct program *program) {
        static const char *const seeds[] = { "0", "1", "2", "3", "4", "5" };

        belay_set_log(note_line, NULL);
        for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++)
                for (int all_tasks = 0; all_tasks < 2; all_tasks++) {
                        unsigned waits = 0, runs = 0;
                        int rc;

                        error_lines = 0;
                        program_now = program;
                        runs_now = runs_spared = runs_missed = 0;
                        main_is_cancelled = !all_tasks && i == 0;
                        CHECK_EQ(setenv("BELAY_SEED", seeds[i], 1), 0);
                        rc = belay_everywhere(
                                program->fn, program->arg,
                                BELAY_OPTIONS(belay_everywhere_options, .reset = program->reset,
                                              .check = check_program, .main_only = !all_tasks,
                                              .waits = &waits, .runs = &runs));
                        if (rc != 0 || error_lines > 0 || runs_spared > runs_missed) {
                                fprintf(stderr,
                                        "%s, seed %s, %s: %d complaints, %d lines, "
                                        "in %u runs for %u waits, "
                                        "%u without a cancellation where %u are missed\n",
                                        program->name, seeds[i], all_tasks ? "all tasks" : "main",
                                        rc, error_lines, runs, waits, runs_spared, runs_missed);
                                CHECK_END(1);
                        }
                        if (all_tasks && waits < program->waits) {
                                fprintf(stderr, "%s, seed %s: only %u waits\n", program->name,
                                        seeds[i], waits);
                                CHECK_END(1);
                        }
                }
        unsetenv("BELAY_SEED");
}

#endif
