/* SPDX-License-Identifier: MIT */
/*
 * The end of a task or future: its outcome is written, and its owner and observers are notified.
 */
#include "core/loop.h"

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
