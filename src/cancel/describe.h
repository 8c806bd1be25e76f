/* SPDX-License-Identifier: MIT */
/*
 * A task in one line, for reports: who it is, what it waits for, who asked it to end.
 */
#ifndef BLY_DESCRIBE_H
#define BLY_DESCRIBE_H

#include "core/task.h"

/* Returns `line`. */
const char *bly_describe(const belay_task *task, char *line, size_t size);

/* "sleep", "ready", ...; never NULL. */
const char *bly_what(const belay_task *task);

/* 3.2 s, 12 ms, ...; returns `text`. */
const char *bly_span(belay_time span, char text[32]);

/* Waits for the end of a task whatever comes: 0, -ETIMEDOUT, -EDEADLK, -ENOMEM. A request for the waiter stays. */
int bly_await_uncancellable(belay_task *self, belay_task *target, belay_time limit, const char *place);

/* What stands between the word for a wait and the name of what is waited for. */
static inline const char *bly_between(const struct bly_wait *wait) {
        return wait->class->between != NULL ? wait->class->between : " of ";
}

#endif
