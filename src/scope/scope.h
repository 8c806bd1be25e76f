/* SPDX-License-Identifier: MIT */
/*
 * The part that all scopes have in common. Scopes nest in a task, and the task leaves them in the
 * reverse order.
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
        BLY_SCOPE_EXPIRING, /* a timeout has expired; kept after the scope was left */
};

/* First member of every scope. */
struct bly_scope {
        struct bly_scope *outer;
        belay_task *task;
        const char *place;
        /*
         * The scope's address combined with its kind while it is in force, and the complement of
         * that after it was left. The caller's storage may contain any bytes before the task enters
         * the scope. The mark distinguishes a scope from such bytes and from a copy of a scope.
         */
        uintptr_t mark;
        uint8_t kind;
        uint8_t state;
        int depth; /* 1 for the outermost scope */
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

/* Returns whether the scope was entered as this kind. The task may have left it since. */
static inline bool bly_scope_is(const struct bly_scope *scope, enum bly_scope_kind kind) {
        return scope->mark == bly_scope_mark(scope, kind)
               || scope->mark == ~bly_scope_mark(scope, kind);
}

/*
 * Returns the scope, or NULL if there is none. Also returns NULL if the scope was overwritten while
 * it was in force, since it cannot be read then.
 */
static inline struct bly_scope *bly_scope_readable(struct bly_scope *scope) {
        return scope != NULL && likely(bly_scope_is_in_force(scope)) ? scope : NULL;
}

/*
 * Return the innermost scope of a task, and the scope around a scope. They return NULL if there is
 * none that can be read.
 */
static inline struct bly_scope *bly_scope_of(const belay_task *task) {
        return bly_scope_readable(task->scope);
}

static inline struct bly_scope *bly_scope_outer(const struct bly_scope *scope) {
        return bly_scope_readable(scope->outer);
}

/*
 * Returns whether the scope is in force without a scope around it, and is not `other`. This is the
 * common case when a scope is entered within another.
 */
static inline bool bly_scope_is_the_only(const struct bly_scope *scope,
                                         const struct bly_scope *other) {
        return scope != other && bly_scope_is_in_force(scope) && scope->outer == NULL;
}

/* Reports why the calling task cannot leave the scope. Returns NULL. */
belay_task *bly_scope_wrong(struct bly_scope *scope, enum bly_scope_kind kind, const char *place);

static inline void bly_scope_begin(struct bly_scope *scope, enum bly_scope_kind kind,
                                   const char *place, belay_task *self) {
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

/* Does the same as bly_scope_enter(), with thorough checks of the storage. */
int bly_scope_enter_slowly(struct bly_scope *scope, enum bly_scope_kind kind, const char *place);

/*
 * Enters a scope. Outside of a task, or if the scope is in force already, reports misuse and
 * returns -EPERM. The scope is not entered then.
 *
 * A memory checker would complain about a read of storage that nothing has written. Under a checker
 * the slow function therefore comes first. For Valgrind, it declares the storage written.
 */
static inline __attribute__((always_inline)) int
bly_scope_enter(struct bly_scope *scope, enum bly_scope_kind kind, const char *place) {
        belay_task *self = bly_current();

        if (unlikely(self == NULL || bly_tools != 0 || bly_scope_is_in_force(scope)
                     || (self->scope != NULL && !bly_scope_is_the_only(self->scope, scope))))
                return bly_scope_enter_slowly(scope, kind, place);
        bly_scope_begin(scope, kind, place, self);
        return 0;
}

/*
 * Checks that the calling task may leave the scope. Returns the task. If it may not leave, reports
 * that and returns NULL, and the caller returns -EPERM.
 */
static inline belay_task *bly_scope_check(struct bly_scope *scope, enum bly_scope_kind kind,
                                          const char *place) {
        belay_task *self = bly_current();

        if (likely(self != NULL && self->scope == scope
                   && scope->mark == bly_scope_mark(scope, kind)))
                return self;
        return bly_scope_wrong(scope, kind, place);
}

static inline void bly_scope_leave(struct bly_scope *scope) {
        scope->task->scope = scope->outer;
        scope->mark = ~scope->mark;
}

/* Returns the number of requests that count for a scope: those that no shield holds back. */
static inline int bly_visible_requests(const belay_task *task) {
        return task->requests - task->held;
}

/* Withdraws one of these requests. Returns how many are left. */
static inline int bly_uncancel_visible(belay_task *task) {
        int held = task->held;

        bly_uncancel(task);
        return task->requests - held;
}

/*
 * The alarm of a scope with a limit. If no time is left when it is set, the alarm goes through the
 * ready queue, and otherwise through a timer. bly_alarm_off() withdraws both.
 */
struct bly_alarm {
        struct bly_timer timer;
        belay_ticket ticket; /* 0 unless the alarm is in the ready queue */
};
/*
 * Sets the alarm. If `over` is set, no time is left, whatever the clock says. Returns 0 or -ENOMEM.
 */
int bly_alarm_set(struct belay_loop *loop, struct bly_alarm *alarm, belay_time when, bool over,
                  void (*fire)(struct bly_timer *timer));
void bly_alarm_off(struct belay_loop *loop, struct bly_alarm *alarm);

/*
 * For a task that is about to start work that takes a while and can hardly be undone. If a timeout
 * of the task is due and has not expired yet, the task yields so that it expires. Returns 0 or
 * -ECANCELED.
 */
int bly_reach_limit_slowly(belay_task *self, const char *place);

static inline int bly_reach_limit(belay_task *self, const char *place) {
        return likely(self->scope == NULL) ? 0 : bly_reach_limit_slowly(self, place);
}

/* First members of scopes that may have a limit: timeouts and shielded regions. For inspect/. */
struct bly_limited {
        struct bly_scope scope;
        struct bly_alarm alarm;
        belay_time when; /* BELAY_NEVER if there is no limit */
};

#endif
