/* SPDX-License-Identifier: MIT */
/*
 * Limit a call: one timeout around several waits.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

static int ask(belay_stream *server, char *answer, size_t size) {
        ssize_t rc = belay_print(server, "hello\n");

        if (rc > 0)
                rc = belay_read_line(server, answer, size);
        return rc < 0 ? (int) rc : 0;
}

static int ask_within(belay_stream *server, char *answer, size_t size, belay_time span) {
        belay_timeout limit;
        int rc = belay_timeout_enter(&limit, span);

        if (rc < 0)
                return rc;
        rc = ask(server, answer, size);
        return belay_timeout_leave(&limit, rc);
}

/* ---- the check ---- */

static int answer_late(void *arg) {
        belay_stream *client = arg;
        char line[16];
        ssize_t size = belay_read_line(client, line, sizeof(line));
        int rc = size > 0 ? belay_sleep(2 * BELAY_SECOND) : -EPROTO;

        if (rc == 0)
                size = belay_print(client, "hello yourself\n");
        return rc < 0 ? rc : size < 0 ? (int) size : 0;
}

static int exchange(belay_time span, char *answer, size_t size) {
        belay_stream *ends[2];
        belay_task *server;
        int rc;

        check(belay_wire(ends, NULL) == 0);
        server = belay_spawn(answer_late, ends[1]);
        rc = ask_within(ends[0], answer, size, span);
        check(belay_cancel_wait(server, NULL, BELAY_NEVER, NULL) == 0);
        belay_release(server);
        belay_abort(ends[0]);
        belay_abort(ends[1]);
        return rc;
}

static int sleep_long(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_HOUR);
}

static int app(void *arg) {
        char answer[32];
        belay_timeout outer;
        belay_time began;
        belay_task *task = belay_spawn(sleep_long, NULL);

        (void) arg;
        /* A task that runs already: cancelled when the limit expires, and waited for. */
        check(belay_await_for(task, BELAY_SECOND, NULL) == -ETIMEDOUT && belay_cancelled(task));
        belay_release(task);

        check(exchange(BELAY_MINUTE, answer, sizeof(answer)) == 0);
        check(strcmp(answer, "hello yourself\n") == 0);

        began = belay_now();
        check(exchange(BELAY_SECOND, answer, sizeof(answer)) == -ETIMEDOUT);
        check(belay_now() - began == BELAY_SECOND);

        /*
         * If the limit around it expires, the inner one reports a cancellation, and the outer one
         * the timeout.
         */
        check(belay_timeout_enter_until(&outer, belay_now() + BELAY_SECOND) == 0);
        check(belay_deadline() == belay_timeout_when(&outer));
        check(belay_timeout_reschedule_until(&outer, belay_now() + 2 * BELAY_SECOND / 2) == 0);
        check(exchange(BELAY_MINUTE, answer, sizeof(answer)) == -ECANCELED);
        check(belay_timeout_leave(&outer, -ECANCELED) == -ETIMEDOUT);
        check(belay_timeout_expired(&outer));
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
