/* SPDX-License-Identifier: MIT */
/*
 * Tasks and futures: starting them, waiting for their end, and how they ended.
 *
 * A task runs a function on a stack of its own, in one thread for its whole life, and gives way to
 * others only where it waits. It ends when the function returns: with a result (0 or more), with a
 * failure (negative), or cancelled (-ECANCELED, whether it was asked to or not, as asyncio has it).
 *
 * A task belongs to its group, or to the loop where there is none. A handle is a reference to look
 * through: it keeps the record of the end, never the task alive, and releasing it stops nothing. It
 * may outlive the loop. Every wait holds a reference of its own to what it waits for: the handle
 * may be released meanwhile. A failure that nobody looked at (by belay_result() or
 * belay_failure_of(), by a wait that was given somewhere to write the outcome, by a group or a
 * race) is reported as a log line when the last reference goes.
 *
 * A NULL handle stands for a task that could not be started, so that what belay_spawn() returns may
 * be used unseen: it is done and not cancelled, cancelling it does nothing, and waiting for it, or
 * for several of which it is one, fails with -ENOMEM.
 *
 * A future is a task without a body: somebody else says how it ends. All that waits for tasks takes
 * futures.
 *
 * Threads: unless a function says otherwise, a task and its handles are used in the thread of its
 * loop only.
 * Cancellation: only the functions marked as cancellation points return -ECANCELED, once for each
 * delivery.
 */
#ifndef BELAY_TASK_H
#define BELAY_TASK_H

#include <belay/base.h>
#include <belay/failure.h>

BELAY_BEGIN

/* A task without a body. */
typedef belay_task belay_future;

/* ---- starting ---- */

typedef struct belay_spawn_options {
        size_t size;              /* sizeof(belay_spawn_options) */
        const char *name;         /* copied; NULL: the task is known by its number */
        size_t stack_size;        /* bytes, rounded up to pages; 0: the loop's, which is 64 KiB by default */
        belay_destroy *destroy;   /* called with the argument exactly once: after the body, or instead of it */
        bool eager;               /* runs at once, inside this call, up to its first wait */
        bool last;                /* in a group: outlives the ordinary members, and is cancelled when they have ended */
} belay_spawn_options;

/*
 * Starts a task that runs fn(arg), after those that are ready already. Returns a handle, to be
 * released; NULL with errno ENOMEM, EINVAL for a stack larger than can be, or EPERM outside a
 * running loop. Then nothing was started, and the argument is still the caller's.
 * Cancellation: not a cancellation point. A task that is cancelled before its first step never runs
 * its function; only the destructor of its argument.
 */
BELAY_API belay_task *belay_spawn(belay_fn *fn, void *arg) BELAY_MUST_USE;
BELAY_API belay_task *belay_spawn_with(belay_fn *fn, void *arg, const belay_spawn_options *options) BELAY_MUST_USE;

/*
 * Starts a task as belay_spawn_with() does, for a caller that wants no handle. `options` may be
 * NULL.
 *
 * Returns: 0.
 * Errors: nothing was started, and the argument is still the caller's. -ENOMEM; -EINVAL if the
 * stack is larger than a stack can be; -EPERM outside a running loop (reported).
 * Cancellation: not a cancellation point.
 * Ownership: the loop owns the task. If the task fails, a log line tells of it, since nobody can
 * look.
 */
BELAY_API int belay_spawn_detached(belay_fn *fn, void *arg, const belay_spawn_options *options) BELAY_MUST_USE;

/*
 * A future that is pending. A handle, to be released; NULL with errno ENOMEM, or EPERM outside a
 * loop.
 * Cancellation: not a cancellation point.
 */
BELAY_API belay_future *belay_future_new(void) BELAY_MUST_USE;

/*
 * Ends a future: with a result (0 or more); or with a failure, taking along the detail that the
 * calling task was left with at that code (see belay_fail()); or with a result and a value that the
 * future then owns. Returns 0; -EALREADY if it was done and -ENOMEM for NULL (the value stays the
 * caller's); -EPERM for a task that has a body. Also after the loop was closed.
 * Cancellation: not a cancellation point. (A future is cancelled with belay_cancel().)
 */
BELAY_API int belay_future_set(belay_future *future, int result);
BELAY_API int belay_future_set_value(belay_future *future, void *value, belay_destroy *destroy);

/* ---- handles ---- */
/* Cancellation: none of these is a cancellation point. They may be called after the loop was closed, too. */

