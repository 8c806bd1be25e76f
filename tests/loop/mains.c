/* SPDX-License-Identifier: MIT */
/*
 * Several main tasks one after the other on one loop. Tasks that one main leaves stay suspended,
 * and go on with the next.
 */
#include "../base/help.h"

static int ticks;

static int ticks_for_ever(void *arg) {
        int rc;

        (void) arg;
        while ((rc = belay_sleep(BELAY_SECOND)) == 0)
                ticks++;
        return rc;
}

static belay_task *ticker;

static int starts(void *arg) {
        (void) arg;
        ticker = must(belay_spawn(ticks_for_ever, NULL));
        return belay_sleep(3500 * BELAY_MILLISECOND);
}

static int goes_on(void *arg) {
        (void) arg;
        return belay_sleep(2 * BELAY_SECOND);
}

static void note_call(void *arg) {
        ++*(int *) arg;
}

static int later_than_main(void *arg) {
        CHECK(belay_later(BELAY_SECOND, note_call, arg) != 0);
        return 0;
}

static int ends(void *arg) {
        (void) arg;
        CHECK_EQ(belay_cancel_wait(ticker, NULL, BELAY_NEVER, NULL), 0);
        return 0;
}

static int interrupts(void *arg) {
        (void) arg;
        CHECK_EQ(belay_interrupt(NULL), 0);
        CHECK_EQ(belay_interrupt(NULL), -EALREADY);
        return belay_sleep(BELAY_HOUR);
}

int main(void) {
        belay_loop *loop = belay_loop_new(VIRTUAL);
        belay_task *first;
        int outcome, calls = 0;

        CHECK(loop != NULL);
        CHECK_EQ(belay_loop_run(loop, starts, NULL, &outcome), 0);
        CHECK_EQ(outcome, 0);
        CHECK_EQ(ticks, 3);
        CHECK_EQ(belay_loop_count(loop), 1);
        CHECK(!belay_done(ticker));
        first = belay_ref(belay_loop_main(loop));

        /* Between the runs the clock stands still, and no task runs. */
        CHECK_EQ(belay_loop_now(loop), 3500 * BELAY_MILLISECOND);
        CHECK_EQ(belay_loop_run(loop, goes_on, NULL, &outcome), 0);
        CHECK_EQ(ticks, 5);
        CHECK(belay_loop_main(loop) != first);
        CHECK_EQ(belay_result(first), 0);
        belay_release(first);

        /* A callback that was not due in its run runs in the next. */
        CHECK_EQ(belay_loop_run(loop, later_than_main, &calls, NULL), 0);
        CHECK_EQ(calls, 0);
        CHECK_EQ(belay_loop_run(loop, goes_on, NULL, NULL), 0);
        CHECK_EQ(calls, 1);

        /* An interrupt belongs to one run only. */
        CHECK_EQ(belay_interrupt(loop), -EALREADY);
        CHECK_EQ(belay_loop_run(loop, interrupts, NULL, &outcome), -EINTR);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK_EQ(belay_loop_run(loop, interrupts, NULL, &outcome), -EINTR);
        CHECK_EQ(belay_loop_run(loop, goes_on, NULL, &outcome), 0);
        CHECK_EQ(outcome, 0);

        CHECK_EQ(belay_loop_run(loop, ends, NULL, &outcome), 0);
        CHECK(belay_cancelled(ticker));
        belay_release(ticker);
        CHECK_EQ(belay_loop_count(loop), 0);
        CHECK_EQ(belay_loop_close(loop), 0);

        /* A loop that never ran, and a loop that ran only its main task. */
        CHECK_EQ(belay_loop_close(belay_loop_new(NULL)), 0);
        loop = belay_loop_new(VIRTUAL);
        CHECK_EQ(belay_loop_run(loop, goes_on, NULL, NULL), 0);
        CHECK_EQ(belay_loop_close(loop), 0);
        return 0;
}
