/* SPDX-License-Identifier: MIT */
/*
 * Waiting, waking and verdicts.
 *
 * All waits work in the same way. A struct bly_wait on the task's stack says how the wait handles a
 * cancellation request, by `on_request` or `next` of its class. bly_suspend() then lets other tasks
 * run, and the function that causes the event calls bly_wake() once.
 *
 * After that the task determines its verdict. bly_verdict() lets a request win that arrived before
 * the task ran again, which is asyncio's rule. Waits that must not discard completed work decide
 * the verdict themselves.
 */
#ifndef BLY_WAIT_H
#define BLY_WAIT_H

#include "core/loop.h"

#include <belay/places.h>

/*
 * Returns the calling task. Outside of tasks, reports a misuse and returns NULL; the caller must
 * then return -EPERM.
 */
belay_task *bly_no_waiter(const char *place, const char *what);

static inline belay_task *bly_waiter(const char *place, const char *what) {
        struct belay_loop *loop = bly_loop;

        if (likely(loop != NULL && loop->current != NULL))
                return loop->current;
        return bly_no_waiter(place, what);
}

/*
 * Called before a task yields. Calls the hook of a test, then lets the wait handle a pending
 * request.
 */
void bly_before_wait(belay_task *self);

/*
 * The first half of bly_suspend(), for a caller with work to do before bly_leave(). If a pending
 * request has ended the wait, self->wait is NULL and the caller must skip that work.
 */
static inline __attribute__((always_inline)) void
bly_begin_wait(belay_task *self, struct bly_wait *wait, const char *place) {
        struct belay_loop *loop = self->loop;

        self->wait = wait;
        self->place = place;
        self->since = loop->now;
        self->node.state = BLY_WAITING;
        if (unlikely(loop->on_wait != NULL || self->node.must_cancel))
                bly_before_wait(self);
}

/*
 * Lets other tasks run until the task is woken; task->wake then says how. As in asyncio, a pending
 * request reaches the wait first.
 */
static inline __attribute__((always_inline)) void
bly_suspend(belay_task *self, struct bly_wait *wait, const char *place) {
        bly_begin_wait(self, wait, place);
        bly_leave(self->loop, self);
}

/* Makes a waiting task ready. `code` says how its wait ended: 0, -ECANCELED or -EDEADLK. */
static inline void bly_wake(belay_task *task, int code) {
        if (unlikely(task->node.flags & BLY_TASK_ABANDONED))
                return;
        task->wait = NULL;
        task->wake = code;
        task->node.state = BLY_READY;
        bly_ready_push(task->loop, &task->node);
}

/*
 * Returns the verdict of the wait that just ended, if requests win: 0, -ECANCELED or -EDEADLK. With
 * -ECANCELED the request is delivered, and its reason is the latest failure. bly_verdict() is the
 * fast path, for the common case in which there is nothing to settle.
 */
int bly_settle(belay_task *self);

static inline int bly_verdict(belay_task *self) {
        if (likely(self->wake == 0 && !self->node.must_cancel))
                return 0;
        return bly_settle(self);
}

static inline __attribute__((always_inline)) int bly_wait(belay_task *self, struct bly_wait *wait,
                                                          const char *place) {
        bly_suspend(self, wait, place);
        return bly_verdict(self);
}

/* Lets the other ready tasks run once, while the task itself stays ready. Returns no verdict. */
void bly_yield_slowly(belay_task *self);

/* A whole yield. In the common case it is a single switch without any other call. */
static inline void bly_yield_now(struct belay_loop *loop, belay_task *self, const char *place) {
        struct bly_node *node = loop->ready.head;

        self->place = place;
        if (likely(loop->switches > 0 && node != NULL && node->kind == BLY_NODE_TASK)) {
                struct bly_node *last = loop->ready.tail;

                /*
                 * If only one other task is ready, `self` comes next. The test avoids reading back
                 * node->next, which was just written.
                 */
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
 * For tries that need no wait: to get an available item, to acquire a free lock, or to do I/O that
 * is ready. A task that never has to wait would starve timers, descriptors, signals and other
 * tasks. At every 64th try it therefore yields if a look is due, a task is ready or a request is
 * pending. It does so before it tries, so that nothing is done yet if a request is delivered there.
 * bly_try() returns 0 or -ECANCELED.
 *
 * Under a virtual clock these tries never yield, as in asyncio, with whose traces the tests
 * compare. I/O has a budget of its own there.
 */
int bly_try_slowly(const char *place);

static inline int bly_try(const char *place) {
        return likely(--bly_tries != 0) ? 0 : bly_try_slowly(place);
}

/*
 * Delivers a request and returns -ECANCELED. `reason`, which this takes over, becomes the latest
 * failure.
 */
int bly_deliver(belay_task *self, struct bly_text *reason);

/*
 * For waits that must not discard completed work. If a request detached the wait before the event
 * happened, the request becomes pending again, for the next wait.
 */
void bly_postpone(belay_task *self);
/*
 * The same after the verdict, for a call that consists of several waits. The latest wait returned
 * -ECANCELED, and the call returns what it has achieved instead.
 */
void bly_undeliver(belay_task *self);

/* ---- requests (request.c) ---- */

struct bly_request {
        belay_origin_kind kind;
        const char *place;
        const char *reason;
        struct bly_text *shared_reason; /* used instead of `reason` if not NULL */
        belay_task *sender;
        int signal;
        int depth; /* depth of the sending scope, 0 outside of all scopes */
        /* if not NULL, set to whether a circle kept it from waking any task */
        bool *in_circle;
};
/* The depth of requests that a task sends to itself. */
enum { BLY_DEPTH_INNERMOST = 1 << 30 };

/* Sends a task a cancellation request. Returns false if the task is done or abandoned. */
bool bly_request_cancel(belay_task *task, const struct bly_request *ask);

/* Lets the current wait of a task handle the pending request. */
void bly_handle_pending(belay_task *self);

/* Makes the requests that shields hold back pending. A wait in progress handles them at once. */
void bly_release_held(belay_task *task);

/* Withdraws one request, as belay_uncancel(). Returns how many are left. */
int bly_uncancel(belay_task *task);

/*
 * Initializes a wait for the end of one or several tasks. Its wait class is built on struct
 * bly_pass.
 */
static inline void bly_pass_init(struct bly_pass *pass, belay_task *self,
                                 const struct bly_wait_class *class) {
        /* The walk of a request sets the other fields when it reaches this wait. */
        pass->wait.class = class;
        pass->task = self;
        pass->walking = false;
        pass->passed = false;
}

/*
 * For a wait whose forwarded request was refused by the awaited task. That request is over, so the
 * next one gets an origin of its own.
 */
static inline void bly_pass_refused(const struct bly_pass *pass) {
        if (unlikely(pass->passed) && !(pass->task->node.flags & BLY_TASK_HELD))
                pass->task->node.flags &= (uint8_t) ~BLY_TASK_ORIGIN_FRESH;
}

/* For a wait with nothing to undo: returns BLY_DETACHED. */
enum bly_answer bly_detach(belay_task *task, struct bly_wait *wait);
/* Returns BLY_REFUSED. */
enum bly_answer bly_refuse(belay_task *task, struct bly_wait *wait);

/* `fire` of task->timer, for a wait that this timer ends: wakes the task with 0. */
void bly_timer_wakes(struct bly_timer *timer);

#endif
