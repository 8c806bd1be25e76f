/* SPDX-License-Identifier: MIT */
/*
 * The description of a task in one line for reports: its name, the wait that it is in, and the
 * origin of its requests.
 */
#ifndef BLY_DESCRIBE_H
#define BLY_DESCRIBE_H

#include "core/task.h"

/* Writes the description into `line` and returns it. */
const char *bly_describe(const belay_task *task, char *line, size_t size);

/*
 * Returns the state of a task or the kind of its wait, such as "ready" or "sleep". Never returns
 * NULL.
 */
const char *bly_what(const belay_task *task);

/* Writes a span as text, such as "3.2 s" or "12 ms", and returns `text`. */
const char *bly_span(belay_time span, char text[32]);

/*
 * Waits for the end of a task. A request for the waiting task does not end the wait, and is pending
 * afterwards. Returns 0, -ETIMEDOUT, -EDEADLK or -ENOMEM.
 */
int bly_await_uncancellable(belay_task *self, belay_task *target, belay_time limit,
                            const char *place);

/*
 * Returns the text that stands between the kind of a wait and the name of the object that is
 * awaited.
 */
static inline const char *bly_between(const struct bly_wait *wait) {
        return wait->class->between != NULL ? wait->class->between : " of ";
}

#endif
