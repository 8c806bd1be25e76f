/* SPDX-License-Identifier: MIT */
/*
 * Interrupting: main is cancelled once. The run returns -EINTR if the interrupt ended main.
 */
#include "../base/help.h"

static void interrupts(void *arg) {
        *(int *) arg = belay_interrupt(NULL);
}

static int ends_by_it(void *arg) {
        int rc = 1;

        (void) arg;
        CHECK(belay_later(BELAY_SECOND, interrupts, &rc) != 0);
        CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        CHECK_EQ(rc, 0);
        CHECK_EQ(belay_now(), BELAY_SECOND);
        CHECK_EQ(belay_cancelling(belay_self()), 1);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0); /* cleanup */
        /* Only the first interrupt takes effect. */
        CHECK_EQ(belay_interrupt(NULL), -EALREADY);
        CHECK_EQ(belay_interrupt(belay_loop_self()), -EALREADY);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        return -ECANCELED;
}

static int handles_it(void *arg) {
        CHECK_EQ(belay_interrupt(belay_loop_self()), 0);
        CHECK_EQ(belay_yield(), -ECANCELED);
        return *(int *) arg;
}

static int takes_it_back(void *arg) {
        (void) arg;
        CHECK_EQ(belay_interrupt(NULL), 0);
        CHECK_EQ(belay_yield(), -ECANCELED);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        return -ECANCELED;
}

/*
 * Main also receives another request. As in asyncio, the run then reports the cancellation as
 * main's own outcome.
 */
static int two_requests(void *arg) {
        (void) arg;
        CHECK_EQ(belay_interrupt(NULL), 0);
        belay_cancel(belay_self(), NULL);
        return belay_sleep(BELAY_HOUR);
}

static int cancelled_otherwise(void *arg) {
        (void) arg;
        belay_cancel(belay_self(), NULL);
        return belay_sleep(BELAY_HOUR);
}

static int sleeps(void *arg) {
        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        return -ECANCELED;
}

/*
 * The interrupt is forwarded to the task that main awaits. Other tasks are cancelled after main has
 * ended.
 */
static int passes_it_on(void *arg) {
        belay_task *awaited = must(belay_spawn(sleeps, NULL)),
                   *other = must(belay_spawn(sleeps, NULL));
        int rc, done = 1;

        (void) arg;
        CHECK(belay_later(BELAY_SECOND, interrupts, &done) != 0);
        rc = belay_await(awaited, NULL);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_now(), 2 * BELAY_SECOND);
        CHECK(belay_cancelled(awaited));
        CHECK_EQ(belay_cancelling(other), 0);
        belay_release(awaited);
        belay_release(other);
        return rc;
}

int main(void) {
        belay_loop *loop = belay_loop_new(VIRTUAL);
        int zero = 0, five = 5, outcome, failure = -EIO;

        CHECK_EQ(belay_run_with(ends_by_it, NULL, VIRTUAL), -EINTR);
        CHECK_EQ(belay_run_with(handles_it, &five, VIRTUAL), 5);
        CHECK_EQ(belay_run_with(handles_it, &failure, VIRTUAL), -EIO);
        CHECK_EQ(belay_run_with(takes_it_back, NULL, VIRTUAL), -EINTR);
        CHECK_EQ(belay_run_with(two_requests, NULL, VIRTUAL), -ECANCELED);
        CHECK_EQ(belay_run_with(cancelled_otherwise, NULL, VIRTUAL), -ECANCELED);
        CHECK_EQ(belay_run_with(passes_it_on, NULL, VIRTUAL), -EINTR);

        /* The run returns -EINTR separately from the outcome of main. */
        CHECK_EQ(belay_interrupt(loop), -EALREADY);
        CHECK_EQ(belay_loop_run(loop, ends_by_it, NULL, &outcome), -EINTR);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK_EQ(belay_loop_signal(loop), 0);
        CHECK_EQ(belay_loop_run(loop, handles_it, &zero, &outcome), 0);
        CHECK_EQ(outcome, 0);
        CHECK_EQ(belay_loop_close(loop), 0);

        keep_lines();
        CHECK_EQ(belay_interrupt(NULL), -EPERM);
        CHECK_LINES(1, "belay_interrupt() where no loop runs");
        return 0;
}
