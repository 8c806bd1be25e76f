/* SPDX-License-Identifier: MIT */
/*
 * Cancellation: asking a task to end, and knowing who asked.
 *
 * A request is delivered once, at the task's next wait, which returns -ECANCELED; if it is waiting
 * now, that wait returns. Afterwards waits work again: clean-up may sleep, lock and write. Requests
 * that were not delivered yet merge into one delivery, and each counts in belay_cancelling(). A
 * task may end with whatever it likes after it was cancelled: it is cancelled if its function
 * returns -ECANCELED, and not if it returns a result or a failure.
 *
 * Beside the count stands the origin of each request: who asked, where, why and when.
 *
 * Threads: the loop's own.
 */
#ifndef BELAY_CANCEL_H
#define BELAY_CANCEL_H

#include <belay/task.h>

BELAY_BEGIN

/*
 * Asks for the cancellation of a task or future. `reason` (copied, may be NULL) travels as
 * asyncio's message does: it is the text of the failure where the request is delivered, and passed
 * on or lost as there. Returns false if the task is done, or was given up by a shut-down that met
 * its limit, which changes nothing; otherwise true. A task that has not taken its first step ends
 * without running its function. A future ends at once. A task may cancel itself: its next wait
 * delivers it, and if it never waits again, it ends cancelled whatever result it returns; a failure
 * stays one.
 * Cancellation: not a cancellation point.
 */
BELAY_API bool belay_cancel(belay_task *task, const char *reason);

/*
 * How many requests the task has had, less those taken back; INT_MAX at most. Not changed by their
 * delivery. 0 for futures.
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_cancelling(const belay_task *task);

/*
 * Takes one request back and returns how many are left; with the last one (of those that no
 * shielded region holds back), a request that was not delivered yet is forgotten. For code that
 * handled the cancellation and goes on. Below zero it does not go. What was passed on to another
 * task is not taken back from that.
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_uncancel(belay_task *task);

/*
 * Cancels a task again and again until it has ended, sleeping for `interval` after each request;
 * gives up after `tries`. Returns the number of requests it took (0: it was done); -ETIMEDOUT when
 * it gave up, and the task lives; -ECANCELED; -ENOMEM; -EPERM outside a task.
 * Cancellation: a cancellation point; the task keeps the requests it was sent.
 */
BELAY_API int belay_force_cancel(belay_task *task, int tries, belay_time interval) BELAY_MUST_USE;

/*
 * Cancels a task and waits until it has ended, swallowing nobody's cancellation: when the caller is
 * cancelled meanwhile, the wait goes on to the end, and the request is still there for the caller's
 * next wait. Because it may so outlast every limit around it, it has a limit of its own
 * (BELAY_NEVER for none). Returns 0 with the end in *outcome (may be NULL); -ETIMEDOUT at the
 * limit: the task lives, keeps the request, and a log line says in which wait it is; -EDEADLK for
 * oneself, or to break a deadlock, as where the task waits for the caller and will not go; -ENOMEM;
 * -EPERM outside a task. (asyncio has no such function.)
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_cancel_wait(belay_task *task, const char *reason, belay_time limit, int *outcome) BELAY_MUST_USE;

/*
 * What the first Ctrl-C does: cancels the loop's main task, and if that ends cancelled with no
 * other request left, belay_loop_run() returns -EINTR. `loop` is NULL for the calling thread's.
 * Returns 0; -EALREADY after the first time in a run or when main is done. Origin:
 * BELAY_ORIGIN_INTERRUPT.
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_interrupt(belay_loop *loop);

/* ---- where a request comes from ---- */

/* Numbers are for good: new kinds are added at the end. */
typedef enum belay_origin_kind {
        BELAY_ORIGIN_NONE = 0,
        BELAY_ORIGIN_CALLER = 1,          /* belay_cancel() and its like */
        BELAY_ORIGIN_TIMEOUT = 2,         /* a time limit struck */
        BELAY_ORIGIN_SIBLING = 3,         /* another member of the group failed */
        BELAY_ORIGIN_GROUP = 4,           /* the group was cancelled, or its body ended or failed */
        BELAY_ORIGIN_AWAITER = 5,         /* a task that awaits this one was cancelled and passed it on */
        BELAY_ORIGIN_SHUTDOWN = 6,        /* the loop shuts down */
        BELAY_ORIGIN_INTERRUPT = 7,       /* belay_interrupt() */
        BELAY_ORIGIN_SIGNAL = 8,          /* a signal: .signal has its number */
        BELAY_ORIGIN_BODY = 9,            /* the task's own function returned -ECANCELED unasked */
        BELAY_ORIGIN_RACE = 10,           /* another one won the race */
        BELAY_ORIGIN_TEST = 11,           /* belay_everywhere() */
} belay_origin_kind;

typedef struct belay_origin {
        size_t size;                      /* sizeof(belay_origin), set by the caller */
        belay_origin_kind kind;
        int signal;
        uint64_t task;                    /* the number of the task that asked; 0 if none did */
        const char *name;                 /* its name, NULL if it has none; lives as long as the task that was asked */
        const char *place;                /* where it asked, NULL if unknown */
        const char *reason;               /* the text it gave, NULL if none; lives until the next request */
        belay_time when;                  /* on the loop's clock; belay_now() - when is how long ago */
} belay_origin;
#define BELAY_ORIGIN_INIT { sizeof(belay_origin), BELAY_ORIGIN_NONE, 0, 0, NULL, NULL, NULL, 0 }

/*
 * The origin of the first of the requests that are pending; where none is, of the first of those
 * that were delivered last. So it is that of the delivery where -ECANCELED was returned, with
 * belay_self(), until another request comes, and after the end. One that a shielded region holds
 * back counts as pending, until one from within the region comes; its origin is back when it is let
 * through. A request that was taken back is still told of where there is no other. Returns false if
 * there was none (*origin is then all zero but its size). BELAY_ORIGIN_INIT sets the size.
 * Cancellation: not a cancellation point.
 */
BELAY_API bool belay_origin_of(const belay_task *task, belay_origin *origin);

/* "timeout", "sibling", ... for a kind. Never NULL. Any thread. Cancellation: not a cancellation point. */
BELAY_API const char *belay_origin_name(belay_origin_kind kind);

BELAY_END
#endif
