/* SPDX-License-Identifier: MIT */
/*
 * Statements about one task: start, cancel, query, await.
 */
#include "statements.h"

/* Starts a task in a group, or outside of all groups if `group` is NULL. */
static int start_task(struct frame *frame, const struct statement *statement, size_t at,
                      belay_group *group, bool eager) {
        const struct argument *name = &statement->arguments[at],
                              *program = &statement->arguments[at + 1];
        struct player *player = frame->player;
        struct slot *slot = slot_of(frame, name->word);
        struct start *start = arena_take(&player->arena, sizeof(*start));
        belay_spawn_options *options = BELAY_OPTIONS(belay_spawn_options, .name = name->word->text,
                                                     .eager = eager);
        belay_task *task = NULL;
        int rc = 0;

        if (slot->taken)
                return give_up(player, statement->line, "two tasks called '%s'", name->word->text);
        *start = (struct start) { player, name->word->text, program->word->program };
        /*
         * The name is taken from here on, but names no task yet: an eager task runs before the
         * spawn returns its handle.
         */
        slot->taken = true;
        if (group)
                rc = belay_group_spawn_with(group, play_task, start, options, &task);
        else if (!(task = belay_spawn_with(play_task, start, options)))
                rc = -errno;
        if (rc < 0) {
                slot->taken = false;
                return rc;
        }
        slot->task = task;
        return 0;
}

int play_sleep(struct frame *frame, const struct statement *statement) {
        (void) frame;
        return belay_sleep(number_at(statement, 0));
}

int play_spawn(struct frame *frame, const struct statement *statement) {
        int rc = start_task(frame, statement, 0, NULL, false);

        if (rc == 0)
                say(frame, "spawn %s", word_at(statement, 0));
        return rc;
}

int play_spawn_eager(struct frame *frame, const struct statement *statement) {
        int rc = start_task(frame, statement, 0, NULL, true);

        if (rc == 0)
                say(frame, "spawn_eager %s", word_at(statement, 0));
        return rc;
}

static int start_member(struct frame *frame, const struct statement *statement, bool eager) {
        int rc;

        if (!frame->groups)
                return 0;
        rc = start_task(frame, statement, 0, &frame->groups->group, eager);
        if (rc == 0)
                say(frame, "%s %s", statement->verb->name, word_at(statement, 0));
        return rc;
}

int play_start(struct frame *frame, const struct statement *statement) {
        return start_member(frame, statement, false);
}

int play_start_eager(struct frame *frame, const struct statement *statement) {
        return start_member(frame, statement, true);
}

int play_start_in(struct frame *frame, const struct statement *statement) {
        const struct word *group = statement->arguments[0].word;
        struct slot *slot = slot_of(frame, group);
        int rc;

        if (!slot->group) {
                say(frame, "unknown %s", group->text);
                return 0;
        }
        rc = start_task(frame, statement, 1, slot->group, false);
        if (rc == 0)
                say(frame, "start_in %s %s", group->text, word_at(statement, 1));
        return rc;
}

int play_cancel(struct frame *frame, const struct statement *statement) {
        belay_task *task = known_task(frame, statement);
        const char *reason = statement->count > 1 ? word_at(statement, 1) : NULL;

        if (task)
                say(frame, "cancel %s -> %s", word_at(statement, 0),
                    belay_cancel(task, reason) ? "true" : "false");
        return 0;
}

int play_uncancel(struct frame *frame, const struct statement *statement) {
        belay_task *task = known_task(frame, statement);

        if (task)
                say(frame, "uncancel %s -> %d", word_at(statement, 0), belay_uncancel(task));
        return 0;
}

int play_cancelling(struct frame *frame, const struct statement *statement) {
        belay_task *task = known_task(frame, statement);

        if (task)
                say(frame, "cancelling %s -> %d", word_at(statement, 0), belay_cancelling(task));
        return 0;
}

int play_force_cancel(struct frame *frame, const struct statement *statement) {
        const char *name = word_at(statement, 0);
        int tries = (int) number_at(statement, 1);
        belay_task *task = known_task(frame, statement);
        int rc;

        if (!task)
                return 0;
        rc = belay_force_cancel(task, tries, number_at(statement, 2));
        if (rc == -ETIMEDOUT)
                say(frame, "force_cancel %s -> failed after %d", name, tries);
        else if (rc >= 0)
                say(frame, "force_cancel %s -> done after %d", name, rc);
        else
                return rc;
        return 0;
}

int play_state(struct frame *frame, const struct statement *statement) {
        belay_task *task = known_target(frame, statement);
        struct text state = { 0 };

        if (!task)
                return 0;
        name_outcome(task, &state);
        say(frame, "state %s -> %s", word_at(statement, 0), state.data);
        text_free(&state);
        return 0;
}

int play_await(struct frame *frame, const struct statement *statement) {
        belay_task *task = known_target(frame, statement);
        int rc, outcome = 0;

        if (!task)
                return 0;
        rc = belay_await(task, &outcome);
        if (rc == 0)
                rc = outcome;
        if (rc < 0)
                return rc;
        say(frame, "await %s -> %s", word_at(statement, 0), value_of(task));
        return 0;
}

int play_shield(struct frame *frame, const struct statement *statement) {
        belay_task *task = known_target(frame, statement);
        int rc, outcome = 0;

        if (!task)
                return 0;
        rc = belay_shield(task, &outcome);
        if (rc == 0)
                rc = outcome;
        if (rc < 0)
                return rc;
        say(frame, "shield %s -> %s", word_at(statement, 0), value_of(task));
        return 0;
}
