/* SPDX-License-Identifier: MIT */
/*
 * Inspecting a loop: what every task of it is doing.
 *
 * A dump is a tree of tasks, each beneath the group that owns it. For each task it shows the call
 * site of its start, what it waits for, at which call site and since when. It also shows the time
 * left of its timeouts, its pending cancellation requests with their origin, and how much of its
 * stack was touched.
 *
 * A debugger can read the same from outside of the process, without the process's help. A note in
 * the binary (an ELF note of the name "belay", type 1) leads to belay_debug, a table of versions,
 * sizes and offsets. See docs/debug-format.md.
 *
 * Threads: the loop's own thread.
 * Cancellation: no function here is a cancellation point.
 */
#ifndef BELAY_INSPECT_H
#define BELAY_INSPECT_H

#include <belay/task.h>

BELAY_BEGIN

/*
 * Write a dump of the calling thread's loop to a descriptor.
 *
 * The function works as belay_loop_dump(). The function also returns any other error of write(2).
 *
 * Returns: 0.
 * Errors:
 *   -EPERM      no loop runs in this thread.
 *   -EBADF      `fd` is not a descriptor open for writing.
 *   -EAGAIN     `fd` is non-blocking and has no room.
 *   -EPIPE      no process reads the other end.
 *   -ENOSPC     the device is full.
 *   -EIO        the device failed.
 */
BELAY_API int belay_dump(int fd);
/*
 * Write a dump of a loop to a descriptor.
 *
 * A task or a callback may call the function, and the program may call it while the loop does not
 * run. The function never yields and takes no memory. It blocks the thread if write() blocks, and
 * raises SIGPIPE as write() does. If it fails, what it wrote until then stays. Signal handlers must
 * not call it.
 *
 * The function also returns any other error of write(2).
 *
 * Returns: 0.
 * Errors:
 *   -EBADF      `fd` is not a descriptor open for writing.
 *   -EAGAIN     `fd` is non-blocking and has no room.
 *   -EPIPE      no process reads the other end.
 *   -ENOSPC     the device is full.
 *   -EIO        the device failed.
 */
BELAY_API int belay_loop_dump(belay_loop *loop, int fd);

/*
 * What a task waits for. If the task does not wait, .what says so, and the other members are NULL
 * and 0. The strings and the task are borrowed, and valid until another task runs.
 */
typedef struct belay_wait_info {
        size_t size; /* sizeof(belay_wait_info), set by the caller */
        /*
         * A word: "sleep", "lock", "await", and others. If the task does not wait, one of
         * "running", "ready", "new", "done" and "pending".
         */
        const char *what;
        /*
         * Name of a task, queue or group for which the task waits. For a lock, the call site at
         * which it was acquired. NULL if it is not known.
         */
        const char *on;
        const char *place; /* call site of the wait (file and line); NULL: unknown */
        belay_time since;  /* instant at which the wait began, on the loop's clock */
        belay_task *task;  /* task it waits for, the first of several; or NULL */
} belay_wait_info;
/* clang-format off */
/* Initializer of a belay_wait_info, with its size. */
#define BELAY_WAIT_INFO_INIT { sizeof(belay_wait_info), NULL, NULL, NULL, 0, NULL }
/* clang-format on */
/*
 * Write what a task waits for to *info.
 *
 * The caller must have set .size. If `task` is NULL, .what becomes "none".
 */
BELAY_API void belay_waiting(const belay_task *task, belay_wait_info *info);

/* The table to which the note leads, for debuggers that look up its name. Not for programs. */
struct belay_debug_v1;
BELAY_API extern struct belay_debug_v1 belay_debug;

BELAY_END
#endif
