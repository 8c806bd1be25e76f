/* SPDX-License-Identifier: MIT */
/*
 * Running a loop: its parts for each other.
 */
#ifndef BLY_RUN_H
#define BLY_RUN_H

#include "task/wait.h"

/* ---- signals.c: SIGINT and SIGTERM, while one loop has taken them ---- */

void bly_signals_take(struct belay_loop *loop);
void bly_signals_give_back(struct belay_loop *loop);

/* Looks after what a signal asked. */
void bly_attend(struct belay_loop *loop);
int bly_interrupt(struct belay_loop *loop, belay_origin_kind kind, int signal, const char *place);

/* ---- idle.c: when nothing is ready ---- */

void bly_idle(struct belay_loop *loop);

/* ---- deadlock.c ---- */

/* Ends a wait from outside of it, with -EDEADLK. */
void bly_break_wait(belay_task *task);

/* Nothing is ready, and nothing can come: says so, and fails waits so that the tasks go on. */
void bly_deadlock(struct belay_loop *loop);

#endif
