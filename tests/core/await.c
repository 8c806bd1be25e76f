/* SPDX-License-Identifier: MIT */
/*
 * Waits for the end of a task by await, join and shield. The verdict of the wait and the outcome of
 * the awaited task are two separate values.
 */
#include "../base/help.h"

enum { UNWRITTEN = 424242 };

static int ran;

static int counts(void *arg) {
        (void) arg;
        ran++;
        return 0;
}

static int returns(void *arg) {
        return *(int *) arg;
}

static int seven = 7, failure = -EIO, cancelled = -ECANCELED;

/* Ends after 1 s with the outcome at `arg`, or with the failure of its sleep. */
static int takes_a_second(void *arg) {
        int rc = belay_sleep(BELAY_SECOND);

        return rc < 0 ? rc : *(int *) arg;
}

/* Goes on after `requests` deliveries, then ends with 5. */
struct stubborn {
        int requests, seen;
};

static int refuses(void *arg) {
        struct stubborn *stubborn = arg;

        while (stubborn->seen < stubborn->requests)
                if (belay_sleep(BELAY_HOUR) == -ECANCELED)
                        stubborn->seen++;
        return 5;
}

typedef int waiting(const char *place, belay_task *task, int *outcome);

static waiting *const kinds[] = { belay_await_placed, belay_join_placed, belay_shield_placed };

/*
 * A task that waits for another task in one of the three ways, and stores the verdict and the
 * outcome.
 */
struct waiter {
        waiting *wait;
        belay_task *target;
        int rc, outcome, next;
        bool goes_on; /* whether the waiter makes another wait afterwards, for `next` */
};

static int waits(void *arg) {
        struct waiter *waiter = arg;

        waiter->outcome = UNWRITTEN;
        waiter->rc = waiter->wait("waits:1", waiter->target, &waiter->outcome);
        if (waiter->goes_on)
                waiter->next = belay_yield();
        return waiter->rc;
}

static belay_task *start_waiter(struct waiter *waiter, waiting *wait, belay_task *target) {
        belay_task *task;

        *waiter = (struct waiter) {
                .wait = wait, .target = target, .rc = UNWRITTEN, .goes_on = true
        };
        task = must(belay_spawn_with(waits, waiter,
                                     BELAY_OPTIONS(belay_spawn_options, .name = "waiter")));
        CHECK_EQ(belay_yield(), 0);
        return task;
}

/*
 * If the awaited task is done, each wait returns 0 at once. It does not yield, even if a request is
 * pending.
 */
static int done_already(void *arg) {
        int *codes[] = { &seven, &failure, &cancelled };

        (void) arg;
        for (size_t k = 0; k < 3; k++)
                for (size_t i = 0; i < 3; i++) {
                        belay_task *task = must(belay_spawn(returns, codes[i]));
                        int outcome = UNWRITTEN;

                        CHECK_EQ(belay_yield(), 0);
                        CHECK(belay_done(task));
                        ran = 0;
                        belay_release(must(belay_spawn(counts, NULL)));
                        belay_cancel(belay_self(), NULL);
                        CHECK_EQ(kinds[k]("here", task, &outcome), 0);
                        CHECK_EQ(outcome, *codes[i]);
                        CHECK_EQ(kinds[k]("here", task, NULL), 0);
                        CHECK_EQ(ran, 0);
                        CHECK_EQ(belay_yield(), -ECANCELED);
                        CHECK_EQ(belay_uncancel(belay_self()), 0);
                        CHECK_EQ(ran, 1);
                        belay_release(task);
                }
        return 0;
}

