/* SPDX-License-Identifier: MIT */
/*
 * Wait for a callback, as libraries have them that know nothing of tasks.
 */
#include <belay.h>
#include <stdlib.h>

#include "check.h"

/* A library that calls back later, and can be asked not to. */
struct lookup {
        void (*done)(struct lookup *lookup, const char *answer);
        void *context;
        belay_ticket ticket;
        unsigned cancelled;
};

static void fire(void *arg) {
        struct lookup *lookup = arg;

        lookup->done(lookup, "127.0.0.1");
}

typedef void lookup_done(struct lookup *lookup, const char *answer);

static void lookup_start(struct lookup *lookup, lookup_done *done, void *context) {
        *lookup = (struct lookup) { .done = done, .context = context };
        lookup->ticket = belay_later(BELAY_SECOND, fire, lookup);
}

static void lookup_cancel(struct lookup *lookup) {
        lookup->cancelled += belay_timer_cancel(lookup->ticket);
}

/* ---- the recipe ---- */

static void answered(struct lookup *lookup, const char *answer) {
        belay_future *future = lookup->context;
        char *copy = strdup(answer);

        if (copy == NULL)
                belay_future_set(future, -ENOMEM);
        else if (belay_future_set_value(future, copy, free) < 0)
                free(copy);
}

/* Looks up, and waits for the answer, which is the caller's: free() it. */
static int look_up(struct lookup *lookup, char **answer) {
        belay_future *future = belay_future_new();
        int outcome = 0, rc;

        if (future == NULL)
                return -errno;
        lookup_start(lookup, answered, future);
        rc = belay_join(future, &outcome);
        /* The library must not call back any more: the future would be gone. */
        if (rc < 0)
                lookup_cancel(lookup);
        *answer = rc < 0 ? NULL : belay_take_value(future);
        belay_release(future);
        return rc < 0 ? rc : outcome;
}

/* ---- the check ---- */

static unsigned ends;

static void note_end(belay_task *task, void *arg) {
        (void) arg;
        ends += belay_done(task);
}

static int look_up_once(void *arg) {
        char *answer = NULL;
        int rc = look_up(arg, &answer);

        check(rc < 0 ? answer == NULL : strcmp(answer, "127.0.0.1") == 0);
        free(answer);
        return rc;
}

static void count(void *arg) {
        ++*(unsigned *) arg;
}

static int app(void *arg) {
        struct lookup lookup;
        belay_task *task = belay_spawn(look_up_once, &lookup);
        unsigned called = 0;

        (void) arg;
        /* The other way: a callback at the end of a task. */
        check(belay_on_done(task, note_end, NULL) == 0);
        check(belay_on_done(task, note_end, &lookup) == 0);
        check(belay_off_done(task, note_end, &lookup) == 1);
        check(belay_join(task, NULL) == 0 && belay_yield() == 0);
        check(belay_result(task) == 0 && ends == 1 && lookup.cancelled == 0);
        belay_release(task);

        check(belay_wait_for(look_up_once, &lookup, BELAY_SECOND / 2) == -ETIMEDOUT);
        check(lookup.cancelled == 1);
        check(belay_soon(count, &called) != 0 && called == 0 && belay_yield() == 0 && called == 1);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
