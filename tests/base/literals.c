/* SPDX-License-Identifier: MIT */
/*
 * Arguments that are written in place: compound literals with commas, options, and spans.
 */
#include <belay.h>

#include "check.h"

#define IS_TIME(constant) _Generic((constant), int64_t : true, default : false)

/*
 * Constants in the form that the headers of other languages read. They have the type of times, and
 * are constant expressions everywhere.
 */
static const belay_time spans[] = {
        BELAY_NANOSECOND, BELAY_MICROSECOND, BELAY_MILLISECOND, BELAY_SECOND,
        BELAY_MINUTE,     BELAY_HOUR,        BELAY_NEVER,
};
_Static_assert(IS_TIME(BELAY_NANOSECOND) && IS_TIME(BELAY_MICROSECOND)
                       && IS_TIME(BELAY_MILLISECOND),
               "times");
_Static_assert(IS_TIME(BELAY_SECOND) && IS_TIME(BELAY_MINUTE) && IS_TIME(BELAY_HOUR)
                       && IS_TIME(BELAY_NEVER),
               "times");
_Static_assert(IS_TIME(5 * BELAY_SECOND) && 5 * BELAY_SECOND == INT64_C(5000000000),
               "in 64 bits everywhere");

#if BELAY_HOUR != 60 * BELAY_MINUTE || BELAY_NEVER <= BELAY_HOUR
#error "the preprocessor reads them, too"
#endif

struct pair {
        int first, second;
};

static belay_semaphore places = BELAY_SEMAPHORE_INIT(sizeof(struct { char first, second; }));

static int sums(void *arg) {
        struct pair *two = arg;

        return two->first + two->second;
}

static int app(void *arg) {
        belay_task *task = belay_spawn(sums, &(struct pair) { 1, 2 });
        int outcome = -EIO;

        (void) arg;
        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(outcome, 3);
        belay_release(task);

        task = belay_spawn_with(
                sums, &(struct pair) { 3, 4 },
                &(belay_spawn_options) { sizeof(belay_spawn_options), .name = "pair" });
        CHECK_STR(belay_name(task), "pair");
        CHECK_EQ(belay_await_for(task, (struct { belay_time span, other; }) { 1, 2 }.span,
                                 &(int) { 0 }),
                 0);
        CHECK_EQ(belay_result(task), 7);
        belay_release(task);

        CHECK_EQ(belay_semaphore_acquire(&places), 0);
        CHECK_EQ(belay_semaphore_acquire(&places), 0);
        return belay_wait_for(sums, &(struct pair) { 5, 6 }, BELAY_SECOND);
}

int main(void) {
        CHECK_EQ(spans[2] * 1000, spans[3]);
        CHECK_EQ(spans[6], INT64_MAX);
        CHECK_EQ(belay_run_with(app, NULL,
                                BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL)),
                 11);
        return 0;
}
