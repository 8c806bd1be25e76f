/* SPDX-License-Identifier: MIT */
/*
 * Loops with rings in several threads, repeatedly. A new ring may be mapped where another thread's
 * ring was. A checker that does not see liburing map and unmap the rings must not report that as a
 * race.
 */
#include <pthread.h>

#include "ring.h"

#ifdef BLY_HAVE_URING

enum { THREADS = 4, LOOPS = 40, ROUNDS = 20 };

static int fds[THREADS][2];

struct echo {
        int from, to;
};

static int echoes(void *arg) {
        const struct echo *echo = arg;
        char byte;

        for (int i = 0; i < ROUNDS; i++) {
                CHECK_EQ(receive(echo->from, &byte, 1), 1);
                say(echo->to, "x");
        }
        return 0;
}

static int app(void *arg) {
        const int *pair = arg;
        struct echo echo = { .from = pair[1], .to = pair[1] };
        belay_task *task = must(belay_spawn(echoes, &echo));
        char byte;

        for (int i = 0; i < ROUNDS; i++) {
                say(pair[0], "x");
                CHECK_EQ(belay_wait_fd(pair[0], BELAY_READABLE), BELAY_READABLE);
                CHECK_EQ(receive(pair[0], &byte, 1), 1);
        }
        CHECK_EQ(end_of(task), 0);
        return 0;
}

static void *runs_loops(void *arg) {
        for (int i = 0; i < LOOPS; i++)
                CHECK_EQ(belay_run_with(app, arg, RING), 0);
        return NULL;
}

static int nothing(void *arg) {
        (void) arg;
        return 0;
}

int main(void) {
        pthread_t threads[THREADS];

        run_with_ring(nothing);
        for (int i = 0; i < THREADS; i++) {
                make_pair(fds[i]);
                CHECK_EQ(pthread_create(&threads[i], NULL, runs_loops, fds[i]), 0);
        }
        for (int i = 0; i < THREADS; i++) {
                CHECK_EQ(pthread_join(threads[i], NULL), 0);
                close_pair(fds[i]);
        }
        return 0;
}

#endif
