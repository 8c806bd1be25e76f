/* SPDX-License-Identifier: MIT */
/*
 * Main cancels the only member of a group before the member's first step.
 *
 * A member that ends cancelled cancels neither its siblings nor the body. belay_group_leave() waits
 * until the member has ended, and returns 0.
 *
 * The asyncio twin calls create_task() of a TaskGroup and cancels the task before its first step.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int ran;

static int some(void *arg) {
        (void) arg;
        ran++;
        say("never reached");
        return belay_sleep(3 * SECOND);
}

static int app(void *arg) {
        belay_group group;
        belay_task *task = NULL;
        int rc;

        (void) arg;
        rc = belay_group_enter(&group);
        if (rc < 0)
                return rc;
        rc = belay_group_spawn_with(&group, some, NULL,
                                    BELAY_OPTIONS(belay_spawn_options, .name = "task"), &task);
        if (rc == 0) {
                belay_cancel(task, NULL);
                say("started a member and cancelled it at once; the group has %zu member",
                    belay_group_count(&group));
        }
        rc = belay_group_leave(&group, rc);
        if (rc == 0) {
                say("left the group; the task is %s, and main has %d requests", state(task),
                    belay_cancelling(belay_self()));
                expect(belay_cancelled(task));
                expect(belay_cancelling(belay_self()) == 0);
                expect(ran == 0);
        }
        belay_release(task);
        return rc;
}

int main(void) {
        shows("A member that is cancelled before its first step does not disturb its group.");
        return verdict(belay_run(app, NULL));
}
