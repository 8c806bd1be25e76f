/* SPDX-License-Identifier: MIT */
/*
 * A task that received a request has not ended yet, because it must run again to end.
 *
 * belay_cancelling() counts the requests. belay_done() and belay_cancelled() report the end of the
 * task. belay_wait() waits for that end, with any outcome. If the task has ended, belay_cancel()
 * sends no request and returns false.
 *
 * The asyncio twin reads False from task.cancelled() right after task.cancel(). After a wait it
 * reads True.
 */
#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int another(void *arg) {
        (void) arg;
        say("works for 5 seconds");
        return belay_sleep(5 * SECOND);
}

static int app(void *arg) {
        belay_task *task = belay_spawn_with(another, NULL,
                                            BELAY_OPTIONS(belay_spawn_options, .name = "task"));
        bool sent;
        int rc;

        (void) arg;
        if (!task)
                return -errno;
        rc = belay_sleep(SECOND);
        if (rc == 0) {
                say("the task is %s, with %d requests", state(task), belay_cancelling(task));
                expect(!belay_done(task) && belay_cancelling(task) == 0);

                sent = belay_cancel(task, NULL);
                say("cancels it (%s); it is %s, with %d request", sent ? "true" : "false",
                    state(task), belay_cancelling(task));
                expect(sent && !belay_done(task) && belay_cancelling(task) == 1);

                rc = belay_wait(&task, 1, BELAY_WAIT_ALL, BELAY_NEVER);
        }
        if (rc > 0) {
                say("waited for its end; it is %s", state(task));
                expect(rc == 1 && belay_cancelled(task));

                sent = belay_cancel(task, NULL);
                say("cancels it again (%s); it had %d request", sent ? "true" : "false",
                    belay_cancelling(task));
                expect(!sent && belay_cancelling(task) == 1);
        }
        belay_release(task);
        return rc < 0 ? rc : 0;
}

int main(void) {
        shows("A task that received a request has not ended yet.");
        return verdict(belay_run(app, NULL));
}
