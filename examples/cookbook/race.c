/* SPDX-License-Identifier: MIT */
/*
 * Take the first of several answers, and cancel the calls that lost.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

enum { MOST = 8 };

/* Asks all of them by ask(servers[i]) and returns the first answer that is no failure. */
static int first_answer(belay_fn *ask, void *servers[], size_t count) {
        belay_task *tasks[MOST] = { NULL };
        belay_group group;
        int outcome = 0, rc;

        if (count > MOST)
                return -E2BIG;
        rc = belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .supervise = true));
        if (rc < 0)
                return rc;
        for (size_t i = 0; i < count && rc == 0; i++)
                rc = belay_group_spawn_with(&group, ask, servers[i], NULL, &tasks[i]);
        if (rc == 0)
                rc = belay_race(tasks, count, NULL, &outcome);
        for (size_t i = 0; i < count; i++)
                belay_release(tasks[i]);
        rc = belay_group_leave(&group, rc);
        return rc < 0 ? rc : outcome;
}

/* ---- the check ---- */

static int calls_cancelled;

struct server {
        belay_time delay;
        int answer;
};

/* Stands for a call over the network. */
static int ask(void *arg) {
        struct server *server = arg;
        int rc = belay_sleep(server->delay);

        if (rc == -ECANCELED) {
                calls_cancelled++;
                (void) !belay_sleep(BELAY_SECOND);
        }
        return rc < 0 ? rc : server->answer;
}

static void cancel(void *task) {
        belay_cancel(task, "enough");
}

static int app(void *arg) {
        struct server one = { BELAY_SECOND, -ECONNREFUSED }, two = { 3 * BELAY_SECOND, 3 },
                      three = { BELAY_HOUR, 4 };
        void *servers[] = { &one, &two, &three };
        belay_time began = belay_now();

        (void) arg;
        check(first_answer(ask, servers, 3) == 3);
        /* The loser's cleanup is part of it. */
        check(belay_now() - began == 4 * BELAY_SECOND);
        check(calls_cancelled == 1);

        /* If all fail: the first failure's code, with the detail of all. */
        two.answer = -ETIMEDOUT;
        three.answer = -EHOSTUNREACH;
        check(first_answer(ask, servers, 3) == -ECONNREFUSED);

        check(belay_later(BELAY_SECOND / 2, cancel, belay_self()) != 0);
        calls_cancelled = 0;
        check(first_answer(ask, servers, 3) == -ECANCELED);
        check(calls_cancelled == 3);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
