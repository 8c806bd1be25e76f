/* SPDX-License-Identifier: MIT */
/*
 * Splits a vectors file into its parts: `=== name`, the scenario, `--- trace`, the trace.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/output.h"
#include "../common/text.h"
#include "vectors.h"

struct cursor {
        const char *path;
        const char *at, *end;
        const char *text; /* current line, and its length without the newline */
        size_t length;
        int line;
};

static bool next(struct cursor *cursor) {
        const char *stop;

        if (cursor->at == cursor->end)
                return false;
        stop = memchr(cursor->at, '\n', (size_t) (cursor->end - cursor->at));
        cursor->text = cursor->at;
        cursor->length = (size_t) ((stop ? stop : cursor->end) - cursor->at);
        cursor->at = stop ? stop + 1 : cursor->end;
        cursor->line++;
        return true;
}

static bool begins(const struct cursor *cursor, const char *mark) {
        size_t length = strlen(mark);

        return cursor->length >= length && memcmp(cursor->text, mark, length) == 0;
}

static bool wrong(const struct cursor *cursor, int line, const char *what, const char *detail) {
        message_at(cursor->path, line, "%s%s%s%s", what, detail ? " '" : "", detail ? detail : "",
                   detail ? "'" : "");
        return false;
}

/*
 * Returns whether the line is TIME TASK EVENT. Such a line begins with a digit, and has at least
 * two blanks with text before each.
 */
static bool is_event(const struct cursor *cursor) {
        const char *first = memchr(cursor->text, ' ', cursor->length);
        size_t rest = first ? cursor->length - (size_t) (first + 1 - cursor->text) : 0;
        const char *second = first ? memchr(first + 1, ' ', rest) : NULL;

        return second && first > cursor->text && second > first + 1 && cursor->text[0] >= '0'
               && cursor->text[0] <= '9';
}

static bool name_vector(struct vectors *vectors, const struct cursor *cursor,
                        struct vector *vector) {
        const char *name = cursor->text + 3;
        size_t length = cursor->length - 3;

        while (length > 0 && *name == ' ') {
                name++;
                length--;
        }
        while (length > 0 && (name[length - 1] == ' ' || name[length - 1] == '\r'))
                length--;
        if (length == 0)
                return wrong(cursor, cursor->line, "expected '=== NAME'", NULL);
        vector->name = arena_copy(&vectors->arena, name, length);
        vector->line = cursor->line;
        for (size_t i = 0; i < vectors->count; i++)
                if (strcmp(vectors->list[i].name, vector->name) == 0)
                        return wrong(cursor, cursor->line,
                                     "there is a scenario of this name already:", vector->name);
        return true;
}

static struct vector *add_vector(struct vectors *vectors, size_t *room) {
        if (vectors->count == *room) {
                size_t more = *room ? 2 * *room : 64;
                struct vector *list = realloc(vectors->list, more * sizeof(*list));

                if (!list)
                        out_of_memory();
                vectors->list = list;
                *room = more;
        }
        vectors->list[vectors->count] = (struct vector) { 0 };
        return &vectors->list[vectors->count];
}

/*
 * Reads from the line `=== name` to the next such line, or to the end of the file. At the end,
 * cursor->text is NULL.
 */
static bool read_vector(struct vectors *vectors, struct cursor *cursor, struct vector *vector) {
        const char *start = cursor->at;
        bool more;

        if (!name_vector(vectors, cursor, vector))
                return false;
        vectors->count++;
        while ((more = next(cursor)) && !begins(cursor, "--- trace"))
                if (begins(cursor, "==="))
                        break;
        if (!more || !begins(cursor, "--- trace"))
                return wrong(cursor, cursor->line,
                             "expected '--- trace' at the end of the scenario", vector->name);
        vector->scenario = scenario_parse(cursor->path, start, (size_t) (cursor->text - start),
                                          vector->line + 1);
        if (!vector->scenario)
                return false;
        vector->trace = cursor->at;
        while ((more = next(cursor)) && !begins(cursor, "==="))
                if (cursor->length > 0 && !is_event(cursor))
                        return wrong(cursor, cursor->line,
                                     "expected 'TIME TASK EVENT' in the trace of", vector->name);
        vector->trace_length = (size_t) ((more ? cursor->text : cursor->end) - vector->trace);
        if (!more)
                cursor->text = NULL;
        return true;
}

bool vectors_parse(struct vectors *vectors, const char *path, const char *text, size_t length) {
        struct cursor cursor = { .path = path, .at = text, .end = text + length };
        size_t room = 0;

        *vectors = (struct vectors) { .path = path };
        while (next(&cursor) && !begins(&cursor, "==="))
                if (cursor.length > 0 && cursor.text[0] != '#')
                        return wrong(&cursor, cursor.line,
                                     "expected '=== NAME' before anything else", NULL);
        if (!cursor.text || !begins(&cursor, "==="))
                return wrong(&cursor, cursor.line ? cursor.line : 1,
                             "expected '=== NAME', found no scenario", NULL);
        while (cursor.text)
                if (!read_vector(vectors, &cursor, add_vector(vectors, &room)))
                        return false;
        return true;
}

void vectors_free(struct vectors *vectors) {
        for (size_t i = 0; i < vectors->count; i++)
                scenario_free(vectors->list[i].scenario);
        free(vectors->list);
        arena_free(&vectors->arena);
        *vectors = (struct vectors) { 0 };
}
