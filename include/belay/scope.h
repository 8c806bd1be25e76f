/* SPDX-License-Identifier: MIT */
/*
 * Scopes: time limits, groups of tasks, shielded regions.
 *
 * A scope is a struct in the caller's storage that a task enters and leaves; scopes nest and are
 * left in the reverse order (another order is misuse: reported with both places, -EPERM). Leaving
 * takes what the body came to and returns what the scope makes of it:
 *
 *     belay_timeout limit;
 *     belay_timeout_enter(&limit, 5 * BELAY_SECOND);
 *     rc = fetch(url);                                  -ECANCELED in there when the limit strikes
 *     rc = belay_timeout_leave(&limit, rc);             -ETIMEDOUT here
 *
 * The storage may hold anything before the task enters the scope, and may be used again after the
 * task left it. A scope in force cannot be entered again, by its task or by another one: the
 * function that enters returns -EPERM, the log line names both places, and the first use goes on. A
 * copy of a scope is no scope. A program must not write to the storage of a scope in force: if it
 * did, the next function that gets the scope reports that, and the scopes around it are in force no
 * more.
 *
 * Other tasks of the same loop may ask, move, cancel or start into a scope while its storage lives,
 * after it was left, too (they are told so), and after the loop was closed. What is inside the
 * structs is the library's. A task that ends within scopes it has not left is misuse, reported:
 * their limits do not strike, and their members are cancelled.
 *
 * A failed leave leaves the detail with the calling task: a group's has the members' failures
 * beneath it.
 *
 * Threads: the loop's own.
 */
#ifndef BELAY_SCOPE_H
#define BELAY_SCOPE_H

#include <belay/task.h>

BELAY_BEGIN

/* ---- time limits ---- */

/* The library's inside; the caller's storage. */
typedef struct belay_timeout { BELAY_PRIVATE(160); } belay_timeout;

/*
 * Enters a limit of a span (BELAY_NEVER: none yet), or until an instant. When it is met, the task
 * is cancelled (BELAY_ORIGIN_TIMEOUT). A span of zero or less strikes at the next wait that gives
 * way. Returns 0; -EPERM outside a task, or if the scope is in force (reported); -ENOMEM.
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_timeout_enter(belay_timeout *timeout, belay_time span);
BELAY_API int belay_timeout_enter_until(belay_timeout *timeout, belay_time instant);

/*
 * Leaves it. If it struck, its own request is taken back; and if no more requests are left then
 * than there were on entering, `rc` -ECANCELED becomes -ETIMEDOUT. Any other `rc` is returned as it
 * is (asyncio's rule: code that finished in spite of the limit has finished;
 * belay_timeout_expired() tells). A limit whose time is over but that had no chance to strike,
 * since the body never gave way, has not struck. -EPERM: it was not this task's innermost scope.
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_timeout_leave(belay_timeout *timeout, int rc) BELAY_MUST_USE;

/*
 * Moves the limit to a span from now (BELAY_NEVER: none), or to an instant. Returns 0; -ETIMEDOUT
 * if it has struck; -EPERM if it was left; -ENOMEM, and then it has no limit.
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_timeout_reschedule(belay_timeout *timeout, belay_time span);
BELAY_API int belay_timeout_reschedule_until(belay_timeout *timeout, belay_time instant);

/* Has it struck? Also after it was left. Cancellation: not a cancellation point. */
BELAY_API bool belay_timeout_expired(const belay_timeout *timeout);

/*
 * The instant it is set to (BELAY_NEVER if none), and the earliest of all limits around the calling
 * task.
 * Cancellation: not a cancellation point.
 */
BELAY_API belay_time belay_timeout_when(const belay_timeout *timeout);
BELAY_API belay_time belay_deadline(void);

/*
 * Calls fn(arg) in the calling task under a limit, as asyncio's wait_for(coroutine) does: returns
 * what it returns, or -ETIMEDOUT. With a span of zero or less, fn is never called: others run for
 * the few turns that asyncio takes to cancel a coroutine before its first step, then -ETIMEDOUT is
 * returned. -EPERM outside a task; -ENOMEM.
 * Cancellation: a cancellation point where fn has one, and with a span of zero or less.
 */
BELAY_API int belay_wait_for(belay_fn *fn, void *arg, belay_time span) BELAY_MUST_USE;

/*
 * Awaits a task under a limit: at the limit it is cancelled, and -ETIMEDOUT returned when it has
 * ended cancelled. A task that refuses the cancellation is waited for, and its outcome written.
 * Otherwise as belay_await(). With a span of zero or less a task that is done is no time-out; any
 * other is cancelled at once.
 * Cancellation: a cancellation point; the request goes to the task. With a span of zero or less it
 * ends the wait only: the task has been cancelled already.
 */
BELAY_API int belay_await_for(belay_task *task, belay_time span, int *outcome) BELAY_MUST_USE;

/* ---- groups ---- */

/* The library's inside; the caller's storage. */
typedef struct belay_group { BELAY_PRIVATE(256); } belay_group;

typedef struct belay_group_options {
        size_t size;              /* sizeof(belay_group_options) */
        bool supervise;           /* a member's failure cancels nobody, and leaving does not return it */
        size_t limit;             /* members at once: starting one more waits for room; 0: no limit */
        const char *name;         /* for reports; must outlive the group; NULL: none */
} belay_group_options;

