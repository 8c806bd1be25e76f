/* SPDX-License-Identifier: MIT */
/*
 * Loops: run a program of tasks from its first task to its last.
 *
 * A loop runs tasks in the thread that runs it. Each thread may run one loop at a time. Loops share
 * nothing but the state of the process that is listed here.
 *
 * SIGINT and SIGTERM. Unless .no_signals is set, a loop installs handlers while it runs or shuts
 * down. It does so if no other loop of the process has them, and for those of the two signals that
 * have their default action. It restores the default action afterwards.
 *
 * SIGSEGV and SIGBUS. Unless .no_overflow_report is set, the first belay_loop_new() of the process
 * installs a handler for those of the two that have their default action. The handler stays for the
 * life of the process. If a task overflows its stack, the handler names the task on stderr. After
 * the message, and for every other fault, the default action follows. A program that handles these
 * signals itself keeps its handlers, and should install them before. While a loop of this kind
 * runs, a thread that has no alternate signal stack has one.
 *
 * SIGPIPE. A thread blocks it while it writes to a descriptor that is not a socket, and restores
 * the signal mask after the write.
 *
 * Helper threads. A loop starts threads for files and for the lookup of names. They block all
 * signals. Idle threads end when the loop is closed. A thread that the system holds in a call ends
 * after that call.
 *
 * The environment. belay_loop_new() reads BELAY_SEED (<belay/testing.h>), BELAY_BACKEND
 * (<belay/io.h>) and BELAY_DEBUG (belay_loop_close()).
 *
 * belay_set_memory() and belay_set_log() hold for the process. The library installs no other
 * signal handler, no SIGCHLD handler and no fork handler. After fork() the child must not use the
 * loop.
 *
 * Threads: unless a comment says otherwise, the thread of the loop.
 * Cancellation: no function of this header is a cancellation point.
 */
#ifndef BELAY_LOOP_H
#define BELAY_LOOP_H

#include <belay/task.h>

BELAY_BEGIN

/* The clock of a loop. */
typedef enum belay_clock {
        BELAY_CLOCK_MONOTONIC = 0, /* CLOCK_MONOTONIC, the real clock */
        /* Starts at 0, and jumps to the next timer when nothing is ready: see <belay/testing.h>. */
        BELAY_CLOCK_VIRTUAL = 1,
} belay_clock;

/* The back end through which a loop waits for descriptors. */
typedef enum belay_backend {
        BELAY_BACKEND_DEFAULT = 0, /* that of the variable BELAY_BACKEND, or epoll */
        BELAY_BACKEND_EPOLL = 1,   /* epoll */
        /* io_uring. If the system does not allow it, epoll, and a log line: see <belay/io.h>. */
        BELAY_BACKEND_IO_URING = 2,
} belay_backend;

/* Options of a loop. A member that is zero has its default, see <belay/options.h>. */
typedef struct belay_loop_options {
        size_t size;       /* sizeof(belay_loop_options) */
        belay_clock clock; /* clock of the loop */
        /*
         * Stack size of tasks, in bytes; 0: 64 KiB. Signal handlers run on the stack of the running
         * task, unless they are installed with SA_ONSTACK.
         */
        size_t stack_size;
        /* Span that the shutdown waits for cancelled tasks; 0 or BELAY_NEVER: no limit. */
        belay_time shutdown_limit;
        bool no_signals;         /* leaves SIGINT and SIGTERM alone */
        bool no_overflow_report; /* leaves SIGSEGV and SIGBUS alone */
        /* Seed of the order of ready tasks, see <belay/testing.h>; 0: first in, first out. */
        uint64_t seed;
        bool keep_waiting;     /* no deadlock report: waits on, as for a debugger */
        belay_backend backend; /* back end for descriptors */
        /* Greatest number of threads for files, less those held in one call; 0: 4. */
        unsigned threads;
        bool name_handles; /* logs handles that are left: see belay_loop_close() */
} belay_loop_options;

/*
 * Run a function as the main task of a loop of its own, and shut the loop down.
 *
 * The function creates a loop, runs fn(arg) as the task "main", and returns when that task and all
 * others have ended. When main is done, the shutdown cancels all tasks that are left, with the
 * origin BELAY_ORIGIN_SHUTDOWN, and waits until they have ended. It does the same with tasks that
 * cleanup spawns meanwhile.
 *
 * The first SIGINT or SIGTERM cancels main. If main has ended, the library only records the signal,
 * and the shutdown goes on. The second one has its default action.
 *
 * If main fails with a detail, the library logs it once, since the caller gets the code alone. An
 * example is belay_fail(-EPROTO, "config: line 3 is bad"). A failure that is a code alone is the
 * caller's to report. The library logs it only if the function returns another code, -ETIMEDOUT.
 * Cancellations are not logged.
 *
 * Returns: the outcome of main, a result or a negative code. belay_loop_run() separates an outcome
 * from an error of the function.
 * Errors:
 *   -EINTR      a signal or belay_interrupt() ended main.
 *   -ETIMEDOUT  the shutdown reached its limit. A log line for each abandoned task says in which
 *               wait it is, and which request it got when. Their stacks are never resumed or freed.
 *   -EBUSY      a loop runs in the calling thread.
 *   -ENOMEM     no memory is available, or no room for a stack.
 *   -EMFILE     the process has no descriptor left.
 *   -ENFILE     the system has no descriptor left.
 * Threads: any. Each thread may run one loop at a time.
 */
