/* SPDX-License-Identifier: MIT */
/*
 * Jobs for files: done by a few threads, withdrawn before they begin, and waited for after that.
 */
#include <pthread.h>

#include "jobs.h"

/* ---- done ---- */

struct sum {
        struct bly_job job;
        pthread_t loop_thread;
        int a, b, result;
        int error;
        sigset_t blocked;
};

static void add(struct bly_job *job) {
        struct sum *sum = (struct sum *) job;

        CHECK(!pthread_equal(pthread_self(), sum->loop_thread));
        CHECK(belay_loop_self() == NULL);
        sum->result = sum->a + sum->b;
        pthread_sigmask(SIG_SETMASK, NULL, &sum->blocked);
        errno = EILSEQ;
}

static int is_done(void *arg) {
        struct sum sum = {
                .job = { .run = add, .what = "add" }, .loop_thread = pthread_self(), .a = 3, .b = 4
        };
        sigset_t mine;

        (void) arg;
        errno = EDOM;
        CHECK_EQ(bly_pool_do(belay_loop_self(), &sum.job, "here:1"), 0);
        CHECK_EQ(errno, EDOM);
        CHECK_EQ(sum.result, 7);
        CHECK(sigismember(&sum.blocked, SIGINT) && sigismember(&sum.blocked, SIGTERM));
        CHECK(sigismember(&sum.blocked, SIGCHLD) && sigismember(&sum.blocked, SIGPROF));
        CHECK(!sigismember(&sum.blocked, SIGSEGV));
        pthread_sigmask(SIG_SETMASK, NULL, &mine);
        CHECK(!sigismember(&mine, SIGINT) && !sigismember(&mine, SIGTERM));
        return 0;
}

/* ---- hundreds of jobs in two threads ---- */

enum { MANY = 300 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned at_once, most_at_once, done_count;

static void count_in(struct bly_job *job) {
        (void) job;
        pthread_mutex_lock(&mutex);
        if (++at_once > most_at_once)
                most_at_once = at_once;
        pthread_mutex_unlock(&mutex);
        sched_yield();
        pthread_mutex_lock(&mutex);
        at_once--;
        done_count++;
        pthread_mutex_unlock(&mutex);
}

static int counts(void *arg) {
        struct bly_job job = { .run = count_in, .what = "count" };

        (void) arg;
        for (int i = 0; i < 3; i++) {
                int rc = bly_pool_do(belay_loop_self(), &job, "here:1");

                if (rc < 0)
                        return rc;
        }
        return 0;
}

static unsigned other_threads;

static int many(void *arg) {
        belay_group group;

        (void) arg;
        done_count = most_at_once = 0;
        CHECK_EQ(belay_group_enter(&group), 0);
        for (int i = 0; i < MANY; i++)
                CHECK_EQ(belay_group_spawn(&group, counts, NULL), 0);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        CHECK_EQ(done_count, 3 * MANY);
        CHECK(most_at_once <= 2);
        await_threads(other_threads + 2);
        return 0;
}

/* ---- withdrawn ---- */

static void never(struct bly_job *job) {
        (void) job;
        CHECK(!"a job that was taken back is done");
}

static int never_done(void *arg) {
        struct bly_job job = { .run = never, .what = "never" };

        (void) arg;
        return bly_pool_do(belay_loop_self(), &job, "here:1");
}

/*
 * A pool of one thread. Jobs that wait for one that does not end can be withdrawn, at each position
 * in the queue.
 */
static int taken_back(void *arg) {
        struct gate gate;
        belay_task *first, *waiting[3];

        (void) arg;
        gate_init(&gate);
        first = must(belay_spawn(goes_through, &gate));
        for (int i = 0; i < 3; i++)
                waiting[i] = must(belay_spawn(never_done, NULL));
        CHECK_EQ(belay_yield(), 0);
        gate_await(&gate);
        CHECK_EQ(belay_loop_self()->expected, 4);
        for (int i = 0; i < 3; i++) {
                int outcome, which = (i + 1) % 3;

                CHECK_EQ(belay_cancel_wait(waiting[which], "enough", BELAY_NEVER, &outcome), 0);
                CHECK_EQ(outcome, -ECANCELED);
                belay_release(waiting[which]);
        }
        CHECK_EQ(belay_loop_self()->expected, 1);
        gate_open(&gate);
        CHECK_EQ(belay_join(first, NULL), 0);
        belay_release(first);
        CHECK(gate.done && gate.rc == 0);
        CHECK_EQ(belay_loop_self()->expected, 0);
        return 0;
}

/* The queue still works after its last job was removed. */
static int line_goes_on(void *arg) {
        struct gate gate, next;
        belay_task *first, *second, *third;

        (void) arg;
        gate_init(&gate);
        gate_init(&next);
        first = must(belay_spawn(goes_through, &gate));
        CHECK_EQ(belay_yield(), 0);
        gate_await(&gate);
        second = must(belay_spawn(never_done, NULL));
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_cancel_wait(second, NULL, BELAY_NEVER, NULL), 0);
        third = must(belay_spawn(goes_through, &next));
        CHECK_EQ(belay_yield(), 0);
        gate_open(&gate);
        gate_open(&next);
        CHECK_EQ(belay_join(first, NULL), 0);
        CHECK_EQ(belay_join(third, NULL), 0);
        CHECK(gate.done && next.done);
        belay_release(first);
        belay_release(second);
        belay_release(third);
        return 0;
}

