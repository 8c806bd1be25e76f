/* SPDX-License-Identifier: MIT */
/*
 * The way of a request for cancellation.
 *
 * It goes to a task and, where that waits for others in a way that passes requests on, to these, and so on. The walk uses no
 * stack, so that a hundred thousand tasks that await each other can be cancelled: where it is, each wait on the
 * way remembers. A wait that is met again while the walk is inside of it closes a circle. The walk ends there, as asyncio's does
 * in an error; but a circle in which each waits for the next alone is broken, since nothing else ever would.
 */
#include <limits.h>

#include "core/upcalls.h"
#include "core/wait.h"

static void set_origin(belay_task *task, struct bly_origin *origin, const struct bly_request *ask, struct bly_text *reason) {
        if (unlikely(origin->name != NULL))
                bly_text_release(origin->name);
        if (unlikely(origin->reason != NULL))
                bly_text_release(origin->reason);
        *origin = (struct bly_origin) {
                .asker = ask->asker != NULL ? ask->asker->id : 0,
                .name = ask->asker != NULL ? bly_text_ref(ask->asker->name) : NULL,
                .place = ask->place,
                .reason = bly_text_ref(reason),
                .when = bly_when(task->loop),
                .kind = (uint8_t) ask->kind,
                .signal = (uint8_t) ask->signal,
        };
}

/* The one held back makes room for one that is not. */
static void set_aside(belay_task *task) {
        struct bly_held *held = bly_shield_held(task);

        held->origin = task->origin;
        held->message = bly_text_ref(task->message);
        task->origin = (struct bly_origin) { 0 };
        task->origin_held = false;
        task->node.flags &= (uint8_t) ~BLY_TASK_ORIGIN_FRESH;
}

static void note_origin(belay_task *task, const struct bly_request *ask, struct bly_text *reason) {
        if (unlikely(task->origin_held))
                set_aside(task);
        /* The first of those that merge into one delivery is the one to be told of. */
        if (task->node.flags & BLY_TASK_ORIGIN_FRESH)
                return;
        task->node.flags |= BLY_TASK_ORIGIN_FRESH;
        set_origin(task, &task->origin, ask, reason);
}

static void set_message(belay_task *task, struct bly_text *reason) {
        if (unlikely(task->message != NULL))
                bly_text_release(task->message);
        task->message = bly_text_ref(reason);
}

static void leave_for_next_wait(belay_task *task, struct bly_text *reason) {
        task->node.must_cancel = true;
        set_message(task, reason);
}

static void detach(belay_task *task, struct bly_text *reason) {
        task->wake_reason = bly_text_ref(reason);
        bly_wake(task, -ECANCELED);
}

/* ---- held back by a shield ---- */

static void hold_back(belay_task *task, const struct bly_request *ask, struct bly_text *reason) {
        struct bly_held *held = bly_shield_held(task);

        if (likely(task->held < INT_MAX))
                task->held++;
        task->node.flags |= BLY_TASK_HELD;
        bly_shield_count(task, ask->depth);
        if (held->origin.kind == BELAY_ORIGIN_NONE
            && (task->origin_held || !(task->node.flags & BLY_TASK_ORIGIN_FRESH))) {
                if (!task->origin_held) {
                        task->origin_held = true;
                        task->node.flags |= BLY_TASK_ORIGIN_FRESH;
                        set_origin(task, &task->origin, ask, reason);
                }
                set_message(task, reason);
                return;
        }
        if (held->origin.kind == BELAY_ORIGIN_NONE)
                set_origin(task, &held->origin, ask, reason);
        bly_text_release(held->message);
        held->message = bly_text_ref(reason);
}

static void forget_held(belay_task *task) {
        struct bly_held *held = bly_shield_held(task);

        task->node.flags &= (uint8_t) ~BLY_TASK_HELD;
        task->held = 0;
        task->origin_held = false;
        bly_text_release(held->origin.name);
        bly_text_release(held->origin.reason);
        bly_text_release(held->message);
        *held = (struct bly_held) { 0 };
}

void bly_let_through(belay_task *task) {
        struct bly_held *held;

        if (!(task->node.flags & BLY_TASK_HELD))
                return;
        held = bly_shield_held(task);
        if (held->origin.kind != BELAY_ORIGIN_NONE) {
                set_message(task, held->message);
                /* Unless it merges with one that is pending already, which came to be told of first. */
                if (!(task->node.flags & BLY_TASK_ORIGIN_FRESH)) {
                        task->node.flags |= BLY_TASK_ORIGIN_FRESH;
                        bly_text_release(task->origin.name);
                        bly_text_release(task->origin.reason);
                        task->origin = held->origin;
                        held->origin = (struct bly_origin) { 0 };
                }
        }
        forget_held(task);
        task->node.must_cancel = true;
        if (task->wait != NULL)
                bly_meet_pending(task);
}

int bly_uncancel(belay_task *task) {
        if (task->requests > 0) {
                task->requests--;
                if (unlikely(task->held > task->requests)) {
                        task->held = task->requests;
                        if (task->held == 0) {
                                if (task->origin_held)
                                        task->node.flags &= (uint8_t) ~BLY_TASK_ORIGIN_FRESH;
                                forget_held(task);
                        }
                }
                if (task->requests == task->held) {
                        task->node.must_cancel = false;
                        if (!task->origin_held)
                                task->node.flags &= (uint8_t) ~BLY_TASK_ORIGIN_FRESH;
                }
        }
        return task->requests;
}

