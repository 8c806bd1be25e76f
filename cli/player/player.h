/* SPDX-License-Identifier: MIT */
/*
 * The declarations that the files of the player share.
 *
 * The player knows the language, and the library knows its meaning. A statement is the library call
 * of the same meaning, and its result is the call's return value.
 *
 * A function that plays something returns 0 to go on, or RETURNING if a `return` is under way (its
 * value is in the frame). Otherwise it returns a failure, whose detail is the calling task's latest
 * failure.
 */
#ifndef BELAY_CLI_PLAYER_PLAYER_H
#define BELAY_CLI_PLAYER_PLAYER_H

#include <belay.h>

#include "../common/text.h"
#include "../scenario/scenario.h"

enum {
        RETURNING = 1,
        SCENARIO_ERROR = -EIO, /* outcome of `raise error` and `set_error` */
        /* no further statement runs, because the scenario cannot be played */
        GIVING_UP = -ENOTRECOVERABLE,
};

/*
 * A scope's struct lives until the end of the scenario. After the scope was left, other tasks may
 * still query, reschedule and cancel it by its name.
 */
struct timeout_scope {
        belay_timeout timeout;
        struct timeout_scope *outer;
};

struct group_scope {
        belay_group group;
        struct group_scope *outer;
};

/* The objects that a word names, if any. There is one slot for each word of the scenario. */
struct slot {
        struct player *player;
        const char *word;
        /* true once a task of this name was started, or is being started */
        bool taken;
        belay_task *task;
        belay_future *future;
        belay_timeout *timeout;
        belay_group *group;
        belay_ticket ticket; /* ticket of the latest callback with this word */
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

/* A program that a task plays: the task's own, or one that `wait_for` plays within the task. */
struct frame {
        struct player *player;
        const char *label;
        struct word *value; /* value of the `return` under way */
        const belay_failure *handling;
        struct timeout_scope *timeouts; /* innermost first */
        struct group_scope *groups;
        unsigned depth;
};

/* Argument of a task. */
struct start {
        struct player *player;
        const char *label;
        const struct program *program;
};

/* run.c */
int play_block(struct frame *frame, const struct block *block);
int play_program(struct player *player, const char *label, const struct program *program,
                 unsigned depth, const char **value);
int play_task(void *arg);
/*
 * Stops the whole player: no further statement runs, and the scenario counts as one that cannot be
 * played. Returns GIVING_UP.
 */
int give_up(struct player *player, int line, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

/* events.c */
void say(struct frame *frame, const char *format, ...) __attribute__((format(printf, 2, 3)));
void say_as(struct player *player, belay_time now, const char *label, const char *format, ...)
        __attribute__((format(printf, 4, 5)));
/*
 * name_failure() adds the name of a failure. name_outcome() adds the outcome of a task or future,
 * or `pending`.
 */
void name_failure(const belay_failure *failure, struct text *name);
void name_outcome(belay_task *task, struct text *name);
bool failure_is(const belay_failure *failure, enum failure_kind kind);

/*
 * names.c
 *
 * known_task() returns the task that the statement's first word names, and known_target() the task
 * or future. If there is none, they add the event `unknown` and return NULL.
 */
belay_task *known_task(struct frame *frame, const struct statement *statement);
belay_task *known_target(struct frame *frame, const struct statement *statement);
/* Returns the task or future of this name, or NULL if there is none. */
belay_task *named(const struct frame *frame, const struct word *word);
struct slot *slot_of(const struct frame *frame, const struct word *word);
union thing *thing_of(const struct frame *frame, const struct argument *argument);
/* Returns the value with which the task ended, or `-` if there is none. */
const char *value_of(const belay_task *task);

static inline const char *word_at(const struct statement *statement, size_t index) {
        return statement->arguments[index].word->text;
}

static inline int64_t number_at(const struct statement *statement, size_t index) {
        return statement->arguments[index].number;
}

#endif
