/* SPDX-License-Identifier: MIT */
/*
 * Cancelling a task, once or repeatedly, and withdrawing a request.
 */
#include "core/await.h"

bool belay_cancel_placed(const char *place, belay_task *task, const char *reason) {
        belay_task *self = bly_current();
        struct bly_request request = {
                .kind = BELAY_ORIGIN_CALLER,
                .place = place,
                .reason = reason,
                .sender = self,
                /* A request of a task to itself comes from inside all of its shielded regions. */
                .depth = self == task ? BLY_DEPTH_INNERMOST : 0,
        };

        return likely(task != NULL) && bly_request_cancel(task, &request);
}

int belay_cancelling(const belay_task *task) {
        return task != NULL ? task->requests : 0;
}

int belay_uncancel(belay_task *task) {
        return task != NULL ? bly_uncancel(task) : 0;
}

int belay_force_cancel_placed(const char *place, belay_task *task, int tries, belay_time interval) {
        belay_task *self = bly_waiter(place, "belay_force_cancel()");
        int count = 0, rc = 0;

        if (self == NULL)
                return -EPERM;
        if (task == NULL)
                return bly_no_task(self);
        bly_record_ref(task);
        while (!bly_is_done(task)) {
                if (count >= tries) {
                        rc = -ETIMEDOUT;
                        break;
                }
                belay_cancel_placed(place, task, NULL);
                count++;
                rc = belay_sleep_placed(place, interval);
                if (rc < 0)
                        break;
        }
        bly_record_unref(task);
        return rc < 0 ? rc : count;
}
