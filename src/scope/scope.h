/* SPDX-License-Identifier: MIT */
/*
 * What scopes have in common: they nest in a task, and are left in the reverse order.
 */
#ifndef BLY_SCOPE_H
#define BLY_SCOPE_H

#include "task/await.h"

#include <belay/scope.h>

enum bly_scope_kind {
        BLY_SCOPE_TIMEOUT,
        BLY_SCOPE_GROUP,
        BLY_SCOPE_SHIELD,
};

enum bly_scope_state {
        BLY_SCOPE_ENTERED = 1,
        BLY_SCOPE_EXPIRING,     /* a time limit has struck */
        BLY_SCOPE_EXPIRED,      /* and was left */
        BLY_SCOPE_LEFT,
};

/* The beginning of every scope. */
struct bly_scope {
        struct bly_scope *outer;
        belay_task *task;       /* NULL when left */
        const char *place;
        uint8_t kind;
        uint8_t state;
        int depth;              /* 1 for the outermost */
};

/* Enters: -EPERM outside a task (reported). */
int bly_scope_enter(struct bly_scope *scope, enum bly_scope_kind kind, const char *place);

/* Checks that the calling task may leave it now: the task, or NULL, which is reported; the caller returns -EPERM. */
belay_task *bly_scope_check(const struct bly_scope *scope, enum bly_scope_kind kind, const char *place);

void bly_scope_leave(struct bly_scope *scope, enum bly_scope_state state);

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

/* For a task that ended in scopes it had not left: takes every timer, member and mark of them out of the world. */
void bly_forget_scopes(belay_task *task);

/* A span of no time strikes through the ready queue, a span through the clock; taken back alike. */
struct bly_alarm {
        struct bly_timer timer;
        belay_ticket ticket;    /* 0 unless it stands in the ready queue */
};
int bly_alarm_set(struct belay_loop *loop, struct bly_alarm *alarm, belay_time when, void (*fire)(struct bly_timer *timer));
void bly_alarm_off(struct belay_loop *loop, struct bly_alarm *alarm);

/* How the scopes begin that may have a limit, time limits and shielded regions: for those who look inside. */
struct bly_limited {
        struct bly_scope scope;
        struct bly_alarm alarm;
        belay_time when;        /* BELAY_NEVER: none */
};

#endif
