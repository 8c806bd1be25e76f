/* SPDX-License-Identifier: MIT */
/*
 * The description of a task in one line.
 */
#include <stdio.h>

#include "cancel/describe.h"
#include "core/loop.h"

const char *bly_span(belay_time span, char text[32]) {
        if (span < 0)
                span = 0;
        if (span < BELAY_MICROSECOND)
                snprintf(text, 32, "%d ns", (int) span);
        else if (span < BELAY_MILLISECOND)
                snprintf(text, 32, "%.3g us", (double) span / BELAY_MICROSECOND);
        else if (span < BELAY_SECOND)
                snprintf(text, 32, "%.3g ms", (double) span / BELAY_MILLISECOND);
        else if (span < 2 * BELAY_MINUTE)
                snprintf(text, 32, "%.3g s", (double) span / BELAY_SECOND);
        else
                snprintf(text, 32, "%lld:%02d:%02d", (long long) (span / BELAY_HOUR),
                         (int) (span / BELAY_MINUTE % 60), (int) (span / BELAY_SECOND % 60));
        return text;
}

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

const char *bly_describe(const belay_task *task, char *line, size_t size) {
        const struct bly_origin *origin = &task->origin;
        char label[32], span[32];
        const char *on = NULL;
        int length;

        if (task->wait != NULL && task->wait->class->on != NULL)
                on = task->wait->class->on(task->wait);
        length = snprintf(
                line, size, "%s %s (started at %s), %s%s%s%s%s",
                bly_is_future(task) ? "future" : "task", bly_task_label(task, label),
                task->started_at != NULL ? task->started_at : "an unknown place", bly_what(task),
                on != NULL ? bly_between(task->wait) : "", on != NULL ? on : "",
                task->place != NULL && task->node.state == BLY_WAITING ? " at " : "",
                task->place != NULL && task->node.state == BLY_WAITING ? task->place : "");
        if (task->node.state == BLY_WAITING && length >= 0 && (size_t) length < size)
                length += snprintf(line + length, size - (size_t) length, " for %s",
                                   bly_span(bly_now(task->loop) - task->since, span));
        if (task->requests > 0 && length >= 0 && (size_t) length < size)
                length += snprintf(line + length, size - (size_t) length,
                                   "; %d request%s, %s by %s%s%s%s %s ago", task->requests,
                                   task->requests == 1 ? "" : "s",
                                   task->node.must_cancel
                                                   || (task->node.flags
                                                       & (BLY_TASK_HELD | BLY_TASK_ORIGIN_FRESH))
                                           ? "pending,"
                                           : "delivered,",
                                   belay_origin_name((belay_origin_kind) origin->kind),
                                   origin->name != NULL ? " " : "",
                                   origin->name != NULL ? origin->name->chars : "", "",
                                   bly_span(bly_now(task->loop) - origin->when, span));
        if (origin->place != NULL && task->requests > 0 && length >= 0 && (size_t) length < size)
                snprintf(line + length, size - (size_t) length, " at %s", origin->place);
        return line;
}
