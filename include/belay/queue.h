/* SPDX-License-Identifier: MIT */
/*
 * Queues: items handed from task to task.
 *
 * An item is a pointer, which the queue owns from put to get; what is left in it when it is freed
 * or shut down at once is given to its destructor. A getter that was woken takes its item when it
 * runs: one that is cancelled before leaves the item in the queue for the next, and another getter
 * may come first.
 *
 * Functions that wait may return -EDEADLK, to break a deadlock; then they did nothing. A queue may
 * be made where no loop runs, and outlive the loop that used it.
 *
 * Threads: the loop's own.
 */
#ifndef BELAY_QUEUE_H
#define BELAY_QUEUE_H

#include <belay/base.h>

BELAY_BEGIN

typedef struct belay_queue belay_queue;

typedef enum belay_queue_order {
        BELAY_QUEUE_FIFO = 0,             /* first in, first out */
        BELAY_QUEUE_LIFO = 1,             /* last in, first out */
        BELAY_QUEUE_PRIORITY = 2,         /* the least first, by `compare`; equal ones in any order */
} belay_queue_order;

typedef struct belay_queue_options {
        size_t size;                      /* sizeof(belay_queue_options) */
        size_t capacity;                  /* how many it holds; 0: no bound */
        belay_queue_order order;
        int (*compare)(const void *a, const void *b);  /* less than, equal to or greater than 0; needed for BELAY_QUEUE_PRIORITY */
        belay_destroy *destroy;           /* for items left over; NULL: none */
        const char *name;                 /* for reports; must outlive the queue; NULL: none */
} belay_queue_options;

/*
 * A queue of so many items (0: no bound); NULL with errno ENOMEM or EINVAL. Free it when nobody
 * waits on it: 0, or -EBUSY if somebody does. NULL is allowed.
 * Cancellation: none is a cancellation point.
 */
BELAY_API belay_queue *belay_queue_new(size_t capacity) BELAY_MUST_USE;
BELAY_API belay_queue *belay_queue_new_with(const belay_queue_options *options) BELAY_MUST_USE;
BELAY_API int belay_queue_free(belay_queue *queue);

/*
 * Puts an item in, waiting for room. Returns 0; -ESHUTDOWN; -ENOMEM; -EPERM outside a task when it
 * would wait. Unless 0 is returned the item is still the caller's. Cancellation: a cancellation
 * point if the queue is full; the item was not put then.
 */
BELAY_API int belay_queue_put(belay_queue *queue, void *item) BELAY_MUST_USE;
/* The same without waiting: -ENOBUFS if there is no room. Cancellation: not a cancellation point. */
BELAY_API int belay_queue_try_put(belay_queue *queue, void *item) BELAY_MUST_USE;

/*
 * Take an item out, and wait for one if the queue is empty. A task that always finds an item gives
 * way at every 64th, on a loop with a real clock: see <belay/sync.h>.
 * Returns: 0; the item is the caller's.
 * Errors: -ESHUTDOWN if the queue was shut down and is empty; -ECANCELED; -EDEADLK; -EPERM outside
 * a task if the queue is empty (reported).
 * Cancellation: a cancellation point if the queue is empty, or before an item is taken if the task
 * gives way. No item is lost.
 */
BELAY_API int belay_queue_get(belay_queue *queue, void **item) BELAY_MUST_USE;
/* The same without waiting: -ENODATA if there is none. Cancellation: not a cancellation point. */
BELAY_API int belay_queue_try_get(belay_queue *queue, void **item) BELAY_MUST_USE;

/*
 * Count work: each item that was put is unfinished until belay_queue_task_done() was called once
 * for it. belay_queue_join() waits until no item is unfinished.
 * Returns: 0.
 * Errors: belay_queue_task_done(): -EPERM if no item is unfinished (reported). belay_queue_join():
 * -ECANCELED; -EDEADLK; -EPERM outside a task if there is unfinished work (reported).
 * Cancellation: belay_queue_task_done() is no cancellation point. belay_queue_join() is one if
 * there is unfinished work, or if the task gives way as in belay_queue_get(). It does not touch the
 * work.
 */
BELAY_API int belay_queue_task_done(belay_queue *queue);
BELAY_API int belay_queue_join(belay_queue *queue) BELAY_MUST_USE;

/*
 * Shuts it down: putting fails with -ESHUTDOWN, getting as soon as it is empty; those who wait are
 * woken and told. `now` empties it at once: the items go to the destructor and count as finished.
 * Cancellation: not a cancellation point.
 */
BELAY_API void belay_queue_shutdown(belay_queue *queue, bool now);

/* How many items are in it. Is there none? Is there no room? Cancellation: none is a cancellation point. */
BELAY_API size_t belay_queue_count(const belay_queue *queue);
BELAY_API bool belay_queue_empty(const belay_queue *queue);
BELAY_API bool belay_queue_full(const belay_queue *queue);

BELAY_END
#endif
