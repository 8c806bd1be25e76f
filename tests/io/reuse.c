/* SPDX-License-Identifier: MIT */
/*
 * Descriptors that are closed, and whose numbers are given out again: what was known of the old one is never taken
 * for the new one's, not even where the old one lives on in another process or under another number.
 */
#define _GNU_SOURCE
#include "descriptors.h"

/* ---- forgotten ---- */

static int forgets(void *arg) {
        struct waiter waiters[3], other;
        int ends[2], number;

        (void) arg;
        open_pair(ends);
        CHECK_EQ(belay_forget_fd(ends[0]), 0);
        CHECK_EQ(belay_forget_fd(-1), 0);
        CHECK_EQ(belay_forget_fd(INT32_MAX), 0);
        for (int i = 0; i < 3; i++)
                start_waiter(&waiters[i], ends[0], i == 2 ? PRIORITY : READABLE);
        start_waiter(&other, ends[1], READABLE);
        CHECK_EQ(belay_forget_fd(ends[0]), 3);
        CHECK_EQ(belay_forget_fd(ends[0]), 0);
        for (int i = 0; i < 3; i++)
                join_waiter(&waiters[i], -EBADF);
        CHECK(!other.done);
        /* It is as good as before. */
        start_waiter(&waiters[0], ends[0], READABLE);
        CHECK(!waiters[0].done);
        put(ends[1], "x");
        join_waiter(&waiters[0], READABLE);

        start_waiter(&waiters[0], ends[0], PRIORITY);
        CHECK_EQ(belay_forget_fd(ends[0]), 1);
        number = ends[0];
        close(number);
        join_waiter(&waiters[0], -EBADF);
        CHECK_EQ(belay_wait_fd(number, READABLE), -EBADF);
        join_waiter(&other, READABLE);
        close(ends[1]);
        return 0;
}

/* Closed at once after it was forgotten, and its number given out again, before those who waited have run. */
static int forgotten_and_reused(void *arg) {
        struct waiter old, new;
        int ends[2], others[2], number;

        (void) arg;
        open_pair(ends);
        open_pipe(others);
        number = ends[0];
        start_waiter(&old, number, READABLE);
        CHECK_EQ(belay_forget_fd(number), 1);
        close(number);
        move_to(&others[0], number);
        start_waiter(&new, number, READABLE);
        join_waiter(&old, -EBADF);
        CHECK(!new.done);
        put(others[1], "x");
        join_waiter(&new, READABLE);
        close_both(others);
        close(ends[1]);
        return 0;
}

/* ---- closed while nobody waits ---- */

enum before {
        WAS_READY,                      /* the wait for the old one has ended by itself */
        WAS_CANCELLED,
        WAS_FORGOTTEN,
        WAS_WATCHED_FOR_LESS,           /* and one more was cancelled that waited for something else */
        BEFORES
};

/* What was done with a descriptor before it was closed does not show in the next one of its number. */
static int next_of_its_number(void *arg) {
        (void) arg;
        for (int before = 0; before < BEFORES; before++) {
                struct waiter old, more, new;
                int ends[2], others[2], number;

                open_pair(ends);
                open_pair(others);
                number = ends[0];
                start_waiter(&old, number, READABLE);
                if (before == WAS_READY) {
                        put(ends[1], "x");
                        join_waiter(&old, READABLE);
                } else if (before == WAS_FORGOTTEN) {
                        CHECK_EQ(belay_forget_fd(number), 1);
                        join_waiter(&old, -EBADF);
                } else {
                        if (before == WAS_WATCHED_FOR_LESS) {
                                start_waiter(&more, number, PRIORITY);
                                CHECK(belay_cancel(more.task, NULL));
                                join_waiter(&more, -ECANCELED);
                        }
                        CHECK(belay_cancel(old.task, NULL));
                        join_waiter(&old, -ECANCELED);
                }
                close(number);
                /* The other side sees that: nothing keeps it open in secret. */
                CHECK_EQ(belay_wait_fd(ends[1], PRIORITY), PRIORITY);
                CHECK_EQ(belay_wait_fd(number, READABLE), -EBADF);
                move_to(&others[0], number);
                CHECK_EQ(is_ready(number, READABLE), 0);
                start_waiter(&new, number, READABLE);
                CHECK(!new.done);
                put(others[1], "x");
                join_waiter(&new, READABLE);
                close_both(others);
                close(ends[1]);
        }
        return 0;
}

