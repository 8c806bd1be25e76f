/* SPDX-License-Identifier: MIT */
/*
 * Futures: how a program makes and sets them.
 */
#include "core/wait.h"

belay_future *belay_future_new_placed(const char *place) {
        struct belay_loop *loop = bly_loop;
        belay_task *future;

        if (loop == NULL) {
                bly_misuse(-EPERM, place, "a future is made where no loop runs");
                errno = EPERM;
                return NULL;
        }
        future = bly_record_new(loop);
        if (future == NULL) {
                errno = ENOMEM;
                return NULL;
        }
        future->node.state = BLY_FUTURE;
        future->node.flags = BLY_TASK_FUTURE;
        future->started_at = place;
        return future;
}

static int check_future(belay_future *future) {
        char label[32];

        if (future == NULL)
                return -ENOMEM;
        if (!bly_is_future(future))
                return bly_misuse(-EPERM, future->started_at,
                                  "task %s is ended as if it were a future",
                                  bly_task_label(future, label));
        return bly_is_done(future) ? -EALREADY : 0;
}

int belay_future_set(belay_future *future, int result) {
        int rc = check_future(future);
        belay_failure *failure = NULL;
        belay_task *self = bly_current();

        if (rc < 0)
                return rc;
        if (result < 0 && self != NULL)
                failure = bly_take_last_failure(self, result);
        bly_end(future, result, failure);
        return 0;
}

int belay_future_set_value(belay_future *future, void *value, belay_destroy *destroy) {
        int rc = check_future(future);

        if (rc < 0)
                return rc;
        future->value = value;
        future->destroy_value = destroy;
        bly_end(future, 0, NULL);
        return 0;
}
