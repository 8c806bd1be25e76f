/* SPDX-License-Identifier: MIT */
/*
 * Descriptors are closed and their numbers are given out again. The state of the old descriptor
 * must never be applied to the new one. This holds even if the old one stays open in another
 * process or under another number.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/eventfd.h>

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
        /* The descriptor can be waited for as before. */
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

/*
 * The descriptor is closed right after belay_forget_fd(), and its number is given out again before
 * the former waiters run.
 */
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

/* ---- closed while no task waits ---- */

enum before {
        WAS_READY, /* the wait for the old descriptor has ended normally */
        WAS_CANCELLED,
        WAS_FORGOTTEN,
        WAS_WATCHED_FOR_LESS, /* another wait, for a different event, was cancelled */
        BEFORES
};

/*
 * The use of a descriptor before it was closed has no effect on the next one with the same number.
 */
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
                /*
                 * The peer sees the close, so the library holds no reference that keeps the
                 * descriptor open.
                 */
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

/* Repeatedly, with each kind of descriptor, under the same number. */
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

/* ---- closed while tasks wait ---- */

/* A kind of descriptor that can be made readable. */
enum thing { A_PIPE, A_PAIR, A_COUNTER, THINGS };

static void open_thing(enum thing thing, int ends[2]) {
        if (thing == A_PIPE)
                open_pipe(ends);
        else if (thing == A_PAIR)
                open_pair(ends);
        else
                ends[0] = ends[1] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

static void make_readable(int fd) {
        CHECK_EQ(write(fd, "\1\0\0\0\0\0\0", 8), 8);
}

static void close_other_end(const int ends[2]) {
        if (ends[1] != ends[0])
                close(ends[1]);
}

/*
 * Tasks that wait for the old descriptor get -EBADF. The task that waits for the new one gets its
 * events.
 */
static void replaced(enum thing thing, bool is_copied, int events) {
        int ends[2], others[2], number, copy = -1, writes_new, writes_old;
        struct waiter old[3], new;

        open_thing(thing, ends);
        open_thing(thing, others);
        number = ends[0];
        for (int i = 0; i < 3; i++)
                start_waiter(&old[i], number, i == 1 ? PRIORITY : READABLE);
        if (is_copied)
                copy = dup(number);
        writes_old = thing == A_COUNTER ? copy : ends[1];
        close(number);
        writes_new = thing == A_COUNTER ? number : others[1];
        move_to(&others[0], number);
        start_waiter(&new, number, events);
        CHECK(!new.done);
        for (int i = 0; i < 3; i++)
                join_waiter(&old[i], -EBADF);
        if (is_copied) {
                make_readable(writes_old);
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
                CHECK(!new.done);
        }
        make_readable(writes_new);
        join_waiter(&new, READABLE);
        CHECK_EQ(belay_wait_fd(number, READABLE), READABLE);
        close(number);
        if (thing != A_COUNTER) {
                close(others[1]);
                close_other_end(ends);
        }
        if (is_copied)
                close(copy);
}

static int closed_under_waiters(void *arg) {
        (void) arg;
        for (int thing = 0; thing < THINGS; thing++)
                for (int is_copied = 0; is_copied < 2; is_copied++)
                        for (int events = READABLE; events <= (READABLE | PRIORITY);
                             events += PRIORITY)
                                replaced((enum thing) thing, is_copied, events);
        return 0;
}

/*
 * The number is no open descriptor any more. The next wait for it finds that out, and ends all
 * waits.
 */
static int replaced_by_nothing(void *arg) {
        struct waiter old[2];
        int ends[2];

        (void) arg;
        open_pair(ends);
        for (int i = 0; i < 2; i++)
                start_waiter(&old[i], ends[0], i == 0 ? READABLE : PRIORITY);
        close(ends[0]);
        CHECK_EQ(belay_wait_fd(ends[0], READABLE), -EBADF);
        for (int i = 0; i < 2; i++)
                join_waiter(&old[i], -EBADF);
        close(ends[1]);
        return 0;
}

/*
 * A task whose event is no longer true waits again. It must not continue its wait with the
 * descriptor that has the number by then.
 */
static int replaced_between_two_waits(void *arg) {
        int ends[2], others[2], number, copy;
        struct waiter old;

        (void) arg;
        open_pair(ends);
        open_pair(others);
        number = ends[0];
        start_waiter(&old, number, READABLE);
        copy = dup(number);
        close(number);
        move_to(&others[0], number);
        /*
         * The event is of the old descriptor, which is still open as `copy`, but a check of the
         * number finds the new one.
         */
        put(ends[1], "x");
        join_waiter(&old, -EBADF);
        close_both(others);
        close_both((int[]) { copy, ends[1] });
        return 0;
}

static int reads_from(void *arg) {
        char byte;

        return (int) belay_read(arg, &byte, 1);
}

static int receives_from(void *arg) {
        char byte;

        return (int) belay_receive(arg, &byte, 1, NULL);
}

static int accepts_from(void *arg) {
        belay_stream *stream;

        return belay_accept(arg, &stream);
}

/*
 * The descriptor of a stream, a datagram socket or a listener is closed. The program must not do
 * that, but other users of the number must not suffer.
 */
static int closed_under_its_owner(void *arg) {
        (void) arg;
        for (int i = 0; i < 4; i++) {
                belay_fn *fn = i < 2 ? reads_from : i == 2 ? receives_from : accepts_from;
                belay_datagrams *socket = NULL;
                belay_listener *listener = NULL;
                belay_stream *stream = NULL, *other = NULL;
                int others[2], number, outcome;
                struct waiter new;
                belay_task *task;

                if (i < 2)
                        CHECK_EQ(i == 0 ? belay_stream_pipe(&stream, &other)
                                        : belay_stream_pair(&stream, &other),
                                 0);
                else if (i == 2)
                        CHECK_EQ(belay_datagrams_open(&socket, "127.0.0.1:0", NULL), 0);
                else
                        CHECK_EQ(belay_listen(&listener, "127.0.0.1:0", NULL), 0);
                number = i < 2    ? belay_stream_fd(stream)
                         : i == 2 ? belay_datagrams_fd(socket)
                                  : belay_listener_fd(listener);
                task = must(belay_spawn(fn, i < 2    ? (void *) stream
                                            : i == 2 ? (void *) socket
                                                     : (void *) listener));
                /* The kernel has received the request for the event. */
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
                open_pair(others);
                close(number);
                move_to(&others[0], number);
                start_waiter(&new, number, READABLE);
                CHECK(!new.done);
                let_run();
                if (!belay_done(task))
                        belay_cancel(task, NULL);
                CHECK_EQ(belay_join(task, &outcome), 0);
                if (outcome != -ECANCELED)
                        CHECK_EQ(outcome, -EBADF);
                belay_release(task);
                put(others[1], "x");
                join_waiter(&new, READABLE);
                belay_abort(stream);
                belay_abort(other);
                belay_datagrams_close(socket);
                belay_listener_close(listener);
                close(others[1]);
        }
        return 0;
}

/* ---- descriptors that stay open elsewhere ---- */

/* A copy of the old descriptor stays open, either here or in a child that does nothing else. */
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
                /* The old descriptor becomes readable and writable, and then its peer closes. */
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

/* A stream's descriptor stays open in a child, and its number is given to another stream. */
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

/* Runs `fn` in a loop that another loop drives. */
static void beside(belay_fn *fn) {
        belay_loop *loop = belay_loop_new(NULL);
        int outcome;

        CHECK(loop != NULL);
        CHECK_EQ(belay_loop_start(loop, fn, NULL), 0);
        while (belay_loop_outcome(loop, &outcome) < 0) {
                struct pollfd pollfd = { .fd = belay_loop_fd(loop), .events = POLLIN };

                CHECK_EQ(poll(&pollfd, 1, -1), 1);
                CHECK(belay_loop_dispatch(loop) >= 0);
        }
        CHECK_EQ(outcome, 0);
        CHECK_EQ(belay_loop_close(loop), 0);
}

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
        RUN_VIRTUAL(closed_under_waiters);
        RUN_VIRTUAL(replaced_by_nothing);
        RUN_VIRTUAL(replaced_between_two_waits);
        RUN_VIRTUAL(closed_under_its_owner);
        beside(closed_under_waiters);
        beside(replaced_by_nothing);
        beside(replaced_between_two_waits);
        beside(closed_under_its_owner);
}

int main(void) {
        on_back_ends(all);
        return 0;
}