/* ---- the walk ---- */

struct walk {
        struct bly_text *reason;
        belay_task *circle;     /* where it closed one */
};

/* One task meets the request. Returns the wait into which the walk goes on, NULL if it goes no further here. */
static struct bly_pass *meet(struct walk *walk, belay_task *task) {
        struct bly_wait *wait = task->wait;
        struct bly_pass *pass;

        if (wait != NULL && wait->class->next != NULL) {
                pass = container_of(wait, struct bly_pass, wait);
                if (!pass->walking)
                        return pass;
                walk->circle = task;
                return NULL;
        }
        if (wait != NULL && wait->class->on_request(task, wait) == BLY_DETACHED)
                detach(task, walk->reason);
        else
                leave_for_next_wait(task, walk->reason);
        return NULL;
}

static struct bly_pass *ask_one(struct walk *walk, belay_task *task, const struct bly_request *ask) {
        struct bly_text *reason = walk->reason;

        if (bly_is_future(task)) {
                note_origin(task, ask, reason);
                set_message(task, reason);
                bly_end(task, -ECANCELED, NULL);
                return NULL;
        }
        if (likely(task->requests < INT_MAX))
                task->requests++;
        if (unlikely(task->shield > ask->depth)) {
                hold_back(task, ask, reason);
                return NULL;
        }
        note_origin(task, ask, reason);
        return meet(walk, task);
}

static void report_circle(const struct walk *walk) {
        char label[32];

        bly_log_limited(BELAY_LOG_ERROR, NULL, "tasks wait for each other in a circle: a cancellation came back to %s, which waits at %s",
                bly_task_label(walk->circle, label), walk->circle->place != NULL ? walk->circle->place : "an unknown place");
}

/* Does each in the circle wait for one task only, so that nobody else can end it? `last` is where it closed. */
static bool is_closed(const struct walk *walk, struct bly_pass *last) {
        for (struct bly_pass *pass = last; pass != NULL; pass = pass->up) {
                size_t cursor = 0;

                /* The walk itself may have ended a wait that it came through, by ending a future. */
                if (pass->task->wait != &pass->wait)
                        return false;
                if (pass->wait.class->awaits(&pass->wait, &cursor) == NULL || pass->wait.class->awaits(&pass->wait, &cursor) != NULL)
                        return false;
                if (pass->task == walk->circle)
                        break;
        }
        return true;
}

/* Goes on from a wait to everybody beneath it who takes the request. */
static void go_on(struct walk *walk, struct bly_pass *pass) {
        struct bly_request ask = { .kind = BELAY_ORIGIN_AWAITER };

        pass->up = NULL;
        while (pass != NULL && walk->circle == NULL) {
                belay_task *next;
                struct bly_pass *deeper;

                if (!pass->walking) {
                        pass->walking = true;
                        pass->taken = false;
                        pass->cursor = 0;
                }
                next = pass->wait.class->next(&pass->wait, &pass->cursor);
                if (next != NULL) {
                        /* A task that is not done always takes a request. */
                        pass->taken = true;
                        ask.asker = pass->task;
                        ask.place = pass->task->place;
                        deeper = ask_one(walk, next, &ask);
                        if (deeper != NULL) {
                                deeper->up = pass;
                                pass = deeper;
                        }
                        continue;
                }
                pass->walking = false;
                if (pass->taken)
                        pass->passed = true;
                else
                        leave_for_next_wait(pass->task, walk->reason);
                pass = pass->up;
        }
        if (unlikely(walk->circle != NULL)) {
                report_circle(walk);
                if (is_closed(walk, pass)) {
                        detach(walk->circle, walk->reason);
                        walk->circle = NULL;
                }
        }
        for (; pass != NULL; pass = pass->up)
                pass->walking = false;
}

bool bly_request_cancel(belay_task *task, const struct bly_request *ask) {
        struct walk walk = { 0 };
        struct bly_pass *pass;

        /* An abandoned task will never run again: what it waits with belongs to a loop that is closed. */
        if (bly_is_done(task) || unlikely(task->node.flags & BLY_TASK_ABANDONED))
                return false;
        walk.reason = ask->shared_reason != NULL ? bly_text_ref(ask->shared_reason) : bly_text_new(ask->reason);
        pass = ask_one(&walk, task, ask);
        if (pass != NULL)
                go_on(&walk, pass);
        bly_text_release(walk.reason);
        if (ask->in_vain != NULL)
                *ask->in_vain = walk.circle != NULL;
        return true;
}

void bly_meet_pending(belay_task *self) {
        struct walk walk = { .reason = bly_text_ref(self->message) };
        struct bly_pass *pass;

        self->node.must_cancel = false;
        pass = meet(&walk, self);
        if (pass != NULL)
                go_on(&walk, pass);
        /* A request that came back in a circle did not arrive: it waits for the end of the wait. */
        if (unlikely(walk.circle != NULL))
                self->node.must_cancel = true;
        bly_text_release(walk.reason);
}
