/* SPDX-License-Identifier: MIT */
/*
 * The way of a request for cancellation.
 *
 * It goes to a task and, where that waits for others in a way that passes requests on, to these, and so on. The walk uses no
 * stack, so that a hundred thousand tasks that await each other can be cancelled: where it is, each wait on the
 * way remembers. A wait that is met again while the walk is inside of it closes a circle: nobody in it can end by
 * itself, so the request breaks it there.
 */
#include "task/wait.h"

int bly_uncancel(belay_task *task) {
        if (task->requests > 0) {
                task->requests--;
                if (task->held > task->requests) {
                        task->held = task->requests;
                        if (task->held == 0)
                                task->node.flags &= (uint8_t) ~BLY_TASK_HELD;
                }
                if (task->requests == task->held)
                        task->node.must_cancel = false;
        }
        return task->requests;
}

static void note_origin(belay_task *task, const struct bly_ask *ask, struct bly_text *reason) {
        struct bly_origin *origin = &task->origin;

        /* The first of those that merge into one delivery is the one to be told of. */
        if (task->node.flags & BLY_TASK_ORIGIN_FRESH)
                return;
        task->node.flags |= BLY_TASK_ORIGIN_FRESH;
        if (unlikely(origin->name != NULL))
                bly_text_release(origin->name);
        if (unlikely(origin->reason != NULL))
                bly_text_release(origin->reason);
        *origin = (struct bly_origin) {
                .asker = ask->asker != NULL ? ask->asker->id : 0,
                .name = ask->asker != NULL ? bly_text_ref(ask->asker->name) : NULL,
                .place = ask->place,
                .reason = bly_text_ref(reason),
                .when = task->loop->now,
                .kind = (uint8_t) ask->kind,
                .signal = (uint8_t) ask->signal,
        };
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

static void unhook(belay_task *task, struct bly_text *reason) {
        task->wake_reason = bly_text_ref(reason);
        bly_wake(task, -ECANCELED);
}

/* One task meets the request. Returns the wait into which the walk goes on, NULL if it goes no further here. */
static struct bly_pass *meet(belay_task *task, struct bly_text *reason) {
        struct bly_wait *wait = task->wait;
        struct bly_pass *pass;

        if (wait == NULL) {
                leave_for_next_wait(task, reason);
                return NULL;
        }
        if (wait->class->next == NULL) {
                if (wait->class->meet(wait) == BLY_UNHOOKED)
                        unhook(task, reason);
                else
                        leave_for_next_wait(task, reason);
                return NULL;
        }
        pass = container_of(wait, struct bly_pass, wait);
        if (pass->walking) {
                char label[32];

                bly_log(BELAY_LOG_ERROR, "tasks wait for each other in a circle, which a cancellation breaks at %s (%s)",
                        bly_task_label(task, label), task->place != NULL ? task->place : "an unknown place");
                unhook(task, reason);
                return NULL;
        }
        return pass;
}

static struct bly_pass *ask_one(belay_task *task, const struct bly_ask *ask, struct bly_text *reason) {
        if (bly_is_future(task)) {
                note_origin(task, ask, reason);
                set_message(task, reason);
                bly_end(task, -ECANCELED, NULL);
                return NULL;
        }
        task->requests++;
        note_origin(task, ask, reason);
        if (unlikely(task->shield > ask->depth)) {
                task->held++;
                task->node.flags |= BLY_TASK_HELD;
                set_message(task, reason);
                return NULL;
        }
        return meet(task, reason);
}

/* Goes on from a wait to everybody beneath it who takes the request. */
static void walk(struct bly_pass *pass, struct bly_text *reason) {
        struct bly_ask ask = { .kind = BELAY_ORIGIN_AWAITER };

        pass->up = NULL;
        for (;;) {
                belay_task *next;
                struct bly_pass *deeper, *up;

                if (!pass->walking) {
                        pass->walking = true;
                        pass->taken = false;
                        pass->cursor = 0;
                }
                next = pass->wait.class->next(&pass->wait, &pass->cursor);
                if (next != NULL) {
                        /* A task that is not done always takes a request. */
                        pass->taken = pass->passed = true;
                        ask.asker = pass->task;
                        ask.place = pass->task->place;
                        deeper = ask_one(next, &ask, reason);
                        if (deeper != NULL) {
                                deeper->up = pass;
                                pass = deeper;
                        }
                        continue;
                }
                pass->walking = false;
                if (!pass->taken)
                        leave_for_next_wait(pass->task, reason);
                up = pass->up;
                if (up == NULL)
                        break;
                pass = up;
        }
}

bool bly_request(belay_task *task, const struct bly_ask *ask) {
        struct bly_text *reason;
        struct bly_pass *pass;

        if (bly_is_done(task))
                return false;
        reason = ask->shared_reason != NULL ? bly_text_ref(ask->shared_reason) : bly_text_new(ask->reason);
        pass = ask_one(task, ask, reason);
        if (pass != NULL)
                walk(pass, reason);
        bly_text_release(reason);
        return true;
}

void bly_meet_pending(belay_task *self) {
        struct bly_text *reason = bly_text_ref(self->message);
        struct bly_pass *pass;

        self->node.must_cancel = false;
        pass = meet(self, reason);
        if (pass != NULL)
                walk(pass, reason);
        bly_text_release(reason);
}
