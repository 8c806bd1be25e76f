/* SPDX-License-Identifier: MIT */
/*
 * Test hours in milliseconds with a virtual clock.
 */
#include <belay.h>

/* ---- the recipe ---- */

/* The code under test: a session that ends after half an hour without a line. */
static int session(belay_stream *client) {
        char line[128];
        belay_timeout limit;
        ssize_t rc = belay_timeout_enter(&limit, 30 * BELAY_MINUTE);

        while (rc >= 0 && (rc = belay_read_line(client, line, sizeof(line))) > 0)
                rc = belay_timeout_reschedule(&limit, 30 * BELAY_MINUTE);
        return belay_timeout_leave(&limit, (int) rc);
}

static int send_line(void *stream) {
        ssize_t rc = belay_sleep(29 * BELAY_MINUTE);

        if (rc == 0)
                rc = belay_print(stream, "still here\n");
        return rc < 0 ? (int) rc : 0;
}

/* The test: a client on a slow connection in memory, which sends one line. */
static int test(void *arg) {
        belay_stream *ends[2];
        int rc = belay_wire(
                ends, BELAY_OPTIONS(belay_wire_options,
                                    .ways = { { .delay = 2 * BELAY_SECOND, .read_most = 3 } }));

        if (rc == 0)
                rc = belay_spawn_detached(send_line, ends[0], NULL);
        if (rc == 0)
                rc = session(ends[1]);
        *(belay_time *) arg = belay_now();
        belay_abort(ends[0]);
        belay_abort(ends[1]);
        return rc;
}

int main(void) {
        belay_time ended;
        int rc = belay_run_with(test, &ended,
                                BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL));

        return !(rc == -ETIMEDOUT && ended == 59 * BELAY_MINUTE + 2 * BELAY_SECOND);
}
