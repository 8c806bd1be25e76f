/* SPDX-License-Identifier: MIT */
/*
 * Cancellation: send a task a request to end, withdraw it, and find out where it comes from.
 *
 * A request is delivered once, at the task's next cancellation point, which returns -ECANCELED. If
 * the task is waiting, the request ends that wait, or the wait forwards it, see belay_await().
 * After the delivery waits work as before, so cleanup may sleep, acquire locks and write. Requests
 * that are pending together merge into one delivery, and each of them counts in belay_cancelling().
 *
 * After a delivery the task decides how it ends. It ends cancelled if its body returns -ECANCELED.
 * It does not if its body returns a result or a failure.
 *
 * The library records the origin of a request: which task sent it, where, why and when.
 *
 * Threads: the loop's own.
 * Cancellation: a function is a cancellation point only if its comment says so.
 */
#ifndef BELAY_CANCEL_H
#define BELAY_CANCEL_H

#include <belay/task.h>

BELAY_BEGIN

/*
 * Cancel a task or a future.
 *
 * The function sends the task a request and returns; it does not wait. A task that has not taken
 * its first step ends without running its body. A future ends at once. If a shielded region of the
 * task holds the request back, the request becomes pending when the region ends.
 *
 * The library copies `reason`, which may be NULL. The reason becomes the text of the failure when
 * the request is delivered, as asyncio's message does. Where asyncio passes a message on or loses
 * it, belay does the same. If memory for the copy is not available, the request has no reason.
 *
 * A task may cancel itself, and its next cancellation point delivers the request. No shielded
 * region holds such a request back. If the task reaches no cancellation point, it ends cancelled
 * when its body returns a result. A failure stays a failure.
 *
 * Returns: true if the task received the request. Otherwise false: the task is done, a shutdown
 * abandoned it, or `task` is NULL.
 */
BELAY_API bool belay_cancel(belay_task *task, const char *reason);

/*
 * Return how many requests a task has received, less those withdrawn.
 *
 * Delivery does not change the number. Requests that a shielded region holds back count too. The
 * number does not rise above INT_MAX.
 *
 * Returns: the number; 0 for a future, and if `task` is NULL.
 */
BELAY_API int belay_cancelling(const belay_task *task);

/*
 * Withdraw one request from a task.
 *
 * The function is for code that handled a cancellation and goes on. It lowers the task's count by
 * one, and never below 0. If the count of requests that no shielded region holds back reaches 0, a
 * request that is pending disappears. A request that has ended a wait already is delivered all the
 * same. A request that a wait has forwarded is not withdrawn from the awaited task.
 *
 * Returns: the new count; 0 if `task` is NULL.
 */
BELAY_API int belay_uncancel(belay_task *task);

/*
 * Cancel a task again and again until it has ended.
 *
 * The function sends a request and sleeps for `interval`, up to `tries` times. If `tries` is used
 * up after the last sleep and the task has not ended, the function gives up.
 *
 * Returns: the number of requests that it sent; 0 if the task was done.
 * Errors:
 *   -ETIMEDOUT  the task has not ended after `tries` requests.
 *   -ECANCELED  the calling task was cancelled.
 *   -EDEADLK    `interval` is BELAY_NEVER, and the loop ended the sleep to break a deadlock.
 *   -ENOMEM     no memory for a timer is available, or `task` is NULL.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point if the function sends a request. On an error the task keeps
 * the requests that it received.
 */
BELAY_API int belay_force_cancel(belay_task *task, int tries, belay_time interval) BELAY_MUST_USE;

/*
 * Cancel a task and wait until it has ended.
 *
 * No request can end the wait: if the calling task is cancelled meanwhile, the request stays
 * pending for its next cancellation point. Timeouts around the call cannot end the wait either. So
 * the function takes a limit of its own, a span from the call, or BELAY_NEVER for none. asyncio has
 * no such function.
 *
 * When the limit is reached, a log line says in which wait the task is.
 *
 * Returns: 0 when the task has ended; *outcome (may be NULL) is its outcome, see belay_await(). A
 * task that was done already gets no request.
 * Errors:
 *   -ETIMEDOUT  the limit was reached; the task has not ended and keeps the request.
 *   -EDEADLK    the task is the calling task, which gets no request (reported), or the loop ended
 *               the wait to break a deadlock, as when the task waits for the caller and refuses.
 *   -ENOMEM     no memory for a timer is available, and the task keeps the request, or `task` is
 *               NULL.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_cancel_wait(belay_task *task, const char *reason, belay_time limit,
                                int *outcome) BELAY_MUST_USE;

/*
 * Cancel the loop's main task, as the first Ctrl-C does.
 *
 * The origin of the request is BELAY_ORIGIN_INTERRUPT. If the main task then ends cancelled and has
 * no other request, belay_loop_run() returns -EINTR. NULL stands for the loop of the calling
 * thread.
 *
 * Returns: 0.
 * Errors:
 *   -EALREADY   the main task of this run was interrupted before or is done, or there is no main
 *               task yet.
 *   -EPERM      `loop` is NULL, and no loop runs in the calling thread (reported).
 */
