/* SPDX-License-Identifier: MIT */
/*
 * All output of the command. Texts may quote input, and input may contain any bytes. Characters
 * that a terminal would obey, or could not show, are written as \xNN.
 */
#ifndef BELAY_CLI_COMMON_OUTPUT_H
#define BELAY_CLI_COMMON_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/* Prefix of messages: "belay", or that of a subcommand, such as "belay play". */
extern const char *message_name;

/*
 * Adds bytes to `text`. Characters that a terminal would obey or could not show become \xNN, except
 * for the characters in `keep`.
 */
void text_add_escaped(struct text *text, const char *bytes, size_t length, const char *keep);

/* Writes a line to standard error: "belay play: ...". */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Writes a line about a line of a file: "x.scn:3: ...". */
void message_at(const char *path, int line, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
void message_at_list(const char *path, int line, const char *format, va_list list)
        __attribute__((format(printf, 3, 0)));
/* Writes a line that already begins with its file and line. */
void message_line(const char *line);

/*
 * Writes to standard output. Files and pipes receive the bytes unchanged; a terminal receives them
 * escaped.
 */
void show(const char *bytes, size_t length);
/* Writes to standard output, always escaped. For texts that quote input. */
void show_escaped(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * Opens those of the three standard descriptors that are closed, so that no other file gets their
 * numbers.
 */
void open_output(void);
/*
 * Closes standard output. If a part of the output could not be written, prints a message and
 * returns false.
 */
bool close_output(void);

#endif