static int plain_ends(void *arg) {
        int *codes[] = { &seven, &failure, &cancelled };

        (void) arg;
        for (size_t k = 0; k < 3; k++)
                for (size_t i = 0; i < 3; i++) {
                        belay_task *task = must(belay_spawn(takes_a_second, codes[i]));
                        belay_time begin = belay_now();
                        int outcome = UNWRITTEN;

                        CHECK_EQ(kinds[k]("here", task, &outcome), 0);
                        CHECK_EQ(outcome, *codes[i]);
                        CHECK_EQ(belay_now() - begin, BELAY_SECOND);
                        /*
                         * The cancellation of another task must not count as a request for the
                         * waiting task.
                         */
                        CHECK_EQ(belay_cancelling(belay_self()), 0);
                        CHECK_EQ(belay_yield(), 0);
                        belay_release(task);
                }
        return 0;
}

/* ---- cancelled: which task, and the verdict ---- */

/* The waiting task itself is cancelled. */
static int own(void *arg) {
        struct waiter waiter;
        belay_task *target, *task;

        (void) arg;
        /*
         * Await forwards the request. The target ends cancelled, and the wait returns -ECANCELED.
         */
        target = must(belay_spawn(takes_a_second, &seven));
        task = start_waiter(&waiter, belay_await_placed, target);
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(waiter.rc, -ECANCELED);
        CHECK_EQ(waiter.outcome, -ECANCELED);
        CHECK(belay_cancelled(target));
        CHECK_EQ(waiter.next, 0); /* delivered once */
        CHECK_EQ(belay_cancelling(target), 1);
        belay_release(task);
        belay_release(target);

        /* Join and shield do not forward the request, so the target goes on. */
        for (size_t k = 1; k < 3; k++) {
                target = must(belay_spawn(takes_a_second, &seven));
                task = start_waiter(&waiter, kinds[k], target);
                CHECK(belay_cancel(task, NULL));
                CHECK_EQ(belay_join(task, NULL), 0);
                CHECK_EQ(waiter.rc, -ECANCELED);
                CHECK_EQ(waiter.outcome, UNWRITTEN);
                CHECK_EQ(waiter.next, 0);
                CHECK_EQ(belay_cancelling(target), 0);
                CHECK(!belay_done(target));
                CHECK_EQ(belay_await(target, NULL), 0);
                CHECK_EQ(belay_result(target), 7);
                belay_release(task);
                belay_release(target);
        }
        return 0;
}

/* If another task cancels the target, the wait succeeds. */
static int foreign(void *arg) {
        (void) arg;
        for (size_t k = 0; k < 3; k++) {
                struct waiter waiter;
                belay_task *target = must(belay_spawn(takes_a_second, &seven));
                belay_task *task = start_waiter(&waiter, kinds[k], target);

                CHECK(belay_cancel(target, NULL));
                CHECK_EQ(belay_await(task, NULL), 0);
                CHECK_EQ(waiter.rc, 0);
                CHECK_EQ(waiter.outcome, -ECANCELED);
                CHECK_EQ(waiter.next, 0);
                CHECK_EQ(belay_cancelling(task), 0);
                CHECK(!belay_cancelled(task));
                belay_release(task);
                belay_release(target);
        }
        return 0;
}

static void cancel_both(belay_task *target, belay_task *waiter, bool target_first) {
        CHECK(belay_cancel(target_first ? target : waiter, NULL));
        CHECK(belay_cancel(target_first ? waiter : target, NULL));
}

/*
 * The waiting task and its target are cancelled in the same instant, in either order. The waiting
 * task has one request, so exactly one delivery may reach it.
 */
static int both(void *arg) {
        (void) arg;
        for (size_t k = 0; k < 3; k++)
                for (int first = 0; first < 2; first++) {
                        struct waiter waiter;
                        belay_task *target = must(belay_spawn(takes_a_second, &seven));
                        belay_task *task = start_waiter(&waiter, kinds[k], target);
                        bool joins = kinds[k] == belay_join_placed;

                        cancel_both(target, task, first);
                        CHECK_EQ(belay_join(task, NULL), 0);
                        if (joins && waiter.rc == 0) {
                                CHECK_EQ(waiter.outcome, -ECANCELED);
                                CHECK_EQ(waiter.next, -ECANCELED);
                        } else {
                                CHECK_EQ(waiter.rc, -ECANCELED);
                                CHECK_EQ(waiter.next, 0);
                        }
                        CHECK_EQ(belay_cancelling(task), 1);
                        CHECK(belay_cancelled(target));
                        belay_release(task);
                        belay_release(target);
                }
        return 0;
}

