/* SPDX-License-Identifier: MIT */
/*
 * A scenario that was read and checked: its objects, programs and statements, and each of its words
 * once. tests/conformance/SCENARIOS.md describes the language.
 */
#ifndef BELAY_CLI_SCENARIO_SCENARIO_H
#define BELAY_CLI_SCENARIO_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/arena.h"

struct frame;
struct statement;

/*
 * All occurrences of a word share one struct. The player finds its own data about a name by the
 * word's index.
 */
struct word {
        const char *text;
        size_t index;
        bool is_self;
        struct object *object;
        struct program *program;
        struct word *next;
};

/* One bit for each kind, so that a statement can name the set of kinds that it accepts. */
enum object_kind {
        OBJECT_LOCK = 1 << 0,
        OBJECT_SEMAPHORE = 1 << 1,
        OBJECT_BOUNDED = 1 << 2,
        OBJECT_EVENT = 1 << 3,
        OBJECT_CONDITION = 1 << 4,
        OBJECT_QUEUE = 1 << 5,
        OBJECT_LIFO = 1 << 6,
        OBJECT_PRIORITY = 1 << 7,
        OBJECT_FUTURE = 1 << 8,
        OBJECT_BARRIER = 1 << 9,
};

struct object {
        enum object_kind kind;
        const struct word *name;
        size_t size;               /* size of a queue, semaphore or barrier */
        const struct object *lock; /* lock that a condition shares with others */
        size_t index;
        int line;
        struct object *next;
};

enum failure_kind {
        KIND_CANCELLED,
        KIND_TIMEOUT,
        KIND_GROUP,
        KIND_ERROR,
        KIND_ANY,
};

struct block {
        struct statement *first;
};

struct clause {
        enum failure_kind kind;
        struct block body;
        struct clause *next;
};

/* A word of a statement and its number: nanoseconds, a count, or the index of a choice. */
struct argument {
        struct word *word;
        int64_t number;
};

/*
 * The name of a statement, and the usage of the arguments after it. The parser checks the arguments
 * against the words of `usage` (see arguments.c), and shows `usage` if they differ.
 */
struct verb {
        const char *name; /* one word, or two as in "raise error" */
        const char *usage;
        int (*play)(struct frame *frame, const struct statement *statement);
        bool block; /* true if statements up to an `end` follow */
};

struct statement {
        const struct verb *verb;
        int line;
        size_t count;
        struct argument *arguments;
        struct block body;
        struct clause *clauses; /* clauses of a try */
        struct block *finally;  /* block of a try that has a `finally` */
        struct statement *next;
};

struct program {
        const struct word *name;
        struct block body;
        int line;
        struct program *next;
};

struct scenario {
        struct arena arena;
        const char *path;
        int line; /* number of its first line in the file */
        struct word *words;
        size_t word_count;
        struct object *objects; /* in the order of declaration */
        size_t object_count;
        struct program *programs;
        struct program *main;
};

/*
 * Reads a scenario from `length` bytes of a file. Their first line has the number `line`. If the
 * scenario is wrong, prints an error with file and line to stderr, and returns NULL.
 */
struct scenario *scenario_parse(const char *path, const char *text, size_t length, int line);
void scenario_free(struct scenario *scenario);

/* The table of verbs, which ends with a NULL name. */
extern const struct verb verbs[];

#endif
