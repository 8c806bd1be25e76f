/* SPDX-License-Identifier: MIT */
/*
 * Wait for the first of several events.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

static int wait_for_event(void *event) {
        return belay_event_wait(event);
}

/* Waits until one of two events is set, and returns which: 0 or 1. Neither event is changed. */
static int first_of(belay_event *one, belay_event *other) {
        belay_event *events[] = { one, other };
        belay_task *tasks[2] = { NULL, NULL };
        belay_group group;
        size_t winner = 0;
        int outcome = 0, rc = belay_group_enter(&group);

        if (rc < 0)
                return rc;
        for (int i = 0; i < 2 && rc == 0; i++)
                rc = belay_group_spawn_with(&group, wait_for_event, events[i], NULL, &tasks[i]);
        if (rc == 0)
                rc = belay_race(tasks, 2, &winner, &outcome);
        belay_release(tasks[0]);
        belay_release(tasks[1]);
        rc = belay_group_leave(&group, rc);
        return rc < 0 ? rc : outcome < 0 ? outcome : (int) winner;
}

/* ---- the check ---- */

static void set(void *event) {
        belay_event_set(event);
}

static void cancel(void *task) {
        belay_cancel(task, "enough");
}

static int app(void *arg) {
        belay_event config_changed = BELAY_EVENT_INIT, stop = BELAY_EVENT_INIT;

        (void) arg;
        check(belay_later(2 * BELAY_SECOND, set, &config_changed) != 0);
        check(belay_later(5 * BELAY_SECOND, set, &stop) != 0);
        check(first_of(&config_changed, &stop) == 0);
        check(belay_now() == 2 * BELAY_SECOND);
        check(belay_event_is_set(&config_changed));
        belay_event_clear(&config_changed);
        check(first_of(&config_changed, &stop) == 1);
        check(belay_now() == 5 * BELAY_SECOND);

        belay_event_clear(&stop);
        check(belay_later(BELAY_SECOND, cancel, belay_self()) != 0);
        check(first_of(&config_changed, &stop) == -ECANCELED);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
