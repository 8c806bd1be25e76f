/* SPDX-License-Identifier: MIT */
/*
 * Shielded regions: which requests they hold back, which they do not, and when the requests become
 * pending.
 */
#include "parts.h"

static int held_back(void *arg) {
        static const int ends[] = { 5, -EIO, -ECANCELED };
        belay_shield_scope shield;

        (void) arg;
        for (size_t i = 0; i < 3; i++) {
                CHECK_EQ(belay_shield_enter(&shield, i == 0 ? BELAY_NEVER : SECONDS(50)), 0);
                cancel_after(SECONDS(1), belay_self());
                cancel_after(SECONDS(2), belay_self());
                for (int k = 0; k < 3; k++)
                        CHECK_EQ(belay_sleep(SECONDS(1)), 0);
                CHECK_EQ(belay_cancelling(belay_self()), 2);
                CHECK_EQ(belay_shield_leave(&shield, ends[i]), ends[i]);
                /* One delivery for both requests. */
                CHECK_EQ(belay_yield(), -ECANCELED);
                CHECK_EQ(origin_kind(belay_self()), BELAY_ORIGIN_CALLER);
                CHECK_EQ(belay_yield(), 0);
                belay_uncancel(belay_self());
                belay_uncancel(belay_self());
                CHECK_CLEAN();
        }
        return 0;
}

/*
 * A shield holds back only requests that come after it was entered. A request that was pending
 * before is delivered.
 */
static int pending_before(void *arg) {
        belay_shield_scope shield;

        (void) arg;
        belay_cancel(belay_self(), "before");
        belay_shield_enter(&shield, BELAY_NEVER);
        CHECK_EQ(belay_sleep(SECONDS(1)), -ECANCELED);
        CHECK_EQ(belay_shield_leave(&shield, 0), 0);
        CHECK_DELIVERED();
        return 0;
}

static int nothing_held(void *arg) {
        belay_shield_scope shield;

        (void) arg;
        belay_shield_enter(&shield, SECONDS(1));
        CHECK_EQ(belay_sleep(SECONDS(3)), 0);
        CHECK_EQ(belay_shield_leave(&shield, 3), 3);
        CHECK_CLEAN();
        /* The request is withdrawn while it is held back. */
        belay_shield_enter(&shield, BELAY_NEVER);
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_sleep(SECONDS(3)), 0);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        CHECK_EQ(belay_shield_leave(&shield, 3), 3);
        CHECK_CLEAN();
        /* After the shield is left, requests are delivered as usual. */
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_sleep(SECONDS(3)), -ECANCELED);
        CHECK_DELIVERED();
        return 0;
}

/* The limit of the shield is over: the request is delivered inside, once. */
static int limit(void *arg) {
        static const belay_time spans[] = { SECONDS(2), 0, -1 };
        belay_shield_scope shield;

        (void) arg;
        for (size_t i = 0; i < 3; i++) {
                belay_time begin = belay_now();

                belay_shield_enter(&shield, spans[i]);
                cancel_after(SECONDS(1), belay_self());
                CHECK_EQ(belay_sleep(SECONDS(9)), -ECANCELED);
                CHECK_EQ(belay_now() - begin, SECONDS(i == 0 ? 2 : 1));
                CHECK_EQ(belay_sleep(SECONDS(1)), 0);
                CHECK_EQ(belay_shield_leave(&shield, -ECANCELED), -ECANCELED);
                CHECK_DELIVERED();
        }
        /* A request that comes after the limit. */
        belay_shield_enter(&shield, SECONDS(1));
        cancel_after(SECONDS(2), belay_self());
        CHECK_EQ(belay_sleep(SECONDS(9)), -ECANCELED);
        CHECK_EQ(belay_shield_leave(&shield, 0), 0);
        CHECK_DELIVERED();
        /* The limit passes while the task computes. The next wait delivers the request. */
        belay_shield_enter(&shield, SECONDS(2));
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_sleep(SECONDS(1) + 1), 0);
        CHECK_EQ(belay_advance(SECONDS(5)), 0);
        CHECK_EQ(belay_sleep(SECONDS(9)), -ECANCELED);
        CHECK_EQ(belay_shield_leave(&shield, 0), 0);
        CHECK_DELIVERED();
        return 0;
}

/* ---- other scopes ---- */

