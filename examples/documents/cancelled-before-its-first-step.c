/* SPDX-License-Identifier: MIT */
/*
 * A task that is cancelled before its first step never runs its body.
 *
 * belay_spawn() makes a task ready, and the task takes its first step when the spawning task waits.
 * If a request arrives before that, the task ends without a step. A body therefore cannot be the
 * only code that frees the argument. belay calls the destructor in .destroy once, whether the body
 * ran or not.
 *
 * The asyncio twin cancels the task right after create_task(). The task never reaches its `except`
 * clause.
 */
#include <stdlib.h>

#include <belay.h>

#define SECOND (BELAY_SECOND / 10)
#include "say.h"

static int ran, disposed;

static int cancellable(void *arg) {
        int rc;

        (void) arg;
        ran++;
        say("never reached");
        rc = belay_sleep(10 * SECOND);
        if (rc == -ECANCELED)
                say("never reached, either");
        return rc;
}

static void dispose(void *arg) {
        disposed++;
        free(arg);
}

static int app(void *arg) {
        char *given = malloc(100);
        belay_task *task;
        int outcome, rc;

        (void) arg;
        if (!given)
                return -ENOMEM;
        task = belay_spawn_with(
                cancellable, given,
                BELAY_OPTIONS(belay_spawn_options, .name = "task", .destroy = dispose));
        if (!task) {
                rc = -errno;
                free(given);
                return rc;
        }
        belay_cancel(task, NULL);
        say("spawned a task and cancelled it at once; the task is %s", state(task));
        expect(!belay_done(task));
        rc = belay_await(task, &outcome);
        if (rc == 0) {
                say("the task is %s and never ran", state(task));
                expect(outcome == -ECANCELED);
                expect(belay_cancelled(task));
                expect(ran == 0);
                expect(disposed == 1);
        }
        belay_release(task);
        return rc;
}

int main(void) {
        shows("A task that is cancelled before its first step never runs, and its argument is "
              "freed.");
        return verdict(belay_run(app, NULL));
}
