/* SPDX-License-Identifier: MIT */
/*
 * Limits on log lines: how many lines of a kind are written, which line reports the omitted ones,
 * and when.
 */
#include "base/log_limit.h"

#include "../base/help.h"

/* ---- with a clock of the test ---- */

static belay_time now, reminder;

static belay_time tell_time(struct bly_log_limits *limits) {
        (void) limits;
        errno = EBADMSG; /* which must not reach the code that logs */
        return now;
}

static void note_reminder(struct bly_log_limits *limits, belay_time when) {
        (void) limits;
        reminder = when;
}

static struct bly_log_limits begin(void) {
        now = BELAY_HOUR;
        reminder = 0;
        keep_lines();
        return (struct bly_log_limits) { .now = tell_time, .remind = note_reminder };
}

static void say(unsigned times, const char *place) {
        for (unsigned i = 0; i < times; i++) {
                errno = ENOENT;
                bly_log_limited(BELAY_LOG_WARNING, place, "number %u", i);
                CHECK_EQ(errno, ENOENT);
        }
}

static void last_is(const char *text) {
        CHECK(kept_count > 0);
        CHECK_STR(kept_lines[kept_count - 1].text, text);
}

static void a_burst(void) {
        struct bly_log_limits limits = begin();

        bly_log_limits = &limits;
        say(BLY_LOG_BURST, NULL);
        CHECK_EQ(kept_count, BLY_LOG_BURST);
        CHECK_EQ(reminder, 0);
        say(5, NULL);
        CHECK_EQ(kept_count, BLY_LOG_BURST);
        CHECK_EQ(reminder, now + 2 * BLY_LOG_PERIOD);
        last_is("number 7");

        /* After that, one line in a period, which reports how many were omitted. */
        now += BLY_LOG_PERIOD - 1;
        say(1, NULL);
        CHECK_EQ(kept_count, BLY_LOG_BURST);
        now += 1;
        say(3, NULL);
        CHECK_EQ(kept_count, BLY_LOG_BURST + 1);
        last_is("number 0 (6 lines like it omitted before)");
        now += BLY_LOG_PERIOD;
        say(1, NULL);
        CHECK_EQ(kept_count, BLY_LOG_BURST + 2);
        last_is("number 0 (2 lines like it omitted before)");
        now += BLY_LOG_PERIOD;
        say(1, NULL);
        last_is("number 0");
        CHECK_EQ(kept_count, BLY_LOG_BURST + 3);

        /* After this many periods a whole burst is allowed again, and no more. */
        now += 1000 * BLY_LOG_PERIOD;
        kept_count = 0;
        say(3 * BLY_LOG_BURST, NULL);
        CHECK_EQ(kept_count, BLY_LOG_BURST);
        bly_log_limits = NULL;
}

/*
 * A clock that stands still allows no further line. A whole burst is not allowed again after the
 * first period either.
 */
static void after_a_calm(void) {
        struct bly_log_limits limits = begin();

        bly_log_limits = &limits;
        say(1, NULL);
        now += BLY_LOG_PERIOD / 2;
        say(BLY_LOG_BURST, NULL);
        CHECK_EQ(kept_count, BLY_LOG_BURST);
        now += BLY_LOG_PERIOD / 2;
        say(5, NULL);
        CHECK_EQ(kept_count, BLY_LOG_BURST + 1);
        CHECK_EQ(bly_log_limits_report(&limits, now), now + 2 * BLY_LOG_PERIOD);
        CHECK_EQ(kept_count, BLY_LOG_BURST + 1);
        now += 2 * BLY_LOG_PERIOD - 1;
        CHECK_EQ(bly_log_limits_report(&limits, now), now + 1);
        CHECK_EQ(bly_log_limits_report(&limits, now + 1), BELAY_NEVER);
        CHECK_EQ(kept_count, BLY_LOG_BURST + 2);
        last_is("4 lines were omitted, like: number 0");
        CHECK_EQ(kept_lines[kept_count - 1].level, BELAY_LOG_WARNING);
        CHECK_EQ(bly_log_limits_report(&limits, BELAY_NEVER), BELAY_NEVER);
        CHECK_EQ(kept_count, BLY_LOG_BURST + 2);

        say(BLY_LOG_BURST, "elsewhere");
        say(1, "elsewhere");
        kept_count = 0;
        CHECK_EQ(bly_log_limits_report(&limits, BELAY_NEVER), BELAY_NEVER);
        CHECK_EQ(kept_count, 1);
        last_is("1 line was omitted, like: number 7");
        bly_log_limits = NULL;
}

