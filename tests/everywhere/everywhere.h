/* SPDX-License-Identifier: MIT */
/*
 * Every wait of a program is cancelled, main's alone and then those of all tasks; in the order of the queue and in a few that chance
 * chooses. Nothing may be complained of, and the library may have no errors to report. Where it was main that was cancelled, in
 * the order of the queue, main ends so: nothing swallowed the request.
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
        unsigned waits;                 /* that there are at least, of all tasks */
};

static int error_lines;
static const struct program *program_now;
static unsigned runs_now;
static bool main_is_cancelled;          /* in all runs but the first */

static inline void note_line(void *context, belay_log_level level, const char *line) {
        (void) context;
        if (level != BELAY_LOG_NOTICE) {
                fprintf(stderr, "%s\n", line);
                error_lines++;
        }
}

/* Ends that everything may come to when it is cancelled. */
static inline int is_cancelled(int outcome) {
        return outcome == -ECANCELED || outcome == -ETIMEDOUT;
}

static inline int check_program(void *arg, int outcome) {
        if (runs_now++ > 0 && main_is_cancelled && !is_cancelled(outcome))
                return -1;
        return program_now->check(arg, outcome);
}

#define EVERYWHERE(fn, arg, reset, check, waits) everywhere(&(struct program) { #fn, fn, arg, reset, check, waits })

static inline void everywhere(const struct program *program) {
        static const char *const seeds[] = { "0", "1", "2", "3", "4", "5" };

        belay_set_log(note_line, NULL);
        for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++)
                for (int all_tasks = 0; all_tasks < 2; all_tasks++) {
                        unsigned waits = 0, runs = 0;
                        int rc;

                        error_lines = 0;
                        program_now = program;
                        runs_now = 0;
                        main_is_cancelled = !all_tasks && i == 0;
                        CHECK_EQ(setenv("BELAY_SEED", seeds[i], 1), 0);
                        rc = belay_everywhere(program->fn, program->arg, BELAY_OPTIONS(belay_everywhere_options,
                                        .reset = program->reset, .check = check_program,
                                        .main_only = !all_tasks, .waits = &waits, .runs = &runs));
                        if (rc != 0 || error_lines > 0) {
                                fprintf(stderr, "%s, seed %s, %s: %d complaints, %d lines, in %u runs for %u waits\n",
                                        program->name, seeds[i], all_tasks ? "all tasks" : "main", rc, error_lines, runs, waits);
                                CHECK_END(1);
                        }
                        if (all_tasks && waits < program->waits) {
                                fprintf(stderr, "%s, seed %s: only %u waits\n", program->name, seeds[i], waits);
                                CHECK_END(1);
                        }
                }
        unsetenv("BELAY_SEED");
}

#endif
