/* SPDX-License-Identifier: MIT */
/*
 * What the files of the player share. The player knows the language, the library knows what it means: a
 * statement is the call of the same meaning, and what that returns is what the statement came to.
 *
 * Playing something returns 0 to go on, RETURNING when a `return` is under way (its value is in the frame),
 * or a failure, whose detail is with the calling task as the library left it there.
 */
#pragma once

#include <belay.h>

#include "../common/text.h"
#include "../scenario/scenario.h"

enum {
        RETURNING = 1,
        SCENARIO_ERROR = -EIO,        /* what `raise error` and `set_error` fail with */
        GIVING_UP = -ENOTRECOVERABLE, /* the scenario is beyond playing; no statement runs any more */
};

/*
 * Scopes outlive their being left: other tasks may ask, move and cancel them by name until the end of the
 * scenario.
 */
struct timeout_scope {
        belay_timeout timeout;
        struct timeout_scope *outer;
};

struct group_scope {
        belay_group group;
        struct group_scope *outer;
};

/* What a word names, if anything: one for each word of the scenario. */
struct slot {
        struct player *player;
        const char *word;
        bool taken;                   /* a task of this name was started, or is being started */
        belay_task *task;
        belay_future *future;
        belay_timeout *timeout;
        belay_group *group;
        belay_ticket ticket;          /* of the latest callback with this word */
};

/* An object of the scenario. */
union thing {
        belay_lock lock;
        belay_semaphore semaphore;
        belay_event event;
        belay_condition condition;
        belay_queue *queue;
        belay_barrier barrier;
};

struct player {
        const struct scenario *scenario;
        struct arena arena;
        struct slot *slots;
        union thing *things;
        struct text *trace;
        struct text *trouble;
        unsigned events, steps;
        bool giving_up;
};

/* A program being played by a task: its own, or one that `wait_for` plays inside of it. */
struct frame {
        struct player *player;
        const char *label;
        struct word *value;           /* of the `return` under way */
        const belay_failure *handling;
        struct timeout_scope *timeouts;  /* innermost first */
        struct group_scope *groups;
        unsigned depth;
};

/* What a task is started with. */
struct start {
        struct player *player;
        const char *label;
        const struct program *program;
};

/* run.c */
int play_block(struct frame *frame, const struct block *block);
int play_program(struct player *player, const char *label, const struct program *program, unsigned depth,
                 const char **value);
int play_task(void *arg);
/*
 * Ends the whole: nothing runs any more, and the scenario counts as one that cannot be played. Returns
 * GIVING_UP.
 */
int give_up(struct player *player, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* events.c */
void say(struct frame *frame, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_as(struct player *player, belay_time now, const char *label, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
/* Adds what a failure is called; how a task or future ended, or `pending`. */
void name_failure(const belay_failure *failure, struct text *name);
void name_outcome(belay_task *task, struct text *name);
bool failure_is(const belay_failure *failure, enum failure_kind kind);

/*
 * names.c: the task that the statement's first word names, or the task or future. Where there is none, the
 * event `unknown` is left, and NULL returned.
 */
belay_task *known_task(struct frame *frame, const struct statement *statement);
belay_task *known_target(struct frame *frame, const struct statement *statement);
/* A task or future by its name alone: NULL where there is none. */
belay_task *named(const struct frame *frame, const struct word *word);
struct slot *slot_of(const struct frame *frame, const struct word *word);
union thing *thing_of(const struct frame *frame, const struct argument *argument);
/* The value that it ended with, `-` for none. */
const char *value_of(const belay_task *task);

static inline const char *word_at(const struct statement *statement, size_t index)
{
        return statement->arguments[index].word->text;
}

static inline int64_t number_at(const struct statement *statement, size_t index)
{
        return statement->arguments[index].number;
}
