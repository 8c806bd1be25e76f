/* SPDX-License-Identifier: MIT */
/*
 * A signal comes when main does not wait any more. It is too late to cancel main, but the loop
 * still reports the signal.
 */
#include <signal.h>

#include "../base/help.h"

static int raises_last(void *arg) {
        CHECK_EQ(raise(*(int *) arg), 0);
        return 3;
}

static int is_silent(void *arg) {
        (void) arg;
        return belay_yield();
}

int main(void) {
        int signals[] = { SIGTERM, SIGINT }, outcome = 0;

        for (int i = 0; i < 2; i++) {
                belay_loop *loop = belay_loop_new(NULL);

                CHECK(loop != NULL);
                CHECK_EQ(belay_loop_run(loop, is_silent, NULL, &outcome), 0);
                CHECK_EQ(belay_loop_signal(loop), 0);
                CHECK_EQ(belay_loop_run(loop, raises_last, &signals[i], &outcome), 0);
                CHECK_EQ(outcome, 3);
                CHECK_EQ(belay_loop_signal(loop), signals[i]);
                CHECK_EQ(belay_loop_close(loop), 0);
        }
        return 0;
}
