/* SPDX-License-Identifier: MIT */
/*
 * Captures a dump as text and searches its lines. The tests use the virtual clock, so that all
 * times in the dump are known.
 */
#ifndef BELAY_TESTS_INSPECT_CAPTURE_H
#define BELAY_TESTS_INSPECT_CAPTURE_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>

#include <belay.h>

#include "check.h"

static char captured[1 << 20];

/* NULL: the loop of the calling thread. */
static inline void capture(belay_loop *loop) {
        int fd = memfd_create("dump", MFD_CLOEXEC);
        ssize_t size;

        CHECK(fd >= 0);
        CHECK_EQ(loop != NULL ? belay_loop_dump(loop, fd) : belay_dump(fd), 0);
        size = pread(fd, captured, sizeof(captured) - 1, 0);
        CHECK(size > 0);
        captured[size] = '\0';
        close(fd);
}

/* Returns the line that begins with this text, or NULL. */
static inline const char *line_with(const char *beginning) {
        const char *line = captured;

        while (strncmp(line, beginning, strlen(beginning)) != 0) {
                line = strchr(line, '\n');
                if (line == NULL)
                        return NULL;
                line++;
        }
        return line;
}

static inline size_t lines(void) {
        size_t count = 0;

        for (const char *c = captured; *c != '\0'; c++)
                count += *c == '\n';
        return count;
}

/* Checks that a line begins with this text, which is formatted as by printf(). */
#define HAS(...)                                                                              \
        do {                                                                                  \
                char has_line[1000];                                                          \
                                                                                              \
                snprintf(has_line, sizeof(has_line), __VA_ARGS__);                            \
                if (line_with(has_line) == NULL) {                                            \
                        fprintf(stderr,                                                       \
                                "%s:%d: failed: no line begins with:\n%s\nbut there is:\n%s", \
                                __FILE__, __LINE__, has_line, captured);                      \
                        CHECK_END(1);                                                         \
                }                                                                             \
        } while (0)

/*
 * Checks that the line with this beginning contains the text. A text in a later line does not
 * count.
 */
#define SAYS(beginning, text)                                                              \
        do {                                                                               \
                const char *says_line = line_with(beginning), *says_at;                    \
                                                                                           \
                says_at = says_line != NULL ? strstr(says_line, text) : NULL;              \
                if (says_at == NULL || says_at > strchr(says_line, '\n')) {                \
                        fprintf(stderr,                                                    \
                                "%s:%d: failed: the line that begins with:\n%s\ndoes not " \
                                "say:\n%s\nin:\n%s",                                       \
                                __FILE__, __LINE__, beginning, text, captured);            \
                        CHECK_END(1);                                                      \
                }                                                                          \
        } while (0)

static inline int run_virtually(belay_fn *fn) {
        return belay_run_with(fn, NULL,
                              BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL));
}

#endif