/* The request is pending when the wait begins. The job is not even handed to the pool. */
static int pending_before(void *arg) {
        (void) arg;
        CHECK(belay_cancel(belay_self(), "before"));
        CHECK_EQ(never_done(NULL), -ECANCELED);
        CHECK_EQ(belay_loop_self()->expected, 0);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        return 0;
}

/* ---- cancelled after the beginning ---- */

struct told {
        struct gate gate;
        int rc, next;
        char reason[32];
};

static int is_told_later(void *arg) {
        struct told *told = arg;
        belay_failure *failure;

        told->rc = goes_through(&told->gate);
        CHECK_EQ(told->rc, 0);
        told->next = belay_sleep(BELAY_SECOND);
        failure = belay_failure_take(told->next);
        snprintf(told->reason, sizeof(told->reason), "%s", belay_failure_text(failure));
        return belay_failure_raise(failure);
}

/* The call waits for the job. The next wait delivers the request with its reason. */
static int begun(void *arg) {
        struct told told = { .next = 1 };
        belay_task *task;
        int outcome;

        (void) arg;
        gate_init(&told.gate);
        task = must(belay_spawn(is_told_later, &told));
        CHECK_EQ(belay_yield(), 0);
        gate_await(&told.gate);
        CHECK(belay_cancel(task, "too late"));
        CHECK_EQ(belay_yield(), 0);
        CHECK(!belay_done(task));
        gate_open(&told.gate);
        CHECK_EQ(belay_join(task, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK(told.gate.done && told.gate.was_asked);
        CHECK_EQ(told.next, -ECANCELED);
        CHECK_STR(told.reason, "too late");
        belay_release(task);
        return 0;
}

/*
 * The job is done and posted, and the request arrives before the task runs. The call returns the
 * result, and the request stays pending.
 */
static int over_first(void *arg) {
        struct told told = { .next = 1 };
        belay_loop *loop = belay_loop_self();
        belay_task *task;

        (void) arg;
        gate_init(&told.gate);
        task = must(belay_spawn(is_told_later, &told));
        CHECK_EQ(belay_yield(), 0);
        gate_await(&told.gate);
        gate_open(&told.gate);
        while (!bly_needs_attention(loop))
                usleep(100);
        CHECK(belay_cancel(task, "late"));
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK(told.gate.done);
        CHECK_EQ(told.next, -ECANCELED);
        CHECK_STR(told.reason, "late");
        belay_release(task);
        return 0;
}

/* A request that is withdrawn meanwhile has no effect. */
static int taken_back_request(void *arg) {
        struct told told = { .next = 1 };
        belay_task *task;
        int outcome;

        (void) arg;
        gate_init(&told.gate);
        task = must(belay_spawn(is_told_later, &told));
        CHECK_EQ(belay_yield(), 0);
        gate_await(&told.gate);
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(belay_uncancel(task), 0);
        gate_open(&told.gate);
        CHECK_EQ(belay_join(task, &outcome), 0);
        CHECK_EQ(outcome, 0);
        CHECK_EQ(told.next, 0);
        belay_release(task);
        return 0;
}

/*
 * A timeout expires during the job. The call returns the job's result, and the next wait returns
 * -ECANCELED.
 */
struct limited {
        struct gate gate;
        belay_timeout limit;
};

static int strikes(void *arg) {
        struct limited *limited = arg;

        gate_await(&limited->gate);
        CHECK_EQ(belay_timeout_reschedule(&limited->limit, 0), 0);
        while (!belay_timeout_expired(&limited->limit))
                CHECK_EQ(belay_yield(), 0);
        gate_open(&limited->gate);
        return 0;
}

static int limited(void *arg) {
        struct limited limited;
        belay_task *other;
        int rc;

        (void) arg;
        gate_init(&limited.gate);
        other = must(belay_spawn(strikes, &limited));
        CHECK_EQ(belay_timeout_enter(&limited.limit, BELAY_NEVER), 0);
        CHECK_EQ(goes_through(&limited.gate), 0);
        CHECK(limited.gate.was_asked);
        rc = belay_sleep(BELAY_HOUR);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&limited.limit, rc), -ETIMEDOUT);
        belay_release(other);
        return 0;
}

/* ---- jobs that must be done ---- */

static int must_be_done(void *arg) {
        struct told *told = arg;

        told->gate.job.must = true;
        return is_told_later(told);
}

