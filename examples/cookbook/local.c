/* SPDX-License-Identifier: MIT */
/*
 * Values of a request: set once, seen by all that works on it.
 */
#include <belay.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

static unsigned seen;

/* ---- the recipe ---- */

static belay_local request_id = BELAY_LOCAL_INIT(free);

static int begin_request(const char *id) {
        char *copy = strdup(id);
        int rc = copy ? belay_local_set(&request_id, copy) : -ENOMEM;

        if (rc < 0)
                free(copy);
        return rc;
}

/* However deep it is called, and in each task that the request starts. */
static void log_line(const char *text) {
        const char *id = belay_local_get(&request_id);

        fprintf(stderr, "[%s] %s\n", id ? id : "-", text);
}

/* ---- the check ---- */

static int ask_database(void *arg) {
        const char *id = belay_local_get(&request_id);

        log_line("asks the database");
        check(belay_sleep(BELAY_SECOND) == 0);
        seen += id != NULL && strcmp(id, arg) == 0;
        return 0;
}

static int handle(void *arg) {
        belay_group group;
        int rc;

        check(begin_request(arg) == 0);
        log_line("begins");
        check(belay_group_enter(&group) == 0);
        rc = belay_group_spawn(&group, ask_database, arg);
        rc = belay_group_leave(&group, rc);
        log_line("ends");
        return rc;
}

static int app(void *arg) {
        belay_task *tasks[] = { belay_spawn(handle, "first"), belay_spawn(handle, "second") };

        (void) arg;
        check(belay_gather_collect(tasks, 2) == 0);
        check(belay_local_get(&request_id) == NULL);
        for (int i = 0; i < 2; i++) {
                check(belay_result(tasks[i]) == 0);
                belay_release(tasks[i]);
        }
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        check(seen == 2);
        return 0;
}
