/* SPDX-License-Identifier: MIT */
/*
 * Sleeping, yielding and checkpoints under a virtual clock: duration, order and cancellation.
 */
#include "../base/help.h"

static char trace[64];

static void note(char what) {
        size_t length = strlen(trace);

        CHECK(length + 1 < sizeof(trace));
        trace[length] = what;
        trace[length + 1] = '\0';
}

/* ---- spans and instants ---- */

static int spans(void *arg) {
        (void) arg;
        CHECK_EQ(belay_now(), 0);
        CHECK_EQ(belay_sleep(1), 0);
        CHECK_EQ(belay_now(), 1);
        CHECK_EQ(belay_sleep(100 * BELAY_HOUR), 0);
        CHECK_EQ(belay_now(), 100 * BELAY_HOUR + 1);
        CHECK_EQ(belay_sleep_until(200 * BELAY_HOUR), 0);
        CHECK_EQ(belay_now(), 200 * BELAY_HOUR);
        /* With a span of 0 or less, or an instant in the past, no time passes. */
        CHECK_EQ(belay_sleep(0), 0);
        CHECK_EQ(belay_sleep(-BELAY_HOUR), 0);
        CHECK_EQ(belay_sleep(INT64_MIN), 0);
        CHECK_EQ(belay_sleep_until(0), 0);
        CHECK_EQ(belay_sleep_until(INT64_MIN), 0);
        CHECK_EQ(belay_sleep_until(belay_now()), 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_now(), 200 * BELAY_HOUR);
        return 0;
}

/* A span counts from the call, even after long computing. */
static int from_the_call(void *arg) {
        belay_time begin;

        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(belay_advance(10 * BELAY_SECOND), 0);
        begin = belay_now();
        CHECK_EQ(begin, 11 * BELAY_SECOND);
        CHECK_EQ(belay_sleep(2 * BELAY_SECOND), 0);
        CHECK_EQ(belay_now() - begin, 2 * BELAY_SECOND);
        return 0;
}

static int sleeps_for(void *arg) {
        belay_time span = *(belay_time *) arg;
        int rc = belay_sleep(span);

        note((char) ('0' + span / BELAY_SECOND));
        return rc;
}

/*
 * Tasks wake in the order of their instants. Tasks with the same instant wake in the order in which
 * they began to sleep.
 */
static int orders(void *arg) {
        static belay_time each[] = { 5, 1, 3, 9, 2, 8, 7, 4, 6 };

        (void) arg;
        trace[0] = '\0';
        for (size_t i = 0; i < 9; i++) {
                each[i] *= BELAY_SECOND;
                belay_release(must(belay_spawn(sleeps_for, &each[i])));
        }
        CHECK_EQ(belay_sleep(BELAY_HOUR), 0);
        CHECK_STR(trace, "123456789");
        return 0;
}

/*
 * Many tasks sleep until pseudo-random instants, and some are cancelled. None may wake early or
 * late.
 */
static unsigned random_state = 1;

static unsigned any(unsigned below) {
        random_state = random_state * 1103515245 + 12345;
        return (random_state >> 8) % below;
}

static int exact(void *arg) {
        belay_time span = *(belay_time *) arg, begin = belay_now();
        int rc = belay_sleep(span);

        if (rc == 0)
                CHECK_EQ(belay_now() - begin, span);
        else
                CHECK(belay_now() - begin <= span);
        return rc;
}

static int many(void *arg) {
        enum { MANY = 3000 };
        static belay_time each[MANY];
        static belay_task *tasks[MANY];

        (void) arg;
        for (int i = 0; i < MANY; i++) {
                each[i] = 1 + any(1000000);
                tasks[i] = must(belay_spawn(exact, &each[i]));
        }
        for (int i = 0; i < MANY; i++) {
                CHECK_EQ(belay_sleep(any(200)), 0);
                if (any(3) != 0)
                        belay_cancel(tasks[any(MANY)], NULL);
        }
        for (int i = 0; i < MANY; i++) {
                CHECK_EQ(belay_join(tasks[i], NULL), 0);
                belay_release(tasks[i]);
        }
        return 0;
}

