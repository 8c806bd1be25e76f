/* SPDX-License-Identifier: MIT */
/*
 * The end of a task or future. The outcome follows from the body's return value, and is written.
 * Then the owner and the observers are notified.
 */
#include "core/locals.h"
#include "core/wait.h"

belay_failure *bly_take_cancellation(belay_task *task) {
        belay_failure *failure = task->failure;

        if (failure != NULL && !task->reason_taken) {
                task->reason_taken = true;
                return belay_failure_ref(failure);
        }
        if (task->message == NULL)
                return NULL;
        return bly_failure_new(-ECANCELED, bly_text_ref(task->message));
}

void bly_end(belay_task *task, int outcome, belay_failure *failure) {
        struct belay_loop *loop = task->loop;

        task->outcome = outcome;
        task->failure = failure;
        task->node.state = BLY_DONE;
        if (outcome == -ECANCELED)
                task->node.flags |= BLY_TASK_CANCELLED;
        /*
         * The record must last until all are notified. A task with a body has the loop's reference,
         * which the last line releases. A future gets a reference for this time.
         */
        if (unlikely(bly_is_future(task))) {
                bly_record_ref(task);
        } else {
                loop->count--;
                if (unlikely(task->node.flags & BLY_TASK_WAVE))
                        loop->wave--;
        }
        if (task->owner != NULL)
                task->owner->ended(task->owner, task);
        while (!bly_list_empty(&task->observers)) {
                struct bly_observer *observer = container_of(task->observers.next,
                                                             struct bly_observer, link);

                bly_list_remove(&observer->link);
                observer->ended(observer, task);
        }
        bly_record_unref(task);
}

void bly_finish(belay_task *self, int code) {
        belay_failure *failure = NULL;

        if (code >= 0) {
                if (self->node.must_cancel || (self->node.flags & BLY_TASK_HELD)) {
                        /*
                         * A request arrived after the last wait, or a shield holds one back. The
                         * task ends cancelled, although its body returned a result.
                         */
                        self->node.must_cancel = false;
                        self->node.flags &= (uint8_t) ~BLY_TASK_ORIGIN_FRESH;
                        code = -ECANCELED;
                }
        } else {
                failure = bly_take_last_failure(self, code);
                if (code == -ECANCELED) {
                        /*
                         * From here on the reason is only in the failure, which
                         * bly_take_cancellation() hands out once.
                         */
                        bly_text_release(self->message);
                        self->message = NULL;
                        if (self->origin.kind == BELAY_ORIGIN_NONE)
                                self->origin = (struct bly_origin) {
                                        .kind = BELAY_ORIGIN_BODY,
                                        .sender = self->id,
                                        .name = bly_text_ref(self->name),
                                        .when = self->loop->now,
                                };
                }
        }
        /* No handle gives access to these. */
        if (unlikely(self->last_failure != NULL))
                bly_set_last_failure(self, 0, NULL);
        if (unlikely(self->locals != NULL)) {
                struct bly_local_node *locals = self->locals;

                self->locals = NULL;
                bly_locals_release(locals);
        }
        bly_end(self, code, failure);
}