/*
 * The target has ended, and the waiting task is cancelled before it runs again. In the functions
 * that asyncio has, the request takes precedence. Join returns the end that has already occurred.
 * An ordinary wake-up must not overwrite the result of an error wake-up (systemd, PhotonLibOS 380).
 */
static int ended_then_cancelled(void *arg) {
        (void) arg;
        for (size_t k = 0; k < 3; k++) {
                belay_future *future = must(belay_future_new());
                struct waiter waiter;
                belay_task *task = start_waiter(&waiter, kinds[k], future);

                CHECK_EQ(belay_future_set(future, 8), 0);
                CHECK(belay_cancel(task, NULL));
                CHECK_EQ(belay_join(task, NULL), 0);
                CHECK_EQ(waiter.outcome, 8);
                CHECK_EQ(waiter.rc, kinds[k] == belay_join_placed ? 0 : -ECANCELED);
                CHECK_EQ(waiter.next, kinds[k] == belay_join_placed ? -ECANCELED : 0);
                belay_release(task);
                belay_release(future);
        }
        return 0;
}

/* The reverse order: an ordinary wake-up must not replace the request that came before it. */
static int cancelled_then_ended(void *arg) {
        (void) arg;
        for (size_t k = 1; k < 3; k++) {
                belay_future *future = must(belay_future_new());
                struct waiter waiter;
                belay_task *task = start_waiter(&waiter, kinds[k], future);

                CHECK(belay_cancel(task, "first"));
                CHECK_EQ(belay_future_set(future, 8), 0);
                CHECK_EQ(belay_join(task, NULL), 0);
                if (kinds[k] == belay_join_placed) {
                        CHECK_EQ(waiter.rc, 0);
                        CHECK_EQ(waiter.next, -ECANCELED);
                } else {
                        CHECK_EQ(waiter.rc, -ECANCELED);
                        CHECK_EQ(waiter.next, 0);
                }
                CHECK_EQ(waiter.outcome, 8);
                belay_release(task);
                belay_release(future);
        }
        return 0;
}

/*
 * A target that refuses goes on, and the wait goes on with it. Each further request is forwarded to
 * the target.
 */
static int refused(void *arg) {
        struct stubborn stubborn = { .requests = 3 };
        belay_task *target = must(belay_spawn(refuses, &stubborn));
        struct waiter waiter;
        belay_task *task = start_waiter(&waiter, belay_await_placed, target);

        (void) arg;
        for (int i = 1; i <= 3; i++) {
                CHECK(belay_cancel(task, NULL));
                CHECK_EQ(belay_yield(), 0);
                CHECK_EQ(stubborn.seen, i);
                CHECK_EQ(belay_cancelling(target), i);
                CHECK_EQ(belay_cancelling(task), i);
                CHECK_EQ(waiter.rc, UNWRITTEN);
        }
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_EQ(waiter.rc, 0);
        CHECK_EQ(waiter.outcome, 5);
        CHECK_EQ(waiter.next, 0);
        CHECK(!belay_cancelled(task));
        belay_release(task);
        belay_release(target);
        return 0;
}

/* A request that was pending before the wait began is delivered to, or forwarded by, that wait. */
static int pending_before(void *arg) {
        int outcome = UNWRITTEN;
        belay_task *target = must(belay_spawn(takes_a_second, &seven));

        (void) arg;
        CHECK_EQ(belay_yield(), 0);
        belay_cancel(belay_self(), NULL);
        CHECK_EQ(belay_join(target, &outcome), -ECANCELED);
        CHECK_EQ(outcome, UNWRITTEN);
        belay_cancel(belay_self(), NULL);
        CHECK_EQ(belay_shield(target, &outcome), -ECANCELED);
        CHECK_EQ(outcome, UNWRITTEN);
        CHECK_EQ(belay_cancelling(target), 0);
        belay_cancel(belay_self(), NULL);
        CHECK_EQ(belay_await(target, &outcome), -ECANCELED);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK_EQ(belay_cancelling(target), 1);
        CHECK_EQ(belay_cancelling(belay_self()), 3);
        belay_release(target);
        return 0;
}

