/* SPDX-License-Identifier: MIT */
/*
 * Gather: waits for all tasks, or until the first fails.
 *
 * asyncio's gather() returns a future. Here the wait itself has that role: `over` means that the
 * future is done, and `first` is the child whose outcome it took.
 */
#include "many/watch.h"

struct gather {
        struct bly_pass pass;
        struct bly_watch watch;
        belay_task *const *tasks; /* as the caller named them; a task may occur twice */
        size_t count;
        belay_task *self;
        size_t pending;
        belay_task *first;     /* the task that failed or was cancelled first */
        belay_failure *reason; /* of `first` if cancelled, or of the gather itself */
        bool collect;
        bool over;
};

/*
 * Returns the reason that asyncio gives if a gather that collects is cancelled: that of the last
 * child in the caller's order.
 */
static belay_failure *reason_of_last(const struct gather *gather) {
        belay_task *last = gather->tasks[gather->count - 1];

        if (bly_is_cancelled(last))
                return bly_take_cancellation(last);
        return last->message != NULL ? bly_failure_new(-ECANCELED, bly_text_ref(last->message))
                                     : NULL;
}

static void note_outcome(struct gather *gather, belay_task *task) {
        gather->pending--;
        if (gather->over)
                return;
        if (!gather->collect && task->outcome < 0) {
                gather->first = task;
                if (bly_is_cancelled(task))
                        gather->reason = bly_take_cancellation(task);
                gather->over = true;
        } else if (gather->pending == 0) {
                /*
                 * The reason must be taken at this moment. Another wait for the same child can take
                 * it before this task runs.
                 */
                if (gather->pass.passed || (gather->pass.walking && gather->pass.taken))
                        gather->reason = reason_of_last(gather);
                gather->over = true;
        }
}

static void child_ended(struct bly_watch *watch, struct bly_watched *watched) {
        struct gather *gather = container_of(watch, struct gather, watch);

        note_outcome(gather, watched->task);
        if (gather->over && gather->self->wait == &gather->pass.wait)
                bly_wake(gather->self, 0);
}

/* A task receives a request as often as the caller named it. */
static belay_task *next_child(struct bly_wait *wait, size_t *cursor) {
        const struct gather *gather = container_of(wait, struct gather, pass.wait);

        while (*cursor < gather->count) {
                belay_task *task = gather->tasks[(*cursor)++];

                if (!bly_is_done(task))
                        return task;
        }
        return NULL;
}

static belay_task *awaited(const struct bly_wait *wait, size_t *cursor) {
        return bly_watch_pending(&container_of(wait, struct gather, pass.wait)->watch, cursor);
}

static const struct bly_wait_class gather_class = {
        .what = "gather",
        .next = next_child,
        .awaits = awaited,
};

static int verdict(struct gather *gather, belay_task *self, bool waited, int *outcome) {
        belay_task *first = gather->first;
        bool own = false;

        if (waited && unlikely(self->wake != 0))
                return bly_settle(self);
        if (first != NULL && bly_is_cancelled(first)) {
                own = waited && (gather->pass.passed || self->node.must_cancel);
                bly_write_outcome(first, outcome);
                bly_set_last_failure(self, -ECANCELED, gather->reason);
                gather->reason = NULL;
        } else if (first == NULL && gather->pass.passed) {
                own = true;
                bly_set_last_failure(self, -ECANCELED, gather->reason);
                gather->reason = NULL;
        } else if (waited && self->node.must_cancel) {
                if (first != NULL)
                        bly_write_outcome(first, outcome);
                return bly_settle(self);
        } else if (first != NULL) {
                bly_pass_refused(&gather->pass);
                return bly_pass_outcome(self, first, outcome);
        } else if (outcome != NULL) {
                *outcome = 0;
        }
        if (waited)
                self->node.must_cancel = false;
        if (!own)
                return 0;
        self->node.flags &= (uint8_t) ~BLY_TASK_ORIGIN_FRESH;
        return -ECANCELED;
}

static int gather(const char *place, belay_task *const tasks[], size_t count, bool collect,
                  int *outcome) {
        belay_task *self = bly_waiter(place, "belay_gather()");
        struct gather gather;
        bool waited = false;
        int rc;

        if (self == NULL)
                return -EPERM;
        gather.self = self;
        gather.tasks = tasks;
        gather.count = count;
        gather.collect = collect;
        gather.over = false;
        gather.first = NULL;
        gather.reason = NULL;
        bly_pass_init(&gather.pass, self, &gather_class);
        rc = bly_watch_begin(&gather.watch, tasks, count, child_ended);
        if (rc < 0)
                return rc;
        gather.pending = gather.watch.count;
        for (size_t i = 0; i < gather.watch.count; i++)
                if (bly_is_done(gather.watch.watched[i].task))
                        note_outcome(&gather, gather.watch.watched[i].task);
        if (gather.watch.count > 0 && !gather.over) {
                waited = true;
                bly_suspend(self, &gather.pass.wait, place);
        }
        rc = verdict(&gather, self, waited, outcome);
        belay_failure_release(gather.reason);
        bly_watch_end(&gather.watch);
        return rc;
}

int belay_gather_placed(const char *place, belay_task *const tasks[], size_t count, int *outcome) {
        return gather(place, tasks, count, false, outcome);
}

int belay_gather_collect_placed(const char *place, belay_task *const tasks[], size_t count) {
        return gather(place, tasks, count, true, NULL);
}
