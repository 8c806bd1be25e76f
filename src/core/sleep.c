/* SPDX-License-Identifier: MIT */
/*
 * Sleeping, yielding, and the checkpoint for loops that compute.
 */
#include "core/wait.h"

#define CHECKPOINT_SLICE (200 * BELAY_MICROSECOND)
/* Computing takes no virtual time, so under a virtual clock checkpoints are counted instead. */
enum { CHECKPOINTS_A_SLICE = 64 };

static enum bly_answer wake_sleeper(belay_task *task, struct bly_wait *wait) {
        (void) wait;
        bly_timer_off(task->loop, &task->timer);
        return BLY_DETACHED;
}

static const struct bly_wait_class sleep_class = {
        .what = "sleep",
        .on_request = wake_sleeper,
};
static const struct bly_wait_class forever_class = {
        .what = "sleep without a limit",
        .on_request = bly_detach,
        .outside = true,
};

/*
 * All state of a sleeping task is in its record, so all tasks share these two waits. Cancelling a
 * million sleeping tasks touches no stack.
 */
static struct bly_wait sleep_wait = { .class = &sleep_class };
static struct bly_wait forever_wait = { .class = &forever_class };

int belay_yield_placed(const char *place) {
        struct belay_loop *loop = bly_loop;
        belay_task *self;

        if (unlikely(loop == NULL || loop->current == NULL)) {
                bly_waiter(place, "belay_yield()");
                return -EPERM;
        }
        self = loop->current;
        bly_yield_now(loop, self, place);
        return likely(!self->node.must_cancel) ? 0 : bly_settle(self);
}

static inline __attribute__((always_inline)) int sleep_until(belay_task *self, belay_time when,
                                                             const char *place) {
        if (when == BELAY_NEVER)
                return bly_wait(self, &forever_wait, place);
        self->timer.fire = bly_timer_wakes;
        if (unlikely(bly_timer_set(self->loop, &self->timer, when) < 0))
                return -ENOMEM;
        return bly_wait(self, &sleep_wait, place);
}

int belay_sleep_placed(const char *place, belay_time span) {
        belay_task *self = bly_waiter(place, "belay_sleep()");

        if (unlikely(self == NULL))
                return -EPERM;
        if (span <= 0) {
                bly_yield_now(self->loop, self, place);
                return bly_verdict(self);
        }
        return sleep_until(self, bly_add_time(bly_now(self->loop), span), place);
}

int belay_sleep_until_placed(const char *place, belay_time instant) {
        belay_task *self = bly_waiter(place, "belay_sleep_until()");

        if (unlikely(self == NULL))
                return -EPERM;
        if (instant <= bly_now(self->loop)) {
                bly_yield_now(self->loop, self, place);
                return bly_verdict(self);
        }
        return sleep_until(self, instant, place);
}

static bool ran_long_enough(struct belay_loop *loop) {
        if (loop->fire_queued || loop->now - loop->slice >= CHECKPOINT_SLICE)
                return true;
        return loop->is_virtual && ++loop->checkpoints >= CHECKPOINTS_A_SLICE;
}

/*
 * The slow path of belay_checkpoint(), not inlined. Other tasks run if a timer is due. They also
 * run if CHECKPOINT_SLICE has passed since they last had the opportunity.
 */
static __attribute__((noinline)) int look_around(belay_task *self, const char *place) {
        struct belay_loop *loop = self->loop;

        /*
         * The first step of an eager task is part of its parent's step, so no other task may run.
         */
        if (loop->eager == NULL) {
                bly_look(loop);
                if (ran_long_enough(loop)) {
                        loop->slice = loop->now;
                        loop->checkpoints = 0;
                        if (loop->ready.head != NULL || unlikely(loop->now >= loop->returns_at))
                                bly_yield_now(loop, self, place);
                }
        }
        return bly_verdict(self);
}

int belay_checkpoint_placed(const char *place) {
        belay_task *self = bly_current();

        if (unlikely(self == NULL))
                return bly_waiter(place, "belay_checkpoint()") != NULL ? 0 : -EPERM;
        if (likely(self->loop->switches > 1 && !self->node.must_cancel)) {
                self->loop->switches--;
                return 0;
        }
        return look_around(self, place);
}
