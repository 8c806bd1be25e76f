/* SPDX-License-Identifier: MIT */
/*
 * Reports a stack overflow with a message that names the task, instead of a bare "Segmentation
 * fault".
 */
#ifndef BELAY_STACK_OVERFLOW_H
#define BELAY_STACK_OVERFLOW_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Describes the task that overflowed its stack. If fault_address lies in the guard of a stack of
 * the calling thread's pool, the function writes to buf a text such as
 *     task "parser" (started at server.c:88) ran off its stack of 64 KiB
 * It returns the length of the text, which it truncates to fit. Otherwise it returns 0, and the
 * fault is not an overflow of a task's stack. The function runs in a signal handler, on the thread
 * that faulted.
 */
typedef int (*bly_overflow_describe)(char *buf, size_t size, const void *fault_address);

#define BLY_OVERFLOW_CHAIN 1

/*
 * Installs handlers for SIGSEGV and SIGBUS in the whole process. A further call only replaces
 * `describe`.
 *
 * A handler of the program stays in place, unless `flags` has BLY_OVERFLOW_CHAIN. With that flag,
 * the library's handler runs first, and the program's handler receives all faults that are not
 * overflows. After an overflow is reported, the program's handler receives that fault, too. SIG_IGN
 * always stays in place.
 *
 * After the message, the library's handler restores the previous action and the fault happens
 * again, so that the core dump shows where the overflow happened.
 *
 * Returns how many of the two signals the library handles, or a negative errno.
 */
int bly_overflow_install(bly_overflow_describe describe, int flags);

/*
 * The alternate signal stack of a thread, because a handler cannot run on the exhausted stack.
 * begin gives the calling thread one if it has none; end removes it. Each thread has its own
 * struct.
 */
struct bly_overflow_thread {
        void *memory; /* NULL if the thread already had a signal stack */
        size_t size;
};

int bly_overflow_thread_begin(struct bly_overflow_thread *thread);
void bly_overflow_thread_end(struct bly_overflow_thread *thread);

#ifdef __cplusplus
}
#endif

#endif
