/* SPDX-License-Identifier: MIT */
/*
 * A task that is cancelled before it ran at all never runs its function.
 *
 * Spawning makes a task ready; its first step comes when the spawner waits. A request that comes
 * earlier ends it there. So clean-up of what a task is given must not be left to its function: that
 * is what the option .destroy is for, which is called with the argument once, whether the function
 * ran or not.
 *
 * Twin of the asyncio program that calls create_task() and cancel() in one breath, and finds that
 * the `except` clause in the task is never reached.
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
                say("the task is %s, without having run", state(task));
                expect(outcome == -ECANCELED);
                expect(belay_cancelled(task));
                expect(ran == 0);
                expect(disposed == 1);
        }
        belay_release(task);
        return rc;
}

int main(void) {
        shows("A task cancelled before its first step never runs; "
              "what it was given is disposed of.");
        return verdict(belay_run(app, NULL));
}
