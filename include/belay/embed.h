/* SPDX-License-Identifier: MIT */
/*
 * Embedding: belay within a program that GLib, libuv, sd-event or a poll() of its own drives.
 *
 * The host loop watches one descriptor, belay_loop_fd(), for reading, and calls
 * belay_loop_dispatch() when it is readable. No more is needed. The descriptor is readable when a
 * timer is due and when a task is ready. That holds, too, if a call from outside of the tasks, in a
 * callback of the host loop, made the task ready.
 *
 *     belay_loop *loop = belay_loop_new(NULL);
 *     int rc = belay_loop_start(loop, app, NULL);
 *
 *     g_unix_fd_add(belay_loop_fd(loop), G_IO_IN, ready, loop);
 *     ...
 *     static gboolean ready(int fd, GIOCondition condition, void *loop) {
 *             return belay_loop_dispatch(loop) > 0;               until app has ended
 *     }
 *
 * From belay_loop_start() to belay_loop_close() the loop is that of the thread. The host loop's
 * callbacks may then call all functions that need no task, such as belay_spawn(), belay_cancel(),
 * belay_event_set() and belay_queue_try_put(). A loop that was started installs no signal handlers
 * and has a real clock. It finds no deadlocks, since the program may still act. belay_loop_close()
 * waits, and finds deadlocks.
 *
 * Threads: the loop's own thread.
 * Cancellation: no function here is a cancellation point.
 */
#ifndef BELAY_EMBED_H
#define BELAY_EMBED_H

#include <belay/loop.h>

BELAY_BEGIN

/*
 * Start a loop that a host loop drives.
 *
 * The loop becomes that of the thread. fn(arg) becomes its main task, which is ready and runs at
 * the next dispatch.
 *
 * Returns: 0.
 * Errors:
 *   -EBUSY      a loop runs in this thread or was started in it, or `loop` was started already.
 *   -EINVAL     the loop has a virtual clock, or its .stack_size is larger than a stack can be.
 *   -ENOMEM     no memory.
 *   -EMFILE     the process has no descriptor left.
 *   -ENFILE     the system has no descriptor left.
 */
BELAY_API int belay_loop_start(belay_loop *loop, belay_fn *fn, void *arg) BELAY_MUST_USE;

/*
 * Return the descriptor that the host loop watches.
 *
 * The host loop must watch it for reading (level-triggered) and do nothing else with it. It stays
 * the same until the loop is closed. It is readable whenever a dispatch has something to do.
 *
 * Returns: the descriptor.
 * Errors:
 *   -EINVAL     belay_loop_start() was not called.
 * Ownership: the descriptor is borrowed from the loop.
 */
BELAY_API int belay_loop_fd(const belay_loop *loop);

/*
 * Run the tasks that are ready, and return without waiting.
 *
 * If tasks are ready again and again, the function returns after about 1 ms, and the descriptor
 * stays readable. When main has ended, other tasks may be left. They go on with each dispatch, or
 * end by belay_loop_close(), which waits for them.
 *
 * Returns: 1 while main has not ended. 0 when it has, also in later calls.
 * Errors:
 *   -EINVAL     belay_loop_start() was not called.
 *   -EPERM      the calling thread is not the loop's (reported).
 *   -EBUSY      the caller is a task or a callback of the loop.
 */
BELAY_API int belay_loop_dispatch(belay_loop *loop) BELAY_MUST_USE;

/*
 * Return the outcome of the main task.
 *
 * belay_loop_failure() has the detail of the outcome. belay_loop_close() reports a failure that the
 * program did not retrieve, and a detail that it did not retrieve by belay_loop_failure().
 *
 * Returns: 0 with the outcome in *outcome (may be NULL).
 * Errors:
 *   -EINPROGRESS  a dispatch has not yet found that main has ended.
 *   -EINTR      belay_interrupt() ended main.
 *   -EINVAL     belay_loop_start() was not called.
 */
BELAY_API int belay_loop_outcome(const belay_loop *loop, int *outcome) BELAY_MUST_USE;

BELAY_END
#endif
