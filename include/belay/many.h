/* SPDX-License-Identifier: MIT */
/*
 * Waits for several tasks: gather, wait, race, and one task after another as they end.
 *
 * All functions take an array of handles of tasks and futures. The same handle may stand in it more
 * than once. The handles stay the caller's, and the caller reads outcomes and values from them. If
 * a handle is NULL, the function returns -ENOMEM, and waits for nothing and cancels nothing.
 *
 * The calling task may be among the tasks, as in asyncio. It then waits for itself until a limit, a
 * request or a broken deadlock ends the wait. belay_race() returns -EDEADLK at once instead.
 *
 * Threads: the loop's own.
 * Cancellation: a function is a cancellation point only if its comment says so.
 */
#ifndef BELAY_MANY_H
#define BELAY_MANY_H

#include <belay/task.h>

BELAY_BEGIN

/*
 * Wait until all tasks have a result or one fails, as asyncio's gather().
 *
 * The wait ends when all tasks have ended with a result, or when the first one fails or ends
 * cancelled. The other tasks go on, and a failure of theirs that no caller retrieves is logged. A
 * group cancels the others instead. If all tasks are done, or there are none, the function returns
 * at once.
 *
 * Returns: 0. *outcome (may be NULL) is 0 if all tasks have a result. Otherwise it is the outcome
 * of the first task that failed or ended cancelled, and that failure is the latest failure of the
 * calling task. With -ECANCELED the function writes *outcome in the second case only.
 * Errors:
 *   -ECANCELED  a request was forwarded, and the first task to end otherwise than with a result
 *               ended cancelled, or all ended with a result; or a request arrived after the tasks
 *               had ended, and before the calling task ran again.
 *   -EDEADLK    the loop ended the wait to break a deadlock; the tasks go on.
 *   -ENOMEM     no memory is available, or a handle is NULL.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point unless the wait is over at once. Each request is forwarded to
 * all tasks, once for each place in the array, and the wait goes on.
 */
BELAY_API int belay_gather(belay_task *const tasks[], size_t count, int *outcome) BELAY_MUST_USE;

/*
 * Wait until all tasks have ended, with whatever outcomes.
 *
 * The function works as asyncio's gather(return_exceptions=True) does. It retrieves no failure. If
 * all tasks are done, or there are none, it returns at once.
 *
 * Returns: 0 when all tasks have ended.
 * Errors:
 *   -ECANCELED  a request was forwarded, or arrived before the calling task ran again. All tasks
 *               have ended.
 *   -EDEADLK    the loop ended the wait to break a deadlock; the tasks go on.
 *   -ENOMEM     no memory is available, or a handle is NULL.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point unless the wait is over at once. Each request is forwarded to
 * all tasks, and the wait goes on.
 */
BELAY_API int belay_gather_collect(belay_task *const tasks[], size_t count) BELAY_MUST_USE;

/* The condition for which belay_wait() waits. */
typedef enum belay_wait_mode {
        BELAY_WAIT_ALL = 0,         /* all tasks have ended */
        BELAY_WAIT_FIRST = 1,       /* one task has ended */
        BELAY_WAIT_FIRST_ERROR = 2, /* one has failed (not cancelled), or all have ended */
} belay_wait_mode;

/*
 * Wait for tasks for a limited time, and count those that have ended.
 *
 * The function works as asyncio's wait() does. When the span has passed, it returns and cancels
 * nothing. BELAY_NEVER sets no limit. belay_done() says which tasks have ended.
 *
 * Returns: the number of handles in the array whose tasks have ended.
 * Errors:
 *   -ECANCELED  the calling task was cancelled; the tasks go on.
 *   -EDEADLK    the loop ended the wait to break a deadlock; the tasks go on.
 *   -EINVAL     `count` is 0, or `mode` is unknown (reported).
 *   -ENOMEM     no memory is available, or a handle is NULL.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point. A request that is pending is delivered even if the condition
 * holds already. Requests are not forwarded.
 */
BELAY_API int belay_wait(belay_task *const tasks[], size_t count, belay_wait_mode mode,
                         belay_time span) BELAY_MUST_USE;

