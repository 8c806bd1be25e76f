/* SPDX-License-Identifier: MIT */
/*
 * Waiting for descriptors: any that the system can poll, whoever made them.
 *
 * This is how a task uses a library that hands out its descriptors and wants to be told when they
 * are ready (libpq, libcurl, c-ares, a display's connection). For bytes there are streams
 * (<belay/stream.h>), which do the reading and writing, too.
 *
 * A loop waits for descriptors through one of two back ends: epoll, the default, or io_uring where
 * it is asked for (belay_loop_options.backend, or the environment variable BELAY_BACKEND, "epoll"
 * or "io_uring") and the system lets it be used; where it does not, a log line says why and epoll
 * serves. What is said of the functions holds for both.
 *
 * The rule of cancellation points, here and in <belay/stream.h>, <belay/net.h> and <belay/file.h>,
 * for both back ends and for <belay/wire.h>:
 *     - The function tries before its task waits. If it finds what it is for, it returns that, even if
 *       a request is pending, a time limit is 0, or a time limit is over. The request stays pending
 *       for the task's next wait.
 *     - If the function finds nothing, it is a cancellation point. It returns -ECANCELED, and the
 *       scope of a time limit turns that into -ETIMEDOUT.
 *     - A function that need not wait is no cancellation point, with one exception. A task whose
 *       descriptors are always ready yields after 64 calls. The 64th call is a cancellation point
 *       before it does anything.
 *     - Any function that may wait may let other tasks run, even if it need not wait. With io_uring
 *       it often does so where it does not with epoll.
 *
 * What a cancelled wait leaves: what happened wins. A byte that moved is always counted, and a
 * connection that was accepted is returned; the request then stays for the task's next wait.
 * -ECANCELED means that nothing happened. When a call has returned, whatever it returned, nothing
 * uses the caller's memory any more.
 *
 * Threads: the loop's own.
 */
#ifndef BELAY_IO_H
#define BELAY_IO_H

#include <belay/base.h>
#include <belay/loop.h>

BELAY_BEGIN

enum {
        BELAY_READABLE = 1,               /* POLLIN: there is something to read, or its end, or a connection to accept */
        BELAY_WRITABLE = 2,               /* POLLOUT */
        BELAY_PRIORITY = 4,               /* POLLPRI: urgent data, or what a driver means by it */
};

/*
 * Wait until `fd` is ready for some of `events`.
 *
 * The function asks the system before it waits. So a time limit of 0 asks whether the descriptor is
 * ready now. The function asks again after each wake-up, since other tasks may have read meanwhile.
 * After an error or a hang-up the descriptor is ready for all of `events`, and the next read or
 * write says what is the matter. A descriptor that cannot be polled, such as that of a file, is
 * always ready. Any number of tasks may wait for one descriptor.
 *
 * Returns: the events for which the descriptor is ready, more than 0.
 * Errors: -EBADF if `fd` is not an open descriptor, if belay_forget_fd() ended the wait, or if the
 * descriptor was closed and the loop found out; -EINVAL if `events` has no event, or an unknown
 * one; -ENOMEM; -ENOSPC if the system watches no more descriptors
 * (/proc/sys/fs/epoll/max_user_watches); -EPERM outside of a task.
 * Cancellation: a cancellation point if the task waits, or if a request is pending. The function
 * moves nothing, so a pending request loses nothing, and the function delivers it even if the
 * descriptor is ready.
 * Ownership: the descriptor stays the caller's, blocking or not. The caller wakes the tasks that
 * wait for it, by belay_forget_fd(), before it closes the descriptor. If it does not, the system
 * tells the loop nothing of the closing. The next belay_wait_fd() with the same number finds the
 * closing, whatever the number stands for by then. So does a stream or a listener that is given the
 * number. The tasks that waited for the closed descriptor return -EBADF then, and wait until then.
 * The loop cannot find a closing if the number stands for a copy of the same open file again. With
 * io_uring the system keeps the file open while tasks wait.
 */
BELAY_API int belay_wait_fd(int fd, int events) BELAY_MUST_USE;

/*
 * End all waits for a descriptor, before the caller closes it.
 *
 * Returns: how many tasks waited. They return -EBADF.
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_forget_fd(int fd);

/*
 * What the loop waits with, "epoll" or "io_uring"; NULL: the loop of the calling thread, "" if
 * there is none.
 * Cancellation: not a cancellation point.
 */
BELAY_API const char *belay_loop_backend(const belay_loop *loop);

BELAY_END
#endif
