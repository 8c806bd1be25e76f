/* SPDX-License-Identifier: MIT */
/*
 * Writing without SIGPIPE.
 *
 * The kernel sends the signal of an EPIPE to the thread that writes. The thread blocks it around the write and takes
 * it away afterwards, since the signal's action is the program's. A SIGPIPE that was pending before stays pending.
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
/* `broken`: the write failed with EPIPE. Keeps errno. */
void bly_quiet_end(const struct bly_quiet *quiet, bool broken);

#endif
