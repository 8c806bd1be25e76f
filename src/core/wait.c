/* SPDX-License-Identifier: MIT */
/*
 * Waiting and waking: the functions that are not inlined.
 */
#include "core/wait.h"

belay_task *bly_no_waiter(const char *place, const char *what) {
        bly_misuse(-EPERM, place, "%s outside of a task", what);
        return NULL;
}

void bly_before_wait(belay_task *self) {
        struct belay_loop *loop = self->loop;

        if (loop->on_wait != NULL)
                loop->on_wait(loop, self);
        if (self->node.must_cancel)
                bly_handle_pending(self);
}

void bly_yield_slowly(belay_task *self) {
        struct belay_loop *loop = self->loop;

        if (unlikely(loop->on_wait != NULL))
                loop->on_wait(loop, self);
        bly_ready_push(loop, &self->node);
        bly_leave_slowly(loop, self);
}

int bly_try_slowly(const char *place) {
        struct belay_loop *loop = bly_loop;
        belay_task *self = bly_current();
        int rc = 0;

        bly_tries = BLY_TRIES;
        if (self == NULL || loop->is_virtual)
                return 0;
        if (bly_is_eager(loop, self)) {
                /*
                 * A task on its eager first step yields to its parent alone. The parent must yield
                 * at its own next try.
                 */
                bly_tries = 1;
                return belay_yield_placed(place);
        }
        if (!bly_look_if_due(loop) && loop->ready.head == NULL && !self->node.must_cancel)
                return 0;
        /*
         * The first yield fires the timers that are due. The tasks that these wake stand after this
         * task in the queue. The second yield, below, lets them run first.
         */
        if (loop->fire_queued)
                rc = belay_yield_placed(place);
        return rc == 0 ? belay_yield_placed(place) : rc;
}

void bly_timer_wakes(struct bly_timer *timer) {
        bly_wake(container_of(timer, belay_task, timer), 0);
}

int bly_deliver(belay_task *self, struct bly_text *reason) {
        self->node.flags &= (uint8_t) ~BLY_TASK_ORIGIN_FRESH;
        bly_set_last_failure(self, -ECANCELED,
                             reason != NULL ? bly_failure_new(-ECANCELED, reason) : NULL);
        return -ECANCELED;
}

int bly_settle(belay_task *self) {
        struct bly_text *reason = self->wake_reason;
        int code = self->wake;

        self->wake = 0;
        self->wake_reason = NULL;
        if (self->node.must_cancel) {
                /*
                 * Requests that arrived after the wake-up merge with the one that woke the task.
                 * The reason of that one is kept.
                 */
                self->node.must_cancel = false;
                if (code != -ECANCELED)
                        reason = bly_text_ref(self->message);
                code = -ECANCELED;
        }
        if (code == -ECANCELED)
                return bly_deliver(self, reason);
        if (code < 0)
                bly_set_last_failure(self, code, NULL);
        return code;
}

void bly_postpone(belay_task *self) {
        if (self->wake == -ECANCELED && !self->node.must_cancel) {
                self->node.must_cancel = true;
                bly_text_release(self->message);
                self->message = self->wake_reason;
        } else {
                bly_text_release(self->wake_reason);
        }
        self->wake_reason = NULL;
        self->wake = 0;
}

void bly_undeliver(belay_task *self) {
        belay_failure *left = bly_take_last_failure(self, -ECANCELED);

        /*
         * If another request has arrived since, its origin and reason are reported instead, as
         * though both had been pending together.
         */
        if (!self->node.must_cancel) {
                self->node.must_cancel = true;
                self->node.flags |= BLY_TASK_ORIGIN_FRESH;
                bly_text_release(self->message);
                self->message = left != NULL ? bly_text_ref(left->text) : NULL;
        }
        belay_failure_release(left);
}

enum bly_answer bly_detach(belay_task *task, struct bly_wait *wait) {
        (void) task;
        (void) wait;
        return BLY_DETACHED;
}

enum bly_answer bly_refuse(belay_task *task, struct bly_wait *wait) {
        (void) task;
        (void) wait;
        return BLY_REFUSED;
}
