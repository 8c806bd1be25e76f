/* SPDX-License-Identifier: MIT */
/*
 * Synchronization between the tasks of one loop: lock, event, condition, semaphore, barrier.
 *
 * All are structs in the caller's storage. All zero is a lock that is free, an event that is not set, a condition
 * that nobody waits for; semaphores and barriers have an initialiser. None needs to be destroyed, but nobody may wait
 * on it when its storage goes. Waiters are served in the order in which they came. When a waiter that was served is
 * cancelled before it runs, the cancellation wins and what it was served goes on to the next; nothing is lost.
 *
 * Functions that wait return 0; -ECANCELED; -EDEADLK to break a deadlock; -EPERM outside a task. A wait that has
 * nothing to wait for returns at once and is no cancellation point, as in asyncio.
 *
 * Threads: the loop's own.
 * Cancellation: the functions that do not speak of it are no cancellation points; after the loop was closed, too,
 * they may be called.
 */
#ifndef BELAY_SYNC_H
#define BELAY_SYNC_H

#include <belay/base.h>

BELAY_BEGIN

/* ---- lock ---- */

typedef struct belay_lock { BELAY_PRIVATE(64); } belay_lock;
#define BELAY_LOCK_INIT { { 0 } }

/*
 * Waits until the lock is free and takes it. Outside a task it is -EPERM (reported), though it be free: a lock is a
 * task's.
 * Cancellation: a cancellation point if it is not free; the lock is not held then.
 */
BELAY_API int belay_lock_acquire(belay_lock *lock) BELAY_MUST_USE;
/* Takes it if it is free and nobody is before us: 0 or -EBUSY. Cancellation: not a cancellation point. */
BELAY_API int belay_lock_try_acquire(belay_lock *lock) BELAY_MUST_USE;
/*
 * Lets it go and wakes the first that waits. Any task may do so, as in asyncio. 0; -EPERM: it was not held
 * (reported).
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_lock_release(belay_lock *lock);
/* Is it held, by whomever? Cancellation: not a cancellation point. */
BELAY_API bool belay_lock_held(const belay_lock *lock);

/* ---- event ---- */

typedef struct belay_event { BELAY_PRIVATE(48); } belay_event;
#define BELAY_EVENT_INIT { { 0 } }

/*
 * Waits until it is set. A waiter that was woken returns, even if it is cleared before it runs.
 * Cancellation: a cancellation point if it is not set; the event is not touched.
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
 * A condition on a lock of its own (NULL, or all zero), or on one that others share, which must outlive it. The lock
 * that goes with it, borrowed.
 * Cancellation: neither is a cancellation point.
 */
BELAY_API void belay_condition_init(belay_condition *condition, belay_lock *lock);
BELAY_API belay_lock *belay_condition_lock(belay_condition *condition);

/*
 * Lets the lock go, waits to be notified, and takes the lock again, whatever it returns: but for -EDEADLK, where the
 * lock may be in the hands of somebody who waits for ever (belay_lock_held() cannot tell whose it is: do not let it
 * go). -EPERM: the lock is not held. May return without a notification; look again, or use
 * belay_condition_wait_until(), which waits until predicate(arg) is true. Where it is true already, that returns 0 at
 * once, without a look at the lock, as asyncio's wait_for() does.
 * Cancellation: a cancellation point; a notification that met it goes on to the next. Requests that come while the
 * lock is taken again do not shorten that.
 */
BELAY_API int belay_condition_wait(belay_condition *condition) BELAY_MUST_USE;
BELAY_API int belay_condition_wait_until(belay_condition *condition, bool (*predicate)(void *arg), void *arg) BELAY_MUST_USE;
/*
 * Wakes up to `count` waiters, or all. 0; -EPERM: the lock is not held (reported). Cancellation: not cancellation
 * points.
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

/* Takes a place. Cancellation: a cancellation point if none is free; then no place is held. */
BELAY_API int belay_semaphore_acquire(belay_semaphore *semaphore) BELAY_MUST_USE;
/* 0, or -EBUSY if none is free or somebody is before us. Cancellation: not a cancellation point. */
BELAY_API int belay_semaphore_try_acquire(belay_semaphore *semaphore) BELAY_MUST_USE;
/*
 * Gives a place back. 0; -EPERM: a bounded one has all its places (reported). Cancellation: not a cancellation point.
 */
BELAY_API int belay_semaphore_release(belay_semaphore *semaphore);
/* How many places are free. Cancellation: not a cancellation point. */
BELAY_API size_t belay_semaphore_value(const belay_semaphore *semaphore);

/* ---- barrier ---- */

typedef struct belay_barrier { BELAY_PRIVATE(224); } belay_barrier;
/* For so many parties, at least 1. 0 or -EINVAL. Cancellation: not a cancellation point. */
BELAY_API int belay_barrier_init(belay_barrier *barrier, size_t parties) BELAY_MUST_USE;

/*
 * Waits until all parties have come. Returns a number from 0 to parties - 1, another one for each; -ENOTCONN if the
 * barrier is or gets broken, by an abort, or by a reset while we wait.
 * Cancellation: a cancellation point unless we are the last; we count no longer then, the barrier is not broken by
 * it.
 */
BELAY_API int belay_barrier_wait(belay_barrier *barrier) BELAY_MUST_USE;
/*
 * Breaks it for good; or empties it, breaking it for those who wait.
 * Cancellation: both take its lock, and are cancellation points if that is held; then nothing was changed.
 */
BELAY_API int belay_barrier_abort(belay_barrier *barrier) BELAY_MUST_USE;
BELAY_API int belay_barrier_reset(belay_barrier *barrier) BELAY_MUST_USE;
/* Is it broken for good? How many have come and wait? Cancellation: neither is a cancellation point. */
BELAY_API bool belay_barrier_broken(const belay_barrier *barrier);
BELAY_API size_t belay_barrier_waiting(const belay_barrier *barrier);

BELAY_END
#endif
