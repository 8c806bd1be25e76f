/* SPDX-License-Identifier: MIT */
/*
 * What scopes have in common: they nest in a task, and are left in the reverse order.
 */
#ifndef BLY_SCOPE_H
#define BLY_SCOPE_H

#include "core/upcalls.h"
#include "core/await.h"

#include <belay/scope.h>

enum bly_scope_kind {
        BLY_SCOPE_TIMEOUT,
        BLY_SCOPE_GROUP,
        BLY_SCOPE_SHIELD,
};

enum bly_scope_state {
        BLY_SCOPE_ENTERED = 1,
        BLY_SCOPE_EXPIRING,     /* a time limit has struck; it stays so when it was left */
};

/* The beginning of every scope. */
struct bly_scope {
        struct bly_scope *outer;
        belay_task *task;
        const char *place;
        /*
         * Its own address with its kind while it is in force, the complement of that when it was left. The storage is the
         * caller's, and may hold anything before it is entered: this tells a scope from that, and from a copy.
         */
        uintptr_t mark;
        uint8_t kind;
        uint8_t state;
        int depth;              /* 1 for the outermost */
};

static inline uintptr_t bly_scope_mark(const struct bly_scope *scope, enum bly_scope_kind kind) {
        return (uintptr_t) scope | (uintptr_t) kind;
}

static inline bool bly_scope_is_in_force(const struct bly_scope *scope) {
        return scope->mark - (uintptr_t) scope <= BLY_SCOPE_SHIELD;
}

static inline bool bly_scope_was_left(const struct bly_scope *scope) {
        return ~scope->mark - (uintptr_t) scope <= BLY_SCOPE_SHIELD;
}

/* Was it entered as this? */
static inline bool bly_scope_is(const struct bly_scope *scope, enum bly_scope_kind kind) {
        return scope->mark == bly_scope_mark(scope, kind) || scope->mark == ~bly_scope_mark(scope, kind);
}

/* Itself, NULL if there is none or it was overwritten while it was in force: then it cannot be read. */
static inline struct bly_scope *bly_scope_readable(struct bly_scope *scope) {
        return scope != NULL && likely(bly_scope_is_in_force(scope)) ? scope : NULL;
}

/* The innermost scope of a task, and the one around a scope, as far as they can be read. */
static inline struct bly_scope *bly_scope_of(const belay_task *task) {
        return bly_scope_readable(task->scope);
}

static inline struct bly_scope *bly_scope_outer(const struct bly_scope *scope) {
        return bly_scope_readable(scope->outer);
}

/* Nothing is around it, and it is not that one: what is true of most scopes within another. */
static inline bool bly_scope_is_the_only(const struct bly_scope *scope, const struct bly_scope *other) {
        return scope != other && bly_scope_is_in_force(scope) && scope->outer == NULL;
}

/* Reports why a scope cannot be left now: NULL. */
belay_task *bly_scope_wrong(struct bly_scope *scope, enum bly_scope_kind kind, const char *place);

static inline void bly_scope_begin(struct bly_scope *scope, enum bly_scope_kind kind, const char *place, belay_task *self) {
        struct bly_scope *outer = self->scope;

        scope->outer = outer;
        scope->task = self;
        scope->place = place;
        scope->mark = bly_scope_mark(scope, kind);
        scope->kind = (uint8_t) kind;
        scope->state = BLY_SCOPE_ENTERED;
        scope->depth = outer != NULL ? outer->depth + 1 : 1;
        self->scope = scope;
}

/* The same as bly_scope_enter(), with a closer look at the storage. */
int bly_scope_enter_slowly(struct bly_scope *scope, enum bly_scope_kind kind, const char *place);

/*
 * Enters: -EPERM outside a task, and if the scope is in force, which is reported. Then nothing was written. A checker would
 * complain of a look at storage that nothing has written yet, so under a checker the slow way comes first.
 */
static inline __attribute__((always_inline)) int bly_scope_enter(struct bly_scope *scope, enum bly_scope_kind kind,
                                                                 const char *place) {
        belay_task *self = bly_current();

        if (unlikely(self == NULL || bly_tools != 0 || bly_scope_is_in_force(scope)
                     || (self->scope != NULL && !bly_scope_is_the_only(self->scope, scope))))
                return bly_scope_enter_slowly(scope, kind, place);
        bly_scope_begin(scope, kind, place, self);
        return 0;
}

/* Checks that the calling task may leave it now: the task, or NULL, which is reported; the caller returns -EPERM. */
static inline belay_task *bly_scope_check(struct bly_scope *scope, enum bly_scope_kind kind, const char *place) {
        belay_task *self = bly_current();

        if (likely(self != NULL && self->scope == scope && scope->mark == bly_scope_mark(scope, kind)))
                return self;
        return bly_scope_wrong(scope, kind, place);
}

static inline void bly_scope_leave(struct bly_scope *scope) {
        scope->task->scope = scope->outer;
        scope->mark = ~scope->mark;
}

/* How many requests a scope counts: those that a shielded region does not hold back from it. */
static inline int bly_visible_requests(const belay_task *task) {
        return task->requests - task->held;
}

/* Takes one of these back; returns how many are left. */
static inline int bly_uncancel_visible(belay_task *task) {
        int held = task->held;

        bly_uncancel(task);
        return task->requests - held;
}

/* A span of no time strikes through the ready queue, a span through the clock; taken back alike. */
struct bly_alarm {
        struct bly_timer timer;
        belay_ticket ticket;    /* 0 unless it stands in the ready queue */
};
/* `over`: there is no time at all, whatever the clock says, which is then not asked. */
int bly_alarm_set(struct belay_loop *loop, struct bly_alarm *alarm, belay_time when, bool over,
                  void (*fire)(struct bly_timer *timer));
void bly_alarm_off(struct belay_loop *loop, struct bly_alarm *alarm);

/*
 * For a task that is about to have something done which can hardly be taken back, and takes a while. If a time limit of the task is
 * over and has not struck yet, the task gives way, so that it does: 0 or -ECANCELED.
 */
int bly_meet_limit_slowly(belay_task *self, const char *place);

static inline int bly_meet_limit(belay_task *self, const char *place) {
        return likely(self->scope == NULL) ? 0 : bly_meet_limit_slowly(self, place);
}

/* How the scopes begin that may have a limit, time limits and shielded regions: for those who look inside. */
struct bly_limited {
        struct bly_scope scope;
        struct bly_alarm alarm;
        belay_time when;        /* BELAY_NEVER: none */
};

#endif
