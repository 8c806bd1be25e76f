/* SPDX-License-Identifier: MIT */
/*
 * Looking inside: what every task of a loop is doing.
 *
 * A dump is a tree: each task beneath the group that owns it, with where it was started, what it
 * waits for, where and since when, the time left of its limits, requests for cancellation that are
 * pending with their origin, and how much of its stack was touched.
 *
 * From outside of the process the same can be read without its help: a note in the binary (an ELF
 * note of the name "belay", type 1) leads to belay_debug, a table of versions, sizes and offsets;
 * see docs/debug-format.md.
 *
 * Threads: the loop's own.
 */
#ifndef BELAY_INSPECT_H
#define BELAY_INSPECT_H

#include <belay/task.h>

BELAY_BEGIN

/*
 * Writes the tree of the calling thread's loop, or of `loop`, to a descriptor. Returns 0; -EPERM
 * without a loop; or write's error: what was written until then stays. From a task, from a
 * callback, or while the loop does not run; it never gives way, takes no memory, and blocks the
 * thread where writing does. Not for signal handlers.
 * Cancellation: not a cancellation point.
 */
BELAY_API int belay_dump(int fd);
BELAY_API int belay_loop_dump(belay_loop *loop, int fd);

/*
 * What a task waits for: a word ("sleep", "lock", "await", ...), what that is (a task's, a queue's
 * or a group's name; of a lock the place where it was taken; NULL if that is not known), where
 * (file and line, NULL if unknown), and since when (on the loop's clock). For one that does not
 * wait, the word says so and the rest is NULL and 0. Strings and the task are borrowed, until
 * others run.
 */
typedef struct belay_wait_info {
        size_t size;                      /* sizeof(belay_wait_info), set by the caller */
        const char *what;                 /* of one that does not: "running", "ready", "new", "done", "pending" */
        const char *on;
        const char *place;
        belay_time since;
        belay_task *task;                 /* the task it waits for, of several the first; NULL if it waits for none */
} belay_wait_info;
#define BELAY_WAIT_INFO_INIT { sizeof(belay_wait_info), NULL, NULL, NULL, 0, NULL }
/* Writes it to *info, whose size the caller has set. Of NULL: "none". Cancellation: not a cancellation point. */
BELAY_API void belay_waiting(const belay_task *task, belay_wait_info *info);

/* What the note leads to, for debuggers that ask by name. Programs have no use for it. */
struct belay_debug_v1;
BELAY_API extern struct belay_debug_v1 belay_debug;

BELAY_END
#endif
