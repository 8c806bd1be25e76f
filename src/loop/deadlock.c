/* SPDX-License-Identifier: MIT */
/*
 * Reports and breaks a deadlock: no task is ready, no timer is set, and no event from outside can
 * come.
 *
 * The report names each waiting task and what it waits for. Then some waits fail with -EDEADLK, so
 * that their tasks go on and clean up. Waits that are not for tasks fail first. When their tasks
 * end, other tasks that wait for them go on. If tasks wait for each other in a circle, one wait of
 * the circle fails. A wait that leaves something behind when it fails is the last choice. The wait
 * of a group for its members never fails: the members are waiting tasks themselves.
 */
#include <stdio.h>

#include "cancel/task_line.h"
#include "loop/run.h"

void bly_break_wait(belay_task *task) {
        struct bly_wait *wait = task->wait;

        if (wait->class->on_request != NULL && wait->class->next == NULL)
                wait->class->on_request(task, wait);
        bly_wake(task, -EDEADLK);
}

static bool waits_for_tasks(const belay_task *task) {
        size_t cursor = 0;
        belay_task *next = task->wait->class->awaits != NULL
                                   ? task->wait->class->awaits(task->wait, &cursor)
                                   : NULL;

        return next != NULL && !bly_is_future(next);
}

static belay_task *next_in_circle(const belay_task *task) {
        size_t cursor = 0;

        return task->wait->class->awaits(task->wait, &cursor);
}

/*
 * Returns the task of a circle whose wait is the best one to fail. The circle has a wait that may
 * fail, because the waits of groups cannot make a circle alone: a task starts before its members.
 */
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

/*
 * Does this task wait for another task whose own wait is the last choice? Then the wait of this
 * task can fail instead.
 */
static bool waits_for_a_tight_one(const belay_task *task) {
        const belay_task *next = waits_for_tasks(task) ? next_in_circle(task) : NULL;

        return next != NULL && next->wait != NULL && next->wait->class->breaks == BLY_BREAK_LAST;
}

/*
 * Fails each wait for whose task is_meant() is true, if its class is not above `breaks`. Returns
 * false if there was none.
 */
static bool break_all(struct belay_loop *loop, enum bly_break breaks,
                      bool (*is_meant)(const belay_task *task)) {
        bool broken = false;

        for (belay_task *task = bly_record_next(loop, NULL); task != NULL;
             task = bly_record_next(loop, task))
                if (task->wait != NULL && task->wait->class->breaks <= breaks && is_meant(task)) {
                        bly_break_wait(task);
                        broken = true;
                }
        return broken;
}

/*
 * Follows the waits from task to task. A walk of more steps than there are tasks has entered a
 * circle, and the function returns a task of that circle. It returns NULL if the walk ends earlier.
 */
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
                length += (size_t) snprintf(line + length, sizeof(line) - length, "%s -> ",
                                            bly_task_label(task, label));
                task = next_in_circle(task);
        } while (task != first && length < sizeof(line) - 100);
        bly_log(BELAY_LOG_ERROR, "  a circle: %s%s", line, bly_task_label(first, label));
}

static void report(struct belay_loop *loop) {
        bly_log(BELAY_LOG_ERROR,
                "deadlock: %zu task%s, none of them ready, no deadline, "
                "nothing to come from outside:",
                loop->count, loop->count == 1 ? "" : "s");
        for (belay_task *task = bly_record_next(loop, NULL); task != NULL;
             task = bly_record_next(loop, task))
                if (task->wait != NULL)
                        bly_log_task(BELAY_LOG_ERROR, "  ", task);
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