/* Again and again, of all kinds, under the same number. */
static int again_and_again(void *arg) {
        int number = -1;

        (void) arg;
        for (int i = 0; i < 50; i++) {
                struct waiter waiter;
                int ends[2];

                if (i % 2 == 0)
                        open_pipe(ends);
                else
                        open_pair(ends);
                CHECK(number < 0 || ends[0] == number);
                number = ends[0];
                start_waiter(&waiter, number, READABLE | (i % 3 == 0 ? PRIORITY : 0));
                CHECK(!waiter.done);
                if (i % 5 == 0) {
                        CHECK(belay_cancel(waiter.task, NULL));
                        join_waiter(&waiter, -ECANCELED);
                } else {
                        put(ends[1], "x");
                        join_waiter(&waiter, READABLE);
                }
                close_both(ends);
        }
        return 0;
}

/* ---- what lives on elsewhere ---- */

/* A copy of the old one stays open: here, or in a child that does nothing but keep it. */
static pid_t start_keeper(int lifeline[2]) {
        pid_t pid;

        open_pipe(lifeline);
        pid = fork();
        CHECK(pid >= 0);
        if (pid == 0) {
                char byte;

                close(lifeline[1]);
                fcntl(lifeline[0], F_SETFL, 0);
                _exit(read(lifeline[0], &byte, 1) == 0 ? 0 : 1);
        }
        close(lifeline[0]);
        return pid;
}

static void end_keeper(pid_t pid, const int lifeline[2]) {
        int status;

        close(lifeline[1]);
        CHECK_EQ(waitpid(pid, &status, 0), pid);
        CHECK_EQ(status, 0);
}

static int lives_on(void *arg) {
        bool in_child = *(bool *) arg;

        for (int before = 0; before < BEFORES - 1; before++) {
                int ends[2], others[2], lifeline[2], number, copy = -1;
                struct waiter old, new;
                pid_t keeper = 0;

                open_pair(ends);
                open_pair(others);
                number = ends[0];
                start_waiter(&old, number, READABLE);
                if (in_child)
                        keeper = start_keeper(lifeline);
                else
                        copy = dup(number);
                if (before == WAS_READY) {
                        put(ends[1], "x");
                        join_waiter(&old, READABLE);
                        drain(number);
                } else if (before == WAS_CANCELLED) {
                        CHECK(belay_cancel(old.task, NULL));
                        join_waiter(&old, -ECANCELED);
                } else {
                        CHECK_EQ(belay_forget_fd(number), 1);
                        join_waiter(&old, -EBADF);
                }
                close(number);
                move_to(&others[0], number);
                start_waiter(&new, number, READABLE | PRIORITY);
                /* The old one is readable, writable, and then it hangs up, too. */
                put(ends[1], "x");
                let_run();
                close(ends[1]);
                let_run();
                CHECK_EQ(is_ready(number, PRIORITY), 0);
                CHECK(!new.done);
                put(others[1], "x");
                join_waiter(&new, READABLE);
                close_both(others);
                if (in_child)
                        end_keeper(keeper, lifeline);
                else
                        close(copy);
        }
        return 0;
}

/* A stream's descriptor lives on in a child, and its number is a stream's again. */
static int stream_lives_on(void *arg) {
        int ends[2], lifeline[2], others[2], number;
        belay_stream *stream;
        pid_t keeper;
        char byte;

        (void) arg;
        open_pair(ends);
        open_pair(others);
        number = ends[0];
        CHECK_EQ(belay_stream_open_fd(&stream, number, NULL), 0);
        put(ends[1], "x");
        CHECK_EQ(belay_read(stream, &byte, 1), 1);
        CHECK_EQ(is_ready(number, READABLE), 0);
        keeper = start_keeper(lifeline);
        CHECK_EQ(belay_close(stream, 0), 0);

        move_to(&others[0], number);
        CHECK_EQ(belay_stream_open_fd(&stream, number, NULL), 0);
        put(ends[1], "y");
        CHECK_EQ(is_ready(number, READABLE), 0);
        close(ends[1]);
        CHECK_EQ(is_ready(number, READABLE | PRIORITY), 0);
        put(others[1], "z");
        CHECK_EQ(belay_read(stream, &byte, 1), 1);
        CHECK_EQ(byte, 'z');
        CHECK_EQ(belay_close(stream, 0), 0);
        close(others[1]);
        end_keeper(keeper, lifeline);
        return 0;
}

/* ---- */

static void all(void) {
        bool in_child = false;

        RUN_VIRTUAL(forgets);
        RUN_VIRTUAL(forgotten_and_reused);
        RUN_VIRTUAL(next_of_its_number);
        RUN_VIRTUAL(again_and_again);
        CHECK_EQ(belay_run_with(lives_on, &in_child, VIRTUAL), 0);
        in_child = true;
        CHECK_EQ(belay_run_with(lives_on, &in_child, VIRTUAL), 0);
        RUN_VIRTUAL(stream_lives_on);
}

int main(void) {
        on_back_ends(all);
        return 0;
}
