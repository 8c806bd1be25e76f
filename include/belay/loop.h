/* SPDX-License-Identifier: MIT */
/*
 * Loops: running a program of tasks from its first to its last.
 *
 * A loop runs tasks in the thread that runs it; each thread may have one, and loops know nothing of
 * each other.
 *
 * What is global: the handlers of SIGINT and SIGTERM, unless .no_signals: while a loop runs or
 * shuts down, taken by the first such loop of the process where they have their default action, and
 * put back after it. A handler of SIGSEGV and SIGBUS that names the task which ran off its stack,
 * unless .no_overflow_report: installed by the first belay_loop_new() of the process where these
 * have their default action, and there for good; a program that handles them itself goes on doing
 * so, and should install its handlers before. After its message, and for every other fault, the
 * default action follows. While such a loop runs, a thread that has no alternate signal stack gets
 * one. belay_set_memory() and belay_set_log(). No other signal, no signal mask, no SIGCHLD, no fork
 * handler. After fork() the child must not use the loop.
 *
 * Threads: unless a function says otherwise, that of the loop. Cancellation: nothing in this header
 * is a cancellation point.
 */
#ifndef BELAY_LOOP_H
#define BELAY_LOOP_H

#include <belay/task.h>

BELAY_BEGIN

typedef enum belay_clock {
        BELAY_CLOCK_MONOTONIC = 0,
        BELAY_CLOCK_VIRTUAL = 1,          /* begins at 0 and jumps to the next deadline when nothing is ready: see <belay/testing.h> */
} belay_clock;

typedef enum belay_backend {
        BELAY_BACKEND_DEFAULT = 0,        /* what the environment variable BELAY_BACKEND says; epoll */
        BELAY_BACKEND_EPOLL = 1,
        BELAY_BACKEND_IO_URING = 2,       /* where the system lets it be used; else epoll, and a log line: see <belay/io.h> */
} belay_backend;

typedef struct belay_loop_options {
        size_t size;                      /* sizeof(belay_loop_options) */
        belay_clock clock;
        size_t stack_size;                /* of tasks, in bytes; 0: 64 KiB. Handlers of signals find room on it, or ask for SA_ONSTACK */
        belay_time shutdown_limit;        /* how long the shut-down waits for the tasks it cancelled; 0 or BELAY_NEVER: for ever */
        bool no_signals;                  /* leaves SIGINT and SIGTERM alone */
        bool no_overflow_report;          /* leaves SIGSEGV and SIGBUS alone */
        uint64_t seed;                    /* varies the order among ready tasks: see <belay/testing.h>; 0: first in, first out */
        bool keep_waiting;                /* when nothing can happen any more: wait all the same, as for a debugger; no deadlock report */
        belay_backend backend;            /* how it waits for descriptors */
        unsigned threads;                 /* for files, at most, without those that are long at one call; 0: 4 */
        bool name_handles;                /* names handles that are left when the loop is closed: see belay_loop_close() */
} belay_loop_options;

/*
 * Runs fn(arg) as the task `main` on a loop of its own, in this thread, until it and every task it
 * left has ended: what is left when main is done is cancelled (BELAY_ORIGIN_SHUTDOWN) and waited
 * for, tasks that clean-up starts meanwhile, too. The first Ctrl-C or SIGTERM cancels main, or if
 * main has ended only notes that the shut-down is wanted, which goes on; the second one has its
 * default action. (Between the steps below, while no loop runs, the first has it, too.) Returns
 * what main ended with: its result or its failure; -EINTR if a signal ended it; -ETIMEDOUT if tasks
 * outlived the shut-down's limit (they are reported, each with its wait and who cancelled it when;
 * their stacks are never resumed or freed); -ENOMEM; -EBUSY inside a running loop. To tell these
 * apart: belay_loop_run(). If main fails with a detail, such as belay_fail(-EPROTO, "config: line 3
 * is bad"), the library reports it once in a log line, since the caller gets the code alone. A
 * failure that is a code alone is the caller's to report; the library reports it only where the
 * caller gets another code, -ETIMEDOUT. Cancellations are not reported.
 * Threads: any, one loop at a time in each.
 * Cancellation: not a cancellation point: no task can wait in it.
 */
BELAY_API int belay_run(belay_fn *fn, void *arg) BELAY_MUST_USE;
BELAY_API int belay_run_with(belay_fn *fn, void *arg, const belay_loop_options *options) BELAY_MUST_USE;

