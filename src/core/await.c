/* SPDX-License-Identifier: MIT */
/*
 * Waiting for the end of one task by await, shield or join, which differ in how they handle a
 * request.
 */
#include "core/await.h"

struct ending {
        /* only await forwards requests; the others have no `next` */
        struct bly_pass pass;
        struct bly_observer observer;
        belay_task *target;
};

static void target_ended(struct bly_observer *observer, belay_task *task) {
        struct ending *ending = container_of(observer, struct ending, observer);

        (void) task;
        /*
         * A wait that a request has detached is over, even if its target ends before the task runs.
         */
        if (ending->pass.task->wait == &ending->pass.wait)
                bly_wake(ending->pass.task, 0);
}

static belay_task *the_target(struct bly_wait *wait, size_t *cursor) {
        struct ending *ending = container_of(wait, struct ending, pass.wait);

        return (*cursor)++ == 0 && !bly_is_done(ending->target) ? ending->target : NULL;
}

static belay_task *awaited(const struct bly_wait *wait, size_t *cursor) {
        return the_target((struct bly_wait *) wait, cursor);
}

static const char *target_name(const struct bly_wait *wait) {
        return belay_name(container_of(wait, struct ending, pass.wait)->target);
}

static const struct bly_wait_class await_class = {
        .what = "await",
        .next = the_target,
        .on = target_name,
        .awaits = awaited,
};
static const struct bly_wait_class shield_class = {
        .what = "shield",
        .on_request = bly_detach,
        .on = target_name,
        .awaits = awaited,
};
static const struct bly_wait_class join_class = {
        .what = "join",
        .on_request = bly_detach,
        .on = target_name,
        .awaits = awaited,
};

/* Returns true if it waited for the target, false if the target was done already. */
static inline __attribute__((always_inline)) bool
wait_for_end(belay_task *self, struct ending *ending, belay_task *target,
             const struct bly_wait_class *class, const char *place) {
        if (bly_is_done(target))
                return false;
        bly_pass_init(&ending->pass, self, class);
        ending->observer.ended = target_ended;
        ending->target = target;
        bly_observe(target, &ending->observer);
        bly_suspend(self, &ending->pass.wait, place);
        bly_unobserve(&ending->observer);
        return true;
}

void bly_write_outcome(belay_task *target, int *outcome) {
        if (outcome != NULL) {
                target->node.flags |= BLY_TASK_RETRIEVED;
                *outcome = target->outcome;
        }
}

int bly_pass_outcome(belay_task *self, belay_task *target, int *outcome) {
        bly_write_outcome(target, outcome);
        if (bly_is_cancelled(target))
                bly_set_last_failure(self, -ECANCELED, bly_take_cancellation(target));
        else if (target->outcome < 0)
                bly_set_last_failure(self, target->outcome,
                                     target->failure != NULL ? belay_failure_ref(target->failure)
                                                             : NULL);
        return 0;
}

/*
 * Concludes an await of a task that ended cancelled. If this wait forwarded a request, or a request
 * is pending, the waiting task is itself cancelled: returns -ECANCELED. Otherwise returns 0.
 */
static int conclude_cancelled(belay_task *self, belay_task *target, bool passed, int *outcome) {
        bool own = passed || self->node.must_cancel;

        bly_pass_outcome(self, target, outcome);
        self->node.must_cancel = false;
        if (!own)
                return 0;
        self->node.flags &= (uint8_t) ~BLY_TASK_ORIGIN_FRESH;
        return -ECANCELED;
}

int bly_no_task(belay_task *self) {
        bly_set_last_failure(self, -ENOMEM, NULL);
        return -ENOMEM;
}

int bly_waits_for_itself(belay_task *self, const char *place) {
        char label[32];

        bly_set_last_failure(self, -EDEADLK, NULL);
        return bly_misuse(-EDEADLK, place, "task %s waits for itself", bly_task_label(self, label));
}

/*
 * asyncio detects this in the next turn. From then on no task can await the task that awaited
 * itself, since asyncio never resets the mark of a future that is being awaited.
 */
static int await_oneself(belay_task *self, const char *place) {
        int rc;

        self->awaited_itself = true;
        bly_yield_now(self->loop, self, place);
        rc = bly_verdict(self);
        return rc < 0 ? rc : bly_waits_for_itself(self, place);
}

