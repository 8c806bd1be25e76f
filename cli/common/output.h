/* SPDX-License-Identifier: MIT */
/*
 * All that the command writes. Texts may quote input, whose bytes can be anything: what a terminal would obey, or could
 * not show, is written as \xNN.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "text.h"

/* What messages begin with: "belay", or the subcommand's, "belay play". */
extern const char *message_name;

/* Adds bytes with what a terminal would obey or could not show written as \xNN, but for characters of `keep`. */
void text_add_escaped(struct text *text, const char *bytes, size_t length, const char *keep);

/* A line to standard error: "belay play: ...". */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same about a line of a file: "x.scn:3: ...". */
void message_at(const char *path, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
void message_at_list(const char *path, int line, const char *format, va_list list)
        __attribute__((format(printf, 3, 0)));
/* A line that has its place already. */
void message_line(const char *line);

/* To standard output. Files and pipes get the bytes as they are, a terminal gets them escaped. */
void show(const char *bytes, size_t length);
/* To standard output, escaped always: what quotes input without being it. */
void show_escaped(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Makes sure that the three standard descriptors are taken, so that no other file gets their numbers. */
void open_output(void);
/* Closes standard output. False, and a message, if not all of what was written got there. */
bool close_output(void);
