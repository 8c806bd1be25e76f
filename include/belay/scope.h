/* SPDX-License-Identifier: MIT */
/*
 * Scopes: timeouts, groups of tasks, and shielded regions.
 *
 * A scope is a struct in the caller's storage that a task enters and leaves. Scopes nest, and a
 * task leaves them in the reverse order. Another order is misuse: the function returns -EPERM, and
 * the log line names both call sites. The function that leaves takes the return value of the
 * scope's body, and returns what the scope makes of it:
 *
 *     belay_timeout limit;
 *     belay_timeout_enter(&limit, 5 * BELAY_SECOND);
 *     rc = fetch(url);                                  -ECANCELED when the timeout expires
 *     rc = belay_timeout_leave(&limit, rc);             -ETIMEDOUT here
 *
 * The storage may have any contents before the task enters the scope, and may be used again after
 * the task left it. No task can enter a scope that is in force. The function returns -EPERM, the
 * log line names both call sites, and the first use goes on. A copy of a scope is not a scope. A
 * program must not write to the storage of a scope in force. If it does, the next function that
 * gets the scope reports that, and the scopes around it are not in force any more.
 *
 * Other tasks of the same loop may call the functions that query, move, cancel, or start members,
 * for as long as the storage exists. They may do so after the scope was left, and after the loop
 * was closed, and each function says what it does then. The contents of the structs are private. A
 * task that ends within scopes which it has not left is misuse (reported): their timeouts do not
 * expire, and their members are cancelled.
 *
 * If the function that leaves fails, the failure is the latest failure of the calling task. The
 * failure of a group has the members' failures beneath it.
 *
 * Threads: the loop's own.
 * Cancellation: a function is a cancellation point only if its comment says so.
 */
#ifndef BELAY_SCOPE_H
#define BELAY_SCOPE_H

#include <belay/task.h>

BELAY_BEGIN

/* ---- timeouts ---- */

/* A timeout, in the caller's storage. The contents are private. */
typedef struct belay_timeout {
        BELAY_PRIVATE(160);
} belay_timeout;

/*
 * Enter a timeout that expires after a span.
 *
 * When the timeout expires, it sends the task a request with the origin BELAY_ORIGIN_TIMEOUT. A
 * span of zero or less expires at the task's next wait or yield. With BELAY_NEVER the timeout does
 * not expire until belay_timeout_reschedule() gives it an instant.
 *
 * Returns: 0; the timeout is in force.
 * Errors:
 *   -EPERM      the caller is not a task, or the timeout is in force already (reported).
 *   -ENOMEM     no memory for a timer is available; the timeout is not in force.
 */
BELAY_API int belay_timeout_enter(belay_timeout *timeout, belay_time span);

/*
 * Enter a timeout that expires at an instant.
 *
 * The function works as belay_timeout_enter() does. An instant that has passed expires at the
 * task's next wait or yield.
 *
 * Returns: 0; the timeout is in force.
 * Errors:
 *   -EPERM      the caller is not a task, or the timeout is in force already (reported).
 *   -ENOMEM     no memory for a timer is available; the timeout is not in force.
 */
BELAY_API int belay_timeout_enter_until(belay_timeout *timeout, belay_time instant);

/*
 * Leave a timeout, and turn its cancellation into -ETIMEDOUT.
 *
 * If the timeout has expired, the function withdraws the timeout's request. It then compares the
 * number of the task's requests with the number on entry, see belay_cancelling(). Requests that a
 * shielded region holds back do not count.
 *
 * The function returns any other `rc` unchanged, even if the timeout has expired. This is asyncio's
 * rule: a body that finished despite its timeout has finished. belay_timeout_expired() says whether
 * the timeout expired. A timeout whose instant has passed has not expired if the body never yielded
 * after that instant.
 *
 * Returns: `rc`.
 * Errors:
 *   -ETIMEDOUT  the timeout has expired, `rc` is -ECANCELED, and the task has no more requests than
 *               when it entered.
 *   -EPERM      the timeout is not the innermost scope of the calling task (reported).
 */
BELAY_API int belay_timeout_leave(belay_timeout *timeout, int rc) BELAY_MUST_USE;

