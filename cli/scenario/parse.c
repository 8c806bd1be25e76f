/* SPDX-License-Identifier: MIT */
/*
 * Turns lines of words into programs.
 *
 * The parser checks everything before anything runs. In a scenario that was read, the player knows
 * every statement, and every named object and program exists. No bare `raise` is outside of an
 * `except`.
 */
#include <stdlib.h>
#include <string.h>

#include "../common/text.h"
#include "parser.h"

enum {
        DEEPEST = 64,
};

/* An open block: its name in messages, and the words that may end it. */
struct opened {
        const char *name;
        int line;
        bool except, finally;
        bool handler; /* true in an except clause */
};

static const char *const kinds[] = { "cancelled", "timeout", "group", "error", "any", NULL };

static bool is(const struct parser *parser, const char *word) {
        return parser->count > 0 && strcmp(parser->words[0]->text, word) == 0;
}

static bool alone(const struct parser *parser) {
        if (parser->count == 1)
                return true;
        return complain(parser, parser->line, "unexpected '%s' after '%s'", parser->words[1]->text,
                        parser->words[0]->text);
}

static bool parse_block(struct parser *parser, struct block *block, struct opened opened);

static bool parse_clause(struct parser *parser, struct clause *clause, struct opened opened) {
        int kind = 0;

        if (parser->count != 2)
                return complain(parser, parser->line,
                                "expected 'except KIND': one of 'cancelled', 'timeout', 'group', "
                                "'error' and 'any'");
        while (kinds[kind] && strcmp(kinds[kind], parser->words[1]->text) != 0)
                kind++;
        if (!kinds[kind])
                return complain(parser, parser->line,
                                "expected 'cancelled', 'timeout', 'group', 'error' or 'any' after "
                                "'except', found '%s'",
                                parser->words[1]->text);
        clause->kind = (enum failure_kind) kind;
        next_line(parser);
        opened.handler = true;
        return parse_block(parser, &clause->body, opened);
}

/*
 * Reads the block of a try up to the word that ends it, then the clauses, and then the `finally`.
 */
static bool parse_try(struct parser *parser, struct statement *statement, struct opened opened) {
        struct clause **end = &statement->clauses;

        opened.except = opened.finally = true;
        if (!parse_block(parser, &statement->body, opened))
                return false;
        while (is(parser, "except")) {
                struct clause *clause = arena_take(&parser->scenario->arena, sizeof(*clause));

                *end = clause;
                end = &clause->next;
                if (!parse_clause(parser, clause, opened))
                        return false;
        }
        if (is(parser, "finally")) {
                if (!alone(parser))
                        return false;
                next_line(parser);
                statement->finally = arena_take(&parser->scenario->arena,
                                                sizeof(*statement->finally));
                opened.except = opened.finally = false;
                return parse_block(parser, statement->finally, opened);
        }
        return true;
}

static bool parse_statement(struct parser *parser, struct statement *statement,
                            const struct opened *around) {
        struct opened opened = { .line = parser->line, .handler = around->handler };
        bool good;

        statement->line = parser->line;
        statement->verb = find_verb(parser);
        if (!statement->verb || !read_arguments(parser, statement))
                return false;
        if (strcmp(statement->verb->name, "raise") == 0 && !around->handler)
                return complain(parser, parser->line, "'raise' alone stands in an 'except' only");
        next_line(parser);
        if (!statement->verb->block)
                return true;
        opened.name = statement->verb->name;
        if (++parser->depth > DEEPEST)
                return complain(parser, opened.line, "blocks stand in each other more than %d deep",
                                DEEPEST);
        if (strcmp(opened.name, "try") == 0)
                good = parse_try(parser, statement, opened);
        else
                good = parse_block(parser, &statement->body, opened);
        parser->depth--;
        if (good)
                next_line(parser);
        return good;
}

/* Leaves the line that ended the block as the current line, for the caller. */
static bool parse_block(struct parser *parser, struct block *block, struct opened opened) {
        struct statement **end = &block->first;

        while (parser->count > 0) {
                struct statement *statement;

                if (is(parser, "end"))
                        return alone(parser);
                if (is(parser, "except") || is(parser, "finally")) {
                        if (is(parser, "except") ? opened.except : opened.finally)
                                return true;
                        return complain(parser, parser->line,
                                        "'%s' does not belong into the '%s' of line %d",
                                        parser->words[0]->text, opened.name, opened.line);
                }
                if (is(parser, "prog"))
                        return complain(parser, parser->line,
                                        "a program begins, but the '%s' of line %d has no 'end'",
                                        opened.name, opened.line);
                statement = arena_take(&parser->scenario->arena, sizeof(*statement));
                *end = statement;
                end = &statement->next;
                if (!parse_statement(parser, statement, &opened))
                        return false;
        }
        return complain(parser, parser->last_line,
                        "the scenario ends, but the '%s' of line %d has no 'end'", opened.name,
                        opened.line);
}

