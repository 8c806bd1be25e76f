/* SPDX-License-Identifier: MIT */
/*
 * Cancel-and-wait waits until the task has really ended, does not lose a request for its caller,
 * and has a limit of its own.
 */
#include "../base/help.h"

enum { UNWRITTEN = 424242 };

/* Refuses `refusals` requests, cleans up for `cleanup`, and ends with `result`. */
struct target {
        int refusals, seen;
        belay_time cleanup;
        int result;
        belay_time ended;
        bool cut; /* whether its cleanup was cancelled */
};

static int target(void *arg) {
        struct target *state = arg;

        while (belay_sleep(BELAY_HOUR) != -ECANCELED || state->seen++ < state->refusals)
                ;
        if (state->cleanup > 0)
                state->cut = belay_sleep(state->cleanup) == -ECANCELED;
        state->ended = belay_now();
        return state->result;
}

static belay_task *start(struct target *state) {
        belay_task *task = must(belay_spawn_with(
                target, state, BELAY_OPTIONS(belay_spawn_options, .name = "target")));

        CHECK_EQ(belay_yield(), 0);
        return task;
}

static int plain(void *arg) {
        struct target state = { .cleanup = 5 * BELAY_SECOND, .result = -ECANCELED };
        belay_task *task = start(&state);
        belay_failure *failure;
        int outcome = UNWRITTEN;

        (void) arg;
        CHECK_EQ(belay_cancel_wait(task, "enough", BELAY_NEVER, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK_EQ(belay_now(), 5 * BELAY_SECOND);
        CHECK_EQ(belay_cancelling(task), 1);
        CHECK_EQ(belay_cancelling(belay_self()), 0);
        belay_release(task);

        /* The target may end with any outcome, and the caller need not store it. */
        state = (struct target) { .result = 7 };
        task = start(&state);
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_SECOND, &outcome), 0);
        CHECK_EQ(outcome, 7);
        CHECK_EQ(belay_now(), 5 * BELAY_SECOND);
        belay_release(task);
        state = (struct target) { .result = -ECANCELED };
        task = start(&state);
        CHECK_EQ(belay_cancel_wait(task, "why", 0, NULL), 0);
        failure = belay_failure_take(-ECANCELED);
        CHECK_STR(belay_failure_text(failure), "why");
        belay_failure_release(failure);
        CHECK_EQ(belay_yield(), 0);
        belay_release(task);
        return 0;
}

static int returns(void *arg) {
        return *(int *) arg;
}

