/* SPDX-License-Identifier: MIT */
/*
 * Reports to memory checkers. All functions of the checkers are weak references, so that their
 * presence shows which checker the program was linked with.
 *
 * The functions around the switch are not instrumented. An instrumented frame would begin in the
 * records of one context and continue in those of another.
 */
#include "tools.h"

#include <pthread.h>

#if defined(__has_include)
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define HAVE_VALGRIND 1
#endif
#endif

#if defined(__clang__)
#define UNINSTRUMENTED __attribute__((noinline, no_sanitize("address"), no_sanitize("thread")))
#else
#define UNINSTRUMENTED __attribute__((noinline, no_sanitize("address", "thread")))
#endif

#define FROM_CHECKER extern __attribute__((weak, visibility("default")))

FROM_CHECKER void __sanitizer_start_switch_fiber(void **fake_save, const void *low, size_t size);
FROM_CHECKER void __sanitizer_finish_switch_fiber(void *fake, const void **old_low,
                                                  size_t *old_size);
FROM_CHECKER void __asan_unpoison_memory_region(const volatile void *low, size_t size);
FROM_CHECKER void __lsan_register_root_region(const void *low, size_t size);
FROM_CHECKER void __lsan_unregister_root_region(const void *low, size_t size);
FROM_CHECKER void *__tsan_get_current_fiber(void);
FROM_CHECKER void *__tsan_create_fiber(unsigned flags);
FROM_CHECKER void __tsan_destroy_fiber(void *fiber);
FROM_CHECKER void __tsan_switch_to_fiber(void *fiber, unsigned flags);
FROM_CHECKER void __tsan_acquire(void *address);
FROM_CHECKER void __tsan_release(void *address);

int bly_tools;

/*
 * The stack that this thread has just left. Address sanitizer reports its bounds to the context
 * that continues. For the thread's own stack, no other source of the bounds is as good.
 */
static __thread struct bly_tool_stack *left __attribute__((tls_model("initial-exec")));

static void find_tools(void) {
        int found = 0;

        if (__sanitizer_start_switch_fiber && __sanitizer_finish_switch_fiber
            && __asan_unpoison_memory_region)
                found |= BLY_TOOL_ADDRESS;
        if (__tsan_get_current_fiber && __tsan_create_fiber && __tsan_destroy_fiber
            && __tsan_switch_to_fiber)
                found |= BLY_TOOL_THREAD;
#ifdef HAVE_VALGRIND
        if (RUNNING_ON_VALGRIND)
                found |= BLY_TOOL_VALGRIND;
#endif
        bly_tools = found;
}

/*
 * The hot paths read bly_tools without synchronization. pthread_once() writes it before the first
 * of these reads in every thread, and thread sanitizer sees that order.
 */
void bly_tools_init(void) {
        static pthread_once_t once = PTHREAD_ONCE_INIT;

        (void) pthread_once(&once, find_tools);
}

void bly_tool_stack_init(struct bly_tool_stack *tool, void *low, void *top) {
        size_t size = (size_t) ((char *) top - (char *) low);

        if (!bly_tools)
                return;

        *tool = (struct bly_tool_stack) { .low = low, .size = size };
        if (bly_tools & BLY_TOOL_ADDRESS) {
                /* Frames that the last owner left without returning are still poisoned. */
                __asan_unpoison_memory_region(low, size);
                /* Memory to which only a suspended stack points is not a leak. */
                if (__lsan_register_root_region && __lsan_unregister_root_region)
                        __lsan_register_root_region(low, size);
        }
        if (bly_tools & BLY_TOOL_THREAD)
                tool->fiber = __tsan_create_fiber(0);
#ifdef HAVE_VALGRIND
        if (bly_tools & BLY_TOOL_VALGRIND) {
                tool->valgrind = VALGRIND_STACK_REGISTER(low, top);
                /* For memcheck, memory below the last owner's stack pointer is inaccessible. */
                VALGRIND_MAKE_MEM_UNDEFINED(low, size);
        }
#endif
}

void bly_tool_stack_fini(struct bly_tool_stack *tool, void *low, void *top) {
        size_t size = (size_t) ((char *) top - (char *) low);

        if (!bly_tools)
                return;

        if (bly_tools & BLY_TOOL_ADDRESS) {
                if (__lsan_register_root_region && __lsan_unregister_root_region)
                        __lsan_unregister_root_region(low, size);
                /*
                 * The memory may be unmapped, and the address may be mapped again for another
                 * purpose.
                 */
                __asan_unpoison_memory_region(low, size);
        }
        if (bly_tools & BLY_TOOL_THREAD)
                __tsan_destroy_fiber(tool->fiber);
#ifdef HAVE_VALGRIND
        if (bly_tools & BLY_TOOL_VALGRIND)
                VALGRIND_STACK_DEREGISTER(tool->valgrind);
#endif
        *tool = (struct bly_tool_stack) { .low = NULL };
}

void bly_tool_stack_init_thread(struct bly_tool_stack *tool) {
        if (!bly_tools)
                return;

        *tool = (struct bly_tool_stack) { .low = NULL };
        if (bly_tools & BLY_TOOL_THREAD)
                tool->fiber = __tsan_get_current_fiber();
}

/*
 * Synchronizes on one address in each page, because the next owner of a page may hold other
 * neighbours.
 */
static void for_each_page(void *memory, size_t size, void (*tell)(void *address)) {
        enum { PAGE = 4096 };

        if (!(bly_tools & BLY_TOOL_THREAD) || !tell)
                return;
        for (size_t offset = 0; offset < size; offset += PAGE)
                tell((char *) memory + offset);
}

void bly_tool_memory_begins(void *memory, size_t size) {
        for_each_page(memory, size, __tsan_acquire);
}

void bly_tool_memory_ends(void *memory, size_t size) {
        for_each_page(memory, size, __tsan_release);
}

/* Runs on the new stack. `fake` is the value that this context saved when it was suspended. */
UNINSTRUMENTED static void arrived(void *fake) {
        struct bly_tool_stack *from = left;
        const void *low;
        size_t size;

        if (!(bly_tools & BLY_TOOL_ADDRESS))
                return;

        __sanitizer_finish_switch_fiber(fake, &low, &size);
        if (from && !from->size) {
                from->low = low;
                from->size = size;
        }
}

UNINSTRUMENTED void bly_tools_switch(struct bly_context *from, struct bly_tool_stack *from_tool,
                                     const struct bly_context *to, struct bly_tool_stack *to_tool,
                                     bool from_ends) {
        left = from_ends ? NULL : from_tool;
        if (bly_tools & BLY_TOOL_ADDRESS)
                __sanitizer_start_switch_fiber(from_ends ? NULL : &from_tool->fake, to_tool->low,
                                               to_tool->size);
        /* This comes last: from here on, every memory access counts as one of the other context. */
        if (bly_tools & BLY_TOOL_THREAD)
                __tsan_switch_to_fiber(to_tool->fiber, 0);
        bly_switch(from, to);
        arrived(from_tool->fake);
}

void bly_tool_written(const void *memory, size_t size) {
        /* On machines that Valgrind does not know, its macro has no effect. */
        (void) memory;
        (void) size;
#ifdef HAVE_VALGRIND
        VALGRIND_MAKE_MEM_DEFINED(memory, size);
#endif
}

UNINSTRUMENTED void bly_tools_entered(struct bly_tool_stack *self) {
        arrived(self->fake);
}
