/* SPDX-License-Identifier: MIT */
/*
 * Timers, signals and other tasks get their turn whatever the running tasks do. Tasks that only
 * yield, and tasks that compute and make checkpoints, delay them by about 1 ms. The test prints the
 * delay. It fails only from 50 ms on, or 2 s under a checker, since the machine may have other
 * work.
 */
#include "../base/help.h"

static belay_time limit = 50 * BELAY_MILLISECOND;

enum { TRIES = 5 };

static bool over;
static volatile unsigned sum;

static int yields_for_ever(void *arg) {
        (void) arg;
        while (!over)
                CHECK_EQ(belay_yield(), 0);
        return 0;
}

static int makes_checkpoints(void *arg) {
        (void) arg;
        while (!over) {
                for (unsigned i = 0; i < 100; i++)
                        sum += i;
                CHECK_EQ(belay_checkpoint(), 0);
        }
        return 0;
}

static int spawns_for_ever(void *arg) {
        (void) arg;
        if (!over)
                belay_release(must(belay_spawn(spawns_for_ever, NULL)));
        return 0;
}

static void calls_for_ever(void *arg) {
        if (!over)
                CHECK(belay_soon(calls_for_ever, arg) != 0);
}

static belay_time due, worst, best;

static void took(belay_time late) {
        CHECK(late >= 0);
        if (late > worst)
                worst = late;
        if (late < best)
                best = late;
}

static void fires(void *arg) {
        took(real_time() - due);
        *(bool *) arg = true;
}

/*
 * Measures the delay of a callback and of a sleeping task TRIES times. The shortest delay must keep
 * the limit.
 */
static void measure(const char *what) {
        worst = 0;
        best = BELAY_NEVER;
        for (int i = 0; i < TRIES; i++) {
                bool fired = false;
                belay_time begin = real_time();

                due = begin + BELAY_MILLISECOND;
                CHECK(belay_later(BELAY_MILLISECOND, fires, &fired) != 0);
                CHECK_EQ(belay_sleep(2 * BELAY_MILLISECOND), 0);
                took(real_time() - begin - 2 * BELAY_MILLISECOND);
                CHECK(fired);
        }
        printf("%s: %.3f ms late at best, %.3f at worst\n", what, (double) best / BELAY_MILLISECOND,
               (double) worst / BELAY_MILLISECOND);
        CHECK(best < limit);
}

static int beside(belay_fn *fn, const char *what) {
        belay_task *tasks[2];

        over = false;
        for (int i = 0; i < 2; i++)
                tasks[i] = must(belay_spawn(fn, NULL));
        measure(what);
        over = true;
        for (int i = 0; i < 2; i++) {
                CHECK_EQ(belay_await(tasks[i], NULL), 0);
                belay_release(tasks[i]);
        }
        return 0;
}

static int all(void *arg) {
        (void) arg;
        beside(yields_for_ever, "two that yield for ever");
        beside(makes_checkpoints, "two that compute with checkpoints");
        beside(spawns_for_ever, "two that spawn for ever");
        over = false;
        CHECK(belay_soon(calls_for_ever, NULL) != 0);
        measure("a callback that calls itself soon");
        over = true;
        CHECK_EQ(belay_yield(), 0);
        return 0;
}

/* A loop of checkpoints also lets tasks run that are merely ready. */
static int counts_turns(void *arg) {
        while (!over) {
                ++*(unsigned *) arg;
                CHECK_EQ(belay_yield(), 0);
        }
        return 0;
}

static int lets_others_run(void *arg) {
        unsigned turns = 0;
        belay_task *task = must(belay_spawn(counts_turns, &turns));
        belay_time begin = real_time();

        (void) arg;
        over = false;
        while (turns < 5) {
                CHECK_EQ(belay_checkpoint(), 0);
                CHECK(real_time() - begin < 20 * BELAY_SECOND);
        }
        printf("five turns of another beside checkpoints: %.3f ms\n",
               (double) (real_time() - begin) / BELAY_MILLISECOND);
        over = true;
        CHECK_EQ(belay_await(task, NULL), 0);
        belay_release(task);
        return 0;
}

/*
 * A timer cancels a task that makes checkpoints only and never waits (systemd: a task that never
 * waits).
 */
static belay_task *computing;

static void cancel_it(void *arg) {
        (void) arg;
        CHECK(belay_cancel(computing, NULL));
}

static int computes_until_cancelled(void *arg) {
        belay_time begin = real_time();
        unsigned long rounds = 0;
        int rc;

        (void) arg;
        computing = belay_self();
        CHECK(belay_later(5 * BELAY_MILLISECOND, cancel_it, NULL) != 0);
        while ((rc = belay_checkpoint()) == 0) {
                rounds++;
                CHECK(real_time() - begin < 20 * BELAY_SECOND);
        }
        CHECK_EQ(rc, -ECANCELED);
        CHECK(real_time() - begin >= 5 * BELAY_MILLISECOND);
        printf("a checkpoint told of its cancellation %.3f ms after it was due, in round %lu\n",
               (double) (real_time() - begin - 5 * BELAY_MILLISECOND) / BELAY_MILLISECOND, rounds);
        return 0;
}

/* ---- signals ---- */

static int signalled_spinning(void *arg) {
        belay_fn *fn = *(belay_fn **) arg;

        over = false;
        belay_release(must(belay_spawn(fn, NULL)));
        belay_release(must(belay_spawn(fn, NULL)));
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        due = real_time();
        kill(getpid(), SIGTERM);
        CHECK_EQ(belay_sleep(BELAY_NEVER), -ECANCELED);
        fprintf(stderr, "%.3f ms until a signal was heard\n",
                (double) (real_time() - due) / BELAY_MILLISECOND);
        over = true;
        return -ECANCELED;
}

static int child_main(void *arg) {
        return belay_run(signalled_spinning, arg) == -EINTR ? 0 : 1;
}

int main(void) {
        belay_fn *fns[] = { yields_for_ever, makes_checkpoints, spawns_for_ever };
        struct child child;

        if (is_checked())
                limit *= 40;
        CHECK_EQ(belay_run(all, NULL), 0);
        CHECK_EQ(belay_run(lets_others_run, NULL), 0);
        CHECK_EQ(belay_run(computes_until_cancelled, NULL), 0);
        for (size_t i = 0; i < 3; i++) {
                in_child(&child, child_main, &fns[i]);
                CHECK_CHILD(&child, 0);
                printf("%s", child.text);
        }
        return 0;
}
