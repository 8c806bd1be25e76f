/* SPDX-License-Identifier: MIT */
/*
 * Phases: no task begins the next one before all have ended the last.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

struct simulation {
        belay_barrier step;
        belay_fn *advance;  /* of one task, by one step */
        void (*swap)(void); /* between two steps, by one task alone */
        int steps;
};

static int part(void *arg) {
        struct simulation *all = arg;

        for (int i = 0; i < all->steps; i++) {
                int rc = all->advance(all), number;

                number = rc < 0 ? rc : belay_barrier_wait(&all->step);
                if (number == 0)
                        all->swap();
                if (number >= 0)
                        number = belay_barrier_wait(&all->step);
                if (number < 0) {
                        /* The abort wakes the other parts, which receive -ENOTCONN. */
                        (void) !belay_barrier_abort(&all->step);
                        return number;
                }
        }
        return 0;
}

/* ---- the check ---- */

enum { PARTS = 4, STEPS = 10 };
static unsigned advanced, swaps, fails_at;

static int advance(void *arg) {
        (void) arg;
        check(advanced / PARTS == swaps);
        advanced++;
        return advanced == fails_at ? -EIO : belay_sleep(advanced % 3 * BELAY_SECOND);
}

static void swap(void) {
        check(advanced == (swaps + 1) * PARTS);
        swaps++;
}

static int app(void *arg) {
        struct simulation all = { .advance = advance, .swap = swap, .steps = STEPS };
        belay_task *tasks[PARTS];
        int broken = 0;

        (void) arg;
        check(belay_barrier_init(&all.step, PARTS) == 0);
        for (int i = 0; i < PARTS; i++)
                tasks[i] = belay_spawn(part, &all);
        check(belay_sleep(1) == 0 && belay_barrier_waiting(&all.step) == 1);
        check(belay_gather_collect(tasks, PARTS) == 0);
        check(advanced == PARTS * STEPS && swaps == STEPS && !belay_barrier_broken(&all.step));
        for (int i = 0; i < PARTS; i++)
                belay_release(tasks[i]);

        advanced = swaps = 0;
        fails_at = 6;
        for (int i = 0; i < PARTS; i++)
                tasks[i] = belay_spawn(part, &all);
        check(belay_gather_collect(tasks, PARTS) == 0);
        for (int i = 0; i < PARTS; i++) {
                broken += belay_result(tasks[i]) == -ENOTCONN;
                belay_release(tasks[i]);
        }
        check(broken == PARTS - 1 && belay_barrier_broken(&all.step));
        check(belay_barrier_reset(&all.step) == 0 && !belay_barrier_broken(&all.step));
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
