/* SPDX-License-Identifier: MIT */
/*
 * Handles signals, and the items that other threads posted.
 */
#include <unistd.h>

#include "loop/run.h"

void bly_attend(struct belay_loop *loop) {
        uint64_t count;
        int saved = errno;

        /* Clear the flag before reading the inbox, so that a post in between sets it again. */
        atomic_exchange_explicit(&loop->inbox->attention, 0, memory_order_acquire);
        if (read(loop->inbox->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
                bly_log_limited(BELAY_LOG_WARNING, NULL, "reading the loop's own descriptor: %s", strerror(errno));
        /* This function may run on the stack of a task, whose errno must not change. */
        errno = saved;
        bly_inbox_take(loop->inbox);
        bly_signals_attend(loop);
}
