/* SPDX-License-Identifier: MIT */
/*
 * The description of a task in one line.
 */
#include "cancel/task_line.h"
#include "core/loop.h"
#include "core/upcalls.h"
#include "core/wait.h"
#include "stack/own.h"

const char *bly_what(const belay_task *task) {
        switch (task->node.state) {
        case BLY_FUTURE:
                return "pending";
        case BLY_NEW:
                return "new";
        case BLY_READY:
                return task->loop->current == task ? "running" : "ready";
        case BLY_WAITING:
                return task->wait != NULL ? task->wait->class->what : "waiting";
        case BLY_DONE:
                return "done";
        default:
                return "gone";
        }
}

static void put_label(struct bly_out *out, const belay_task *task) {
        char label[32];

        bly_out_text(out, bly_task_label(task, label));
}

void bly_out_left(struct bly_out *out, const char *before, belay_time when, belay_time now) {
        if (when >= now)
                bly_out_span(out, before, when - now, " left");
        else
                bly_out_span(out, before, now - when, " overdue");
}

static void put_kib(struct bly_out *out, size_t bytes) {
        bly_out(out, bytes % 1024 == 0 ? "%.0f" : "%.1f", (double) bytes / 1024);
}

/* ---- a task: its state and its wait ---- */

/* Writes the labels of the first 3 awaited tasks, and the number of the others. */
static void put_awaited(struct bly_out *out, const struct bly_wait *wait, const belay_task *first,
                        size_t cursor) {
        enum { BY_NAME = 3 };
        const belay_task *task = first;
        size_t count = 0;

        for (; task != NULL; task = wait->class->awaits(wait, &cursor)) {
                if (count < BY_NAME) {
                        bly_out(out, count == 0 ? " of " : ", ");
                        put_label(out, task);
                }
                count++;
        }
        if (count > BY_NAME)
                bly_out(out, " and %zu more", count - BY_NAME);
}

static void put_wait(struct bly_out *out, const belay_task *task) {
        const struct bly_wait *wait = task->wait;
        const char *on = wait->class->on != NULL ? wait->class->on(wait) : NULL;
        size_t cursor = 0;
        const belay_task *first = wait->class->awaits != NULL ? wait->class->awaits(wait, &cursor)
                                                              : NULL;

        bly_out(out, "waiting: ");
        bly_out_text(out, wait->class->what);
        if (wait->class->drawn) {
                if (on != NULL) {
                        bly_out(out, " \"");
                        bly_out_text(out, on);
                        bly_out(out, "\"");
                }
        } else if (first != NULL) {
                put_awaited(out, wait, first, cursor);
        } else {
                bly_out_place(out, wait->class->between != NULL ? wait->class->between : " of ",
                              on);
        }
}

static void put_state(struct bly_out *out, const belay_task *task, belay_time now) {
        belay_time when;

        if (task->node.state == BLY_WAITING && task->wait != NULL) {
                put_wait(out, task);
                bly_out_place(out, " at ", task->place);
                bly_out_span(out, " for ", now - task->since, "");
                when = bly_timer_when(task->loop, &task->timer);
                if (when != BELAY_NEVER)
                        bly_out_left(out, ", ", when, now);
        } else {
                bly_out(out, "%s", bly_what(task));
                if (task->node.state == BLY_READY && task->loop->current != task)
                        bly_out_place(out, ", goes on at ", task->place);
                else if (bly_is_cancelled(task))
                        bly_out(out, ": cancelled");
                else if (bly_is_done(task))
                        bly_out(out, task->outcome < 0 ? ": failed, %d" : ": result %d",
                                task->outcome);
        }
}

/* ---- a task: requests ---- */

