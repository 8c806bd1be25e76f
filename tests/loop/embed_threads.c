/* SPDX-License-Identifier: MIT */
/*
 * Several threads, each with a host loop and a loop of its own, to which other threads post.
 */
#include "embed.h"

#include <pthread.h>

#include "core/loop.h"

enum { THREADS = 4, ROUNDS = 50 };

struct thread;

struct word {
        struct bly_posted posted;
        struct thread *thread;
};

struct thread {
        pthread_t thread;
        belay_backend backend;
        _Atomic(belay_loop *) loop;
        belay_event event;
        struct word words[ROUNDS];
        unsigned told;
};

/* No thread posts any more, so the loops may be closed. */
static atomic_bool all_left;

static void received(struct bly_posted *posted) {
        struct thread *thread = container_of(posted, struct word, posted)->thread;

        thread->told++;
        belay_event_set(&thread->event);
}

static int waits(void *arg) {
        struct thread *thread = arg;

        while (thread->told < ROUNDS) {
                CHECK(belay_loop_self() == atomic_load(&thread->loop));
                CHECK_EQ(belay_event_wait(&thread->event), 0);
                belay_event_clear(&thread->event);
        }
        return 0;
}

static int sleeps_in_turn(void *arg) {
        (void) arg;
        for (int i = 0; i < 20; i++)
                CHECK_EQ(belay_sleep(100 * BELAY_MICROSECOND), 0);
        return 0;
}

static void *lives_beside(void *arg) {
        struct thread *thread = arg;
        struct host host;

        host_start(&host, thread->backend, waits, thread);
        belay_release(must(belay_spawn(sleeps_in_turn, NULL)));
        atomic_store(&thread->loop, host.loop);
        host_until_main_ends(&host);
        while (belay_loop_count(host.loop) > 0)
                host_turn(&host);
        CHECK(host.dispatches < 20 * ROUNDS);
        while (!atomic_load(&all_left))
                usleep(100);
        host_close(&host);
        return NULL;
}

static void words(belay_backend backend) {
        static struct thread threads[THREADS];

        memset(threads, 0, sizeof(threads));
        atomic_store(&all_left, false);
        for (int i = 0; i < THREADS; i++) {
                threads[i].backend = backend;
                CHECK_EQ(pthread_create(&threads[i].thread, NULL, lives_beside, &threads[i]), 0);
        }
        for (int i = 0; i < THREADS; i++)
                while (atomic_load(&threads[i].loop) == NULL)
                        usleep(100);
        for (int round = 0; round < ROUNDS; round++)
                for (int i = 0; i < THREADS; i++) {
                        struct word *word = &threads[i].words[round];

                        word->posted.received = received;
                        word->thread = &threads[i];
                        bly_post(atomic_load(&threads[i].loop)->inbox, &word->posted);
                        if (round % 7 == 0)
                                usleep(200);
                }
        atomic_store(&all_left, true);
        for (int i = 0; i < THREADS; i++)
                CHECK_EQ(pthread_join(threads[i].thread, NULL), 0);
}

int main(void) {
        BOTH_BACKENDS(words);
        return 0;
}
