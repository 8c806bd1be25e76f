/* SPDX-License-Identifier: MIT */
/*
 * Waits under a limit: for a function with belay_wait_for(), for a task with belay_await_for().
 */
#include "parts.h"

static int function(void *arg) {
        struct part part;

        (void) arg;
        part = (struct part) { .span = SECONDS(1), .end = 7 };
        CHECK_EQ(belay_wait_for(play, &part, SECONDS(2)), 7);
        CHECK_EQ(belay_wait_for(play, &part, BELAY_NEVER), 7);
        CHECK_CLEAN();

        part = (struct part) { .span = SECONDS(1), .end = -EPROTO, .text = "bad header" };
        CHECK_EQ(belay_wait_for(play, &part, SECONDS(2)), -EPROTO);
        CHECK_LEFT(-EPROTO, "bad header");

        part = (struct part) { .span = SECONDS(5), .clean_up = SECONDS(3) };
        CHECK_EQ(belay_wait_for(play, &part, SECONDS(2)), -ETIMEDOUT);
        CHECK_EQ(part.origin, BELAY_ORIGIN_TIMEOUT);
        CHECK_LEFT(-ETIMEDOUT, NULL);
        CHECK_EQ(part.ended, 1);
        CHECK_CLEAN();

        /* The function runs in the calling task. */
        part = (struct part) { .span = SECONDS(5), .refuses = 1, .end = 4 };
        CHECK_EQ(belay_wait_for(play, &part, SECONDS(2)), 4);
        CHECK_EQ(part.requests, 1);
        CHECK_CLEAN();
        return 0;
}

static int without_time(void *arg) {
        static const belay_time spans[] = { 0, -1, INT64_MIN };
        belay_time begin = belay_now();

        (void) arg;
        for (size_t i = 0; i < 3; i++) {
                struct part part = { .end = 7 };

                CHECK_EQ(belay_wait_for(play, &part, spans[i]), -ETIMEDOUT);
                CHECK_EQ(part.begun, 0);
                CHECK_LEFT(-ETIMEDOUT, NULL);
                belay_cancel(belay_self(), NULL);
                CHECK_EQ(belay_wait_for(play, &part, spans[i]), -ECANCELED);
                CHECK_EQ(part.begun, 0);
                CHECK_DELIVERED();
        }
        CHECK_EQ(belay_now(), begin);
        return 0;
}

struct nested {
        belay_fn *fn;
        void *arg;
        belay_time span;
        int rc;
};

static int waits_within(void *arg) {
        struct nested *nested = arg;

        nested->rc = belay_wait_for(nested->fn, nested->arg, nested->span);
        return nested->rc;
}

static int nested(void *arg) {
        struct part part = { .span = SECONDS(9) };
        struct nested inner = { play, &part, SECONDS(1), UNWRITTEN };

        (void) arg;
        CHECK_EQ(belay_wait_for(waits_within, &inner, SECONDS(3)), -ETIMEDOUT);
        CHECK_EQ(inner.rc, -ETIMEDOUT);
        inner.span = SECONDS(3);
        CHECK_EQ(belay_wait_for(waits_within, &inner, SECONDS(1)), -ETIMEDOUT);
        CHECK_EQ(inner.rc, -ECANCELED);
        CHECK_CLEAN();
        return 0;
}

static int cancelled_outside(void *arg) {
        struct part part = { .span = SECONDS(9) };

        (void) arg;
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_wait_for(play, &part, SECONDS(3)), -ECANCELED);
        CHECK_EQ(part.origin, BELAY_ORIGIN_CALLER);
        CHECK_DELIVERED();
        /* The function returns a result in spite of the request, which still counts. */
        part = (struct part) { .span = SECONDS(9), .end_cancelled = 6 };
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_wait_for(play, &part, SECONDS(3)), 6);
        CHECK_DELIVERED();
        return 0;
}

/* ---- a task ---- */

