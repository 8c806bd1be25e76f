/* SPDX-License-Identifier: MIT */
/*
 * A round robin of tasks, on stacks from a pool and with annotated switches. It is the smallest
 * program that uses these units as belay does.
 */
#include "checked_lib.h"

#include <stdlib.h>
#include <string.h>

#include "../../../src/stack/stack.h"
#include "../../../src/switch/switch.h"
#include "../../../src/switch/tools.h"

#pragma GCC visibility push(default)

struct task {
        struct task *next;
        struct bly_context context;
        struct bly_tool_stack tool;
        struct bly_stack stack;
        void (*entry)(void *);
        void *arg;
        int ended;
};

static __thread struct bly_stack_pool *pool;
static __thread struct bly_context main_context;
static __thread struct bly_tool_stack main_tool;
static __thread struct task *tasks, *current;

void mini_begin(void) {
        bly_tools_init();
        bly_tool_stack_init_thread(&main_tool);
        pool = bly_stack_pool_create(NULL);
}

static void leave(struct task *t, bool ends) {
        if (bly_tools)
                bly_tools_switch(&t->context, &t->tool, &main_context, &main_tool, ends);
        else
                bly_switch(&t->context, &main_context);
}

void mini_yield(void) {
        leave(current, false);
}

void mini_end(void) {
        current->ended = 1;
        leave(current, true);
        abort();
}

static void start(void *arg) {
        struct task *t = arg;

        if (bly_tools)
                bly_tools_entered(&t->tool);
        t->entry(t->arg);
        mini_end();
}

void mini_spawn(void (*entry)(void *), void *arg) {
        struct task *t = calloc(1, sizeof(*t));
        struct task **end = &tasks;

        if (!t || bly_stack_get(pool, 0, &t->stack) < 0)
                abort();
        t->entry = entry;
        t->arg = arg;
        bly_tool_stack_init(&t->tool, t->stack.low, t->stack.top);
        bly_context_make(&t->context, t->stack.low, t->stack.top, start, t);
        while (*end)
                end = &(*end)->next;
        *end = t;
}

void mini_run(int turns) {
        for (int n = 0; tasks && (!turns || n < turns); n++) {
                for (struct task **p = &tasks; *p;) {
                        struct task *t = *p;

                        current = t;
                        if (bly_tools)
                                bly_tools_switch(&main_context, &main_tool, &t->context, &t->tool,
                                                 false);
                        else
                                bly_switch(&main_context, &t->context);
                        if (t->ended) {
                                *p = t->next;
                                bly_tool_stack_fini(&t->tool, t->stack.low, t->stack.top);
                                bly_stack_put(pool, &t->stack);
                                free(t);
                        } else
                                p = &t->next;
                }
        }
}

void mini_finish(void) {
        bly_stack_pool_destroy(pool);
}

void mini_touch(int value) {
        char room[30000];
        volatile size_t size = sizeof(room);

        /* Not inlined, because the checkers examine the arguments of memset(). */
        memset(room, value, size);
        __asm__ volatile("" : : "r"(room) : "memory");
}

int mini_tools(void) {
        return bly_tools;
}