BELAY_API int belay_interrupt(belay_loop *loop);

/* ---- where a request comes from ---- */

/*
 * The kind of sender of a request.
 *
 * The numbers never change, and later versions add kinds at the end.
 */
typedef enum belay_origin_kind {
        BELAY_ORIGIN_NONE = 0,      /* no request */
        BELAY_ORIGIN_CALLER = 1,    /* belay_cancel() and similar functions */
        BELAY_ORIGIN_TIMEOUT = 2,   /* a timeout that expired */
        BELAY_ORIGIN_SIBLING = 3,   /* a group in which another member failed */
        BELAY_ORIGIN_GROUP = 4,     /* a group: cancelled, or its body ended or failed */
        BELAY_ORIGIN_AWAITER = 5,   /* the awaiting task, which forwarded its own request */
        BELAY_ORIGIN_SHUTDOWN = 6,  /* the loop's shutdown */
        BELAY_ORIGIN_INTERRUPT = 7, /* belay_interrupt() */
        BELAY_ORIGIN_SIGNAL = 8,    /* a signal, whose number is in .signal */
        BELAY_ORIGIN_BODY = 9,      /* the task's own body, without any request */
        BELAY_ORIGIN_RACE = 10,     /* a race that another task won, or that was cancelled */
        BELAY_ORIGIN_TEST = 11,     /* belay_everywhere() */
} belay_origin_kind;

/* The origin of a request, as belay_origin_of() writes it. */
typedef struct belay_origin {
        size_t size;            /* sizeof(belay_origin), set by the caller */
        belay_origin_kind kind; /* kind of sender */
        int signal;             /* number of the signal; 0 if there is none */
        uint64_t task;          /* number of the sending task; 0 if no task sent it */
        const char *name;       /* name of the sending task; NULL if there is none */
        const char *place;      /* call site of the sender; NULL if unknown */
        const char *reason;     /* reason; NULL if there is none */
        belay_time when;        /* instant on the loop's clock; belay_now() - when ago */
} belay_origin;

/* clang-format off */
/* Initialiser of an origin, which sets its size. */
#define BELAY_ORIGIN_INIT { sizeof(belay_origin), BELAY_ORIGIN_NONE, 0, 0, NULL, NULL, NULL, 0 }
/* clang-format on */

/*
 * Find out where a request for a task comes from.
 *
 * If requests are pending, the function describes the first of them. If none is pending, it
 * describes the first of those that were delivered last. So after -ECANCELED, belay_self() as
 * `task` gives the origin of that delivery, until another request arrives. The origin is kept after
 * the task's end.
 *
 * A request that a shielded region holds back counts as pending, until a request from within the
 * region arrives. The function describes the first one again when the region ends. It also
 * describes a request that was withdrawn, if there is no other.
 *
 * The caller sets origin->size before the call, by BELAY_ORIGIN_INIT for example. The function
 * writes no more than that many bytes.
 *
 * Returns: true if there is an origin. Otherwise false, and *origin is all zero but for its size.
 * Ownership: name and reason are borrowed from the task. They are valid until it receives another
 * request or leaves a shielded region, or the caller releases the handle. The call site is the
 * sender's own string.
 */
BELAY_API bool belay_origin_of(const belay_task *task, belay_origin *origin);

/*
 * Return a word for a kind of sender.
 *
 * The words are "none", "caller", "timeout", "sibling", "group", "awaiter", "shutdown",
 * "interrupt", "signal", "body", "race" and "test", in the order of the numbers.
 *
 * Returns: the word; "unknown" for any other number. The text is static.
 * Threads: any.
 */
BELAY_API const char *belay_origin_name(belay_origin_kind kind);

BELAY_END
#endif
