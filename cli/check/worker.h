/* SPDX-License-Identifier: MIT */
/*
 * Plays scenarios in another process, so that one which crashes or hangs is an answer and not the end.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "../common/text.h"
#include "../scenario/vectors.h"

struct worker {
        struct vector *const *list;
        size_t count;
        size_t next;                  /* the one that is played now */
        pid_t pid;                    /* 0: none runs */
        int fd;
};

enum played {
        PLAYED,                       /* the trace is there */
        NOT_PLAYED,                   /* `trouble` says why */
        NO_MORE,                      /* all have been played, and the process ended well */
        ENDED_BADLY,                  /* all have been played, but the process did not end well: `trouble` */
};

/* Plays the next scenario of the list. The texts are emptied first. */
enum played worker_next(struct worker *worker, struct text *trace, struct text *trouble);
