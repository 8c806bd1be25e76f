/* SPDX-License-Identifier: MIT */
/*
 * Main cancels a group as a whole.
 *
 * belay_group_cancel() sends a request to each member and to the body of the group.
 * belay_group_leave() waits until all members have ended. It returns 0, because the request came
 * from the group itself.
 *
 * The asyncio twin starts two tasks in a TaskGroup, half a second apart, and cancels the group.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int started, finished;

static int long_task(void *arg) {
        int rc;

        (void) arg;
        say("starts and takes 5 seconds");
        started++;
        rc = belay_sleep(5 * SECOND);
        if (rc == 0) {
                say("finished");
                finished++;
        }
        return rc;
}

static int app(void *arg) {
        belay_group group;
        belay_task *a = NULL, *b = NULL;
        int rc;

        (void) arg;
        rc = belay_group_enter(&group);
        if (rc < 0)
                return rc;
        rc = belay_group_spawn_with(&group, long_task, NULL,
                                    BELAY_OPTIONS(belay_spawn_options, .name = "a"), &a);
        if (rc == 0)
                rc = belay_sleep(SECOND / 2);
        if (rc == 0)
                rc = belay_group_spawn_with(&group, long_task, NULL,
                                            BELAY_OPTIONS(belay_spawn_options, .name = "b"), &b);
        if (rc == 0)
                rc = belay_sleep(2 * SECOND);
        if (rc == 0) {
                say("cancels the group of %zu", belay_group_count(&group));
                belay_group_cancel(&group);
        }
        rc = belay_group_leave(&group, rc); /* on each path, because members may run */
        if (rc == 0) {
                say("left the group: a is %s, b is %s", state(a), state(b));
                expect(belay_cancelled(a) && belay_cancelled(b));
                expect(started == 2 && finished == 0);
                expect(belay_cancelling(belay_self()) == 0);
        }
        belay_release(b);
        belay_release(a);
        return rc;
}

int main(void) {
        shows("Main cancels a group: its members end, and leaving it is no failure.");
        return verdict(belay_run(app, NULL));
}
