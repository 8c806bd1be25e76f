/* SPDX-License-Identifier: MIT */
/*
 * Find races between tasks with seeds.
 */
#include <belay.h>

#include "check.h"

/* One task needs what another one prepares. The faulty way relies on their order. */
struct service {
        bool is_careful;
        belay_event prepared;
        int value;
};

static int prepare(void *arg) {
        struct service *service = arg;

        service->value = 42;
        belay_event_set(&service->prepared);
        return 0;
}

static int use(void *arg) {
        struct service *service = arg;
        int rc = service->is_careful ? belay_event_wait(&service->prepared) : 0;

        return rc < 0 ? rc : service->value == 42 ? 0 : -EILSEQ;
}

static int start_up(void *arg) {
        belay_group group;
        int rc = belay_group_enter(&group);

        if (rc < 0)
                return rc;
        rc = belay_group_spawn(&group, prepare, arg);
        if (rc == 0)
                rc = belay_group_spawn(&group, use, arg);
        return belay_group_leave(&group, rc);
}

/* ---- the recipe ---- */

/*
 * Runs a test in many orders of its ready tasks. Returns 0, or the first seed under which it fails.
 */
static uint64_t failing_seed(belay_fn *test, void *arg, void (*reset)(void *arg), uint64_t seeds) {
        for (uint64_t seed = 1; seed <= seeds; seed++) {
                int rc;

                reset(arg);
                rc = belay_run_with(test, arg,
                                    BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL,
                                                  .seed = seed));
                if (rc < 0)
                        return seed;
        }
        return 0;
}

/* ---- the check ---- */

static void reset(void *arg) {
        struct service *service = arg;

        *service = (struct service) { .is_careful = service->is_careful };
}

/* The run prints its seed as a log line, which is of no interest here. */
static void ignore(void *context, belay_log_level level, const char *line) {
        (void) context, (void) level, (void) line;
}

int main(void) {
        struct service careless = { .is_careful = false }, careful = { .is_careful = true };
        uint64_t seed;

        belay_set_log(ignore, NULL);
        /* Without a seed the fault never shows. */
        check(belay_run(start_up, &careless) == 0);
        seed = failing_seed(start_up, &careless, reset, 100);
        check(seed != 0);
        /* The same seed fails again, and so can be debugged. */
        reset(&careless);
        check(belay_run_with(
                      start_up, &careless,
                      BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL, .seed = seed))
              == -EILSEQ);
        check(failing_seed(start_up, &careful, reset, 100) == 0);
        return 0;
}
