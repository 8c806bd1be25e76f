/* SPDX-License-Identifier: MIT */
/*
 * belay_cancel_wait(): cancel a task and wait for its end. The wait ends when the task ends, at the
 * limit, or when the loop breaks a deadlock. A request for the waiting task does not end it, and is
 * pending afterwards.
 */
#include "cancel/task_line.h"
#include "core/await.h"

struct cancel_wait {
        struct bly_wait wait;
        struct bly_observer observer;
        belay_task *task, *target;
};

static const char *target_name(const struct bly_wait *wait) {
        return belay_name(container_of(wait, struct cancel_wait, wait)->target);
}

static belay_task *awaited(const struct bly_wait *wait, size_t *cursor) {
        belay_task *target = container_of(wait, struct cancel_wait, wait)->target;

        return (*cursor)++ == 0 && !bly_is_done(target) ? target : NULL;
}

static const struct bly_wait_class cancel_wait_class = {
        .what = "cancel and wait",
        .on_request = bly_refuse,
        .on = target_name,
        .awaits = awaited,
};

static void target_ended(struct bly_observer *observer, belay_task *target) {
        belay_task *task = container_of(observer, struct cancel_wait, observer)->task;

        (void) target;
        if (task->wait != NULL) {
                bly_timer_off(task->loop, &task->timer);
                bly_wake(task, 0);
        }
}

/*
 * Waits for the end of a task. A request for the waiting task does not end the wait, and is pending
 * afterwards. Returns 0, -ETIMEDOUT, -EDEADLK or -ENOMEM.
 */
static int await_uncancellable(belay_task *self, belay_task *target, belay_time limit,
                               const char *place) {
        struct cancel_wait wait = {
                .wait.class = &cancel_wait_class,
                .observer.ended = target_ended,
                .task = self,
                .target = target,
        };
        int rc;

        if (limit != BELAY_NEVER) {
                self->timer.fire = bly_timer_wakes;
                rc = bly_timer_set(self->loop, &self->timer,
                                   bly_add_time(bly_now(self->loop), limit > 0 ? limit : 0));
                if (rc < 0)
                        return rc;
        }
        bly_observe(target, &wait.observer);
        bly_suspend(self, &wait.wait, place);
        bly_unobserve(&wait.observer);
        rc = self->wake;
        bly_postpone(self);
        if (bly_is_done(target))
                return 0;
        return rc < 0 ? rc : -ETIMEDOUT;
}

static void report_left(const belay_task *task, const char *place) {
        struct bly_out line = { .fd = -1 };

        bly_task_line(&line, task);
        bly_log_limited(BELAY_LOG_WARNING, place,
                        "still there after its cancellation was waited for at %s: %s",
                        bly_place_text(place), bly_out_line(&line));
}

int belay_cancel_wait_placed(const char *place, belay_task *task, const char *reason,
                             belay_time limit, int *outcome) {
        belay_task *self = bly_waiter(place, "belay_cancel_wait()");
        int rc = 0;

        if (self == NULL)
                return -EPERM;
        if (task == NULL)
                return bly_no_task(self);
        if (task == self)
                return bly_waits_for_itself(self, place);
        bly_record_ref(task);
        /* A task that an earlier loop abandoned takes no request, and is not done either. */
        belay_cancel_placed(place, task, reason);
        if (!bly_is_done(task))
                rc = await_uncancellable(self, task, limit, place);
        if (rc == 0) {
                rc = bly_pass_outcome(self, task, outcome);
        } else {
                bly_set_last_failure(self, rc, NULL);
                if (rc == -ETIMEDOUT)
                        report_left(task, place);
        }
        bly_record_unref(task);
        return rc;
}
