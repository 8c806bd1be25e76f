/* SPDX-License-Identifier: MIT */
/*
 * Write a message to its end, even if a request comes midway.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

/*
 * Returns 0, or -ECANCELED if the task was cancelled. In both cases the peer gets the whole message
 * or nothing of it. After any other failure the caller must abort the stream.
 */
static int write_whole(belay_stream *stream, const char *data, size_t size, belay_time span) {
        ssize_t sent = belay_write(stream, data, size), more;
        belay_shield_scope region;
        belay_timeout limit;
        int request;

        if (sent < 0 || (size_t) sent == size)
                return sent < 0 ? (int) sent : 0;
        /*
         * A region holds back what comes from here on. The request that cut the message is pending,
         * and delivered here.
         */
        request = belay_yield();
        belay_shield_enter(&region, BELAY_NEVER);
        belay_timeout_enter(&limit, span);
        more = belay_mend(stream);
        if (more == 0)
                more = belay_write(stream, data + sent, size - (size_t) sent);
        /* Short again: the limit has expired, or the peer is gone. The next wait returns which. */
        if (more >= 0 && (size_t) (sent + more) < size && (more = belay_yield()) == 0)
                more = -EPIPE;
        more = belay_timeout_leave(&limit, (int) more);
        more = belay_shield_leave(&region, (int) more);
        return more < 0 ? (int) more : request;
}

/* ---- the check ---- */

static int write_it(void *stream) {
        return write_whole(stream, "a long message\n", 15, BELAY_MINUTE);
}

static int app(void *arg) {
        belay_stream *ends[2];
        belay_task *task;
        int outcome;
        char line[32];

        (void) arg;
        check(belay_wire(ends, BELAY_OPTIONS(belay_wire_options, .ways = { { .room = 4 } })) == 0);
        task = belay_spawn(write_it, ends[0]);
        check(belay_sleep(BELAY_SECOND) == 0);
        belay_cancel(task, "enough");
        check(belay_read_line(ends[1], line, sizeof(line)) == 15);
        check(strcmp(line, "a long message\n") == 0);
        check(belay_join(task, &outcome) == 0 && outcome == -ECANCELED);
        check(!belay_is_cut(ends[0]));
        belay_release(task);
        belay_abort(ends[0]);
        belay_abort(ends[1]);

        /* A peer that does not read: given up after a minute. */
        check(belay_wire(ends, BELAY_OPTIONS(belay_wire_options, .ways = { { .room = 4 } })) == 0);
        task = belay_spawn(write_it, ends[0]);
        check(belay_sleep(BELAY_SECOND) == 0);
        check(belay_cancel_wait(task, "enough", BELAY_NEVER, &outcome) == 0);
        check(outcome == -ETIMEDOUT);
        belay_release(task);
        belay_abort(ends[0]);
        belay_abort(ends[1]);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
