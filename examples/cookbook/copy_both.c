/* SPDX-License-Identifier: MIT */
/*
 * Copy both ways between two streams until both sides have ended.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

struct way {
        belay_stream *from, *to;
};

static int pump(void *arg) {
        struct way *way = arg;
        int rc = belay_copy(way->to, way->from, -1, NULL);

        /* The side that has ended passes its end on. The other direction goes on. */
        return rc < 0 ? rc : belay_half_close(way->to);
}

static int copy_both(belay_stream *one, belay_stream *other) {
        struct way there = { one, other }, back = { other, one };
        belay_group group;
        int rc = belay_group_enter(&group);

        if (rc < 0)
                return rc;
        rc = belay_group_spawn(&group, pump, &there);
        if (rc == 0)
                rc = belay_group_spawn(&group, pump, &back);
        return belay_group_leave(&group, rc);
}

/* ---- the check ---- */

static belay_stream *client[2], *server[2];

static int copy(void *arg) {
        (void) arg;
        return copy_both(client[1], server[1]);
}

static int app(void *arg) {
        char text[16];
        belay_task *task;
        int outcome;

        (void) arg;
        check(belay_wire(client, NULL) == 0 && belay_wire(server, NULL) == 0);
        task = belay_spawn(copy, NULL);
        check(belay_print(client[0], "ping\n") == 5);
        check(belay_half_close(client[0]) == 0);
        check(belay_read_line(server[0], text, sizeof(text)) == 5 && strcmp(text, "ping\n") == 0);
        check(belay_read(server[0], text, sizeof(text)) == 0);
        /* One side has ended, and the answer still comes. */
        check(belay_print(server[0], "pong\n") == 5);
        check(belay_read_line(client[0], text, sizeof(text)) == 5 && strcmp(text, "pong\n") == 0);
        check(belay_half_close(server[0]) == 0);
        check(belay_join(task, &outcome) == 0 && outcome == 0);
        belay_release(task);
        for (int i = 0; i < 2; i++) {
                belay_abort(client[i]);
                belay_abort(server[i]);
        }

        /* If one side breaks, neither direction is left. */
        check(belay_wire(client, NULL) == 0 && belay_wire(server, NULL) == 0);
        task = belay_spawn(copy, NULL);
        check(belay_sleep(BELAY_SECOND) == 0);
        belay_wire_cut(server[0], -ECONNRESET);
        check(belay_join(task, &outcome) == 0 && outcome == -ECONNRESET);
        belay_release(task);
        for (int i = 0; i < 2; i++) {
                belay_abort(client[i]);
                belay_abort(server[i]);
        }
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
