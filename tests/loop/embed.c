/* SPDX-License-Identifier: MIT */
/*
 * A loop within a host loop: timers, descriptors, tasks that are always ready, and the end of main.
 */
#define _GNU_SOURCE
#include "embed.h"

#include <fcntl.h>
#include <sys/socket.h>

/* ---- timers ---- */

static int counts_to_five(void *arg) {
        unsigned *count = arg;

        for (; *count < 5; ++*count)
                CHECK_EQ(belay_sleep(2 * BELAY_MILLISECOND), 0);
        return 42;
}

static void deadlines(belay_backend backend) {
        unsigned count = 0;
        struct host host;
        int outcome = -1;

        keep_lines();
        host_start(&host, backend, counts_to_five, &count);
        CHECK(belay_loop_self() == host.loop);
        CHECK_EQ(belay_loop_outcome(host.loop, &outcome), -EINPROGRESS);
        CHECK_EQ(outcome, -1);
        host_until_main_ends(&host);
        CHECK_EQ(count, 5);
        CHECK(host.dispatches >= 6 && host.dispatches < 30);
        CHECK_EQ(belay_loop_outcome(host.loop, &outcome), 0);
        CHECK_EQ(outcome, 42);
        CHECK_EQ(belay_loop_dispatch(host.loop), 0);
        CHECK_EQ(belay_loop_outcome(host.loop, NULL), 0);
        host_close(&host);
        CHECK(backend == BELAY_BACKEND_IO_URING || kept_count == 0);
        belay_set_log(NULL, NULL);
}

/* ---- nothing to do ---- */

static int enters_limits(void *arg) {
        belay_timeout limit;

        (void) arg;
        for (int i = 0; i < 100; i++) {
                CHECK_EQ(belay_timeout_enter(&limit, BELAY_HOUR - i), 0);
                CHECK_EQ(belay_yield(), 0);
                CHECK_EQ(belay_timeout_leave(&limit, 0), 0);
        }
        return belay_sleep(BELAY_NEVER);
}

/* The host sleeps until something happens: no task is ready, and no timer is due soon. */
static void sleeps(belay_backend backend) {
        struct host host;

        host_start(&host, backend, enters_limits, NULL);
        belay_release(must(belay_spawn(sleeps_for_ever, NULL)));
        CHECK(host_readable(&host, 0));
        host_rests(&host);
        /* A dispatch for which there is no reason does no harm. */
        host_dispatch(&host);
        CHECK_EQ(host.rc, 1);
        CHECK(!host_readable(&host, 0));
        host_close(&host);
}

/* A timeout that is left before it expires causes at most one unnecessary dispatch. */
static int takes_limit_back(void *arg) {
        belay_timeout limit;

        (void) arg;
        CHECK_EQ(belay_timeout_enter(&limit, 5 * BELAY_MILLISECOND), 0);
        CHECK_EQ(belay_timeout_leave(&limit, 0), 0);
        return belay_sleep(BELAY_NEVER);
}

static void taken_back(belay_backend backend) {
        struct host host;

        host_start(&host, backend, takes_limit_back, NULL);
        host_rests(&host);
        host_close(&host);
}

/* ---- descriptors ---- */

static int reads_three_bytes(void *arg) {
        int fd = *(int *) arg;
        char byte;

        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_wait_fd(fd, BELAY_READABLE), BELAY_READABLE);
                CHECK_EQ(read(fd, &byte, 1), 1);
                CHECK_EQ(byte, 'a' + i);
        }
        return 3;
}

static void descriptors(belay_backend backend) {
        struct host host;
        int ends[2], outcome;

        CHECK_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        host_start(&host, backend, reads_three_bytes, &ends[0]);
        for (int i = 0; i < 3; i++) {
                char byte = (char) ('a' + i);

                host_rests(&host);
                CHECK_EQ(write(ends[1], &byte, 1), 1);
                host_turn(&host);
        }
        while (host.rc > 0)
                host_turn(&host);
        CHECK_EQ(belay_loop_outcome(host.loop, &outcome), 0);
        CHECK_EQ(outcome, 3);
        CHECK(host.dispatches < 30);
        host_close(&host);
        close(ends[0]);
        close(ends[1]);
}