/*
 * The same in three steps, for several mains one after the other on one loop, and to look between.
 *
 * belay_loop_new(): a loop, for the calling thread; NULL with errno (ENOMEM, EMFILE, EINVAL for bad
 *     options).
 * belay_loop_run(): runs fn(arg) as the main task until it has ended; other tasks stay, suspended.
 *     Returns 0 with main's end in *outcome (may be NULL: then a failure is reported), and its detail
 *     in belay_loop_failure(); -EINTR if it was interrupted and so ended cancelled; -EBUSY inside a running loop; -ENOMEM.
 * belay_loop_close(): shuts down: cancels what is left, waits for it, frees the loop, also when it
 *     returns -ETIMEDOUT (as above). -EBUSY inside a running loop, this one or another: nothing was
 *     done then. With NULL it does nothing. Handles may be released afterwards and asked, queues
 *     freed, futures set: nobody waits any more. Tasks that were given up are never done, and
 *     cannot be cancelled.
 *
 * A handle that the program forgot keeps the task's record, and the loop's own struct. To find it:
 * with .name_handles, or with the word "handles" in the environment variable BELAY_DEBUG (words are
 * parted by commas), belay_loop_close() writes a log line for each task and future that has handles
 * left, up to 100. The line says where it was started, how it ended and how many handles there are.
 * Then, and under AddressSanitizer and valgrind, each record has memory of its own, so that leak
 * checkers name the place where the task was started, and find a handle that is used too late.
 *
 * Threads: that which made the loop.
 * Cancellation: none is a cancellation point.
 */
BELAY_API belay_loop *belay_loop_new(const belay_loop_options *options) BELAY_MUST_USE;
BELAY_API int belay_loop_run(belay_loop *loop, belay_fn *fn, void *arg, int *outcome) BELAY_MUST_USE;
BELAY_API int belay_loop_close(belay_loop *loop);

/* The loop that runs in the calling thread, NULL if none does. Cancellation: not a cancellation point, as all below. */
BELAY_API belay_loop *belay_loop_self(void);
/* The main task of its present or latest run, borrowed. */
BELAY_API belay_task *belay_loop_main(const belay_loop *loop);
/*
 * The detail of main's failure in the latest run, NULL if it has none (borrowed, until the next
 * run). Once this function has returned it, the library does not report it. Otherwise the next run
 * or belay_loop_close() does, see belay_run(). Below it: the signal that interrupted main, or came
 * too late for that (0 if none); the loop's clock.
 */
BELAY_API const belay_failure *belay_loop_failure(const belay_loop *loop);
BELAY_API int belay_loop_signal(const belay_loop *loop);
BELAY_API belay_time belay_loop_now(const belay_loop *loop);
/* How many tasks have not ended. */
BELAY_API size_t belay_loop_count(const belay_loop *loop);

/* ---- memory ---- */

/*
 * Set the function that all memory of the library comes from, but for stacks, which are mapped. It
 * works like realloc(): size 0 frees the block and returns NULL. The setting holds for the whole
 * process, and comes before any other call. NULL is realloc() itself, and large arrays of task
 * records are mapped. Memory that the C library takes for itself, as for printing a log line, does
 * not come from there.
 */
typedef void *belay_memory_fn(void *context, void *block, size_t size);
BELAY_API void belay_set_memory(belay_memory_fn *fn, void *context);

/*
 * Give memory back to the system, as after a burst of tasks. Of the calling thread's loop this is
 * what free stacks and suspended stacks touched and do not use now, the records of tasks that have
 * ended, and room for timers. Records go in arrays of up to 4096, when no task of an array is left.
 * If the program has set no memory function, the C library then gives back what it keeps of freed
 * memory in the whole process (malloc_trim(), glibc only). Places for callbacks (belay_soon(),
 * belay_later()), the tables of stacks and descriptors, and the room of queues stay. All but the
 * queues' goes when the loop is closed, without this call.
 *
 * The call takes time for each stack and each record, and what runs next touches its memory anew.
 * Returns: the number of bytes, without those of the C library. 0 if no loop runs in this thread.
 * Threads: any; of a loop, its own.
 * Cancellation: not a cancellation point.
 */
BELAY_API size_t belay_trim(void);

/* ---- log lines ---- */

typedef enum belay_log_level {
        BELAY_LOG_ERROR = 3,              /* as syslog's */
        BELAY_LOG_WARNING = 4,
        BELAY_LOG_NOTICE = 5,
} belay_log_level;

/*
 * Sets the function that gets the library's reports, for the whole process. NULL: stderr, each line
 * with "belay: " before it. A line has no newline, and '?' in place of each control character,
 * since its text may come from a peer.
 *
 * While a loop runs, lines that connections, failures or misuse can bring about again and again are
 * limited. Lines of one kind and one place in the program count together: the loop writes the first
 * 8, then one in 10 s. A line says how many like it were left out before it. If none follows, the
 * loop says so within 20 s, or when it ends.
 * Threads: the function is called in the thread that has something to report; set it before loops
 * run in others.
 */
typedef void belay_log_fn(void *context, belay_log_level level, const char *line);
BELAY_API void belay_set_log(belay_log_fn *fn, void *context);

BELAY_END
#endif
