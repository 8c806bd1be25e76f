/* SPDX-License-Identifier: MIT */
/*
 * The barrier: all meet or none, each with a number of its own; broken, emptied, and left by who is cancelled.
 */
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

/* Each number once. */
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
                /* The last to come is not kept: no cancellation point. */
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
                /* Nobody is a whole round ahead. */
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
        /* For good, until it is reset. */
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
        /* Those who come while it is being emptied wait for the next meeting. */
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

/* Who is cancelled counts no longer, and breaks nothing. */
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

/* Cancelled when all have met already: the others meet all the same, and the next round is whole. */
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

int main(void) {
        RUN_VIRTUAL(last_goes_on);
        RUN_VIRTUAL(of_one);
        RUN_VIRTUAL(many_rounds);
        RUN_VIRTUAL(broken);
        RUN_VIRTUAL(reset);
        RUN_VIRTUAL(cancelled);
        RUN_VIRTUAL(cancelled_then);
        RUN_VIRTUAL(misuse);
        return 0;
}
