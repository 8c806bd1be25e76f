/* SPDX-License-Identifier: MIT */
/*
 * belay_trim() gives back the memory that a loop keeps for later use.
 */
#include "loop/run.h"

static size_t trim_loop(struct belay_loop *loop) {
        size_t bytes = bly_stack_trim(loop->stacks, 0, SIZE_MAX);

        for (belay_task *task = bly_record_next(loop, NULL); task != NULL;
             task = bly_record_next(loop, task))
                if (task != loop->current
                    && (task->node.state == BLY_WAITING || task->node.state == BLY_READY))
                        bytes += bly_stack_give_back(&task->stack, task->context.sp);
        return bytes + bly_records_trim(loop, false) + bly_timers_trim(loop);
}

size_t belay_trim(void) {
        size_t bytes = bly_loop != NULL ? trim_loop(bly_loop) : 0;

        bly_trim_memory();
        return bytes;
}
