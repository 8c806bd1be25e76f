/* SPDX-License-Identifier: MIT */
/*
 * Tasks and futures: spawn them, wait for their end, and read their outcome.
 *
 * A task runs a function, its body, on a stack of its own. It runs in one thread for its whole
 * life. Other tasks of the thread run only while the task waits or yields. A task ends when its
 * body returns. The return value is its outcome: a result (0 or more), the code of a failure
 * (negative), or -ECANCELED. A task whose body returns -ECANCELED ends cancelled, even if no caller
 * cancelled it, as in asyncio. A task also ends cancelled if its body returns a result while a
 * cancellation request is pending.
 *
 * A task belongs to its group, or to the loop if it has none. A handle is a reference to the task's
 * record. The record keeps the outcome after the end. A handle does not keep the task running, and
 * releasing a handle does not stop the task. A handle may outlive the loop. Each wait holds a
 * reference of its own to each task that it waits for, so the caller may release the handle during
 * the wait.
 *
 * If a task or future fails and no caller retrieves the failure, the library logs it when the last
 * reference is released. A failure is retrieved by belay_result(), by belay_failure_of(), by a wait
 * with an outcome pointer other than NULL, by a group, and by a race.
 *
 * A NULL handle stands for a task that could not be spawned. So a program may use the return value
 * of belay_spawn() without a check. Such a task is done and not cancelled. Cancelling it does
 * nothing. A wait for it, or for several tasks of which it is one, fails with -ENOMEM.
 *
 * A future is a task without a body: a caller sets its outcome. All functions that wait for tasks
 * take futures.
 *
 * Static state. While a task waits, other tasks of the thread run and may call the same functions.
 * The C library keeps results in static or thread-local storage, which all tasks of the thread
 * share: strtok(), localtime(), strerror() and getpwnam() do so. Another task may overwrite such a
 * result during any wait, so a task must not use it after a wait. The forms with storage of the
 * caller's own, such as strtok_r() and localtime_r(), are safe. Thread-local variables and the
 * locale of uselocale() belong to the thread too, and no wait saves them. For a value of each task
 * there is belay_local_set().
 *
 * errno is an exception. It belongs to the task: a wait restores the value that errno had when the
 * task stopped running, and a task begins with errno 0. Functions of belay report errors by their
 * return value, and those that make system calls may change errno. The exceptions of C++ that a
 * task is handling belong to the task as well, so a catch block may wait.
 *
 * Threads: unless a comment says otherwise, only the loop's thread may use a task and its handles.
 * Cancellation: a function is a cancellation point only if its comment says so. A cancellation
 * point returns -ECANCELED once for each delivery.
 */
#ifndef BELAY_TASK_H
#define BELAY_TASK_H

#include <belay/base.h>
#include <belay/failure.h>

BELAY_BEGIN

/* A task without a body. */
typedef belay_task belay_future;

/* ---- starting ---- */

/*
 * Options of a new task.
 *
 * A member that is zero has its default, see <belay/options.h>. If the task was spawned, the
 * destructor runs exactly once. It runs after the body, or instead of it if the task is cancelled
 * before its first step. It does not run for a task that a shutdown abandons.
 */
typedef struct belay_spawn_options {
        size_t size;            /* sizeof(belay_spawn_options) */
        const char *name;       /* name for reports, copied; NULL: its number alone */
        size_t stack_size;      /* bytes, rounded up to whole pages; 0: the loop's (64 KiB) */
        belay_destroy *destroy; /* destructor of the argument; may be NULL */
        bool eager;             /* first step inside the spawning call, up to the first wait */
        bool last;              /* in a group: cancelled after the ordinary members have ended */
} belay_spawn_options;

