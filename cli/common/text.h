/* SPDX-License-Identifier: MIT */
/*
 * A text buffer that grows.
 */
#ifndef BELAY_CLI_COMMON_TEXT_H
#define BELAY_CLI_COMMON_TEXT_H

#include <stdarg.h>
#include <stddef.h>

struct text {
        char *data; /* terminated text, or NULL if nothing was added yet */
        size_t length;
        size_t room;
};

void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_add_list(struct text *text, const char *format, va_list list)
        __attribute__((format(printf, 2, 0)));
void text_add_bytes(struct text *text, const char *bytes, size_t length);
void text_free(struct text *text);

/*
 * Reads a whole file, or standard input if the path is "-". Returns 0, or a negative errno value.
 */
int text_read_file(struct text *text, const char *path);

_Noreturn void out_of_memory(void);

#endif
