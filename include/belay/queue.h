/* SPDX-License-Identifier: MIT */
/*
 * Queues: items handed from task to task.
 *
 * An item is a pointer. The queue owns an item from the put to the get. If items are left when the
 * queue is freed, or when it is shut down at once, the queue gives them to its destructor.
 *
 * A getter that was woken takes its item when it runs, and another getter may come first. A getter
 * that is cancelled before it runs leaves the item in the queue for the next one.
 *
 * A queue may be made when no loop runs, and may outlive the loop that used it.
 *
 * Threads: the loop's own thread.
 * Cancellation: only belay_queue_put(), belay_queue_get() and belay_queue_join() can be
 * cancellation points.
 */
#ifndef BELAY_QUEUE_H
#define BELAY_QUEUE_H

#include <belay/base.h>

BELAY_BEGIN

/* A queue of items. */
typedef struct belay_queue belay_queue;

/* The order in which a queue returns its items. */
typedef enum belay_queue_order {
        BELAY_QUEUE_FIFO = 0,     /* first in, first out */
        BELAY_QUEUE_LIFO = 1,     /* last in, first out */
        BELAY_QUEUE_PRIORITY = 2, /* least first, by `compare`; equal items in any order */
} belay_queue_order;

/* Options of belay_queue_new_with(). Zero is the default of each. */
typedef struct belay_queue_options {
        size_t size;     /* sizeof(belay_queue_options) */
        size_t capacity; /* greatest number of items; 0: no bound */
        belay_queue_order order;
        /* order of two items: below 0, 0 or above 0; required for BELAY_QUEUE_PRIORITY */
        int (*compare)(const void *a, const void *b);
        belay_destroy *destroy; /* destructor of items that are left; NULL: none */
        const char *name;       /* name in reports, must outlive the queue; NULL: none */
} belay_queue_options;

/*
 * Make a queue that holds up to `capacity` items, first in, first out.
 *
 * If `capacity` is 0, the queue has no bound.
 *
 * Returns: the queue. On failure NULL, with errno set to the error without its sign.
 * Errors:
 *   -ENOMEM     no memory.
 * Ownership: the caller frees the queue with belay_queue_free().
 */
BELAY_API belay_queue *belay_queue_new(size_t capacity) BELAY_MUST_USE;
/*
 * Make a queue with options.
 *
 * If `options` is NULL, all options have their defaults.
 *
 * Returns: the queue. On failure NULL, with errno set to the error without its sign.
 * Errors:
 *   -ENOMEM     no memory.
 *   -EINVAL     .order is unknown, or is BELAY_QUEUE_PRIORITY while .compare is NULL.
 * Ownership: the caller frees the queue with belay_queue_free().
 */
BELAY_API belay_queue *belay_queue_new_with(const belay_queue_options *options) BELAY_MUST_USE;
/*
 * Free a queue for which no task waits.
 *
 * The queue gives the items that are left to its destructor. If `queue` is NULL, the function does
 * nothing.
 *
 * Returns: 0.
 * Errors:
 *   -EBUSY      a task waits for the queue; the queue is not freed.
 */
BELAY_API int belay_queue_free(belay_queue *queue);

/*
 * Put an item into the queue, waiting while the queue is full.
 *
 * Returns: 0 when the queue has the item.
 * Errors:
 *   -ESHUTDOWN  the queue was shut down.
 *   -ENOMEM     no memory for the item.
 *   -ECANCELED  the task was cancelled while it waited.
 *   -EDEADLK    the loop found that no task could ever go on.
 *   -EPERM      the queue is full, and the caller is not a task (reported).
 * Cancellation: a cancellation point if the queue is full.
 * Ownership: if the function fails, the item was not put and is still the caller's.
 */
BELAY_API int belay_queue_put(belay_queue *queue, void *item) BELAY_MUST_USE;
/*
 * Put an item into the queue if there is room.
 *
 * Returns: 0 when the queue has the item.
 * Errors:
 *   -ENOBUFS    the queue is full.
 *   -ESHUTDOWN  the queue was shut down.
 *   -ENOMEM     no memory for the item.
 * Ownership: if the function fails, the item was not put and is still the caller's.
 */
BELAY_API int belay_queue_try_put(belay_queue *queue, void *item) BELAY_MUST_USE;

/*
 * Take an item from the queue, waiting while the queue is empty.
 *
 * A task that always finds an item yields before its 64th call, on a loop with a real clock (see
 * <belay/sync.h>).
 *
 * Returns: 0 with the item in *item.
 * Errors:
 *   -ESHUTDOWN  the queue was shut down and is empty.
 *   -ECANCELED  the task was cancelled while it waited; no item was taken.
 *   -EDEADLK    the loop found that no task could ever go on; no item was taken.
 *   -EPERM      the queue is empty, and the caller is not a task (reported).
 * Cancellation: a cancellation point if the queue is empty, or if this is the task's 64th call
 * without a wait. The request is then delivered before an item is taken, and no item is lost.
 * Ownership: the item is the caller's.
 */
BELAY_API int belay_queue_get(belay_queue *queue, void **item) BELAY_MUST_USE;
/*
 * Take an item from the queue if there is one.
 *
 * Returns: 0 with the item in *item.
 * Errors:
 *   -ENODATA    the queue is empty.
 *   -ESHUTDOWN  the queue was shut down and is empty.
 * Ownership: the item is the caller's.
 */
BELAY_API int belay_queue_try_get(belay_queue *queue, void **item) BELAY_MUST_USE;

/*
 * Count one item as finished.
 *
 * Each item that was put is unfinished until this function was called once for it.
 *
 * Returns: 0.
 * Errors:
 *   -EPERM      no item is unfinished (reported).
 */
BELAY_API int belay_queue_task_done(belay_queue *queue);
/*
 * Wait until no item is unfinished.
 *
 * The function counts only: it neither starts nor stops work. A task that never has to wait yields
 * before its 64th call, as in belay_queue_get().
 *
 * Returns: 0.
 * Errors:
 *   -ECANCELED  the task was cancelled while it waited.
 *   -EDEADLK    the loop found that no task could ever go on.
 *   -EPERM      an item is unfinished, and the caller is not a task (reported).
 * Cancellation: a cancellation point if an item is unfinished, or if this is the task's 64th call
 * without a wait.
 */
BELAY_API int belay_queue_join(belay_queue *queue) BELAY_MUST_USE;

/*
 * Shut the queue down.
 *
 * From then on a put fails with -ESHUTDOWN, and so does a get when the queue is empty. The function
 * wakes all tasks that wait to put or get, and their calls find that. If `now` is true, the
 * function also empties the queue at once. The items then go to the destructor and count as
 * finished.
 */
BELAY_API void belay_queue_shutdown(belay_queue *queue, bool now);

/*
 * Return the number of items in the queue.
 *
 * Returns: the number of items.
 */
BELAY_API size_t belay_queue_count(const belay_queue *queue);
/*
 * Report whether the queue is empty.
 *
 * Returns: true if no item is in the queue.
 */
BELAY_API bool belay_queue_empty(const belay_queue *queue);
/*
 * Report whether the queue is full.
 *
 * Returns: true if the queue holds as many items as its capacity. false if it has no bound.
 */
BELAY_API bool belay_queue_full(const belay_queue *queue);

BELAY_END
#endif