/*
 * Move a timeout to a span from the call.
 *
 * With BELAY_NEVER the timeout does not expire. A span of zero or less expires at the task's next
 * wait or yield.
 *
 * Returns: 0.
 * Errors:
 *   -ETIMEDOUT  the timeout has expired.
 *   -EPERM      the timeout was never entered, or was left, or its loop is closed (not reported).
 *   -ENOMEM     no memory for a timer is available; the timeout does not expire any more.
 */
BELAY_API int belay_timeout_reschedule(belay_timeout *timeout, belay_time span);

/*
 * Move a timeout to an instant.
 *
 * With BELAY_NEVER the timeout does not expire. An instant that has passed expires at the task's
 * next wait or yield.
 *
 * Returns: 0.
 * Errors:
 *   -ETIMEDOUT  the timeout has expired.
 *   -EPERM      the timeout was never entered, or was left, or its loop is closed (not reported).
 *   -ENOMEM     no memory for a timer is available; the timeout does not expire any more.
 */
BELAY_API int belay_timeout_reschedule_until(belay_timeout *timeout, belay_time instant);

/*
 * Find out whether a timeout has expired.
 *
 * The answer stays the same after the timeout was left.
 *
 * Returns: true if the timeout has sent its request.
 */
BELAY_API bool belay_timeout_expired(const belay_timeout *timeout);

/*
 * Return the instant of a timeout.
 *
 * Returns: the instant that was set last; BELAY_NEVER if there is none, or if the timeout was never
 * entered.
 */
BELAY_API belay_time belay_timeout_when(const belay_timeout *timeout);

/*
 * Return the deadline of the calling task.
 *
 * Returns: the earliest instant of all timeouts that the task has entered and not left. If there is
 * none, or the caller is not a task, BELAY_NEVER.
 */
BELAY_API belay_time belay_deadline(void);

/*
 * Call a function within a timeout, as asyncio's wait_for(coroutine) does.
 *
 * The function calls fn(arg) in the calling task. With a span of zero or less it never calls fn.
 * Instead other tasks run for the 3 turns that asyncio takes to cancel a coroutine before its first
 * step, and the function returns -ETIMEDOUT.
 *
 * Returns: what fn returned.
 * Errors:
 *   -ETIMEDOUT  the timeout expired, and fn returned -ECANCELED; or the span is zero or less.
 *   -ECANCELED  the task was cancelled, and fn returned -ECANCELED or was not called.
 *   -ENOMEM     no memory for a timer is available; fn was not called.
 *   -EPERM      the caller is not a task, and fn was not called; or fn did not leave a scope that
 *               it entered (reported).
 * Cancellation: a cancellation point where fn has one, and if the span is zero or less.
 */
BELAY_API int belay_wait_for(belay_fn *fn, void *arg, belay_time span) BELAY_MUST_USE;

/*
 * Await a task within a timeout, as asyncio's wait_for(task) does.
 *
 * When the timeout expires, the request is forwarded to the task, and the wait goes on until the
 * task has ended. If it ended cancelled, the function returns -ETIMEDOUT. A task that refuses is
 * waited for, and the function returns 0. In all other respects the function works as belay_await()
 * does.
 *
 * With a span of zero or less, a task that is done is not cancelled, and the function returns 0.
 * Any other task is cancelled at once, with the origin BELAY_ORIGIN_TIMEOUT.
 *
 * Returns: 0 when the task has ended; *outcome (may be NULL) is its outcome.
 * Errors:
 *   -ETIMEDOUT  the timeout expired, and the task ended cancelled; *outcome is -ECANCELED.
 *   -ECANCELED  the calling task was cancelled, see belay_await().
 *   -EDEADLK    the task awaits itself or a task that awaited itself (reported), or the loop ended
 *               the wait to break a deadlock.
 *   -ENOMEM     no memory for a timer is available, or `task` is NULL.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point unless the task is done. The request is forwarded to the task.
 * With a span of zero or less the request ends the wait alone, since the task has been cancelled.
 */
BELAY_API int belay_await_for(belay_task *task, belay_time span, int *outcome) BELAY_MUST_USE;

/* ---- groups ---- */

/* A group, in the caller's storage. The contents are private. */
typedef struct belay_group {
        BELAY_PRIVATE(256);
} belay_group;

/* Options of a group. A member that is zero has its default, see <belay/options.h>. */
typedef struct belay_group_options {
        size_t size;      /* sizeof(belay_group_options) */
        bool supervise;   /* a member's failure cancels nothing, and is not returned */
        size_t limit;     /* greatest number of members at a time; 0: no limit */
        const char *name; /* name for reports, which outlives the group; NULL: none */
} belay_group_options;

