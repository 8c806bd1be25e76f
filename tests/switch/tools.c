/* SPDX-License-Identifier: MIT */
/*
 * What memory checkers are told: the test defines the checkers' functions itself, and compares
 * their calls with the switches between contexts.
 */
#include "switch/tools.h"

#include "base/help.h"

/* ---- the functions of the checkers ---- */

static char calls[4096];
static size_t calls_length;

static void note(const char *call) {
        calls_length += (size_t) snprintf(calls + calls_length, sizeof(calls) - calls_length, "%s ",
                                          call);
        CHECK(calls_length < sizeof(calls));
}

/* Checks which calls have come since the previous check. */
static void check_calls(const char *expected) {
        CHECK_STR(calls, expected);
        calls_length = 0;
        calls[0] = '\0';
}

static char threads_own[100], fibers[8];
static char *stack_low;
static size_t stack_size, page_count;
static int fiber_count, saved_fakes;
static const void *finished_low;
static size_t finished_size;
static void *given_fake, *current_fiber = threads_own;

/* Names an address for the list of calls. */
static const char *name_of(const void *address) {
        return address == NULL          ? "NULL"
               : address == stack_low   ? "stack"
               : address == threads_own ? "own"
                                        : "?";
}

static void note_range(const char *call, const void *low, size_t size) {
        char text[100];

        snprintf(text, sizeof(text), "%s(%s,%zu)", call, name_of(low), size);
        note(text);
}

#define CHECKER __attribute__((visibility("default"), used))

#if !CHECKED

CHECKER void __sanitizer_start_switch_fiber(void **fake, const void *low, size_t size) {
        note_range(fake != NULL ? "start" : "start-last", low, size);
        if (fake != NULL)
                *fake = &fibers[saved_fakes++ % 8];
}

CHECKER void __sanitizer_finish_switch_fiber(void *fake, const void **low, size_t *size) {
        given_fake = fake;
        *low = finished_low;
        *size = finished_size;
        note(fake != NULL ? "finish-again" : "finish");
}

CHECKER void __asan_unpoison_memory_region(const volatile void *low, size_t size) {
        note_range("unpoison", (const void *) low, size);
}

CHECKER void __lsan_register_root_region(const void *low, size_t size) {
        note_range("register", low, size);
}

CHECKER void __lsan_unregister_root_region(const void *low, size_t size) {
        note_range("unregister", low, size);
}

CHECKER void *__tsan_get_current_fiber(void) {
        return current_fiber;
}

CHECKER void *__tsan_create_fiber(unsigned flags) {
        CHECK_EQ(flags, 0);
        note("create");
        return &fibers[fiber_count++];
}

CHECKER void __tsan_destroy_fiber(void *fiber) {
        CHECK(fiber == &fibers[0]);
        note("destroy");
}

CHECKER void __tsan_switch_to_fiber(void *fiber, unsigned flags) {
        CHECK_EQ(flags, 0);
        current_fiber = fiber;
        note(fiber == threads_own ? "switch-back" : "switch");
}

static char *next_page;

CHECKER void __tsan_acquire(void *address) {
        CHECK(address == next_page);
        next_page += 4096;
        page_count++;
}

CHECKER void __tsan_release(void *address) {
        CHECK(address == next_page);
        next_page += 4096;
        page_count += 1000;
}

static void pages(char *memory, size_t size, size_t count) {
        page_count = 0;
        next_page = memory;
        bly_tool_memory_begins(memory, size);
        CHECK_EQ(page_count, count);
        page_count = 0;
        next_page = memory;
        bly_tool_memory_ends(memory, size);
        CHECK_EQ(page_count, 1000 * count);
}

#else

static void pages(char *memory, size_t size, size_t count) {
        (void) memory;
        (void) size;
        (void) count;
}

#endif

/* ---- contexts ---- */

static struct bly_context main_context, task_context;
static struct bly_tool_stack main_tool, task_tool;
static int steps;

static void leave(bool ends) {
        bly_tools_switch(&task_context, &task_tool, &main_context, &main_tool, ends);
}

static void runs(void *arg) {
        CHECK(arg == &steps);
        bly_tools_entered(&task_tool);
        steps++;
        leave(false);
        steps++;
        leave(true);
}

static void enter(void) {
        bly_tools_switch(&main_context, &main_tool, &task_context, &task_tool, false);
}

