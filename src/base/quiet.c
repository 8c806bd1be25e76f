/* SPDX-License-Identifier: MIT */
/*
 * Writing without SIGPIPE.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/quiet.h"

static void set_of_pipe(sigset_t *pipe) {
        sigemptyset(pipe);
        sigaddset(pipe, SIGPIPE);
}

void bly_quiet_begin(struct bly_quiet *quiet) {
        sigset_t pipe, pending;

        sigpending(&pending);
        quiet->was_pending = sigismember(&pending, SIGPIPE) == 1;
        if (quiet->was_pending)
                return;
        set_of_pipe(&pipe);
        pthread_sigmask(SIG_BLOCK, &pipe, &quiet->before);
}

void bly_quiet_end(const struct bly_quiet *quiet, bool broken) {
        const struct timespec now = { 0 };
        int saved = errno;
        sigset_t pipe;

        if (quiet->was_pending)
                return;
        set_of_pipe(&pipe);
        if (broken)
                while (sigtimedwait(&pipe, NULL, &now) < 0 && errno == EINTR)
                        ;
        pthread_sigmask(SIG_SETMASK, &quiet->before, NULL);
        errno = saved;
}
