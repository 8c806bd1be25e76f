/* SPDX-License-Identifier: MIT */
/*
 * Statements about callbacks. A callback is identified by the slot of its word, so that a later
 * statement with the same word can withdraw it.
 */
#include "statements.h"

static void on_done(belay_task *task, void *arg) {
        struct slot *slot = arg;

        (void) task;
        say_as(slot->player, belay_now(), "callback", "%s", slot->word);
}

static void on_time(void *arg) {
        struct slot *slot = arg;

        say_as(slot->player, belay_now(), "callback", "%s", slot->word);
}

int play_on_done(struct frame *frame, const struct statement *statement) {
        belay_task *task = known_target(frame, statement);

        return task ? belay_on_done(task, on_done, slot_of(frame, statement->arguments[1].word))
                    : 0;
}

int play_off_done(struct frame *frame, const struct statement *statement) {
        const struct word *target = statement->arguments[0].word,
                          *word = statement->arguments[1].word;
        belay_task *task = known_target(frame, statement);

        if (task)
                say(frame, "off_done %s %s -> %d", target->text, word->text,
                    belay_off_done(task, on_done, slot_of(frame, word)));
        return 0;
}

int play_soon(struct frame *frame, const struct statement *statement) {
        struct slot *slot = slot_of(frame, statement->arguments[0].word);

        slot->ticket = belay_soon(on_time, slot);
        return slot->ticket ? 0 : -errno;
}

int play_later(struct frame *frame, const struct statement *statement) {
        struct slot *slot = slot_of(frame, statement->arguments[1].word);

        slot->ticket = belay_later(number_at(statement, 0), on_time, slot);
        return slot->ticket ? 0 : -errno;
}

int play_cancel_timer(struct frame *frame, const struct statement *statement) {
        struct slot *slot = slot_of(frame, statement->arguments[0].word);

        if (slot->ticket)
                belay_timer_cancel(slot->ticket);
        else
                say(frame, "unknown %s", slot->word);
        return 0;
}
