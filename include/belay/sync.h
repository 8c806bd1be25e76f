/* SPDX-License-Identifier: MIT */
/*
 * Synchronization between the tasks of one loop: lock, event, condition, semaphore, barrier.
 *
 * All are structs in the caller's storage. A struct that is all zero is a free lock, an event that
 * is not set, or a condition on which no task waits. Semaphores and barriers have an initializer.
 * None has to be destroyed, but no task may wait on it when its storage goes.
 *
 * Tasks are served in the order in which they began to wait. If a task is cancelled after it was
 * served and before it runs, its call returns -ECANCELED. The lock, the unit of a semaphore or the
 * notification that it was given then goes to the next task, and nothing is lost.
 *
 * A call that need not wait returns at once, as in asyncio, and is not a cancellation point. There
 * is one exception. A task that never waits would keep timers, descriptors, signals and other tasks
 * waiting. So on a loop with a real clock a task yields before its 64th such call since it last
 * waited. The call does nothing before it yields, and is a cancellation point there. This holds for
 * belay_lock_acquire(), belay_event_wait(), belay_condition_wait_until(),
 * belay_semaphore_acquire(), belay_barrier_wait(), belay_queue_get() and belay_queue_join(). These
 * calls and I/O count together. Functions that set, notify, release or put, and functions that only
 * try, never yield. Under a virtual clock no call yields that need not wait.
 *
 * Threads: the loop's own thread.
 * Cancellation: a function is a cancellation point only if its comment says so. The other functions
 * may also be called outside of tasks and after the loop was closed, except belay_barrier_abort()
 * and belay_barrier_reset().
 */
#ifndef BELAY_SYNC_H
#define BELAY_SYNC_H

#include <belay/base.h>

BELAY_BEGIN

/* ---- lock ---- */

/* A lock. Any task may release it, whichever task acquired it. */
typedef struct belay_lock {
        BELAY_PRIVATE(64);
} belay_lock;
/* clang-format off */
/* Initializer of a lock that is free. */
#define BELAY_LOCK_INIT { { 0 } }
/* clang-format on */

/*
 * Wait until the lock is free, and acquire it.
 *
 * Returns: 0 when the calling task holds the lock.
 * Errors:
 *   -ECANCELED  the task was cancelled while it waited; the lock is not held.
 *   -EDEADLK    the loop found that no task could ever go on; the lock is not held.
 *   -EPERM      the caller is not a task (reported), even if the lock is free.
 * Cancellation: a cancellation point if the lock is held or another task waits for it, or if this
 * is the task's 64th call without a wait (see <belay/sync.h>).
 */
BELAY_API int belay_lock_acquire(belay_lock *lock) BELAY_MUST_USE;
/*
 * Acquire the lock if it is free and no other task waits for it.
 *
 * Returns: 0 when the lock is held.
 * Errors:
 *   -EBUSY      the lock is held, or another task waits for it.
 */
BELAY_API int belay_lock_try_acquire(belay_lock *lock) BELAY_MUST_USE;
/*
 * Release the lock, and wake the first task that waits for it.
 *
 * Any task may release the lock, as in asyncio. No task that comes later can acquire the lock
 * before the woken task runs.
 *
 * Returns: 0.
 * Errors:
 *   -EPERM      the lock is not held (reported).
 */
BELAY_API int belay_lock_release(belay_lock *lock);
/*
 * Report whether the lock is held, by whichever task.
 *
 * Returns: true if the lock is held.
 */
BELAY_API bool belay_lock_held(const belay_lock *lock);

/* ---- event ---- */

/* A flag for which tasks wait. */
typedef struct belay_event {
        BELAY_PRIVATE(48);
} belay_event;
/* clang-format off */
/* Initializer of an event that is not set. */
#define BELAY_EVENT_INIT { { 0 } }
/* clang-format on */

/*
 * Wait until the event is set.
 *
 * A task that was woken returns, even if the event is cleared before the task runs. The function
 * never changes the event.
 *
 * Returns: 0.
 * Errors:
 *   -ECANCELED  the task was cancelled while it waited.
 *   -EDEADLK    the loop found that no task could ever go on.
 *   -EPERM      the event is not set, and the caller is not a task (reported).
 * Cancellation: a cancellation point if the event is not set, or if this is the task's 64th call
 * without a wait (see <belay/sync.h>).
 */
BELAY_API int belay_event_wait(belay_event *event) BELAY_MUST_USE;
/*
 * Set the event, and wake all tasks that wait for it.
 */
BELAY_API void belay_event_set(belay_event *event);
/*
 * Clear the event.
 */
