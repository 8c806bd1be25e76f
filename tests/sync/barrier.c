/* SPDX-License-Identifier: MIT */
/*
 * The barrier: either all parties meet or none, and each receives a number of its own. Barriers are
 * broken and reset, and waiting tasks are cancelled.
 */
#include <limits.h>

#include "../scope/parts.h"

enum { PARTIES = 4 };

static belay_barrier barrier;
static belay_task *tasks[PARTIES];

static int meets(void *arg) {
        (void) arg;
        return belay_barrier_wait(&barrier);
}

static void start(int count) {
        for (int i = 0; i < count; i++)
                tasks[i] = must(belay_spawn(meets, NULL));
        CHECK_EQ(belay_sleep(1), 0);
}

/* Checks that each number was returned once. */
static void check_met(int count, int own) {
        unsigned seen = own >= 0 ? 1u << own : 0;

        for (int i = 0; i < count; i++) {
                int number;

                CHECK_EQ(belay_join(tasks[i], NULL), 0);
                number = ended_with(tasks[i]);
                CHECK(number >= 0 && number < PARTIES);
                CHECK(!(seen & 1u << number));
                seen |= 1u << number;
        }
        CHECK_EQ(seen, (1u << PARTIES) - 1);
        CHECK_EQ(belay_barrier_waiting(&barrier), 0);
}

static int last_goes_on(void *arg) {
        int own;

        (void) arg;
        CHECK_EQ(belay_barrier_init(&barrier, PARTIES), 0);
        for (int round = 0; round < 3; round++) {
                start(PARTIES - 1);
                CHECK_EQ(belay_barrier_waiting(&barrier), PARTIES - 1);
                for (int i = 0; i < PARTIES - 1; i++)
                        CHECK(!belay_done(tasks[i]));
                /* The last party to arrive does not wait, so its call is no cancellation point. */
                belay_cancel(belay_self(), NULL);
                own = belay_barrier_wait(&barrier);
                CHECK(own >= 0);
                CHECK_PENDING();
                check_met(PARTIES - 1, own);
        }
        return 0;
}

static int of_one(void *arg) {
        (void) arg;
        CHECK_EQ(belay_barrier_init(&barrier, 0), -EINVAL);
        /* The number of a party is an int, so there cannot be more parties. */
        CHECK_EQ(belay_barrier_init(&barrier, (size_t) INT_MAX + 1), -EINVAL);
        CHECK_EQ(belay_barrier_init(&barrier, INT_MAX), 0);
        CHECK_EQ(belay_barrier_init(&barrier, 1), 0);
        for (int i = 0; i < 3; i++)
                CHECK_EQ(belay_barrier_wait(&barrier), 0);
        return 0;
}

static int rounds[PARTIES], seen;

static int goes_round(void *arg) {
        int *mine = arg;

        for (int i = 0; i < 50; i++) {
                CHECK(belay_barrier_wait(&barrier) >= 0);
                ++*mine;
                seen++;
                /* No task may be a whole round ahead. */
                for (int k = 0; k < PARTIES; k++)
                        CHECK(rounds[k] >= *mine - 1 && rounds[k] <= *mine + 1);
                if ((i + (int) (mine - rounds)) % 3 == 0)
                        CHECK_EQ(belay_sleep(i), 0);
        }
        return 0;
}

static int many_rounds(void *arg) {
        (void) arg;
        CHECK_EQ(belay_barrier_init(&barrier, PARTIES), 0);
        for (int i = 0; i < PARTIES; i++)
                tasks[i] = must(belay_spawn(goes_round, &rounds[i]));
        CHECK_EQ(belay_gather(tasks, PARTIES, NULL), 0);
        for (int i = 0; i < PARTIES; i++)
                CHECK_EQ(ended_with(tasks[i]), 0);
        CHECK_EQ(seen, 50 * PARTIES);
        return 0;
}

