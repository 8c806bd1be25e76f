/* SPDX-License-Identifier: MIT */
/*
 * Handles of tasks and futures: references, states, outcomes, values.
 */
#include "core/wait.h"

/*
 * A program with this many references never releases them. From here on the count stays as it is:
 * the record leaks instead of being freed too early.
 */
enum { HANDLES_MOST = 1 << 30 };

belay_task *belay_ref(belay_task *task) {
        if (task != NULL && likely(task->refs < HANDLES_MOST))
                bly_record_ref(task);
        return task;
}

void belay_release(belay_task *task) {
        if (task != NULL && likely(task->refs < HANDLES_MOST))
                bly_record_unref(task);
}

belay_task *belay_self(void) {
        return bly_current();
}

void belay_release_arg(void *task) {
        belay_release(task);
}

/* ---- queries ---- */

const char *belay_name(const belay_task *task) {
        return task != NULL ? bly_text_chars(task->name) : NULL;
}

uint64_t belay_id(const belay_task *task) {
        return task != NULL ? task->id : 0;
}

const char *belay_started_at(const belay_task *task) {
        return task != NULL ? task->started_at : NULL;
}

bool belay_done(const belay_task *task) {
        return task == NULL || bly_is_done(task);
}

bool belay_cancelled(const belay_task *task) {
        return task != NULL && bly_is_cancelled(task);
}

const char *belay_state(const belay_task *task) {
        if (task == NULL)
                return "failed";
        switch (task->node.state) {
        case BLY_NEW:
                return "new";
        case BLY_FUTURE:
        case BLY_WAITING:
                return "waiting";
        case BLY_DONE:
                return bly_is_cancelled(task) ? "cancelled" : task->outcome < 0 ? "failed" : "done";
        default:
                return task->loop->current == task ? "running" : "ready";
        }
}

int belay_result_placed(const char *place, belay_task *task) {
        char label[32];

        if (unlikely(task == NULL))
                return -ENOMEM;
        if (unlikely(!bly_is_done(task)))
                return bly_misuse(-EINPROGRESS, place,
                                  "the result of %s is asked for before its end",
                                  bly_task_label(task, label));
        task->node.flags |= BLY_TASK_RETRIEVED;
        return task->outcome;
}

const belay_failure *belay_failure_of_placed(const char *place, belay_task *task) {
        char label[32];

        if (unlikely(task == NULL))
                return NULL;
        if (unlikely(!bly_is_done(task))) {
                bly_misuse(-EINPROGRESS, place, "the failure of %s is asked for before its end",
                           bly_task_label(task, label));
                return NULL;
        }
        task->node.flags |= BLY_TASK_RETRIEVED;
        /* The reason of a cancellation may exist only as a text up to this point. */
        if (task->failure == NULL && bly_is_cancelled(task) && task->message != NULL)
                task->failure = bly_failure_new(-ECANCELED, bly_text_ref(task->message));
        return task->failure;
}

/* ---- values ---- */

int belay_set_value(void *value, belay_destroy *destroy) {
        belay_task *self = bly_current();
        belay_destroy *destroy_old;
        void *old;

        if (self == NULL)
                return bly_misuse(-EPERM, NULL, "a task's value is set outside of a task");
        old = self->value;
        destroy_old = self->destroy_value;
        self->value = value;
        self->destroy_value = destroy;
        if (destroy_old != NULL)
                destroy_old(old);
        return 0;
}

void *belay_value(const belay_task *task) {
        return task != NULL ? task->value : NULL;
}

void *belay_take_value(belay_task *task) {
        void *value;

        if (task == NULL)
                return NULL;
        value = task->value;
        task->value = NULL;
        task->destroy_value = NULL;
        return value;
}