static bool parse_program(struct parser *parser) {
        struct opened opened = { .name = "prog", .line = parser->line };
        struct program *program;
        struct word *name;

        if (parser->count != 2)
                return complain(parser, parser->line, "expected 'prog NAME'");
        name = parser->words[1];
        if (name->program)
                return complain(parser, parser->line, "program '%s' is there already, on line %d",
                                name->text, name->program->line);
        program = arena_take(&parser->scenario->arena, sizeof(*program));
        program->name = name;
        program->line = parser->line;
        name->program = program;
        *parser->programs_end = program;
        parser->programs_end = &program->next;
        if (strcmp(name->text, "main") == 0)
                parser->scenario->main = program;
        next_line(parser);
        if (!parse_block(parser, &program->body, opened))
                return false;
        next_line(parser);
        return true;
}

static const struct declaration {
        enum object_kind kind;
        /* name of the number that follows the object's name, or NULL if there is none */
        const char *size;
        int64_t least;
} declarations[] = {
        { OBJECT_LOCK, NULL, 0 },   { OBJECT_SEMAPHORE, "N", 0 },   { OBJECT_BOUNDED, "N", 0 },
        { OBJECT_EVENT, NULL, 0 },  { OBJECT_CONDITION, NULL, 0 },  { OBJECT_QUEUE, "SIZE", 0 },
        { OBJECT_LIFO, "SIZE", 0 }, { OBJECT_PRIORITY, "SIZE", 0 }, { OBJECT_FUTURE, NULL, 0 },
        { OBJECT_BARRIER, "N", 1 },
};

/* Reads the words after the declaration's name into `wanted`. */
static bool read_object(const struct parser *parser, const struct declaration *declaration,
                        struct object *wanted) {
        const char *kind = object_kind_name(declaration->kind);
        bool shares = declaration->kind == OBJECT_CONDITION && parser->count == 3;
        const struct word *last = parser->words[parser->count - 1];
        int64_t size = 0;

        if (parser->count != 2 + (size_t) (declaration->size || shares))
                return complain(parser, parser->line, "expected '%s NAME%s%s'", kind,
                                declaration->size ? " " : "",
                                declaration->size                       ? declaration->size
                                : declaration->kind == OBJECT_CONDITION ? " [LOCK]"
                                                                        : "");
        if (declaration->size && (!read_number(last->text, &size) || size < declaration->least))
                return complain(parser, parser->line,
                                "expected a number, %d at least, behind '%s %s', found '%s'",
                                (int) declaration->least, kind, parser->words[1]->text, last->text);
        if (shares && !(last->object && last->object->kind == OBJECT_LOCK))
                return complain(parser, parser->line,
                                "expected a lock that is declared before, found '%s'", last->text);
        wanted->kind = declaration->kind;
        wanted->name = parser->words[1];
        wanted->size = (size_t) size;
        wanted->lock = shares ? last->object : NULL;
        wanted->line = parser->line;
        return true;
}

static bool parse_object(struct parser *parser, const struct declaration *declaration) {
        struct object wanted = { 0 }, *object;
        struct word *name;

        if (!read_object(parser, declaration, &wanted))
                return false;
        name = parser->words[1];
        object = name->object;
        if (!object) {
                object = arena_take(&parser->scenario->arena, sizeof(*object));
                *object = wanted;
                object->index = parser->scenario->object_count++;
                name->object = object;
                *parser->objects_end = object;
                parser->objects_end = &object->next;
        } else if (object->kind != wanted.kind || object->size != wanted.size
                   || object->lock != wanted.lock) {
                /*
                 * Repeating exactly the same declaration is harmless, and recorded scenarios do it.
                 */
                return complain(parser, parser->line,
                                "'%s' is declared already, and otherwise: '%s' on line %d",
                                name->text, object_kind_name(object->kind), object->line);
        }
        next_line(parser);
        return true;
}

static bool parse_definition(struct parser *parser) {
        if (is(parser, "prog"))
                return parse_program(parser);
        for (size_t i = 0; i < sizeof(declarations) / sizeof(*declarations); i++)
                if (is(parser, object_kind_name(declarations[i].kind)))
                        return parse_object(parser, &declarations[i]);
        return complain(parser, parser->line,
                        "expected 'prog' or an object (lock, semaphore, bounded, event, condition, "
                        "queue, lifo, priority, future, barrier), found '%s'",
                        parser->words[0]->text);
}

static bool parse(struct parser *parser) {
        next_line(parser);
        while (parser->count > 0)
                if (!parse_definition(parser))
                        return false;
        if (!parser->scenario->main)
                return complain(parser, parser->scenario->line, "no program 'main'");
        return check_references(parser);
}

struct scenario *scenario_parse(const char *path, const char *text, size_t length, int line) {
        struct scenario *scenario = calloc(1, sizeof(*scenario));
        struct parser parser = {
                .scenario = scenario,
                .at = text,
                .end = text + length,
                .last_line = line - 1,
        };
        bool good;

        if (!scenario)
                out_of_memory();
        scenario->path = path;
        scenario->line = line;
        parser.references_end = &parser.references;
        parser.objects_end = &scenario->objects;
        parser.programs_end = &scenario->programs;
        good = parse(&parser);
        free_lines(&parser);
        if (good)
                return scenario;
        scenario_free(scenario);
        return NULL;
}

void scenario_free(struct scenario *scenario) {
        if (!scenario)
                return;
        arena_free(&scenario->arena);
        free(scenario);
}
