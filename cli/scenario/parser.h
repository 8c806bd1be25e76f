/* SPDX-License-Identifier: MIT */
/*
 * The declarations that the files of the parser share: the current line, and error messages.
 */
#ifndef BELAY_CLI_SCENARIO_PARSER_H
#define BELAY_CLI_SCENARIO_PARSER_H

#include "scenario.h"

/* A name that was used and must be declared by the end of the file. */
struct reference {
        int line;
        const struct word *word;
        unsigned kinds; /* permitted kinds of objects, or 0 for a program */
        struct reference *next;
};

struct parser {
        struct scenario *scenario;
        const char *at, *end;
        int line; /* line number of the words below */
        int last_line;
        size_t count; /* number of words, 0 at the end of the scenario */
        struct word **words;
        size_t room;
        unsigned depth;
        struct reference *references, **references_end;
        struct object **objects_end;
        struct program **programs_end;
};

/*
 * lines.c: next_line() advances to the next line that has words. intern() looks up a word and adds
 * it if it is new.
 */
void next_line(struct parser *parser);
struct word *intern(struct parser *parser, const char *text, size_t length);
void free_lines(struct parser *parser);

/* Prints "file:line: ..." and returns false. */
bool complain(const struct parser *parser, int line, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/*
 * arguments.c: find_verb() returns the verb with which the current line begins. If there is none,
 * it prints a message and returns NULL. read_arguments() reads the words after the verb.
 */
const struct verb *find_verb(const struct parser *parser);
bool read_arguments(struct parser *parser, struct statement *statement);
bool read_number(const char *text, int64_t *number);
bool read_seconds(const char *text, int64_t *nanoseconds);
bool check_references(const struct parser *parser);
const char *object_kind_name(enum object_kind kind);

#endif