/*
 * A task waits until it can write, while there is something to read. The host sleeps meanwhile. It
 * also sleeps if events come for a descriptor that no task waits for any more.
 */
static int waits_for_room(void *arg) {
        return belay_wait_fd(*(int *) arg, BELAY_WRITABLE);
}

static int only_reads(void *arg) {
        belay_stream *stream;
        char byte;

        CHECK_EQ(belay_stream_open_fd(&stream, *(int *) arg,
                                      BELAY_OPTIONS(belay_stream_options, .keep_open = true)),
                 0);
        CHECK_EQ(belay_read(stream, &byte, 1), 1);
        CHECK_EQ(belay_close(stream, 0), 0);
        return belay_sleep(BELAY_NEVER);
}

static void other_events(belay_backend backend) {
        static char block[4096];
        struct host host;
        int ends[2], outcome;

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
        while (write(ends[0], block, sizeof(block)) > 0)
                ;
        CHECK_EQ(write(ends[1], "x", 1), 1);
        host_start(&host, backend, waits_for_room, &ends[0]);
        host_rests(&host);
        CHECK_EQ(write(ends[1], "y", 1), 1);
        host_rests(&host);
        while (read(ends[1], block, sizeof(block)) > 0)
                ;
        host_until_main_ends(&host);
        CHECK_EQ(belay_loop_outcome(host.loop, &outcome), 0);
        CHECK_EQ(outcome, BELAY_WRITABLE);
        host_close(&host);

        host_start(&host, backend, only_reads, &ends[0]);
        host_rests(&host);
        CHECK_EQ(read(ends[0], block, sizeof(block)), 1);
        CHECK_EQ(write(ends[1], "z", 1), 1);
        CHECK(!host_readable(&host, 0));
        host_close(&host);
        close(ends[0]);
        close(ends[1]);
}

/* ---- ready without end ---- */

static int yields_for_ever(void *arg) {
        int rc;

        (void) arg;
        while ((rc = belay_yield()) == 0)
                ;
        return rc;
}

static int checks_for_ever(void *arg) {
        int rc;

        (void) arg;
        while ((rc = belay_checkpoint()) == 0)
                ;
        return rc;
}

static int ends(void *arg) {
        (void) arg;
        return 0;
}

static int starts_for_ever(void *arg) {
        int rc;

        (void) arg;
        do {
                belay_release(must(belay_spawn(ends, NULL)));
                rc = belay_yield();
        } while (rc == 0);
        return rc;
}

static int awaits_for_ever(void *arg) {
        int rc;

        (void) arg;
        do {
                belay_task *task = must(belay_spawn(ends, NULL));

                rc = belay_await(task, NULL);
                belay_release(task);
        } while (rc == 0);
        return rc;
}

static void calls_for_ever(void *arg) {
        CHECK(belay_soon(calls_for_ever, arg) != 0);
}

static int calls(void *arg) {
        calls_for_ever(arg);
        return belay_sleep(BELAY_NEVER);
}

/*
 * Whatever the tasks do, a dispatch returns, and the descriptor is readable if there is more to do.
 */
static void without_end(belay_backend backend) {
        static belay_fn *const bodies[] = {
                yields_for_ever, checks_for_ever, starts_for_ever, awaits_for_ever, calls,
        };

        for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
                for (int many = 1; many <= 3; many++) {
                        struct host host;

                        host_start(&host, backend, bodies[i], NULL);
                        for (int other = 1; other < many; other++)
                                belay_release(must(
                                        belay_spawn(bodies[(i + (size_t) other - 1) % 5], NULL)));
                        for (int turn = 0; turn < 5; turn++) {
                                CHECK(host_readable(&host, 0));
                                host_dispatch(&host);
                                CHECK_EQ(host.rc, 1);
                        }
                        host_close(&host);
                }
}