static int limits(void *arg) {
        belay_shield_scope shield;
        belay_timeout outer, inner;
        belay_time begin = belay_now();
        int rc;

        (void) arg;
        /* Timeouts that were entered inside expire, even while a request is held back. */
        belay_shield_enter(&shield, BELAY_NEVER);
        cancel_after(BELAY_MILLISECOND, belay_self());
        belay_timeout_enter(&inner, SECONDS(1));
        rc = belay_sleep(SECONDS(9));
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_now() - begin, SECONDS(1));
        CHECK_EQ(origin_kind(belay_self()), BELAY_ORIGIN_TIMEOUT);
        (void) !belay_timeout_leave(&inner, rc);
        CHECK(belay_timeout_expired(&inner));
        CHECK_EQ(belay_sleep(SECONDS(1)), 0);
        CHECK_EQ(belay_shield_leave(&shield, 0), 0);
        CHECK_PENDING();

        /* The same without another request. */
        belay_shield_enter(&shield, BELAY_NEVER);
        CHECK_EQ(belay_wait_for(play, &(struct part) { .span = SECONDS(9) }, SECONDS(1)),
                 -ETIMEDOUT);
        CHECK_EQ(belay_shield_leave(&shield, 0), 0);
        CHECK_CLEAN();

        /* The request of a timeout around the shield is held back, and then becomes -ETIMEDOUT. */
        belay_timeout_enter(&outer, SECONDS(1));
        belay_shield_enter(&shield, BELAY_NEVER);
        CHECK_EQ(belay_sleep(SECONDS(3)), 0);
        CHECK(belay_timeout_expired(&outer));
        CHECK_EQ(belay_shield_leave(&shield, 0), 0);
        rc = belay_yield();
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(origin_kind(belay_self()), BELAY_ORIGIN_TIMEOUT);
        CHECK_EQ(belay_timeout_leave(&outer, rc), -ETIMEDOUT);
        CHECK_CLEAN();

        /* Without a wait in between, leaving the timeout withdraws its request. */
        belay_timeout_enter(&outer, SECONDS(1));
        belay_shield_enter(&shield, BELAY_NEVER);
        CHECK_EQ(belay_sleep(SECONDS(3)), 0);
        CHECK_EQ(belay_shield_leave(&shield, 8), 8);
        CHECK_EQ(belay_timeout_leave(&outer, 8), 8);
        CHECK_CLEAN();
        return 0;
}

static int groups(void *arg) {
        struct part fails = { .span = SECONDS(1), .end = -EIO }, slow = { .span = SECONDS(3) };
        belay_shield_scope shield;
        belay_group group;
        int rc;

        (void) arg;
        /* A member of a group inside fails, and the body is cancelled. */
        belay_shield_enter(&shield, BELAY_NEVER);
        belay_group_enter(&group);
        CHECK_EQ(belay_group_spawn(&group, play, &fails), 0);
        CHECK_EQ(belay_group_spawn(&group, play, &slow), 0);
        rc = belay_sleep(SECONDS(9));
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_group_leave(&group, rc), -EIO);
        CHECK_EQ(belay_shield_leave(&shield, 0), 0);
        CHECK_EQ(slow.requests, 1);
        CHECK_CLEAN();

        /* The whole group inside is cancelled. */
        belay_shield_enter(&shield, BELAY_NEVER);
        belay_group_enter(&group);
        CHECK_EQ(belay_group_spawn(&group, play, &slow), 0);
        CHECK_EQ(belay_yield(), 0);
        belay_group_cancel(&group);
        CHECK_EQ(belay_group_leave(&group, belay_sleep(SECONDS(9))), 0);
        CHECK_EQ(belay_shield_leave(&shield, 0), 0);
        CHECK_EQ(slow.requests, 2);
        CHECK_CLEAN();

        /*
         * A group inside is left while a request comes from outside. Its members must not be
         * cancelled.
         */
        slow = (struct part) { .span = SECONDS(3) };
        belay_shield_enter(&shield, BELAY_NEVER);
        belay_group_enter(&group);
        CHECK_EQ(belay_group_spawn(&group, play, &slow), 0);
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_group_leave(&group, 2), 2);
        CHECK_EQ(belay_shield_leave(&shield, 0), 0);
        CHECK_EQ(slow.requests, 0);
        CHECK_PENDING();

        /* The failure of a member of a group around the shield is held back. */
        slow = (struct part) { .span = SECONDS(9) };
        belay_group_enter(&group);
        CHECK_EQ(belay_group_spawn(&group, play, &fails), 0);
        CHECK_EQ(belay_group_spawn(&group, play, &slow), 0);
        belay_shield_enter(&shield, BELAY_NEVER);
        CHECK_EQ(belay_sleep(SECONDS(2)), 0);
        CHECK_EQ(slow.requests, 1);
        CHECK_EQ(belay_shield_leave(&shield, 0), 0);
        rc = belay_yield();
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_group_leave(&group, rc), -EIO);
        CHECK_CLEAN();
        return 0;
}

