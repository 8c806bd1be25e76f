/* SPDX-License-Identifier: MIT */
/*
 * While no task is ready, the loop's thread sleeps in the kernel. It does not try again and again.
 *
 * The kernel counts how often a thread has gone to sleep. On a busy system, the event may come
 * before the thread sleeps, so the test repeats each wait until the thread has slept once. A loop
 * that never sleeps fails all 300 times.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/resource.h>

#include "descriptors.h"

enum { TIMES = 300 };

static long sleeps(void) {
        struct rusage usage;

        CHECK_EQ(getrusage(RUSAGE_THREAD, &usage), 0);
        return usage.ru_nvcsw;
}

/* ---- a thread that writes a byte soon after each that it is asked for ---- */

static int asks[2], answers[2];

static void *answer(void *arg) {
        char byte;

        while (read(asks[0], &byte, 1) == 1) {
                usleep(2000);
                put(answers[1], "x");
        }
        return arg;
}

static void ask(void) {
        put(asks[1], "?");
}

static void take_answer(void) {
        char byte;

        CHECK_EQ(read(answers[0], &byte, 1), 1);
}

/* ---- ways to wait ---- */

static void for_timer(void) {
        CHECK_EQ(belay_sleep(2 * BELAY_MILLISECOND), 0);
}

static void for_descriptor(void) {
        ask();
        CHECK_EQ(belay_wait_fd(answers[0], READABLE), READABLE);
        take_answer();
}

static void for_descriptor_or_timer(void) {
        belay_timeout limit;

        CHECK_EQ(belay_timeout_enter(&limit, BELAY_HOUR), 0);
        for_descriptor();
        CHECK_EQ(belay_timeout_leave(&limit, 0), 0);
}

static void must_sleep(void (*wait)(void)) {
        long before;
        int times = 0;

        do {
                CHECK(times++ < TIMES);
                before = sleeps();
                wait();
        } while (sleeps() == before);
}

/* First without the back end, which the first wait for a descriptor opens. */
static int on_real_clock(void *arg) {
        (void) arg;
        must_sleep(for_timer);
        must_sleep(for_descriptor);
        must_sleep(for_descriptor_or_timer);
        must_sleep(for_timer);
        return 0;
}

static int on_virtual_clock(void *arg) {
        (void) arg;
        must_sleep(for_descriptor);
        return 0;
}

static void all(void) {
        CHECK_EQ(belay_run(on_real_clock, NULL), 0);
        RUN_VIRTUAL(on_virtual_clock);
}

int main(void) {
        pthread_t thread;
        long before = sleeps();

        usleep(2000);
        if (sleeps() == before)
                SKIP("the system does not count how often a thread sleeps");
        CHECK_EQ(pipe2(asks, O_CLOEXEC), 0);
        CHECK_EQ(pipe2(answers, O_CLOEXEC), 0);
        CHECK_EQ(pthread_create(&thread, NULL, answer, NULL), 0);
        on_back_ends(all);
        close(asks[1]);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        return 0;
}