/*
 * One more reference, which is returned; one reference less. A task that has 2^30 of them, because
 * a program forgets to release them, is never freed.
 */
BELAY_API belay_task *belay_ref(belay_task *task);
BELAY_API void belay_release(belay_task *task);
/* belay_release() as a destructor, for a task that is given a handle as its argument. */
BELAY_API void belay_release_arg(void *task);

/* The calling task, borrowed; NULL outside a task. */
BELAY_API belay_task *belay_self(void);

/*
 * Its name (NULL if it has none; "main" is that of the main task), its number (unique in the loop,
 * from 1), and where it was started (NULL if unknown). Borrowed, for as long as there is a handle.
 */
BELAY_API const char *belay_name(const belay_task *task);
BELAY_API uint64_t belay_id(const belay_task *task);
BELAY_API const char *belay_started_at(const belay_task *task);

/* ---- the end ---- */
/* Cancellation: none of these is a cancellation point. */

/* Has it ended? Has it ended cancelled? */
BELAY_API bool belay_done(const belay_task *task);
BELAY_API bool belay_cancelled(const belay_task *task);

/*
 * Where it is, in a word for reports: "new", "ready", "running", "waiting" (a future that is
 * pending, too), or how it ended: "done", "cancelled", "failed". A failure does not count as looked
 * at by this. What it waits for: belay_waiting().
 */
BELAY_API const char *belay_state(const belay_task *task);

/*
 * How a task ended: 0 or more, its result; -ECANCELED, cancelled; otherwise the failure's code. The
 * failure counts as looked at. The task must be done: asked earlier it is misuse, reported, and
 * -EINPROGRESS is returned.
 */
BELAY_API int belay_result(belay_task *task);

/*
 * The whole failure or the reason of the cancellation; NULL if there is no detail or no failure.
 * Borrowed, for as long as there is a handle. The failure counts as looked at. The task must be
 * done: asked earlier it is misuse, reported, and NULL is returned.
 */
BELAY_API const belay_failure *belay_failure_of(belay_task *task);

/*
 * A value that a task ends with, beside its result. belay_set_value() is called by the task itself
 * and replaces what was set; `destroy` (may be NULL) is called when the last reference to the task
 * goes. belay_value() borrows it, belay_take_value() takes it: it is the caller's then, and not
 * destroyed. belay_set_value() returns 0; -EPERM outside a task.
 */
BELAY_API int belay_set_value(void *value, belay_destroy *destroy);
BELAY_API void *belay_value(const belay_task *task);
BELAY_API void *belay_take_value(belay_task *task);

/*
 * Calls fn(task, arg) on the loop's own stack when the task has ended, or soon where it has; in the
 * order in which they were added. It must not wait, and what was added is forgotten when the loop
 * is closed. Returns 0 or -ENOMEM. belay_off_done() takes back all that were added with the same
 * two and were not due yet, and returns how many.
 */
typedef void belay_done_fn(belay_task *task, void *arg);
BELAY_API int belay_on_done(belay_task *task, belay_done_fn *fn, void *arg) BELAY_MUST_USE;
BELAY_API int belay_off_done(belay_task *task, belay_done_fn *fn, void *arg);

/* ---- waiting for the end ---- */
/*
 * The verdict of the wait and the end of the task are two things. The functions below return the
 * wait's own verdict and write the end to *outcome (may be NULL) when the task is done, with a
 * verdict of -ECANCELED as well: as belay_result() would give it. Otherwise *outcome stays as it
 * is. With a verdict of 0 the detail of a failed outcome is with the calling task
 * (belay_failure_take(), or by returning the same code). A wait counts as looking at a failure only
 * if `outcome` is not NULL. All of them return 0 at once, without giving way, where there is
 * nothing to wait for. Errors besides: -EDEADLK if the task waits for itself (not in
 * belay_shield()), or to break a deadlock; -EPERM outside a task; -ENOMEM for NULL.
 */

/*
 * Waits until the task has ended, as asyncio's `await task` does. A task that awaits itself gives
 * way once, then gets -EDEADLK; and from then on, until it has ended, so does everybody who awaits
 * it: asyncio has it so. (Not so: belay_join().)
 * Cancellation: a cancellation point, but a request goes to the task that is awaited, as often as
 * it comes. If that ends cancelled, so does this wait: -ECANCELED. If it refuses and goes on, the
 * wait does as well. (To let the task live: belay_shield() or belay_join().)
 */
