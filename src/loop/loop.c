/* SPDX-License-Identifier: MIT */
/*
 * Loops: made, run, shut down.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cancel/describe.h"
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
        return snprintf(buffer, size, "task %s (started at %s) ran off its stack of %zu KiB", bly_task_label(task, label),
                        task->started_at != NULL ? task->started_at : "an unknown place", bly_stack_size(&stack) / 1024);
}

static uint64_t seed_of(const belay_loop_options *options) {
        const char *text = options->seed == 0 ? getenv("BELAY_SEED") : NULL;

        return text != NULL ? strtoull(text, NULL, 0) : options->seed;
}

/* Is this among the words of BELAY_DEBUG? */
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

belay_loop *belay_loop_new(const belay_loop_options *given) {
        static const struct bly_stack_allocator allocator = { .alloc = pool_alloc, .free = pool_free };
        belay_loop_options options;
        struct belay_loop *loop;

        bly_options(&options, sizeof(options), given);
        if ((unsigned) options.clock > BELAY_CLOCK_VIRTUAL || (unsigned) options.backend > BELAY_BACKEND_IO_URING
            || options.shutdown_limit < 0) {
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
        loop->is_virtual = options.clock == BELAY_CLOCK_VIRTUAL;
        loop->seed = seed_of(&options);
        loop->random = loop->seed;
        loop->names_handles = options.name_handles || is_debugged("handles");
        loop->apart = loop->names_handles || (bly_tools & (BLY_TOOL_ADDRESS | BLY_TOOL_VALGRIND)) != 0;
        loop->by_turns = loop->is_virtual || loop->seed != 0;
        loop->budget = 1;
        loop->returns_at = BELAY_NEVER;
        loop->now = loop->is_virtual ? 0 : bly_clock();
        loop->stack_size = options.stack_size;
        loop->shutdown_limit = options.shutdown_limit == 0 ? BELAY_NEVER : options.shutdown_limit;
        loop->threads_most = options.threads;
        loop->keep_waiting = options.keep_waiting;
        loop->wants_signals = !options.no_signals;
        loop->idle = bly_idle;
        loop->attend = bly_attend;
        loop->forget_scopes = bly_forget_scopes;
        loop->held_by = bly_shield_held;
        loop->count_held = bly_shield_count;
        loop->reports_overflow = !options.no_overflow_report;
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

static bool main_is_over(struct belay_loop *loop) {
        return loop->stop;
}

static void stop(struct bly_call *call) {
        container_of(call, struct belay_loop, main_ended)->stop = true;
}

/* asyncio lets one more turn begin after main's end; what is ready by then still runs before the loop stops. */
static void note_main_end(struct bly_observer *observer, belay_task *task) {
        (void) observer;
        bly_call_soon(task->loop, &task->loop->main_ended, stop);
}

int bly_main_begin(struct belay_loop *loop, belay_fn *fn, void *arg, const char *place) {
        loop->stop = false;
        loop->interrupts = 0;
        loop->signal = 0;
        if (loop->main != NULL)
                bly_record_unref(loop->main);
        belay_failure_release(loop->main_failure);
        loop->main_failure = NULL;
        loop->main = bly_spawn(loop, fn, arg, &(belay_spawn_options) { .size = sizeof(belay_spawn_options), .name = "main" },
                               NULL, place);
        return loop->main != NULL ? 0 : -errno;
}

int bly_main_verdict(struct belay_loop *loop) {
        belay_task *task = loop->main;

        if (bly_is_cancelled(task))
                loop->main_failure = bly_take_cancellation(task);
        else if (bly_is_done(task) && task->failure != NULL)
                loop->main_failure = belay_failure_ref(task->failure);
        return bly_is_cancelled(task) && loop->interrupts > 0 && bly_uncancel(task) == 0 ? -EINTR : 0;
}

/* A code alone has been seen whole, a detail not before somebody asks for it: then the end of the record reports it. */
void bly_main_outcome(const struct belay_loop *loop, int *outcome) {
        if (outcome == NULL)
                return;
        *outcome = loop->main->outcome;
        if (!bly_is_done(loop->main) || loop->main->failure == NULL)
                loop->main->node.flags |= BLY_TASK_LOOKED_AT;
}

static int run_main(struct belay_loop *loop, belay_fn *fn, void *arg, int *outcome, const char *place) {
        struct bly_observer observer = { .ended = note_main_end };
        int rc = bly_main_begin(loop, fn, arg, place);

        if (rc < 0)
                return rc;
        bly_observe(loop->main, &observer);
        bly_signals_take(loop);
        if (!loop->by_turns && bly_tools == 0)
                loop->idle_in_task = bly_idle_in_task;
        bly_spin(loop, main_is_over);
        loop->idle_in_task = NULL;
        /* A test may stop the loop before main's end. */
        bly_unobserve(&observer);
        bly_signals_give_back(loop);
        bly_main_outcome(loop, outcome);
        return bly_main_verdict(loop);
}

int belay_loop_run_placed(const char *place, belay_loop *loop, belay_fn *fn, void *arg, int *outcome) {
        struct bly_visit visit;
        int rc = bly_visit_begin(loop, &visit);

        if (rc < 0)
                return rc;
        if (loop->seed != 0)
                bly_log(BELAY_LOG_NOTICE, "the order of ready tasks follows seed %llu", (unsigned long long) loop->seed);
        rc = run_main(loop, fn, arg, outcome, place);
        bly_visit_end(loop, &visit);
        return rc;
}

/* ---- shutting down ---- */

/*
 * Over is a wave when all whom it cancelled have ended, and what is ready at that instant has run, so that what their
 * clean-up started has had its first steps. What goes on and on at one instant is not waited for.
 */
static bool wave_is_over(struct belay_loop *loop) {
        if (loop->limit_met)
                return true;
        if (loop->wave > 0)
                return false;
        if (loop->ready.head == NULL && (!loop->is_virtual || bly_timers_first(loop) > loop->now))
                return true;
        return loop->patience-- == 0;
}

static void meet_limit(struct bly_timer *timer) {
        container_of(timer, struct belay_loop, limit_timer)->limit_met = true;
}

/* Cancels everybody once. What clean-up starts meanwhile is the next wave. */
static void cancel_all(struct belay_loop *loop) {
        for (belay_task *task = bly_record_next(loop, NULL); task != NULL; task = bly_record_next(loop, task)) {
                if (bly_is_future(task) || bly_is_done(task))
                        continue;
                task->node.flags |= BLY_TASK_WAVE;
                loop->wave++;
        }
        for (belay_task *task = bly_record_next(loop, NULL); task != NULL; task = bly_record_next(loop, task))
                if (!bly_is_done(task) && (task->node.flags & BLY_TASK_WAVE) && !bly_is_future(task))
                        bly_request_cancel(task, &(struct bly_request) { .kind = BELAY_ORIGIN_SHUTDOWN });
}

static void abandon_the_rest(struct belay_loop *loop) {
        char line[512];

        bly_log(BELAY_LOG_ERROR, "the shut-down met its limit; %zu task%s still there:", loop->count,
                loop->count == 1 ? " is" : "s are");
        for (belay_task *task = bly_record_next(loop, NULL); task != NULL; task = bly_record_next(loop, task))
                if (!bly_is_future(task) && !bly_is_done(task)) {
                        bly_log(BELAY_LOG_ERROR, "  %s", bly_describe(task, line, sizeof(line)));
                        task->node.flags |= BLY_TASK_ABANDONED;
                }
}

static int shut_down(struct belay_loop *loop) {
        if (loop->count > 0 && loop->shutdown_limit != BELAY_NEVER) {
                loop->limit_timer.fire = meet_limit;
                if (bly_timer_set(loop, &loop->limit_timer, bly_add_time(bly_now(loop), loop->shutdown_limit)) < 0)
                        bly_log(BELAY_LOG_WARNING, "no memory for the shut-down's limit: there is none");
        }
        do {
                loop->patience = 10000;
                cancel_all(loop);
                bly_spin(loop, wave_is_over);
        } while (loop->count > 0 && !loop->limit_met);
        bly_timer_off(loop, &loop->limit_timer);
        if (loop->count == 0)
                return 0;
        abandon_the_rest(loop);
        return -ETIMEDOUT;
}

/* ---- handles that are left ---- */

enum { HANDLES_NAMED = 100 };

static void describe_failure(const belay_task *task, char *text, size_t size) {
        int length = snprintf(text, size, "failed: ");

        if (task->failure != NULL)
                belay_failure_format(task->failure, text + length, size - (size_t) length);
        else
                snprintf(text + length, size - (size_t) length, "%s", strerror(-task->outcome));
}

static void name_handle(const belay_task *task) {
        const char *kind = bly_is_future(task) ? "future" : "task";
        char label[32], end[512];

        if (!bly_is_done(task))
                snprintf(end, sizeof(end), "is pending");
        else if (bly_is_cancelled(task))
                snprintf(end, sizeof(end), "was cancelled");
        else if (task->outcome >= 0)
                snprintf(end, sizeof(end), "ended with %d", task->outcome);
        else
                describe_failure(task, end, sizeof(end));
        bly_log(BELAY_LOG_WARNING, "%s %s (started at %s; it %s) has %d handle%s left when its loop is closed", kind,
                bly_task_label(task, label), task->started_at != NULL ? task->started_at : "an unknown place", end, task->refs,
                task->refs == 1 ? "" : "s");
}

/* They may be released later. Until then they keep no more memory than they must. */
static void leave_handles(struct belay_loop *loop) {
        size_t named = 0;

        if (loop->names_handles) {
                for (belay_task *task = bly_record_next(loop, NULL); task != NULL && named < HANDLES_NAMED; named++) {
                        name_handle(task);
                        task = bly_record_next(loop, task);
                }
                if (loop->records > named)
                        bly_log(BELAY_LOG_WARNING, "%zu more tasks and futures have handles left", loop->records - named);
        }
        bly_records_close(loop);
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
        /* Who was asked once to end is ended by the second signal; otherwise the first is for what is being done already. */
        if (loop->signal == 0)
                bly_signals_take(loop);
        rc = shut_down(loop);
        bly_signals_give_back(loop);
        bly_visit_end(loop, &visit);
        bly_debug_remove(loop);
        if (loop->main != NULL)
                bly_record_unref(loop->main);
        loop->main = NULL;
        belay_failure_release(loop->main_failure);
        loop->main_failure = NULL;
        bly_pools_close(loop);
        bly_io_close(loop);
        bly_inbox_close(loop->inbox);
        bly_inbox_unref(loop->inbox);
        loop->inbox = NULL;
        /* What abandoned tasks point to stays: their stacks, and the records with the loop they belong to. */
        if (rc == 0) {
                bly_stack_pool_destroy(loop->stacks);
                loop->stacks = NULL;
        }
        bly_timers_free(loop);
        bly_callbacks_free(loop);
        if (loop->records > 0 && rc == 0)
                leave_handles(loop);
        loop->closed = true;
        bly_loop_unref(loop);
        return rc;
}

/* ---- all in one ---- */

int belay_run_with_placed(const char *place, belay_fn *fn, void *arg, const belay_loop_options *options) {
        belay_loop *loop;
        int rc, closed, outcome = 0;
        bool has_detail;

        if (bly_loop != NULL)
                return -EBUSY;
        loop = belay_loop_new(options);
        if (loop == NULL)
                return -errno;
        rc = belay_loop_run_placed(place, loop, fn, arg, &outcome);
        has_detail = rc == 0 && loop->main_failure != NULL;
        closed = belay_loop_close(loop);
        if (closed == 0)
                return rc < 0 ? rc : outcome;
        /* The caller gets another code. */
        if (rc == 0 && outcome < 0 && outcome != -ECANCELED && !has_detail)
                bly_log(BELAY_LOG_ERROR, "main (started at %s) failed: %s", place != NULL ? place : "an unknown place",
                        strerror(-outcome));
        return closed;
}

int belay_run_placed(const char *place, belay_fn *fn, void *arg) {
        return belay_run_with_placed(place, fn, arg, NULL);
}

/* ---- looking ---- */

belay_loop *belay_loop_self(void) {
        return bly_loop;
}

belay_task *belay_loop_main(const belay_loop *loop) {
        return loop->main;
}

const belay_failure *belay_loop_failure(const belay_loop *loop) {
        /* It is in the caller's hands, and so reported no more. */
        if (loop->main_failure != NULL)
                loop->main->node.flags |= BLY_TASK_LOOKED_AT;
        return loop->main_failure;
}

int belay_loop_signal(const belay_loop *loop) {
        return loop->signal;
}

size_t belay_loop_count(const belay_loop *loop) {
        return loop->count;
}

static size_t trim_loop(struct belay_loop *loop) {
        size_t bytes = bly_stack_trim(loop->stacks, 0, SIZE_MAX);

        for (belay_task *task = bly_record_next(loop, NULL); task != NULL; task = bly_record_next(loop, task))
                if (task != loop->current && (task->node.state == BLY_WAITING || task->node.state == BLY_READY))
                        bytes += bly_stack_give_back(&task->stack, task->context.sp);
        return bytes + bly_records_trim(loop, false) + bly_timers_trim(loop);
}

size_t belay_trim(void) {
        size_t bytes = bly_loop != NULL ? trim_loop(bly_loop) : 0;

        bly_trim_memory();
        return bytes;
}
