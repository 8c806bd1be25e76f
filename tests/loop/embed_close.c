/* SPDX-License-Identifier: MIT */
/*
 * A loop within a host loop: how it is closed, which calls are misuse, and what remains of it.
 */
#include "embed.h"

#include <pthread.h>

/* ---- closing ---- */

static int cleans_up(void *arg) {
        belay_origin origin = BELAY_ORIGIN_INIT;

        CHECK_EQ(belay_sleep(BELAY_NEVER), -ECANCELED);
        CHECK(belay_origin_of(belay_self(), &origin));
        CHECK_EQ(origin.kind, BELAY_ORIGIN_SHUTDOWN);
        CHECK_EQ(belay_sleep(2 * BELAY_MILLISECOND), 0);
        ++*(unsigned *) arg;
        return -ECANCELED;
}

/* Main and the other tasks are cancelled, and their ends are waited for. */
static void tasks_left(belay_backend backend) {
        for (int dispatched = 0; dispatched < 2; dispatched++) {
                unsigned clean = 0;
                struct host host;

                host_start(&host, backend, cleans_up, &clean);
                belay_release(must(belay_spawn(cleans_up, &clean)));
                if (dispatched)
                        host_settle(&host);
                host_close(&host);
                /* Tasks that never ran have nothing to clean up. */
                CHECK_EQ(clean, dispatched ? 2 : 0);
        }
}

static int does_not_end(void *arg) {
        int rc;

        do
                rc = belay_sleep(BELAY_NEVER);
        while (arg == NULL);
        return rc;
}

static void limit(belay_backend backend) {
        belay_loop *loop = belay_loop_new(BELAY_OPTIONS(belay_loop_options, .backend = backend,
                                                        .shutdown_limit = 2 * BELAY_MILLISECOND));

        CHECK(loop != NULL);
        CHECK_EQ(belay_loop_start(loop, does_not_end, NULL), 0);
        CHECK_EQ(belay_loop_dispatch(loop), 1);
        keep_lines();
        CHECK_EQ(belay_loop_close(loop), -ETIMEDOUT);
        CHECK_LINES(1, "main");
        belay_set_log(NULL, NULL);
}

/* While the loop is closed, the host cannot cause any event. Then a deadlock is reported. */
static int waits_for_nobody(void *arg) {
        belay_event event = BELAY_EVENT_INIT;

        (void) arg;
        CHECK_EQ(belay_event_wait(&event), -ECANCELED);
        CHECK_EQ(belay_event_wait(&event), -EDEADLK);
        return 0;
}

static void deadlocks(belay_backend backend) {
        struct host host;

        host_start(&host, backend, waits_for_nobody, NULL);
        keep_lines();
        host_settle(&host);
        CHECK_EQ(kept_count, 0);
        host_close(&host);
        CHECK_LINES(1, "deadlock");
        belay_set_log(NULL, NULL);
}

/* ---- what remains: no descriptors, and a thread as it was before ---- */

static int returns_five(void *arg) {
        (void) arg;
        return 5;
}

static int lowest_free(void) {
        int fd = dup(0);

        CHECK(fd >= 0);
        close(fd);
        return fd;
}

static void nothing_left(belay_backend backend) {
        int lowest = lowest_free();

        for (int i = 0; i < 20; i++) {
                struct host host;

                host_start(&host, backend, returns_five, NULL);
                host_until_main_ends(&host);
                host_close(&host);
                CHECK_EQ(lowest_free(), lowest);
                CHECK_EQ(belay_run(returns_five, NULL), 5);
        }
}

/* If no descriptor is available, the start fails, and a later start succeeds. */
static void no_descriptors(belay_backend backend) {
        belay_loop *loop = belay_loop_new(BELAY_OPTIONS(belay_loop_options, .backend = backend));
        struct rlimit limit, less;
        int rc, tries = 0, lowest = lowest_free();

        CHECK(loop != NULL);
        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
        less = limit;
        less.rlim_cur = (rlim_t) lowest;
        do {
                CHECK_EQ(setrlimit(RLIMIT_NOFILE, &less), 0);
                rc = belay_loop_start(loop, returns_five, NULL);
                CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
                if (rc < 0) {
                        CHECK_EQ(rc, -EMFILE);
                        CHECK_EQ(belay_loop_fd(loop), -EINVAL);
                        CHECK(belay_loop_self() == NULL);
                        /* The start closes no descriptor of the program. */
                        CHECK(lowest_free() >= lowest);
                        CHECK_EQ(belay_run(returns_five, NULL), 5);
                }
                less.rlim_cur++;
                tries++;
        } while (rc < 0);
        CHECK(tries > 2 && tries < 10);
        CHECK_EQ(belay_loop_dispatch(loop), 0);
        CHECK_EQ(belay_loop_close(loop), 0);
}

/* ---- misuse ---- */

static int within(void *arg) {
        belay_loop *loop = belay_loop_self();

        CHECK_EQ(belay_loop_dispatch(loop), -EBUSY);
        CHECK_EQ(belay_loop_close(loop), -EBUSY);
        CHECK_EQ(belay_loop_start(loop, within, arg), -EBUSY);
        CHECK_EQ(belay_loop_run(loop, within, arg, NULL), -EBUSY);
        CHECK_EQ(belay_run(returns_five, NULL), -EBUSY);
        ++*(unsigned *) arg;
        return 0;
}