static int broken(void *arg) {
        (void) arg;
        CHECK_EQ(belay_barrier_init(&barrier, PARTIES), 0);
        start(2);
        CHECK(!belay_barrier_broken(&barrier));
        CHECK_EQ(belay_barrier_abort(&barrier), 0);
        CHECK(belay_barrier_broken(&barrier));
        for (int i = 0; i < 2; i++) {
                CHECK_EQ(belay_join(tasks[i], NULL), 0);
                CHECK_EQ(ended_with(tasks[i]), -ENOTCONN);
        }
        /* The barrier stays broken until it is reset. */
        CHECK_EQ(belay_fail(-ENOTCONN, "another's"), -ENOTCONN);
        CHECK_EQ(belay_barrier_wait(&barrier), -ENOTCONN);
        CHECK_LEFT(-ENOTCONN, NULL);
        CHECK_EQ(belay_barrier_waiting(&barrier), 0);
        CHECK_EQ(belay_barrier_reset(&barrier), 0);
        CHECK(!belay_barrier_broken(&barrier));
        start(PARTIES);
        check_met(PARTIES, -1);
        return 0;
}

static int reset(void *arg) {
        belay_task *old[2];

        (void) arg;
        CHECK_EQ(belay_barrier_init(&barrier, PARTIES), 0);
        CHECK_EQ(belay_barrier_reset(&barrier), 0);
        start(3);
        CHECK_EQ(belay_barrier_reset(&barrier), 0);
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_join(tasks[i], NULL), 0);
                CHECK_EQ(ended_with(tasks[i]), -ENOTCONN);
        }
        CHECK(!belay_barrier_broken(&barrier));
        start(PARTIES);
        check_met(PARTIES, -1);
        /* Tasks that arrive during the reset wait for the next round. */
        start(2);
        CHECK_EQ(belay_barrier_reset(&barrier), 0);
        old[0] = tasks[0];
        old[1] = tasks[1];
        for (int i = 0; i < PARTIES; i++)
                tasks[i] = must(belay_spawn(meets, NULL));
        check_met(PARTIES, -1);
        CHECK_EQ(ended_with(old[0]), -ENOTCONN);
        CHECK_EQ(ended_with(old[1]), -ENOTCONN);
        return 0;
}

/*
 * A reset while a single task waits. The caller arrives before that task has left, so the two do
 * not meet. The caller waits for the next round.
 */
static int reset_with_one(void *arg) {
        belay_task *old;

        (void) arg;
        CHECK_EQ(belay_barrier_init(&barrier, 2), 0);
        start(1);
        old = tasks[0];
        CHECK_EQ(belay_barrier_reset(&barrier), 0);
        CHECK_EQ(belay_barrier_waiting(&barrier), 0);
        tasks[0] = must(belay_spawn(meets, NULL));
        CHECK(belay_barrier_wait(&barrier) >= 0);
        CHECK_EQ(ended_with(old), -ENOTCONN);
        CHECK_EQ(belay_join(tasks[0], NULL), 0);
        CHECK(ended_with(tasks[0]) >= 0);
        return 0;
}

/* ---- a cancelled party does not count any more, and another receives its number ---- */

static void cancel_and_join(int i) {
        belay_cancel(tasks[i], NULL);
        CHECK_EQ(belay_join(tasks[i], NULL), 0);
        CHECK_EQ(ended_with(tasks[i]), -ECANCELED);
}

/*
 * Some of the waiting tasks are cancelled, in either order, and replaced. The last party to arrive
 * receives the highest number.
 */