/* A single line that is left out. */
static void one_left_out(void) {
        struct bly_log_limits limits = begin();

        bly_log_limits = &limits;
        say(1, NULL);
        /* There is nothing to report, now or later. */
        CHECK_EQ(bly_log_limits_report(&limits, now), BELAY_NEVER);
        say(BLY_LOG_BURST, NULL);
        CHECK_EQ(reminder, now + 2 * BLY_LOG_PERIOD);
        CHECK_EQ(bly_log_limits_report(&limits, now), now + 2 * BLY_LOG_PERIOD);
        /* One reminder is enough. */
        reminder = 0;
        say(1, NULL);
        CHECK_EQ(reminder, 0);
        now += BLY_LOG_PERIOD;
        say(2, NULL);
        last_is("number 0 (2 lines like it omitted before)");
        CHECK_EQ(reminder, now + 2 * BLY_LOG_PERIOD);
        now += BLY_LOG_PERIOD;
        say(1, NULL);
        last_is("number 0 (1 line like it omitted before)");
        bly_log_limits = NULL;
}

/* Each period allows one line more, and all periods together allow no more than a burst. */
static void part_of_a_burst(void) {
        struct bly_log_limits limits = begin();

        bly_log_limits = &limits;
        say(BLY_LOG_BURST / 2, NULL);
        now += (BLY_LOG_BURST / 2 + 2) * BLY_LOG_PERIOD;
        kept_count = 0;
        say(2 * BLY_LOG_BURST, NULL);
        CHECK_EQ(kept_count, BLY_LOG_BURST);
        now += 3 * BLY_LOG_PERIOD;
        kept_count = 0;
        say(BLY_LOG_BURST, NULL);
        CHECK_EQ(kept_count, 3);
        bly_log_limits = NULL;
}

/* Lines that report different call sites are of different kinds, however similar these are. */
static void similar(void) {
        char places[2][16];

        for (int i = 0; i < 100; i++)
                for (int k = i % 10; k < 100; k += 9) {
                        struct bly_log_limits limits = begin();

                        if (i == k)
                                continue;
                        bly_log_limits = &limits;
                        snprintf(places[0], sizeof(places[0]), "a.c:%d", i);
                        snprintf(places[1], sizeof(places[1]), "a.c:%d", k);
                        say(BLY_LOG_BURST + 1, places[0]);
                        CHECK_EQ(kept_count, BLY_LOG_BURST);
                        say(1, places[1]);
                        CHECK_EQ(kept_count, BLY_LOG_BURST + 1);
                        bly_log_limits = NULL;
                }
}

/*
 * Each kind has limits of its own, until there are too many kinds. Then the kind that was calm for
 * longest is forgotten.
 */
static void kinds(void) {
        /* What lies beyond the limits belongs to other code. */
        struct {
                struct bly_log_limits limits;
                struct bly_log_kind beyond;
        } both = { .limits = begin(), .beyond = { .omitted = 777 } };
        char place[16];

        bly_log_limits = &both.limits;
        for (unsigned i = 0; i < BLY_LOG_KINDS; i++) {
                /* The text of the call site makes the kind, not its address. */
                snprintf(place, sizeof(place), "place %u", i);
                say(BLY_LOG_BURST + i, place);
                CHECK_EQ(kept_count, (i + 1) * BLY_LOG_BURST);
                now++;
        }
        kept_count = 0;
        say(1, "place 0");
        say(1, "place 15");
        CHECK_EQ(kept_count, 0);
        say(1, "another");
        CHECK_EQ(kept_count, 2);
        CHECK_STR(kept_lines[0].text, "1 line was omitted, like: number 7");
        CHECK_STR(kept_lines[1].text, "number 0");
        say(1, "yet another");
        CHECK_EQ(kept_count, 4);
        CHECK_STR(kept_lines[2].text, "1 line was omitted, like: number 7");
        kept_count = 0;
        CHECK_EQ(bly_log_limits_report(&both.limits, BELAY_NEVER), BELAY_NEVER);
        CHECK_LINES(0, "777 lines");
        CHECK_EQ(kept_count, BLY_LOG_KINDS - 2);
        bly_log_limits = NULL;
}

/* Of several kinds that have been calm for equally long, the first is forgotten. */
static void equally_calm(void) {
        struct bly_log_limits limits = begin();
        char place[16];

        bly_log_limits = &limits;
        for (unsigned i = 0; i < BLY_LOG_KINDS; i++) {
                snprintf(place, sizeof(place), "place %u", i);
                say(BLY_LOG_BURST, place);
        }
        kept_count = 0;
        say(1, "another");
        CHECK_EQ(kept_count, 1);
        /* The others are still known. */
        for (unsigned i = 1; i < BLY_LOG_KINDS; i++) {
                snprintf(place, sizeof(place), "place %u", i);
                say(1, place);
        }
        CHECK_EQ(kept_count, 1);
        bly_log_limits = NULL;
}

