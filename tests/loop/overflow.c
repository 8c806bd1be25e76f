/* SPDX-License-Identifier: MIT */
/*
 * A task overflows its stack. A message names the task and the call site of its spawn, and the
 * signal ends the process.
 */
#include "../base/help.h"
#include "core/loop.h"

static __attribute__((noinline)) int dive(volatile char *above, int depth) {
        volatile char room[1024];

        room[0] = above[0];
        room[1023] = (char) depth;
        if (depth > 10000000)
                return room[0];
        return dive(room, depth + 1) + room[1023];
}

static int overflows(void *arg) {
        char start = 0;

        (void) arg;
        return dive(&start, 0);
}

static int starts_it(void *arg) {
        const belay_spawn_options *options = arg;
        belay_task *task;

        task = options != NULL ? must(belay_spawn_with(overflows, NULL, options))
                               : must(belay_spawn(overflows, NULL));
        return belay_await(task, NULL);
}

static int runs(void *arg) {
        return belay_run(starts_it, arg);
}

static int in_main(void *arg) {
        (void) arg;
        return belay_run(overflows, NULL);
}

static int without_report(void *arg) {
        (void) arg;
        return belay_run_with(overflows, NULL,
                              BELAY_OPTIONS(belay_loop_options, .no_overflow_report = true));
}

/* ---- other faults ---- */

static int writes_to(void *arg) {
        *(volatile char *) arg = 1;
        return 0;
}

/* An address that belongs to no stack. */
static int elsewhere(void *arg) {
        (void) arg;
        return belay_run(writes_to, (void *) 16);
}

static int waits(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_HOUR);
}

/* Returns the last byte of the guard below the stack of a new task. */
static char *guard_of_another(void) {
        belay_task *task = must(belay_spawn(waits, NULL));

        CHECK_EQ(belay_yield(), 0);
        return (char *) task->stack.low - 1;
}

static int touches_another(void *arg) {
        (void) arg;
        return writes_to(guard_of_another());
}

static void touches_it_outside(void *arg) {
        writes_to(arg);
}

static int touches_from_callback(void *arg) {
        (void) arg;
        CHECK(belay_soon(touches_it_outside, guard_of_another()) != 0);
        return belay_sleep(BELAY_HOUR);
}

static int another(void *arg) {
        (void) arg;
        return belay_run(touches_another, NULL);
}

static int another_from_callback(void *arg) {
        (void) arg;
        return belay_run(touches_from_callback, NULL);
}

static int with_large_stacks(void *arg) {
        return belay_run_with(starts_it, arg,
                              BELAY_OPTIONS(belay_loop_options, .stack_size = 256 * 1024));
}

static void own_handler(int signal) {
        static const char text[] = "the program's own\n";

        (void) signal;
        (void) !write(2, text, sizeof(text) - 1);
        _exit(5);
}

static int own_runs(void *arg) {
        stack_t stack = { .ss_sp = malloc(65536), .ss_size = 65536 };
        struct sigaction action = { .sa_handler = own_handler, .sa_flags = SA_ONSTACK };

        CHECK_EQ(sigaltstack(&stack, NULL), 0);
        CHECK_EQ(sigaction(SIGSEGV, &action, NULL), 0);
        return runs(arg);
}

int main(void) {
        belay_spawn_options named = { .size = sizeof(named),
                                      .name = "deep",
                                      .stack_size = 32 * 1024 };
        struct child child;

        if (is_checked())
                SKIP("the checker has the signal handlers");

        in_child(&child, runs, &named);
        CHECK(WIFSIGNALED(child.status));
        CHECK(WTERMSIG(child.status) == SIGSEGV || WTERMSIG(child.status) == SIGBUS);
        CHECK(strstr(child.text, "task deep (started at " __FILE__) != NULL);
        CHECK(strstr(child.text, "ran off its stack of 3") != NULL); /* 32 KiB, rounded up */

        in_child(&child, runs, NULL);
        CHECK(WIFSIGNALED(child.status));
        CHECK(strstr(child.text, "task #2 (started at " __FILE__) != NULL);
        CHECK(strstr(child.text, "ran off its stack of 64 KiB\n") != NULL);

        in_child(&child, in_main, NULL);
        CHECK(WIFSIGNALED(child.status));
        CHECK(strstr(child.text, "task main (started at " __FILE__) != NULL);

        in_child(&child, without_report, NULL);
        CHECK(WIFSIGNALED(child.status));
        CHECK_STR(child.text, "");

        in_child(&child, with_large_stacks, NULL);
        CHECK(WIFSIGNALED(child.status));
        CHECK(strstr(child.text, "ran off its stack of 2") != NULL); /* 256 KiB, rounded up */

        /* A fault that is no overflow is not reported as one. */
        in_child(&child, elsewhere, NULL);
        CHECK(WIFSIGNALED(child.status));
        CHECK_STR(child.text, "");
        in_child(&child, another, NULL);
        CHECK(WIFSIGNALED(child.status));
        CHECK(strstr(child.text, "the guard of a stack that does not run was touched\n") != NULL);
        in_child(&child, another_from_callback, NULL);
        CHECK(WIFSIGNALED(child.status));
        CHECK(strstr(child.text, "the guard of a stack that does not run was touched\n") != NULL);

        /* A handler of the program stays in place. */
        in_child(&child, own_runs, NULL);
        CHECK_CHILD(&child, 5);
        CHECK_STR(child.text, "the program's own\n");
        return 0;
}