/*
 * Enter a group of tasks.
 *
 * Tasks that are started into the group are its members. The function that leaves waits for all of
 * them. The first failure of a member cancels the other members and the body. A body that fails or
 * ends cancelled cancels the members.
 *
 * Returns: 0; the group is in force.
 * Errors:
 *   -EPERM      the caller is not a task, or the group is in force already (reported).
 */
BELAY_API int belay_group_enter(belay_group *group);

/*
 * Enter a group of tasks with options.
 *
 * The function works as belay_group_enter() does. `options` may be NULL. If the group has .limit
 * members, starting one more waits for room.
 *
 * Returns: 0; the group is in force.
 * Errors:
 *   -EPERM      the caller is not a task, or the group is in force already (reported).
 */
BELAY_API int belay_group_enter_with(belay_group *group, const belay_group_options *options);

/*
 * Leave a group after all of its members have ended.
 *
 * `rc` is the return value of the body. A request that arrives during the wait cancels the members,
 * and the task goes on waiting until they have ended. Members that ended cancelled have not failed.
 * No deadlock ends the wait: the loop ends the members' waits instead.
 *
 * Returns: the first of these that applies.
 *     - If a member or the body failed, the code of the first failure. The failure has all of them
 *       beneath it in the order in which they happened, and the body's is the last. In a
 *       supervising group only a failure of the body counts, and the function returns it unchanged.
 *     - -ECANCELED, as below.
 *     - `rc`, if it is a result.
 *     - 0, if the group itself cancelled its body.
 * Errors:
 *   -ECANCELED  no failure counts, and the task was cancelled from outside of the group, or the
 *               body ended cancelled for another reason than its group.
 *   -EPERM      the group is not the innermost scope of the calling task (reported).
 * Cancellation: a cancellation point if the group has members. If the function returns a failure, a
 * request from outside of the group is pending afterwards.
 */
BELAY_API int belay_group_leave(belay_group *group, int rc) BELAY_MUST_USE;

/*
 * Start a member of a group.
 *
 * Any task of the loop may call the function. If the group is at its limit, the function waits
 * until a member has ended. A callback may call it too, if there is room.
 *
 * Returns: 0.
 * Errors:
 *   -ENOMEM     no memory is available, or no room for another stack (a log line says which).
 *   -EINVAL     the loop's stack size is larger than a stack can be.
 *   -EPERM      the group was never entered, is shutting down, or was left; or the caller must wait
 *               for room and is not a task (reported).
 *   -ESHUTDOWN  the group began to shut down, or was left, while the caller waited for room.
 *   -ECANCELED  the caller was cancelled while it waited for room.
 *   -EDEADLK    the loop ended the wait for room to break a deadlock.
 * Cancellation: a cancellation point if the group is at its limit.
 * Ownership: the group owns the member. If the function fails, it started nothing, and arg still
 * belongs to the caller.
 */
BELAY_API int belay_group_spawn(belay_group *group, belay_fn *fn, void *arg) BELAY_MUST_USE;

/*
 * Start a member of a group with options, and get a handle to it.
 *
 * The function works as belay_group_spawn() does. `options` may be NULL, and so may `task`. The
 * function writes *task only if it returns 0. If an eager member fails in this call, the group
 * learns of the failure in the next turn.
 *
 * Returns: 0.
 * Errors:
 *   -ENOMEM     no memory is available, or no room for another stack (a log line says which).
 *   -EINVAL     the stack size is larger than a stack can be.
 *   -EPERM      the group was never entered, is shutting down, or was left; or the caller must wait
 *               for room and is not a task (reported).
 *   -ESHUTDOWN  the group began to shut down, or was left, while the caller waited for room.
 *   -ECANCELED  the caller was cancelled while it waited for room.
 *   -EDEADLK    the loop ended the wait for room to break a deadlock.
 * Cancellation: a cancellation point if the group is at its limit.
 * Ownership: the group owns the member. The caller releases the handle, which keeps the member's
 * record alone. If the function fails, it started nothing, and arg still belongs to the caller.
 */
BELAY_API int belay_group_spawn_with(belay_group *group, belay_fn *fn, void *arg,
                                     const belay_spawn_options *options,
                                     belay_task **task) BELAY_MUST_USE;

