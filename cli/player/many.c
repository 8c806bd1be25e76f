/* SPDX-License-Identifier: MIT */
/*
 * Statements about several tasks: wait, gather, as_completed.
 */
#include "statements.h"

/* The targets that exist, in the order in which the statement names them, and their names. */
struct targets {
        size_t count;
        belay_task **tasks;
        const char **names;
};

static void find_targets(struct frame *frame, const struct statement *statement, size_t from,
                         bool once, struct targets *targets) {
        size_t most = statement->count > from ? statement->count - from : 0;
        struct arena *arena = &frame->player->arena;

        targets->count = 0;
        targets->tasks = arena_take(arena, most * sizeof(*targets->tasks));
        targets->names = arena_take(arena, most * sizeof(*targets->names));
        for (size_t i = from; i < statement->count; i++) {
                const struct word *word = statement->arguments[i].word;
                belay_task *task = named(frame, word);
                bool known = false;

                for (size_t j = 0; once && j < targets->count; j++)
                        known = known || targets->tasks[j] == task;
                if (!task || known)
                        continue;
                targets->tasks[targets->count] = task;
                targets->names[targets->count++] = word->text;
        }
}

static void list_names(const struct targets *targets, bool done, struct text *list) {
        size_t start = list->length;

        for (size_t i = 0; i < targets->count; i++)
                if (belay_done(targets->tasks[i]) == done)
                        text_add(list, "%s%s", list->length > start ? "," : "", targets->names[i]);
        if (list->length == start)
                text_add(list, "-");
}

int play_wait(struct frame *frame, const struct statement *statement) {
        belay_wait_mode mode = (belay_wait_mode) number_at(statement, 0);
        struct targets targets;
        struct text list = { 0 };
        int rc = 0;

        find_targets(frame, statement, 2, false, &targets);
        if (targets.count == 0) {
                for (size_t i = 2; i < statement->count; i++)
                        text_add(&list, "%s%s", i > 2 ? " " : "",
                                 statement->arguments[i].word->text);
                say(frame, "unknown %s", list.data ? list.data : "");
        } else {
                rc = belay_wait(targets.tasks, targets.count, mode, number_at(statement, 1));
                if (rc >= 0) {
                        text_add(&list, "wait -> done ");
                        list_names(&targets, true, &list);
                        text_add(&list, " pending ");
                        list_names(&targets, false, &list);
                        say(frame, "%s", list.data);
                }
        }
        text_free(&list);
        return rc < 0 ? rc : 0;
}

static void say_gathered(struct frame *frame, const struct targets *targets) {
        struct text list = { 0 };

        text_add(&list, "gather -> ");
        for (size_t i = 0; i < targets->count; i++) {
                text_add(&list, "%s", i ? "," : "");
                name_outcome(targets->tasks[i], &list);
        }
        say(frame, "%s", list.data);
        text_free(&list);
}

int play_gather_raise(struct frame *frame, const struct statement *statement) {
        struct targets targets;
        int rc, outcome = 0;

        find_targets(frame, statement, 0, false, &targets);
        rc = belay_gather(targets.tasks, targets.count, &outcome);
        if (rc == 0)
                rc = outcome;
        if (rc < 0)
                return rc;
        say_gathered(frame, &targets);
        return 0;
}

int play_gather_results(struct frame *frame, const struct statement *statement) {
        struct targets targets;
        int rc;

        find_targets(frame, statement, 0, false, &targets);
        rc = belay_gather_collect(targets.tasks, targets.count);
        if (rc < 0)
                return rc;
        say_gathered(frame, &targets);
        return 0;
}

static const char *name_of(const struct targets *targets, const belay_task *task) {
        for (size_t i = 0; i < targets->count; i++)
                if (targets->tasks[i] == task)
                        return targets->names[i];
        return "?";
}

int play_as_completed(struct frame *frame, const struct statement *statement) {
        belay_as_completed each;
        struct targets targets;
        belay_task *task;
        int rc;

        find_targets(frame, statement, 1, true, &targets);
        rc = belay_as_completed_begin(&each, targets.tasks, targets.count, number_at(statement, 0));
        if (rc < 0)
                return rc;
        while ((rc = belay_as_completed_next(&each, &task)) > 0) {
                struct text outcome = { 0 };

                name_outcome(task, &outcome);
                say(frame, "completed %s -> %s", name_of(&targets, task), outcome.data);
                text_free(&outcome);
                rc = play_block(frame, &statement->body);
                if (rc != 0)
                        break;
        }
        belay_as_completed_end(&each);
        return rc;
}
