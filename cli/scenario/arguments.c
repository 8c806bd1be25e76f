/* SPDX-License-Identifier: MIT */
/*
 * The arguments of a statement, checked against the verb's usage. In a usage, words in capitals
 * stand for:
 *
 *     SECONDS        a time; SECONDS|none: a time that may be missing
 *     COUNT          a whole number
 *     MODE           the mode of wait()
 *     PROG           a program of the scenario
 *     X E C Q F B    an object of the scenario: an object that tasks can hold, an event,
 *                    a condition, a queue, a future, a barrier
 *     anything else  any word; the names of tasks, scopes and timers are looked up when the
 *                    statement runs
 *
 * A word in small letters stands for itself. A word in brackets may be missing. Dots after the last
 * word let it repeat any number of times.
 */
#include <stdio.h>
#include <string.h>

#include "../common/text.h"
#include "parser.h"

static const struct object_usage {
        const char *name;
        unsigned kinds;
        const char *what;
} object_usages[] = {
        { "X", OBJECT_LOCK | OBJECT_SEMAPHORE | OBJECT_BOUNDED | OBJECT_CONDITION,
          "a lock, semaphore or condition" },
        { "E", OBJECT_EVENT, "an event" },
        { "C", OBJECT_CONDITION, "a condition" },
        { "Q", OBJECT_QUEUE | OBJECT_LIFO | OBJECT_PRIORITY, "a queue" },
        { "F", OBJECT_FUTURE, "a future" },
        { "B", OBJECT_BARRIER, "a barrier" },
        { NULL, 0, NULL },
};

/* In the order of belay_wait_mode. */
static const char *const modes[] = { "all", "first", "first_error", NULL };

bool read_number(const char *text, int64_t *number) {
        int64_t value = 0;

        if (!*text)
                return false;
        for (; *text; text++) {
                if (*text < '0' || *text > '9' || value > 99999999)
                        return false;
                value = 10 * value + (*text - '0');
        }
        *number = value;
        return true;
}

/* Reads digits and not floating point, so that equal deadlines in a scenario are equal instants. */
bool read_seconds(const char *text, int64_t *nanoseconds) {
        bool negative = *text == '-';
        int64_t value = 0, unit = INT64_C(1000000000);
        bool digits = false;

        if (negative)
                text++;
        for (; *text >= '0' && *text <= '9'; text++) {
                if (value > 99999999)
                        return false;
                value = 10 * value + (*text - '0');
                digits = true;
        }
        value *= unit;
        if (*text == '.')
                for (text++; *text >= '0' && *text <= '9' && unit > 1; text++) {
                        unit /= 10;
                        value += unit * (*text - '0');
                        digits = true;
                }
        *nanoseconds = negative ? -value : value;
        return digits && !*text;
}

const char *object_kind_name(enum object_kind kind) {
        switch (kind) {
        case OBJECT_LOCK:
                return "lock";
        case OBJECT_SEMAPHORE:
                return "semaphore";
        case OBJECT_BOUNDED:
                return "bounded";
        case OBJECT_EVENT:
                return "event";
        case OBJECT_CONDITION:
                return "condition";
        case OBJECT_QUEUE:
                return "queue";
        case OBJECT_LIFO:
                return "lifo";
        case OBJECT_PRIORITY:
                return "priority";
        case OBJECT_FUTURE:
                return "future";
        case OBJECT_BARRIER:
                return "barrier";
        }
        return "object";
}

/*
 * Returns the number of words of the line that the verb's name takes, or 0 if the line begins with
 * another name.
 */
static size_t name_length(const struct parser *parser, const struct verb *verb) {
        const char *blank = strchr(verb->name, ' ');
        size_t first = blank ? (size_t) (blank - verb->name) : strlen(verb->name);
        const char *word = parser->words[0]->text;

        if (strlen(word) != first || memcmp(word, verb->name, first) != 0)
                return 0;
        if (!blank)
                return 1;
        return parser->count > 1 && strcmp(parser->words[1]->text, blank + 1) == 0 ? 2 : 0;
}

/*
 * Adds every usage of the verbs that begin with the line's first word. Returns the number of
 * usages.
 */
static unsigned add_usages(const struct parser *parser, struct text *usages) {
        const char *word = parser->words[0]->text;
        size_t length = strlen(word);
        unsigned count = 0;

        for (const struct verb *verb = verbs; verb->name; verb++)
                if (strncmp(verb->name, word, length) == 0
                    && (verb->name[length] == ' ' || verb->name[length] == '\0'))
                        text_add(usages, "%s'%s%s%s'", count++ ? " or " : "", verb->name,
                                 *verb->usage ? " " : "", verb->usage);
        return count;
}

static bool complain_of_usage(const struct parser *parser, const char *found) {
        struct text usages = { 0 };

        add_usages(parser, &usages);
        complain(parser, parser->line,
                 found ? "unexpected '%s': expected %s" : "too few words%s: expected %s",
                 found ? found : "", usages.data);
        text_free(&usages);
        return false;
}

