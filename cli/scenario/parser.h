/* SPDX-License-Identifier: MIT */
/*
 * What the files of the parser share: the line it is at, and how it complains.
 */
#pragma once

#include "scenario.h"

/* A name that was used and must be declared by the end of the file. */
struct reference {
        int line;
        const struct word *word;
        unsigned kinds;               /* of objects; 0: a program */
        struct reference *next;
};

struct parser {
        struct scenario *scenario;
        const char *at, *end;
        int line;                     /* of the words below */
        int last_line;
        size_t count;                 /* 0: the end of the scenario */
        struct word **words;
        size_t room;
        unsigned depth;
        struct reference *references, **references_end;
        struct object **objects_end;
        struct program **programs_end;
};

/* lines.c: goes on to the next line that has words; looks a word up, or enters it. */
void next_line(struct parser *parser);
struct word *intern(struct parser *parser, const char *text, size_t length);
void free_lines(struct parser *parser);

/* Prints "file:line: ...", and returns false. */
bool complain(const struct parser *parser, int line, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/*
 * arguments.c: which verb the current line begins with (NULL: none, it complained), and what stands behind
 * it.
 */
const struct verb *find_verb(const struct parser *parser);
bool read_arguments(struct parser *parser, struct statement *statement);
bool read_number(const char *text, int64_t *number);
bool read_seconds(const char *text, int64_t *nanoseconds);
bool check_references(const struct parser *parser);
const char *object_kind_name(enum object_kind kind);