/* ---- yielding ---- */

static int yields(void *arg) {
        for (int i = 0; i < 3; i++) {
                note(*(const char *) arg);
                CHECK_EQ(belay_yield(), 0);
        }
        return 0;
}

static int turns(void *arg) {
        (void) arg;
        trace[0] = '\0';
        belay_release(must(belay_spawn(yields, "a")));
        belay_release(must(belay_spawn(yields, "b")));
        CHECK_STR(trace, "");
        CHECK_EQ(belay_yield(), 0);
        CHECK_STR(trace, "ab");
        CHECK_EQ(belay_sleep(0), 0);
        CHECK_STR(trace, "abab");
        CHECK_EQ(belay_sleep_until(0), 0);
        CHECK_STR(trace, "ababab");
        /* If no other task is ready, the yield returns. */
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_yield(), 0);
        return 0;
}

/* ---- cancelled ---- */

static int canceller(void *arg) {
        belay_cancel(arg, NULL);
        return 0;
}

static int cancelled(void *arg) {
        belay_task *self = belay_self();
        belay_time begin = belay_now();

        (void) arg;
        belay_release(must(belay_spawn(canceller, self)));
        CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        CHECK_EQ(belay_now(), begin);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        belay_release(must(belay_spawn(canceller, self)));
        CHECK_EQ(belay_sleep(BELAY_NEVER), -ECANCELED);
        belay_release(must(belay_spawn(canceller, self)));
        CHECK_EQ(belay_sleep_until(BELAY_NEVER), -ECANCELED);
        belay_release(must(belay_spawn(canceller, self)));
        CHECK_EQ(belay_yield(), -ECANCELED);
        belay_release(must(belay_spawn(canceller, self)));
        CHECK_EQ(belay_sleep(0), -ECANCELED);
        CHECK_EQ(belay_checkpoint(), 0);
        CHECK_EQ(belay_cancelling(self), 5);
        /* The request is pending when the wait begins. */
        belay_cancel(self, NULL);
        begin = belay_now();
        CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        CHECK_EQ(belay_now(), begin);
        belay_cancel(self, NULL);
        CHECK_EQ(belay_checkpoint(), -ECANCELED);
        CHECK_EQ(belay_checkpoint(), 0);
        return 0;
}

static belay_task *sleeper;

static void cancel_sleeper(void *arg) {
        (void) arg;
        CHECK(belay_cancel(sleeper, NULL));
}

static int sleeps_a_second(void *arg) {
        belay_time begin = belay_now();

        *(int *) arg = belay_sleep(BELAY_SECOND);
        CHECK_EQ(belay_now() - begin, BELAY_SECOND);
        CHECK_EQ(belay_yield(), 0);
        return 0;
}

/*
 * The timer of a sleeping task has fired, and the task is cancelled before it runs again. The
 * request must be delivered in either order. In systemd, an ordinary wake-up has overwritten the
 * result of an error wake-up, and the reverse.
 */
static int at_the_same_time(void *arg) {
        int rc = 1;

        (void) arg;
        sleeper = must(belay_spawn(sleeps_a_second, &rc));
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_later(BELAY_SECOND, cancel_sleeper, NULL) != 0); /* after the timer */
        CHECK_EQ(belay_join(sleeper, NULL), 0);
        CHECK_EQ(rc, -ECANCELED);
        belay_release(sleeper);

        rc = 1;
        CHECK(belay_later(BELAY_SECOND, cancel_sleeper, NULL) != 0); /* before the timer */
        sleeper = must(belay_spawn(sleeps_a_second, &rc));
        CHECK_EQ(belay_join(sleeper, NULL), 0);
        CHECK_EQ(rc, -ECANCELED);
        belay_release(sleeper);
        return 0;
}

