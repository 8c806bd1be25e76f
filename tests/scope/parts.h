/* SPDX-License-Identifier: MIT */
/*
 * Shared by the tests of scopes, of several tasks and of synchronization: a task that plays a part,
 * requests at a later time, and checks.
 */
#ifndef BELAY_TESTS_PARTS_H
#define BELAY_TESTS_PARTS_H

#include "../base/help.h"

enum { UNWRITTEN = 424242 };

#define SECONDS(n) ((n) *BELAY_SECOND)

/* A task that sleeps and ends, or ends earlier because it is cancelled. */
struct part {
        belay_time span;     /* length of the sleep; 0 for none */
        int end;             /* outcome after the sleep */
        const char *text;    /* text of a failure */
        belay_time clean_up; /* length of a sleep after each request */
        int refuses;         /* number of requests after which it goes on */
        int end_cancelled;   /* outcome after a cancellation, if not 0 */

        /* results */
        int begun, ended, requests;
        belay_time at;            /* time of its end */
        belay_origin_kind origin; /* origin of the last request */
};

static inline belay_origin_kind origin_kind(const belay_task *task) {
        belay_origin origin = { .size = sizeof(origin) };

        return belay_origin_of(task, &origin) ? origin.kind : BELAY_ORIGIN_NONE;
}

static inline int end_part(struct part *part, int rc) {
        part->ended++;
        part->at = belay_now();
        return rc < 0 && rc != -ECANCELED && part->text != NULL ? belay_fail(rc, "%s", part->text)
                                                                : rc;
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
                        return end_part(part, part->end_cancelled != 0 ? part->end_cancelled
                                                                       : -ECANCELED);
        }
        return end_part(part, part->end);
}

static inline belay_task *start_part(struct part *part) {
        return must(belay_spawn(play, part));
}

/* Returns the outcome of a task that is done, and releases the handle. */
static inline int ended_with(belay_task *task) {
        int rc = belay_result(task);

        belay_release(task);
        return rc;
}

static inline void cancel_it(void *task) {
        belay_cancel(task, NULL);
}

/* Sends the task a request from outside of all tasks, after `span`. */
static inline void cancel_after(belay_time span, belay_task *task) {
        CHECK(belay_later(span, cancel_it, task) != 0);
}

/* Checks the code and the text of a failure beneath another. */
#define CHECK_BENEATH(failure, index, code, text)                                      \
        do {                                                                           \
                const belay_failure *check_beneath = belay_failure_at(failure, index); \
                                                                                       \
                CHECK(check_beneath != NULL);                                          \
                CHECK_EQ(belay_failure_code(check_beneath), code);                     \
                CHECK_STR(belay_failure_text(check_beneath), text);                    \
        } while (0)

/* Checks the text of the calling task's latest failure at this code, and takes the failure. */
#define CHECK_LEFT(code, text)                                        \
        do {                                                          \
                belay_failure *check_left = belay_failure_take(code); \
                                                                      \
                CHECK_EQ(belay_failure_code(check_left), code);       \
                CHECK_STR(belay_failure_text(check_left), text);      \
                belay_failure_release(check_left);                    \
        } while (0)

/* Checks that nothing of a request is left: no request is counted, and waits work. */
#define CHECK_CLEAN()                                        \
        do {                                                 \
                CHECK_EQ(belay_cancelling(belay_self()), 0); \
                CHECK_EQ(belay_yield(), 0);                  \
        } while (0)

/*
 * Checks that one request is counted and pending, so that the next wait delivers it. Withdraws it.
 */
#define CHECK_PENDING()                                      \
        do {                                                 \
                CHECK_EQ(belay_cancelling(belay_self()), 1); \
                CHECK_EQ(belay_yield(), -ECANCELED);         \
                CHECK_EQ(belay_uncancel(belay_self()), 0);   \
                CHECK_EQ(belay_yield(), 0);                  \
        } while (0)

/* Checks that one request is counted and was delivered. Withdraws it. */
#define CHECK_DELIVERED()                                    \
        do {                                                 \
                CHECK_EQ(belay_cancelling(belay_self()), 1); \
                CHECK_EQ(belay_yield(), 0);                  \
                CHECK_EQ(belay_uncancel(belay_self()), 0);   \
        } while (0)

#endif
