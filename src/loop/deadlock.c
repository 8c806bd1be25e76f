/* SPDX-License-Identifier: MIT */
/*
 * Deadlock: nothing is ready, there is no deadline, and nothing from outside can come.
 *
 * It is reported with who waits for what, and waits are failed with -EDEADLK, so that the tasks go on and clean up: those first
 * that wait for no task, since the others may then end by themselves; in a circle of tasks, one of them. A wait that would leave
 * something behind is failed when nothing else is left to fail, and a group's for its members never: these are tasks
 * that wait, too.
 */
#include <stdio.h>

#include "cancel/describe.h"
#include "loop/run.h"

void bly_break_wait(belay_task *task) {
        struct bly_wait *wait = task->wait;

        if (wait->class->on_request != NULL && wait->class->next == NULL)
                wait->class->on_request(task, wait);
        bly_wake(task, -EDEADLK);
}

static bool waits_for_tasks(const belay_task *task) {
        size_t cursor = 0;
        belay_task *next = task->wait->class->awaits != NULL ? task->wait->class->awaits(task->wait, &cursor) : NULL;

        return next != NULL && !bly_is_future(next);
}

static belay_task *next_in_circle(const belay_task *task) {
        size_t cursor = 0;

        return task->wait->class->awaits(task->wait, &cursor);
}

/* Of a circle, one whose wait is the easiest to give up. Groups alone make none: a task is started before its members. */
static belay_task *breakable(belay_task *first) {
        belay_task *task = first, *easiest = first;

        do {
                if (task->wait->class->breaks < easiest->wait->class->breaks)
                        easiest = task;
                task = next_in_circle(task);
        } while (task != first);
        return easiest;
}

static bool waits_for_no_task(const belay_task *task) {
        return !waits_for_tasks(task);
}

/* For a task whose wait is not to be failed, so that its own can be instead. */
static bool waits_for_a_tight_one(const belay_task *task) {
        const belay_task *next = waits_for_tasks(task) ? next_in_circle(task) : NULL;

        return next != NULL && next->wait != NULL && next->wait->class->breaks == BLY_BREAK_LAST;
}

/* Fails the waits that hold no tighter than this, of those that are meant. False if there was none. */
static bool break_all(struct belay_loop *loop, enum bly_break breaks, bool (*is_meant)(const belay_task *task)) {
        bool broken = false;

        for (belay_task *task = bly_record_next(loop, NULL); task != NULL; task = bly_record_next(loop, task))
                if (task->wait != NULL && task->wait->class->breaks <= breaks && is_meant(task)) {
                        bly_break_wait(task);
                        broken = true;
                }
        return broken;
}

/* Walks from a task to what it waits for; as many steps as there are tasks lead into a circle if there is one. */
static belay_task *in_circle(struct belay_loop *loop, belay_task *task) {
        for (size_t steps = 0; steps <= loop->count; steps++) {
                size_t cursor = 0;
                belay_task *next;

                if (task->wait == NULL || task->wait->class->awaits == NULL)
                        return NULL;
                next = task->wait->class->awaits(task->wait, &cursor);
                if (next == NULL || bly_is_future(next))
                        return NULL;
                task = next;
        }
        return task;
}

static void report_circle(belay_task *first) {
        char label[32], line[900];
        size_t length = 0;
        belay_task *task = first;

        do {
                length += (size_t) snprintf(line + length, sizeof(line) - length, "%s -> ", bly_task_label(task, label));
                task = next_in_circle(task);
        } while (task != first && length < sizeof(line) - 100);
        bly_log(BELAY_LOG_ERROR, "  a circle: %s%s", line, bly_task_label(first, label));
}

static void report(struct belay_loop *loop) {
        char line[512];

        bly_log(BELAY_LOG_ERROR, "deadlock: %zu task%s, none of them ready, no deadline, nothing to come from outside:",
                loop->count, loop->count == 1 ? "" : "s");
        for (belay_task *task = bly_record_next(loop, NULL); task != NULL; task = bly_record_next(loop, task))
                if (task->wait != NULL)
                        bly_log(BELAY_LOG_ERROR, "  %s", bly_describe(task, line, sizeof(line)));
}

void bly_deadlock(struct belay_loop *loop) {
        belay_task *circle = NULL;

        if (unlikely(loop->on_deadlock != NULL)) {
                loop->on_deadlock(loop);
                return;
        }
        report(loop);
        if (break_all(loop, BLY_BREAK_FIRST, waits_for_no_task))
                return;
        for (belay_task *task = bly_record_next(loop, NULL); task != NULL && circle == NULL;
             task = bly_record_next(loop, task))
                if (task->wait != NULL)
                        circle = in_circle(loop, task);
        if (circle != NULL) {
                report_circle(circle);
                bly_break_wait(breakable(circle));
                return;
        }
        if (!break_all(loop, BLY_BREAK_FIRST, waits_for_a_tight_one))
                break_all(loop, BLY_BREAK_LAST, waits_for_no_task);
}
