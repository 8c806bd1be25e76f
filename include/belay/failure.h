/* SPDX-License-Identifier: MIT */
/*
 * Failures: a negative errno value, and the detail that it may carry.
 *
 * Every function of belay that fails returns a negative errno value, the code. A failure may also
 * carry a detail: a text, data of the program's own, and the failures beneath it. Those beneath a
 * group's failure are its members' failures. A program passes codes, and the detail follows them.
 * The function that fails leaves the detail with the calling task, as its latest failure. A task
 * that returns the same code ends with that detail. The task that awaits it then has the detail as
 * its own latest failure. A program that uses codes alone never meets a detail and pays nothing for
 * it.
 *
 *     return belay_fail(-EPROTO, "%s: bad header", peer);          in the task that fails
 *
 *     rc = belay_await(task, &outcome);                            in the task that waits
 *     if (rc == 0 && outcome < 0) {
 *             belay_failure *failure = belay_failure_take(outcome);
 *             log("%d: %s", belay_failure_code(failure), belay_failure_text(failure));
 *             return belay_failure_raise(failure);                 to the next task, with detail
 *     }
 *
 * A task has one latest failure. A call that fails during cleanup replaces it, even if the failure
 * does no harm. So a task that cleans up by functions which may fail takes the failure first and
 * raises it last:
 *
 *     belay_failure *failure = belay_failure_take(rc);
 *     (void) !belay_queue_try_put(log, line);                      may leave a failure of its own
 *     return belay_failure_raise(failure);
 *
 * Most codes come from a system call and mean what the system call's manual page says. The word
 * "reported" after a condition means that the library also writes a log line. The line names the
 * call site if the library knows it, and belay_set_log() says how often. The library gives these
 * codes a meaning of its own:
 *
 *     -ECANCELED        as a verdict: the calling task was cancelled, and nothing else. As an
 *                       outcome: the task ended cancelled.
 *     -ETIMEDOUT        a timeout expired, or a limit was reached. From a socket: the peer does not
 *                       answer (the system's own limit).
 *     -EDEADLK          the task waits for itself, or for an event that nothing can bring about
 *                       (reported).
 *     -EPERM            misuse: a programming error, such as a release of a lock that is not held
 *                       (reported); or a file is given to a function that takes no files.
 *     -EINVAL           an argument has a value that is not allowed, such as an endpoint that is
 *                       malformed, a race of no tasks, or a stack size that is too large.
 *     -ENOMEM           no memory is available, or no room for another stack (a log line says
 *                       which); or a handle is NULL.
 *     -EINTR            from belay_run() and belay_loop_run(): a signal or belay_interrupt() ended
 *                       the main task.
 *     -EINPROGRESS      the task whose outcome is wanted has not ended (reported, except by
 *                       belay_loop_outcome()).
 *     -EALREADY         a future is set that is done; the main task was interrupted before, or is
 *                       done; or no starter waits for the member that calls belay_ready().
 *     -EBUSY            a loop runs already; a lock, a semaphore or a queue is in use; a second
 *                       task reads from a stream, writes to it, or serves a listener; or a stream
 *                       or a listener has the descriptor already.
 *     -EPIPE            a member of a group ended before it was ready, and did not fail; or its
 *                       starter stopped waiting for it. From a write: the peer reads no more.
 *     -ESHUTDOWN        a queue was shut down; a group shut down while a task waited for room in
 *                       it; or a stream is written to after belay_half_close().
 *     -ENODATA          a queue is empty.
 *     -ENOBUFS          a queue is full. From the network: the system has no buffers left.
 *     -ENOTCONN         a barrier is broken, or was reset during the wait.
 *     -EOVERFLOW        a semaphore is at the greatest value that it can have.
 *     -EBADF            another task closed the stream, the listener or the datagram socket during
 *                       the call; belay_forget_fd() ended the wait; or a descriptor is not open.
 *     -ENOTRECOVERABLE  a stream is incomplete, and so is not written to; or bytes of it are lost.
 *     -EMSGSIZE         the bytes that belay_read_until() has room for contain no delimiter; more
 *                       descriptors came than the caller has room for; or a datagram is too long.
 *     -EOPNOTSUPP       the transport of a stream has no such function, or the stream is not one of
 *                       a Unix socket.
 *     -ENOENT           a host or a service is not known, or there is no such file or Unix socket.
 *     -EAGAIN           a name cannot be looked up at the moment, or the system has no thread left.
 *     -EMFILE, -ENFILE  the process or the system has no descriptor left. A lookup that lacks one
 *                       returns this, and not -ENOENT.
 *     -ECONNRESET       the peer, or belay_wire(), broke the connection.
 *     -EDESTADDRREQ     a datagram has no destination.
 *     -ESRCH            no task serves the listener.
 *     -ENOTDIR          the root of a walk is not a directory.
 *     -EFBIG            a file is larger than the caller allows, or than RLIMIT_FSIZE.
 *     -ENOSPC           from a wait for a descriptor: the system watches no more of them.
 *
 * Threads: a failure belongs to the thread that made it. No other thread may use it, not even by a
 * reference of its own.
 * Cancellation: no function of this header is a cancellation point.
 */