static int ends_after_a_second(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_SECOND);
}

/*
 * Nothing that an earlier wait of the task left may end a sleep (systemd: a wake-up that belongs to
 * another wait).
 */
static int nothing_left_behind(void *arg) {
        belay_task *task = must(belay_spawn(ends_after_a_second, NULL));
        belay_time begin;

        (void) arg;
        /* The limit of an earlier wait that ended before it. */
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_cancel_wait(task, NULL, 10 * BELAY_SECOND, NULL), 0);
        belay_release(task);
        begin = belay_now();
        CHECK_EQ(belay_sleep(20 * BELAY_SECOND), 0);
        CHECK_EQ(belay_now() - begin, 20 * BELAY_SECOND);
        /* The timer of a sleep that was cancelled. */
        belay_release(must(belay_spawn(canceller, belay_self())));
        begin = belay_now();
        CHECK_EQ(belay_sleep(BELAY_SECOND), -ECANCELED);
        CHECK_EQ(belay_sleep(20 * BELAY_SECOND), 0);
        CHECK_EQ(belay_now() - begin, 20 * BELAY_SECOND);
        return 0;
}

/* ---- checkpoints ---- */

static int checkpoints(void *arg) {
        belay_task *task = must(belay_spawn(ends_after_a_second, NULL));
        unsigned rounds = 0;

        (void) arg;
        /* The test advances the virtual clock. A checkpoint serves the timers that are due. */
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_advance(2 * BELAY_SECOND), 0);
        while (!belay_done(task)) {
                CHECK_EQ(belay_checkpoint(), 0);
                CHECK(++rounds < 1000);
        }
        belay_release(task);
        return 0;
}

/* Outside of tasks each call is misuse, and the log line names it. */
static void outside(void) {
        keep_lines();
        CHECK_EQ(belay_sleep(1), -EPERM);
        CHECK_EQ(belay_sleep_until(1), -EPERM);
        CHECK_EQ(belay_yield(), -EPERM);
        CHECK_EQ(belay_checkpoint(), -EPERM);
        CHECK_EQ((belay_sleep) (1), -EPERM);
        CHECK_LINES(4, "misuse at " __FILE__);
        CHECK_LINES(1, "misuse at an unknown place");
        CHECK_LINES(5, "outside of a task");
        belay_set_log(NULL, NULL);
}

static int real(void *arg) {
        belay_time begin = real_time();

        (void) arg;
        CHECK(belay_now() >= begin && belay_now() <= real_time());
        CHECK_EQ(belay_sleep(20 * BELAY_MILLISECOND), 0);
        CHECK(real_time() - begin >= 20 * BELAY_MILLISECOND);
        /* The span counts from the call, after computing. */
        compute(20 * BELAY_MILLISECOND);
        begin = real_time();
        CHECK_EQ(belay_sleep(20 * BELAY_MILLISECOND), 0);
        CHECK(real_time() - begin >= 20 * BELAY_MILLISECOND);
        begin = real_time();
        CHECK_EQ(belay_sleep_until(begin + 5 * BELAY_MILLISECOND), 0);
        CHECK(real_time() - begin >= 5 * BELAY_MILLISECOND);
        return 0;
}

int main(void) {
        belay_time now = belay_now();

        RUN_VIRTUAL(spans);
        RUN_VIRTUAL(from_the_call);
        RUN_VIRTUAL(orders);
        RUN_VIRTUAL(many);
        RUN_VIRTUAL(turns);
        RUN_VIRTUAL(cancelled);
        RUN_VIRTUAL(at_the_same_time);
        RUN_VIRTUAL(nothing_left_behind);
        RUN_VIRTUAL(checkpoints);
        outside();
        CHECK_EQ(belay_run(real, NULL), 0);
        /* belay_now() also works without a loop. */
        CHECK(now <= belay_now() && belay_now() <= real_time());
        return 0;
}
