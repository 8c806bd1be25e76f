/* SPDX-License-Identifier: MIT */
/*
 * The description of a task in one line, for the log and for dumps.
 */
#ifndef BLY_TASK_LINE_H
#define BLY_TASK_LINE_H

#include "base/out.h"
#include "core/task.h"

/*
 * Writes the task's name, its state or wait, its requests, the call site that started it, and its
 * stack. The line is not ended.
 */
void bly_task_line(struct bly_out *out, const belay_task *task);

/* Logs the description after the text `before`. */
void bly_log_task(belay_log_level level, const char *before, const belay_task *task);

/*
 * Returns the state of a task or the kind of its wait, such as "ready" or "sleep". Never returns
 * NULL.
 */
const char *bly_what(const belay_task *task);

/* Writes the span from `now` to an instant, or the span since it. */
void bly_out_left(struct bly_out *out, const char *before, belay_time when, belay_time now);

#endif
