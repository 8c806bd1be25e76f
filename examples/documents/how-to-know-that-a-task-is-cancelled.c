/* SPDX-License-Identifier: MIT */
/*
 * Asked to end, and ended cancelled, are two things; between them lies the task's own doing.
 *
 * belay_cancelling() counts the requests. belay_done() and belay_cancelled() tell of the end, and
 * that comes only after the task has run again. belay_wait() waits for the end, however it is. To
 * cancel what is done does nothing and says false.
 *
 * Twin of the asyncio program that looks at task.cancelled() right after task.cancel(), finds
 * False, waits, and then finds True.
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
        bool asked;
        int rc;

        (void) arg;
        if (!task)
                return -errno;
        rc = belay_sleep(SECOND);
        if (rc == 0) {
                say("the task is %s, with %d requests", state(task), belay_cancelling(task));
                expect(!belay_done(task) && belay_cancelling(task) == 0);

                asked = belay_cancel(task, NULL);
                say("cancels it: %s; it is %s, with %d request", asked ? "true" : "false",
                    state(task), belay_cancelling(task));
                expect(asked && !belay_done(task) && belay_cancelling(task) == 1);

                rc = belay_wait(&task, 1, BELAY_WAIT_ALL, BELAY_NEVER);
        }
        if (rc > 0) {
                say("waited for its end: it is %s", state(task));
                expect(rc == 1 && belay_cancelled(task));

                asked = belay_cancel(task, NULL);
                say("cancels it again: %s; it had %d request", asked ? "true" : "false",
                    belay_cancelling(task));
                expect(!asked && belay_cancelling(task) == 1);
        }
        belay_release(task);
        return rc < 0 ? rc : 0;
}

int main(void) {
        shows("A task is not cancelled when it is asked, but when it has ended so.");
        return verdict(belay_run(app, NULL));
}
