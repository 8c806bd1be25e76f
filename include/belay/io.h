/* SPDX-License-Identifier: MIT */
/*
 * Waiting for descriptors: any that the system can poll, whoever made them.
 *
 * This is how a task uses a library that hands out its descriptors and wants to be told when they are ready (libpq,
 * libcurl, c-ares, a display's connection). For bytes there are streams (<belay/stream.h>), which do the reading and
 * writing, too.
 *
 * A loop waits for descriptors through one of two back ends: epoll, the default, or io_uring where it is asked for
 * (belay_loop_options.backend, or the environment variable BELAY_BACKEND, "epoll" or "io_uring") and the system lets it be used;
 * where it does not, a log line says why and epoll serves. What is said of the functions holds for both.
 *
 * What a cancelled wait leaves, here and in all that reads and writes: what happened wins. A byte that moved is always
 * counted, a connection that was accepted is returned; the request then stays for the task's next wait. -ECANCELED means that
 * nothing happened. When a call has returned, whatever it returned, nothing uses the caller's memory any more.
 *
 * A read or write, or whatever else these headers wait with, is tried first, and waits only if it must. A task that
 * never has to wait because its descriptors are always ready gives way all the same after some dozen calls: a
 * cancellation point that comes before anything is done.
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
 * Waits until `fd` is one of those things that `events` asks for, and returns which of them it is: more than 0. After
 * an error or a hang-up it is all that was asked for: what is tried then says what is the matter. A descriptor that cannot be
 * polled, as that of a file, is always ready. Any number of tasks may wait for the same one. The descriptor stays the
 * caller's, blocking or not; a task that waits for it must be woken, by belay_forget_fd(), before it is closed.
 * -EBADF: not an open descriptor, or it was forgotten meanwhile; -EINVAL: no event, or an unknown one; -ENOMEM; -ENOSPC: the
 * system watches no more descriptors (/proc/sys/fs/epoll/max_user_watches).
 * Cancellation: a cancellation point, also where the descriptor is ready. Nothing was taken from it then.
 */
BELAY_API int belay_wait_fd(int fd, int events) BELAY_MUST_USE;

/*
 * Ends all waits for a descriptor with -EBADF, as before it is closed. Returns how many there were.
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_forget_fd(int fd);

/*
 * What the loop waits with, "epoll" or "io_uring"; NULL: the loop of the calling thread, "" if there is none.
 * Cancellation: not a cancellation point.
 */
BELAY_API const char *belay_loop_backend(const belay_loop *loop);

BELAY_END
#endif
