/* SPDX-License-Identifier: MIT */
/*
 * Synchronization between the tasks of one loop: lock, event, condition, semaphore, barrier.
 *
 * All are structs in the caller's storage. All zero is a lock that is free, an event that is not
 * set, a condition that nobody waits for; semaphores and barriers have an initialiser. None needs
 * to be destroyed, but nobody may wait on it when its storage goes. Waiters are served in the order
 * in which they came. When a waiter that was served is cancelled before it runs, the cancellation
 * wins and what it was served goes on to the next; nothing is lost.
 *
 * Functions that wait return 0; -ECANCELED; -EDEADLK to break a deadlock; -EPERM outside a task. A
 * wait that has nothing to wait for returns at once and is no cancellation point, as in asyncio.
 *
 * There is one exception. A task that never has to wait would keep timers, descriptors, signals and
 * other tasks waiting. So on a loop with a real clock a task gives way before its 64th such call
 * since it last waited. The call does nothing before it gives way, and is a cancellation point
 * there. This holds for belay_lock_acquire(), belay_event_wait(), belay_condition_wait_until(),
 * belay_semaphore_acquire(), belay_barrier_wait(), belay_queue_get() and belay_queue_join(). These
 * calls and I/O count together. Functions that set, notify, release or put, and those that only
 * try, never give way. Under a virtual clock no call gives way that need not wait.
 *
 * Threads: the loop's own.
 * Cancellation: the functions that do not speak of it are no cancellation points; after the loop
 * was closed, too, they may be called.
 */
#ifndef BELAY_SYNC_H
#define BELAY_SYNC_H

#include <belay/base.h>

BELAY_BEGIN

/* ---- lock ---- */

typedef struct belay_lock { BELAY_PRIVATE(64); } belay_lock;
#define BELAY_LOCK_INIT { { 0 } }

/*
 * Wait until the lock is free, and take it.
 * Returns: 0; the calling task holds the lock.
 * Errors: -ECANCELED and -EDEADLK, the lock is not held; -EPERM outside a task (reported), even if
 * the lock is free.
 * Cancellation: a cancellation point if the lock is not free, or if the task has used up its tries
 * (see above).
 */
BELAY_API int belay_lock_acquire(belay_lock *lock) BELAY_MUST_USE;
/* Takes it if it is free and nobody is before us: 0 or -EBUSY. Cancellation: not a cancellation point. */
BELAY_API int belay_lock_try_acquire(belay_lock *lock) BELAY_MUST_USE;
/*
 * Lets it go and wakes the first that waits. Any task may do so, as in asyncio. 0; -EPERM: it was
 * not held (reported).
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_lock_release(belay_lock *lock);
/* Is it held, by whomever? Cancellation: not a cancellation point. */
BELAY_API bool belay_lock_held(const belay_lock *lock);

/* ---- event ---- */

typedef struct belay_event { BELAY_PRIVATE(48); } belay_event;
#define BELAY_EVENT_INIT { { 0 } }

/*
 * Wait until the event is set. A waiter that was woken returns, even if the event is cleared before
 * the waiter runs.
 * Returns: 0.
 * Errors: -ECANCELED; -EDEADLK; -EPERM outside a task if the event is not set (reported).
 * Cancellation: a cancellation point if the event is not set, or if the task has used up its tries
 * (see above). The event is not touched.
 */
BELAY_API int belay_event_wait(belay_event *event) BELAY_MUST_USE;
/* Sets it, which wakes all who wait; clears it; is it set? Cancellation: none is a cancellation point. */
BELAY_API void belay_event_set(belay_event *event);
BELAY_API void belay_event_clear(belay_event *event);
BELAY_API bool belay_event_is_set(const belay_event *event);

/* ---- condition ---- */

typedef struct belay_condition { BELAY_PRIVATE(128); } belay_condition;
#define BELAY_CONDITION_INIT { { 0 } }

/*
 * A condition on a lock of its own (NULL, or all zero), or on one that others share, which must
 * outlive it. The lock that goes with it, borrowed.
 * Cancellation: neither is a cancellation point.
 */
BELAY_API void belay_condition_init(belay_condition *condition, belay_lock *lock);
BELAY_API belay_lock *belay_condition_lock(belay_condition *condition);

/*
 * Release the lock, wait for a notification, and take the lock again. belay_condition_wait() may
 * return without a notification, so the caller looks again at what it waits for.
 * belay_condition_wait_until() does that: it waits until predicate(arg) is true. If the predicate
 * is true already, it returns without a look at the lock, as asyncio's wait_for() does.
 * Returns: 0; the lock is held.
 * Errors: -ECANCELED, the lock is held; -EDEADLK, the lock may belong to a task that waits for ever
 * (belay_lock_held() cannot tell to which: do not release it); -EPERM if the lock is not held, or
 * outside a task (reported).
 * Cancellation: a cancellation point. belay_condition_wait_until() is none if the predicate is true
 * already, unless the task has used up its tries (see above). A notification that met the cancelled
 * task goes on to the next waiter. Requests that come while the lock is taken again do not shorten
 * that.
 */
