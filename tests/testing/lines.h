/* SPDX-License-Identifier: MIT */
/*
 * Keeps the library's log lines, so that a test can check them.
 */
#ifndef BELAY_TESTS_LINES_H
#define BELAY_TESTS_LINES_H

#include <belay.h>
#include <stdio.h>
#include <string.h>

static struct {
        char text[1 << 16];
        size_t length;
} lines;

static inline void keep_line(void *context, belay_log_level level, const char *line) {
        size_t room = sizeof(lines.text) - lines.length;
        int length = snprintf(lines.text + lines.length, room, "%s\n", line);

        (void) context;
        (void) level;
        lines.length += (size_t) length < room ? (size_t) length : room - 1;
}

/* Starts to keep lines, with none kept so far. */
static inline void keep_lines(void) {
        lines.length = 0;
        lines.text[0] = '\0';
        belay_set_log(keep_line, NULL);
}

/* Returns how often `part` occurs in the kept lines. */
static inline int lines_with(const char *part) {
        int count = 0;

        for (const char *at = lines.text; (at = strstr(at, part)) != NULL; at += strlen(part))
                count++;
        return count;
}

/* Returns 1 if a kept line contains both texts. */
static inline int line_with(const char *part, const char *other) {
        for (const char *line = lines.text; *line != '\0';) {
                const char *end = strchr(line, '\n'), *one = strstr(line, part),
                           *two = strstr(line, other);

                if (one != NULL && one < end && two != NULL && two < end)
                        return 1;
                line = end + 1;
        }
        return 0;
}

/* Prints the kept lines for a test that fails. */
static inline int show_lines(void) {
        fputs(lines.text, stderr);
        return 0;
}

#define CHECK_LINES(cond) CHECK((cond) || show_lines())

#endif
