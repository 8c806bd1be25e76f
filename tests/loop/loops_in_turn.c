/* SPDX-License-Identifier: MIT */
/*
 * Loops of several threads take over the signals from each other again and again. No loop may see a
 * signal that another has received.
 */
#include <pthread.h>

#include "../base/help.h"

enum { THREADS = 3, LOOPS = 200 };

/*
 * The first loops of all threads begin together, and with them everything that the library sets up
 * once.
 */
static pthread_barrier_t begin;

static int yields(void *arg) {
        (void) arg;
        return belay_yield();
}

static void *runs_loops(void *arg) {
        (void) pthread_barrier_wait(&begin);
        for (int i = 0; i < LOOPS; i++) {
                belay_loop *loop = belay_loop_new(NULL);
                int outcome = -1;

                CHECK(loop != NULL);
                CHECK_EQ(belay_loop_run(loop, yields, NULL, &outcome), 0);
                CHECK_EQ(outcome, 0);
                CHECK_EQ(belay_loop_signal(loop), 0);
                CHECK_EQ(belay_loop_close(loop), 0);
        }
        return arg;
}

int main(void) {
        pthread_t threads[THREADS];

        CHECK_EQ(pthread_barrier_init(&begin, NULL, THREADS), 0);
        for (int i = 0; i < THREADS; i++)
                CHECK_EQ(pthread_create(&threads[i], NULL, runs_loops, NULL), 0);
        for (int i = 0; i < THREADS; i++)
                CHECK_EQ(pthread_join(threads[i], NULL), 0);
        CHECK_EQ(pthread_barrier_destroy(&begin), 0);
        return 0;
}
