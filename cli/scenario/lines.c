/* SPDX-License-Identifier: MIT */
/*
 * Splits a scenario's text into lines of words.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/output.h"
#include "../common/text.h"
#include "parser.h"

bool complain(const struct parser *parser, int line, const char *format, ...) {
        va_list list;

        va_start(list, format);
        message_at_list(parser->scenario->path, line, format, list);
        va_end(list);
        return false;
}

struct word *intern(struct parser *parser, const char *text, size_t length) {
        struct scenario *scenario = parser->scenario;
        struct word *word;

        for (word = scenario->words; word; word = word->next)
                if (strncmp(word->text, text, length) == 0 && word->text[length] == '\0')
                        return word;
        word = arena_take(&scenario->arena, sizeof(*word));
        word->text = arena_copy(&scenario->arena, text, length);
        word->is_self = strcmp(word->text, "self") == 0;
        word->index = scenario->word_count++;
        word->next = scenario->words;
        scenario->words = word;
        return word;
}

static void add_word(struct parser *parser, const char *text, size_t length) {
        if (parser->count == parser->room) {
                size_t room = parser->room ? 2 * parser->room : 16;
                struct word **words = realloc(parser->words, room * sizeof(*words));

                if (!words)
                        out_of_memory();
                parser->words = words;
                parser->room = room;
        }
        parser->words[parser->count++] = intern(parser, text, length);
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' || c == '\0';
}

void next_line(struct parser *parser) {
        parser->count = 0;
        while (parser->count == 0 && parser->at < parser->end) {
                const char *stop = memchr(parser->at, '\n', (size_t) (parser->end - parser->at));
                const char *next = stop ? stop + 1 : parser->end;
                const char *comment;

                if (!stop)
                        stop = parser->end;
                comment = memchr(parser->at, '#', (size_t) (stop - parser->at));
                if (comment)
                        stop = comment;
                parser->line = ++parser->last_line;
                while (parser->at < stop) {
                        const char *word = parser->at;

                        while (parser->at < stop && !is_blank(*parser->at))
                                parser->at++;
                        if (parser->at > word)
                                add_word(parser, word, (size_t) (parser->at - word));
                        else
                                parser->at++;
                }
                parser->at = next;
        }
}

void free_lines(struct parser *parser) {
        free(parser->words);
}