BELAY_API void belay_event_clear(belay_event *event);
/*
 * Report whether the event is set.
 *
 * Returns: true if the event is set.
 */
BELAY_API bool belay_event_is_set(const belay_event *event);

/* ---- condition ---- */

/* A condition with a lock, which is its own or shared. */
typedef struct belay_condition {
        BELAY_PRIVATE(128);
} belay_condition;
/* clang-format off */
/* Initializer of a condition with a lock of its own. */
#define BELAY_CONDITION_INIT { { 0 } }
/* clang-format on */

/*
 * Initialize a condition.
 *
 * If `lock` is NULL, the condition has a lock of its own, as a struct that is all zero has.
 * Otherwise the condition uses `lock`, which other conditions may share.
 *
 * Ownership: `lock` stays the caller's, and must outlive the condition.
 */
BELAY_API void belay_condition_init(belay_condition *condition, belay_lock *lock);
/*
 * Return the lock of a condition.
 *
 * Returns: the condition's own lock, or the lock given to belay_condition_init(). Never NULL.
 * Ownership: the lock is borrowed from the condition.
 */
BELAY_API belay_lock *belay_condition_lock(belay_condition *condition);

/*
 * Release the lock, wait for a notification, and acquire the lock again.
 *
 * The function may return 0 without a notification, so the caller must check again the state that
 * it waits for. belay_condition_wait_until() does that.
 *
 * If the task is cancelled, the function still acquires the lock before it returns. Further
 * requests do not shorten that wait, and the function returns the reason of the last one. A
 * notification that the cancelled task may have received goes to the next task that waits.
 *
 * Returns: 0 when the lock is held again.
 * Errors:
 *   -ECANCELED  the task was cancelled while it waited; the lock is held.
 *   -EDEADLK    the loop found that no task could ever go on. The lock may belong to another task
 *               that waits permanently, and belay_lock_held() does not report to which. The caller
 *               must not release it.
 *   -EPERM      no task holds the lock, or the caller is not a task (reported).
 * Cancellation: a cancellation point.
 */
BELAY_API int belay_condition_wait(belay_condition *condition) BELAY_MUST_USE;
/*
 * Wait on a condition until predicate(arg) is true.
 *
 * The function calls the predicate first, and then after each belay_condition_wait(). If the
 * predicate is true at once, the function returns without a check of the lock, as asyncio's
 * wait_for() does. It then works outside of tasks, too.
 *
 * Returns: 0 when the predicate is true. If the function waited, the lock is held.
 * Errors:
 *   -ECANCELED  the task was cancelled; the lock is held if it was held when the function was
 *               called.
 *   -EDEADLK    the loop found that no task could ever go on. The lock may belong to another task
 *               that waits permanently, and belay_lock_held() does not report to which. The caller
 *               must not release it.
 *   -EPERM      the predicate is false, and no task holds the lock or the caller is not a task
 *               (reported).
 * Cancellation: a cancellation point if the predicate is false, or if this is the task's 64th call
 * without a wait (see <belay/sync.h>). A notification that the cancelled task may have received
 * goes to the next task that waits.
 */
BELAY_API int belay_condition_wait_until(belay_condition *condition, bool (*predicate)(void *arg),
                                         void *arg) BELAY_MUST_USE;
/*
 * Wake up to `count` tasks that wait on the condition.
 *
 * Returns: 0.
 * Errors:
 *   -EPERM      no task holds the lock (reported).
 */
BELAY_API int belay_condition_notify(belay_condition *condition, size_t count);
/*
 * Wake all tasks that wait on the condition.
 *
 * Returns: 0.
 * Errors:
 *   -EPERM      no task holds the lock (reported).
 */
BELAY_API int belay_condition_notify_all(belay_condition *condition);

/* ---- semaphore ---- */

/* A counter that tasks decrement when they acquire it, and increment when they release it. */
typedef struct belay_semaphore {
        BELAY_PRIVATE(64);
} belay_semaphore;
/* clang-format off */
/* Initializer of a semaphore with the given value, and without a bound. */
#define BELAY_SEMAPHORE_INIT(...) { { 0, 0, (__VA_ARGS__) } }
/* Initializer of a semaphore with the given value, which is also its bound. */
#define BELAY_BOUNDED_INIT(...) { { 1, 0, (__VA_ARGS__), (__VA_ARGS__) } }
/* clang-format on */
/*
 * Initialize a semaphore with a value, and without a bound.
 */
BELAY_API void belay_semaphore_init(belay_semaphore *semaphore, size_t value);
/*
 * Initialize a semaphore with a value, which is also its bound.
 *
 * A bounded semaphore cannot be released above its bound.
 */