BELAY_API int belay_run(belay_fn *fn, void *arg) BELAY_MUST_USE;

/*
 * Run a function as the main task of a loop with options.
 *
 * The function works as belay_run() does. `options` may be NULL.
 *
 * Returns: the outcome of main, a result or a negative code.
 * Errors:
 *   -EINTR      a signal or belay_interrupt() ended main.
 *   -ETIMEDOUT  the shutdown reached its limit, see belay_run().
 *   -EBUSY      a loop runs in the calling thread.
 *   -EINVAL     the options have an unknown clock or back end, a negative limit, or a stack size
 *               that is larger than a stack can be.
 *   -ENOMEM     no memory is available, or no room for a stack.
 *   -EMFILE     the process has no descriptor left.
 *   -ENFILE     the system has no descriptor left.
 * Threads: any. Each thread may run one loop at a time.
 */
BELAY_API int belay_run_with(belay_fn *fn, void *arg,
                             const belay_loop_options *options) BELAY_MUST_USE;

/*
 * Run a function as the main task of a program, and return the exit status.
 *
 * The function works as belay_run() does, and its value is what main() should return. It also logs
 * a failure of main that is a code alone, and a main that was cancelled without a signal.
 *
 * A shell stops a script only if the command died by the signal itself. For that, a program raises
 * the signal again when the function returns 130 or 143.
 *
 * Returns: 0 if main ended with a result; 1 if it failed, was cancelled, or could not run, or if
 *          the shutdown reached its limit; 128 + n if signal n ended main: 130 after SIGINT or
 *          belay_interrupt(), 143 after SIGTERM.
 * Threads: any. Each thread may run one loop at a time.
 */
BELAY_API int belay_main(belay_fn *fn, void *arg) BELAY_MUST_USE;

/*
 * Create a loop for the calling thread.
 *
 * belay_loop_new(), belay_loop_run() and belay_loop_close() do in three steps what belay_run() does
 * in one. A program may run several main tasks on one loop, one after another, and read its state
 * in between. While the loop does not run, SIGINT and SIGTERM have their default action.
 *
 * `options` may be NULL.
 *
 * Returns: the loop. On failure NULL, with errno set to the error without its sign.
 * Errors:
 *   -EINVAL     the options have an unknown clock or back end, or a negative limit.
 *   -ENOMEM     no memory is available.
 *   -EMFILE     the process has no descriptor left.
 *   -ENFILE     the system has no descriptor left.
 * Threads: any. The loop belongs to the calling thread.
 * Ownership: the caller closes the loop with belay_loop_close().
 */
BELAY_API belay_loop *belay_loop_new(const belay_loop_options *options) BELAY_MUST_USE;

/*
 * Run a function as the main task of a loop, until that task has ended.
 *
 * Tasks that are ready when main ends run once more. Other tasks stay suspended until the next run
 * or belay_loop_close(). The detail of main's failure is in belay_loop_failure().
 *
 * Returns: 0; *outcome is the outcome of main. If `outcome` is NULL, the library logs a failure.
 * Errors:
 *   -EINTR      belay_interrupt() or a signal cancelled main, main ended cancelled, and it had no
 *               other request; *outcome is -ECANCELED.
 *   -EBUSY      a loop runs in the calling thread, or a host loop drives this one.
 *   -EINVAL     the loop's stack size is larger than a stack can be.
 *   -ENOMEM     no memory is available, or no room for a stack.
 * Threads: the one that created the loop.
 */
BELAY_API int belay_loop_run(belay_loop *loop, belay_fn *fn, void *arg,
                             int *outcome) BELAY_MUST_USE;

/*
 * Shut a loop down, and free it.
 *
 * The function cancels all tasks that are left, waits until they have ended, and frees the loop.
 * NULL does nothing. Afterwards the program may release and query handles, free queues, and set
 * futures, since no task waits any more. A task that was abandoned is never done, and cannot be
 * cancelled.
 *
 * A handle that the program forgot keeps the task's record and a part of the loop. With
 * .name_handles, or with the word "handles" in the environment variable BELAY_DEBUG, the function
 * looks for them. Commas or blanks separate the words of that variable. The function writes a log
 * line for each task and future that has handles left, up to 100. The line says where the task was
 * spawned, how it ended, and how many handles there are.
 *
 * In that mode, and under AddressSanitizer and valgrind, each record has memory of its own. A leak
 * checker then names the call site that spawned the task, and finds a handle that is used too late.
 *
 * Returns: 0.
 * Errors:
 *   -ETIMEDOUT  the shutdown reached its limit, see belay_run(). The loop is freed.
 *   -EBUSY      this or another loop runs in the calling thread, and nothing was done.
 * Threads: the one that created the loop.
 */
