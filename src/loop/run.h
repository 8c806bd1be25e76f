/* SPDX-License-Identifier: MIT */
/*
 * The functions that the files of loop/ share.
 */
#ifndef BLY_RUN_H
#define BLY_RUN_H

#include "stack/overflow.h"
#include "core/upcalls.h"
#include "core/wait.h"

/* ---- loop.c: the loop and its thread ---- */

/* The state of the thread while the loop runs in it. */
struct bly_visit {
        struct bly_overflow_thread overflow;
};

/*
 * Makes the loop the running loop of the calling thread. Returns 0, or -EBUSY if the thread already
 * has a loop or a host loop drives this loop.
 */
int bly_visit_begin(struct belay_loop *loop, struct bly_visit *visit);
void bly_visit_end(struct belay_loop *loop, struct bly_visit *visit);

/* ---- run.c: main ---- */

/* Spawns main, and stores its handle in loop->main. Returns 0 or a negative errno. */
int bly_main_begin(struct belay_loop *loop, belay_fn *fn, void *arg, const char *place);
/* Stores the outcome of main for the caller that runs the loop. `outcome` may be NULL. */
void bly_main_outcome(const struct belay_loop *loop, int *outcome);
/*
 * Keeps the failure of main in the loop, and returns the verdict of the run. The verdict is -EINTR
 * if main ended cancelled by an interrupt and has no other request, otherwise 0. The caller must
 * call this function once, when main has ended.
 */
int bly_main_verdict(struct belay_loop *loop);

/* ---- shutdown.c ---- */

/*
 * Cancels all tasks, and waits until they have ended. Returns 0, or -ETIMEDOUT if the loop's limit
 * expired first. The function abandons the tasks that are left then.
 */
int bly_shut_down(struct belay_loop *loop);

/* ---- handles_left.c ---- */

/* Logs the handles that are left if the loop names handles, and closes the loop's records. */
void bly_leave_handles(struct belay_loop *loop);

/* ---- limit_log.c: limits on the log lines of a thread while a loop runs in it ---- */

void bly_limit_log_begin(struct belay_loop *loop);
void bly_limit_log_end(struct belay_loop *loop);

/* ---- embed.c: driven by a host loop ---- */

/*
 * Detaches a loop that belay_loop_start() started from its thread. Returns 0, also for any other
 * loop. Returns -EBUSY if the loop is running, or if the calling thread is not its own.
 */
int bly_embed_end(struct belay_loop *loop);

/* ---- signals.c: SIGINT and SIGTERM, which one loop of the process handles ---- */

void bly_signals_take(struct belay_loop *loop);
void bly_signals_give_back(struct belay_loop *loop);

/* Cancels main if a signal has arrived. */
void bly_signals_attend(struct belay_loop *loop);

/* ---- interrupt.c ---- */

/*
 * Cancels main. Returns 0, or -EALREADY if there is no main, or main has ended or was interrupted.
 */
int bly_interrupt(struct belay_loop *loop, belay_origin_kind kind, int signal, const char *place);

/* ---- idle.c: when nothing is ready ---- */

void bly_idle(struct belay_loop *loop);
/*
 * Waits likewise, but on the stack of a task that waits. Does nothing if the loop itself has work
 * to do.
 */
void bly_idle_in_task(struct belay_loop *loop);
/*
 * Is there an operation that is sure to end by itself? A virtual clock stands still until it has
 * ended.
 */
bool bly_holds_time(const struct belay_loop *loop);

/* ---- deadlock.c ---- */

/* Ends the wait of a task with -EDEADLK. */
void bly_break_wait(belay_task *task);

/* Reports the deadlock, and fails waits so that their tasks go on. */
void bly_deadlock(struct belay_loop *loop);

#endif