static int numbers(void *arg) {
        (void) arg;
        CHECK_EQ(belay_barrier_init(&barrier, PARTIES), 0);
        for (unsigned mask = 0; mask < 1u << (PARTIES - 1); mask++)
                for (int backwards = 0; backwards < 2; backwards++) {
                        belay_task *last;

                        start(PARTIES - 1);
                        for (int n = 0; n < PARTIES - 1; n++) {
                                int i = backwards ? PARTIES - 2 - n : n;

                                if (mask & 1u << i)
                                        cancel_and_join(i);
                        }
                        for (int i = 0; i < PARTIES - 1; i++)
                                if (mask & 1u << i)
                                        tasks[i] = must(belay_spawn(meets, NULL));
                        CHECK_EQ(belay_yield(), 0);
                        CHECK_EQ(belay_barrier_waiting(&barrier), PARTIES - 1);
                        last = must(belay_spawn(meets, NULL));
                        CHECK_EQ(belay_join(last, NULL), 0);
                        CHECK_EQ(ended_with(last), PARTIES - 1);
                        check_met(PARTIES - 1, PARTIES - 1);
                }
        return 0;
}

/*
 * Many tasks arrive and are cancelled pseudo-randomly. In the end all have met, and each number was
 * returned once.
 */
enum { MANY = 50 };

static belay_barrier large;

static int meets_many(void *arg) {
        (void) arg;
        return belay_barrier_wait(&large);
}

static int by_chance(void *arg) {
        static belay_task *waiting[MANY];
        unsigned state = 1, round = 0;
        int count = 0;

        (void) arg;
        CHECK_EQ(belay_barrier_init(&large, MANY), 0);
        while (round < 5) {
                bool given[MANY] = { false };

                state = state * 1103515245 + 12345;
                if (count > 0 && (state >> 16) % 3 == 0) {
                        int i = (int) ((state >> 20) % (unsigned) count);

                        belay_cancel(waiting[i], NULL);
                        CHECK_EQ(belay_join(waiting[i], NULL), 0);
                        CHECK_EQ(ended_with(waiting[i]), -ECANCELED);
                        waiting[i] = waiting[--count];
                        continue;
                }
                waiting[count++] = must(belay_spawn(meets_many, NULL));
                CHECK_EQ(belay_yield(), 0);
                CHECK_EQ(belay_barrier_waiting(&large), count < MANY ? count : 0);
                if (count < MANY)
                        continue;
                for (; count > 0; count--) {
                        int number;

                        CHECK_EQ(belay_join(waiting[count - 1], NULL), 0);
                        number = ended_with(waiting[count - 1]);
                        CHECK(number >= 0 && number < MANY && !given[number]);
                        given[number] = true;
                }
                round++;
        }
        return 0;
}

/*
 * A waiting task is cancelled while other ready tasks run before it. In real time it stops counting
 * at once, in virtual time only when it runs.
 */
static void cancel_before_another_comes(bool is_real) {
        belay_task *other;

        CHECK_EQ(belay_barrier_init(&barrier, 2), 0);
        start(1);
        other = must(belay_spawn(meets, NULL));
        belay_cancel(tasks[0], NULL);
        CHECK_EQ(belay_barrier_waiting(&barrier), is_real ? 0 : 1);
        CHECK_EQ(belay_join(tasks[0], NULL), 0);
        CHECK_EQ(ended_with(tasks[0]), -ECANCELED);
        CHECK_EQ(belay_done(other), !is_real);
        CHECK_EQ(belay_barrier_waiting(&barrier), is_real ? 1 : 0);
        if (is_real) {
                CHECK_EQ(belay_barrier_wait(&barrier), 1);
                CHECK_EQ(belay_join(other, NULL), 0);
                CHECK_EQ(ended_with(other), 0);
        } else {
                CHECK_EQ(ended_with(other), 1);
        }
        CHECK_EQ(belay_barrier_waiting(&barrier), 0);
}

/* A request is pending before the task arrives at the barrier. */
static int comes_cancelled(void *arg) {
        belay_cancel(belay_self(), NULL);
        return meets(arg);
}

