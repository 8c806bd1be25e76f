/* SPDX-License-Identifier: MIT */
/*
 * When nothing is ready: waiting for the next deadline or for what comes from outside.
 */
#define _GNU_SOURCE
#include <poll.h>

#include "base/spans.h"
#include "io/io.h"
#include "loop/run.h"

enum { REST_ROOM = 32 * 1024 };

/* Of the real clock: in which a thread ends what it can end, though it might wait for ever. */
#define GRACE (100 * BELAY_MILLISECOND)

static bool waits_for_outside(const struct belay_loop *loop) {
        if (loop->keep_waiting || loop->expected > 0 || (loop->io != NULL && loop->io->waiting > 0))
                return true;
        /* All that a signal does is to cancel main. */
        if (!loop->takes_signals || loop->is_virtual || loop->main == NULL || bly_is_done(loop->main))
                return false;
        for (const belay_task *task = bly_record_next(loop, NULL); task != NULL; task = bly_record_next(loop, task))
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
 * Under a virtual clock what is there already comes first, then the next deadline is now. What is sure to end by itself,
 * as work for a thread, takes no virtual time: it is waited for.
 */
static void idle_virtually(struct belay_loop *loop, belay_time first) {
        bool holds = bly_holds_time(loop);

        if (holds || first == BELAY_NEVER)
                wait_outside(loop, BELAY_NEVER);
        else if (loop->endless > 0)
                wait_outside(loop, GRACE);
        else if (loop->io != NULL && loop->io->waiting > 0)
                wait_outside(loop, 0);
        if (!holds && !bly_needs_attention(loop) && loop->ready.head == NULL && first != BELAY_NEVER && first > loop->now)
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
        /* The counter does where nothing is due: what is must not be called before its time, which is the clock's. */
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

/* On a stack with room for the handlers of signals, which find most programs waiting. */
void bly_idle_in_task(struct belay_loop *loop) {
        const struct bly_stack *stack = &loop->current->stack;

        if (loop->io != NULL && loop->io->waiting > 0 && !bly_needs_attention(loop) && stack->top - stack->low >= REST_ROOM)
                idle_really(loop, bly_timers_first(loop));
}