/*
 * Spawn a task that runs fn(arg).
 *
 * The task is ready at once, and takes its first step after all tasks that are ready already. A
 * task that is cancelled before its first step never runs fn. The task inherits the task-local
 * values of the calling task. A callback may call this function too.
 *
 * Returns: a handle. On failure NULL, with errno set to the error without its sign.
 * Errors:
 *   -ENOMEM     no memory is available, or no room for another stack (a log line says which).
 *   -EINVAL     the loop's stack size is larger than a stack can be.
 *   -EPERM      no loop runs in the calling thread (reported).
 * Ownership: the caller releases the handle with belay_release(). The loop owns the task. If the
 * function fails, it spawned nothing, and arg still belongs to the caller.
 */
BELAY_API belay_task *belay_spawn(belay_fn *fn, void *arg) BELAY_MUST_USE;

/*
 * Spawn a task with options.
 *
 * The function works as belay_spawn() does. `options` may be NULL. If memory for the copy of
 * .name is not available, the task has no name. An eager task runs inside this call up to its first
 * wait, and the function returns when the task waits, yields or ends.
 *
 * Returns: a handle. On failure NULL, with errno set to the error without its sign.
 * Errors:
 *   -ENOMEM     no memory is available, or no room for another stack (a log line says which).
 *   -EINVAL     the stack size is larger than a stack can be.
 *   -EPERM      no loop runs in the calling thread (reported).
 * Ownership: the caller releases the handle with belay_release(). The loop owns the task. If the
 * function succeeds, .destroy disposes of arg. If it fails, it spawned nothing, did not call
 * .destroy, and arg still belongs to the caller.
 */
BELAY_API belay_task *belay_spawn_with(belay_fn *fn, void *arg,
                                       const belay_spawn_options *options) BELAY_MUST_USE;

/*
 * Spawn a task to which the caller has no handle.
 *
 * The function works as belay_spawn_with() does. `options` may be NULL. If the task fails, the
 * library logs the failure when the task ends, since no caller can retrieve it.
 *
 * Returns: 0.
 * Errors:
 *   -ENOMEM     no memory is available, or no room for another stack (a log line says which).
 *   -EINVAL     the stack size is larger than a stack can be.
 *   -EPERM      no loop runs in the calling thread (reported).
 * Ownership: the loop owns the task. If the function fails, it spawned nothing, and arg still
 * belongs to the caller.
 */
BELAY_API int belay_spawn_detached(belay_fn *fn, void *arg,
                                   const belay_spawn_options *options) BELAY_MUST_USE;

/*
 * Create a future that is pending.
 *
 * Returns: a handle. On failure NULL, with errno set to the error without its sign.
 * Errors:
 *   -ENOMEM     no memory is available.
 *   -EPERM      no loop runs in the calling thread (reported).
 * Ownership: the caller releases the handle with belay_release().
 */
BELAY_API belay_future *belay_future_new(void) BELAY_MUST_USE;

/*
 * End a future with a result, a failure, or -ECANCELED.
 *
 * A negative `result` is the code of a failure. If the latest failure of the calling task has that
 * code, its detail moves to the future, see belay_fail(). With -ECANCELED the future ends
 * cancelled; belay_cancel() does the same and records an origin. The function may be called after
 * the loop was closed.
 *
 * Returns: 0; the tasks that wait for the future are ready.
 * Errors:
 *   -EALREADY   the future is done.
 *   -ENOMEM     `future` is NULL.
 *   -EPERM      `future` is a task that has a body (reported).
 */
BELAY_API int belay_future_set(belay_future *future, int result);

/*
 * End a future with the result 0 and a value.
 *
 * Waiting tasks read the value with belay_value() or belay_take_value(). The function may be called
 * after the loop was closed.
 *
 * Returns: 0; the tasks that wait for the future are ready.
 * Errors:
 *   -EALREADY   the future is done.
 *   -ENOMEM     `future` is NULL.
 *   -EPERM      `future` is a task that has a body (reported).
 * Ownership: the future owns the value, and `destroy` (may be NULL) disposes of it when the last
 * reference to the future is released. If the function fails, the value stays the caller's.
 */
BELAY_API int belay_future_set_value(belay_future *future, void *value, belay_destroy *destroy);

/* ---- handles ---- */
/* The functions on handles may be called after the loop was closed. */