static int done_already(void *arg) {
        int codes[] = { 3, -EIO, -ECANCELED };
        belay_task *task;
        int outcome;

        (void) arg;
        for (size_t i = 0; i < 3; i++) {
                task = must(belay_spawn(returns, &codes[i]));
                CHECK_EQ(belay_yield(), 0);
                CHECK_EQ(belay_cancel_wait(task, NULL, 0, &outcome), 0);
                CHECK_EQ(outcome, codes[i]);
                CHECK_EQ(belay_cancelling(task), 0);
                belay_release(task);
        }
        /* The target is a task before its first step, and a future. */
        task = must(belay_spawn(returns, &codes[0]));
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        belay_release(task);
        task = must(belay_future_new());
        CHECK_EQ(belay_cancel_wait(task, NULL, 0, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        belay_release(task);
        return 0;
}

/* ---- the limit ---- */

static int at_the_limit(void *arg) {
        struct target state = { .refusals = 1, .result = -ECANCELED };
        belay_task *task = start(&state);
        int outcome = UNWRITTEN, line;

        (void) arg;
        keep_lines();
        line = __LINE__ + 1;
        CHECK_EQ(belay_cancel_wait(task, NULL, 3 * BELAY_SECOND, &outcome), -ETIMEDOUT);
        CHECK_EQ(belay_now(), 3 * BELAY_SECOND);
        CHECK_EQ(outcome, UNWRITTEN);
        CHECK(!belay_done(task));
        CHECK_EQ(belay_cancelling(task), 1);
        CHECK_EQ(state.seen, 1);
        /*
         * The log line names the task that is still there, its wait, and the call site of the
         * cancel-and-wait.
         */
        CHECK_EQ(kept_count, 1);
        CHECK_LINES(1, "target");
        CHECK_LINES(1, "sleep");
        CHECK_LINES(1, __FILE__);
        CHECK(strstr(kept_lines[0].text, __FILE__) != NULL);
        CHECK_EQ(atoi(strstr(kept_lines[0].text, __FILE__) + sizeof(__FILE__)), line);
        /* The limit ends with the call and must not end a later wait. */
        CHECK_EQ(belay_sleep(10 * BELAY_SECOND), 0);
        CHECK_EQ(belay_now(), 13 * BELAY_SECOND);
        /* The target receives a second request, and ends cancelled. */
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_SECOND, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK_EQ(belay_cancelling(task), 2);
        CHECK_EQ(kept_count, 1);
        belay_release(task);
        belay_set_log(NULL, NULL);

        /* The target ends 1 ns before the limit; and a limit of 0. */
        state = (struct target) { .cleanup = BELAY_SECOND, .result = 1 };
        task = start(&state);
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_SECOND + 1, &outcome), 0);
        CHECK_EQ(outcome, 1);
        belay_release(task);
        keep_lines();
        state = (struct target) { .cleanup = BELAY_SECOND, .result = 1 };
        task = start(&state);
        CHECK_EQ(belay_cancel_wait(task, NULL, 0, &outcome), -ETIMEDOUT);
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, &outcome), 0);
        CHECK(state.cut);
        belay_release(task);
        belay_set_log(NULL, NULL);
        return 0;
}

/* The limit counts from the call, even after long computing. */
static int from_the_call(void *arg) {
        struct target state = { .refusals = 1 };
        belay_task *task = start(&state);
        belay_time begin;

        (void) arg;
        keep_lines();
        compute(30 * BELAY_MILLISECOND);
        begin = real_time();
        CHECK_EQ(belay_cancel_wait(task, NULL, 20 * BELAY_MILLISECOND, NULL), -ETIMEDOUT);
        CHECK(real_time() - begin >= 20 * BELAY_MILLISECOND);
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, NULL), 0);
        belay_release(task);
        belay_set_log(NULL, NULL);
        return 0;
}

/* ---- the caller is cancelled meanwhile ---- */

struct caller {
        belay_task *target;
        belay_time limit;
        int rc, outcome, next, after;
        belay_time returned;
};

static int calls(void *arg) {
        struct caller *caller = arg;

        caller->outcome = UNWRITTEN;
        caller->rc = belay_cancel_wait(caller->target, "caller's", caller->limit, &caller->outcome);
        caller->returned = belay_now();
        caller->next = belay_sleep(BELAY_SECOND);
        caller->after = belay_sleep(BELAY_SECOND);
        return 0;
}

/*
 * A request for the caller neither ends the wait nor is lost. The wait goes on until the target has
 * ended, and the caller's next wait delivers the request (systemd; asyncio 86296).
 */
static int caller_cancelled(void *arg) {
        (void) arg;
        for (int requests = 0; requests <= 3; requests++) {
                struct target state = { .cleanup = 10 * BELAY_SECOND, .result = -ECANCELED };
                struct caller caller = { .target = start(&state),
                                         .limit = BELAY_NEVER,
                                         .rc = UNWRITTEN };
                belay_task *task = must(belay_spawn(calls, &caller));

                for (int i = 0; i < requests; i++) {
                        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
                        CHECK(belay_cancel(task, "meanwhile"));
                }
                CHECK_EQ(belay_join(task, NULL), 0);
                CHECK_EQ(caller.rc, 0);
                CHECK_EQ(caller.outcome, -ECANCELED);
                CHECK_EQ(caller.returned, state.ended); /* not before the end of the target */
                CHECK(!state.cut);
                CHECK_EQ(caller.next, requests > 0 ? -ECANCELED : 0);
                CHECK_EQ(caller.after, 0); /* requests merged into one delivery */
                CHECK_EQ(belay_cancelling(task), requests);
                CHECK_EQ(belay_cancelling(caller.target), 1); /* no request was forwarded */
                belay_release(caller.target);
                belay_release(task);
        }
        return 0;
}