static int nested(void *arg) {
        belay_shield_scope outer, inner;
        belay_time begin = belay_now();

        (void) arg;
        /* The inner shield is left, and the outer shield still holds the request back. */
        belay_shield_enter(&outer, BELAY_NEVER);
        belay_shield_enter(&inner, BELAY_NEVER);
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_sleep(SECONDS(2)), 0);
        CHECK_EQ(belay_shield_leave(&inner, 0), 0);
        CHECK_EQ(belay_sleep(SECONDS(2)), 0);
        CHECK_EQ(belay_shield_leave(&outer, 0), 0);
        CHECK_PENDING();
        /*
         * The limit of the inner shield is over, and the outer shield still holds the request back.
         */
        belay_shield_enter(&outer, BELAY_NEVER);
        belay_shield_enter(&inner, SECONDS(2));
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_sleep(SECONDS(5)), 0);
        CHECK_EQ(belay_shield_leave(&inner, 0), 0);
        CHECK_EQ(belay_sleep(SECONDS(2)), 0);
        CHECK_EQ(belay_shield_leave(&outer, 0), 0);
        CHECK_PENDING();
        /*
         * The limit of the outer shield is over. The inner shield holds the request back itself,
         * until it is left.
         */
        begin = belay_now();
        belay_shield_enter(&outer, SECONDS(2));
        belay_shield_enter(&inner, BELAY_NEVER);
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_sleep(SECONDS(5)), 0);
        CHECK_EQ(belay_shield_leave(&inner, 0), 0);
        CHECK_EQ(belay_sleep(SECONDS(5)), -ECANCELED);
        CHECK_EQ(belay_shield_leave(&outer, 0), 0);
        CHECK_DELIVERED();
        /* Both limits are over at the later of the two instants. */
        for (int i = 0; i < 2; i++) {
                begin = belay_now();
                belay_shield_enter(&outer, SECONDS(i ? 2 : 3));
                belay_shield_enter(&inner, SECONDS(i ? 3 : 2));
                cancel_after(SECONDS(1), belay_self());
                CHECK_EQ(belay_sleep(SECONDS(9)), -ECANCELED);
                CHECK_EQ(belay_now() - begin, SECONDS(3));
                CHECK_EQ(belay_shield_leave(&inner, 0), 0);
                CHECK_EQ(belay_shield_leave(&outer, 0), 0);
                CHECK_DELIVERED();
        }
        return 0;
}

/*
 * Requests of timeouts that stand between two regions. The inner region holds them back alone, and
 * the outer region holds back the requests from outside of both.
 */
static int between(void *arg) {
        static const belay_time spans[] = { BELAY_NEVER, SECONDS(4) };
        belay_shield_scope outer, inner;
        belay_timeout limits[2];
        int rc;

        (void) arg;
        for (size_t i = 0; i < 8; i++) {
                bool outside = i % 4 < 2, both = i < 4;

                belay_shield_enter(&outer, BELAY_NEVER);
                belay_timeout_enter(&limits[0], SECONDS(2));
                belay_timeout_enter(&limits[1], both ? SECONDS(3) : BELAY_NEVER);
                belay_shield_enter(&inner, spans[i % 2]);
                if (outside)
                        cancel_after(SECONDS(1), belay_self());
                CHECK_EQ(belay_sleep(SECONDS(3) + 1), 0);
                CHECK_EQ(belay_cancelling(belay_self()), 1 + outside + both);
                if (i % 2 == 0) {
                        CHECK_EQ(belay_shield_leave(&inner, 0), 0);
                        CHECK_EQ(belay_yield(), -ECANCELED);
                } else {
                        belay_time begin = belay_now();

                        CHECK_EQ(belay_sleep(SECONDS(9)), -ECANCELED);
                        CHECK_EQ(belay_now() - begin, SECONDS(1) - 1);
                        CHECK_EQ(belay_shield_leave(&inner, 0), 0);
                }
                CHECK_EQ(belay_yield(), 0);
                /* When the inner timeout is left, the request of the outer timeout still counts. */
                rc = belay_timeout_leave(&limits[1], -ECANCELED);
                CHECK_EQ(rc, -ECANCELED);
                CHECK_EQ(belay_timeout_leave(&limits[0], rc), -ETIMEDOUT);
                CHECK_EQ(belay_yield(), 0);
                CHECK_EQ(belay_shield_leave(&outer, 0), 0);
                if (outside)
                        CHECK_PENDING();
                else
                        CHECK_CLEAN();
        }
        return 0;
}

/*
 * The limit of a region in the middle is over. The next region further in takes over the requests
 * that the middle one held back alone, and holds back later ones. The outer region keeps its own.
 */
