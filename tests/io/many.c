/* SPDX-License-Identifier: MIT */
/*
 * Several tasks wait for one descriptor and for different events. Each task is woken by the events
 * that it waits for, independently of the other tasks.
 */
#define _GNU_SOURCE
#include "descriptors.h"

#define EACH 40

static int apart(void *arg) {
        struct waiter reads[3], writes[2], both, urgent;
        int ends[2];

        (void) arg;
        open_pair(ends);
        stuff(ends[0]);
        for (int i = 0; i < 3; i++)
                start_waiter(&reads[i], ends[0], READABLE);
        for (int i = 0; i < 2; i++)
                start_waiter(&writes[i], ends[0], WRITABLE);
        start_waiter(&both, ends[0], READABLE | WRITABLE);
        start_waiter(&urgent, ends[0], PRIORITY);
        CHECK(!reads[0].done && !writes[0].done && !both.done && !urgent.done);

        put(ends[1], "x");
        for (int i = 0; i < 3; i++)
                join_waiter(&reads[i], READABLE);
        join_waiter(&both, READABLE);
        let_run();
        CHECK(!writes[0].done && !writes[1].done && !urgent.done);

        drain(ends[1]);
        for (int i = 0; i < 2; i++)
                join_waiter(&writes[i], WRITABLE);
        let_run();
        CHECK(!urgent.done);

        close(ends[1]);
        join_waiter(&urgent, PRIORITY);
        close(ends[0]);
        return 0;
}

/* A later waiter for another event does not replace the earlier waiters. */
static int later(void *arg) {
        struct waiter first, second;
        int ends[2];

        (void) arg;
        open_pair(ends);
        start_waiter(&first, ends[0], READABLE);
        CHECK_EQ(belay_wait_fd(ends[0], WRITABLE), WRITABLE);
        CHECK(!first.done);
        start_waiter(&second, ends[0], READABLE | WRITABLE);
        join_waiter(&second, WRITABLE);
        CHECK(!first.done);
        put(ends[1], "x");
        join_waiter(&first, READABLE);
        close_both(ends);
        return 0;
}

/*
 * The cancellation of one waiter does not affect the others, whether it is the first, the last or
 * one in between.
 */
static int one_goes(void *arg) {
        (void) arg;
        for (int gone = 0; gone < 3; gone++) {
                struct waiter waiters[3];
                int ends[2];

                open_pair(ends);
                for (int i = 0; i < 3; i++)
                        start_waiter(&waiters[i], ends[0], i == 1 ? READABLE | PRIORITY : READABLE);
                CHECK(belay_cancel(waiters[gone].task, NULL));
                join_waiter(&waiters[gone], -ECANCELED);
                CHECK_EQ(is_ready(ends[0], PRIORITY), 0);
                put(ends[1], "x");
                for (int i = 0; i < 3; i++)
                        if (i != gone)
                                join_waiter(&waiters[i], READABLE);
                close_both(ends);
        }
        return 0;
}

/* Each byte wakes all waiters, and all but one of them wait again. */
static int taken[EACH];

static int takes_one(void *arg) {
        int fd = *(int *) arg, rc;
        unsigned char byte;
        ssize_t size;

        for (;;) {
                rc = belay_wait_fd(fd, READABLE);
                CHECK_EQ(rc, READABLE);
                size = read(fd, &byte, 1);
                if (size == 1)
                        break;
                CHECK(size < 0 && errno == EAGAIN);
        }
        taken[byte]++;
        return 0;
}

static int in_turn(void *arg) {
        belay_group group;
        int ends[2];

        (void) arg;
        open_pair(ends);
        memset(taken, 0, sizeof(taken));
        CHECK_EQ(belay_group_enter(&group), 0);
        for (int i = 0; i < EACH; i++)
                CHECK_EQ(belay_group_spawn(&group, takes_one, &ends[0]), 0);
        let_run();
        for (unsigned char i = 0; i < EACH; i++) {
                CHECK_EQ(write(ends[1], &i, 1), 1);
                if (i % 3 == 0)
                        CHECK_EQ(belay_yield(), 0);
        }
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        for (int i = 0; i < EACH; i++)
                CHECK_EQ(taken[i], 1);
        close_both(ends);
        return 0;
}

/* More descriptors than the back end reports in one call. */
enum { PIPES = 600 };

static int many_descriptors(void *arg) {
        static struct waiter waiters[PIPES];
        static int ends[PIPES][2];
        struct rlimit limit;

        (void) arg;
        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
        if (limit.rlim_cur < 2 * PIPES + 50) {
                limit.rlim_cur = 2 * PIPES + 50;
                if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
                        return 0;
        }
        for (int i = 0; i < PIPES; i++) {
                open_pipe(ends[i]);
                waiters[i] = (struct waiter) { .fd = ends[i][0], .events = READABLE };
                waiters[i].task = must(belay_spawn(wait_once, &waiters[i]));
        }
        let_run();
        /* The even ones first, then the odd ones. */
        for (int odd = 0; odd < 2; odd++) {
                for (int i = odd; i < PIPES; i += 2)
                        put(ends[i][1], "x");
                for (int i = odd; i < PIPES; i += 2)
                        join_waiter(&waiters[i], READABLE);
                CHECK(odd == 1 || !waiters[1].done);
        }
        for (int i = 0; i < PIPES; i++)
                close_both(ends[i]);
        return 0;
}

static void all(void) {
        RUN_VIRTUAL(apart);
        RUN_VIRTUAL(later);
        RUN_VIRTUAL(one_goes);
        RUN_VIRTUAL(in_turn);
        RUN_VIRTUAL(many_descriptors);
}

int main(void) {
        on_back_ends(all);
        return 0;
}