static void put_origin(struct bly_out *out, const belay_task *task, const struct bly_origin *origin,
                       belay_time now) {
        if (origin == NULL || origin->kind == BELAY_ORIGIN_NONE)
                return;
        bly_out(out, ", by %s", belay_origin_name((belay_origin_kind) origin->kind));
        if (origin->kind == BELAY_ORIGIN_SIGNAL)
                bly_out(out, " %d", origin->signal);
        /* If the task's own timeout or group sent the request, the task's name adds nothing. */
        if (origin->sender != 0 && origin->sender != task->id) {
                if (origin->name != NULL)
                        bly_out_place(out, " ", origin->name->chars);
                else
                        bly_out(out, " #%llu", (unsigned long long) origin->sender);
        }
        bly_out_place(out, " at ", origin->place);
        bly_out_span(out, " ", now - origin->when, " ago");
        if (origin->reason != NULL) {
                bly_out(out, ": \"");
                bly_out_text(out, origin->reason->chars);
                bly_out(out, "\"");
        }
}

static bool was_forwarded(const belay_task *task) {
        return task->wait != NULL && task->wait->class->next != NULL
               && container_of(task->wait, struct bly_pass, wait)->passed;
}

/*
 * Writes the requests that shielded regions hold back. Their origin is in the task's record, or in
 * the shield if the record holds the origin of another request.
 */
static void put_held(struct bly_out *out, const belay_task *task, belay_time now) {
        const struct bly_origin *origin = &task->origin;

        if (!task->origin_held)
                origin = &bly_shield_held((belay_task *) task)->origin;
        bly_out(out, "; cancelling: %d request%s held back by a shielded region", task->held,
                bly_plural((size_t) task->held));
        put_origin(out, task, origin, now);
}

static void put_requests(struct bly_out *out, const belay_task *task, belay_time now) {
        const struct bly_origin *origin = task->origin_held ? NULL : &task->origin;
        int others = task->requests - task->held;

        if (bly_is_done(task) && task->requests == 0)
                return;
        if (others > 0) {
                bly_out(out, "; cancelling: %d request%s", others, bly_plural((size_t) others));
                if (was_forwarded(task))
                        bly_out(out, ", forwarded");
                else if (task->node.must_cancel
                         || (origin != NULL && (task->node.flags & BLY_TASK_ORIGIN_FRESH)))
                        bly_out(out, ", pending");
                else
                        bly_out(out, ", delivered");
                put_origin(out, task, origin, now);
        } else if (origin != NULL && origin->kind != BELAY_ORIGIN_NONE) {
                /* The task has handled and withdrawn the request, and has gone on. */
                bly_out(out, "; earlier, a request");
                put_origin(out, task, origin, now);
                bly_out(out, ", withdrawn");
        }
        /* The shielded regions of a task that is done do not exist any more. */
        if (task->held > 0 && !bly_is_done(task))
                put_held(out, task, now);
}

/* ---- a task ---- */

void bly_task_line(struct bly_out *out, const belay_task *task) {
        belay_time now = bly_now(task->loop);

        if (bly_is_future(task))
                bly_out(out, "future ");
        put_label(out, task);
        bly_out(out, "  ");
        put_state(out, task, now);
        put_requests(out, task, now);
        if (task->node.flags & BLY_TASK_ABANDONED)
                bly_out(out, "; abandoned by the shutdown");
        if (task->node.flags & BLY_TASK_LAST)
                bly_out(out, "; a last member");
        if (!bly_is_future(task)) {
                bly_out(out, "  (");
                if (task->name != NULL)
                        bly_out(out, "#%llu, ", (unsigned long long) task->id);
                bly_out_place(out, "started at ", bly_place_text(task->started_at));
                /* A task that is done has given its stack back. A new task may have none yet. */
                if (!bly_is_done(task) && task->stack.low != NULL) {
                        bly_out(out, "; stack ");
                        put_kib(out, bly_stack_used(&task->stack));
                        bly_out(out, " of %zu KiB", bly_stack_size(&task->stack) / 1024);
                }
                bly_out(out, ")");
        } else if (task->started_at != NULL) {
                bly_out_place(out, "  (made at ", task->started_at);
                bly_out(out, ")");
        }
}

void bly_log_task(belay_log_level level, const char *before, const belay_task *task) {
        struct bly_out line = { .fd = -1 };

        bly_task_line(&line, task);
        bly_log(level, "%s%s", before, bly_out_line(&line));
}
