/* SPDX-License-Identifier: MIT */
/*
 * Plays scenarios in another process, so that a crash or a hang counts as a result of one scenario
 * and does not end the check.
 */
#ifndef BELAY_CLI_CHECK_WORKER_H
#define BELAY_CLI_CHECK_WORKER_H

#include <stddef.h>
#include <sys/types.h>

#include "../common/text.h"
#include "../scenario/vectors.h"

struct worker {
        struct vector *const *list;
        size_t count;
        size_t next; /* index of the scenario that is played */
        pid_t pid;   /* process that plays, or 0 */
        int fd;
};

enum played {
        PLAYED,     /* the trace is complete */
        NOT_PLAYED, /* `trouble` contains the reason */
        NO_MORE,    /* all scenarios were played, and the process exited well */
        /* all scenarios were played, but the process did not exit well; see `trouble` */
        ENDED_BADLY,
};

/* Plays the next scenario of the list. Empties both texts first. */
enum played worker_next(struct worker *worker, struct text *trace, struct text *trouble);

#endif