/*
 * Add a reference to a task.
 *
 * A program that forgets to release references may reach 2^30 of them. The record of such a task is
 * never freed, and further references are not counted.
 *
 * Returns: `task`, which may be NULL.
 * Ownership: the caller releases the new reference with belay_release().
 */
BELAY_API belay_task *belay_ref(belay_task *task);

/*
 * Release a reference to a task.
 *
 * The last release logs a failure that no caller retrieved, destroys the task's value, and frees
 * the record. The last release of a future that is pending also discards its callbacks, see
 * belay_on_done(). NULL does nothing.
 */
BELAY_API void belay_release(belay_task *task);

/*
 * Release a reference to a task, as a destructor.
 *
 * The function is belay_release() with the type belay_destroy, for a task that receives a handle as
 * its argument.
 */
BELAY_API void belay_release_arg(void *task);

/*
 * Return the calling task.
 *
 * Returns: the task; NULL outside of a task.
 * Ownership: the handle is borrowed, and valid until the task ends.
 */
BELAY_API belay_task *belay_self(void);

/*
 * Return the name of a task.
 *
 * Returns: the name, "main" for a main task; NULL if the task has no name, or if `task` is NULL.
 * Ownership: the text is borrowed, and valid for as long as the caller has a handle.
 */
BELAY_API const char *belay_name(const belay_task *task);

/*
 * Return the number of a task.
 *
 * Numbers begin at 1, and no two tasks or futures of a loop have the same number.
 *
 * Returns: the number; 0 if `task` is NULL.
 */
BELAY_API uint64_t belay_id(const belay_task *task);

/*
 * Return the call site at which a task was spawned.
 *
 * Returns: the call site, such as "app.c:17"; NULL if it is unknown, or if `task` is NULL.
 * Ownership: the text is borrowed, and valid for as long as the caller has a handle.
 */
BELAY_API const char *belay_started_at(const belay_task *task);

/* ---- the end ---- */
/* The functions on the end of a task may be called after the loop was closed. */

/*
 * Find out whether a task has ended.
 *
 * Returns: true if the task has ended, or if `task` is NULL. A task that a shutdown abandoned never
 * ends.
 */
BELAY_API bool belay_done(const belay_task *task);

/*
 * Find out whether a task has ended cancelled.
 *
 * Returns: true if the task is done and its outcome is -ECANCELED; false if `task` is NULL.
 */
BELAY_API bool belay_cancelled(const belay_task *task);

/*
 * Return the state of a task as a word for reports.
 *
 * The function does not retrieve a failure. belay_waiting() says what a task waits for.
 *
 * Returns: "new" (before its first step), "ready", "running", "waiting" (also a future that is
 * pending), "done" (with a result), "cancelled" or "failed". NULL has failed. The text is static.
 */
BELAY_API const char *belay_state(const belay_task *task);

/*
 * Return the outcome of a task that is done.
 *
 * The function retrieves the failure, if the outcome is one. A call before the end is misuse.
 *
 * Returns: the task's result (0 or more). If the task ended cancelled, -ECANCELED. If the task
 * failed, the code of the failure.
 * Errors:
 *   -EINPROGRESS  the task has not ended (reported).
 *   -ENOMEM     `task` is NULL.
 */
BELAY_API int belay_result(belay_task *task);

/*
 * Return the failure of a task that is done, or the reason of its cancellation.
 *
 * The function retrieves the failure. A call before the end is misuse: the library reports it, and
 * the function returns NULL. belay_failure_text() of a cancelled task's failure is the reason.
 *
 * Returns: the failure; NULL if the task has a result, if its failure or cancellation has no
 * detail, or if `task` is NULL.
 * Ownership: the failure is borrowed, and valid for as long as the caller has a handle.
 */
BELAY_API const belay_failure *belay_failure_of(belay_task *task);

