/* SPDX-License-Identifier: MIT */
/*
 * Statements about scopes: timeouts and groups.
 */
#include "statements.h"

int play_timeout(struct frame *frame, const struct statement *statement) {
        struct timeout_scope *scope = arena_take(&frame->player->arena, sizeof(*scope));
        int rc;

        rc = belay_timeout_enter(&scope->timeout, number_at(statement, 0));
        if (rc < 0)
                return rc;
        scope->outer = frame->timeouts;
        frame->timeouts = scope;
        if (statement->count > 1)
                slot_of(frame, statement->arguments[1].word)->timeout = &scope->timeout;
        rc = play_block(frame, &statement->body);
        frame->timeouts = scope->outer;
        rc = belay_timeout_leave(&scope->timeout, rc);
        if (rc >= 0)
                say(frame, "timeout left");
        return rc;
}

int play_reschedule(struct frame *frame, const struct statement *statement) {
        const char *name = statement->count > 1 ? word_at(statement, 1) : NULL;
        belay_timeout *timeout;

        if (name)
                timeout = slot_of(frame, statement->arguments[1].word)->timeout;
        else
                timeout = frame->timeouts ? &frame->timeouts->timeout : NULL;
        if (!timeout) {
                if (name)
                        say(frame, "unknown %s", name);
        } else if (belay_timeout_reschedule(timeout, number_at(statement, 0)) < 0) {
                say(frame, "reschedule %s%s-> %s", name ? name : "", name ? " " : "",
                    belay_timeout_expired(timeout) ? "expired" : "left");
        }
        return 0;
}

int play_expired(struct frame *frame, const struct statement *statement) {
        const struct word *name = statement->arguments[0].word;
        const belay_timeout *timeout = slot_of(frame, name)->timeout;

        if (timeout)
                say(frame, "expired %s -> %s", name->text,
                    belay_timeout_expired(timeout) ? "true" : "false");
        else
                say(frame, "unknown %s", name->text);
        return 0;
}

struct inlined {
        struct frame *frame;
        const struct program *program;
        const char *value;
};

static int play_inlined(void *arg) {
        struct inlined *inlined = arg;

        return play_program(inlined->frame->player, inlined->frame->label, inlined->program,
                            inlined->frame->depth, &inlined->value);
}

int play_wait_for(struct frame *frame, const struct statement *statement) {
        struct word *word = statement->arguments[1].word;
        belay_time span = number_at(statement, 0);
        struct inlined inlined = { frame, word->program, "-" };
        belay_task *task = NULL;
        int rc, outcome = 0;

        if (word->program) {
                rc = belay_wait_for(play_inlined, &inlined, span);
        } else if ((task = named(frame, word))) {
                rc = belay_await_for(task, span, &outcome);
                if (rc == 0)
                        rc = outcome;
        } else {
                say(frame, "unknown %s", word->text);
                return 0;
        }
        if (rc < 0)
                return rc;
        say(frame, "wait_for %s -> %s", word->text, task ? value_of(task) : inlined.value);
        return 0;
}

int play_group(struct frame *frame, const struct statement *statement) {
        struct group_scope *scope = arena_take(&frame->player->arena, sizeof(*scope));
        int rc;

        rc = belay_group_enter(&scope->group);
        if (rc < 0)
                return rc;
        scope->outer = frame->groups;
        frame->groups = scope;
        if (statement->count > 0)
                slot_of(frame, statement->arguments[0].word)->group = &scope->group;
        rc = play_block(frame, &statement->body);
        frame->groups = scope->outer;
        rc = belay_group_leave(&scope->group, rc);
        if (rc >= 0)
                say(frame, "group left");
        return rc;
}

int play_cancel_group(struct frame *frame, const struct statement *statement) {
        belay_group *group;

        if (statement->count == 0) {
                if (!frame->groups)
                        return 0;
                belay_group_cancel(&frame->groups->group);
                say(frame, "cancel_group");
                return 0;
        }
        group = slot_of(frame, statement->arguments[0].word)->group;
        if (group)
                belay_group_cancel(group);
        say(frame, "%s %s", group ? "cancel_group" : "unknown", word_at(statement, 0));
        return 0;
}