static int is_done_anyway(void *arg) {
        struct gate gate;
        struct told told = { .next = 1 };
        belay_task *first, *task;

        (void) arg;
        gate_init(&gate);
        gate_init(&told.gate);
        first = must(belay_spawn(goes_through, &gate));
        CHECK_EQ(belay_yield(), 0);
        gate_await(&gate);
        task = must(belay_spawn(must_be_done, &told));
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_cancel(task, "in line"));
        gate_open(&gate);
        gate_open(&told.gate);
        CHECK_EQ(belay_join(first, NULL), 0);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK(told.gate.done);
        CHECK_EQ(told.next, -ECANCELED);
        CHECK_STR(told.reason, "in line");
        belay_release(first);
        belay_release(task);

        /* The same with a request that is pending before the call. */
        gate_init(&gate);
        gate.job.must = true;
        gate_open(&gate);
        CHECK(belay_cancel(belay_self(), "before"));
        CHECK_EQ(goes_through(&gate), 0);
        CHECK(gate.done);
        CHECK_EQ(belay_yield(), -ECANCELED);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        return 0;
}

/* ---- a job that ends while the loop is being closed ---- */

static struct gate late_gate;
static bool late_opened;

/* The shutdown has abandoned the job's task. The job's end is posted before the loop takes it. */
static void end_late(void *context, belay_log_level level, const char *line) {
        (void) context;
        (void) level;
        if (late_opened || strstr(line, "reached its limit") == NULL)
                return;
        late_opened = true;
        gate_open(&late_gate);
        while (!bly_needs_attention(belay_loop_self()))
                usleep(100);
}

static int leaves_a_job(void *arg) {
        belay_release(must(belay_spawn(goes_through, arg)));
        CHECK_EQ(belay_yield(), 0);
        gate_await(arg);
        return 0;
}

static void ends_at_the_close(void) {
        gate_init(&late_gate);
        late_gate.job.must = true;
        belay_set_log(end_late, NULL);
        CHECK_EQ(belay_run_with(
                         leaves_a_job, &late_gate,
                         BELAY_OPTIONS(belay_loop_options, .shutdown_limit = BELAY_MILLISECOND)),
                 -ETIMEDOUT);
        belay_set_log(NULL, NULL);
        CHECK(late_opened && late_gate.done);
        CHECK_EQ(late_gate.rc, 1);
}

/* ---- reports ---- */

static int is_described(void *arg) {
        struct gate gate;
        belay_task *task;
        belay_wait_info info = BELAY_WAIT_INFO_INIT;

        (void) arg;
        gate_init(&gate);
        gate.job.path = "/some/where";
        task = must(belay_spawn(goes_through, &gate));
        CHECK_EQ(belay_yield(), 0);
        gate_await(&gate);
        belay_waiting(task, &info);
        CHECK_STR(info.what, "thread");
        CHECK_STR(info.on, "gate, /some/where");
        CHECK_STR(info.place, "here:1");
        gate_open(&gate);
        CHECK_EQ(belay_join(task, NULL), 0);
        belay_release(task);
        return 0;
}

/* ---- no thread ---- */

static int too_many(void *arg) {
        struct rlimit none = { 0, 0 };
        int rc;

        (void) arg;
        CHECK_EQ(belay_yield(), 0);
        setrlimit(RLIMIT_AS, &none);
        rc = never_done(NULL);
#ifndef __GLIBC__
        /*
         * glibc has a reserve of memory. Another C library may fail to allocate the job's record
         * before it fails to create the thread.
         */
        if (rc == -ENOMEM)
                rc = -EAGAIN;
#endif
        return -rc;
}

static int in_vain(void *arg) {
        return belay_run(too_many, arg);
}

int main(void) {
        unsigned threads, fds = count_fds();
        static struct child child;

        /* This test comes first, while the C library has no stack of an ended thread to reuse. */
        if (!is_checked()) {
                in_child(&child, in_vain, NULL);
                CHECK_CHILD(&child, EAGAIN);
        }
        threads = other_threads = first_threads();
        RUN_VIRTUAL(is_done);
        CHECK_EQ(belay_run(is_done, NULL), 0);
        CHECK_EQ(belay_run_with(many, NULL, BELAY_OPTIONS(belay_loop_options, .threads = 2)), 0);
        CHECK_EQ(belay_run_with(many, NULL,
                                BELAY_OPTIONS(belay_loop_options, .threads = 2, .seed = 17)),
                 0);
        CHECK_EQ(belay_run_with(taken_back, NULL, BELAY_OPTIONS(belay_loop_options, .threads = 1)),
                 0);
        CHECK_EQ(
                belay_run_with(line_goes_on, NULL, BELAY_OPTIONS(belay_loop_options, .threads = 1)),
                0);
        RUN_VIRTUAL(pending_before);
        RUN_VIRTUAL(begun);
        RUN_VIRTUAL(over_first);
        CHECK_EQ(belay_run(over_first, NULL), 0);
        RUN_VIRTUAL(taken_back_request);
        CHECK_EQ(belay_run(limited, NULL), 0);
        RUN_VIRTUAL(limited);
        CHECK_EQ(belay_run_with(is_done_anyway, NULL,
                                BELAY_OPTIONS(belay_loop_options, .threads = 1)),
                 0);
        RUN_VIRTUAL(is_described);
        ends_at_the_close();
        await_threads(threads);
        CHECK_EQ(count_fds(), fds);
        return 0;
}
