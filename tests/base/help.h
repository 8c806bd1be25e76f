/* SPDX-License-Identifier: MIT */
/*
 * Shared by the tests of tasks, cancellation and loops: log lines that are kept, child processes
 * that may die, call sites.
 */
#ifndef BELAY_TESTS_HELP_H
#define BELAY_TESTS_HELP_H

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include <belay.h>

#include "check.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHECKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CHECKED 1
#endif
#endif
#ifndef CHECKED
#define CHECKED 0
#endif

/*
 * Returns whether a checker runs the test, which makes a difference to measured time and memory.
 * The runner puts the command of the checker into RUN.
 */
static inline bool is_checked(void) {
        return CHECKED || (getenv("RUN") != NULL && getenv("RUN")[0] != '\0');
}

/* ---- running ---- */

#define VIRTUAL BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL)

/* A test that is a main task. Its checks end the program, so it only has to return 0. */
#define RUN_VIRTUAL(fn) CHECK_EQ(belay_run_with(fn, NULL, VIRTUAL), 0)

/* Returns a handle that the test needs, and checks that it is not NULL. */
static inline belay_task *must(belay_task *task) {
        CHECK(task != NULL);
        return task;
}

/* clang-format off */
/* Starts a member with options (may be NULL), and returns its handle. */
#define START_MEMBER(group, fn, arg, ...)                                                       \
        __extension__({                                                                         \
                belay_task *started = NULL;                                                     \
                                                                                                \
                CHECK_EQ(belay_group_spawn_with(group, fn, arg, __VA_ARGS__, &started), 0);     \
                must(started);                                                                  \
        })
/* clang-format on */

/* ---- log lines ---- */

enum { KEPT_MOST = 512 };

struct kept_line {
        belay_log_level level;
        char text[1024];
};

static struct kept_line *kept_lines;
static unsigned kept_count;

static inline void keep_line(void *context, belay_log_level level, const char *line) {
        (void) context;
        CHECK(strchr(line, '\n') == NULL);
        if (kept_count < KEPT_MOST) {
                kept_lines[kept_count].level = level;
                snprintf(kept_lines[kept_count].text, sizeof(kept_lines[0].text), "%s", line);
                kept_count++;
        }
}

/* From this call on, log lines are kept. Lines kept before are dropped. */
static inline void keep_lines(void) {
        static struct kept_line lines[KEPT_MOST];

        kept_lines = lines;
        kept_count = 0;
        belay_set_log(keep_line, NULL);
}

/* Returns how many of the kept lines contain `part`. */
static inline unsigned lines_with(const char *part) {
        unsigned count = 0;

        for (unsigned i = 0; i < kept_count; i++)
                if (strstr(kept_lines[i].text, part) != NULL)
                        count++;
        return count;
}

static inline void show_lines(void) {
        for (unsigned i = 0; i < kept_count; i++)
                fprintf(stderr, "    kept: %s\n", kept_lines[i].text);
}

#define CHECK_LINES(count, part)                                                                 \
        do {                                                                                     \
                if (lines_with(part) != (unsigned) (count)) {                                    \
                        fprintf(stderr, "%s:%d: failed: %u lines with \"%s\", not %u; of %u:\n", \
                                __FILE__, __LINE__, lines_with(part), part, (unsigned) (count),  \
                                kept_count);                                                     \
                        show_lines();                                                            \
                        CHECK_END(1);                                                            \
                }                                                                                \
        } while (0)

/* ---- memory in use ---- */

/* Returns the size of the process's memory that is in RAM, in bytes. */
static inline long resident_memory(void) {
        long pages = 0;
        FILE *file = fopen("/proc/self/statm", "r");

        CHECK(file != NULL);
        CHECK_EQ(fscanf(file, "%*d %ld", &pages), 1);
        fclose(file);
        return pages * sysconf(_SC_PAGESIZE);
}

/* ---- memory that runs out ---- */

static size_t refused_from; /* smallest refused block size; 0 if none is refused */

/* For belay_set_memory(). */
static inline void *scarce_memory(void *context, void *block, size_t size) {
        (void) context;
        if (size == 0) {
                free(block);
                return NULL;
        }
        return refused_from > 0 && size >= refused_from ? NULL : realloc(block, size);
}

/* ---- call sites ---- */

/* Returns whether a call site is this file and line. */
static inline bool is_place(const char *place, const char *file, int line) {
        char expected[512];

        snprintf(expected, sizeof(expected), "%s:%d", file, line);
        return place != NULL && strcmp(place, expected) == 0;
}

/* ---- children ---- */

struct child {
        int status;       /* status as from waitpid() */
        char text[16384]; /* text that it wrote to stderr */
};

/*
 * Calls fn(arg) in a child process, whose exit code is its result. SIGINT and SIGTERM have the
 * actions that a shell sets.
 */
static inline void in_child(struct child *child, int (*fn)(void *arg), void *arg) {
        size_t length = 0;
        ssize_t got;
        int ends[2];
        pid_t pid;

        fflush(NULL);
        CHECK_EQ(pipe(ends), 0);
        pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
                struct rlimit none = { 0, 0 };

                setrlimit(RLIMIT_CORE, &none);
                signal(SIGINT, SIG_DFL);
                signal(SIGTERM, SIG_DFL);
                dup2(ends[1], 2);
                close(ends[0]);
                close(ends[1]);
                /* A child that hangs ends by the alarm, which no test expects. */
                alarm(600);
                CHECK_END(fn(arg));
        }
        close(ends[1]);
        while ((got = read(ends[0], child->text + length, sizeof(child->text) - 1 - length)) > 0)
                length += (size_t) got;
        child->text[length] = '\0';
        close(ends[0]);
        CHECK_EQ(waitpid(pid, &child->status, 0), pid);
}

#define CHECK_CHILD(child, expected)                                                             \
        do {                                                                                     \
                if (!WIFEXITED((child)->status) || WEXITSTATUS((child)->status) != (expected)) { \
                        fprintf(stderr,                                                          \
                                "%s:%d: failed: the child's status is %#x, it wrote:\n%s\n",     \
                                __FILE__, __LINE__, (unsigned) (child)->status, (child)->text);  \
                        CHECK_END(1);                                                            \
                }                                                                                \
        } while (0)

/* ---- real time ---- */

static inline belay_time real_time(void) {
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (belay_time) now.tv_sec * BELAY_SECOND + now.tv_nsec;
}

/* Computes for `span` without calling the library. */
static inline void compute(belay_time span) {
        belay_time end = real_time() + span;

        while (real_time() < end)
                ;
}

#endif
