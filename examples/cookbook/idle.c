/* SPDX-License-Identifier: MIT */
/*
 * An idle limit on a connection: it may last as long as it likes, but not be silent for long.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

/*
 * Reads lines until the end. Each one moves the limit. Fails with -ETIMEDOUT after a silence of
 * `idle`.
 */
static int read_lines(belay_stream *peer, belay_time idle, unsigned *lines) {
        char line[512];
        belay_timeout limit;
        ssize_t rc = belay_timeout_enter(&limit, idle);

        if (rc < 0)
                return (int) rc;
        while ((rc = belay_read_line(peer, line, sizeof(line))) > 0) {
                (*lines)++;
                rc = belay_timeout_reschedule(&limit, idle);
                if (rc < 0)
                        break;
        }
        return belay_timeout_leave(&limit, (int) rc);
}

/* ---- the check ---- */

static int talk(void *arg) {
        for (int i = 0; i < 100; i++) {
                int rc = belay_sleep(9 * BELAY_SECOND);

                if (rc == 0)
                        rc = belay_print(arg, "still here\n") < 0 ? -EPIPE : 0;
                if (rc < 0)
                        return rc;
        }
        return 0;
}

static int app(void *arg) {
        belay_stream *ends[2];
        belay_task *task;
        unsigned lines = 0;

        (void) arg;
        check(belay_wire(ends, NULL) == 0);
        task = belay_spawn(talk, ends[1]);
        check(read_lines(ends[0], 10 * BELAY_SECOND, &lines) == -ETIMEDOUT);
        check(lines == 100);
        check(belay_now() == 910 * BELAY_SECOND);
        check(belay_join(task, NULL) == 0);
        belay_release(task);
        belay_abort(ends[0]);
        belay_abort(ends[1]);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