const struct verb *find_verb(const struct parser *parser) {
        const struct verb *verb, *found = NULL;
        struct text usages = { 0 };

        for (verb = verbs; verb->name; verb++) {
                size_t taken = name_length(parser, verb);

                if (taken == 2)
                        return verb;
                if (taken == 1)
                        found = verb;
        }
        if (found)
                return found;
        if (add_usages(parser, &usages))
                complain(parser, parser->line, "expected %s", usages.data);
        else
                complain(parser, parser->line, "unknown statement '%s'", parser->words[0]->text);
        text_free(&usages);
        return NULL;
}

static void refer(struct parser *parser, const struct word *word, unsigned kinds) {
        struct reference *reference = arena_take(&parser->scenario->arena, sizeof(*reference));

        reference->line = parser->line;
        reference->word = word;
        reference->kinds = kinds;
        *parser->references_end = reference;
        parser->references_end = &reference->next;
}

static bool read_argument(struct parser *parser, const struct verb *verb, const char *usage,
                          struct argument *argument) {
        const char *text = argument->word->text;
        const struct object_usage *object;

        if (strcmp(usage, "SECONDS|none") == 0 && strcmp(text, "none") == 0) {
                argument->number = INT64_MAX;
                return true;
        }
        if (strncmp(usage, "SECONDS", 7) == 0) {
                if (read_seconds(text, &argument->number))
                        return true;
                return complain(parser, parser->line, "expected seconds%s in '%s', found '%s'",
                                usage[7] ? " or 'none'" : "", verb->name, text);
        }
        if (strcmp(usage, "COUNT") == 0) {
                if (read_number(text, &argument->number))
                        return true;
                return complain(parser, parser->line, "expected a whole number in '%s', found '%s'",
                                verb->name, text);
        }
        if (strcmp(usage, "MODE") == 0) {
                for (int i = 0; modes[i]; i++)
                        if (strcmp(modes[i], text) == 0) {
                                argument->number = i;
                                return true;
                        }
                return complain(parser, parser->line,
                                "expected 'all', 'first' or 'first_error' after 'wait', found '%s'",
                                text);
        }
        if (usage[0] >= 'a' && usage[0] <= 'z' && strcmp(usage, text) != 0)
                return complain(parser, parser->line, "expected '%s' or nothing here, found '%s'",
                                usage, text);
        if (strcmp(usage, "PROG") == 0)
                refer(parser, argument->word, 0);
        for (object = object_usages; object->name; object++)
                if (strcmp(object->name, usage) == 0)
                        refer(parser, argument->word, object->kinds);
        return true;
}

bool read_arguments(struct parser *parser, struct statement *statement) {
        const struct verb *verb = statement->verb;
        size_t skip = name_length(parser, verb);
        struct word **words = parser->words + skip;
        const char *usage = verb->usage;
        char token[32] = "";
        bool many = false;
        size_t taken = 0;

        statement->count = parser->count - skip;
        statement->arguments = arena_take(&parser->scenario->arena,
                                          statement->count * sizeof(*statement->arguments));
        for (;;) {
                bool optional = *usage == '[';

                if (!many && *usage) {
                        size_t length = strcspn(usage, " ");

                        snprintf(token, sizeof(token), "%.*s", (int) length - 2 * optional,
                                 usage + optional);
                        usage += length + (usage[length] == ' ');
                        many = strlen(token) > 3 && strcmp(token + strlen(token) - 3, "...") == 0;
                } else if (!many) {
                        break;
                }
                if (taken == statement->count) {
                        if (optional || many)
                                return true;
                        return complain_of_usage(parser, NULL);
                }
                statement->arguments[taken].word = words[taken];
                if (!read_argument(parser, verb, token, &statement->arguments[taken]))
                        return false;
                taken++;
        }
        if (taken < statement->count)
                return complain_of_usage(parser, words[taken]->text);
        return true;
}

bool check_references(const struct parser *parser) {
        const struct object_usage *usage = object_usages;

        for (const struct reference *each = parser->references; each; each = each->next) {
                const struct object *object = each->word->object;

                if (!each->kinds) {
                        if (each->word->program)
                                continue;
                        return complain(parser, each->line, "no program '%s'", each->word->text);
                }
                for (usage = object_usages; usage->kinds != each->kinds; usage++)
                        ;
                if (!object)
                        return complain(parser, each->line, "expected %s, but '%s' is not declared",
                                        usage->what, each->word->text);
                if (!(object->kind & each->kinds))
                        return complain(parser, each->line,
                                        "expected %s, but '%s' is declared as '%s' on line %d",
                                        usage->what, each->word->text,
                                        object_kind_name(object->kind), object->line);
        }
        return true;
}
