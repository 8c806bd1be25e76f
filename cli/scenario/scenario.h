/* SPDX-License-Identifier: MIT */
/*
 * A scenario, read and checked: objects, programs, statements, and every word that stands in it once. The
 * language is described in tests/conformance/SCENARIOS.md.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../common/arena.h"

struct frame;
struct statement;

/*
 * The same word is the same struct wherever it stands: the player hangs what it knows of a name on its
 * index.
 */
struct word {
        const char *text;
        size_t index;
        bool is_self;
        struct object *object;
        struct program *program;
        struct word *next;
};

/* One bit each, so that a statement can say which ones it takes. */
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
        size_t size;                  /* of a queue, semaphore or barrier */
        const struct object *lock;    /* of a condition that shares one */
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

/* A word as it stands, and the number it is: nanoseconds, a count, or which one of a choice. */
struct argument {
        struct word *word;
        int64_t number;
};

/*
 * What a statement is called and what stands behind its name: the words of `usage` are what the parser
 * checks (see arguments.c), and what it shows where it finds something else.
 */
struct verb {
        const char *name;             /* one word, or two: "raise error" */
        const char *usage;
        int (*play)(struct frame *frame, const struct statement *statement);
        bool block;                   /* statements up to an `end` follow */
};

struct statement {
        const struct verb *verb;
        int line;
        size_t count;
        struct argument *arguments;
        struct block body;
        struct clause *clauses;       /* of a try */
        struct block *finally;        /* of a try that has one */
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
        int line;                     /* of its first line in the file */
        struct word *words;
        size_t word_count;
        struct object *objects;       /* in the order of their declaration */
        size_t object_count;
        struct program *programs;
        struct program *main;
};

/*
 * Reads a scenario from `length` bytes of a file, the first of them on line `line`. Where it is wrong, says
 * so on stderr, with file and line, and returns NULL.
 */
struct scenario *scenario_parse(const char *path, const char *text, size_t length, int line);
void scenario_free(struct scenario *scenario);

/* The verbs, in a table that ends with a NULL name. */
extern const struct verb verbs[];
