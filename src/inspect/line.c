/* SPDX-License-Identifier: MIT */
/*
 * The line of a dump for a loop, a task or a scope.
 */
#include "cancel/describe.h"
#include "inspect/line.h"
#include "scope/group.h"

static const char *plural(size_t count) {
        return count == 1 ? "" : "s";
}

static void put_label(struct bly_out *out, const belay_task *task) {
        char label[32];

        bly_out_text(out, bly_task_label(task, label));
}

static void put_place(struct bly_out *out, const char *before, const char *place) {
        if (place == NULL)
                return;
        bly_out(out, "%s", before);
        bly_out_text(out, place);
}

static void put_span(struct bly_out *out, const char *before, belay_time span, const char *after) {
        char text[32];

        bly_out(out, "%s%s%s", before, bly_span(span, text), after);
}

/* Writes the span from `now` to an instant, or since it. */
static void put_left(struct bly_out *out, const char *before, belay_time when, belay_time now) {
        if (when >= now)
                put_span(out, before, when - now, " left");
        else
                put_span(out, before, now - when, " over");
}

static void put_kib(struct bly_out *out, size_t bytes) {
        bly_out(out, bytes % 1024 == 0 ? "%.0f" : "%.1f", (double) bytes / 1024);
}

/* ---- the loop ---- */

void bly_line_loop(struct bly_out *out, const struct belay_loop *loop) {
        size_t ready = 0, calls = 0, timers = loop->heap.count - loop->heap.dead;
        belay_time now = belay_loop_now(loop);

        for (const struct bly_node *node = loop->ready.head; node != NULL; node = node->next)
                if (node->kind == BLY_NODE_CALL)
                        calls++;
                else
                        ready++;
        bly_out(out, "loop %p (%s): %zu task%s, %zu ready", (const void *) loop,
                loop->running ? "running" : "suspended", loop->count, plural(loop->count), ready);
        if (calls > 0)
                bly_out(out, ", %zu callback%s", calls, plural(calls));
        bly_out(out, ", %zu timer%s", timers, plural(timers));
        if (loop->is_virtual)
                put_span(out, ", virtual clock at ", now, "");
        else
                bly_out(out, ", clock at %lld.%06lld s", (long long) (now / BELAY_SECOND),
                        (long long) (now % BELAY_SECOND / BELAY_MICROSECOND));
        if (loop->seed != 0)
                bly_out(out, ", seed %llu", (unsigned long long) loop->seed);
        if (loop->wave > 0)
                bly_out(out, ", shutting down: %zu cancelled task%s still there", loop->wave,
                        plural(loop->wave));
        bly_out(out, "\n");
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
        const struct bly_group *group = first != NULL ? bly_group_of(first) : NULL;

        bly_out(out, "waiting: ");
        bly_out_text(out, wait->class->what);
        if (group != NULL && &group->wait == wait) {
                /* The task leaves a group, whose members the dump draws beneath it. */
                if (on != NULL) {
                        bly_out(out, " \"");
                        bly_out_text(out, on);
                        bly_out(out, "\"");
                }
        } else if (first != NULL) {
                put_awaited(out, wait, first, cursor);
        } else {
                put_place(out, bly_between(wait), on);
        }
}

static void put_state(struct bly_out *out, const belay_task *task, belay_time now) {
        belay_time when;

        if (task->node.state == BLY_WAITING && task->wait != NULL) {
                put_wait(out, task);
                put_place(out, " at ", task->place);
                put_span(out, " for ", now - task->since, "");
                when = bly_timer_when(task->loop, &task->timer);
                if (when != BELAY_NEVER)
                        put_left(out, ", ", when, now);
        } else {
                bly_out(out, "%s", bly_what(task));
                if (task->node.state == BLY_READY && task->loop->current != task)
                        put_place(out, ", goes on at ", task->place);
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
        if (origin->asker != 0 && origin->asker != task->id) {
                if (origin->name != NULL)
                        put_place(out, " ", origin->name->chars);
                else
                        bly_out(out, " #%llu", (unsigned long long) origin->asker);
        }
        put_place(out, " at ", origin->place);
        put_span(out, " ", now - origin->when, " ago");
        if (origin->reason != NULL) {
                bly_out(out, ": \"");
                bly_out_text(out, origin->reason->chars);
                bly_out(out, "\"");
        }
}

static bool was_passed_on(const belay_task *task) {
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
                plural((size_t) task->held));
        put_origin(out, task, origin, now);
}