#ifndef BELAY_FAILURE_H
#define BELAY_FAILURE_H

#include <belay/base.h>

BELAY_BEGIN

/* A failure with its detail. A failure that the program has does not change. */
typedef struct belay_failure belay_failure;

/*
 * Leave a failure with the calling task, and return its code.
 *
 * The code must be negative. The format and its arguments make the text, as in printf(). A format
 * of NULL makes no text. The failure replaces the latest failure of the task. A function that fails
 * ends with `return belay_fail(...)`. If memory for the text is not available, the code goes alone.
 * With -ECANCELED the text is the reason, as if the body had cancelled itself. Outside of a task
 * the function only returns.
 *
 * Returns: `code`.
 */
BELAY_API int belay_fail(int code, const char *format, ...) BELAY_PRINTF(2, 3);

/*
 * Leave a failure that carries data of the program's own with the calling task.
 *
 * The function works as belay_fail() does. belay_failure_data() returns the data.
 *
 * Returns: `code`, in all cases.
 * Ownership: the failure owns the data. The library calls `destroy` (may be NULL) with it when the
 * last reference to the failure is released. Outside of a task, and if no memory is available, it
 * does so at once.
 */
BELAY_API int belay_fail_data(int code, void *data, belay_destroy *destroy, const char *format, ...)
        BELAY_PRINTF(4, 5);

/*
 * Take the latest failure of the calling task, if it has the given code.
 *
 * The task has no latest failure afterwards. If its latest failure has another code, it stays, and
 * the function makes a failure that has `code` and no detail. It does the same outside of a task.
 *
 * Returns: the failure, never NULL. If no memory is available, its code is -ENOMEM.
 * Ownership: the caller owns the failure, and passes it to belay_failure_raise() or
 * belay_failure_release().
 */
BELAY_API belay_failure *belay_failure_take(int code) BELAY_MUST_USE;

/*
 * Make a failure the latest failure of the calling task, and return its code.
 *
 * The effect is that of a function that has just failed with it. Outside of a task the function
 * releases the failure.
 *
 * Returns: the failure's code; -ENOMEM if `failure` is NULL.
 * Ownership: the function takes over the caller's reference.
 */
BELAY_API int belay_failure_raise(belay_failure *failure);

/*
 * Add a reference to a failure.
 *
 * A program that forgets to release references may reach 2^30 of them. Such a failure is never
 * freed, and further references are not counted.
 *
 * Returns: `failure`. If it is NULL, a failure whose code is -ENOMEM.
 * Ownership: the caller releases the new reference with belay_failure_release().
 */
BELAY_API belay_failure *belay_failure_ref(const belay_failure *failure);

/*
 * Release a reference to a failure.
 *
 * The last release frees the failure, destroys its data, and releases the failures beneath it. NULL
 * does nothing.
 */
BELAY_API void belay_failure_release(belay_failure *failure);

/*
 * Return the code of a failure.
 *
 * Returns: the code, which is negative; -ENOMEM if `failure` is NULL.
 */
BELAY_API int belay_failure_code(const belay_failure *failure);

/*
 * Return the text of a failure, or the reason of a cancellation.
 *
 * A failure that has neither text nor data, and a single failure beneath it, has the text of that
 * one. A group in which one member failed has such a failure.
 *
 * Returns: the text; NULL if there is none, or if `failure` is NULL.
 * Ownership: the text is borrowed, and valid for as long as the caller has a reference.
 */
BELAY_API const char *belay_failure_text(const belay_failure *failure);

/*
 * Return the data of a failure.
 *
 * A failure that has neither text nor data, and a single failure beneath it, has the data of that
 * one.
 *
 * Returns: the data; NULL if there is none, or if `failure` is NULL.
 * Ownership: the data is borrowed, and valid for as long as the caller has a reference.
 */
BELAY_API void *belay_failure_data(const belay_failure *failure);

/*
 * Return the number of failures beneath a failure.
 *
 * Returns: the number; 0 if `failure` is NULL.
 */
BELAY_API size_t belay_failure_count(const belay_failure *failure);

/*
 * Return a failure beneath a failure.
 *
 * The failures stand in the order in which they happened, from index 0.
 *
 * Returns: the failure; NULL if `index` is not below belay_failure_count().
 * Ownership: the failure is borrowed, and valid for as long as the caller has a reference to the
 * one above it.
 */
BELAY_API const belay_failure *belay_failure_at(const belay_failure *failure, size_t index);

/*
 * Write a failure as a text for a person.
 *
 * The text is the code's meaning and the failure's text, as in "Protocol error: bad header". If the
 * text is the library's own, as in "unknown host \"example\"", the function leaves out the code's
 * meaning. A failure without text or data, and with a single failure beneath it, is written as that
 * one. Several failures beneath follow in brackets, as in "Protocol error; 2 beneath: [...]". The
 * function writes 32 levels, of which the failure itself is the first, and "..." for all others.
 *
 * The function writes at most `size` bytes to `buffer`, including the terminating null byte. If
 * `size` is 0, it writes nothing.
 *
 * Returns: the length of the whole text without the null byte, as snprintf() does.
 */
BELAY_API size_t belay_failure_format(const belay_failure *failure, char *buffer, size_t size);

BELAY_END
#endif
