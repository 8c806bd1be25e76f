/* SPDX-License-Identifier: MIT */
/*
 * A process for the reader: two loops, each in its own thread, whose tasks wait in different ways.
 * It prints "ready" when all of them wait, and goes on waiting.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <belay.h>

static belay_event event;

static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_HOUR);
}

static int awaits(void *arg) {
        return belay_await(arg, NULL);
}

static int awaits_event(void *arg) {
        (void) arg;
        return belay_event_wait(&event);
}

static int holds_back(void *arg) {
        belay_shield_scope region;
        int rc = belay_shield_enter(&region, BELAY_HOUR);

        (void) arg;
        if (rc == 0)
                rc = belay_sleep(BELAY_HOUR);
        return belay_shield_leave(&region, rc);
}

static int cleans_up(void *arg) {
        int rc = belay_sleep(BELAY_HOUR);

        (void) arg;
        if (rc == -ECANCELED)
                rc = belay_sleep(2 * BELAY_HOUR);
        return rc;
}

static belay_task *start(belay_group *group, belay_fn *fn, void *arg, const char *name) {
        belay_task *task;

        if (belay_group_spawn_with(group, fn, arg, BELAY_OPTIONS(belay_spawn_options, .name = name),
                                   &task)
            < 0)
                abort();
        return task;
}

static int body(void *arg) {
        belay_timeout limit;
        belay_group group;
        belay_task *sleeper, *shielded, *cleaner;
        int rc;

        if (belay_timeout_enter(&limit, BELAY_HOUR) < 0
            || belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .name = "serve"))
                       < 0)
                abort();
        sleeper = start(&group, sleeps, NULL, "sleeper");
        belay_release(start(&group, awaits, sleeper, "awaiter"));
        belay_release(start(&group, awaits_event, NULL, NULL));
        shielded = start(&group, holds_back, NULL, "shielded");
        cleaner = start(&group, cleans_up, NULL, "cleaner");
        rc = belay_sleep(20 * BELAY_MILLISECOND);
        belay_cancel(shielded, NULL);
        belay_cancel(cleaner, "out of time");
        if (rc == 0)
                rc = belay_sleep(20 * BELAY_MILLISECOND);
        if (write(*(int *) arg, "", 1) != 1)
                abort();
        rc = belay_group_leave(&group, rc);
        return belay_timeout_leave(&limit, rc);
}

static int nothing(void *arg) {
        (void) arg;
        return 0;
}

static void *run(void *arg) {
        if (belay_run(body, arg) < 0)
                abort();
        return NULL;
}

int main(void) {
        pthread_t threads[2];
        int pipes[2];
        char byte;

        /* The reader must not find a loop that has ended. */
        if (belay_run(nothing, NULL) < 0 || pipe(pipes) < 0)
                return 1;
        for (int i = 0; i < 2; i++)
                if (pthread_create(&threads[i], NULL, run, &pipes[1]) != 0)
                        return 1;
        for (int i = 0; i < 2; i++)
                if (read(pipes[0], &byte, 1) != 1)
                        return 1;
        usleep(50000);
        puts("ready");
        fflush(stdout);
        for (int i = 0; i < 2; i++)
                pthread_join(threads[i], NULL);
        return 0;
}
