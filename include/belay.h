/* SPDX-License-Identifier: MIT */
/*
 * belay: cancellable tasks for C.
 *
 *     #include <belay.h>
 *     #include <stdio.h>
 *
 *     static int work(void *arg)
 *     {
 *             int rc = belay_sleep(5 * BELAY_SECOND);
 *
 *             (void) arg;
 *             if (rc == -ECANCELED)                            delivered once, here
 *                     puts("cancelled, cleaning up");          clean-up may wait
 *             return rc;
 *     }
 *
 *     static int app(void *arg)
 *     {
 *             belay_task *task = belay_spawn(work, NULL);
 *             int rc = belay_sleep(BELAY_SECOND);
 *
 *             (void) arg;
 *             if (rc == 0)
 *                     rc = belay_cancel_wait(task, "enough", 10 * BELAY_SECOND, NULL);
 *             belay_release(task);
 *             return rc;
 *     }
 *
 *     int main(void)
 *     {
 *             return belay_run(app, NULL) < 0;                 Ctrl-C cancels app; nothing is left when it returns
 *     }
 *
 * The parts, each a header that can be read by itself:
 *
 *     belay/base.h       marks, times, places
 *     belay/options.h    options, in C and in C++
 *     belay/failure.h    what a failure is and how its detail travels
 *     belay/task.h       spawn, await, join, sleep, results, futures, callbacks, task-local values
 *     belay/cancel.h     cancel, uncancel, force, cancel-and-wait, origins
 *     belay/scope.h      timeouts, groups, shielded regions
 *     belay/many.h       gather, wait, race, as completed
 *     belay/sync.h       lock, event, condition, semaphore, barrier
 *     belay/queue.h      queues
 *     belay/loop.h       running a program, memory and log hooks
 *     belay/io.h         waiting for descriptors
 *     belay/stream.h     streams of bytes: read, write, lines, copy, close
 *     belay/net.h        connect, listen, serve, datagrams, descriptors that travel
 *     belay/file.h       files and directories
 *     belay/embed.h      beside another loop
 *     belay/inspect.h    dumps
 *     belay/testing.h    virtual clock, seeds, cancel-everywhere
 *     belay/wire.h       a connection in memory, for tests
 *
 * The rules that hold everywhere: failures are negative errno values; a wait returns -ECANCELED for the calling task's own
 * cancellation and for nothing else; what a task ended with is read apart from the verdict of the wait; waiting outside a
 * task is misuse (-EPERM). Every wait, a sleep without end too, may return -EDEADLK: when nothing is ready, no deadline is
 * ahead and nothing can come from outside, the loop reports who waits for what and fails waits until tasks go on. Time is in
 * nanoseconds.
 */
#ifndef BELAY_H
#define BELAY_H

#include <errno.h>

#include <belay/base.h>
#include <belay/failure.h>
#include <belay/task.h>
#include <belay/cancel.h>
#include <belay/scope.h>
#include <belay/many.h>
#include <belay/sync.h>
#include <belay/queue.h>
#include <belay/loop.h>
#include <belay/io.h>
#include <belay/stream.h>
#include <belay/net.h>
#include <belay/file.h>
#include <belay/embed.h>
#include <belay/inspect.h>
#include <belay/testing.h>
#include <belay/wire.h>
#include <belay/places.h>

#endif
