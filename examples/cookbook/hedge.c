/* SPDX-License-Identifier: MIT */
/*
 * A hedged request: if the first server is slow, ask a second one as well.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

struct request {
        belay_fn *ask;
        void *server;
        belay_time delay; /* before it is sent */
};

static int ask_after_delay(void *arg) {
        struct request *request = arg;
        int rc = request->delay > 0 ? belay_sleep(request->delay) : 0;

        return rc < 0 ? rc : request->ask(request->server);
}

/* The answer of the first server, or of the second one, which is asked only after `patience`. */
static int hedge(belay_fn *ask, void *first, void *second, belay_time patience) {
        struct request requests[] = { { ask, first, 0 }, { ask, second, patience } };
        belay_task *tasks[2] = { NULL, NULL };
        belay_group group;
        int outcome = 0, rc;

        rc = belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .supervise = true));
        if (rc < 0)
                return rc;
        for (int i = 0; i < 2 && rc == 0; i++)
                rc = belay_group_spawn_with(&group, ask_after_delay, &requests[i], NULL, &tasks[i]);
        if (rc == 0)
                rc = belay_race(tasks, 2, NULL, &outcome);
        belay_release(tasks[0]);
        belay_release(tasks[1]);
        rc = belay_group_leave(&group, rc);
        return rc < 0 ? rc : outcome;
}

/* ---- the check ---- */

struct server {
        belay_time delay;
        int answer, asked, cancelled;
};

static int ask(void *arg) {
        struct server *server = arg;
        int rc;

        server->asked++;
        rc = belay_sleep(server->delay);
        server->cancelled += rc == -ECANCELED;
        return rc < 0 ? rc : server->answer;
}

static int app(void *arg) {
        struct server quick = { .delay = BELAY_MILLISECOND, .answer = 1 },
                      slow = { .delay = BELAY_HOUR, .answer = 2 };
        belay_time began = belay_now();

        (void) arg;
        /* The usual case costs a task that never asks. */
        check(hedge(ask, &quick, &slow, 50 * BELAY_MILLISECOND) == 1);
        check(belay_now() - began == BELAY_MILLISECOND);
        check(slow.asked == 0);

        began = belay_now();
        check(hedge(ask, &slow, &quick, 50 * BELAY_MILLISECOND) == 1);
        check(belay_now() - began == 51 * BELAY_MILLISECOND);
        check(slow.asked == 1 && slow.cancelled == 1);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