/*
 * One dispatch runs ready tasks for about a millisecond, and not only one step of them. A busy
 * system may give this process so little time that a dispatch ends early.
 */
static int counts_steps(void *arg) {
        int rc;

        while ((rc = belay_yield()) == 0)
                ++*(unsigned *) arg;
        return rc;
}

static void several_steps(belay_backend backend) {
        unsigned steps = 0, before, tries = 0;
        struct host host;

        host_start(&host, backend, counts_steps, &steps);
        do {
                before = steps;
                host_dispatch(&host);
                CHECK(tries++ < 1000);
        } while (steps - before < 20);
        host_close(&host);
}

/* ---- the end of main ---- */

static int fails(void *arg) {
        (void) arg;
        return belay_fail(-EPROTO, "bad header");
}

static void failures(belay_backend backend) {
        struct host host;
        int outcome;

        host_start(&host, backend, fails, NULL);
        host_until_main_ends(&host);
        CHECK_EQ(belay_loop_outcome(host.loop, &outcome), 0);
        CHECK_EQ(outcome, -EPROTO);
        CHECK_EQ(belay_loop_dispatch(host.loop), 0);
        CHECK_STR(belay_failure_text(belay_loop_failure(host.loop)), "bad header");
        keep_lines();
        host_close(&host);
        CHECK_EQ(kept_count, 0);
        /* A failure that the program did not retrieve. */
        host_start(&host, backend, fails, NULL);
        host_until_main_ends(&host);
        host_close(&host);
        CHECK_LINES(1, "bad header");
        belay_set_log(NULL, NULL);
}

static int refuses_once(void *arg) {
        CHECK_EQ(belay_sleep(BELAY_NEVER), -ECANCELED);
        if (*(bool *) arg)
                return 7;
        return -ECANCELED;
}

static void interrupts(belay_backend backend) {
        struct host host;
        int outcome;

        for (int refuses = 0; refuses < 2; refuses++) {
                bool does = refuses;

                host_start(&host, backend, refuses_once, &does);
                host_settle(&host);
                CHECK_EQ(belay_interrupt(host.loop), 0);
                CHECK_EQ(belay_interrupt(NULL), -EALREADY);
                CHECK(host_readable(&host, 0));
                host_until_main_ends(&host);
                outcome = 0;
                CHECK_EQ(belay_loop_outcome(host.loop, &outcome), refuses ? 0 : -EINTR);
                CHECK_EQ(outcome, refuses ? 7 : -ECANCELED);
                CHECK_EQ(belay_loop_outcome(host.loop, &outcome), refuses ? 0 : -EINTR);
                CHECK_EQ(belay_interrupt(host.loop), -EALREADY);
                host_close(&host);
        }
}

static int leaves_another(void *arg) {
        belay_release(must(belay_spawn(counts_to_five, arg)));
        return 0;
}

/* Other tasks go on after the end of main. */
static void others_go_on(belay_backend backend) {
        unsigned count = 0;
        struct host host;

        host_start(&host, backend, leaves_another, &count);
        host_until_main_ends(&host);
        CHECK_EQ(belay_loop_count(host.loop), 1);
        while (belay_loop_count(host.loop) > 0)
                host_turn(&host);
        CHECK_EQ(count, 5);
        host_close(&host);
}

int main(void) {
        BOTH_BACKENDS(deadlines);
        BOTH_BACKENDS(sleeps);
        BOTH_BACKENDS(taken_back);
        BOTH_BACKENDS(descriptors);
        BOTH_BACKENDS(other_events);
        BOTH_BACKENDS(without_end);
        BOTH_BACKENDS(several_steps);
        BOTH_BACKENDS(failures);
        BOTH_BACKENDS(interrupts);
        BOTH_BACKENDS(others_go_on);
        return 0;
}
