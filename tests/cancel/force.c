/* SPDX-License-Identifier: MIT */
/*
 * Forced cancellation: request after request, until the task has ended or the call reaches its
 * maximum.
 */
#include "../base/help.h"

struct stubborn {
        int refusals, seen;
};

static int refuses(void *arg) {
        struct stubborn *stubborn = arg;

        while (stubborn->seen < stubborn->refusals)
                if (belay_sleep(BELAY_HOUR) == -ECANCELED)
                        stubborn->seen++;
        return belay_sleep(BELAY_HOUR);
}

static belay_task *start(struct stubborn *state, int refusals) {
        belay_task *task;

        *state = (struct stubborn) { .refusals = refusals };
        task = must(belay_spawn(refuses, state));
        CHECK_EQ(belay_yield(), 0);
        return task;
}

static int counts(void *arg) {
        struct stubborn state;

        (void) arg;
        for (int refusals = 0; refusals < 5; refusals++) {
                belay_task *task = start(&state, refusals);
                belay_time begin = belay_now();

                /* One request for each refusal and one more, with a pause after each. */
                CHECK_EQ(belay_force_cancel(task, 10, BELAY_SECOND), refusals + 1);
                CHECK_EQ(belay_now() - begin, (refusals + 1) * BELAY_SECOND);
                CHECK(belay_cancelled(task));
                CHECK_EQ(belay_cancelling(task), refusals + 1);
                /* A task that is done receives no request. */
                begin = belay_now();
                CHECK_EQ(belay_force_cancel(task, 10, BELAY_SECOND), 0);
                CHECK_EQ(belay_force_cancel(task, 0, BELAY_SECOND), 0);
                CHECK_EQ(belay_now(), begin);
                belay_release(task);
        }
        return 0;
}

static int gives_up(void *arg) {
        struct stubborn state;
        belay_task *task = start(&state, 100);
        belay_time begin = belay_now();

        (void) arg;
        CHECK_EQ(belay_force_cancel(task, 3, BELAY_SECOND), -ETIMEDOUT);
        CHECK_EQ(belay_now() - begin, 3 * BELAY_SECOND);
        CHECK_EQ(belay_cancelling(task), 3);
        CHECK_EQ(state.seen, 3);
        CHECK(!belay_done(task));
        CHECK_EQ(belay_force_cancel(task, 0, BELAY_SECOND), -ETIMEDOUT);
        CHECK_EQ(belay_cancelling(task), 3);
        CHECK_EQ(belay_force_cancel(task, 98, 1), 98);
        CHECK_EQ(belay_cancelling(task), 101);
        belay_release(task);

        /* With a span of 0, the call pauses for one turn of the loop. */
        task = start(&state, 3);
        CHECK_EQ(belay_force_cancel(task, 10, 0), 4);
        belay_release(task);
        return 0;
}

static int forces(void *arg) {
        return belay_force_cancel(arg, 10, BELAY_SECOND);
}

/*
 * A cancellation of the caller ends the call, and the task keeps the requests that it has received.
 */
static int cancelled(void *arg) {
        struct stubborn state;
        belay_task *task = start(&state, 100), *forcer = must(belay_spawn(forces, task));

        (void) arg;
        CHECK_EQ(belay_sleep(1500 * BELAY_MILLISECOND), 0);
        CHECK_EQ(state.seen, 2);
        belay_cancel(forcer, NULL);
        CHECK_EQ(belay_join(forcer, NULL), 0);
        CHECK(belay_cancelled(forcer));
        CHECK_EQ(belay_sleep(BELAY_MINUTE), 0);
        CHECK_EQ(state.seen, 2);
        CHECK_EQ(belay_cancelling(task), 2);
        belay_release(forcer);
        /*
         * The task must end by itself before the shutdown, which repeats its requests only for new
         * tasks.
         */
        CHECK_EQ(belay_force_cancel(task, 200, 1), 99);
        belay_release(task);
        return 0;
}

static int forces_itself(void *arg) {
        (void) arg;
        CHECK_EQ(belay_force_cancel(belay_self(), 10, BELAY_SECOND), -ECANCELED);
        CHECK_EQ(belay_cancelling(belay_self()), 1);
        return 0;
}

static int nothing(void *arg) {
        (void) arg;
        return 0;
}

static belay_task *task_of_the_past;

static int keeps(void *arg) {
        (void) arg;
        task_of_the_past = must(belay_spawn(nothing, NULL));
        return belay_yield();
}

int main(void) {
        RUN_VIRTUAL(counts);
        RUN_VIRTUAL(gives_up);
        RUN_VIRTUAL(cancelled);
        RUN_VIRTUAL(forces_itself);
        RUN_VIRTUAL(keeps);
        keep_lines();
        CHECK_EQ(belay_force_cancel(task_of_the_past, 1, 1), -EPERM);
        CHECK_LINES(1, "belay_force_cancel() outside of a task");
        belay_release(task_of_the_past);
        return 0;
}
