/* SPDX-License-Identifier: MIT */
/*
 * When nothing is ready: waiting for the next deadline or for what comes from outside.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <time.h>

#include "run/run.h"

static bool waits_for_outside(const struct belay_loop *loop) {
        if (loop->keep_waiting)
                return true;
        /* All that a signal does is to cancel main. */
        if (!loop->takes_signals || loop->is_virtual || loop->main == NULL || bly_is_done(loop->main))
                return false;
        for (const belay_task *task = bly_record_next(loop, NULL); task != NULL; task = bly_record_next(loop, task))
                if (task->wait != NULL && task->wait->class->outside)
                        return true;
        return false;
}

static void wait_outside(struct belay_loop *loop, belay_time until) {
        struct pollfd pollfd = { .fd = loop->wake_fd, .events = POLLIN };
        struct timespec timeout, *limit = NULL;

        if (until != BELAY_NEVER) {
                belay_time span = until - bly_clock();

                if (span <= 0)
                        return;
                timeout = (struct timespec) { .tv_sec = span / BELAY_SECOND, .tv_nsec = span % BELAY_SECOND };
                limit = &timeout;
        }
        if (ppoll(&pollfd, 1, limit, NULL) > 0)
                loop->asked = 1;
        loop->now = bly_clock();
}

void bly_idle(struct belay_loop *loop) {
        belay_time first = bly_timers_first(loop);

        if (first == BELAY_NEVER && !waits_for_outside(loop)) {
                bly_deadlock(loop);
                return;
        }
        /* Under a virtual clock nothing comes from outside: the next deadline is now. */
        if (loop->is_virtual && first != BELAY_NEVER) {
                if (first > loop->now)
                        loop->now = first;
                return;
        }
        wait_outside(loop, first);
}
