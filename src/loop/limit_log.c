/* SPDX-License-Identifier: MIT */
/*
 * Gives the limits on log lines the clock of the loop, and a timer that reports how many lines were
 * omitted.
 */
#include "loop/run.h"

static belay_time now_of(struct bly_log_limits *limits) {
        return bly_now(container_of(limits, struct belay_loop, log_limits));
}

static void remind(struct bly_log_limits *limits, belay_time when) {
        struct belay_loop *loop = container_of(limits, struct belay_loop, log_limits);

        /* If there is no memory for the timer, bly_limit_log_end() reports the omitted lines. */
        if (loop->log_timer.state == BLY_TIMER_OFF)
                (void) bly_timer_set(loop, &loop->log_timer, when);
}

static void report_omitted(struct bly_timer *timer) {
        struct belay_loop *loop = container_of(timer, struct belay_loop, log_timer);
        belay_time next = bly_log_limits_report(&loop->log_limits, bly_now(loop));

        if (next != BELAY_NEVER)
                remind(&loop->log_limits, next);
}

void bly_limit_log_begin(struct belay_loop *loop) {
        loop->log_limits.now = now_of;
        loop->log_limits.remind = remind;
        loop->log_timer.fire = report_omitted;
        bly_log_limits = &loop->log_limits;
}

void bly_limit_log_end(struct belay_loop *loop) {
        bly_timer_off(loop, &loop->log_timer);
        (void) bly_log_limits_report(&loop->log_limits, BELAY_NEVER);
        bly_log_limits = NULL;
}