/*
 * Set the value of the calling task.
 *
 * A value is a pointer that the task keeps for its caller, in addition to its result. The new value
 * replaces an earlier one, which the library destroys at once.
 *
 * Returns: 0.
 * Errors:
 *   -EPERM      the caller is not a task (reported).
 * Ownership: the task owns the value, and `destroy` (may be NULL) disposes of it when the last
 * reference to the task is released. If the function fails, the value stays the caller's.
 */
BELAY_API int belay_set_value(void *value, belay_destroy *destroy);

/*
 * Return the value of a task.
 *
 * Returns: the value; NULL if there is none, or if `task` is NULL.
 * Ownership: the value is borrowed. It is valid until the task or another caller replaces or takes
 * it, or the last reference to the task is released.
 */
BELAY_API void *belay_value(const belay_task *task);

/*
 * Take the value of a task.
 *
 * The task has no value afterwards.
 *
 * Returns: the value; NULL if there is none, or if `task` is NULL.
 * Ownership: the caller owns the value, and the library does not destroy it.
 */
BELAY_API void *belay_take_value(belay_task *task);

/* A function that the loop calls when a task has ended. It must not wait. */
typedef void belay_done_fn(belay_task *task, void *arg);

/*
 * Add a callback for the end of a task.
 *
 * When the task has ended, the loop calls fn(task, arg) on its own stack. If the task is done
 * already, the loop calls it soon. Callbacks of one task run in the order in which they were added.
 * A callback keeps no future in memory: the last release of a pending future discards it. Closing
 * the loop discards callbacks that have not run, and a callback that is added later never runs.
 *
 * Returns: 0.
 * Errors:
 *   -ENOMEM     no memory is available, or `task` is NULL.
 */
BELAY_API int belay_on_done(belay_task *task, belay_done_fn *fn, void *arg) BELAY_MUST_USE;

/*
 * Withdraw callbacks for the end of a task.
 *
 * The function withdraws every callback that was added with the same fn and arg, if the task has
 * not ended. After the end a callback runs and cannot be withdrawn.
 *
 * Returns: the number of callbacks that it withdrew.
 */
BELAY_API int belay_off_done(belay_task *task, belay_done_fn *fn, void *arg);

/* ---- waiting for the end ---- */
/*
 * The verdict of a wait and the outcome of a task are two numbers. The functions below return the
 * verdict. If the task is done when the wait ends, they write its outcome to *outcome, also with a
 * verdict of -ECANCELED. Otherwise they leave *outcome unchanged. The outcome is the number that
 * belay_result() returns. `outcome` may be NULL, and then the wait does not retrieve a failure.
 *
 * With a verdict of 0 and a negative outcome, the failure of the awaited task is the latest failure
 * of the calling task. The calling task reads it with belay_failure_take(), or takes it along by
 * returning the same code.
 *
 * If the task is done, the functions return 0 at once. They do not yield then, and a pending
 * request stays pending.
 */

/*
 * Wait until a task has ended, as asyncio's `await task` does.
 *
 * The function forwards each request for the calling task to the awaited task. If the awaited task
 * then ends cancelled, the function returns -ECANCELED. If the awaited task refuses, the wait goes
 * on to its end, and the verdict is 0. To let the awaited task run on, use belay_shield() or
 * belay_join().
 *
 * A request may arrive after the end of the awaited task, and before the calling task runs again.
 * It is delivered: the function returns -ECANCELED, as asyncio's does. If tasks await each other in
 * a circle, a request that comes back to its first task is delivered there, and the circle is
 * reported.
 *
 * A task that awaits itself yields once and gets -EDEADLK. From then on until its end, every call
 * that awaits it returns -EDEADLK, as in asyncio. belay_join() has no such memory.
 *
 * Returns: 0 when the task has ended. The outcome is -ECANCELED if the task ended cancelled and no
 * request of the calling task was the cause.
 * Errors:
 *   -ECANCELED  a request was forwarded and the awaited task ended cancelled, or a request was
 *               delivered to the calling task itself.
 *   -EDEADLK    the task awaits itself or a task that awaited itself (reported), or the loop ended
 *               the wait to break a deadlock.
 *   -ENOMEM     `task` is NULL.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point unless the task is done. The request goes to the awaited task,
 * once for each request.
 */
