/* SPDX-License-Identifier: MIT */
/*
 * The failure of main: its text must not be lost, and it must not be logged if the program
 * retrieves it.
 */
#include "../base/help.h"

#include <belay/embed.h>

static const char said[] = "main (started at " __FILE__ ":";
static const char detail[] = " failed: Protocol error: config: line 3 is bad";

static int fails(void *arg) {
        (void) arg;
        return belay_fail(-EPROTO, "config: line 3 is bad");
}

static int fails_plainly(void *arg) {
        (void) arg;
        return -EIO;
}

/* The detail belongs to another failure than the outcome. */
static int recovers(void *arg) {
        (void) belay_fail(-EPROTO, "config: line 3 is bad");
        return *(int *) arg;
}

static int takes_it(void *arg) {
        belay_failure *failure;
        int rc = fails(arg);

        failure = belay_failure_take(rc);
        belay_failure_release(failure);
        return rc;
}

static int is_cancelled(void *arg) {
        (void) arg;
        return belay_fail(-ECANCELED, "enough");
}

static int interrupted(void *arg) {
        (void) arg;
        CHECK_EQ(belay_interrupt(NULL), 0);
        return belay_sleep(BELAY_HOUR);
}

static int resists(void *arg) {
        (void) arg;
        while (belay_sleep(BELAY_HOUR) == -ECANCELED)
                ;
        return 0;
}

/* The run returns -ETIMEDOUT, since the task that is left resists the shutdown. */
static int leaves_one(void *arg) {
        (void) !belay_spawn(resists, NULL);
        CHECK_EQ(belay_yield(), 0);
        return *(belay_fn **) arg != NULL ? (*(belay_fn **) arg)(NULL) : 0;
}

/* The text of the C library for the code. */
static const char *plainly(void) {
        static char text[64];

        snprintf(text, sizeof(text), " failed: %s", strerror(EIO));
        return text;
}

static void check_lines(unsigned count) {
        CHECK_EQ(kept_count, count);
        CHECK_LINES(count, said);
        CHECK_LINES(count, detail);
}

/* ---- a run in one call ---- */

static void run(void) {
        int ok = 0, other = -EIO;

        keep_lines();
        CHECK_EQ(belay_run(fails, NULL), -EPROTO);
        check_lines(1);
        CHECK_EQ(kept_lines[0].level, BELAY_LOG_ERROR);
        keep_lines();
        CHECK_EQ(belay_run_with(fails, NULL, VIRTUAL), -EPROTO);
        check_lines(1);

        keep_lines();
        CHECK_EQ(belay_run(fails_plainly, NULL), -EIO);
        CHECK_EQ(belay_run(takes_it, NULL), -EPROTO);
        CHECK_EQ(belay_run(recovers, &ok), 0);
        CHECK_EQ(belay_run(recovers, &other), -EIO);
        CHECK_EQ(belay_run(is_cancelled, NULL), -ECANCELED);
        CHECK_EQ(belay_run(interrupted, NULL), -EINTR);
        CHECK_EQ(kept_count, 0);
}

static void given_up(void) {
        belay_fn *const ends[] = { NULL, fails, fails_plainly, is_cancelled };
        const char *const parts[] = { NULL, detail, plainly(), NULL };

        for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
                belay_fn *end = ends[i];

                keep_lines();
                CHECK_EQ(belay_run_with(leaves_one, &end,
                                        BELAY_OPTIONS(belay_loop_options,
                                                      .clock = BELAY_CLOCK_VIRTUAL,
                                                      .shutdown_limit = BELAY_SECOND)),
                         -ETIMEDOUT);
                CHECK_LINES(parts[i] != NULL, said);
                if (parts[i] != NULL)
                        CHECK_LINES(1, parts[i]);
        }
}

/* ---- run and close as separate calls ---- */

enum look { NOT_AT_ALL, AT_THE_FAILURE, BY_A_HANDLE, LOOKS };

static void steps(enum look look) {
        belay_loop *loop = belay_loop_new(VIRTUAL);
        belay_task *handle = NULL;
        int outcome = 0;

        CHECK(loop != NULL);
        keep_lines();
        CHECK_EQ(belay_loop_run(loop, fails, NULL, &outcome), 0);
        CHECK_EQ(outcome, -EPROTO);
        if (look == AT_THE_FAILURE)
                CHECK_STR(belay_failure_text(belay_loop_failure(loop)), "config: line 3 is bad");
        if (look == BY_A_HANDLE) {
                handle = belay_ref(belay_loop_main(loop));
                CHECK_STR(belay_failure_text(belay_failure_of(handle)), "config: line 3 is bad");
        }
        CHECK_EQ(kept_count, 0);
        /* The next run drops the failure of this one. */
        CHECK_EQ(belay_loop_run(loop, fails_plainly, NULL, &outcome), 0);
        check_lines(look == NOT_AT_ALL);
        CHECK(belay_loop_failure(loop) == NULL);
        CHECK_EQ(belay_loop_run(loop, fails, NULL, &outcome), 0);
        if (look == AT_THE_FAILURE)
                CHECK(belay_loop_failure(loop) != NULL);
        keep_lines();
        CHECK_EQ(belay_loop_close(loop), 0);
        check_lines(look != AT_THE_FAILURE);
        belay_release(handle);
        check_lines(look != AT_THE_FAILURE);
}

/* The caller does not receive the code either. */
static void without_outcome(void) {
        belay_loop *loop = belay_loop_new(VIRTUAL);

        keep_lines();
        CHECK_EQ(belay_loop_run(loop, fails_plainly, NULL, NULL), 0);
        CHECK_EQ(kept_count, 0);
        CHECK_EQ(belay_loop_close(loop), 0);
        CHECK_EQ(kept_count, 1);
        CHECK_LINES(1, said);
        CHECK_LINES(1, plainly());
}

/* ---- within a host loop ---- */

static void embedded(belay_fn *fn, bool asks, bool looks, unsigned lines) {
        belay_loop *loop = belay_loop_new(NULL);
        int outcome = 0;

        CHECK(loop != NULL);
        keep_lines();
        CHECK_EQ(belay_loop_start(loop, fn, NULL), 0);
        while (belay_loop_dispatch(loop) > 0)
                ;
        if (asks)
                CHECK_EQ(belay_loop_outcome(loop, &outcome), 0);
        if (looks)
                CHECK(belay_loop_failure(loop) != NULL);
        CHECK_EQ(kept_count, 0);
        CHECK_EQ(belay_loop_close(loop), 0);
        CHECK_EQ(kept_count, lines);
        CHECK_LINES(lines, said);
}

int main(void) {
        run();
        given_up();
        for (int look = 0; look < LOOKS; look++)
                steps((enum look) look);
        without_outcome();
        embedded(fails, false, false, 1);
        embedded(fails, true, false, 1);
        embedded(fails, true, true, 0);
        embedded(fails, false, true, 0);
        embedded(fails_plainly, false, false, 1);
        embedded(fails_plainly, true, false, 0);
        return 0;
}
