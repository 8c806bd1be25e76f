/* SPDX-License-Identifier: MIT */
/*
 * Jobs that own their data. If a task stops waiting for such a job, the job goes on alone, is
 * disposed of exactly once, and delays no other job. Also jobs that take long.
 */
#define _GNU_SOURCE
#include <sys/resource.h>

#include "jobs.h"

enum { LOOKUPS = 8 };

static atomic_int disposed;

/* Counts the disposal of a gate. The test keeps the gate's memory in order to examine it. */
static void dispose(struct bly_job *job) {
        (void) job;
        atomic_fetch_add(&disposed, 1);
}

static void own_gate_init(struct gate *gate, bool endless) {
        gate_init(gate);
        gate->job.dispose = dispose;
        gate->job.endless = endless;
}

static void await_disposed(int count) {
        while (atomic_load(&disposed) < count)
                usleep(100);
        CHECK_EQ(atomic_load(&disposed), count);
}

/* ---- in the queue ---- */

static struct gate gates[3 * LOOKUPS];
static belay_task *tasks[3 * LOOKUPS];

static void go(int i, bool endless) {
        own_gate_init(&gates[i], endless);
        tasks[i] = must(belay_spawn(goes_through, &gates[i]));
        CHECK_EQ(belay_yield(), 0);
}

