/* SPDX-License-Identifier: MIT */
/*
 * Log lines: what the library has to say to a person.
 */
#include <stdio.h>
#include <unistd.h>

#include "base/base.h"

static belay_log_fn *log_fn;
static void *log_context;

void belay_set_log(belay_log_fn *fn, void *context) {
        log_fn = fn;
        log_context = context;
}

static void log_line(belay_log_level level, const char *line) {
        int saved = errno;

        if (log_fn != NULL)
                log_fn(log_context, level, line);
        else
                fprintf(stderr, "belay: %s\n", line);
        errno = saved;
}

void bly_log(belay_log_level level, const char *format, ...) {
        char line[1024];
        va_list arguments;

        va_start(arguments, format);
        vsnprintf(line, sizeof(line), format, arguments);
        va_end(arguments);
        log_line(level, line);
}

int bly_misuse(int code, const char *place, const char *format, ...) {
        char line[1024];
        int length = snprintf(line, sizeof(line), "misuse at %s: ", place != NULL ? place : "an unknown place");
        va_list arguments;

        va_start(arguments, format);
        if (length >= 0 && (size_t) length < sizeof(line))
                vsnprintf(line + length, sizeof(line) - (size_t) length, format, arguments);
        va_end(arguments);
        log_line(BELAY_LOG_ERROR, line);
        return code;
}
