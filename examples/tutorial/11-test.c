/* SPDX-License-Identifier: MIT */
/* A test runs a handler with 20 seeds, and cancels it at each of its waits. */
#include <belay.h>
#include <stdio.h>
#include <stdlib.h>

static struct { int entries, total; } ledger;

/* ---- the code under test ---- */

static int book(int amount) {
        belay_shield_scope shield;
        int rc;

        belay_shield_enter(&shield, BELAY_SECOND);
        ledger.entries++;
        rc = belay_sleep(BELAY_MILLISECOND); /* the disk */
        ledger.total += rc == 0 ? amount : 0;
        return belay_shield_leave(&shield, rc);
}

static int handle(belay_stream *stream, void *arg) {
        char line[64];
        ssize_t rc;

        (void) arg;
        while ((rc = belay_read_line(stream, line, sizeof(line))) > 0) {
                rc = book(atoi(line));
                if (rc == 0)
                        rc = belay_print(stream, "booked\n");
                if (rc < 0)
                        break;
        }
        return (int) rc;
}

/* ---- a scene for it ---- */

static int serve(void *stream) {
        return handle(stream, NULL);
}

/* Runs after the task's function, and also if the task was cancelled before its first step. */
static void close_now(void *stream) {
        belay_close(stream, 0);
}

static int ask_twice(belay_stream *stream) {
        char line[64];
        ssize_t rc = 1;

        for (int i = 0; i < 2 && rc > 0; i++) {
                rc = belay_print(stream, "10\n");
                if (rc > 0)
                        rc = belay_read_line(stream, line, sizeof(line));
        }
        return rc > 0 ? belay_half_close(stream) : rc == 0 ? -EPIPE : (int) rc;
}

static int scene(void *arg) {
        belay_stream *ends[2];
        belay_group group;
        /* Requests come byte by byte, each byte 1 to 2 s after it was sent. */
        int rc = belay_wire(
                ends, BELAY_OPTIONS(belay_wire_options, .ways = { { .delay = BELAY_SECOND,
                                                                    .jitter = BELAY_SECOND,
                                                                    .read_most = 1 },
                                                                  { .delay = BELAY_SECOND } }));

        (void) arg;
        if (rc < 0)
                return rc;
        belay_group_enter(&group);
        rc = belay_group_spawn_with(&group, serve, ends[1],
                                    BELAY_OPTIONS(belay_spawn_options, .destroy = close_now), NULL);
        if (rc == 0)
                rc = ask_twice(ends[0]);
        else
                belay_close(ends[1], 0);
        rc = belay_group_leave(&group, rc);
        belay_close(ends[0], 0);
        return rc;
}

/* ---- the test ---- */

static void reset(void *arg) {
        (void) arg;
        ledger.entries = ledger.total = 0;
}

/* Holds after every run, however the run ended: each entry is part of the total. */
static int check(void *arg, int outcome) {
        (void) arg;
        (void) outcome;
        return ledger.total != 10 * ledger.entries;
}

/* Leaves out the notices, which name the seed of each run. */
static void print_warning(void *context, belay_log_level level, const char *line) {
        (void) context;
        if (level < BELAY_LOG_NOTICE)
                printf("%s\n", line);
}

static int run_with_seed(unsigned seed) {
        reset(NULL);
        return belay_run_with(
                scene, NULL,
                BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL, .seed = seed));
}

int main(void) {
        unsigned untested = 0;
        int failed = 0, complaints;

        belay_set_log(print_warning, NULL);
        for (unsigned seed = 1; seed <= 20; seed++)
                failed += run_with_seed(seed) < 0 || ledger.total != 20;
        printf("20 seeds: %d failed\n", failed);

        complaints = belay_everywhere(scene, NULL,
                                      BELAY_OPTIONS(belay_everywhere_options, .reset = reset,
                                                    .check = check, .untested = &untested));
        printf("cancelled at each wait: %d complaints, %u waits left out\n", complaints, untested);
        return failed > 0 || complaints != 0 || untested > 0;
}
