/* SPDX-License-Identifier: MIT */
/*
 * The path of a cancellation request.
 *
 * A request goes to a task. If that task waits in a way that forwards requests, the request goes on
 * to the tasks that it awaits, and so on. The walk uses no stack: each wait on the path stores the
 * position in itself. A hundred thousand tasks that await each other can therefore be cancelled.
 *
 * If the walk reaches a wait that it is still inside of, the tasks await each other in a circle.
 * The walk ends there, as asyncio's does in an error. If each task in the circle awaits only the
 * next one, the walk also breaks the circle, since nothing else could ever end it.
 */
#include <limits.h>

#include "core/upcalls.h"
#include "core/wait.h"

static void set_origin(belay_task *task, struct bly_origin *origin,
                       const struct bly_request *request, struct bly_text *reason) {
        if (unlikely(origin->name != NULL))
                bly_text_release(origin->name);
        if (unlikely(origin->reason != NULL))
                bly_text_release(origin->reason);
        *origin = (struct bly_origin) {
                .sender = request->sender != NULL ? request->sender->id : 0,
                .name = request->sender != NULL ? bly_text_ref(request->sender->name) : NULL,
                .place = request->place,
                .reason = bly_text_ref(reason),
                .when = bly_when(task->loop),
                .kind = (uint8_t) request->kind,
                .signal = (uint8_t) request->signal,
        };
}

/*
 * Moves the held request from the record to the shield, to make room for one that is not held back.
 */
static void set_aside(belay_task *task) {
        struct bly_held *held = bly_shield_held(task);

        held->origin = task->origin;
        held->message = bly_text_ref(task->message);
        task->origin = (struct bly_origin) { 0 };
        task->origin_held = false;
        task->node.flags &= (uint8_t) ~BLY_TASK_ORIGIN_FRESH;
}

