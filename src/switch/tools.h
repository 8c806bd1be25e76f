/* SPDX-License-Identifier: MIT */
/*
 * Reports to memory checkers, which follow a thread's stack and must be notified of each switch.
 *
 * The library finds checkers at run time, so that a library built without them serves a program
 * built with them. Without a checker, bly_tools is 0 and that test is the only cost.
 */
#ifndef BELAY_SWITCH_TOOLS_H
#define BELAY_SWITCH_TOOLS_H

#include <stdbool.h>
#include <stddef.h>

#include "switch.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BLY_TOOL_ADDRESS  1 /* address sanitizer */
#define BLY_TOOL_THREAD   2 /* thread sanitizer */
#define BLY_TOOL_VALGRIND 4 /* valgrind, any of its tools */

/* The checkers that watch this process, 0 in normal runs. Constant after bly_tools_init(). */
extern int bly_tools __attribute__((visibility("hidden")));

/* The checkers' knowledge of one context and its stack. Meaningless while bly_tools is 0. */
struct bly_tool_stack {
        const void *low;
        size_t size;
        void *fake;        /* address sanitizer's frames that outlive their function */
        void *fiber;       /* thread sanitizer's equivalent of a thread */
        unsigned valgrind; /* identifier of the registered stack */
};

/* Finds the checkers. May be called several times, and by several threads at once. */
void bly_tools_init(void);

/*
 * init prepares the stack [low, top) for a new context, which may still carry the marks of its last
 * owner. The caller calls it before bly_context_make(). fini is for a context that has ended or
 * will never continue; another context calls it. Both do nothing while bly_tools is 0.
 */
void bly_tool_stack_init(struct bly_tool_stack *tool, void *low, void *top);
void bly_tool_stack_fini(struct bly_tool_stack *tool, void *low, void *top);

/* Prepares the record of the thread's own context. It needs no fini. */
void bly_tool_stack_init_thread(struct bly_tool_stack *tool);

/*
 * Annotates memory that calls map and unmap which thread sanitizer does not see. The accesses of
 * the next owner of an address are then ordered after all those of the last owner. The caller calls
 * begins after it maps the memory, and ends before it unmaps the memory.
 */
void bly_tool_memory_begins(void *memory, size_t size);
void bly_tool_memory_ends(void *memory, size_t size);

/*
 * Calls bly_switch() and reports the switch to the checkers. If from_ends is true, `from` will
 * never continue, and this function does not return.
 */
void bly_tools_switch(struct bly_context *from, struct bly_tool_stack *from_tool,
                      const struct bly_context *to, struct bly_tool_stack *to_tool, bool from_ends);

/*
 * Marks memory as defined, so that it may be read even if no code has written it. Call it only if
 * bly_tools has BLY_TOOL_VALGRIND.
 */
void bly_tool_written(const void *memory, size_t size);

/* If bly_tools is not 0, the entry of a context must call this first. */
void bly_tools_entered(struct bly_tool_stack *self);

#ifdef __cplusplus
}
#endif

#endif
