/* SPDX-License-Identifier: MIT */
/*
 * Memory checkers follow a thread's stack and must be told when it is exchanged.
 * The checkers are found at run time, so that a library built without them serves
 * a program built with them; without a checker, bly_tools is 0 and that test is
 * all the cost.
 */
#ifndef BELAY_SWITCH_TOOLS_H
#define BELAY_SWITCH_TOOLS_H

#include <stdbool.h>
#include <stddef.h>

#include "switch.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BLY_TOOL_ADDRESS 1  /* address sanitizer */
#define BLY_TOOL_THREAD 2   /* thread sanitizer */
#define BLY_TOOL_VALGRIND 4 /* valgrind, any of its tools */

/* Which checkers watch this process; 0 in normal runs. Constant after bly_tools_init(). */
extern int bly_tools __attribute__((visibility("hidden")));

/* What the checkers know of one context and its stack. Meaningless while bly_tools is 0. */
struct bly_tool_stack {
        const void *low;
        size_t size;
        void *fake;        /* address sanitizer's frames that outlive their function */
        void *fiber;       /* thread sanitizer's idea of a thread */
        unsigned valgrind; /* registration of the stack */
};

/* Looks for checkers. May be called often, and by threads at once. */
void bly_tools_init(void);

/*
 * For a new context, before bly_context_make(): the stack [low, top) may carry the
 * marks of an earlier owner. fini: after the context has ended, or will never go on,
 * called from another one. Both do nothing while bly_tools is 0.
 */
void bly_tool_stack_init(struct bly_tool_stack *tool, void *low, void *top);
void bly_tool_stack_fini(struct bly_tool_stack *tool, void *low, void *top);

/* For the context that the calling thread runs in by itself. Needs no fini. */
void bly_tool_stack_init_thread(struct bly_tool_stack *tool);

/*
 * For memory that is mapped and unmapped by calls which thread sanitizer does not see: what the next owner of an address does
 * with it comes after all that the last one did. begins: after it was mapped; ends: before it is unmapped.
 */
void bly_tool_memory_begins(void *memory, size_t size);
void bly_tool_memory_ends(void *memory, size_t size);

/*
 * bly_switch() with annotations. from_ends: `from` will never be gone on with, and
 * this does not return.
 */
void bly_tools_switch(struct bly_context *from, struct bly_tool_stack *from_tool,
                      const struct bly_context *to, struct bly_tool_stack *to_tool, bool from_ends);

/* For a look at memory that nobody may have written yet. Only where bly_tools has BLY_TOOL_VALGRIND. */
void bly_tool_written(const void *memory, size_t size);

/* The first thing to call in the entry of a context if bly_tools is not 0. */
void bly_tools_entered(struct bly_tool_stack *self);

#ifdef __cplusplus
}
#endif

#endif
