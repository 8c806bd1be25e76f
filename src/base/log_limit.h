/* SPDX-License-Identifier: MIT */
/*
 * A limit on log lines that the outside can bring about as often as it likes: each connection that fails, each lack of
 * descriptors.
 *
 * Lines of one kind come from one place of the library, and if they report misuse, from one place of the program. Of
 * each kind some are written at once, and then one in a period. The next line that is written says how many were left
 * out before it. If none follows, a line of its own says so after two periods, or when the loop ends.
 *
 * Each loop has its limits. Where no loop runs, nothing is limited, since the program itself brings the lines about.
 */
#ifndef BLY_LOG_LIMIT_H
#define BLY_LOG_LIMIT_H

#include "base/base.h"

enum { BLY_LOG_BURST = 8, BLY_LOG_KINDS = 16, BLY_LOG_SAMPLE = 96 };

#define BLY_LOG_PERIOD (10 * BELAY_SECOND)

struct bly_log_kind {
        const char *format;             /* NULL: the entry is free */
        uint64_t place;                 /* a hash: the text may be gone before the loop is */
        belay_time since;               /* `left` was counted up to then */
        unsigned left;                  /* lines that may still be written */
        belay_log_level level;
        unsigned long long omitted;     /* lines that were left out since the latest that was written */
        char sample[BLY_LOG_SAMPLE];    /* how that one began */
};

struct bly_log_limits {
        belay_time (*now)(struct bly_log_limits *limits);
        /* A line was left out: bly_log_limits_tell() is to be called at this time. */
        void (*remind)(struct bly_log_limits *limits, belay_time when);
        struct bly_log_kind kinds[BLY_LOG_KINDS];
};

/* Those of the loop that runs in this thread. */
extern __thread struct bly_log_limits *bly_log_limits __attribute__((tls_model("initial-exec"), visibility("hidden")));

/* Is a line to be written now? *omitted gets how many of its kind were left out before it. NULL: it is left out. */
struct bly_log_kind *bly_log_admit(struct bly_log_limits *limits, belay_log_level level, const char *format,
                                   const char *place, unsigned long long *omitted);

/*
 * Says how many lines were left out of the kinds that have been calm for two periods, BELAY_NEVER: of all kinds.
 * Returns when the next kind will have been, or BELAY_NEVER.
 */
belay_time bly_log_limits_tell(struct bly_log_limits *limits, belay_time now);

#endif