static void come_cancelled(bool is_real) {
        belay_task *other;

        CHECK_EQ(belay_barrier_init(&barrier, 2), 0);
        tasks[0] = must(belay_spawn(comes_cancelled, NULL));
        other = must(belay_spawn(meets, NULL));
        CHECK_EQ(belay_join(tasks[0], NULL), 0);
        CHECK_EQ(ended_with(tasks[0]), -ECANCELED);
        CHECK_EQ(belay_done(other), !is_real);
        belay_cancel(other, NULL);
        CHECK_EQ(belay_join(other, NULL), 0);
        CHECK_EQ(ended_with(other), is_real ? -ECANCELED : 1);
        CHECK_EQ(belay_barrier_waiting(&barrier), 0);
}

static int in_real_time(void *arg) {
        (void) arg;
        cancel_before_another_comes(true);
        come_cancelled(true);
        return 0;
}

static int in_virtual_time(void *arg) {
        (void) arg;
        cancel_before_another_comes(false);
        come_cancelled(false);
        return 0;
}

/* All waiting tasks are cancelled, so a reset finds no party. The next round must be complete. */
static int emptied_by_cancelling(void *arg) {
        (void) arg;
        CHECK_EQ(belay_barrier_init(&barrier, PARTIES), 0);
        start(2);
        belay_cancel(tasks[0], NULL);
        belay_cancel(tasks[1], NULL);
        CHECK_EQ(belay_barrier_reset(&barrier), 0);
        for (int i = 0; i < 2; i++) {
                CHECK_EQ(belay_join(tasks[i], NULL), 0);
                CHECK_EQ(ended_with(tasks[i]), -ECANCELED);
        }
        start(PARTIES);
        check_met(PARTIES, -1);
        return 0;
}

static int deadlocked(void *arg) {
        (void) arg;
        keep_lines();
        CHECK_EQ(belay_barrier_init(&barrier, 2), 0);
        CHECK_EQ(belay_barrier_wait(&barrier), -EDEADLK);
        CHECK(lines_with("barrier") > 0);
        belay_set_log(NULL, NULL);
        CHECK_EQ(belay_barrier_waiting(&barrier), 0);
        start(1);
        CHECK_EQ(belay_barrier_wait(&barrier), 1);
        CHECK_EQ(belay_join(tasks[0], NULL), 0);
        CHECK_EQ(ended_with(tasks[0]), 0);
        return 0;
}

/* Ends with 1 if the task outside has ended before. */
static int comes_after(void *arg) {
        (void) arg;
        return belay_done(tasks[1]);
}

/*
 * A task arrives while the parties of a complete round have not all gone on. It is cancelled, ended
 * by an abort, or admitted by a reset. An abort wakes it at once, so it ends before a task that is
 * spawned after the abort.
 */
static int outside(void *arg) {
        belay_task *later;

        (void) arg;
        for (int how = 0; how < 3; how++) {
                CHECK_EQ(belay_barrier_init(&barrier, 2), 0);
                start(1);
                CHECK_EQ(belay_barrier_wait(&barrier), 1);
                /* The first party has not run again yet. */
                tasks[1] = must(belay_spawn_with(
                        meets, NULL, BELAY_OPTIONS(belay_spawn_options, .eager = true)));
                CHECK(!belay_done(tasks[1]) && belay_barrier_waiting(&barrier) == 0);
                if (how == 0)
                        belay_cancel(tasks[1], NULL);
                else if (how == 1)
                        CHECK_EQ(belay_barrier_abort(&barrier), 0);
                else
                        CHECK_EQ(belay_barrier_reset(&barrier), 0);
                later = must(belay_spawn(comes_after, NULL));
                CHECK_EQ(belay_join(tasks[0], NULL), 0);
                CHECK_EQ(ended_with(tasks[0]), how == 0 ? 0 : -ENOTCONN);
                CHECK_EQ(belay_join(later, NULL), 0);
                CHECK_EQ(ended_with(later), how != 2);
                if (how == 2) {
                        tasks[0] = must(belay_spawn(meets, NULL));
                        CHECK_EQ(belay_join(tasks[0], NULL), 0);
                        CHECK_EQ(ended_with(tasks[0]), 1);
                }
                CHECK_EQ(belay_join(tasks[1], NULL), 0);
                CHECK_EQ(ended_with(tasks[1]), how == 0 ? -ECANCELED : how == 1 ? -ENOTCONN : 0);
                CHECK_EQ(belay_barrier_broken(&barrier), how == 1);
        }
        return 0;
}

