/* SPDX-License-Identifier: MIT */
/*
 * Callbacks that add each other without end must not keep timers and signals from running. The loop
 * has measured beforehand that switches are quick.
 */
#include "../base/help.h"

static bool over;

static void calls_for_ever(void *arg) {
        if (!over)
                CHECK(belay_soon(calls_for_ever, arg) != 0);
}

static int yields(void *arg) {
        for (int i = 0; i < *(int *) arg; i++)
                CHECK_EQ(belay_yield(), 0);
        return 0;
}

static int app(void *arg) {
        int fewer = 10000, more = fewer + 1;
        belay_task *other = must(belay_spawn(yields, &more));

        (void) arg;
        CHECK_EQ(yields(&fewer), 0);
        CHECK(belay_soon(calls_for_ever, NULL) != 0);
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        over = true;
        CHECK_EQ(belay_await(other, NULL), 0);
        belay_release(other);
        return 0;
}

int main(void) {
        CHECK_EQ(belay_run(app, NULL), 0);
        return 0;
}
