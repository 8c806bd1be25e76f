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
 *                     puts("cancelled, cleaning up");          cleanup may wait
 *             return rc;
 *     }
 *
 *     static int app(void *arg)
 *     {
 *             belay_task *task = belay_spawn(work, NULL);      NULL need not be checked
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
 *             return belay_run(app, NULL) < 0;                 Ctrl-C cancels app
 *     }
 *
 * When belay_run() returns, no task is left.
 *
 * Each part is a header that can be read and included by itself:
 *
 *     belay/base.h       attributes, versions, call sites, times
 *     belay/options.h    options, in C and in C++
 *     belay/failure.h    codes, failures and their details
 *     belay/task.h       spawn, await, join, sleep, outcomes, futures, callbacks, task-local values
 *     belay/cancel.h     cancel, withdraw, cancel repeatedly, cancel and wait, origins
 *     belay/scope.h      timeouts, groups, shielded regions
 *     belay/many.h       gather, wait, race, as completed
 *     belay/sync.h       lock, event, condition, semaphore, barrier
 *     belay/queue.h      queues
 *     belay/loop.h       running a program, memory, log lines
 *     belay/io.h         waits for descriptors
 *     belay/stream.h     streams of bytes: read, write, lines, copy, close
 *     belay/net.h        connect, listen, serve, datagrams, passing descriptors
 *     belay/file.h       files and directories
 *     belay/embed.h      a loop that another event loop drives
 *     belay/inspect.h    dumps
 *     belay/testing.h    virtual clock, seeds, cancellation at each wait
 *     belay/wire.h       a connection in memory, for tests
 *     belay/places.h     the functions that take a call site, and the macros that pass it
 *
 * These rules hold in all headers; docs/vocabulary.md defines the terms.
 *     - A failure is a negative errno value.
 *     - A wait returns -ECANCELED if the calling task was cancelled, and for no other reason.
 *     - The verdict of a wait and the outcome of a task are two numbers, which a program reads
 *       separately.
 *     - A wait outside of a task is misuse: it returns -EPERM, and the library reports it.
 *     - A wait may return -EDEADLK, and so may a sleep without an end. If no task is ready, no
 *       timer is set and no event can come from outside, the loop reports what each task waits for.
 *       It then ends waits with -EDEADLK until tasks go on.
 *     - Times are in nanoseconds.
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