static int calls_with_pending(void *arg) {
        belay_cancel(belay_self(), "before");
        return calls(arg);
}

/* The caller has a request that was pending before the call. */
static int cancelled_before(void *arg) {
        struct target state = { .cleanup = 10 * BELAY_SECOND };
        struct caller caller = { .target = start(&state), .limit = BELAY_NEVER };
        belay_task *task = must(belay_spawn(calls_with_pending, &caller));

        (void) arg;
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(caller.rc, 0);
        CHECK_EQ(caller.returned, 10 * BELAY_SECOND);
        CHECK_EQ(caller.next, -ECANCELED);
        CHECK_EQ(caller.after, 0);
        belay_release(caller.target);
        belay_release(task);
        return 0;
}

/* The call's own limit still holds, and the request must not be lost there either. */
static int cancelled_and_at_the_limit(void *arg) {
        struct target state = { .refusals = 1 };
        struct caller caller = { .target = start(&state), .limit = 5 * BELAY_SECOND };
        belay_task *task = must(belay_spawn(calls, &caller));

        (void) arg;
        keep_lines();
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        belay_cancel(task, NULL);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(caller.rc, -ETIMEDOUT);
        CHECK_EQ(caller.returned, 5 * BELAY_SECOND);
        CHECK_EQ(caller.outcome, UNWRITTEN);
        CHECK_EQ(caller.next, -ECANCELED);
        CHECK_LINES(1, "still there");
        belay_set_log(NULL, NULL);
        CHECK_EQ(belay_cancel_wait(caller.target, NULL, BELAY_NEVER, NULL), 0);
        belay_release(caller.target);
        belay_release(task);
        return 0;
}

static int cancels(void *arg) {
        belay_cancel(arg, NULL);
        return 0;
}

/* The caller is cancelled when the target has ended, before the caller runs again. */
static int cancelled_at_the_end(void *arg) {
        belay_task *self = belay_self();
        belay_future *future;
        struct target state = { .result = 3 };
        belay_task *task = start(&state);
        int outcome;

        (void) arg;
        future = must(belay_future_new());
        belay_release(must(belay_spawn(cancels, self)));
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, &outcome), 0);
        CHECK_EQ(outcome, 3);
        CHECK_EQ(belay_cancelling(self), 1);
        CHECK_EQ(belay_yield(), -ECANCELED);
        CHECK_EQ(belay_yield(), 0);
        belay_release(task);
        belay_release(future);
        return 0;
}

/*
 * An enclosing timeout expires meanwhile. Its request must not be lost, so a later wait delivers it
 * (systemd: an expired timeout is dropped).
 */
static int deadline_meanwhile(void *arg) {
        struct target state = { .cleanup = 10 * BELAY_SECOND };
        belay_task *task = start(&state);
        belay_timeout limit;
        int rc;

        (void) arg;
        belay_timeout_enter(&limit, BELAY_SECOND);
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, NULL), 0);
        CHECK_EQ(belay_now(), 10 * BELAY_SECOND);
        rc = belay_sleep(BELAY_HOUR);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_now(), 10 * BELAY_SECOND);
        CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_cancelling(belay_self()), 0);
        belay_release(task);
        return 0;
}

/*
 * Only the end of the target and the limit end the wait. Callbacks, the ends of other tasks and
 * futures do not (systemd: the call returns although the task still runs).
 */
static void nothing(void *arg) {
        (void) arg;
}