/* A cancelled party does not count any more, and the barrier does not break. */
static int cancelled(void *arg) {
        (void) arg;
        CHECK_EQ(belay_barrier_init(&barrier, PARTIES), 0);
        start(3);
        belay_cancel(tasks[1], NULL);
        CHECK_EQ(belay_join(tasks[1], NULL), 0);
        CHECK_EQ(ended_with(tasks[1]), -ECANCELED);
        CHECK_EQ(belay_barrier_waiting(&barrier), 2);
        CHECK(!belay_barrier_broken(&barrier));
        tasks[1] = must(belay_spawn(meets, NULL));
        CHECK_EQ(belay_sleep(1), 0);
        CHECK(!belay_done(tasks[0]) && !belay_done(tasks[1]));
        tasks[3] = must(belay_spawn(meets, NULL));
        for (int i = 0; i < PARTIES; i++) {
                CHECK_EQ(belay_join(tasks[i], NULL), 0);
                CHECK(ended_with(tasks[i]) >= 0);
        }
        CHECK_EQ(belay_barrier_waiting(&barrier), 0);
        return 0;
}

/*
 * A party is cancelled when all have already met. The others still meet, and the next round must be
 * complete.
 */
static int cancelled_then(void *arg) {
        int own;

        (void) arg;
        CHECK_EQ(belay_barrier_init(&barrier, PARTIES), 0);
        start(3);
        own = belay_barrier_wait(&barrier);
        CHECK(own >= 0);
        belay_cancel(tasks[0], NULL);
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_join(tasks[i], NULL), 0);
                CHECK_EQ(ended_with(tasks[i]) < 0, i == 0);
        }
        start(PARTIES);
        check_met(PARTIES, -1);
        return 0;
}

static void in_callback(void *arg) {
        (void) arg;
        CHECK_EQ(belay_barrier_wait(&barrier), -EPERM);
        CHECK_EQ(belay_barrier_abort(&barrier), -EPERM);
        CHECK_EQ(belay_barrier_reset(&barrier), -EPERM);
}

static int misuse(void *arg) {
        (void) arg;
        keep_lines();
        CHECK_EQ(belay_barrier_init(&barrier, PARTIES), 0);
        CHECK(belay_soon(in_callback, NULL) != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_LINES(3, "outside of a task");
        CHECK(!belay_barrier_broken(&barrier));
        belay_set_log(NULL, NULL);
        return 0;
}

/* Without signals, which could end any wait, the loop can find a deadlock. */
static void run_really(belay_fn *fn) {
        CHECK_EQ(belay_run_with(fn, NULL, BELAY_OPTIONS(belay_loop_options, .no_signals = true)),
                 0);
}

int main(void) {
        RUN_VIRTUAL(last_goes_on);
        RUN_VIRTUAL(of_one);
        RUN_VIRTUAL(many_rounds);
        RUN_VIRTUAL(broken);
        RUN_VIRTUAL(reset);
        RUN_VIRTUAL(reset_with_one);
        RUN_VIRTUAL(cancelled);
        RUN_VIRTUAL(cancelled_then);
        RUN_VIRTUAL(numbers);
        RUN_VIRTUAL(by_chance);
        RUN_VIRTUAL(in_virtual_time);
        RUN_VIRTUAL(emptied_by_cancelling);
        RUN_VIRTUAL(deadlocked);
        RUN_VIRTUAL(outside);
        RUN_VIRTUAL(misuse);
        /* The same in real time, where a cancelled party stops counting at once. */
        run_really(numbers);
        run_really(by_chance);
        run_really(in_real_time);
        run_really(emptied_by_cancelling);
        run_really(deadlocked);
        run_really(outside);
        return 0;
}
