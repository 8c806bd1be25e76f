/* SPDX-License-Identifier: MIT */
/*
 * A call or a task under a timeout: belay_wait_for() and belay_await_for().
 */
#include "scope/scope.h"

/*
 * Turns that asyncio takes to cancel a coroutine before its first step. A program can count them,
 * since its other tasks run meanwhile.
 */
enum { TURNS_OF_A_STILLBORN = 3 };

struct turns {
        struct bly_wait wait;
        belay_task *task;
        belay_ticket ticket;
        int left;
};

static enum bly_answer stop_turns(belay_task *task, struct bly_wait *wait) {
        (void) task;
        struct turns *turns = container_of(wait, struct turns, wait);

        bly_callback_cancel(turns->task->loop, turns->ticket);
        return BLY_DETACHED;
}

static const struct bly_wait_class turns_class = {
        .what = "timeout of 0",
        .on_request = stop_turns,
};

static void next_turn(void *arg) {
        struct turns *turns = arg;

        if (--turns->left > 0)
                turns->ticket = bly_callback_soon(turns->task->loop, next_turn, turns);
        if (turns->left == 0 || turns->ticket == 0)
                bly_wake(turns->task, 0);
}

static int wait_turns(belay_task *self, int count, const char *place) {
        struct turns turns = { .wait.class = &turns_class, .task = self, .left = count - 1 };

        turns.ticket = bly_callback_soon(self->loop, next_turn, &turns);
        if (turns.ticket == 0)
                return -ENOMEM;
        return bly_wait(self, &turns.wait, place);
}

int belay_wait_for_placed(const char *place, belay_fn *fn, void *arg, belay_time span) {
        belay_task *self = bly_waiter(place, "belay_wait_for()");
        belay_timeout timeout;
        int rc;

        if (self == NULL)
                return -EPERM;
        if (span <= 0) {
                rc = wait_turns(self, TURNS_OF_A_STILLBORN, place);
                if (rc == 0) {
                        bly_set_last_failure(self, -ETIMEDOUT, NULL);
                        rc = -ETIMEDOUT;
                }
                return rc;
        }
        rc = belay_timeout_enter_placed(place, &timeout, span);
        if (rc < 0)
                return rc;
        return belay_timeout_leave_placed(place, &timeout, fn(arg));
}

/*
 * Waits for the end of a task as asyncio's wait_for() does if no time is left. A request ends the
 * wait and is not forwarded.
 */
struct bare_wait {
        struct bly_wait wait;
        struct bly_observer observer;
        belay_task *task, *target;
        belay_ticket ticket;
};

static enum bly_answer stop_bare_wait(belay_task *task, struct bly_wait *wait) {
        (void) task;
        struct bare_wait *bare = container_of(wait, struct bare_wait, wait);

        bly_unobserve(&bare->observer);
        if (bare->ticket != 0)
                bly_callback_cancel(bare->task->loop, bare->ticket);
        return BLY_DETACHED;
}

static const char *target_name(const struct bly_wait *wait) {
        return belay_name(container_of(wait, struct bare_wait, wait)->target);
}

static belay_task *awaited(const struct bly_wait *wait, size_t *cursor) {
        belay_task *target = container_of(wait, struct bare_wait, wait)->target;

        return (*cursor)++ == 0 && !bly_is_done(target) ? target : NULL;
}

static const struct bly_wait_class bare_class = {
        .what = "wait for a cancelled task",
        .on_request = stop_bare_wait,
        .on = target_name,
        .awaits = awaited,
};

static void release_bare_wait(void *arg) {
        bly_wake(((struct bare_wait *) arg)->task, 0);
}

static void bare_ended(struct bly_observer *observer, belay_task *task) {
        struct bare_wait *bare = container_of(observer, struct bare_wait, observer);

        bare->ticket = bly_callback_soon(task->loop, release_bare_wait, bare);
        if (bare->ticket == 0)
                bly_wake(bare->task, 0);
}

static int cancel_now_and_wait(belay_task *self, belay_task *task, int *outcome,
                               const char *place) {
        struct bare_wait bare = {
                .wait.class = &bare_class,
                .observer.ended = bare_ended,
                .task = self,
                .target = task,
        };
        int rc = 0;

        if (!bly_is_done(task)) {
                bly_observe(task, &bare.observer);
                bly_request_cancel(task, &(struct bly_request) { .kind = BELAY_ORIGIN_TIMEOUT,
                                                                 .place = place,
                                                                 .sender = self });
                rc = bly_wait(self, &bare.wait, place);
                bly_unobserve(&bare.observer);
                if (rc < 0)
                        return rc;
                if (bly_is_cancelled(task)) {
                        bly_write_outcome(task, outcome);
                        bly_set_last_failure(self, -ETIMEDOUT, NULL);
                        return -ETIMEDOUT;
                }
        }
        return bly_pass_outcome(self, task, outcome);
}

int belay_await_for_placed(const char *place, belay_task *task, belay_time span, int *outcome) {
        belay_task *self = bly_waiter(place, "belay_await_for()");
        belay_timeout timeout;
        int rc;

        if (self == NULL)
                return -EPERM;
        if (task == NULL)
                return bly_no_task(self);
        bly_record_ref(task);
        if (span <= 0) {
                rc = cancel_now_and_wait(self, task, outcome, place);
        } else {
                rc = belay_timeout_enter_placed(place, &timeout, span);
                if (rc == 0) {
                        rc = bly_await(self, task, outcome, place);
                        rc = belay_timeout_leave_placed(place, &timeout, rc);
                }
        }
        bly_record_unref(task);
        return rc;
}