/*
 * Start a member of a group, and wait until the member calls belay_ready().
 *
 * A server calls belay_ready() when it listens, for example. `options` and `task` may be NULL. The
 * function ignores .eager.
 *
 * If the wait fails, the function cancels the member and waits until it has ended. A second request
 * ends this wait too, and stays pending. The function does not wait for a member whose shielded
 * region holds the request back. In both cases the member stays in the group, which waits for it.
 *
 * Returns: 0 when the member is ready; it stays in the group, and *task is a handle. If the member
 * failed before it was ready, the code of its failure. The detail goes with the code, and the group
 * does not count that failure.
 * Errors:
 *   -EPIPE      the member ended before it was ready, with a result or cancelled.
 *   -ECANCELED  the caller was cancelled before the member was ready, or while it waited for room.
 *   -ESHUTDOWN  the group began to shut down, or was left, while the caller waited for room; or the
 *               group's task ended without leaving the group.
 *   -EDEADLK    the loop ended the wait to break a deadlock.
 *   -ENOMEM     no memory is available, or no room for another stack (a log line says which).
 *   -EINVAL     the stack size is larger than a stack can be.
 *   -EPERM      the group was never entered, is shutting down, or was left; or the caller is not a
 *               task (reported).
 * Cancellation: a cancellation point. If the member was ready before the caller ran again, the
 * function returns 0, and the request stays pending.
 * Ownership: the group owns the member, and the caller releases the handle. If the function fails
 * and it started a member, the member's destructor disposes of arg. If it started none, arg still
 * belongs to the caller.
 */
BELAY_API int belay_group_start(belay_group *group, belay_fn *fn, void *arg,
                                const belay_spawn_options *options,
                                belay_task **task) BELAY_MUST_USE;

/*
 * Report to the starter that the calling member is ready.
 *
 * The starter is the task that called belay_group_start().
 *
 * Returns: 0; belay_group_start() returns 0 to the starter.
 * Errors:
 *   -EALREADY   no starter waits for the calling task.
 *   -EPIPE      the starter stopped waiting: it has cancelled the member, and waits for its end.
 *   -EPERM      the caller is not a task (reported).
 */
BELAY_API int belay_ready(void);

/*
 * Cancel the members and the body of a group.
 *
 * Any task or callback of the loop may call the function. belay_group_leave() does not return
 * -ECANCELED for this cancellation. The function does nothing if the group was left or is
 * shutting down already.
 */
BELAY_API void belay_group_cancel(belay_group *group);

/*
 * Return the number of members of a group that have not ended.
 *
 * An eager member that ended in the call that started it counts until the next turn.
 *
 * Returns: the number; 0 if the group was never entered.
 */
BELAY_API size_t belay_group_count(const belay_group *group);

/* ---- shielded regions ---- */

/* A shielded region, in the caller's storage. The contents are private. */
typedef struct belay_shield_scope {
        BELAY_PRIVATE(192);
} belay_shield_scope;

/*
 * Enter a shielded region, which holds back requests from outside of it.
 *
 * The region is for cleanup that must not be interrupted. For a task that is awaited, there is
 * belay_shield(). The span limits the region. When it has passed, the request that is held back
 * becomes pending inside of the region, and meets the task's wait if there is one. From then on the
 * region holds nothing back. BELAY_NEVER sets no limit. asyncio has no such scope.
 *
 * Timeouts and groups that the task enters within the region work as usual, and their requests have
 * origins of their own. A request that the task sends to itself is not held back either. Tasks that
 * the region spawned can be cancelled as usual.
 *
 * Returns: 0; the region is in force.
 * Errors:
 *   -EPERM      the caller is not a task, or the region is in force already (reported).
 *   -ENOMEM     no memory for a timer is available; the region is not in force.
 */
BELAY_API int belay_shield_enter(belay_shield_scope *scope, belay_time span);

/*
 * Leave a shielded region.
 *
 * A request that the region held back becomes pending, with the origin and the reason that it
 * arrived with. The task's next cancellation point delivers it. If the task is still in another
 * shielded region that holds the request back, it stays held back.
 *
 * Returns: `rc`, unchanged.
 * Errors:
 *   -EPERM      the region is not the innermost scope of the calling task (reported).
 */
BELAY_API int belay_shield_leave(belay_shield_scope *scope, int rc) BELAY_MUST_USE;

BELAY_END
#endif