int bly_await(belay_task *self, belay_task *target, int *outcome, const char *place) {
        struct ending ending;
        int rc = 0;

        if (unlikely(target->awaited_itself) && !bly_is_done(target)) {
                bly_set_last_failure(self, -EDEADLK, NULL);
                return bly_misuse(-EDEADLK, place, "a task is awaited that awaited itself before");
        }
        if (unlikely(target == self))
                return await_oneself(self, place);
        bly_record_ref(target);
        if (!wait_for_end(self, &ending, target, &await_class, place)) {
                rc = bly_pass_outcome(self, target, outcome);
        } else if (unlikely(self->wake != 0)) {
                /*
                 * The wait was ended without the target, to break a circle or a deadlock. There is
                 * no outcome to return.
                 */
                rc = bly_settle(self);
        } else if (bly_is_cancelled(target)) {
                rc = conclude_cancelled(self, target, ending.pass.passed, outcome);
        } else {
                if (likely(!self->node.must_cancel && target->outcome >= 0
                           && !ending.pass.passed)) {
                        if (outcome != NULL)
                                *outcome = target->outcome;
                } else if (unlikely(self->node.must_cancel)) {
                        bly_write_outcome(target, outcome);
                        rc = bly_settle(self);
                } else {
                        bly_pass_refused(&ending.pass);
                        rc = bly_pass_outcome(self, target, outcome);
                }
        }
        bly_record_unref(target);
        return rc;
}

int belay_await_placed(const char *place, belay_task *task, int *outcome) {
        belay_task *self = bly_waiter(place, "belay_await()");

        if (unlikely(self == NULL))
                return -EPERM;
        return likely(task != NULL) ? bly_await(self, task, outcome, place) : bly_no_task(self);
}

/*
 * asyncio allows this, and something may still end the wait. So this only reports why the wait does
 * not end.
 */
static void report_shield_of_oneself(const belay_task *self, const char *place) {
        char label[32];

        bly_misuse(-EDEADLK, place, "task %s shields itself, and waits until it is cancelled",
                   bly_task_label(self, label));
}

int belay_shield_placed(const char *place, belay_task *task, int *outcome) {
        belay_task *self = bly_waiter(place, "belay_shield()");
        struct ending ending;
        int rc;

        if (self == NULL)
                return -EPERM;
        if (unlikely(task == NULL))
                return bly_no_task(self);
        if (unlikely(task == self))
                report_shield_of_oneself(self, place);
        bly_record_ref(task);
        if (!wait_for_end(self, &ending, task, &shield_class, place)) {
                rc = bly_pass_outcome(self, task, outcome);
        } else if (self->wake != 0 || self->node.must_cancel) {
                if (bly_is_done(task))
                        bly_write_outcome(task, outcome);
                if (self->wake == 0 && bly_is_cancelled(task)) {
                        /* asyncio's shield reports that the task was cancelled, but not why. */
                        self->node.must_cancel = false;
                        rc = bly_deliver(self, NULL);
                } else {
                        rc = bly_settle(self);
                }
        } else if (bly_is_cancelled(task)) {
                /*
                 * Here, too, the reason is not taken. It is left for a task that awaits the
                 * shielded task itself.
                 */
                bly_write_outcome(task, outcome);
                bly_set_last_failure(self, -ECANCELED, NULL);
                rc = 0;
        } else {
                rc = bly_pass_outcome(self, task, outcome);
        }
        bly_record_unref(task);
        return rc;
}

int belay_join_placed(const char *place, belay_task *task, int *outcome) {
        belay_task *self = bly_waiter(place, "belay_join()");
        struct ending ending;
        int rc;

        if (self == NULL)
                return -EPERM;
        if (unlikely(task == NULL))
                return bly_no_task(self);
        if (task == self)
                return bly_waits_for_itself(self, place);
        bly_record_ref(task);
        if (!wait_for_end(self, &ending, task, &join_class, place)) {
                rc = bly_pass_outcome(self, task, outcome);
        } else if (bly_is_done(task)) {
                bly_postpone(self);
                rc = bly_pass_outcome(self, task, outcome);
        } else {
                rc = bly_settle(self);
        }
        bly_record_unref(task);
        return rc;
}