/* A long line also reports the omitted lines. */
static void long_lines(void) {
        struct bly_log_limits limits = begin();
        static char name[3000];

        memset(name, 'x', sizeof(name) - 1);
        bly_log_limits = &limits;
        for (int i = 0; i < BLY_LOG_BURST + 3; i++)
                bly_log_limited(BELAY_LOG_ERROR, NULL, "%s", name);
        now += BLY_LOG_PERIOD;
        bly_log_limited(BELAY_LOG_ERROR, NULL, "%s", name);
        CHECK_EQ(kept_count, BLY_LOG_BURST + 1);
        CHECK_LINES(1, "x (3 lines like it omitted before)");
        bly_log_limits = NULL;
}

/* ---- with a loop ---- */

static int fails(void *arg) {
        return belay_fail(-EPROTO, "bad\n\033[31mheader\177%s", (const char *) arg);
}

static void fail_often(unsigned times) {
        for (unsigned i = 0; i < times; i++)
                belay_release(must(belay_spawn(fails, "")));
        CHECK_EQ(belay_yield(), 0);
}

static int floods(void *arg) {
        belay_time began = belay_now();

        (void) arg;
        keep_lines();
        fail_often(1000);
        CHECK_EQ(kept_count, BLY_LOG_BURST);
        CHECK_LINES(BLY_LOG_BURST, "was not retrieved: Protocol error: bad??[31mheader?");
        /* After a calm period. */
        CHECK_EQ(belay_sleep(2 * BLY_LOG_PERIOD - 1), 0);
        CHECK_EQ(kept_count, BLY_LOG_BURST);
        CHECK_EQ(belay_sleep(2), 0);
        CHECK_EQ(belay_now() - began, 2 * BLY_LOG_PERIOD + 1);
        CHECK_EQ(kept_count, BLY_LOG_BURST + 1);
        CHECK_LINES(1, "992 lines were omitted, like: task #");
        /* While the flood goes on. */
        for (int i = 0; i < 10; i++) {
                kept_count = 0;
                fail_often(1000);
                CHECK_EQ(kept_count, i == 0 ? 2 : 1);
                CHECK_LINES(i == 0 ? 0 : 1, i == 1 ? " (998 lines like it omitted before)"
                                                   : " (999 lines like it omitted before)");
                CHECK_EQ(belay_sleep(BLY_LOG_PERIOD), 0);
        }
        kept_count = 0;
        return 0;
}

static int floods_at_the_end(void *arg) {
        (void) arg;
        keep_lines();
        fail_often(100);
        CHECK_EQ(kept_count, BLY_LOG_BURST);
        return 0;
}

static int misuses(void *arg) {
        (void) arg;
        keep_lines();
        for (int i = 0; i < 100; i++)
                CHECK_EQ(belay_result_placed("there:1", belay_self()), -EINPROGRESS);
        CHECK_EQ(kept_count, BLY_LOG_BURST);
        CHECK_EQ(belay_result_placed("there:2", belay_self()), -EINPROGRESS);
        CHECK_EQ(kept_count, BLY_LOG_BURST + 1);
        return 0;
}

/* In a loop on the real clock that only waits, no other event than this timer occurs. */
static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_MILLISECOND);
}

int main(void) {
        belay_loop *loop;

        a_burst();
        after_a_calm();
        one_left_out();
        part_of_a_burst();
        similar();
        kinds();
        equally_calm();
        long_lines();

        RUN_VIRTUAL(floods);
        /* The end of the run reports the lines that were omitted last. */
        CHECK_EQ(kept_count, 1);
        CHECK_LINES(1, "999 lines were omitted, like: task #");
        RUN_VIRTUAL(floods_at_the_end);
        CHECK_EQ(kept_count, BLY_LOG_BURST + 1);
        CHECK_LINES(1, "92 lines were omitted, like: task #");
        CHECK_EQ(belay_run(floods_at_the_end, NULL), 0);
        CHECK_EQ(kept_count, BLY_LOG_BURST + 1);
        RUN_VIRTUAL(misuses);
        CHECK_EQ(kept_count, BLY_LOG_BURST + 2);
        CHECK_LINES(1, "92 lines were omitted, like: misuse at there:1: ");

        /* Each run reports them, and a timer that was set must not outlive its run. */
        loop = belay_loop_new(NULL);
        CHECK(loop != NULL);
        CHECK_EQ(belay_loop_run(loop, floods_at_the_end, NULL, NULL), 0);
        CHECK_LINES(1, "92 lines were omitted");
        CHECK_EQ(belay_loop_run(loop, sleeps, NULL, NULL), 0);
        CHECK_EQ(belay_loop_close(loop), 0);
        CHECK_LINES(1, "92 lines were omitted");
        return 0;
}
