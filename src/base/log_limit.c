/* SPDX-License-Identifier: MIT */
/*
 * The decision whether a log line is written, and reports about the lines that are not.
 */
#include "base/log_limit.h"

__thread struct bly_log_limits *bly_log_limits;

static void report_omitted(struct bly_log_kind *kind) {
        unsigned long long omitted = kind->omitted;

        if (omitted == 0)
                return;
        kind->omitted = 0;
        bly_log(kind->level, "%llu line%s omitted, like: %s", omitted,
                omitted == 1 ? " was" : "s were", kind->sample);
}

/* Allows one more line for each period that has passed, up to a burst. */
static void refill(struct bly_log_kind *kind, belay_time now) {
        belay_time periods = (now - kind->since) / BLY_LOG_PERIOD;

        if (periods <= 0)
                return;
        kind->since += periods * BLY_LOG_PERIOD;
        kind->left = periods < BLY_LOG_BURST - kind->left ? kind->left + (unsigned) periods
                                                          : BLY_LOG_BURST;
}

/* FNV-1a. */
static uint64_t hash(const char *text) {
        uint64_t value = 0xcbf29ce484222325;

        for (; text != NULL && *text != '\0'; text++)
                value = (value ^ (unsigned char) *text) * 0x100000001b3;
        return value;
}

/*
 * Returns the entry of the kind. If it has none, returns a free entry, or frees the entry of the
 * kind whose latest period is oldest.
 */
static struct bly_log_kind *find(struct bly_log_limits *limits, const char *format,
                                 uint64_t place) {
        struct bly_log_kind *oldest = &limits->kinds[0];

        for (size_t i = 0; i < ARRAY_SIZE(limits->kinds); i++) {
                struct bly_log_kind *kind = &limits->kinds[i];

                if (kind->format == NULL || (kind->format == format && kind->place == place))
                        return kind;
                if (kind->since < oldest->since)
                        oldest = kind;
        }
        report_omitted(oldest);
        oldest->format = NULL;
        return oldest;
}

struct bly_log_kind *bly_log_admit(struct bly_log_limits *limits, belay_log_level level,
                                   const char *format, const char *place,
                                   unsigned long long *omitted) {
        uint64_t place_hash = hash(place);
        struct bly_log_kind *kind = find(limits, format, place_hash);
        belay_time now = limits->now(limits);

        if (kind->format == NULL)
                *kind = (struct bly_log_kind) {
                        .format = format,
                        .place = place_hash,
                        .since = now,
                        .left = BLY_LOG_BURST,
                };
        kind->level = level;
        refill(kind, now);
        if (kind->left == 0) {
                if (kind->omitted++ == 0)
                        limits->remind(limits, kind->since + 2 * BLY_LOG_PERIOD);
                return NULL;
        }
        /* After a calm, the period begins with the first line. */
        if (kind->left == BLY_LOG_BURST)
                kind->since = now;
        kind->left--;
        *omitted = kind->omitted;
        kind->omitted = 0;
        return kind;
}

belay_time bly_log_limits_report(struct bly_log_limits *limits, belay_time now) {
        belay_time next = BELAY_NEVER;

        for (size_t i = 0; i < ARRAY_SIZE(limits->kinds); i++) {
                struct bly_log_kind *kind = &limits->kinds[i];
                belay_time calm = kind->since + 2 * BLY_LOG_PERIOD;

                if (calm <= now)
                        report_omitted(kind);
                else if (kind->omitted > 0 && calm < next)
                        next = calm;
        }
        return next;
}