BELAY_API int belay_loop_close(belay_loop *loop);

/*
 * Return the loop that runs in the calling thread.
 *
 * Returns: the loop; NULL if none runs.
 * Threads: any.
 */
BELAY_API belay_loop *belay_loop_self(void);

/*
 * Return the main task of a loop's present or latest run.
 *
 * Returns: the task; NULL before the first run.
 * Ownership: the handle is borrowed, and valid until the next run or belay_loop_close().
 */
BELAY_API belay_task *belay_loop_main(const belay_loop *loop);

/*
 * Return the failure of the main task of the latest run.
 *
 * If the function returns a failure, the library does not log it. Otherwise the next run or
 * belay_loop_close() does, see belay_run().
 *
 * Returns: the failure, or the reason of the cancellation; NULL if there is no detail.
 * Ownership: the failure is borrowed, and valid until the next run or belay_loop_close().
 */
BELAY_API const belay_failure *belay_loop_failure(const belay_loop *loop);

/*
 * Return the signal that interrupted the main task.
 *
 * Returns: the number of the signal, also of one that came too late to cancel main. If no signal
 * came since the latest run began, 0.
 */
BELAY_API int belay_loop_signal(const belay_loop *loop);

/*
 * Return the current instant on the clock of a loop.
 *
 * Returns: the instant, in nanoseconds.
 */
BELAY_API belay_time belay_loop_now(const belay_loop *loop);

/*
 * Return the number of tasks of a loop that have not ended.
 *
 * Returns: the number, without futures.
 */
BELAY_API size_t belay_loop_count(const belay_loop *loop);

/* ---- memory ---- */

/* A function that works as realloc() does: with size 0 it frees the block and returns NULL. */
typedef void *belay_memory_fn(void *context, void *block, size_t size);

/*
 * Set the function that provides the library's memory.
 *
 * The setting holds for the process, and must come before any other call of the library. The
 * function gets `context`, and is called in the threads of all loops. NULL restores realloc(), and
 * then the library maps large arrays of task records itself.
 *
 * Some memory does not come from the function. Stacks are mapped, and so is the memory that
 * io_uring shares with the kernel. The library's own threads and their jobs use the memory of the C
 * library. The C library also takes memory for itself, as for printing a log line.
 *
 * Threads: any, before loops run.
 */
BELAY_API void belay_set_memory(belay_memory_fn *fn, void *context);

/*
 * Give unused memory back to the system, as after a burst of tasks.
 *
 * For the loop that runs in the calling thread, the function frees these:
 *     - free stacks, and the parts of suspended stacks that are not in use;
 *     - the records of tasks that have ended, in arrays of up to 4096, if no task of an array is
 *       left;
 *     - room for timers.
 *
 * If the program has set no memory function, the C library then gives back the freed memory that it
 * keeps for the whole process. Only glibc does so, by malloc_trim(). The room of callbacks
 * (belay_soon(), belay_later()), the tables of stacks and descriptors, and the room of queues stay.
 * The loop frees all but the queues' when it is closed, without this call.
 *
 * The call takes time for each stack and each record. The tasks that run next touch their memory
 * anew.
 *
 * Returns: the number of bytes that the loop gave back, without those of the C library; 0 if no
 * loop runs in the calling thread.
 * Threads: any; the function trims the loop of the calling thread.
 */
BELAY_API size_t belay_trim(void);

/* ---- log lines ---- */

/* The importance of a log line, with the numbers of syslog(). */
typedef enum belay_log_level {
        BELAY_LOG_ERROR = 3,   /* misuse, failures that were not retrieved, deadlocks */
        BELAY_LOG_WARNING = 4, /* a lack of memory, handles that are left, and others */
        BELAY_LOG_NOTICE = 5,  /* information, such as the seed of a run */
} belay_log_level;

/* A function that receives a log line. The line is valid during the call. */
typedef void belay_log_fn(void *context, belay_log_level level, const char *line);

/*
 * Set the function that receives the library's log lines.
 *
 * The setting holds for the process. NULL restores the default: the library writes each line to
 * stderr, with "belay: " before it. A line has at most 1023 bytes and no newline. It has '?' in
 * place of each control character, since its text may come from a peer.
 *
 * While a loop runs, the library limits lines that connections, failures or misuse can cause again
 * and again. Lines of one kind and one call site count together. The loop writes the first 8, and
 * then one in 10 s. A line says how many lines like it were omitted before it. If no line follows,
 * the loop says so within 20 s, or when its run ends.
 *
 * Threads: the library calls the function in the thread that has something to report. The program
 * sets it before loops run in other threads.
 */
BELAY_API void belay_set_log(belay_log_fn *fn, void *context);

BELAY_END
#endif
