/* SPDX-License-Identifier: MIT */
/*
 * What came from outside: signals, and what other threads posted.
 */
#include <unistd.h>

#include "loop/run.h"

void bly_attend(struct belay_loop *loop) {
        uint64_t count;
        int saved = errno;

        /* Cleared before the inbox is read, so that a request posted meanwhile sets it again. */
        atomic_exchange_explicit(&loop->inbox->attention, 0, memory_order_acquire);
        if (read(loop->inbox->wake_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
                bly_log_limited(BELAY_LOG_WARNING, NULL, "reading the loop's own descriptor: %s", strerror(errno));
        /* This may run on the stack of a task, whose errno is its own. */
        errno = saved;
        bly_inbox_take(loop->inbox);
        bly_signals_attend(loop);
}
