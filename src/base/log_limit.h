/* SPDX-License-Identifier: MIT */
/*
 * A limit on log lines that the outside can cause without end, such as those about failed
 * connections or a lack of descriptors.
 *
 * Lines are of one kind if they come from one place in the library. If they report misuse, they
 * must also come from one call site of the program. Of each kind, BLY_LOG_BURST lines are written
 * at once, and then one in each period. The next line that is written says how many lines were left
 * out before it. If none follows, a separate line says so after two periods, or when the loop ends.
 *
 * Each loop has limits of its own. If no loop runs, there is no limit, since the program itself
 * causes the lines.
 */
#ifndef BLY_LOG_LIMIT_H
#define BLY_LOG_LIMIT_H

#include "base/base.h"

enum { BLY_LOG_BURST = 8, BLY_LOG_KINDS = 16, BLY_LOG_SAMPLE = 96 };

#define BLY_LOG_PERIOD (10 * BELAY_SECOND)

struct bly_log_kind {
        const char *format; /* NULL if the entry is free */
        uint64_t place;     /* hash of the text, which may be gone before the loop */
        belay_time since;   /* time up to which `left` was counted */
        unsigned left;      /* lines that may still be written */
        belay_log_level level;
        unsigned long long omitted;  /* lines left out since the latest line that was written */
        char sample[BLY_LOG_SAMPLE]; /* beginning of the latest line that was written */
};

struct bly_log_limits {
        belay_time (*now)(struct bly_log_limits *limits);
        /* Called when lines are left out. bly_log_limits_report() must be called at `when`. */
        void (*remind)(struct bly_log_limits *limits, belay_time when);
        struct bly_log_kind kinds[BLY_LOG_KINDS];
};

/* The limits of the loop that runs in this thread, or NULL. */
extern __thread struct bly_log_limits *bly_log_limits
        __attribute__((tls_model("initial-exec"), visibility("hidden")));

/*
 * Returns the kind of the line if it is to be written, or NULL if it is left out. Stores in
 * *omitted how many lines of its kind were omitted before it.
 */
struct bly_log_kind *bly_log_admit(struct bly_log_limits *limits, belay_log_level level,
                                   const char *format, const char *place,
                                   unsigned long long *omitted);

/*
 * For each kind that has been calm for two periods, reports how many lines were left out. If `now`
 * is BELAY_NEVER, reports on all kinds. Returns the time of the next report, or BELAY_NEVER.
 */
belay_time bly_log_limits_report(struct bly_log_limits *limits, belay_time now);

#endif
