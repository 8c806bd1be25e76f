/* SPDX-License-Identifier: MIT */
/*
 * A timeout with a span of 0 expires at the next wait that yields. That holds on the real clock,
 * too, where time has passed since the loop last read it.
 */
#include "../base/help.h"

static int yields(void *arg) {
        (void) arg;
        for (int i = 0; i < 1000; i++)
                CHECK_EQ(belay_yield(), 0);
        return 0;
}

static int in_limit(void *arg) {
        belay_task *other = must(belay_spawn(yields, NULL));
        belay_timeout limit;
        belay_time span = *(belay_time *) arg;
        int rc;

        CHECK_EQ(belay_yield(), 0);
        for (int i = 0; i < 50; i++) {
                compute(20 * BELAY_MICROSECOND);
                if (i % 3 == 0) {
                        belay_timeout_enter(&limit, span);
                } else if (i % 3 == 1) {
                        belay_timeout_enter_until(&limit, belay_now() - BELAY_MILLISECOND);
                } else {
                        belay_timeout_enter(&limit, BELAY_HOUR);
                        CHECK_EQ(belay_timeout_reschedule(&limit, span), 0);
                }
                rc = belay_yield();
                CHECK_EQ(rc, -ECANCELED);
                CHECK(belay_timeout_expired(&limit));
                CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);
                CHECK_EQ(belay_cancelling(belay_self()), 0);
        }
        /* It does not expire if no wait yields. */
        belay_timeout_enter(&limit, span);
        CHECK_EQ(belay_timeout_leave(&limit, 2), 2);
        CHECK(!belay_timeout_expired(&limit));
        CHECK_EQ(belay_await(other, NULL), 0);
        belay_release(other);
        return 0;
}

int main(void) {
        static belay_time spans[] = { 0, -1, -BELAY_HOUR, INT64_MIN };

        for (size_t i = 0; i < sizeof(spans) / sizeof(spans[0]); i++) {
                CHECK_EQ(belay_run(in_limit, &spans[i]), 0);
        }
        return 0;
}
