/* SPDX-License-Identifier: MIT */
/*
 * Makes a loop, attaches it to the thread that runs it, and closes it.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "inspect/debug.h"
#include "io/io.h"
#include "loop/run.h"
#include "scope/scope.h"
#include "thread/pool.h"

/* ---- making ---- */

static void *pool_alloc(size_t size, void *user) {
        (void) user;
        return bly_alloc(size);
}

static void pool_free(void *memory, size_t size, void *user) {
        (void) size;
        (void) user;
        bly_free(memory);
}

static int describe_overflow(char *buffer, size_t size, const void *address) {
        struct belay_loop *loop = bly_loop;
        const belay_task *task = bly_current();
        struct bly_stack stack;
        char label[32];

        if (loop == NULL || bly_stack_find(loop->stacks, address, &stack) != BLY_STACK_GUARD)
                return 0;
        if (task == NULL || task->stack.low != stack.low)
                return snprintf(buffer, size, "the guard of a stack that does not run was touched");
        return snprintf(buffer, size, "task %s (started at %s) ran off its stack of %zu KiB",
                        bly_task_label(task, label), bly_place_text(task->started_at),
                        bly_stack_size(&stack) / 1024);
}

static uint64_t seed_of(const belay_loop_options *options) {
        const char *text = options->seed == 0 ? getenv("BELAY_SEED") : NULL;

        return text != NULL ? strtoull(text, NULL, 0) : options->seed;
}

/* Does BELAY_DEBUG, a list that commas or spaces separate, contain `word`? */
static bool is_debugged(const char *word) {
        const char *text = getenv("BELAY_DEBUG");

        while (text != NULL && *text != '\0') {
                size_t length = strcspn(text, ", ");

                if (length == strlen(word) && strncmp(text, word, length) == 0)
                        return true;
                text += length + (text[length] != '\0');
        }
        return false;
}

static void give_up(struct belay_loop *loop, int error) {
        bly_inbox_unref(loop->inbox);
        if (loop->stacks != NULL)
                bly_stack_pool_destroy(loop->stacks);
        bly_free(loop);
        errno = error;
}

static void configure(struct belay_loop *loop, const belay_loop_options *options) {
        loop->is_virtual = options->clock == BELAY_CLOCK_VIRTUAL;
        loop->seed = seed_of(options);
        loop->random = loop->seed;
        loop->names_handles = options->name_handles || is_debugged("handles");
        loop->apart = loop->names_handles
                      || (bly_tools & (BLY_TOOL_ADDRESS | BLY_TOOL_VALGRIND)) != 0;
        loop->by_turns = loop->is_virtual || loop->seed != 0;
        loop->budget = 1;
        loop->returns_at = BELAY_NEVER;
        loop->now = loop->is_virtual ? 0 : bly_clock();
        loop->stack_size = options->stack_size;
        loop->shutdown_limit = options->shutdown_limit == 0 ? BELAY_NEVER : options->shutdown_limit;
        loop->threads_most = options->threads;
        loop->keep_waiting = options->keep_waiting;
        loop->wants_signals = !options->no_signals;
        loop->idle = bly_idle;
        loop->reports_overflow = !options->no_overflow_report;
}

belay_loop *belay_loop_new(const belay_loop_options *given) {
        static const struct bly_stack_allocator allocator = { .alloc = pool_alloc,
                                                              .free = pool_free };
        belay_loop_options options;
        struct belay_loop *loop;

        bly_options(&options, sizeof(options), given);
        if ((unsigned) options.clock > BELAY_CLOCK_VIRTUAL
            || (unsigned) options.backend > BELAY_BACKEND_IO_URING || options.shutdown_limit < 0) {
                errno = EINVAL;
                return NULL;
        }
        loop = bly_zalloc(sizeof(*loop));
        if (loop == NULL) {
                errno = ENOMEM;
                return NULL;
        }
        bly_tools_init();
        loop->stacks = bly_stack_pool_create(&allocator);
        loop->inbox = loop->stacks != NULL ? bly_inbox_new() : NULL;
        loop->backend = options.backend;
        if (loop->inbox == NULL || bly_io_begin(loop) < 0) {
                give_up(loop, loop->stacks != NULL ? errno : ENOMEM);
                return NULL;
        }
        configure(loop, &options);
        if (loop->reports_overflow)
                bly_overflow_install(describe_overflow, 0);
        bly_debug_add(loop);
        return loop;
}

