/* SPDX-License-Identifier: MIT */
/*
 * Log lines, which are the library's messages to a person.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/log_limit.h"

enum { LINE_SIZE = 1024, PLACE_SIZE = 512, OMITTED_SIZE = 64 };

static belay_log_fn *log_fn;
static void *log_context;

void belay_set_log(belay_log_fn *fn, void *context) {
        log_fn = fn;
        log_context = context;
}

/*
 * A line may contain bytes from a peer. Their control characters must not reach a terminal, and
 * must not begin another line.
 */
static void make_one_line(char *line) {
        for (; *line != '\0'; line++)
                if ((unsigned char) *line < ' ' || *line == 0x7f)
                        *line = '?';
}

static void log_line(belay_log_level level, char *line) {
        int saved = errno;

        make_one_line(line);
        if (log_fn != NULL)
                log_fn(log_context, level, line);
        else
                fprintf(stderr, "belay: %s\n", line);
        errno = saved;
}

void bly_log(belay_log_level level, const char *format, ...) {
        char line[LINE_SIZE];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        log_line(level, line);
}

/* Writes the line, beginning with `start`, unless there were too many of its kind. */
static void log_limited(belay_log_level level, const char *place, const char *start,
                        const char *format, va_list arguments) {
        char line[LINE_SIZE];
        unsigned long long omitted = 0;
        struct bly_log_kind *kind = NULL;
        int saved = errno;
        size_t length, room = sizeof(line) - OMITTED_SIZE;

        if (bly_log_limits != NULL) {
                kind = bly_log_admit(bly_log_limits, level, format, place, &omitted);
                errno = saved;
                if (kind == NULL)
                        return;
        }
        snprintf(line, room, "%s", start);
        length = strlen(line);
        vsnprintf(line + length, room - length, format, arguments);
        if (kind != NULL)
                snprintf(kind->sample, sizeof(kind->sample), "%.*s", (int) sizeof(kind->sample) - 1,
                         line);
        length = strlen(line);
        if (omitted > 0)
                snprintf(line + length, sizeof(line) - length,
                         " (%llu line%s like it omitted before)", omitted, omitted == 1 ? "" : "s");
        log_line(level, line);
}

void bly_log_limited(belay_log_level level, const char *place, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        log_limited(level, place, "", format, arguments);
        va_end(arguments);
}

int bly_misuse(int code, const char *place, const char *format, ...) {
        char start[PLACE_SIZE];
        va_list arguments;

        snprintf(start, sizeof(start), "misuse at %s: ", bly_place_text(place));
        va_start(arguments, format);
        log_limited(BELAY_LOG_ERROR, place, start, format, arguments);
        va_end(arguments);
        return code;
}
