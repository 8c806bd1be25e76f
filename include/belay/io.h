/* SPDX-License-Identifier: MIT */
/*
 * Waiting for descriptors: any that the system can poll, whichever library opened them.
 *
 * So a task can use a library that hands out its descriptors and must be called when they are
 * ready. Such libraries are libpq, libcurl, c-ares and those of displays. For bytes there are
 * streams (<belay/stream.h>), which read and write as well.
 *
 * A loop waits for descriptors through one of two back ends, epoll or io_uring. The default is
 * epoll. The program selects a back end by belay_loop_options.backend, or by the environment
 * variable BELAY_BACKEND, "epoll" or "io_uring". If the system does not allow io_uring, a log line
 * reports why and the loop uses epoll. This documentation applies to both back ends.
 *
 * The rule of cancellation points, here and in <belay/stream.h>, <belay/net.h> and <belay/file.h>,
 * for both back ends and for <belay/wire.h>:
 *     - The function tries before its task waits. If the try succeeds, the function returns its
 *       result, even if a request is pending, a limit is 0, or a timeout is due. The request stays
 *       pending until the task's next cancellation point.
 *     - If the try does not succeed, the function is a cancellation point. It returns -ECANCELED,
 *       and a timeout (<belay/scope.h>) turns that into -ETIMEDOUT.
 *     - A function that need not wait is not a cancellation point, with one exception. A task whose
 *       descriptors are always ready yields before its 64th call without a wait. That call is a
 *       cancellation point before it does anything.
 *     - Any function that may wait may let other tasks run, even if it need not wait. With io_uring
 *       it often does so where it does not with epoll.
 *
 * Cancellation never discards completed work. A function that moved bytes returns their count, and
 * a function that accepted a connection returns the connection. The request then stays pending
 * until the task's next cancellation point. -ECANCELED means that the function had no effect,
 * except for belay_copy(), which returns its count separately. Once a call has returned, whatever
 * it returned, the library no longer accesses the caller's memory.
 *
 * Threads: the loop's own thread.
 * Cancellation: only belay_wait_fd() is a cancellation point.
 */
#ifndef BELAY_IO_H
#define BELAY_IO_H

#include <belay/base.h>
#include <belay/loop.h>

BELAY_BEGIN

/* Events of a descriptor, as a set of bits. */
enum {
        BELAY_READABLE = 1, /* POLLIN: data, the end, or a connection to accept */
        BELAY_WRITABLE = 2, /* POLLOUT */
        BELAY_PRIORITY = 4, /* POLLPRI: urgent data, or a driver's own meaning */
};

/*
 * Wait until a descriptor is ready for at least one of `events`.
 *
 * The function asks the system before its task waits. So under a timeout of 0 it reports whether
 * the descriptor is ready now. The function asks again after each wake-up, since other tasks may
 * have read meanwhile. After an error or a hang-up the descriptor is ready for all of `events`, and
 * the next read or write reports the error. A descriptor that cannot be polled, such as that of an
 * ordinary file, is always ready. Any number of tasks may wait for one descriptor.
 *
 * The caller must wake the tasks that wait for a descriptor, by belay_forget_fd(), before it closes
 * the descriptor. If it does not, the system does not report the close to the loop. The loop finds
 * the close at the next belay_wait_fd() with that number, or when a stream or a listener is given
 * the number. It does so whatever the number stands for by then. The tasks that waited for the
 * closed descriptor wait until then, and return -EBADF. The loop cannot find the close if the
 * number stands for a copy of the same open file again. With io_uring the system keeps the file
 * open while tasks wait.
 *
 * Returns: the set of events for which the descriptor is ready, more than 0.
 * Errors:
 *   -EBADF      `fd` is not an open descriptor, belay_forget_fd() ended the wait, or the descriptor
 *               was closed and the loop found out.
 *   -ECANCELED  the task was cancelled.
 *   -EINVAL     `events` is empty or has an unknown event.
 *   -ENOMEM     no memory.
 *   -ENOSPC     the system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches).
 *   -EMFILE     the process has no descriptor left for the back end, which the loop opens when it
 *               is first needed.
 *   -ENFILE     likewise, the system has no descriptor left for the back end.
 *   -EPERM      the caller is not a task (reported).
 * Cancellation: a cancellation point if the task waits, or if a request is pending. The function
 * moves nothing, so a delivery loses nothing. It delivers a pending request even if the descriptor
 * is ready.
 * Ownership: the descriptor stays the caller's, blocking or not.
 */
BELAY_API int belay_wait_fd(int fd, int events) BELAY_MUST_USE;

/*
 * End all waits for a descriptor, before the caller closes it.
 *
 * The waits return -EBADF. If no loop runs in the thread, the function does nothing.
 *
 * Returns: the number of tasks that waited.
 */
BELAY_API int belay_forget_fd(int fd);

/*
 * Return the name of a loop's back end.
 *
 * If `loop` is NULL, the function takes the loop of the calling thread.
 *
 * Returns: "epoll" or "io_uring", or "" if `loop` is NULL and no loop runs in the thread.
 */
BELAY_API const char *belay_loop_backend(const belay_loop *loop);

BELAY_END
#endif
