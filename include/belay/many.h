/* SPDX-License-Identifier: MIT */
/*
 * Waiting for several tasks: gather, wait, race, and one after the other as they end.
 *
 * All take an array of handles, tasks and futures mixed; the same one may stand in it twice. The
 * handles stay the caller's. Results are read from the handles. Errors of all: -ENOMEM, also for a
 * NULL among them (nothing is waited for or cancelled then); -EPERM outside a task; -EDEADLK to
 * break a deadlock. The caller may be among them, as in asyncio, and then waits for itself, until a
 * limit or a cancellation, or until the deadlock is broken; in a race that is -EDEADLK at once.
 *
 * Threads: the loop's own.
 */
#ifndef BELAY_MANY_H
#define BELAY_MANY_H

#include <belay/task.h>

BELAY_BEGIN

/*
 * Waits until all have ended well, or the first has failed or was cancelled: *outcome (may be NULL)
 * is 0 or that one's end, and its detail is with the calling task. The others go on, as asyncio's
 * gather() has it; a failure that comes later and that nobody looks at is reported. (To have them
 * cancelled: a group.)
 * Cancellation: a cancellation point, but a request goes to all of them, as often as it comes;
 * -ECANCELED when the first has ended so.
 */
BELAY_API int belay_gather(belay_task *const tasks[], size_t count, int *outcome) BELAY_MUST_USE;

/*
 * Waits until all have ended, whichever way: asyncio's gather(return_exceptions=True).
 * Cancellation: a cancellation point, but a request goes to all of them; -ECANCELED when all have
 * ended.
 */
BELAY_API int belay_gather_collect(belay_task *const tasks[], size_t count) BELAY_MUST_USE;

typedef enum belay_wait_mode {
        BELAY_WAIT_ALL = 0,               /* until all have ended */
        BELAY_WAIT_FIRST = 1,             /* until one has */
        BELAY_WAIT_FIRST_ERROR = 2,       /* until one has failed (not cancelled), or all have ended */
} belay_wait_mode;

/*
 * Waits, for a span at most (BELAY_NEVER: no limit), and returns how many have ended; belay_done()
 * tells which. Meeting the limit is no failure, and nothing is cancelled: asyncio's wait(). -EINVAL
 * for no tasks at all.
 * Cancellation: a cancellation point; the tasks are not touched.
 */
BELAY_API int belay_wait(belay_task *const tasks[], size_t count, belay_wait_mode mode, belay_time span) BELAY_MUST_USE;

/*
 * The first that ends well wins: the others are cancelled (BELAY_ORIGIN_RACE) and waited for.
 * *winner (may be NULL) is its index and *outcome its result. Results that losers came to all the
 * same are in their handles, and their values are destroyed with these. If none ends well, *winner
 * is `count`, *outcome the first failure's code, and the detail has all of them. What happened
 * wins: a caller that is cancelled after somebody won gets the result, and the request stays.
 * -EINVAL for no tasks at all (reported). -EDEADLK, when a deadlock is broken here: the others were
 * cancelled, but one may be left that waits for the caller and would not go.
 * Cancellation: a cancellation point; all are cancelled and waited for.
 */
BELAY_API int belay_race(belay_task *const tasks[], size_t count, size_t *winner, int *outcome) BELAY_MUST_USE;

/*
 * One after the other, in the order in which they end:
 *
 *     belay_as_completed each;
 *     rc = belay_as_completed_begin(&each, tasks, count, 10 * BELAY_SECOND);
 *     while (rc == 0 && (rc = belay_as_completed_next(&each, &task)) > 0)
 *             rc = use(belay_result(task));
 *     belay_as_completed_end(&each);
 *
 * begin: 0 or an error; -EPERM if `each` was begun and not ended (reported with both places; it
 * goes on). next: 1 and a handle (borrowed); 0 when all have been given; -ETIMEDOUT for each that
 * had not ended within the span when its turn comes; -ECANCELED. end: needed after every successful
 * begin; the tasks go on.
 * Cancellation: begin and end are no cancellation points; next is one when none has ended that was
 * not given; none is lost by it.
 */
typedef struct belay_as_completed { BELAY_PRIVATE(192); } belay_as_completed;
BELAY_API int belay_as_completed_begin(belay_as_completed *each, belay_task *const tasks[], size_t count,
                                       belay_time span) BELAY_MUST_USE;
BELAY_API int belay_as_completed_next(belay_as_completed *each, belay_task **task) BELAY_MUST_USE;
BELAY_API void belay_as_completed_end(belay_as_completed *each);

BELAY_END
#endif