static int task(void *arg) {
        struct part part;
        belay_task *task;
        int outcome;

        (void) arg;
        for (int i = 0; i < 2; i++) {
                part = (struct part) { .span = SECONDS(1),
                                       .end = i ? 7 : -EPROTO,
                                       .text = "bad header" };
                task = start_part(&part);
                outcome = UNWRITTEN;
                CHECK_EQ(belay_await_for(task, i ? SECONDS(2) : BELAY_NEVER, &outcome), 0);
                CHECK_EQ(outcome, part.end);
                if (!i)
                        CHECK_LEFT(-EPROTO, "bad header");
                /* The task is done, so the call returns at once with any limit. */
                belay_cancel(belay_self(), NULL);
                CHECK_EQ(belay_await_for(task, 0, &outcome), 0);
                CHECK_EQ(belay_await_for(task, -1, &outcome), 0);
                CHECK_EQ(belay_await_for(task, SECONDS(1), NULL), 0);
                CHECK_EQ(outcome, part.end);
                CHECK_PENDING();
                belay_release(task);
        }
        CHECK_CLEAN();
        return 0;
}

static int too_slow(void *arg) {
        static const belay_time spans[] = { SECONDS(2), 0, -1 };

        (void) arg;
        for (size_t i = 0; i < 3; i++) {
                struct part part = { .span = SECONDS(9), .clean_up = SECONDS(1) };
                belay_task *task = start_part(&part);
                belay_time begin = belay_now();
                int outcome = UNWRITTEN;

                CHECK_EQ(belay_yield(), 0);
                CHECK_EQ(belay_await_for(task, spans[i], &outcome), -ETIMEDOUT);
                CHECK(belay_done(task) && belay_cancelled(task));
                CHECK_EQ(outcome, -ECANCELED);
                CHECK_EQ(part.requests, 1);
                CHECK_EQ(belay_now() - begin, (i == 0 ? SECONDS(2) : 0) + SECONDS(1));
                CHECK_LEFT(-ETIMEDOUT, NULL);
                belay_release(task);
                CHECK_CLEAN();
        }
        return 0;
}

/* A task that refuses is waited for, and its outcome is returned. */
static int refusing(void *arg) {
        static const int ends[] = { 5, -EIO };

        (void) arg;
        for (size_t i = 0; i < 4; i++) {
                struct part part = {
                        .span = SECONDS(9), .refuses = 1, .end = ends[i / 2], .text = "late"
                };
                belay_task *task = start_part(&part);
                belay_time begin = belay_now();
                int outcome = UNWRITTEN;

                CHECK_EQ(belay_yield(), 0);
                CHECK_EQ(belay_await_for(task, i % 2 ? 0 : SECONDS(2), &outcome), 0);
                CHECK_EQ(outcome, part.end);
                if (part.end < 0)
                        CHECK_LEFT(-EIO, "late");
                CHECK_EQ(part.requests, 1);
                CHECK_EQ(belay_now() - begin, SECONDS(9));
                belay_release(task);
                CHECK_CLEAN();
        }
        return 0;
}

/*
 * Another task cancels the target before the limit. The outcome is -ECANCELED, with no timeout and
 * no request for the caller.
 */
