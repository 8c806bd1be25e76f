/* SPDX-License-Identifier: MIT */
/*
 * Compares two traces literally: the events of each task, in that task's order.
 */
#include <stdlib.h>
#include <string.h>

#include "compare.h"

enum {
        /* numbers of lines shown before the first difference, and from it on */
        BEFORE = 6,
        AFTER = 12,
        WIDEST = 60,
};

struct line {
        const char *task, *event; /* parts of the line TIME TASK EVENT, not terminated */
        const char *time;
        size_t task_length, event_length, time_length;
        bool seen;
};

struct lines {
        struct line *list;
        size_t count, room;
};

static void add_line(struct lines *lines, const char *text, size_t length) {
        const char *task = memchr(text, ' ', length);
        const char *end = text + length;
        const char *event = task ? memchr(task + 1, ' ', (size_t) (end - task - 1)) : NULL;

        if (!event)
                return;
        if (lines->count == lines->room) {
                size_t room = lines->room ? 2 * lines->room : 64;
                struct line *list = realloc(lines->list, room * sizeof(*list));

                if (!list)
                        out_of_memory();
                lines->list = list;
                lines->room = room;
        }
        lines->list[lines->count++] = (struct line) {
                .time = text,
                .time_length = (size_t) (task - text),
                .task = task + 1,
                .task_length = (size_t) (event - task - 1),
                .event = event + 1,
                .event_length = (size_t) (end - event - 1),
        };
}

static void split(struct lines *lines, const char *text, size_t length) {
        const char *end = text + length;

        *lines = (struct lines) { 0 };
        while (length > 0 && text < end) {
                const char *stop = memchr(text, '\n', (size_t) (end - text));

                add_line(lines, text, (size_t) ((stop ? stop : end) - text));
                text = stop ? stop + 1 : end;
        }
}

static bool same(const char *a, size_t a_length, const char *b, size_t b_length) {
        return a_length == b_length && memcmp(a, b, a_length) == 0;
}

static bool same_task(const struct line *a, const struct line *b) {
        return same(a->task, a->task_length, b->task, b->task_length);
}

static bool same_event(const struct line *a, const struct line *b) {
        return same(a->time, a->time_length, b->time, b->time_length)
               && same(a->event, a->event_length, b->event, b->event_length);
}

/* Returns the index of the task's next line at or after `from`, or the number of lines. */
static size_t find_line(const struct lines *lines, const struct line *task, size_t from) {
        while (from < lines->count && !same_task(&lines->list[from], task))
                from++;
        return from;
}

static void show_line(const struct line *line, struct text *text) {
        if (line)
                text_add(text, "%.*s %.*s", (int) line->time_length, line->time,
                         (int) line->event_length, line->event);
        else
                text_add(text, "-");
}

/* Adds one line of the table: the expected event and the actual one. */
static void show_pair(const struct line *expected, const struct line *got, bool first,
                      struct text *difference) {
        struct text left = { 0 }, right = { 0 };

        show_line(expected, &left);
        show_line(got, &right);
        text_add(difference, "    %s %-*s | %s\n", first ? "->" : "  ", WIDEST, left.data,
                 right.data);
        text_free(&left);
        text_free(&right);
}

static void show_task(const struct lines *expected, const struct lines *got,
                      const struct line *task, size_t differing, struct text *difference) {
        size_t i = find_line(expected, task, 0), j = find_line(got, task, 0);

        text_add(difference, "  task %.*s:\n       %-*s | %s\n", (int) task->task_length,
                 task->task, WIDEST, "expected", "got");
        for (size_t at = 0; i < expected->count || j < got->count; at++) {
                if (at >= differing + AFTER) {
                        text_add(difference, "       ...\n");
                        break;
                }
                if (at + BEFORE == differing && at > 0)
                        text_add(difference, "       ...\n");
                if (at + BEFORE >= differing)
                        show_pair(i < expected->count ? &expected->list[i] : NULL,
                                  j < got->count ? &got->list[j] : NULL, at == differing,
                                  difference);
                i = i < expected->count ? find_line(expected, task, i + 1) : i;
                j = j < got->count ? find_line(got, task, j + 1) : j;
        }
}

static bool compare_task(const struct lines *expected, const struct lines *got,
                         const struct line *task, struct text *difference) {
        size_t i = find_line(expected, task, 0), j = find_line(got, task, 0), at = 0;

        while (i < expected->count && j < got->count
               && same_event(&expected->list[i], &got->list[j])) {
                expected->list[i].seen = got->list[j].seen = true;
                i = find_line(expected, task, i + 1);
                j = find_line(got, task, j + 1);
                at++;
        }
        if (i == expected->count && j == got->count)
                return true;
        show_task(expected, got, task, at, difference);
        for (; i < expected->count; i = find_line(expected, task, i + 1))
                expected->list[i].seen = true;
        for (; j < got->count; j = find_line(got, task, j + 1))
                got->list[j].seen = true;
        return false;
}

bool compare_traces(const char *expected_text, size_t expected_length, const char *got_text,
                    size_t got_length, struct text *difference) {
        struct lines expected, got;
        bool equal = true;

        split(&expected, expected_text, expected_length);
        split(&got, got_text, got_length);
        for (size_t i = 0; i < expected.count; i++)
                if (!expected.list[i].seen)
                        equal = compare_task(&expected, &got, &expected.list[i], difference)
                                && equal;
        for (size_t i = 0; i < got.count; i++)
                if (!got.list[i].seen)
                        equal = compare_task(&expected, &got, &got.list[i], difference) && equal;
        free(expected.list);
        free(got.list);
        return equal;
}
