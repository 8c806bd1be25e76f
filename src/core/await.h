/* SPDX-License-Identifier: MIT */
/*
 * Waiting for the end of one task, for those parts that build on it.
 */
#ifndef BLY_AWAIT_H
#define BLY_AWAIT_H

#include "core/wait.h"

/* belay_await() for a task that is known to call. */
int bly_await(belay_task *self, belay_task *target, int *outcome, const char *place);

/* Writes the outcome of a task that is done, which counts as looking at it if there is somewhere to write it. */
void bly_write_outcome(belay_task *target, int *outcome);

/* Writes it and leaves its detail with the calling task, as whoever waited for it finds it. Returns 0. */
int bly_pass_outcome(belay_task *self, belay_task *target, int *outcome);

/* Reports a task that waits for itself: -EDEADLK. */
int bly_waits_for_itself(belay_task *self, const char *place);

/* What is to be waited for could not be started: -ENOMEM. */
int bly_no_task(belay_task *self);

#endif
