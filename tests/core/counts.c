/* SPDX-License-Identifier: MIT */
/*
 * A program can drive some counts up without limit, by a mistake or in a long life. They stay at
 * their maximum instead of wrapping. Then a record with too many references is never freed, and a
 * task with too many requests stays cancelled.
 */
#include <limits.h>

#include "base/failure.h"
#include "core/task.h"

#include "../base/help.h"

enum { MOST = 1 << 30 };

static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_NEVER);
}

static int requests(void *arg) {
        belay_task *task = must(belay_spawn(sleeps, NULL));

        (void) arg;
        CHECK_EQ(belay_yield(), 0);
        task->requests = INT_MAX - 1;
        for (int i = 0; i < 3; i++) {
                CHECK(belay_cancel(task, NULL));
                CHECK_EQ(belay_cancelling(task), INT_MAX);
        }
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK(belay_cancelled(task));
        belay_release(task);
        return 0;
}

/*
 * Another task sends the request, because a shield does not hold back a task's requests to itself.
 */
static int cancels(void *arg) {
        CHECK(belay_cancel(arg, NULL));
        return 0;
}

static void cancelled_by_another(belay_task *self) {
        belay_release(must(belay_spawn(cancels, self)));
        CHECK_EQ(belay_yield(), 0);
}

static int held_back(void *arg) {
        belay_task *self = belay_self();
        belay_shield_scope region;

        (void) arg;
        CHECK_EQ(belay_shield_enter(&region, BELAY_NEVER), 0);
        cancelled_by_another(self);
        CHECK_EQ(self->held, 1);
        self->requests = self->held = INT_MAX - 1;
        for (int i = 0; i < 3; i++)
                cancelled_by_another(self);
        CHECK(self->requests == INT_MAX && self->held == INT_MAX);
        CHECK_EQ(belay_shield_leave(&region, 0), 0);
        CHECK_EQ(belay_yield(), -ECANCELED);
        return 0;
}

/* Each reference is released once more than it is counted, and the record must stay in memory. */
static int handles(void *arg) {
        belay_task *task = must(belay_spawn(sleeps, NULL));
        int refs = task->refs;

        (void) arg;
        task->refs = MOST - 1;
        for (int i = 0; i < 3; i++)
                CHECK(belay_ref(task) == task);
        CHECK_EQ(task->refs, MOST);
        for (int i = 0; i < 3; i++)
                belay_release(task);
        CHECK_EQ(task->refs, MOST);
        task->refs = refs;
        belay_cancel(task, NULL);
        CHECK_EQ(belay_join(task, NULL), 0);
        belay_release(task);
        return 0;
}

static void failures(void) {
        belay_failure *failure = bly_failure_new(-EIO, NULL);

        CHECK(failure != NULL);
        failure->refs = MOST - 1;
        for (int i = 0; i < 3; i++)
                CHECK(belay_failure_ref(failure) == failure);
        CHECK_EQ(failure->refs, MOST);
        for (int i = 0; i < 3; i++)
                belay_failure_release(failure);
        CHECK_EQ(failure->refs, MOST);
        failure->refs = 1;
        belay_failure_release(failure);
}

int main(void) {
        RUN_VIRTUAL(requests);
        RUN_VIRTUAL(held_back);
        RUN_VIRTUAL(handles);
        failures();
        return 0;
}
