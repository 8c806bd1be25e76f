/* SPDX-License-Identifier: MIT */
/*
 * What the tests of scopes, of many tasks and of synchronization share: a task that plays a part, later requests.
 */
#ifndef BELAY_TESTS_PARTS_H
#define BELAY_TESTS_PARTS_H

#include "../base/help.h"

enum { UNWRITTEN = 424242 };

#define SECONDS(n) ((n) * BELAY_SECOND)

/* Sleeps, and ends; or is cancelled before. */
struct part {
        belay_time span;                /* how long it sleeps; 0: not at all */
        int end;                        /* what it ends with then */
        const char *text;               /* of a failure */
        belay_time clean_up;            /* how long it sleeps after each request */
        int refuses;                    /* so many requests it goes on after */
        int end_cancelled;              /* what it ends with when it was cancelled, if not 0 */

        /* what came of it */
        int begun, ended, requests;
        belay_time at;                  /* of its end */
        belay_origin_kind origin;       /* of the last request */
};

static inline belay_origin_kind origin_kind(const belay_task *task) {
        belay_origin origin = { .size = sizeof(origin) };

        return belay_origin_of(task, &origin) ? origin.kind : BELAY_ORIGIN_NONE;
}

static inline int end_part(struct part *part, int rc) {
        part->ended++;
        part->at = belay_now();
        return rc < 0 && rc != -ECANCELED && part->text != NULL ? belay_fail(rc, "%s", part->text) : rc;
}

static inline int play(void *arg) {
        struct part *part = arg;
        belay_time until = part->span == BELAY_NEVER ? BELAY_NEVER : belay_now() + part->span;

        part->begun++;
        while (part->span > 0) {
                int rc = belay_sleep_until(until);

                if (rc == 0)
                        break;
                CHECK_EQ(rc, -ECANCELED);
                part->requests++;
                part->origin = origin_kind(belay_self());
                if (part->clean_up > 0)
                        (void) !belay_sleep(part->clean_up);
                if (part->requests > part->refuses)
                        return end_part(part, part->end_cancelled != 0 ? part->end_cancelled : -ECANCELED);
        }
        return end_part(part, part->end);
}

static inline belay_task *start_part(struct part *part) {
        return must(belay_spawn(play, part));
}

/* What a task that is done ended with; the handle goes. */
static inline int ended_with(belay_task *task) {
        int rc = belay_result(task);

        belay_release(task);
        return rc;
}

static inline void cancel_it(void *task) {
        belay_cancel(task, NULL);
}

/* A request from nobody, some time later. */
static inline void cancel_after(belay_time span, belay_task *task) {
        CHECK(belay_later(span, cancel_it, task) != 0);
}

/* The failure beneath another has this code and this text. */
#define CHECK_BENEATH(failure, index, code, text)                                               \
        do {                                                                                    \
                const belay_failure *check_beneath = belay_failure_at(failure, index);          \
                                                                                                \
                CHECK(check_beneath != NULL);                                                   \
                CHECK_EQ(belay_failure_code(check_beneath), code);                              \
                CHECK_STR(belay_failure_text(check_beneath), text);                             \
        } while (0)

/* What the calling task was left with at this code has this text. */
#define CHECK_LEFT(code, text)                                                                  \
        do {                                                                                    \
                belay_failure *check_left = belay_failure_take(code);                           \
                                                                                                \
                CHECK_EQ(belay_failure_code(check_left), code);                                 \
                CHECK_STR(belay_failure_text(check_left), text);                                \
                belay_failure_release(check_left);                                              \
        } while (0)

/* Nothing of a request is left: waits work, and none is counted. */
#define CHECK_CLEAN()                                                                           \
        do {                                                                                    \
                CHECK_EQ(belay_cancelling(belay_self()), 0);                                    \
                CHECK_EQ(belay_yield(), 0);                                                     \
        } while (0)

/* A request was counted and not delivered yet: it is at the next wait. Taken back. */
#define CHECK_PENDING()                                                                         \
        do {                                                                                    \
                CHECK_EQ(belay_cancelling(belay_self()), 1);                                    \
                CHECK_EQ(belay_yield(), -ECANCELED);                                            \
                CHECK_EQ(belay_uncancel(belay_self()), 0);                                      \
                CHECK_EQ(belay_yield(), 0);                                                     \
        } while (0)

/* One was counted and delivered. Taken back. */
#define CHECK_DELIVERED()                                                                       \
        do {                                                                                    \
                CHECK_EQ(belay_cancelling(belay_self()), 1);                                    \
                CHECK_EQ(belay_yield(), 0);                                                     \
                CHECK_EQ(belay_uncancel(belay_self()), 0);                                      \
        } while (0)

#endif