BELAY_API int belay_await(belay_task *task, int *outcome) BELAY_MUST_USE;

/*
 * Wait until a task has ended, and leave it alone if the caller is cancelled.
 *
 * A request ends the wait, and the task goes on. If the task ends before the calling task runs
 * again, the function returns 0 and the request stays pending. asyncio has no such function.
 *
 * Returns: 0 when the task has ended.
 * Errors:
 *   -ECANCELED  the calling task was cancelled before the task ended; *outcome is unchanged.
 *   -EDEADLK    the task joins itself (reported), or the loop ended the wait to break a deadlock.
 *   -ENOMEM     `task` is NULL.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point unless the task is done. The request is not forwarded.
 */
BELAY_API int belay_join(belay_task *task, int *outcome) BELAY_MUST_USE;

/*
 * Wait for a task and shield it, as asyncio's `await shield(task)` does.
 *
 * The function works as belay_await() does and does not forward requests: a request ends the wait,
 * and the task goes on. A request may arrive after the end of the task, and before the calling task
 * runs again. It is delivered, as in asyncio. belay_join() returns 0 there. If the task ended
 * cancelled during the wait, the calling task receives no reason.
 *
 * A task that shields itself gets no error. The library reports the call. The task waits, as
 * asyncio's does, until a request, a timeout or a broken deadlock ends the wait.
 *
 * Returns: 0 when the task has ended.
 * Errors:
 *   -ECANCELED  the calling task was cancelled.
 *   -EDEADLK    the loop ended the wait to break a deadlock.
 *   -ENOMEM     `task` is NULL.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point unless the task is done. The request is not forwarded.
 */
BELAY_API int belay_shield(belay_task *task, int *outcome) BELAY_MUST_USE;

/* ---- time ---- */

/*
 * Return the current instant on the loop's clock.
 *
 * The clock is that of the loop that runs in the calling thread. If no loop runs there, it is
 * CLOCK_MONOTONIC.
 *
 * Returns: the instant, in nanoseconds.
 * Threads: any.
 */
BELAY_API belay_time belay_now(void);

/*
 * Wait for a span of time.
 *
 * A span of zero or less makes the task yield once, as asyncio's sleep(0) does. BELAY_NEVER waits
 * until the task is cancelled.
 *
 * Returns: 0 when the span has passed.
 * Errors:
 *   -ECANCELED  the task was cancelled.
 *   -EDEADLK    the span is BELAY_NEVER, and the loop ended the wait to break a deadlock.
 *   -ENOMEM     no memory for a timer is available.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point. A request that arrives after the span has passed, and before
 * the task runs again, is delivered.
 */
BELAY_API int belay_sleep(belay_time span) BELAY_MUST_USE;

/*
 * Wait until an instant on the loop's clock.
 *
 * An instant that has passed makes the task yield once. BELAY_NEVER waits until the task is
 * cancelled.
 *
 * Returns: 0 when the instant has passed.
 * Errors:
 *   -ECANCELED  the task was cancelled.
 *   -EDEADLK    the instant is BELAY_NEVER, and the loop ended the wait to break a deadlock.
 *   -ENOMEM     no memory for a timer is available.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point. A request that arrives after the instant, and before the task
 * runs again, is delivered.
 */
BELAY_API int belay_sleep_until(belay_time instant) BELAY_MUST_USE;

/*
 * Let the other ready tasks run once, as belay_sleep(0) does.
 *
 * Returns: 0.
 * Errors:
 *   -ECANCELED  the task was cancelled; the other tasks have run.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point.
 */
BELAY_API int belay_yield(void) BELAY_MUST_USE;

