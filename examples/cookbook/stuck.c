/* SPDX-License-Identifier: MIT */
/*
 * Report the wait of a task that takes too long.
 */
#include <belay.h>
#include <inttypes.h>
#include <stdio.h>

#include "check.h"

/* ---- the recipe ---- */

static void describe(const belay_task *task, FILE *to) {
        belay_wait_info info = BELAY_WAIT_INFO_INIT;
        const char *name = belay_name(task), *started = belay_started_at(task);

        belay_waiting(task, &info);
        fprintf(to, "task %" PRIu64 " %s, started at %s, is %s: ", belay_id(task), name ? name : "",
                started ? started : "?", belay_state(task));
        fprintf(to, "%s %s at %s for %.1f s\n", info.what, info.on ? info.on : "",
                info.place ? info.place : "?", (double) (belay_now() - info.since) / BELAY_SECOND);
}

/* Waits until the task has ended, and writes a line each time it took `patience` longer. */
static int join_and_report(belay_task *task, belay_time patience, FILE *to) {
        int rc;

        while ((rc = belay_wait(&task, 1, BELAY_WAIT_ALL, patience)) == 0)
                describe(task, to);
        return rc < 0 ? rc : 0;
}

/* ---- the check ---- */

static belay_lock lock = BELAY_LOCK_INIT;

static int work(void *arg) {
        int rc = belay_lock_acquire(&lock);

        (void) arg;
        if (rc == 0)
                belay_lock_release(&lock);
        return rc;
}

static void let_go(void *arg) {
        belay_lock_release(arg);
}

static int app(void *arg) {
        FILE *to = arg;
        char line[512];
        int lines = 0;
        belay_task *task = belay_spawn_with(work, NULL,
                                            BELAY_OPTIONS(belay_spawn_options, .name = "worker"));

        check(belay_lock_acquire(&lock) == 0);
        check(belay_later(25 * BELAY_SECOND, let_go, &lock) != 0);
        check(join_and_report(task, 10 * BELAY_SECOND, to) == 0);
        check(belay_result(task) == 0);
        belay_release(task);
        rewind(to);
        while (fgets(line, sizeof(line), to) != NULL) {
                check(strstr(line, "worker") != NULL && strstr(line, "is waiting: lock") != NULL);
                check(strstr(line, "stuck.c:") != NULL);
                lines++;
        }
        check(lines == 2);
        /* All tasks of a loop at once, as a tree. */
        check(belay_dump(fileno(to)) == 0 && belay_loop_dump(belay_loop_self(), fileno(to)) == 0);
        check(belay_loop_count(belay_loop_self()) == 1);
        check(belay_loop_main(belay_loop_self()) == belay_self());
        return 0;
}

int main(void) {
        FILE *to = tmpfile();

        check(to != NULL);
        check(belay_run_with(app, to,
                             BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL))
              == 0);
        fclose(to);
        return 0;
}
