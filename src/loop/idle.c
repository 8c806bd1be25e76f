/* SPDX-License-Identifier: MIT */
/*
 * Waits for the earliest timer, or for an event from outside, when no task is ready.
 */
#define _GNU_SOURCE
#include <poll.h>

#include "base/timespec.h"
#include "io/io.h"
#include "loop/run.h"

enum { REST_ROOM = 32 * 1024 };

/*
 * A span of real time for which a loop with a virtual clock waits for endless jobs before the clock
 * moves. It lets a thread finish a job that could wait without a limit, but need not.
 */
#define GRACE (100 * BELAY_MILLISECOND)

static bool waits_for_outside(const struct belay_loop *loop) {
        if (loop->keep_waiting || loop->expected > 0 || (loop->io != NULL && loop->io->waiting > 0))
                return true;
        /*
         * A signal can end waits only by cancelling main. So the loop must handle signals, and main
         * must not have ended.
         */
        if (!loop->takes_signals || loop->is_virtual || loop->main == NULL
            || bly_is_done(loop->main))
                return false;
        for (const belay_task *task = bly_record_next(loop, NULL); task != NULL;
             task = bly_record_next(loop, task))
                if (task->wait != NULL && task->wait->class->outside)
                        return true;
        return false;
}

static void wait_for_bell(struct belay_loop *loop, belay_time span) {
        struct pollfd pollfd = { .fd = loop->inbox->wake_fd, .events = POLLIN };
        struct timespec timeout = bly_timespec(span);

        if (ppoll(&pollfd, 1, span == BELAY_NEVER ? NULL : &timeout, NULL) > 0)
                bly_request_attention(loop);
}

static void wait_outside(struct belay_loop *loop, belay_time span) {
        if (loop->io != NULL)
                bly_io_wait(loop->io, span);
        else
                wait_for_bell(loop, span);
}

bool bly_holds_time(const struct belay_loop *loop) {
        return loop->expected > loop->endless || (loop->io != NULL && loop->io->holding > 0);
}

/*
 * With a virtual clock, events that have already occurred come first. Then the clock moves to the
 * earliest timer. If an operation is sure to end by itself, as most jobs of threads are, the loop
 * waits for it. It takes no virtual time.
 */
static void idle_virtually(struct belay_loop *loop, belay_time first) {
        bool holds = bly_holds_time(loop);

        if (holds || first == BELAY_NEVER)
                wait_outside(loop, BELAY_NEVER);
        else if (loop->endless > 0)
                wait_outside(loop, GRACE);
        else if (loop->io != NULL && loop->io->waiting > 0)
                wait_outside(loop, 0);
        if (!holds && !bly_needs_attention(loop) && loop->ready.head == NULL && first != BELAY_NEVER
            && first > loop->now)
                loop->now = first;
}

static void idle_really(struct belay_loop *loop, belay_time first) {
        belay_time span = first;

        if (first != BELAY_NEVER) {
                loop->now = bly_clock();
                span = first - loop->now;
                if (span <= 0)
                        return;
        }
        wait_outside(loop, span);
        /*
         * A timer must not fire before its instant on the system's clock, so the loop reads that
         * clock if a timer is set. Otherwise the counter of bly_now() suffices, which is cheaper
         * and slightly inexact.
         */
        loop->now = first != BELAY_NEVER ? bly_clock() : bly_now(loop);
        if (loop->io != NULL)
                loop->io->looked = loop->now;
}

void bly_idle(struct belay_loop *loop) {
        belay_time first = bly_timers_first(loop);

        if (first == BELAY_NEVER && !waits_for_outside(loop))
                bly_deadlock(loop);
        else if (loop->is_virtual)
                idle_virtually(loop, first);
        else
                idle_really(loop, first);
}

/*
 * Waits on the task's stack only if the stack has room for the program's signal handlers. Most
 * programs are waiting when a signal arrives.
 */
void bly_idle_in_task(struct belay_loop *loop) {
        const struct bly_stack *stack = &loop->current->stack;

        if (loop->io != NULL && loop->io->waiting > 0 && !bly_needs_attention(loop)
            && stack->top - stack->low >= REST_ROOM)
                idle_really(loop, bly_timers_first(loop));
}