/* ---- several waits, and waits that end early ---- */

/*
 * Several tasks wait for the same target in all three ways. All are woken, in the order in which
 * their waits began.
 */
static int several(void *arg) {
        belay_task *target = must(belay_spawn(takes_a_second, &failure)), *tasks[9];
        struct waiter waiters[9];

        (void) arg;
        for (size_t i = 0; i < 9; i++)
                tasks[i] = start_waiter(&waiters[i], kinds[i % 3], target);
        for (size_t i = 0; i < 9; i++) {
                CHECK_EQ(belay_join(tasks[i], NULL), 0);
                CHECK_EQ(waiters[i].rc, 0);
                CHECK_EQ(waiters[i].outcome, -EIO);
                belay_release(tasks[i]);
        }
        belay_release(target);
        return 0;
}

static int releases(void *arg) {
        belay_release(arg);
        return 0;
}

/* The only handle is released while another task waits for it (libdill 215). */
static int released_meanwhile(void *arg) {
        (void) arg;
        for (size_t k = 0; k < 3; k++) {
                belay_task *target = must(belay_spawn(takes_a_second, &seven));
                int outcome = UNWRITTEN;

                belay_release(must(belay_spawn(releases, target)));
                CHECK_EQ(kinds[k]("here", target, &outcome), 0);
                CHECK_EQ(outcome, 7);
        }
        return 0;
}

/*
 * After a cancellation has ended a wait, the end of its target must not wake a later wait. In
 * systemd, wake-ups have reached waits that they did not belong to.
 */
static int left_behind(void *arg) {
        (void) arg;
        for (size_t k = 1; k < 3; k++) {
                belay_task *target = must(belay_spawn(takes_a_second, &seven));
                belay_time begin = belay_now();

                belay_cancel(belay_self(), NULL);
                CHECK_EQ(kinds[k]("here", target, NULL), -ECANCELED);
                CHECK_EQ(belay_uncancel(belay_self()), 0);
                CHECK_EQ(belay_sleep(10 * BELAY_SECOND), 0);
                CHECK_EQ(belay_now() - begin, 10 * BELAY_SECOND);
                CHECK(belay_done(target));
                belay_release(target);
        }
        return 0;
}

/* ---- misuse ---- */

static int for_oneself(void *arg) {
        /* Another task keeps running, so that the loop is not deadlocked. */
        belay_task *other = must(belay_spawn(takes_a_second, &seven)), *task;
        struct waiter waiter;
        belay_timeout limit;

        (void) arg;
        for (size_t k = 0; k < 2; k++) {
                waiter = (struct waiter) { .wait = kinds[k], .rc = UNWRITTEN };
                keep_lines();
                task = waiter.target = must(belay_spawn(waits, &waiter));
                for (int i = 0; i < 3 && !belay_done(task); i++)
                        CHECK_EQ(belay_yield(), 0);
                CHECK(belay_done(task));
                CHECK_EQ(waiter.rc, -EDEADLK);
                CHECK_EQ(waiter.outcome, UNWRITTEN);
                CHECK_EQ(belay_result(task), -EDEADLK);
                CHECK_LINES(1, "misuse at waits:1");
                CHECK_LINES(1, "waits for itself");
                belay_release(task);
        }

        /* A task that shields itself waits until it is cancelled, as in asyncio. */
        keep_lines();
        waiter = (struct waiter) { .wait = belay_shield_placed, .rc = UNWRITTEN };
        task = waiter.target = must(belay_spawn(waits, &waiter));
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK_EQ(waiter.rc, UNWRITTEN);
        belay_cancel(task, NULL);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(waiter.rc, -ECANCELED);
        CHECK_EQ(waiter.outcome, UNWRITTEN);
        CHECK_LINES(1, "misuse at waits:1: task #");
        CHECK_LINES(1, "shields itself");
        CHECK(!belay_done(other));
        /* A timeout ends that wait. If nothing else could end it, the deadlock is broken. */
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_MILLISECOND), 0);
        CHECK_EQ(belay_timeout_leave(&limit, belay_shield(belay_self(), NULL)), -ETIMEDOUT);
        CHECK_EQ(belay_join(other, NULL), 0);
        CHECK_EQ(belay_shield(belay_self(), NULL), -EDEADLK);
        CHECK_LINES(3, "shields itself");
        belay_release(task);
        belay_release(other);
        belay_set_log(NULL, NULL);
        return 0;
}

