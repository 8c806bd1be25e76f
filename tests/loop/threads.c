/* SPDX-License-Identifier: MIT */
/*
 * Several loops run in several threads at once, independently of each other.
 */
#include <pthread.h>

#include "../base/help.h"

enum { THREADS = 6, TASKS = 50 };

struct thread {
        pthread_t thread;
        belay_loop *loop;
        unsigned turns, cancelled, calls;
        bool virtual;
};

static belay_local number = BELAY_LOCAL_INIT(NULL);

static int turns(void *arg) {
        struct thread *thread = arg;
        int rc;

        CHECK(belay_loop_self() == thread->loop);
        CHECK(belay_local_get(&number) == thread);
        for (int i = 0; i < 50; i++) {
                thread->turns++;
                errno = i;
                rc = i % 5 == 0 ? belay_sleep(50 * BELAY_MICROSECOND) : belay_yield();
                if (rc < 0)
                        return rc;
                CHECK_EQ(errno, i);
        }
        rc = belay_sleep(BELAY_HOUR);
        if (rc == -ECANCELED)
                thread->cancelled++;
        return rc;
}

static void call(void *arg) {
        struct thread *thread = arg;

        thread->calls++;
        CHECK(belay_loop_self() == thread->loop);
}

static int app(void *arg) {
        struct thread *thread = arg;
        belay_task *tasks[TASKS];

        thread->loop = belay_loop_self();
        CHECK_EQ(belay_local_set(&number, thread), 0);
        for (int i = 0; i < TASKS; i++)
                tasks[i] = must(belay_spawn(turns, thread));
        CHECK(belay_later(BELAY_MILLISECOND, call, thread) != 0);
        CHECK_EQ(belay_sleep(20 * BELAY_MILLISECOND), 0);
        while (thread->turns < TASKS * 50)
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        for (int i = 0; i < TASKS; i++) {
                int outcome;

                CHECK_EQ(belay_cancel_wait(tasks[i], "enough", BELAY_NEVER, &outcome), 0);
                CHECK_EQ(outcome, -ECANCELED);
                belay_release(tasks[i]);
        }
        return 17;
}

static void *run(void *arg) {
        struct thread *thread = arg;

        CHECK(belay_loop_self() == NULL && belay_self() == NULL);
        for (int i = 0; i < 3; i++) {
                thread->turns = thread->cancelled = thread->calls = 0;
                CHECK_EQ(belay_run_with(app, thread, thread->virtual ? VIRTUAL : NULL), 17);
                CHECK_EQ(thread->turns, TASKS * 50);
                CHECK_EQ(thread->cancelled, TASKS);
                CHECK_EQ(thread->calls, 1);
                CHECK(belay_loop_self() == NULL);
        }
        return NULL;
}

int main(void) {
        struct thread threads[THREADS] = { 0 };

        for (int i = 0; i < THREADS; i++) {
                threads[i].virtual = i % 2;
                CHECK_EQ(pthread_create(&threads[i].thread, NULL, run, &threads[i]), 0);
        }
        for (int i = 0; i < THREADS; i++)
                CHECK_EQ(pthread_join(threads[i].thread, NULL), 0);
        return 0;
}