static int taken_over(void *arg) {
        belay_shield_scope outer, middle, inner, innermost;
        belay_timeout limits[2];
        int rc;

        (void) arg;
        belay_shield_enter(&outer, BELAY_NEVER);
        belay_timeout_enter(&limits[0], SECONDS(1));
        belay_timeout_enter(&limits[1], SECONDS(3));
        belay_shield_enter(&middle, SECONDS(2));
        belay_shield_enter(&inner, BELAY_NEVER);
        belay_shield_enter(&innermost, BELAY_NEVER);
        cancel_after(BELAY_MILLISECOND, belay_self());
        CHECK_EQ(belay_sleep(SECONDS(4)), 0);
        CHECK_EQ(belay_cancelling(belay_self()), 3);
        CHECK_EQ(belay_shield_leave(&innermost, 0), 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_shield_leave(&inner, 0), 0);
        CHECK_EQ(belay_yield(), -ECANCELED);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_shield_leave(&middle, 0), 0);
        CHECK_EQ(belay_yield(), 0);
        rc = belay_timeout_leave(&limits[1], -ECANCELED);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&limits[0], rc), -ETIMEDOUT);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_shield_leave(&outer, 0), 0);
        CHECK_PENDING();
        return 0;
}

/* ---- the senders of requests ---- */

/* A task that cancels itself sends the request from inside. */
static int of_oneself(void *arg) {
        belay_shield_scope shield;

        (void) arg;
        belay_shield_enter(&shield, BELAY_NEVER);
        belay_cancel(belay_self(), "enough");
        CHECK_EQ(belay_sleep(SECONDS(1)), -ECANCELED);
        CHECK_LEFT(-ECANCELED, "enough");
        CHECK_EQ(belay_shield_leave(&shield, 0), 0);
        CHECK_DELIVERED();
        return 0;
}

/*
 * Tasks are awaited inside. A request for the awaiting task is not forwarded to them, and a request
 * of their own is delivered.
 */
static int tasks(void *arg) {
        struct part part = { .span = SECONDS(3), .end = 7 };
        belay_shield_scope shield;
        belay_task *task;
        int outcome = UNWRITTEN;

        (void) arg;
        belay_shield_enter(&shield, BELAY_NEVER);
        task = start_part(&part);
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(outcome, 7);
        CHECK_EQ(part.requests, 0);
        belay_release(task);
        task = start_part(&part);
        cancel_after(SECONDS(1), task);
        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK_EQ(part.requests, 1);
        belay_release(task);
        CHECK_EQ(belay_shield_leave(&shield, 0), 0);
        CHECK_PENDING();
        /*
         * The limit of the shield is over while the task awaits another. Then the request is
         * forwarded.
         */
        part = (struct part) { .span = SECONDS(5) };
        task = start_part(&part);
        belay_shield_enter(&shield, SECONDS(2));
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_await(task, NULL), -ECANCELED);
        CHECK_EQ(part.requests, 1);
        CHECK_EQ(belay_shield_leave(&shield, 0), 0);
        CHECK_DELIVERED();
        belay_release(task);
        return 0;
}

static int whole;

static int shielded(void *arg) {
        belay_shield_scope shield;
        int rc;

        belay_shield_enter(&shield, *(belay_time *) arg);
        rc = belay_sleep(SECONDS(5));
        whole += rc == 0;
        rc = belay_shield_leave(&shield, rc);
        return rc < 0 ? rc : belay_sleep(SECONDS(5));
}

/* A cancel-and-wait, the leave of a group and the shutdown all wait for a shielded task. */
static int from_all_sides(void *arg) {
        static belay_time never = BELAY_NEVER, short_time = SECONDS(2);
        belay_task *task = must(belay_spawn(shielded, &never));
        belay_group group;
        belay_time begin = belay_now();
        int outcome;

        (void) arg;
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK_EQ(belay_now() - begin, SECONDS(5));
        CHECK_EQ(whole, 1);
        belay_release(task);

        begin = belay_now();
        belay_group_enter(&group);
        CHECK_EQ(belay_group_spawn(&group, shielded, &never), 0);
        CHECK_EQ(belay_group_spawn(&group, shielded, &short_time), 0);
        CHECK_EQ(belay_yield(), 0);
        belay_group_cancel(&group);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        CHECK_EQ(belay_now() - begin, SECONDS(5));
        CHECK_EQ(whole, 2);

        belay_release(must(belay_spawn(shielded, &never)));
        return belay_yield();
}

int main(void) {
        RUN_VIRTUAL(held_back);
        RUN_VIRTUAL(pending_before);
        RUN_VIRTUAL(nothing_held);
        RUN_VIRTUAL(limit);
        RUN_VIRTUAL(limits);
        RUN_VIRTUAL(groups);
        RUN_VIRTUAL(nested);
        RUN_VIRTUAL(between);
        RUN_VIRTUAL(taken_over);
        RUN_VIRTUAL(of_oneself);
        RUN_VIRTUAL(tasks);
        RUN_VIRTUAL(from_all_sides);
        CHECK_EQ(whole, 3);
        return 0;
}