static int awaits_itself_then_sleeps(void *arg) {
        (void) arg;
        CHECK_EQ(belay_await(belay_self(), NULL), -EDEADLK);
        return belay_sleep(BELAY_SECOND);
}

/*
 * After a task has awaited itself, no task can await it until it has ended, as in asyncio. Join and
 * shield are not affected.
 */
static int who_awaited_itself(void *arg) {
        belay_task *task = must(belay_spawn(awaits_itself_then_sleeps, NULL));
        int outcome = UNWRITTEN;

        (void) arg;
        keep_lines();
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK_EQ(belay_await(task, &outcome), -EDEADLK);
        CHECK_EQ(outcome, UNWRITTEN);
        CHECK(!belay_done(task));
        CHECK_EQ(belay_join(task, &outcome), 0);
        CHECK_EQ(outcome, 0);
        CHECK_EQ(belay_await(task, &outcome), 0);
        belay_set_log(NULL, NULL);
        belay_release(task);
        return 0;
}

/* A NULL handle stands for a task that could not be started, so each wait returns -ENOMEM. */
static int no_handle(void *arg) {
        int outcome = UNWRITTEN;

        (void) arg;
        for (size_t k = 0; k < 3; k++)
                CHECK_EQ(kinds[k]("here", NULL, &outcome), -ENOMEM);
        CHECK_EQ(outcome, UNWRITTEN);
        return 0;
}

static void from_a_callback(void *arg) {
        int outcome = UNWRITTEN;

        for (size_t k = 0; k < 3; k++)
                CHECK_EQ(kinds[k]("callback:1", arg, &outcome), -EPERM);
        CHECK_EQ(outcome, UNWRITTEN);
        ran = 99;
}

static int outside_of_a_task(void *arg) {
        belay_task *target = must(belay_spawn(takes_a_second, &seven));

        (void) arg;
        keep_lines();
        CHECK(belay_soon(from_a_callback, target) != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(ran, 99);
        CHECK_LINES(3, "misuse at callback:1");
        CHECK_LINES(1, "belay_await() outside of a task");
        CHECK_LINES(1, "belay_join() outside of a task");
        CHECK_LINES(1, "belay_shield() outside of a task");
        belay_set_log(NULL, NULL);
        belay_release(target);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(done_already);
        RUN_VIRTUAL(plain_ends);
        RUN_VIRTUAL(own);
        RUN_VIRTUAL(foreign);
        RUN_VIRTUAL(both);
        RUN_VIRTUAL(ended_then_cancelled);
        RUN_VIRTUAL(cancelled_then_ended);
        RUN_VIRTUAL(refused);
        RUN_VIRTUAL(pending_before);
        RUN_VIRTUAL(several);
        RUN_VIRTUAL(released_meanwhile);
        RUN_VIRTUAL(left_behind);
        RUN_VIRTUAL(for_oneself);
        RUN_VIRTUAL(who_awaited_itself);
        RUN_VIRTUAL(no_handle);
        RUN_VIRTUAL(outside_of_a_task);
        return 0;
}
