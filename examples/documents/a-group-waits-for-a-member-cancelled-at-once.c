/* SPDX-License-Identifier: MIT */
/*
 * A group whose only member is cancelled before it ran: leaving the group is no failure.
 *
 * A member that ends cancelled ends nobody else: neither its siblings nor the body hear of it. The
 * group just waits until it is gone.
 *
 * Twin of the asyncio program that calls a TaskGroup's create_task() and cancels the task in the
 * same breath.
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
                say("started a member and cancelled it at once; members: %zu",
                    belay_group_count(&group));
        }
        rc = belay_group_leave(&group, rc);
        if (rc == 0) {
                say("left the group; the task is %s; requests to main: %d", state(task),
                    belay_cancelling(belay_self()));
                expect(belay_cancelled(task));
                expect(belay_cancelling(belay_self()) == 0);
                expect(ran == 0);
        }
        belay_release(task);
        return rc;
}

int main(void) {
        shows("A group is left in peace when a member was cancelled before its first step.");
        return verdict(belay_run(app, NULL));
}
