/* SPDX-License-Identifier: MIT */
/*
 * The latest failure of a task: the one place where a failing function puts its detail. A function
 * that returns the same code takes the detail from there.
 */
#include "core/loop.h"

void bly_set_last_failure(belay_task *task, int code, belay_failure *failure) {
        belay_failure *old = task->last_failure;

        task->last_failure_code = code;
        task->last_failure = failure;
        if (unlikely(old != NULL))
                belay_failure_release(old);
}

belay_failure *bly_take_last_failure(belay_task *task, int code) {
        belay_failure *left = task->last_failure;

        if (task->last_failure_code != code)
                return NULL;
        task->last_failure = NULL;
        task->last_failure_code = 0;
        return left;
}

static int fail(int code, void *data, belay_destroy *destroy, const char *format,
                va_list arguments) {
        belay_task *self = bly_current();
        struct bly_text *text;
        belay_failure *failure = NULL;

        if (self != NULL && (format != NULL || data != NULL)) {
                text = bly_text_format(format, arguments);
                failure = bly_failure_new(code, text);
        }
        if (failure != NULL) {
                failure->data = data;
                failure->destroy = destroy;
        } else if (destroy != NULL) {
                destroy(data);
        }
        if (self != NULL)
                bly_set_last_failure(self, code, failure);
        return code;
}

int belay_fail(int code, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        fail(code, NULL, NULL, format, arguments);
        va_end(arguments);
        return code;
}

int bly_explain(int code, const char *format, ...) {
        belay_task *self = bly_current();
        va_list arguments;

        va_start(arguments, format);
        fail(code, NULL, NULL, format, arguments);
        va_end(arguments);
        if (self != NULL && self->last_failure != NULL)
                self->last_failure->says_all = true;
        return code;
}

int belay_fail_data(int code, void *data, belay_destroy *destroy, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        fail(code, data, destroy, format, arguments);
        va_end(arguments);
        return code;
}

belay_failure *belay_failure_take(int code) {
        belay_task *self = bly_current();
        belay_failure *failure = self != NULL ? bly_take_last_failure(self, code) : NULL;

        if (failure == NULL)
                failure = bly_failure_new(code, NULL);
        return failure != NULL ? failure : belay_failure_ref(NULL);
}

int belay_failure_raise(belay_failure *failure) {
        belay_task *self = bly_current();
        int code = belay_failure_code(failure);

        if (self != NULL)
                bly_set_last_failure(self, code, failure);
        else
                belay_failure_release(failure);
        return code;
}