BELAY_API int belay_condition_wait(belay_condition *condition) BELAY_MUST_USE;
BELAY_API int belay_condition_wait_until(belay_condition *condition, bool (*predicate)(void *arg), void *arg) BELAY_MUST_USE;
/*
 * Wakes up to `count` waiters, or all. 0; -EPERM: the lock is not held (reported). Cancellation:
 * not cancellation points.
 */
BELAY_API int belay_condition_notify(belay_condition *condition, size_t count);
BELAY_API int belay_condition_notify_all(belay_condition *condition);

/* ---- semaphore ---- */

typedef struct belay_semaphore { BELAY_PRIVATE(64); } belay_semaphore;
/* So many free places; a bounded one cannot be released above them. Cancellation: not cancellation points. */
#define BELAY_SEMAPHORE_INIT(...) { { 0, 0, (__VA_ARGS__) } }
#define BELAY_BOUNDED_INIT(...) { { 1, 0, (__VA_ARGS__), (__VA_ARGS__) } }
BELAY_API void belay_semaphore_init(belay_semaphore *semaphore, size_t value);
BELAY_API void belay_semaphore_init_bounded(belay_semaphore *semaphore, size_t value);

/*
 * Wait until a place is free, and take it.
 * Returns: 0; the caller has a place.
 * Errors: -ECANCELED and -EDEADLK, the caller has none; -EPERM outside a task if no place is free
 * (reported).
 * Cancellation: a cancellation point if no place is free, or if the task has used up its tries (see
 * above).
 */
BELAY_API int belay_semaphore_acquire(belay_semaphore *semaphore) BELAY_MUST_USE;
/* 0, or -EBUSY if none is free or somebody is before us. Cancellation: not a cancellation point. */
BELAY_API int belay_semaphore_try_acquire(belay_semaphore *semaphore) BELAY_MUST_USE;
/*
 * Give a place back, to the first task in line if there is one.
 * Returns: 0.
 * Errors: -EPERM if a bounded semaphore has all its places already (reported); -EOVERFLOW if one
 * without a bound has SIZE_MAX places already (reported). The semaphore is as it was then.
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_semaphore_release(belay_semaphore *semaphore);
/* How many places are free. Cancellation: not a cancellation point. */
BELAY_API size_t belay_semaphore_value(const belay_semaphore *semaphore);

/* ---- barrier ---- */

typedef struct belay_barrier { BELAY_PRIVATE(224); } belay_barrier;
/*
 * Make a barrier for `parties` tasks.
 * Returns: 0.
 * Errors: -EINVAL for no party, or for more than INT_MAX.
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_barrier_init(belay_barrier *barrier, size_t parties) BELAY_MUST_USE;

/*
 * Wait until all parties have come.
 *
 * Each party takes the least number that no other party has which waits. So those who meet have the
 * numbers from 0 to parties - 1, each once, and the last to come has the highest. asyncio gives a
 * number twice after a waiter was cancelled.
 *
 * A party that is cancelled while it waits counts no longer, from the request on, and its number is
 * free again. Under a virtual clock it counts until it runs, as in asyncio: another party that
 * comes at the same instant may meet it and pass. The barrier is not broken in either case.
 * Returns: the party's number.
 * Errors: -ENOTCONN if the barrier is broken, or is aborted or reset while the party waits;
 * -ECANCELED; -EDEADLK; -EPERM outside a task (reported).
 * Cancellation: a cancellation point if the party is not the last, or if the task has used up its
 * tries (see above).
 */
BELAY_API int belay_barrier_wait(belay_barrier *barrier) BELAY_MUST_USE;
/*
 * Break the barrier until it is reset, or empty it. Both wake all tasks that wait, and those get
 * -ENOTCONN.
 * Returns: 0.
 * Errors: -EPERM outside a task (reported).
 * Cancellation: neither is a cancellation point.
 */
BELAY_API int belay_barrier_abort(belay_barrier *barrier) BELAY_MUST_USE;
BELAY_API int belay_barrier_reset(belay_barrier *barrier) BELAY_MUST_USE;
/* Is it broken? How many have come and wait? Cancellation: neither is a cancellation point. */
BELAY_API bool belay_barrier_broken(const belay_barrier *barrier);
BELAY_API size_t belay_barrier_waiting(const belay_barrier *barrier);

BELAY_END
#endif