static void within_callback(void *arg) {
        within(arg);
}

static void *elsewhere(void *arg) {
        struct host *host = arg;

        CHECK_EQ(belay_loop_dispatch(host->loop), -EPERM);
        CHECK_EQ(belay_loop_close(host->loop), -EBUSY);
        CHECK_EQ(belay_loop_start(host->loop, returns_five, NULL), -EBUSY);
        CHECK_EQ(belay_loop_run(host->loop, returns_five, NULL, NULL), -EBUSY);
        CHECK_EQ(belay_run(returns_five, NULL), 5);
        return NULL;
}

static void misuse(belay_backend backend) {
        belay_loop *other = belay_loop_new(BELAY_OPTIONS(belay_loop_options, .backend = backend));
        belay_loop *virtual = belay_loop_new(VIRTUAL);
        unsigned count = 0;
        struct host host;
        pthread_t thread;

        CHECK(other != NULL && virtual != NULL);
        CHECK_EQ(belay_loop_fd(other), -EINVAL);
        CHECK_EQ(belay_loop_dispatch(other), -EINVAL);
        CHECK_EQ(belay_loop_outcome(other, NULL), -EINVAL);
        CHECK_EQ(belay_loop_start(virtual, returns_five, NULL), -EINVAL);
        CHECK_EQ(belay_loop_close(virtual), 0);

        host_start(&host, backend, within, &count);
        CHECK_EQ(belay_loop_start(host.loop, returns_five, NULL), -EBUSY);
        CHECK_EQ(belay_loop_start(other, returns_five, NULL), -EBUSY);
        CHECK_EQ(belay_loop_run(host.loop, returns_five, NULL, NULL), -EBUSY);
        CHECK_EQ(belay_loop_run(other, returns_five, NULL, NULL), -EBUSY);
        CHECK_EQ(belay_run(returns_five, NULL), -EBUSY);
        CHECK_EQ(belay_loop_close(other), -EBUSY);
        CHECK(belay_soon(within_callback, &count) != 0);
        host_until_main_ends(&host);
        host_settle(&host);
        CHECK_EQ(count, 2);
        /* In an eager first step, which runs outside of a dispatch. */
        belay_release(must(belay_spawn_with(within, &count,
                                            BELAY_OPTIONS(belay_spawn_options, .eager = true))));
        CHECK_EQ(count, 3);

        keep_lines();
        CHECK_EQ(belay_sleep(1), -EPERM);
        CHECK_LINES(1, "outside of a task");
        CHECK_EQ(pthread_create(&thread, NULL, elsewhere, &host), 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        CHECK_LINES(1, "belay_loop_dispatch()");
        belay_set_log(NULL, NULL);
        host_close(&host);
        CHECK_EQ(belay_loop_close(other), 0);
}

/* ---- several starts, and a start after a run ---- */

static void in_turn(belay_backend backend) {
        belay_loop *loop = belay_loop_new(BELAY_OPTIONS(belay_loop_options, .backend = backend));
        int outcome = 0;

        CHECK(loop != NULL);
        CHECK_EQ(belay_loop_run(loop, returns_five, NULL, &outcome), 0);
        CHECK_EQ(outcome, 5);
        outcome = 0;
        CHECK_EQ(belay_loop_start(loop, returns_five, NULL), 0);
        CHECK_EQ(belay_loop_dispatch(loop), 0);
        CHECK_EQ(belay_loop_outcome(loop, &outcome), 0);
        CHECK_EQ(outcome, 5);
        CHECK_EQ(belay_loop_close(loop), 0);
}

/* The handlers of signals belong to the program, also while the loop is closed. */
static int looks_at_signals(void *arg) {
        struct sigaction now;
        int rc = belay_sleep(BELAY_NEVER);

        for (int i = 0; i < 2; i++) {
                CHECK_EQ(sigaction(i == 0 ? SIGINT : SIGTERM, NULL, &now), 0);
                CHECK(now.sa_handler == SIG_DFL);
        }
        ++*(unsigned *) arg;
        return rc;
}

static void signals(belay_backend backend) {
        unsigned looked = 0;
        struct host host;

        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        host_start(&host, backend, looks_at_signals, &looked);
        belay_release(must(belay_spawn(looks_at_signals, &looked)));
        host_settle(&host);
        CHECK_EQ(belay_interrupt(NULL), 0);
        host_until_main_ends(&host);
        CHECK_EQ(looked, 1);
        host_close(&host);
        CHECK_EQ(looked, 2);
}

int main(void) {
        BOTH_BACKENDS(tasks_left);
        BOTH_BACKENDS(limit);
        BOTH_BACKENDS(deadlocks);
        BOTH_BACKENDS(nothing_left);
        BOTH_BACKENDS(no_descriptors);
        BOTH_BACKENDS(misuse);
        BOTH_BACKENDS(in_turn);
        BOTH_BACKENDS(signals);
        return 0;
}