BELAY_API int belay_await(belay_task *task, int *outcome) BELAY_MUST_USE;

/*
 * Waits until the task has ended; a cancellation ends the wait only. What happened wins: if the
 * task ended, 0 is returned and a request that came meanwhile is still there for the next wait.
 * (asyncio has no such function.)
 * Cancellation: a cancellation point; the task is not touched.
 */
BELAY_API int belay_join(belay_task *task, int *outcome) BELAY_MUST_USE;

/*
 * Waits for a task as belay_await() does, but keeps cancellation from it, as asyncio's `await
 * shield(task)` does. A task that ends cancelled passes no reason on. (For what happened to win:
 * belay_join().)
 *
 * Returns: as the functions above.
 * Errors: as above, but a task that shields itself gets no error. It waits, as asyncio's does,
 * until a request, a limit or a broken deadlock (-EDEADLK) ends the wait. A log line reports it.
 * Cancellation: a cancellation point; the task that is waited for goes on.
 */
BELAY_API int belay_shield(belay_task *task, int *outcome) BELAY_MUST_USE;

/* ---- time ---- */

/*
 * Now, on the clock of the calling thread's loop; CLOCK_MONOTONIC where there is none. Any thread.
 * Cancellation: not a cancellation point.
 */
BELAY_API belay_time belay_now(void);

/*
 * Waits for a span, or until an instant. Zero, less, or an instant that is over, lets the others
 * that are ready run once, as asyncio's sleep(0) does. BELAY_NEVER waits until cancelled. Returns
 * 0, -ECANCELED, -ENOMEM, -EPERM outside a task; -EDEADLK for BELAY_NEVER where nothing can come
 * that would cancel it.
 * Cancellation: a cancellation point; a request that comes before the sleeper runs again wins.
 */
BELAY_API int belay_sleep(belay_time span) BELAY_MUST_USE;
BELAY_API int belay_sleep_until(belay_time instant) BELAY_MUST_USE;

/* Lets the others that are ready run once: belay_sleep(0). Cancellation: a cancellation point. */
BELAY_API int belay_yield(void) BELAY_MUST_USE;

/*
 * For loops that compute: returns at once unless the task was cancelled or has run long enough
 * (some hundred microseconds) for deadlines, signals and others that are ready to be served first.
 * Cheap enough for inner loops.
 * Cancellation: a cancellation point.
 */
BELAY_API int belay_checkpoint(void) BELAY_MUST_USE;

/* ---- callbacks ---- */
/*
 * fn(arg) is called on the loop's own stack: soon (after what is ready already), or when the time
 * has come. It must not wait. Returns a ticket, never 0, by which belay_timer_cancel() takes it
 * back (false: it has run, is running or was taken back: a stale ticket is harmless); 0 with errno
 * ENOMEM or EPERM. One that is not due when the loop ends never runs.
 * Cancellation: none is a cancellation point.
 */
typedef void belay_callback_fn(void *arg);
typedef uint64_t belay_ticket;
BELAY_API belay_ticket belay_soon(belay_callback_fn *fn, void *arg);
BELAY_API belay_ticket belay_later(belay_time span, belay_callback_fn *fn, void *arg);
BELAY_API bool belay_timer_cancel(belay_ticket ticket);

/* ---- values of a task ---- */
/*
 * A task-local value, as asyncio's context variables: a task begins with those of the task that
 * spawned it, and sets its own without touching theirs. The key is a static variable of the
 * program; `destroy` (may be NULL) is called when no task can reach the value any more.
 *
 *     static belay_local request_id = BELAY_LOCAL_INIT(free);
 */
typedef struct belay_local {
        belay_destroy *destroy;
        uintptr_t reserved[3];            /* zero */
} belay_local;
#define BELAY_LOCAL_INIT(...) { __VA_ARGS__, { 0 } }

/*
 * belay_local_set(): the value replaces the task's own of that key, which is destroyed unless a
 * task that was spawned since sees it. Returns 0, -ENOMEM (the value stays the caller's), -EPERM
 * outside a task. belay_local_get(): the value, borrowed; NULL if there is none, and outside a
 * task.
 * Cancellation: neither is a cancellation point.
 */
BELAY_API int belay_local_set(const belay_local *key, void *value) BELAY_MUST_USE;
BELAY_API void *belay_local_get(const belay_local *key);

BELAY_END
#endif