/* The checkers report the bounds of the thread's own stack when the first context begins. */
static void switches(void) {
        char expected[200];

        bly_tool_stack_init_thread(&main_tool);
        CHECK(main_tool.fiber == threads_own && main_tool.low == NULL && main_tool.size == 0);
        check_calls("");
        bly_tool_stack_init(&task_tool, stack_low, stack_low + stack_size);
        CHECK(task_tool.low == stack_low && task_tool.size == stack_size);
        CHECK(task_tool.fiber == &fibers[0]);
        snprintf(expected, sizeof(expected), "unpoison(stack,%zu) register(stack,%zu) create ",
                 stack_size, stack_size);
        check_calls(expected);
        bly_context_make(&task_context, stack_low, stack_low + stack_size, runs, &steps);

        finished_low = threads_own;
        finished_size = sizeof(threads_own);
        enter();
        CHECK_EQ(steps, 1);
        CHECK(main_tool.low == threads_own && main_tool.size == sizeof(threads_own));
        CHECK(given_fake == &fibers[0]); /* what the thread's own context saved */
        CHECK(task_tool.low == stack_low && task_tool.size == stack_size);
        snprintf(expected, sizeof(expected),
                 "start(stack,%zu) switch finish start(own,%zu) switch-back finish-again ",
                 stack_size, sizeof(threads_own));
        check_calls(expected);

        /* The bounds are known now, and what the checker reports is not used. */
        finished_low = fibers;
        finished_size = 1;
        enter();
        CHECK_EQ(steps, 2);
        CHECK(main_tool.low == threads_own && main_tool.size == sizeof(threads_own));
        CHECK(task_tool.low == stack_low && task_tool.size == stack_size);
        CHECK(given_fake == &fibers[2]);
        snprintf(expected, sizeof(expected),
                 "start(stack,%zu) switch finish-again start-last(own,%zu) switch-back "
                 "finish-again ",
                 stack_size, sizeof(threads_own));
        check_calls(expected);

        bly_tool_stack_fini(&task_tool, stack_low, stack_low + stack_size);
        CHECK(task_tool.low == NULL && task_tool.size == 0 && task_tool.fiber == NULL);
        snprintf(expected, sizeof(expected), "unregister(stack,%zu) unpoison(stack,%zu) destroy ",
                 stack_size, stack_size);
        check_calls(expected);
}

/* Without a checker, no function does anything. */
static void without(void) {
        struct bly_tool_stack tool = { .low = calls, .size = 5, .fake = fibers };
        int tools = bly_tools;

        bly_tools = 0;
        bly_tool_stack_init(&tool, stack_low, stack_low + stack_size);
        bly_tool_stack_init_thread(&tool);
        bly_tool_stack_fini(&tool, stack_low, stack_low + stack_size);
        CHECK(tool.low == calls && tool.size == 5 && tool.fake == fibers);
        bly_tools_entered(&tool);
        pages(stack_low, 10000, 0);
        check_calls("");
        bly_tools = tools;
}

/* Each checker is told only what concerns it. */
static void one_alone(int tool, const char *at_begin, const char *at_end) {
        struct bly_tool_stack record = { .low = NULL };
        char expected[200];
        int tools = bly_tools;

        bly_tools = tool;
        bly_tool_stack_init(&record, stack_low, stack_low + stack_size);
        snprintf(expected, sizeof(expected), at_begin, stack_size, stack_size);
        check_calls(expected);
        record.fiber = fibers;
        bly_tool_stack_fini(&record, stack_low, stack_low + stack_size);
        snprintf(expected, sizeof(expected), at_end, stack_size, stack_size);
        check_calls(expected);
        bly_tools_entered(&record);
        check_calls(tool == BLY_TOOL_ADDRESS ? "finish " : "");
        bly_tools = tools;
}

int main(void) {
        static char stack[64 * 1024] __attribute__((aligned(4096)));
        char memory[3 * 4096];

        if (CHECKED)
                SKIP("the checker has these functions itself");
        stack_low = stack;
        stack_size = sizeof(stack);
        for (int i = 0; i < 2; i++) {
                bly_tools_init();
                CHECK_EQ(bly_tools & (BLY_TOOL_ADDRESS | BLY_TOOL_THREAD),
                         BLY_TOOL_ADDRESS | BLY_TOOL_THREAD);
                bly_tools &= ~BLY_TOOL_VALGRIND;
        }
        switches();
        pages(memory, sizeof(memory), 3);
        pages(memory, 4097, 2);
        pages(memory, 4096, 1);
        pages(memory, 0, 0);
        without();
        one_alone(BLY_TOOL_ADDRESS, "unpoison(stack,%zu) register(stack,%zu) ",
                  "unregister(stack,%zu) unpoison(stack,%zu) ");
        fiber_count = 0;
        one_alone(BLY_TOOL_THREAD, "create ", "destroy ");
        bly_tools = BLY_TOOL_ADDRESS;
        pages(memory, sizeof(memory), 0);
        return 0;
}
