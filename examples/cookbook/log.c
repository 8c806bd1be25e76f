/* SPDX-License-Identifier: MIT */
/*
 * Send the library's reports to the program's own log.
 */
#include <belay.h>
#include <stdio.h>

#include "check.h"

/* ---- the recipe ---- */

/*
 * For syslog(): the levels have syslog's numbers. It must not wait, as it is called in the midst of
 * the library.
 */
static void write_log(void *context, belay_log_level level, const char *line) {
        FILE *log = context;

        fprintf(log, "<%d>belay: %s\n", (int) level, line);
}

static int run_with_log(belay_fn *fn, void *arg, FILE *log) {
        int rc;

        belay_set_log(write_log, log);
        rc = belay_run(fn, arg);
        fflush(log);
        return rc;
}

/* ---- the check ---- */

static int fail(void *arg) {
        return belay_fail(-EIO, "%s", (const char *) arg);
}

static int app(void *arg) {
        /* A detached task has no handle to retrieve its failure, so belay reports it. */
        check(belay_spawn_detached(fail, arg, NULL) == 0);
        return belay_yield();
}

int main(void) {
        char line[256];
        FILE *log = tmpfile();

        check(log != NULL);
        check(run_with_log(app, "the printer is on fire", log) == 0);
        belay_set_log(NULL, NULL);
        rewind(log);
        check(fgets(line, sizeof(line), log) != NULL);
        check(line[0] == '<' && strstr(line, "the printer is on fire") != NULL);
        fclose(log);
        return 0;
}
