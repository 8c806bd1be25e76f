/* SPDX-License-Identifier: MIT */
/*
 * Logs, on request, the handles that are left when their loop is closed.
 */
#include <stdio.h>

#include "loop/run.h"

enum { HANDLES_NAMED = 100 };

static void describe_failure(const belay_task *task, char *text, size_t size) {
        int length = snprintf(text, size, "failed: ");

        if (task->failure != NULL)
                belay_failure_format(task->failure, text + length, size - (size_t) length);
        else
                snprintf(text + length, size - (size_t) length, "%s", strerror(-task->outcome));
}

static void name_handle(const belay_task *task) {
        const char *kind = bly_is_future(task) ? "future" : "task";
        char label[32], end[512];

        if (!bly_is_done(task))
                snprintf(end, sizeof(end), "is pending");
        else if (bly_is_cancelled(task))
                snprintf(end, sizeof(end), "was cancelled");
        else if (task->outcome >= 0)
                snprintf(end, sizeof(end), "ended with %d", task->outcome);
        else
                describe_failure(task, end, sizeof(end));
        bly_log(BELAY_LOG_WARNING,
                "%s %s (started at %s; it %s) has %d handle%s left when its loop is closed", kind,
                bly_task_label(task, label), bly_place_text(task->started_at), end, task->refs,
                task->refs == 1 ? "" : "s");
}

/*
 * The program may release its handles later. Until then their records keep no memory beyond what
 * they need.
 */
void bly_leave_handles(struct belay_loop *loop) {
        size_t named = 0;

        if (loop->names_handles) {
                for (belay_task *task = bly_record_next(loop, NULL);
                     task != NULL && named < HANDLES_NAMED; named++) {
                        name_handle(task);
                        task = bly_record_next(loop, task);
                }
                if (loop->records > named)
                        bly_log(BELAY_LOG_WARNING, "%zu more tasks and futures have handles left",
                                loop->records - named);
        }
        bly_records_close(loop);
}
