/* SPDX-License-Identifier: MIT */
/*
 * Wait for a callback, as libraries have them that know nothing of tasks.
 */
#include <belay.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* ---- the recipe ---- */

/* The library: it calls done(context, answer) later, unless lookup_cancel() is called before. */
struct lookup;
typedef void lookup_done(void *context, const char *answer);
void lookup_start(struct lookup *lookup, lookup_done *done, void *context);
void lookup_cancel(struct lookup *lookup);

static void answered(void *context, const char *answer) {
        belay_future *future = context;
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

struct lookup {
        lookup_done *done;
        void *context;
        belay_ticket ticket;
        unsigned cancelled;
};

static void fire(void *arg) {
        struct lookup *lookup = arg;

        lookup->done(lookup->context, "127.0.0.1");
}

void lookup_start(struct lookup *lookup, lookup_done *done, void *context) {
        *lookup = (struct lookup) { .done = done, .context = context };
        lookup->ticket = belay_later(BELAY_SECOND, fire, lookup);
}

void lookup_cancel(struct lookup *lookup) {
        lookup->cancelled += belay_timer_cancel(lookup->ticket);
}

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