static void nothing_done(belay_task *task, void *arg) {
        (void) task;
        (void) arg;
}

static int zero(void *arg) {
        (void) arg;
        return 0;
}

static int no_other_wakes(void *arg) {
        struct target state = { .refusals = 1, .cleanup = 10 * BELAY_SECOND };
        struct caller caller = { .target = start(&state), .limit = BELAY_NEVER, .rc = UNWRITTEN };
        belay_task *task = must(belay_spawn(calls, &caller)),
                   *other = must(belay_spawn(zero, NULL));

        (void) arg;
        CHECK_EQ(belay_on_done(other, nothing_done, NULL), 0);
        CHECK(belay_later(BELAY_SECOND, nothing, NULL) != 0);
        CHECK_EQ(belay_sleep(BELAY_MINUTE), 0);
        CHECK_EQ(caller.rc, UNWRITTEN);
        CHECK(!belay_done(caller.target));
        CHECK(belay_cancel(caller.target, NULL)); /* the target ends on this request */
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(caller.rc, 0);
        CHECK_EQ(caller.returned, state.ended);
        belay_release(caller.target);
        belay_release(other);
        belay_release(task);
        return 0;
}

/* Several tasks wait for the same target. */
static int several(void *arg) {
        struct target state = { .cleanup = 3 * BELAY_SECOND, .result = 2 };
        struct caller callers[3];
        belay_task *tasks[3], *task = start(&state);

        (void) arg;
        state.refusals = 2;
        for (int i = 0; i < 3; i++) {
                callers[i] = (struct caller) { .target = task, .limit = BELAY_NEVER };
                tasks[i] = must(belay_spawn(calls, &callers[i]));
                CHECK_EQ(belay_yield(), 0);
        }
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_join(tasks[i], NULL), 0);
                CHECK_EQ(callers[i].rc, 0);
                CHECK_EQ(callers[i].outcome, 2);
                belay_release(tasks[i]);
        }
        CHECK_EQ(belay_cancelling(task), 3);
        belay_release(task);
        return 0;
}

/* ---- misuse ---- */

static int wrong(void *arg) {
        int outcome = UNWRITTEN;

        (void) arg;
        keep_lines();
        CHECK_EQ(belay_cancel_wait(belay_self(), NULL, BELAY_NEVER, &outcome), -EDEADLK);
        CHECK_EQ(outcome, UNWRITTEN);
        CHECK_EQ(belay_cancelling(belay_self()), 0);
        CHECK_LINES(1, "waits for itself");
        CHECK_LINES(1, "misuse at " __FILE__);
        belay_set_log(NULL, NULL);
        return 0;
}

static void from_callback(void *arg) {
        CHECK_EQ(belay_cancel_wait(arg, NULL, BELAY_NEVER, NULL), -EPERM);
}

static int outside(void *arg) {
        struct target state = { .result = 1 };
        belay_task *task = start(&state);

        (void) arg;
        keep_lines();
        CHECK(belay_soon(from_callback, task) != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_LINES(1, "belay_cancel_wait() outside of a task");
        CHECK_EQ(belay_cancelling(task), 0); /* no request was sent */
        belay_set_log(NULL, NULL);
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, NULL), 0);
        belay_release(task);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(plain);
        RUN_VIRTUAL(done_already);
        RUN_VIRTUAL(at_the_limit);
        CHECK_EQ(belay_run(from_the_call, NULL), 0);
        RUN_VIRTUAL(caller_cancelled);
        RUN_VIRTUAL(cancelled_before);
        RUN_VIRTUAL(cancelled_and_at_the_limit);
        RUN_VIRTUAL(cancelled_at_the_end);
        RUN_VIRTUAL(deadline_meanwhile);
        RUN_VIRTUAL(no_other_wakes);
        RUN_VIRTUAL(several);
        RUN_VIRTUAL(wrong);
        RUN_VIRTUAL(outside);
        return 0;
}
