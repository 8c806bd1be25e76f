/* SPDX-License-Identifier: MIT */
/*
 * Running a loop: its parts for each other.
 */
#ifndef BLY_RUN_H
#define BLY_RUN_H

#include "stack/overflow.h"
#include "core/upcalls.h"
#include "core/wait.h"

/* ---- loop.c: the loop and its thread ---- */

/* What the thread lends to the loop that runs in it. */
struct bly_visit {
        struct bly_overflow_thread overflow;
};

/* The loop becomes that of the thread: 0, or -EBUSY if there is one, or if this one belongs to a thread already. */
int bly_visit_begin(struct belay_loop *loop, struct bly_visit *visit);
void bly_visit_end(struct belay_loop *loop, struct bly_visit *visit);

/* ---- run.c: main ---- */

/* Starts main, as loop->main: 0 or a negative errno. */
int bly_main_begin(struct belay_loop *loop, belay_fn *fn, void *arg, const char *place);
/* What it ended with, for who runs the loop; `outcome` may be NULL. */
void bly_main_outcome(const struct belay_loop *loop, int *outcome);
/* Once, when it has ended: keeps its failure, and returns 0, or -EINTR if it was interrupted and so ended cancelled. */
int bly_main_verdict(struct belay_loop *loop);

/* ---- shutdown.c ---- */

/* 0; -ETIMEDOUT: the loop's limit is over, and tasks are left, which never run again. */
int bly_shut_down(struct belay_loop *loop);

/* ---- handles_left.c ---- */

void bly_leave_handles(struct belay_loop *loop);

/* ---- limit_log.c: while the loop is that of the thread, its log lines have limits ---- */

void bly_limit_log_begin(struct belay_loop *loop);
void bly_limit_log_end(struct belay_loop *loop);

/* ---- embed.c: beside another loop ---- */

/* The thread gets its loop back, if this one was started. 0, or -EBUSY: it is running, or is another thread's. */
int bly_embed_end(struct belay_loop *loop);

/* ---- signals.c: SIGINT and SIGTERM, while one loop has taken them ---- */

void bly_signals_take(struct belay_loop *loop);
void bly_signals_give_back(struct belay_loop *loop);

/* A signal that has come cancels main. */
void bly_signals_attend(struct belay_loop *loop);

/* ---- interrupt.c ---- */

int bly_interrupt(struct belay_loop *loop, belay_origin_kind kind, int signal, const char *place);

/* ---- idle.c: when nothing is ready ---- */

void bly_idle(struct belay_loop *loop);
/* The same on the stack of a task that gives way: does nothing if the loop itself has something to do. */
void bly_idle_in_task(struct belay_loop *loop);
/* Under a virtual clock: something goes on that is sure to end by itself, and until then time stands still. */
bool bly_holds_time(const struct belay_loop *loop);

/* ---- deadlock.c ---- */

/* Ends a wait from outside of it, with -EDEADLK. */
void bly_break_wait(belay_task *task);

/* Nothing is ready, and nothing can come: says so, and fails waits so that the tasks go on. */
void bly_deadlock(struct belay_loop *loop);

#endif