BELAY_API void belay_semaphore_init_bounded(belay_semaphore *semaphore, size_t value);

/*
 * Wait until the value is above 0, and decrement it.
 *
 * Returns: 0 when the semaphore is acquired.
 * Errors:
 *   -ECANCELED  the task was cancelled while it waited; the semaphore is not acquired.
 *   -EDEADLK    the loop found that no task could ever go on; the semaphore is not acquired.
 *   -EPERM      the function would have to wait, and the caller is not a task (reported).
 * Cancellation: a cancellation point if the value is 0 or another task waits, or if this is the
 * task's 64th call without a wait (see <belay/sync.h>).
 */
BELAY_API int belay_semaphore_acquire(belay_semaphore *semaphore) BELAY_MUST_USE;
/*
 * Decrement the value if it is above 0 and no other task waits.
 *
 * Returns: 0 when the semaphore is acquired.
 * Errors:
 *   -EBUSY      the value is 0, or another task waits.
 */
BELAY_API int belay_semaphore_try_acquire(belay_semaphore *semaphore) BELAY_MUST_USE;
/*
 * Increment the value, or wake the first task that waits.
 *
 * The task that the function wakes has acquired the semaphore, and no task can acquire it first. If
 * the function fails, it does not change the semaphore.
 *
 * Returns: 0.
 * Errors:
 *   -EPERM      the semaphore is bounded, and its value is at the bound (reported).
 *   -EOVERFLOW  the semaphore has no bound, and its value is SIZE_MAX (reported).
 */
BELAY_API int belay_semaphore_release(belay_semaphore *semaphore);
/*
 * Return the value of the semaphore.
 *
 * The value does not count a unit that was handed to a waiting task, even if that task has not run
 * yet.
 *
 * Returns: the value.
 */
BELAY_API size_t belay_semaphore_value(const belay_semaphore *semaphore);

/* ---- barrier ---- */

/* A meeting point for a fixed number of tasks, its parties. */
typedef struct belay_barrier {
        BELAY_PRIVATE(224);
} belay_barrier;
/*
 * Initialize a barrier for `parties` tasks.
 *
 * Returns: 0.
 * Errors:
 *   -EINVAL     `parties` is 0 or more than INT_MAX.
 */
BELAY_API int belay_barrier_init(belay_barrier *barrier, size_t parties) BELAY_MUST_USE;

/*
 * Wait until all parties have arrived.
 *
 * Each party takes the least number that no other waiting party has. So the parties that meet have
 * the numbers from 0 to parties - 1, each once, and the last to arrive has the highest. asyncio
 * gives a number twice after a waiter was cancelled.
 *
 * If a party is cancelled while it waits, it stops counting when the request comes, and its number
 * is free again. Under a virtual clock the party counts until it runs, as in asyncio. Another party
 * that arrives at the same instant may then meet it and pass. Neither case breaks the barrier.
 *
 * While parties that met have not all left, a task that arrives waits until they have.
 *
 * Returns: the number of the party.
 * Errors:
 *   -ENOTCONN   the barrier is broken, or was aborted or reset while the party waited.
 *   -ECANCELED  the task was cancelled while it waited.
 *   -EDEADLK    the loop found that no task could ever go on.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point if the party is not the last, or if this is the task's 64th
 * call without a wait (see <belay/sync.h>).
 */
BELAY_API int belay_barrier_wait(belay_barrier *barrier) BELAY_MUST_USE;
/*
 * Break the barrier until it is reset.
 *
 * The function wakes all tasks that wait, and their waits return -ENOTCONN.
 *
 * Returns: 0.
 * Errors:
 *   -EPERM      the caller is not a task (reported).
 */
BELAY_API int belay_barrier_abort(belay_barrier *barrier) BELAY_MUST_USE;
/*
 * Empty the barrier, and repair it if it is broken.
 *
 * The function wakes all tasks that wait, and the waits of its parties return -ENOTCONN.
 *
 * Returns: 0.
 * Errors:
 *   -EPERM      the caller is not a task (reported).
 */
BELAY_API int belay_barrier_reset(belay_barrier *barrier) BELAY_MUST_USE;
/*
 * Report whether the barrier is broken.
 *
 * Returns: true from belay_barrier_abort() until belay_barrier_reset().
 */
BELAY_API bool belay_barrier_broken(const belay_barrier *barrier);
/*
 * Return how many parties wait for the others.
 *
 * Returns: the number of parties that have arrived and wait. 0 while parties that met are leaving.
 */
BELAY_API size_t belay_barrier_waiting(const belay_barrier *barrier);

BELAY_END
#endif
