/* SPDX-License-Identifier: MIT */
/*
 * Waiting, waking, and what a wait comes to.
 *
 * Every wait goes the same way: a struct bly_wait on the waiter's stack says how a request for cancellation takes
 * it (`meet` or `next`); bly_suspend() gives way; whoever brings about what is waited for calls bly_wake(), once. The waiter
 * then asks for the verdict: bly_verdict() where a request that came before it ran again wins (asyncio's rule), its own
 * judgement where what happened wins.
 */
#ifndef BLY_WAIT_H
#define BLY_WAIT_H

#include "core/loop.h"

#include <belay/places.h>

/* The calling task. NULL outside of tasks, which is reported; the caller then returns -EPERM. */
belay_task *bly_no_waiter(const char *place, const char *what);

static inline belay_task *bly_waiter(const char *place, const char *what) {
        struct belay_loop *loop = bly_loop;

        if (likely(loop != NULL && loop->current != NULL))
                return loop->current;
        return bly_no_waiter(place, what);
}

/* Before a task gives way: what a test wants to know of, and a request that is pending and meets the wait first. */
void bly_before_wait(belay_task *self);

/*
 * The first half of bly_suspend(), for those that have something to do before they give way (bly_leave()) which no request
 * is to find done: self->wait is NULL if one that was pending met the wait and ended it.
 */
static inline __attribute__((always_inline)) void bly_begin_wait(belay_task *self, struct bly_wait *wait, const char *place) {
        struct belay_loop *loop = self->loop;

        self->wait = wait;
        self->place = place;
        self->since = loop->now;
        self->node.state = BLY_WAITING;
        if (unlikely(loop->on_wait != NULL || self->node.must_cancel))
                bly_before_wait(self);
}

/* Gives way until woken; task->wake says how. A request that is pending meets the wait first, as in asyncio. */
static inline __attribute__((always_inline)) void bly_suspend(belay_task *self, struct bly_wait *wait, const char *place) {
        bly_begin_wait(self, wait, place);
        bly_leave(self->loop, self);
}

/* Makes a waiting task ready: its wait ended with `code` (0, -ECANCELED, -EDEADLK). */
static inline void bly_wake(belay_task *task, int code) {
        if (unlikely(task->node.flags & BLY_TASK_ABANDONED))
                return;
        task->wait = NULL;
        task->wake = code;
        task->node.state = BLY_READY;
        bly_ready_push(task->loop, &task->node);
}

/*
 * What the wait that just ended comes to, if requests win: 0, -ECANCELED (delivered: its reason is what the task was left
 * with), or -EDEADLK. bly_settle() is the same for a task that knows it has something to settle.
 */
int bly_settle(belay_task *self);

static inline int bly_verdict(belay_task *self) {
        if (likely(self->wake == 0 && !self->node.must_cancel))
                return 0;
        return bly_settle(self);
}

static inline __attribute__((always_inline)) int bly_wait(belay_task *self, struct bly_wait *wait, const char *place) {
        bly_suspend(self, wait, place);
        return bly_verdict(self);
}

/* Lets the others run once: the task is ready all the time. No verdict. */
void bly_yield_slowly(belay_task *self);

/* The whole of a yield, where nothing is in its way: one switch, and no call but that. */
static inline void bly_yield_now(struct belay_loop *loop, belay_task *self, const char *place) {
        struct bly_node *node = loop->ready.head;

        self->place = place;
        if (likely(loop->switches > 0 && node != NULL && node->kind == BLY_NODE_TASK)) {
                struct bly_node *last = loop->ready.tail;

                /* With one other ready, what comes after it is us: not read back from where it was just written. */
                last->next = &self->node;
                self->node.next = NULL;
                loop->ready.head = last == node ? &self->node : node->next;
                loop->ready.tail = &self->node;
                bly_switch_over(loop, self, container_of(node, belay_task, node));
        } else {
                bly_yield_slowly(self);
        }
}

/*
 * Tries that need no wait: getting an item that is there, acquiring what is free, I/O that is ready. A task that never has to wait
 * would starve timers, descriptors, signals and others, so it gives way after so many tries. It does so before it tries, so that
 * nothing was done if a request is delivered there. bly_try(): 0, or -ECANCELED.
 *
 * Under a virtual clock acquiring costs nothing, as in asyncio, whose traces tell; I/O has a budget of its own there.
 */
int bly_try_slowly(const char *place);

static inline int bly_try(const char *place) {
        return likely(--bly_tries != 0) ? 0 : bly_try_slowly(place);
}

/* Delivers a request with this reason (taken over): origin, reason, -ECANCELED. */
int bly_deliver(belay_task *self, struct bly_text *reason);

/*
 * For waits in which what happened wins and which were detached before it happened: the request is pending
 * again, for the next wait.
 */
void bly_postpone(belay_task *self);
/*
 * The same after the verdict: a call that was made of several waits got -ECANCELED from the latest, and returns what it
 * has instead.
 */
void bly_undeliver(belay_task *self);

/* ---- requests (request.c) ---- */

struct bly_request {
        belay_origin_kind kind;
        const char *place;
        const char *reason;
        struct bly_text *shared_reason; /* instead of reason, where there is one already */
        belay_task *asker;
        int signal;
        int depth;              /* of the scope that asks; 0: from outside of all scopes */
        bool *in_vain;          /* if not NULL, gets: it went round in a circle, and nobody woke up for it */
};
enum { BLY_DEPTH_INNERMOST = 1 << 30 };

/* Asks for a task's cancellation. False if it is done. */
bool bly_request_cancel(belay_task *task, const struct bly_request *ask);

/* A pending request meets the wait that its task has just begun. */
void bly_meet_pending(belay_task *self);

/* What shielded regions hold back is pending from now on: for the next wait, or the one that is going on. */
void bly_let_through(belay_task *task);

/* Takes one request back: belay_uncancel(). */
int bly_uncancel(belay_task *task);

/* Wait classes of those who wait for the end of one task or of several are built on struct bly_pass. */
static inline void bly_pass_init(struct bly_pass *pass, belay_task *self, const struct bly_wait_class *class) {
        /* The rest is the walk's, which sets it when it comes here. */
        pass->wait.class = class;
        pass->task = self;
        pass->walking = false;
        pass->passed = false;
}

/* What was passed on was refused there, and is no request any more that is still to come: the next has an origin of its own. */
static inline void bly_pass_refused(const struct bly_pass *pass) {
        if (unlikely(pass->passed) && !(pass->task->node.flags & BLY_TASK_HELD))
                pass->task->node.flags &= (uint8_t) ~BLY_TASK_ORIGIN_FRESH;
}

enum bly_answer bly_detach(belay_task *task, struct bly_wait *wait);   /* nothing to undo */
enum bly_answer bly_refuse(belay_task *task, struct bly_wait *wait);

/* A wait that a timer of the task itself may end. */
void bly_timer_wakes(struct bly_timer *timer);

#endif
