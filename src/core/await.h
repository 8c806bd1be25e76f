/* SPDX-License-Identifier: MIT */
/*
 * Waiting for the end of one task, for the parts that build on it.
 */
#ifndef BLY_AWAIT_H
#define BLY_AWAIT_H

#include "core/wait.h"

/* belay_await() for a known calling task and a target that is not NULL. */
int bly_await(belay_task *self, belay_task *target, int *outcome, const char *place);

/*
 * Writes the outcome of a task that is done. If `outcome` is not NULL, that counts as retrieving
 * it.
 */
void bly_write_outcome(belay_task *target, int *outcome);

/* Writes the outcome, and makes its detail the latest failure of the waiting task. Returns 0. */
int bly_pass_outcome(belay_task *self, belay_task *target, int *outcome);

/* Reports that a task waits for itself. Returns -EDEADLK. */
int bly_waits_for_itself(belay_task *self, const char *place);

/* For a NULL target, which is a task that could not be started. Returns -ENOMEM. */
int bly_no_task(belay_task *self);

#endif
