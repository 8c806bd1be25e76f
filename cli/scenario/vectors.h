/* SPDX-License-Identifier: MIT */
/*
 * A vectors file: scenarios, each with the trace that it must produce.
 */
#ifndef BELAY_CLI_SCENARIO_VECTORS_H
#define BELAY_CLI_SCENARIO_VECTORS_H

#include "scenario.h"

struct vector {
        const char *name;
        int line;
        struct scenario *scenario;
        const char *trace; /* lines TIME TASK EVENT, not terminated */
        size_t trace_length;
};

struct vectors {
        struct arena arena;
        const char *path;
        struct vector *list;
        size_t count;
};

/*
 * Reads the text of a file, which must outlive the result. If the text is wrong, prints an error to
 * stderr and returns false.
 */
bool vectors_parse(struct vectors *vectors, const char *path, const char *text, size_t length);
void vectors_free(struct vectors *vectors);

#endif