static void note_origin(belay_task *task, const struct bly_request *request,
                        struct bly_text *reason) {
        if (unlikely(task->origin_held))
                set_aside(task);
        /* If several requests merge into one delivery, the origin of the first is reported. */
        if (task->node.flags & BLY_TASK_ORIGIN_FRESH)
                return;
        task->node.flags |= BLY_TASK_ORIGIN_FRESH;
        set_origin(task, &task->origin, request, reason);
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

static void hold_back(belay_task *task, const struct bly_request *request,
                      struct bly_text *reason) {
        struct bly_held *held = bly_shield_held(task);

        if (likely(task->held < INT_MAX))
                task->held++;
        task->node.flags |= BLY_TASK_HELD;
        bly_shield_count(task, request->depth);
        if (held->origin.kind == BELAY_ORIGIN_NONE
            && (task->origin_held || !(task->node.flags & BLY_TASK_ORIGIN_FRESH))) {
                if (!task->origin_held) {
                        task->origin_held = true;
                        task->node.flags |= BLY_TASK_ORIGIN_FRESH;
                        set_origin(task, &task->origin, request, reason);
                }
                set_message(task, reason);
                return;
        }
        if (held->origin.kind == BELAY_ORIGIN_NONE)
                set_origin(task, &held->origin, request, reason);
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

void bly_release_held(belay_task *task) {
        struct bly_held *held;

        if (!(task->node.flags & BLY_TASK_HELD))
                return;
        held = bly_shield_held(task);
        if (held->origin.kind != BELAY_ORIGIN_NONE) {
                set_message(task, held->message);
                /*
                 * If an undelivered request is in the record, the two merge and its origin is the
                 * reported one.
                 */
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
                bly_handle_pending(task);
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
        belay_task *circle; /* task at which the walk closed a circle, or NULL */
};

/*
 * Lets one task's wait handle the request. Returns the wait into which the walk continues, or NULL.
 */
static struct bly_pass *hand_to_wait(struct walk *walk, belay_task *task) {
        struct bly_wait *wait = task->wait;
        struct bly_pass *pass;

        /* The class of a wait that forwards requests has `next` instead of on_request. */
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

/*
 * Counts the request, and lets the task handle it unless a shield holds it back. A future ends at
 * once. Returns a wait as hand_to_wait() does.
 */
static struct bly_pass *send_to(struct walk *walk, belay_task *task,
                                const struct bly_request *request) {
        struct bly_text *reason = walk->reason;

        if (bly_is_future(task)) {
                note_origin(task, request, reason);
                set_message(task, reason);
                bly_end(task, -ECANCELED, NULL);
                return NULL;
        }
        if (likely(task->requests < INT_MAX))
                task->requests++;
        if (unlikely(task->shield > request->depth)) {
                hold_back(task, request, reason);
                return NULL;
        }
        note_origin(task, request, reason);
        return hand_to_wait(walk, task);
}

static void report_circle(const struct walk *walk) {
        char label[32];

        bly_log_limited(BELAY_LOG_ERROR, NULL,
                        "tasks wait for each other in a circle: a cancellation came back to %s, "
                        "which waits at %s",
                        bly_task_label(walk->circle, label), bly_place_text(walk->circle->place));
}

/*
 * Returns true if each task in the circle waits for one task only, so that no other task can end
 * its wait. `last` is the wait from which the walk came back.
 */
static bool is_closed(const struct walk *walk, struct bly_pass *last) {
        for (struct bly_pass *pass = last; pass != NULL; pass = pass->up) {
                size_t cursor = 0;

                /* The walk itself may have ended a wait on its path, by cancelling a future. */
                if (pass->task->wait != &pass->wait)
                        return false;
                if (pass->wait.class->awaits(&pass->wait, &cursor) == NULL
                    || pass->wait.class->awaits(&pass->wait, &cursor) != NULL)
                        return false;
                if (pass->task == walk->circle)
                        break;
        }
        return true;
}

/*
 * Forwards the request to one more task that the wait awaits. Returns a wait as hand_to_wait()
 * does.
 */
static struct bly_pass *forward(struct walk *walk, struct bly_pass *pass, belay_task *next) {
        struct bly_request request = {
                .kind = BELAY_ORIGIN_AWAITER,
                .sender = pass->task,
                .place = pass->task->place,
        };

        /* A task that is not done always accepts a request. */
        pass->taken = true;
        return send_to(walk, next, &request);
}

/*
 * Does one step of the walk: forwards the request to the next task that this wait awaits, or leaves
 * the wait if there is none. Returns the wait at which the walk continues, or NULL after the last.
 */
static struct bly_pass *step(struct walk *walk, struct bly_pass *pass) {
        struct bly_pass *deeper;
        belay_task *next;

        if (!pass->walking) {
                pass->walking = true;
                pass->taken = false;
                pass->cursor = 0;
        }
        next = pass->wait.class->next(&pass->wait, &pass->cursor);
        if (next != NULL) {
                deeper = forward(walk, pass, next);
                if (deeper == NULL)
                        return pass;
                deeper->up = pass;
                return deeper;
        }
        pass->walking = false;
        if (pass->taken)
                pass->passed = true;
        else
                leave_for_next_wait(pass->task, walk->reason);
        return pass->up;
}

/* Forwards the request from a wait to all tasks that it awaits, and from their waits onwards. */
static void go_on(struct walk *walk, struct bly_pass *pass) {
        pass->up = NULL;
        while (pass != NULL && walk->circle == NULL)
                pass = step(walk, pass);
        if (likely(walk->circle == NULL))
                return;
        report_circle(walk);
        if (is_closed(walk, pass)) {
                detach(walk->circle, walk->reason);
                walk->circle = NULL;
        }
        for (; pass != NULL; pass = pass->up)
                pass->walking = false;
}

bool bly_request_cancel(belay_task *task, const struct bly_request *request) {
        struct walk walk = { 0 };
        struct bly_pass *pass;

        /*
         * An abandoned task never runs again, and the objects of its wait belong to a closed loop.
         */
        if (bly_is_done(task) || unlikely(task->node.flags & BLY_TASK_ABANDONED))
                return false;
        walk.reason = request->shared_reason != NULL ? bly_text_ref(request->shared_reason)
                                                     : bly_text_new(request->reason);
        pass = send_to(&walk, task, request);
        if (pass != NULL)
                go_on(&walk, pass);
        bly_text_release(walk.reason);
        if (request->in_circle != NULL)
                *request->in_circle = walk.circle != NULL;
        return true;
}

void bly_handle_pending(belay_task *self) {
        struct walk walk = { .reason = bly_text_ref(self->message) };
        struct bly_pass *pass;

        self->node.must_cancel = false;
        pass = hand_to_wait(&walk, self);
        if (pass != NULL)
                go_on(&walk, pass);
        /*
         * A request that came back in a circle was not delivered. It stays pending until the wait
         * ends.
         */
        if (unlikely(walk.circle != NULL))
                self->node.must_cancel = true;
        bly_text_release(walk.reason);
}