/*
 * Enters a group. Its members are the tasks started into it; leaving waits for all of them. The
 * first failure of a member cancels the others and the body, so does a body that ends in failure or
 * cancelled. Returns 0; -EPERM outside a task, or if the scope is in force (reported).
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_group_enter(belay_group *group);
BELAY_API int belay_group_enter_with(belay_group *group, const belay_group_options *options);

/*
 * Leaves the group with what its body came to, after all of its members have ended.
 *
 * Returns: the first of these that holds
 *     - the code of the first failure, if a member or the body failed. The failure has all of them beneath it in the
 *       order in which they happened, the body's last. In a supervising group only the body's failure counts, and the
 *       function returns it as it is;
 *     - -ECANCELED, if the task was cancelled from outside of the group;
 *     - `rc`, if it is a result;
 *     - 0, if the group itself cancelled its body.
 * Members that ended cancelled are no failures.
 * Errors: -EPERM if the group is not the innermost scope of the calling task (reported).
 * Cancellation: a cancellation point if the group has members. They are cancelled, and the task
 * waits for them all the same. If the function returns a failure, a request from outside stays for
 * the task's next wait.
 */
BELAY_API int belay_group_leave(belay_group *group, int rc) BELAY_MUST_USE;

/*
 * Starts a member, from any task of the loop. belay_group_spawn_with() takes options (may be NULL)
 * and stores a handle in *task for a caller that wants one. The caller releases that handle.
 *
 * Returns: 0. *task (may be NULL) is written only then.
 * Errors: nothing was started, and the argument is still the caller's.
 *     -ENOMEM      no memory, or no room for another stack.
 *     -EINVAL      the stack is larger than a stack can be.
 *     -EPERM       the group was never entered, is shutting down, or was left (reported).
 *     -ESHUTDOWN   the group began to shut down, or was left, while the caller waited for room.
 *     -ECANCELED   the caller was cancelled while it waited for room.
 *     -EDEADLK     the wait for room was failed to break a deadlock.
 * Cancellation: a cancellation point only if the group is at its limit.
 * Ownership: the group owns the member. A handle keeps the member's record, and nothing else.
 */
BELAY_API int belay_group_spawn(belay_group *group, belay_fn *fn, void *arg) BELAY_MUST_USE;
BELAY_API int belay_group_spawn_with(belay_group *group, belay_fn *fn, void *arg, const belay_spawn_options *options,
                                     belay_task **task) BELAY_MUST_USE;

/*
 * Starts a member and waits until the member calls belay_ready(), as a server does when it listens.
 * The member is never started eagerly.
 *
 * Returns: 0 when the member is ready. It stays in the group, and *task (may be NULL) gets a
 * handle.
 * Errors: those of belay_group_spawn(); if a member was started, the argument is the member's, and
 * the destructor tells of its end. Besides:
 *     the member's code   the member failed before it was ready. The detail goes with the code, and the group does not
 *                         count that failure.
 *     -EPIPE              the member ended before it was ready, with a result or cancelled.
 *     -ESHUTDOWN          the group's task ended without leaving the group.
 *     -ECANCELED          the caller was cancelled before the member was ready.
 *     -EDEADLK            the wait was failed to break a deadlock.
 * Cancellation: a cancellation point. The function then cancels the member and waits for its end; a
 * second request ends this wait too, and stays for the caller's next wait. A member that holds the
 * request back in a shielded region is not waited for. In both cases the member stays in the group,
 * which waits for it. If the member was ready before the caller ran again, the function returns 0,
 * and the request stays for the caller's next wait.
 */
BELAY_API int belay_group_start(belay_group *group, belay_fn *fn, void *arg, const belay_spawn_options *options,
                                belay_task **task) BELAY_MUST_USE;

/*
 * Tells the starter of the calling member that the member is ready.
 *
 * Returns: 0 if the starter heard of it.
 * Errors: -EALREADY if nobody waits for it; -EPIPE if the starter has given up, has cancelled the
 * member, and waits for its end; -EPERM outside a task.
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_ready(void);

/*
 * Cancels the group whole: its members and its body; leaving it returns no -ECANCELED for that.
 * From any task of the loop. Of a group that was left: nothing.
 * Cancellation: not a cancellation point.
 */
BELAY_API void belay_group_cancel(belay_group *group);

/* How many members have not ended. Cancellation: not a cancellation point. */
BELAY_API size_t belay_group_count(const belay_group *group);

/* ---- shielded regions ---- */

/* The library's inside; the caller's storage. */
typedef struct belay_shield_scope { BELAY_PRIVATE(192); } belay_shield_scope;

/*
 * From here on requests from outside of the region are held back, for a span at most (BELAY_NEVER:
 * no limit). Time limits and groups entered within it work as ever, what they ask has its own
 * origin, and so does a cancellation of the tasks it started. Leaving lets the held-back request
 * through, with the origin and the reason it came with: to the task's next wait; `rc` is returned
 * as it is. When the limit is met, the request is delivered inside. For clean-up that must be
 * whole; a task that is awaited is shielded with belay_shield(). Returns 0; -EPERM outside a task,
 * or if the scope is in force (reported); -ENOMEM. (asyncio has no such scope.)
 * Cancellation: neither is a cancellation point.
 */
BELAY_API int belay_shield_enter(belay_shield_scope *scope, belay_time span);
BELAY_API int belay_shield_leave(belay_shield_scope *scope, int rc) BELAY_MUST_USE;

BELAY_END
#endif