/* ---- running ---- */

int bly_visit_begin(struct belay_loop *loop, struct bly_visit *visit) {
        if (bly_loop != NULL || loop->embed != NULL)
                return -EBUSY;
        bly_loop = loop;
        bly_tries = BLY_TRIES;
        loop->running = true;
        loop->tid = gettid();
        loop->exceptions = bly_exceptions_of_thread();
        loop->error = &errno;
        bly_limit_log_begin(loop);
        if (bly_tools != 0)
                bly_tool_stack_init_thread(&loop->own_tool);
        visit->overflow = (struct bly_overflow_thread) { 0 };
        if (loop->reports_overflow)
                bly_overflow_thread_begin(&visit->overflow);
        if (!loop->is_virtual)
                loop->now = bly_clock();
        return 0;
}

void bly_visit_end(struct belay_loop *loop, struct bly_visit *visit) {
        bly_overflow_thread_end(&visit->overflow);
        loop->running = false;
        loop->switches = loop->switches_cxx = 0;
        bly_limit_log_end(loop);
        bly_loop = NULL;
}

int belay_loop_close(belay_loop *loop) {
        struct bly_visit visit;
        int rc;

        if (loop == NULL)
                return 0;
        rc = bly_embed_end(loop);
        if (rc == 0)
                rc = bly_visit_begin(loop, &visit);
        if (rc < 0)
                return rc;
        /*
         * If a signal has cancelled main, a second one must end the process, so the default actions
         * stay. Otherwise the loop handles the first signal: the shutdown has already begun what
         * that signal requests.
         */
        if (loop->signal == 0)
                bly_signals_take(loop);
        rc = bly_shut_down(loop);
        bly_signals_give_back(loop);
        bly_visit_end(loop, &visit);
        bly_debug_remove(loop);
        if (loop->main != NULL)
                bly_record_unref(loop->main);
        loop->main = NULL;
        belay_failure_release(loop->main_failure);
        loop->main_failure = NULL;
        /* Receives the jobs that have ended while their pools can still count them. */
        bly_inbox_close(loop->inbox);
        bly_pools_close(loop);
        bly_io_close(loop);
        bly_inbox_unref(loop->inbox);
        loop->inbox = NULL;
        /*
         * Abandoned tasks keep the memory that they point to: their stacks, and their records with
         * the loop.
         */
        if (rc == 0) {
                bly_stack_pool_destroy(loop->stacks);
                loop->stacks = NULL;
        }
        bly_timers_free(loop);
        bly_callbacks_free(loop);
        if (loop->records > 0 && rc == 0)
                bly_leave_handles(loop);
        loop->closed = true;
        bly_loop_unref(loop);
        return rc;
}

/* ---- queries ---- */

belay_loop *belay_loop_self(void) {
        return bly_loop;
}

belay_task *belay_loop_main(const belay_loop *loop) {
        return loop->main;
}

const belay_failure *belay_loop_failure(const belay_loop *loop) {
        /* The caller retrieves the failure, so the release of main's record does not log it. */
        if (loop->main_failure != NULL)
                loop->main->node.flags |= BLY_TASK_RETRIEVED;
        return loop->main_failure;
}

int belay_loop_signal(const belay_loop *loop) {
        return loop->signal;
}

size_t belay_loop_count(const belay_loop *loop) {
        return loop->count;
}
