/* SPDX-License-Identifier: MIT */
/*
 * The shutdown: cancels all tasks, in waves, until no task is left or the limit expires.
 */
#include "cancel/task_line.h"
#include "loop/run.h"

/*
 * A wave is over when every task that it cancelled has ended, and everything ready at that instant
 * has run. So the tasks that their cleanup started have taken their first steps. If callbacks or
 * tasks become ready again and again at one instant, the wave ends after `patience` turns.
 */
static bool wave_is_over(struct belay_loop *loop) {
        if (loop->limit_met)
                return true;
        if (loop->wave > 0)
                return false;
        if (loop->ready.head == NULL && (!loop->is_virtual || bly_timers_first(loop) > loop->now))
                return true;
        return loop->patience-- == 0;
}

static void limit_reached(struct bly_timer *timer) {
        container_of(timer, struct belay_loop, limit_timer)->limit_met = true;
}

/* Cancels each task once. The tasks that cleanup starts meanwhile belong to the next wave. */
static void cancel_all(struct belay_loop *loop) {
        for (belay_task *task = bly_record_next(loop, NULL); task != NULL;
             task = bly_record_next(loop, task)) {
                if (bly_is_future(task) || bly_is_done(task))
                        continue;
                task->node.flags |= BLY_TASK_WAVE;
                loop->wave++;
        }
        for (belay_task *task = bly_record_next(loop, NULL); task != NULL;
             task = bly_record_next(loop, task))
                if (!bly_is_done(task) && (task->node.flags & BLY_TASK_WAVE)
                    && !bly_is_future(task))
                        bly_request_cancel(task,
                                           &(struct bly_request) { .kind = BELAY_ORIGIN_SHUTDOWN });
}

static void abandon_the_rest(struct belay_loop *loop) {
        bly_log(BELAY_LOG_ERROR,
                "the shutdown reached its limit; %zu task%s still there:", loop->count,
                loop->count == 1 ? " is" : "s are");
        for (belay_task *task = bly_record_next(loop, NULL); task != NULL;
             task = bly_record_next(loop, task))
                if (!bly_is_future(task) && !bly_is_done(task)) {
                        bly_log_task(BELAY_LOG_ERROR, "  ", task);
                        task->node.flags |= BLY_TASK_ABANDONED;
                }
}

int bly_shut_down(struct belay_loop *loop) {
        if (loop->count > 0 && loop->shutdown_limit != BELAY_NEVER) {
                loop->limit_timer.fire = limit_reached;
                if (bly_timer_set(loop, &loop->limit_timer,
                                  bly_add_time(bly_now(loop), loop->shutdown_limit))
                    < 0)
                        bly_log(BELAY_LOG_WARNING,
                                "no memory for the shutdown's limit, so there is none");
        }
        do {
                loop->patience = 10000;
                cancel_all(loop);
                bly_spin(loop, wave_is_over);
        } while (loop->count > 0 && !loop->limit_met);
        bly_timer_off(loop, &loop->limit_timer);
        if (loop->count == 0)
                return 0;
        abandon_the_rest(loop);
        return -ETIMEDOUT;
}
