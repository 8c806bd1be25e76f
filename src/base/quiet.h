/* SPDX-License-Identifier: MIT */
/*
 * Writing without SIGPIPE.
 *
 * If a write fails with EPIPE, the kernel sends SIGPIPE to the writing thread. The signal's action
 * belongs to the program. The thread therefore blocks the signal around the write and takes it from
 * the pending signals afterwards. A SIGPIPE that was pending before stays pending.
 */
#ifndef BLY_QUIET_H
#define BLY_QUIET_H

#include <signal.h>
#include <stdbool.h>

struct bly_quiet {
        sigset_t before;
        bool was_pending;
};

void bly_quiet_begin(struct bly_quiet *quiet);
/* `broken` says that the write failed with EPIPE. errno is preserved. */
void bly_quiet_end(const struct bly_quiet *quiet, bool broken);

#endif