static int foreign(void *arg) {
        struct part part = { .span = SECONDS(9) };
        belay_task *task = start_part(&part);
        int outcome = UNWRITTEN;

        (void) arg;
        cancel_after(SECONDS(1), task);
        CHECK_EQ(belay_await_for(task, SECONDS(2), &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK_CLEAN();
        belay_release(task);
        return 0;
}

struct waiter {
        belay_task *target;
        belay_time span;
        int rc, outcome, next;
};

static int awaits(void *arg) {
        struct waiter *waiter = arg;

        waiter->outcome = UNWRITTEN;
        waiter->rc = belay_await_for(waiter->target, waiter->span, &waiter->outcome);
        waiter->next = belay_yield();
        return waiter->rc;
}

static void ends_and_cancels(void *arg) {
        belay_task **both = arg;

        CHECK_EQ(belay_future_set(both[0], 7), 0);
        CHECK(belay_cancel(both[1], NULL));
}

static void cancels_and_ends(void *arg) {
        belay_task **both = arg;

        CHECK(belay_cancel(both[1], NULL));
        CHECK(belay_done(both[0]) || belay_future_set(both[0], 7) == 0);
}

/*
 * A result and a cancellation of the caller come together. The result must not discard the request
 * (asyncio 86296).
 */
static int kept(void *arg) {
        static void (*const ways[])(void *arg) = { ends_and_cancels, cancels_and_ends };

        (void) arg;
        for (size_t i = 0; i < 2; i++) {
                belay_future *future = must(belay_future_new());
                struct waiter waiter = { .target = future, .span = SECONDS(5) };
                belay_task *task = must(belay_spawn(awaits, &waiter)), *both[] = { future, task };

                CHECK(belay_later(SECONDS(1), ways[i], both) != 0);
                CHECK_EQ(belay_join(task, NULL), 0);
                CHECK_EQ(waiter.rc, -ECANCELED);
                CHECK_EQ(waiter.next, 0);
                CHECK_EQ(belay_cancelling(task), 1);
                CHECK_EQ(ended_with(task), -ECANCELED);
                belay_release(future);
        }
        return 0;
}

/* The caller's own request is forwarded to the task, and must not be taken for a timeout. */
static int own(void *arg) {
        (void) arg;
        for (int refuses = 0; refuses < 2; refuses++) {
                struct part part = { .span = SECONDS(3), .refuses = refuses, .end = 7 };
                belay_task *target = start_part(&part), *task;
                struct waiter waiter = { .target = target, .span = SECONDS(5) };

                task = must(belay_spawn(awaits, &waiter));
                cancel_after(SECONDS(1), task);
                CHECK_EQ(belay_join(task, NULL), 0);
                CHECK_EQ(part.requests, 1);
                CHECK_EQ(part.origin, BELAY_ORIGIN_AWAITER);
                CHECK_EQ(waiter.rc, refuses ? 0 : -ECANCELED);
                CHECK_EQ(waiter.outcome, refuses ? 7 : -ECANCELED);
                CHECK_EQ(waiter.next, 0);
                CHECK_EQ(belay_cancelling(task), 1);
                belay_release(task);
                belay_release(target);
        }
        /* The request comes while the task that the limit cancelled cleans up. */
        for (int i = 0; i < 2; i++) {
                struct part part = { .span = SECONDS(9), .clean_up = SECONDS(5) };
                belay_task *target = start_part(&part), *task;
                struct waiter waiter = { .target = target, .span = i ? 0 : SECONDS(1) };

                task = must(belay_spawn(awaits, &waiter));
                cancel_after(SECONDS(2), task);
                CHECK_EQ(belay_join(task, NULL), 0);
                CHECK_EQ(waiter.rc, -ECANCELED);
                CHECK_EQ(waiter.next, 0);
                CHECK_EQ(belay_cancelling(task), 1);
                belay_release(task);
                CHECK_EQ(belay_join(target, NULL), 0);
                belay_release(target);
        }
        return 0;
}

static void waits_in_callback(void *arg) {
        struct part part = { .end = 7 };
        int outcome = UNWRITTEN;

        CHECK_EQ(belay_wait_for(play, &part, SECONDS(1)), -EPERM);
        CHECK_EQ(part.begun, 0);
        CHECK_EQ(belay_await_for(arg, SECONDS(1), &outcome), -EPERM);
        CHECK_EQ(belay_await_for(arg, 0, &outcome), -EPERM);
        CHECK_EQ(outcome, UNWRITTEN);
}

static int wrong(void *arg) {
        belay_future *future = must(belay_future_new());
        int outcome = UNWRITTEN;

        (void) arg;
        keep_lines();
        CHECK(belay_soon(waits_in_callback, future) != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_LINES(3, "misuse at " __FILE__);
        keep_lines();
        CHECK_EQ(belay_await_for(belay_self(), SECONDS(1), &outcome), -EDEADLK);
        CHECK_EQ(outcome, UNWRITTEN);
        CHECK_LINES(1, "waits for itself");
        CHECK_EQ(belay_await_for(NULL, SECONDS(1), &outcome), -ENOMEM);
        belay_set_log(NULL, NULL);
        CHECK_CLEAN();
        belay_release(future);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(function);
        RUN_VIRTUAL(without_time);
        RUN_VIRTUAL(nested);
        RUN_VIRTUAL(cancelled_outside);
        RUN_VIRTUAL(task);
        RUN_VIRTUAL(too_slow);
        RUN_VIRTUAL(refusing);
        RUN_VIRTUAL(foreign);
        RUN_VIRTUAL(kept);
        RUN_VIRTUAL(own);
        RUN_VIRTUAL(wrong);
        return 0;
}
