/* SPDX-License-Identifier: MIT */
/*
 * Race: the first task that ends with a result wins. The race returns when no task of it runs.
 *
 * A cancellation never discards a decided race. A request that arrives before a task has won ends
 * the race. A later request stays pending for the racing task's next wait.
 */
#include "many/watch.h"

struct race {
        struct bly_wait wait;
        struct bly_watch watch;
        belay_task *self;
        size_t pending;
        struct bly_watched *winner;
        belay_failure *failures; /* of the tasks that failed, in that order */
        int first_code;
        bool stopped; /* all tasks that are left were cancelled */
};

static void note_loser(struct race *race, struct bly_watched *watched) {
        belay_task *task = watched->task;
        belay_failure *failure;

        if (race->first_code == 0)
                race->first_code = task->outcome;
        if (race->stopped)
                return;
        watched->noted = true;
        failure = task->failure != NULL ? belay_failure_ref(task->failure)
                                        : bly_failure_new(task->outcome, NULL);
        if (race->failures == NULL)
                race->failures = bly_failure_new(race->first_code, NULL);
        if (failure != NULL && race->failures != NULL)
                bly_failure_add(race->failures, failure);
        else
                belay_failure_release(failure);
}

static void stop(struct race *race, const char *place) {
        struct bly_request request = {
                .kind = BELAY_ORIGIN_RACE,
                .place = place,
                .sender = race->self,
        };

        if (race->stopped)
                return;
        race->stopped = true;
        for (size_t i = 0; i < race->watch.count; i++)
                if (!bly_is_done(race->watch.watched[i].task))
                        bly_request_cancel(race->watch.watched[i].task, &request);
}

static void note_end(struct race *race, struct bly_watched *watched) {
        if (watched->task->outcome >= 0 && race->winner == NULL && !race->stopped) {
                watched->task->node.flags |= BLY_TASK_RETRIEVED;
                race->winner = watched;
        } else if (watched->task->outcome < 0) {
                note_loser(race, watched);
        }
}

static void racer_ended(struct bly_watch *watch, struct bly_watched *watched) {
        struct race *race = container_of(watch, struct race, watch);

        race->pending--;
        note_end(race, watched);
        if (race->winner == watched)
                stop(race, race->self->place);
        if (race->pending == 0 && race->self->wait == &race->wait)
                bly_wake(race->self, 0);
}

/*
 * Marks the failures that the race reports as retrieved. If a task has won, its result stands for
 * them.
 */
static void mark_losers(const struct race *race) {
        for (size_t i = 0; i < race->watch.count; i++)
                if (race->watch.watched[i].noted)
                        race->watch.watched[i].task->node.flags |= BLY_TASK_RETRIEVED;
}

static enum bly_answer on_request(belay_task *task, struct bly_wait *wait) {
        (void) task;
        return container_of(wait, struct race, wait)->stopped ? BLY_REFUSED : BLY_DETACHED;
}

static belay_task *awaited(const struct bly_wait *wait, size_t *cursor) {
        return bly_watch_pending(&container_of(wait, struct race, wait)->watch, cursor);
}

static const struct bly_wait_class race_class = {
        .what = "race",
        .on_request = on_request,
        .awaits = awaited,
        .breaks = BLY_BREAK_LAST,
};

/*
 * Waits until all tasks have ended, after they were cancelled. A request for the calling task stays
 * pending. Returns -EDEADLK if they cannot end, for example because a task waits for the caller and
 * refuses its cancellation.
 */
static int await_the_rest(struct race *race, belay_task *self, const char *place) {
        while (race->pending > 0) {
                bool deadlock;

                bly_suspend(self, &race->wait, place);
                deadlock = self->wake == -EDEADLK;
                bly_postpone(self);
                if (deadlock && race->pending > 0)
                        return -EDEADLK;
        }
        return 0;
}

/*
 * Waits until no task of the race runs. If a request was delivered meanwhile, cancels the tasks and
 * returns -ECANCELED.
 */
static int run_race(struct race *race, belay_task *self, const char *place) {
        int rc = 0;

        while (race->pending > 0 && !race->stopped && rc == 0) {
                bly_suspend(self, &race->wait, place);
                if (race->stopped || race->pending == 0)
                        bly_postpone(self);
                else
                        rc = bly_settle(self);
        }
        if (rc < 0) {
                belay_failure *why = bly_take_last_failure(self, rc);

                stop(race, place);
                (void) await_the_rest(race, self, place);
                bly_set_last_failure(self, rc, why);
                return rc;
        }
        rc = await_the_rest(race, self, place);
        if (rc < 0)
                bly_set_last_failure(self, rc, NULL);
        return rc;
}

static int check(belay_task *self, belay_task *const tasks[], size_t count, const char *place) {
        char label[32];

        if (count == 0)
                return bly_misuse(-EINVAL, place, "belay_race() of no tasks");
        for (size_t i = 0; i < count; i++)
                if (tasks[i] == self)
                        return bly_misuse(-EDEADLK, place, "task %s races against others itself",
                                          bly_task_label(self, label));
        return 0;
}

/* Tasks that are done already count in the order of the array. */
static void begin(struct race *race, const char *place) {
        for (size_t i = 0; i < race->watch.count; i++)
                race->pending += !bly_is_done(race->watch.watched[i].task);
        for (size_t i = 0; i < race->watch.count; i++)
                if (bly_is_done(race->watch.watched[i].task))
                        note_end(race, &race->watch.watched[i]);
        if (race->winner != NULL)
                stop(race, place);
}

int belay_race_placed(const char *place, belay_task *const tasks[], size_t count, size_t *winner,
                      int *outcome) {
        belay_task *self = bly_waiter(place, "belay_race()");
        struct race race = { .wait.class = &race_class, .self = self };
        int rc, result = 0;
        size_t index;

        if (self == NULL)
                return -EPERM;
        rc = check(self, tasks, count, place);
        if (rc < 0)
                return rc;
        rc = bly_watch_begin(&race.watch, tasks, count, racer_ended);
        if (rc < 0)
                return rc;
        self->place = place;
        begin(&race, place);
        rc = run_race(&race, self, place);
        index = race.winner != NULL ? race.winner->index : count;
        if (race.winner != NULL)
                result = race.winner->task->outcome;
        else
                result = race.first_code;
        if (rc == 0 && race.winner == NULL) {
                bly_set_last_failure(self, result, race.failures);
                race.failures = NULL;
        }
        if (rc == 0)
                mark_losers(&race);
        belay_failure_release(race.failures);
        bly_watch_end(&race.watch);
        if (rc == 0 && winner != NULL)
                *winner = index;
        if (rc == 0 && outcome != NULL)
                *outcome = result;
        return rc;
}
