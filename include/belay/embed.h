/* SPDX-License-Identifier: MIT */
/*
 * Beside another loop: belay within a program that GLib, libuv, sd-event or a poll() of its own
 * drives.
 *
 * The other loop watches one descriptor, belay_loop_fd(), for reading, and calls
 * belay_loop_dispatch() when it is readable. That is all: deadlines are in it, and what is ready,
 * also when it became so by a call from outside of the tasks, in one of the other loop's callbacks.
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
 * From belay_loop_start() to belay_loop_close() the loop is that of the thread: everything may be
 * called that needs no task, such as belay_spawn(), belay_cancel(), belay_event_set(),
 * belay_queue_try_put(). A loop that was started leaves signals alone, knows no deadlocks (the
 * program may do something yet; not so in belay_loop_close(), which waits), and has a real clock.
 *
 * Threads: that of the loop. Cancellation: nothing here is a cancellation point.
 */
#ifndef BELAY_EMBED_H
#define BELAY_EMBED_H

#include <belay/loop.h>

BELAY_BEGIN

/*
 * Makes the loop that of the thread and fn(arg) its main task, which is ready then and runs at the
 * next dispatch. Returns 0; -EBUSY if a loop runs in this thread or was started in it, or this one
 * was; -EINVAL with a virtual clock; -ENOMEM, -EMFILE.
 */
BELAY_API int belay_loop_start(belay_loop *loop, belay_fn *fn, void *arg) BELAY_MUST_USE;

/*
 * The loop's descriptor, to be watched for reading (level-triggered) and nothing else; it is the
 * loop's and stays the same until it is closed. It is readable whenever a dispatch has something to
 * do. -EINVAL before belay_loop_start().
 */
BELAY_API int belay_loop_fd(const belay_loop *loop);

/*
 * Runs what is ready and returns, without ever waiting for what is not; what is ready without end
 * is left off after about a millisecond, and the descriptor stays readable. Returns 1 while main
 * has not ended, 0 when it has, also when it had before: other tasks may be left, which go on with
 * each dispatch or end by belay_loop_close(), which waits for them. -EBUSY in a task or callback of
 * the loop, -EINVAL before belay_loop_start(), -EPERM in another thread.
 */
BELAY_API int belay_loop_dispatch(belay_loop *loop) BELAY_MUST_USE;

/*
 * What main ended with: 0 with *outcome (may be NULL), and its detail in belay_loop_failure();
 * -EINPROGRESS if it has not; -EINTR if belay_interrupt() ended it; -EINVAL before
 * belay_loop_start(). belay_loop_close() reports a failure that the program did not ask for, and a
 * detail that it did not get by belay_loop_failure().
 */
BELAY_API int belay_loop_outcome(const belay_loop *loop, int *outcome) BELAY_MUST_USE;

BELAY_END
#endif
