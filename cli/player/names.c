/* SPDX-License-Identifier: MIT */
/*
 * Finds the tasks, objects and values that the names in a scenario stand for.
 */
#include "player.h"

struct slot *slot_of(const struct frame *frame, const struct word *word) {
        return &frame->player->slots[word->index];
}

union thing *thing_of(const struct frame *frame, const struct argument *argument) {
        return &frame->player->things[argument->word->object->index];
}

belay_task *named(const struct frame *frame, const struct word *word) {
        struct slot *slot = slot_of(frame, word);

        return slot->task ? slot->task : slot->future;
}

belay_task *known_task(struct frame *frame, const struct statement *statement) {
        const struct word *word = statement->arguments[0].word;
        belay_task *task = word->is_self ? belay_self() : slot_of(frame, word)->task;

        if (!task)
                say(frame, "unknown %s", word->text);
        return task;
}

belay_task *known_target(struct frame *frame, const struct statement *statement) {
        const struct word *word = statement->arguments[0].word;
        belay_task *task = word->is_self ? belay_self() : named(frame, word);

        if (!task)
                say(frame, "unknown %s", word->text);
        return task;
}

const char *value_of(const belay_task *task) {
        const char *value = belay_value(task);

        return value ? value : "-";
}
