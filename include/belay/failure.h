/* SPDX-License-Identifier: MIT */
/*
 * Failures: a negative errno value, and what more is known of it.
 *
 * Every function of belay that fails returns a negative errno value. A failure may also carry a
 * text, data of the program's own, and the failures beneath it (those of a group's members). That
 * detail travels by itself: the function that fails leaves it with the calling task, a task that
 * returns the same code ends with it, and whoever awaits that task finds it in its own hands again.
 * Programs that look at codes only never meet it and pay nothing.
 *
 * A task is left with one failure, its latest: a call that fails harmlessly in clean-up takes the
 * place of the detail that is on its way out. Who cleans up by functions that may fail takes it
 * first and raises it last:
 *
 *     belay_failure *failure = belay_failure_take(rc);
 *     (void) !belay_queue_try_put(log, line);                      may fail, and leaves its own failure then
 *     return belay_failure_raise(failure);
 *
 *     return belay_fail(-EPROTO, "%s: bad header", peer);          in the task that fails
 *
 *     rc = belay_await(task, &outcome);                            in the task that waits
 *     if (rc == 0 && outcome < 0) {
 *             belay_failure *failure = belay_failure_take(outcome);
 *             log("%d: %s", belay_failure_code(failure), belay_failure_text(failure));
 *             return belay_failure_raise(failure);                 on to the next, detail and all
 *     }
 *
 * The codes that belay gives a meaning of its own:
 *
 *     -ECANCELED   from a wait: the calling task's own cancellation, and nothing else.
 *                  As a task's outcome: the task ended cancelled.
 *     -ETIMEDOUT   a time limit was met.
 *     -EPERM       misuse: a programming error, such as releasing a lock that is not held. Reported as a log line
 *                  with the place, as often as belay_set_log() says.
 *     -EDEADLK     waiting for oneself, or for something that nothing is left to bring about. Reported, too.
 *     -ENOMEM      no memory, or no room for another stack (the log line says which); a NULL for a handle.
 *     -EPIPE       a member of a group ended before it was ready, and not by failing; or the member's starter gave
 *                  up before the member was ready.
 *     -EINPROGRESS the end of a task is asked for that has not ended. Reported.
 *     -EALREADY    a future that is done was to be set.
 *     -ENODATA     a queue is empty.              -ENOBUFS     a queue is full.
 *     -ESHUTDOWN   a queue was shut down, or a group while a task waited for room in it.
 *     -ENOTCONN    a barrier is broken.
 *
 * Threads: a detail belongs to a task, and is used by that task's thread alone.
 */
#ifndef BELAY_FAILURE_H
#define BELAY_FAILURE_H

#include <belay/base.h>

BELAY_BEGIN

typedef struct belay_failure belay_failure;

/*
 * Leaves a failure with the calling task: `code` (negative), and a text (printf's format, NULL for
 * none). Returns `code`, so that a function ends with `return belay_fail(...)`. Where there is no
 * memory for the text, the code goes alone. With -ECANCELED the text is the reason, as if the body
 * cancelled itself. In no task: just the code.
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_fail(int code, const char *format, ...) BELAY_PRINTF(2, 3);

/*
 * The same with data of the program's own, which the failure then owns: `destroy` (may be NULL) is
 * called with it when nobody can reach the failure any more, at once where there is no memory or no
 * task. Returns `code` in any case.
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_fail_data(int code, void *data, belay_destroy *destroy, const char *format, ...) BELAY_PRINTF(4, 5);

/*
 * Takes what the calling task was left with at its latest failure, if that had this `code`;
 * otherwise a failure that knows its code only. The caller owns the result: belay_failure_raise()
 * or belay_failure_release() it. Never NULL: without memory it is one that stands for -ENOMEM.
 * Cancellation: not a cancellation point.
 */
BELAY_API belay_failure *belay_failure_take(int code) BELAY_MUST_USE;

/*
 * Gives a failure back to the calling task, as if it had just failed with it, and returns its code.
 * NULL is -ENOMEM.
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_failure_raise(belay_failure *failure);

/*
 * One more reference, which is returned; one reference less (NULL is allowed). With the last one,
 * what is beneath goes, too.
 * Cancellation: neither is a cancellation point.
 */
BELAY_API belay_failure *belay_failure_ref(const belay_failure *failure);
BELAY_API void belay_failure_release(belay_failure *failure);

/*
 * Return the negative code of a failure; its text, or the reason of a cancellation; and the
 * program's data. A failure with a single one beneath it, as that of a group in which one member
 * failed, has that one's text and data.
 *
 * Returns: NULL for a text or data that there is none of. Both are borrowed from the failure.
 * Cancellation: none is a cancellation point.
 */
BELAY_API int belay_failure_code(const belay_failure *failure);
BELAY_API const char *belay_failure_text(const belay_failure *failure);
BELAY_API void *belay_failure_data(const belay_failure *failure);

/*
 * The failures beneath it, in the order in which they happened: how many, and one of them
 * (borrowed, NULL past the end).
 * Cancellation: neither is a cancellation point.
 */
BELAY_API size_t belay_failure_count(const belay_failure *failure);
BELAY_API const belay_failure *belay_failure_at(const belay_failure *failure, size_t index);

/*
 * Writes the whole of a failure for a person to read into `buffer`, as in "Protocol error: bad
 * header". A failure with a single one beneath it is written as that one; several follow the code,
 * as in "Protocol error; 2 beneath: [...]". If the text is the library's own, as in "unknown host
 * \"example\"", the function writes it without the code's meaning. The text is terminated, and cut
 * if the buffer is too small. Of what lies more than 32 levels beneath, the function writes "...".
 *
 * Returns: the length of the whole text, as snprintf() does.
 * Cancellation: not a cancellation point.
 */
BELAY_API size_t belay_failure_format(const belay_failure *failure, char *buffer, size_t size);

BELAY_END
#endif
