/* SPDX-License-Identifier: MIT */
/*
 * Plays a scenario from the start of the loop to the complete trace: the loop, the objects, tasks,
 * programs and blocks.
 */
#include <stdlib.h>
#include <string.h>

#include "play.h"
#include "player.h"

enum {
        STACK = 256 * 1024, /* nested blocks are nested calls */
        DEEPEST = 128,
        MOST_STEPS = 1000000,
        QUEUES = OBJECT_QUEUE | OBJECT_LIFO | OBJECT_PRIORITY,
};

int give_up(struct player *player, int line, const char *format, ...) {
        va_list list;

        if (player->giving_up)
                return GIVING_UP;
        player->giving_up = true;
        text_add(player->trouble, "%s:%d: ", player->scenario->path, line);
        va_start(list, format);
        text_add_list(player->trouble, format, list);
        va_end(list);
        return GIVING_UP;
}

static int play_statement(struct frame *frame, const struct statement *statement) {
        struct player *player = frame->player;
        int rc;

        if (player->giving_up)
                return GIVING_UP;
        if (++player->steps > MOST_STEPS)
                return give_up(player, statement->line,
                               "more than %d statements: the scenario does not end", MOST_STEPS);
        rc = statement->verb->play(frame, statement);
        return player->giving_up ? GIVING_UP : rc;
}

int play_block(struct frame *frame, const struct block *block) {
        int rc = 0;

        if (frame->depth >= DEEPEST)
                return give_up(frame->player, block->first ? block->first->line : 0,
                               "programs and blocks within each other, more than %d deep", DEEPEST);
        frame->depth++;
        for (const struct statement *each = block->first; each && rc == 0; each = each->next)
                rc = play_statement(frame, each);
        frame->depth--;
        return rc;
}

int play_program(struct player *player, const char *label, const struct program *program,
                 unsigned depth, const char **value) {
        struct frame frame = { .player = player, .label = label, .depth = depth };
        int rc = play_block(&frame, &program->body);

        *value = rc == RETURNING ? frame.value->text : "-";
        return rc < 0 ? rc : 0;
}

static void say_failed(struct player *player, const char *label, const belay_failure *failure) {
        struct text name = { 0 };

        if (belay_failure_code(failure) == -ECANCELED)
                text_add(&name, "cancelled");
        else
                name_failure(failure, &name);
        say_as(player, belay_now(), label, "done %s", name.data);
        text_free(&name);
}

int play_task(void *arg) {
        const struct start *start = arg;
        struct player *player = start->player;
        belay_failure *failure;
        const char *value;
        int rc;

        say_as(player, belay_now(), start->label, "start");
        rc = play_program(player, start->label, start->program, 0, &value);
        if (rc < 0) {
                failure = belay_failure_take(rc);
                say_failed(player, start->label, failure);
                return belay_failure_raise(failure);
        }
        say_as(player, belay_now(), start->label, "done ok:%s", value);
        /* No destructor, because the scenario owns its words and outlives the task. */
        return belay_set_value((char *) value, NULL);
}

static int compare_words(const void *a, const void *b) {
        return strcmp(a, b);
}

static int make_queue(const struct object *object, union thing *thing) {
        thing->queue = belay_queue_new_with(
                BELAY_OPTIONS(belay_queue_options, .capacity = object->size,
                              .order = object->kind == OBJECT_LIFO       ? BELAY_QUEUE_LIFO
                                       : object->kind == OBJECT_PRIORITY ? BELAY_QUEUE_PRIORITY
                                                                         : BELAY_QUEUE_FIFO,
                              .compare = compare_words, .name = object->name->text));
        return thing->queue ? 0 : -errno;
}

static int make_object(struct player *player, const struct object *object) {
        union thing *thing = &player->things[object->index];
        struct slot *slot = &player->slots[object->name->index];

        switch (object->kind) {
        case OBJECT_LOCK:
        case OBJECT_EVENT:
                return 0; /* all zero is a valid object */
        case OBJECT_SEMAPHORE:
                belay_semaphore_init(&thing->semaphore, object->size);
                return 0;
        case OBJECT_BOUNDED:
                belay_semaphore_init_bounded(&thing->semaphore, object->size);
                return 0;
        case OBJECT_CONDITION:
                if (object->lock)
                        belay_condition_init(&thing->condition,
                                             &player->things[object->lock->index].lock);
                return 0;
        case OBJECT_QUEUE:
        case OBJECT_LIFO:
        case OBJECT_PRIORITY:
                return make_queue(object, thing);
        case OBJECT_BARRIER:
                return belay_barrier_init(&thing->barrier, object->size);
        case OBJECT_FUTURE:
                slot->future = belay_future_new();
                return slot->future ? 0 : -errno;
        }
        return -EINVAL;
}

static int play_main(void *arg) {
        struct start *start = arg;
        struct player *player = start->player;
        struct slot *slot = &player->slots[start->program->name->index];

        slot->task = belay_ref(belay_self());
        slot->taken = true;
        /* Made here and not before the loop runs, because futures need a running loop. */
        for (const struct object *each = player->scenario->objects; each; each = each->next) {
                int rc = make_object(player, each);

                if (rc < 0)
                        return give_up(player, each->line, "cannot make '%s': %s", each->name->text,
                                       strerror(-rc));
        }
        return play_task(start);
}

static void run_loop(struct player *player) {
        const struct scenario *scenario = player->scenario;
        struct start start = { player, "main", scenario->main };
        belay_loop *loop;
        int rc, outcome;

        loop = belay_loop_new(BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL,
                                            .stack_size = STACK, .no_signals = true));
        if (!loop) {
                give_up(player, scenario->line, "no loop: %s", strerror(errno));
                return;
        }
        rc = belay_loop_run(loop, play_main, &start, &outcome);
        if (rc == -EINTR)
                say_as(player, belay_loop_now(loop), "runner", "interrupted");
        else if (rc < 0)
                give_up(player, scenario->line, "the loop did not run: %s", strerror(-rc));
        rc = belay_loop_close(loop);
        if (rc < 0)
                give_up(player, scenario->line, "the loop did not close: %s", strerror(-rc));
}

static void free_objects(struct player *player) {
        const struct scenario *scenario = player->scenario;

        for (const struct object *each = scenario->objects; each; each = each->next)
                if (each->kind & QUEUES && player->things[each->index].queue)
                        belay_queue_free(player->things[each->index].queue);
        for (size_t i = 0; i < scenario->word_count; i++) {
                belay_release(player->slots[i].task);
                belay_release(player->slots[i].future);
        }
}

bool play_scenario(const struct scenario *scenario, struct text *trace, struct text *trouble) {
        struct player player = { .scenario = scenario, .trace = trace, .trouble = trouble };

        player.slots = arena_take(&player.arena, scenario->word_count * sizeof(*player.slots));
        player.things = arena_take(&player.arena, scenario->object_count * sizeof(*player.things));
        for (const struct word *word = scenario->words; word; word = word->next) {
                player.slots[word->index].player = &player;
                player.slots[word->index].word = word->text;
        }
        run_loop(&player);
        free_objects(&player);
        arena_free(&player.arena);
        return !player.giving_up;
}