static void leave(int i) {
        int outcome;

        CHECK_EQ(belay_cancel_wait(tasks[i], "enough", BELAY_NEVER, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        belay_release(tasks[i]);
}

static void end(int i) {
        gate_open(&gates[i]);
        CHECK_EQ(belay_join(tasks[i], NULL), 0);
        CHECK(gates[i].done && gates[i].rc == 0);
        belay_release(tasks[i]);
}

/* A job that is withdrawn from the queue is disposed of at once, and never begins. */
static int in_line(void *arg) {
        (void) arg;
        atomic_store(&disposed, 0);
        for (int i = 0; i < LOOKUPS; i++) {
                go(i, false);
                gate_await(&gates[i]);
        }
        go(LOOKUPS, false);
        CHECK_EQ(belay_loop_self()->expected, LOOKUPS + 1);
        leave(LOOKUPS);
        CHECK_EQ(atomic_load(&disposed), 1);
        CHECK(!gates[LOOKUPS].done);
        CHECK_EQ(belay_loop_self()->expected, LOOKUPS);
        for (int i = 0; i < LOOKUPS; i++)
                end(i);
        /* A job that returns to its task is not disposed of. */
        CHECK_EQ(atomic_load(&disposed), 1);
        return 0;
}

/* The job is not even handed to the pool, but is disposed of as well. */
static int before(void *arg) {
        (void) arg;
        atomic_store(&disposed, 0);
        own_gate_init(&gates[0], true);
        CHECK(belay_cancel(belay_self(), NULL));
        CHECK_EQ(goes_through(&gates[0]), -ECANCELED);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        CHECK_EQ(atomic_load(&disposed), 1);
        CHECK_EQ(belay_loop_self()->expected, 0);
        CHECK_EQ(belay_loop_self()->endless, 0);
        return 0;
}

/* ---- jobs that go on alone ---- */

/*
 * As many jobs as may run at once go on alone, and then as many again. They do not count against
 * that number.
 */
static int left(void *arg) {
        bool endless = arg != NULL;

        atomic_store(&disposed, 0);
        for (int round = 0; round < 2; round++) {
                for (int i = round * LOOKUPS; i < (round + 1) * LOOKUPS; i++) {
                        go(i, endless);
                        gate_await(&gates[i]);
                }
                for (int i = round * LOOKUPS; i < (round + 1) * LOOKUPS; i++)
                        leave(i);
        }
        CHECK_EQ(belay_loop_self()->expected, 0);
        CHECK_EQ(belay_loop_self()->endless, 0);
        CHECK_EQ(atomic_load(&disposed), 0);
        go(2 * LOOKUPS, endless);
        end(2 * LOOKUPS);
        for (int i = 0; i < 2 * LOOKUPS; i++)
                gate_open(&gates[i]);
        await_disposed(2 * LOOKUPS);
        return 0;
}

/* When a running job goes on alone, the first job in the queue begins. */
static int moves_up(void *arg) {
        (void) arg;
        atomic_store(&disposed, 0);
        for (int i = 0; i < LOOKUPS; i++) {
                go(i, false);
                gate_await(&gates[i]);
        }
        go(LOOKUPS, false);
        leave(0);
        gate_await(&gates[LOOKUPS]);
        for (int i = 1; i <= LOOKUPS; i++)
                end(i);
        gate_open(&gates[0]);
        await_disposed(1);
        return 0;
}

/*
 * Number of threads without those of a pool. It is counted once, because a thread that has just
 * ended stays visible for a while.
 */
static unsigned base_threads;

/* Threads whose jobs go on alone end after these jobs. The pool's other threads stay. */
static int threads_end(void *arg) {
        await_threads(base_threads);
        CHECK_EQ(left(arg), 0);
        await_threads(base_threads + (arg != NULL ? 2 : LOOKUPS));
        return 0;
}

/* No endless job waits behind another. */
static int endless(void *arg) {
        (void) arg;
        for (int i = 0; i < 3 * LOOKUPS; i++)
                go(i, true);
        for (int i = 0; i < 3 * LOOKUPS; i++)
                gate_await(&gates[i]);
        CHECK_EQ(belay_loop_self()->endless, 3 * LOOKUPS);
        for (int i = 0; i < 3 * LOOKUPS; i++)
                end(i);
        CHECK_EQ(belay_loop_self()->endless, 0);
        return 0;
}

static int leaves_all(void *arg) {
        atomic_store(&disposed, 0);
        for (int i = 0; i < 2 * LOOKUPS; i++)
                go(i, arg != NULL);
        /* Some jobs have begun, and some may be in the queue. */
        gate_await(&gates[0]);
        for (int i = 0; i < 2 * LOOKUPS; i++)
                belay_release(tasks[i]);
        return 0;
}

/* When the loop ends, the jobs go on alone as after a request. */
static void outlive_their_loop(void *arg) {
        CHECK_EQ(belay_run(leaves_all, arg), 0);
        for (int i = 0; i < 2 * LOOKUPS; i++)
                gate_open(&gates[i]);
        await_disposed(2 * LOOKUPS);
        await_threads(base_threads);
}

/* ---- abandoned tasks ---- */

static int never_ends(void *arg) {
        belay_shield_scope region;

        CHECK_EQ(belay_shield_enter(&region, BELAY_NEVER), 0);
        (void) goes_through(arg);
        return 0;
}

static int gives_up(void *arg) {
        (void) arg;
        for (int i = 0; i < LOOKUPS + 1; i++) {
                own_gate_init(&gates[i], false);
                belay_release(must(belay_spawn(never_ends, &gates[i])));
                CHECK_EQ(belay_yield(), 0);
        }
        for (int i = 0; i < LOOKUPS; i++)
                gate_await(&gates[i]);
        return 0;
}

/*
 * No task receives the results. The job in the queue is disposed of when the loop ends, and the
 * others when they are done.
 */
static int are_given_up(void *arg) {
        unsigned threads = count_threads();

        (void) arg;
        atomic_store(&disposed, 0);
        keep_lines();
        CHECK_EQ(belay_run_with(
                         gives_up, NULL,
                         BELAY_OPTIONS(belay_loop_options, .shutdown_limit = BELAY_MILLISECOND)),
                 -ETIMEDOUT);
        CHECK_EQ(atomic_load(&disposed), 1);
        for (int i = 0; i < LOOKUPS; i++)
                gate_open(&gates[i]);
        await_disposed(LOOKUPS + 1);
        await_threads(threads);
        return 0;
}

/* ---- long jobs ---- */

static void do_nothing_much(struct bly_job *job) {
        (void) job;
}

static int passes(void *arg) {
        struct bly_job job = { .run = do_nothing_much, .what = "pass" };

        (void) arg;
        return bly_pool_do(belay_loop_self(), &job, "here:1");
}

/* The only thread is busy for long. Other jobs are done all the same, one after the other. */
static int overdue(void *arg) {
        struct gate first, second;
        unsigned threads = base_threads;
        belay_task *one, *other;

        (void) arg;
        await_threads(threads);
        gate_init(&first);
        gate_init(&second);
        one = must(belay_spawn(goes_through, &first));
        CHECK_EQ(belay_yield(), 0);
        gate_await(&first);
        CHECK_EQ(passes(NULL), 0);
        CHECK_EQ(count_threads(), threads + 2);
        CHECK_EQ(passes(NULL), 0);
        other = must(belay_spawn(goes_through, &second));
        CHECK_EQ(belay_yield(), 0);
        gate_await(&second);
        CHECK_EQ(passes(NULL), 0);
        CHECK_EQ(count_threads(), threads + 3);
        /*
         * The pool has room for one thread. The first to finish its job stays, and the others end.
         */
        gate_open(&first);
        gate_open(&second);
        CHECK_EQ(belay_join(one, NULL), 0);
        CHECK_EQ(belay_join(other, NULL), 0);
        await_threads(threads + 1);
        CHECK_EQ(passes(NULL), 0);
        belay_release(one);
        belay_release(other);
        return 0;
}

/* ---- the number of threads ---- */

static int stands_in_line(void *arg) {
        struct gate *gate = arg;

        gate_init(gate);
        return goes_through(gate);
}

/*
 * A job that was withdrawn from the queue must not count any more: the next job uses the idle
 * thread.
 */
static int counts_right(void *arg) {
        struct rlimit before, none = { 0 };
        struct gate first, second;
        belay_task *one, *other;
        unsigned threads;

        (void) arg;
        gate_init(&first);
        one = must(belay_spawn(goes_through, &first));
        CHECK_EQ(belay_yield(), 0);
        gate_await(&first);
        threads = count_threads();

        /* No thread can be created, so the job waits in the queue. */
        CHECK_EQ(getrlimit(RLIMIT_AS, &before), 0);
        none.rlim_max = before.rlim_max;
        other = must(belay_spawn(stands_in_line, &second));
        CHECK_EQ(setrlimit(RLIMIT_AS, &none), 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(setrlimit(RLIMIT_AS, &before), 0);
        CHECK_EQ(count_threads(), threads);
        CHECK_EQ(belay_cancel_wait(other, NULL, BELAY_NEVER, NULL), 0);
        CHECK_EQ(second.rc, -ECANCELED);

        gate_open(&first);
        CHECK_EQ(belay_join(one, NULL), 0);
        for (int i = 0; i < 3; i++)
                CHECK_EQ(passes(NULL), 0);
        CHECK_EQ(count_threads(), threads);
        belay_release(one);
        belay_release(other);
        return 0;
}

static int count_right(void *arg) {
        return -belay_run(counts_right, arg);
}

int main(void) {
        unsigned fds = count_fds();
        static struct child child;

        /* This test comes first, while the C library has no stack of an ended thread to reuse. */
        if (!is_checked()) {
                in_child(&child, count_right, NULL);
                CHECK_CHILD(&child, 0);
        }
        base_threads = first_threads();
        CHECK_EQ(belay_run(in_line, NULL), 0);
        RUN_VIRTUAL(in_line);
        CHECK_EQ(belay_run(before, NULL), 0);
        CHECK_EQ(belay_run(threads_end, NULL), 0);
        CHECK_EQ(belay_run(threads_end, &child), 0);
        RUN_VIRTUAL(threads_end);
        CHECK_EQ(belay_run(moves_up, NULL), 0);
        CHECK_EQ(belay_run(endless, NULL), 0);
        RUN_VIRTUAL(endless);
        outlive_their_loop(NULL);
        outlive_their_loop(&child);
        CHECK_EQ(belay_run_with(overdue, NULL, BELAY_OPTIONS(belay_loop_options, .threads = 1)), 0);
        await_threads(base_threads);
        CHECK_EQ(count_fds(), fds);
        /* The abandoned tasks leak their memory, which checkers would report at the end. */
        in_child(&child, are_given_up, NULL);
        CHECK_CHILD(&child, 0);
        return 0;
}