static void put_requests(struct bly_out *out, const belay_task *task, belay_time now) {
        const struct bly_origin *origin = task->origin_held ? NULL : &task->origin;
        int others = task->requests - task->held;

        if (bly_is_done(task) && task->requests == 0)
                return;
        if (others > 0) {
                bly_out(out, "; cancelling: %d request%s", others, plural((size_t) others));
                if (was_passed_on(task))
                        bly_out(out, ", passed on");
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
                bly_out(out, ", taken back");
        }
        /* The shielded regions of a task that is done do not exist any more. */
        if (task->held > 0 && !bly_is_done(task))
                put_held(out, task, now);
}

/* ---- a task ---- */

void bly_line_task(struct bly_out *out, const belay_task *task) {
        belay_time now = bly_now(task->loop);

        if (bly_is_future(task))
                bly_out(out, "future ");
        put_label(out, task);
        bly_out(out, "  ");
        put_state(out, task, now);
        put_requests(out, task, now);
        if (task->node.flags & BLY_TASK_ABANDONED)
                bly_out(out, "; abandoned by the shut-down, will never run again");
        if (task->node.flags & BLY_TASK_LAST)
                bly_out(out, "; to be last");
        if (!bly_is_future(task)) {
                bly_out(out, "  (");
                if (task->name != NULL)
                        bly_out(out, "#%llu, ", (unsigned long long) task->id);
                put_place(out, "started at ",
                          task->started_at != NULL ? task->started_at : "an unknown place");
                /* A task that is done has given its stack back. A new task may have none yet. */
                if (!bly_is_done(task) && task->stack.low != NULL) {
                        bly_out(out, "; stack ");
                        put_kib(out, bly_stack_used(&task->stack));
                        bly_out(out, " of %zu KiB", bly_stack_size(&task->stack) / 1024);
                }
                bly_out(out, ")");
        } else if (task->started_at != NULL) {
                put_place(out, "  (made at ", task->started_at);
                bly_out(out, ")");
        }
        bly_out(out, "\n");
}

/* ---- a scope ---- */

static size_t length_of(const struct bly_link *list) {
        size_t length = 0;

        for (const struct bly_link *link = list->next; link != list; link = link->next)
                length++;
        return length;
}

static void put_group(struct bly_out *out, const struct bly_group *group) {
        size_t in_line = length_of(&group->room);

        bly_out(out, ", %zu member%s", group->count, plural(group->count));
        if (group->limit > 0)
                bly_out(out, " of %zu at once", group->limit);
        if (in_line > 0)
                bly_out(out, ", %zu wait%s for room", in_line, in_line == 1 ? "s" : "");
        if (group->supervise)
                bly_out(out, ", supervised");
        if (group->failed > 0)
                bly_out(out, ", %zu failed", group->failed);
        if (group->aborting)
                bly_out(out, ", cancelled");
}

static void put_limit(struct bly_out *out, const struct bly_limited *limited, belay_time now) {
        bool is_shield = limited->scope.kind == BLY_SCOPE_SHIELD;

        if (limited->scope.state == BLY_SCOPE_EXPIRING)
                put_span(out, ", struck: ", now - limited->when, " over");
        else if (limited->when != BELAY_NEVER)
                put_left(out, ", ", limited->when, now);
        else
                bly_out(out, is_shield ? ", no limit" : ", not set");
}

void bly_line_scope(struct bly_out *out, const struct bly_scope *scope) {
        belay_time now = bly_now(scope->task->loop);

        switch (scope->kind) {
        case BLY_SCOPE_GROUP: {
                const struct bly_group *group = container_of(scope, struct bly_group, scope);

                bly_out(out, "group");
                if (group->name != NULL) {
                        bly_out(out, " \"");
                        bly_out_text(out, group->name);
                        bly_out(out, "\"");
                }
                put_place(out, " entered at ", scope->place);
                put_group(out, group);
                break;
        }
        case BLY_SCOPE_TIMEOUT:
        case BLY_SCOPE_SHIELD:
                bly_out(out, scope->kind == BLY_SCOPE_TIMEOUT ? "time limit" : "shielded region");
                put_place(out, " entered at ", scope->place);
                put_limit(out, container_of(scope, struct bly_limited, scope), now);
                break;
        }
        bly_out(out, "\n");
}