/*
 * Yield from a long computation if other tasks have waited long enough.
 *
 * The function returns at once unless a request is pending, a timer is due, or 200 us have passed
 * since a checkpoint last yielded. In the last two cases it yields if other tasks are ready, or if
 * a host loop's turn has come. It reads the clock at every 64th call at the latest, so an inner
 * loop may call it. When it reads the clock, the loop also looks after signals and descriptors.
 *
 * Under a virtual clock, where computing takes no time, calls are counted instead of time, and the
 * 64th call yields. In the first step of an eager task the function never yields.
 *
 * Returns: 0.
 * Errors:
 *   -ECANCELED  the task was cancelled.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point.
 */
BELAY_API int belay_checkpoint(void) BELAY_MUST_USE;

/* ---- callbacks ---- */

/* A function that the loop calls on its own stack. It must not wait. */
typedef void belay_callback_fn(void *arg);
/* The number of a callback, by which belay_timer_cancel() withdraws it. 0 is no callback. */
typedef uint64_t belay_ticket;

/*
 * Let the loop call a function soon.
 *
 * The loop calls fn(arg) on its own stack, after all that is ready already. If the loop is closed
 * before, the loop never calls fn.
 *
 * Returns: a ticket. On failure 0, with errno set to the error without its sign.
 * Errors:
 *   -ENOMEM     no memory is available.
 *   -EPERM      no loop runs in the calling thread (reported).
 */
BELAY_API belay_ticket belay_soon(belay_callback_fn *fn, void *arg);

/*
 * Let the loop call a function after a span.
 *
 * The loop calls fn(arg) on its own stack when the span has passed. A span of zero or less is over
 * at the next turn. With BELAY_NEVER the loop never calls fn, and neither does a loop that is
 * closed before.
 *
 * Returns: a ticket. On failure 0, with errno set to the error without its sign.
 * Errors:
 *   -ENOMEM     no memory is available.
 *   -EPERM      no loop runs in the calling thread (reported).
 */
BELAY_API belay_ticket belay_later(belay_time span, belay_callback_fn *fn, void *arg);

/*
 * Withdraw a callback of belay_soon() or belay_later().
 *
 * The loop must run in the calling thread and must be the one that gave the ticket. The loop never
 * uses a ticket's number again, so a stale ticket is harmless.
 *
 * Returns: true if the callback was withdrawn. Otherwise false: the callback has run, runs, or was
 * withdrawn before, `ticket` is 0, or no loop runs in the calling thread.
 */
BELAY_API bool belay_timer_cancel(belay_ticket ticket);

/* ---- values of a task ---- */

/*
 * The key of a task-local value, as asyncio's context variables.
 *
 * A task begins with the values of the task that spawned it, and sets its own without changing
 * those of other tasks. The key is a static variable of the program. The library calls `destroy`
 * (may be NULL) with a value when no task can reach the value any more.
 *
 *     static belay_local request_id = BELAY_LOCAL_INIT(free);
 */
typedef struct belay_local {
        belay_destroy *destroy; /* destructor of the values; may be NULL */
        uintptr_t reserved[3];  /* zero */
} belay_local;

/* clang-format off */
/* Initialiser of a key, with the destructor of its values or NULL. */
#define BELAY_LOCAL_INIT(...) { __VA_ARGS__, { 0 } }
/* clang-format on */

/*
 * Set a task-local value of the calling task.
 *
 * The value replaces the task's own value of the key. The library destroys the replaced value,
 * unless a task that was spawned since still reaches it. It then destroys that value when the last
 * such task has ended.
 *
 * Returns: 0.
 * Errors:
 *   -ENOMEM     no memory is available.
 *   -EPERM      the caller is not a task (reported).
 * Ownership: the library owns the value. If the function fails, the value stays the caller's.
 */
BELAY_API int belay_local_set(const belay_local *key, void *value) BELAY_MUST_USE;

/*
 * Return a task-local value of the calling task.
 *
 * Returns: the value; NULL if there is none, and outside of a task.
 * Ownership: the value is borrowed, and valid until the task ends or sets the key again.
 */
BELAY_API void *belay_local_get(const belay_local *key);

BELAY_END
#endif
