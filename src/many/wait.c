/* SPDX-License-Identifier: MIT */
/*
 * belay_wait(): waits for all tasks, the first, or the first failure, up to a limit.
 */
#include "many/watch.h"

struct wait_many {
        struct bly_wait wait;
        struct bly_watch watch;
        belay_task *self;
        belay_wait_mode mode;
        size_t pending;
};

static bool enough(const struct wait_many *wait, const belay_task *ended) {
        if (wait->pending == 0 || wait->mode == BELAY_WAIT_FIRST)
                return true;
        return wait->mode == BELAY_WAIT_FIRST_ERROR && ended->outcome < 0
               && !bly_is_cancelled(ended);
}

static void one_ended(struct bly_watch *watch, struct bly_watched *watched) {
        struct wait_many *wait = container_of(watch, struct wait_many, watch);

        wait->pending--;
        if (!enough(wait, watched->task) || wait->self->wait != &wait->wait)
                return;
        bly_timer_off(wait->self->loop, &wait->self->timer);
        bly_wake(wait->self, 0);
}

static enum bly_answer stop_waiting(belay_task *task, struct bly_wait *wait) {
        (void) wait;
        bly_timer_off(task->loop, &task->timer);
        return BLY_DETACHED;
}

static belay_task *awaited(const struct bly_wait *wait, size_t *cursor) {
        return bly_watch_pending(&container_of(wait, struct wait_many, wait)->watch, cursor);
}

static const struct bly_wait_class wait_class = {
        .what = "wait",
        .on_request = stop_waiting,
        .awaits = awaited,
};

int belay_wait_placed(const char *place, belay_task *const tasks[], size_t count,
                      belay_wait_mode mode, belay_time span) {
        belay_task *self = bly_waiter(place, "belay_wait()");
        struct wait_many wait = { .wait.class = &wait_class, .self = self, .mode = mode };
        bool satisfied = false;
        int rc, done = 0;

        if (self == NULL)
                return -EPERM;
        if (count == 0 || (unsigned) mode > BELAY_WAIT_FIRST_ERROR)
                return bly_misuse(-EINVAL, place,
                                  count == 0 ? "belay_wait() for no tasks"
                                             : "belay_wait() in an unknown mode");
        rc = bly_watch_begin(&wait.watch, tasks, count, one_ended);
        if (rc < 0)
                return rc;
        for (size_t i = 0; i < wait.watch.count; i++)
                wait.pending += !bly_is_done(wait.watch.watched[i].task);
        for (size_t i = 0; i < wait.watch.count && !satisfied; i++)
                satisfied = bly_is_done(wait.watch.watched[i].task)
                            && enough(&wait, wait.watch.watched[i].task);
        if (!satisfied && span != BELAY_NEVER) {
                self->timer.fire = bly_timer_wakes;
                rc = bly_timer_set(self->loop, &self->timer,
                                   bly_add_time(bly_now(self->loop), span));
        }
        /*
         * asyncio's wait() yields even if nothing is left to wait for, and so delivers a pending
         * request.
         */
        if ((!satisfied || self->node.must_cancel) && rc == 0)
                rc = bly_wait(self, &wait.wait, place);
        for (size_t i = 0; i < count; i++)
                done += bly_is_done(tasks[i]);
        bly_watch_end(&wait.watch);
        return rc < 0 ? rc : done;
}
