/* SPDX-License-Identifier: MIT */
/*
 * Running off a stack ends in a message, not in a bare "Segmentation fault".
 */
#ifndef BELAY_STACK_OVERFLOW_H
#define BELAY_STACK_OVERFLOW_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Says who ran off a stack: if fault_address lies in the guard of a stack that the
 * calling thread's pool knows, writes a text such as
 *     task "parser" (started at server.c:88) ran off its stack of 64 KiB
 * to buf and returns its length (what does not fit is cut off), else returns 0 and
 * the fault is none of ours. Runs in a signal handler, on the thread that faulted.
 */
typedef int (*bly_overflow_describe)(char *buf, size_t size, const void *fault_address);

#define BLY_OVERFLOW_CHAIN 1

/*
 * Installs handlers for SIGSEGV and SIGBUS, process-wide; more calls than one change
 * nothing but `describe`. A program that has handlers of its own keeps them, unless
 * BLY_OVERFLOW_CHAIN asks to be put in front: then they get, after our message, every
 * fault they would have got. SIG_IGN is left alone in any case.
 *
 * After the message the previous action is restored and the fault happens again, so
 * that the core shows the place of the overflow.
 *
 * Returns how many of the two signals are handled here, or a negative errno.
 */
int bly_overflow_install(bly_overflow_describe describe, int flags);

/*
 * A handler cannot run on the stack that was exhausted. begin gives the calling thread
 * an alternate signal stack if it has none; end takes it back. struct: one per thread.
 */
struct bly_overflow_thread {
        void *memory; /* NULL if the thread had a signal stack */
        size_t size;
};

int bly_overflow_thread_begin(struct bly_overflow_thread *thread);
void bly_overflow_thread_end(struct bly_overflow_thread *thread);

#ifdef __cplusplus
}
#endif

#endif