/*
 * Wait for the first task that ends with a result, and cancel the others.
 *
 * The first task that ends with a result wins. Of tasks that are done already, the first in the
 * array wins. The function cancels the others, with the origin BELAY_ORIGIN_RACE, and waits until
 * they have ended. If a loser ends with a result all the same, its handle has the result, and its
 * value is destroyed when the handle is released.
 *
 * Cancellation never discards a win: if the calling task is cancelled after a task has won, the
 * function returns 0, and the request stays pending. The race retrieves the failures of the tasks
 * that failed before it was decided.
 *
 * Returns: 0. *winner (may be NULL) is the winner's index and *outcome (may be NULL) its result. If
 * no task ended with a result, *winner is `count`, and *outcome is the code of the first failure
 * or cancellation. The latest failure of the calling task has all of them beneath it.
 * Errors:
 *   -ECANCELED  the calling task was cancelled before a task won. All tasks were cancelled and have
 *               ended, except one that waits for the caller and refuses.
 *   -EDEADLK    the calling task is one of the tasks, and nothing was cancelled (reported); or the
 *               loop ended the wait to break a deadlock. The others were cancelled then, but one
 *               that waits for the caller and refuses may not have ended.
 *   -EINVAL     `count` is 0 (reported).
 *   -ENOMEM     no memory is available, or a handle is NULL.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point until a task has won, or all have ended. When it delivers a
 * request, the function cancels all tasks and waits until they have ended.
 */
BELAY_API int belay_race(belay_task *const tasks[], size_t count, size_t *winner,
                         int *outcome) BELAY_MUST_USE;

/*
 * A wait for tasks one after another, in the order in which they end.
 *
 * The storage is the caller's, and the contents are private.
 *
 *     belay_as_completed each;
 *     rc = belay_as_completed_begin(&each, tasks, count, 10 * BELAY_SECOND);
 *     while (rc == 0 && (rc = belay_as_completed_next(&each, &task)) > 0)
 *             rc = use(belay_result(task));
 *     belay_as_completed_end(&each);
 */
typedef struct belay_as_completed {
        BELAY_PRIVATE(192);
} belay_as_completed;

/*
 * Begin to wait for tasks one after another.
 *
 * The function does not wait. The span begins at the call, and BELAY_NEVER sets no limit. A task
 * that stands in the array more than once is given once.
 *
 * Returns: 0; the caller must call belay_as_completed_end().
 * Errors:
 *   -ENOMEM     no memory is available, or a handle is NULL.
 *   -EPERM      the caller is not a task, or `each` was begun and not ended (reported). In the
 *               second case the log line names both call sites, and the first use goes on.
 */
BELAY_API int belay_as_completed_begin(belay_as_completed *each, belay_task *const tasks[],
                                       size_t count, belay_time span) BELAY_MUST_USE;

/*
 * Wait for the next task that ends.
 *
 * Tasks that were done when belay_as_completed_begin() was called are given in the next turn, as in
 * asyncio. An error loses no task: a later call goes on with the same tasks.
 *
 * Returns: 1, and *task (may be NULL) is the handle; 0 when all tasks have been given.
 * Errors:
 *   -ETIMEDOUT  the span has passed. The function returns this once for each task that had not
 *               ended by then, and 0 after the last.
 *   -ECANCELED  the calling task was cancelled; the tasks go on.
 *   -EDEADLK    the loop ended the wait to break a deadlock; the tasks go on.
 *   -EPERM      the caller is not a task, or not the one that began `each` (reported).
 * Cancellation: a cancellation point if no task has ended that was not given.
 * Ownership: the handle is borrowed from the caller's array.
 */
BELAY_API int belay_as_completed_next(belay_as_completed *each, belay_task **task) BELAY_MUST_USE;

/*
 * End a wait for tasks one after another.
 *
 * The tasks go on. The function is needed after each belay_as_completed_begin() that returned 0. It
 * does nothing if `each` was not begun.
 */
BELAY_API void belay_as_completed_end(belay_as_completed *each);

BELAY_END
#endif
