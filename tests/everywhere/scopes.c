/* SPDX-License-Identifier: MIT */
/*
 * Tests timeouts, groups and shielded regions with each wait cancelled. A timeout must expire only
 * for its own body, and no member may outlive its group. A shielded region must run to its end.
 */
#include "everywhere/everywhere.h"

static int alive, begun, whole, arguments, destroyed;

static void reset(void *arg) {
        (void) arg;
        alive = begun = whole = arguments = destroyed = 0;
}

static int check(void *arg, int outcome) {
        (void) arg;
        if (alive != 0)
                return 1;
        if (begun != whole)
                return 2;
        if (arguments != destroyed)
                return 3;
        return outcome >= 0 || is_cancelled(outcome) ? 0 : 4;
}

static int nap(int seconds) {
        return belay_sleep(seconds * BELAY_SECOND);
}

/* ---- timeouts ---- */

/* The inner timeout expires. The outer one is rescheduled, and expires later. */
static int limits(void *arg) {
        belay_timeout outer, inner;
        int rc;

        (void) arg;
        belay_timeout_enter(&outer, 10 * BELAY_SECOND);
        belay_timeout_enter(&inner, 2 * BELAY_SECOND);
        rc = nap(1);
        if (rc == 0)
                rc = nap(5);
        CHECK_EQ(rc, -ECANCELED);
        (void) !nap(1);
        rc = belay_timeout_leave(&inner, rc);
        /* The result must tell a request from outside from an expiry of the inner timeout. */
        CHECK(rc == -ETIMEDOUT || rc == -ECANCELED);
        if (rc == -ETIMEDOUT) {
                CHECK(belay_timeout_expired(&inner));
                rc = belay_timeout_reschedule(&outer, 3 * BELAY_SECOND);
                if (rc == 0)
                        rc = nap(2);
                if (rc == 0)
                        rc = belay_timeout_reschedule(&outer, 3 * BELAY_SECOND);
                if (rc == 0)
                        rc = nap(4);
                if (rc == 0)
                        rc = -EIO;
        }
        return belay_timeout_leave(&outer, rc);
}

static int check_limits(void *arg, int outcome) {
        (void) arg;
        return is_cancelled(outcome) ? 0 : 1;
}

static int slow(void *arg) {
        int rc;

        alive++;
        rc = nap(3);
        if (rc < 0 && arg != NULL)
                (void) !nap(1);
        alive--;
        return rc;
}

static int waits_for(void *arg) {
        belay_task *task;
        int rc = belay_wait_for(slow, arg, BELAY_SECOND);

        if (rc == -ETIMEDOUT)
                rc = belay_wait_for(slow, arg, 4 * BELAY_SECOND);
        if (rc == 0)
                rc = belay_wait_for(slow, arg, 0);
        if (rc == -ETIMEDOUT) {
                task = belay_spawn(slow, arg);
                rc = belay_await_for(task, BELAY_SECOND, NULL);
                CHECK(rc == -ECANCELED || belay_done(task));
                belay_release(task);
        }
        if (rc == -ETIMEDOUT) {
                task = belay_spawn(slow, arg);
                rc = belay_await_for(task, 0, NULL);
                belay_release(task);
        }
        if (rc == -ETIMEDOUT) {
                task = belay_spawn(slow, arg);
                rc = belay_await_for(task, 5 * BELAY_SECOND, NULL);
                belay_release(task);
        }
        return rc;
}

/* ---- groups ---- */

static void destroy_argument(void *arg) {
        (void) arg;
        destroyed++;
}

static int member(void *arg) {
        int rc;

        alive++;
        rc = nap(*(int *) arg);
        if (rc == -ECANCELED)
                (void) !nap(1);
        else if (rc == 0 && *(int *) arg == 2)
                rc = belay_fail(-EPROTO, "the second");
        alive--;
        return rc;
}

static int seconds[] = { 1, 2, 3, 4, 5 };

static int add(belay_group *group, belay_fn *fn, int number, bool last) {
        int rc = belay_group_spawn_with(
                group, fn, &seconds[number],
                BELAY_OPTIONS(belay_spawn_options, .destroy = destroy_argument, .last = last),
                NULL);

        if (rc == 0)
                arguments++;
        return rc;
}

/*
 * The second member fails, and the group with it. The outcome differs only if a task is cancelled
 * before.
 */
static int fails_fast(void *arg) {
        belay_group group;
        int rc = 0;

        (void) arg;
        belay_group_enter(&group);
        for (int i = 0; i < 5; i++)
                CHECK_EQ(add(&group, member, i, false), 0);
        rc = nap(1);
        rc = belay_group_leave(&group, rc);
        CHECK_EQ(alive, 0);
        if (rc == -EPROTO) {
                belay_failure *failure = belay_failure_take(rc);

                CHECK_EQ(belay_failure_code(failure), rc);
                CHECK_EQ(belay_failure_count(failure), 1);
                CHECK_STR(belay_failure_text(belay_failure_at(failure, 0)), "the second");
                belay_failure_release(failure);
                /* If a request arrived while the group failed, it is still pending. */
                rc = belay_yield();
        }
        return rc;
}

static int supervises(void *arg) {
        belay_group group;
        int rc;

        (void) arg;
        belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .supervise = true));
        for (int i = 0; i < 4; i++)
                if (i != 1)
                        CHECK_EQ(add(&group, member, i, false), 0);
        rc = belay_group_leave(&group, nap(2));
        CHECK_EQ(alive, 0);
        return rc;
}

/*
 * At most two members run at once. Main waits for room, and so does a member that starts more
 * members.
 */
static int starts_more(void *arg) {
        belay_group *group = *(belay_group **) arg;
        int rc;

        alive++;
        rc = add(group, member, 0, false);
        CHECK(rc == 0 || rc == -ECANCELED || rc == -EPERM);
        alive--;
        return rc == -ECANCELED ? rc : 0;
}

static int two_at_once(void *arg) {
        belay_group group, *self = &group;
        int rc;

        (void) arg;
        belay_group_enter_with(
                &group, BELAY_OPTIONS(belay_group_options, .limit = 2, .name = "two at once"));
        rc = belay_group_spawn(&group, starts_more, &self);
        for (int i = 0; rc == 0 && i < 4; i++) {
                rc = add(&group, member, i % 2 * 2, false);
                CHECK(belay_group_count(&group) <= 2);
        }
        CHECK(rc == 0 || rc == -ECANCELED);
        rc = belay_group_leave(&group, rc);
        CHECK(belay_group_count(&group) == 0 && alive == 0);
        return rc;
}

/*
 * Tasks outside the group wait for room, too. If the first of them is cancelled just when it
 * receives a free place, the next one must receive the place.
 */
static int brief(void *arg) {
        int rc;

        (void) arg;
        alive++;
        rc = belay_yield();
        alive--;
        return rc;
}

static int starts_one(void *arg) {
        return add(arg, brief, 0, false);
}

static int room_for_others(void *arg) {
        belay_task *others[3];
        belay_group group;
        int rc = 0;

        (void) arg;
        belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .limit = 1));
        CHECK_EQ(add(&group, brief, 0, false), 0);
        for (int i = 0; i < 3; i++)
                others[i] = belay_spawn(starts_one, &group);
        for (int i = 0; i < 3; i++) {
                while (!belay_done(others[i]))
                        if (belay_join(others[i], NULL) < 0)
                                rc = -ECANCELED;
                CHECK(belay_result(others[i]) == 0 || belay_cancelled(others[i]));
                belay_release(others[i]);
        }
        rc = belay_group_leave(&group, rc);
        CHECK_EQ(alive, 0);
        return rc;
}

/* ---- the handshake ---- */

static int server(void *arg) {
        int rc;

        alive++;
        rc = nap(1);
        if (rc == 0 && *(int *) arg == 3)
                rc = -EADDRINUSE;
        if (rc == 0)
                (void) belay_ready();
        if (rc == 0)
                rc = nap(100);
        if (rc == -ECANCELED)
                (void) !nap(1);
        alive--;
        return rc;
}

static int shakes_hands(void *arg) {
        belay_group group;
        belay_task *task = NULL;
        int rc, served;

        (void) arg;
        belay_group_enter(&group);
        arguments++;
        rc = belay_group_start(&group, server, &seconds[0],
                               BELAY_OPTIONS(belay_spawn_options, .destroy = destroy_argument),
                               &task);
        /*
         * If the member is not ready, belay_group_start() waits for its end. Only a second request
         * ends this wait; then the group waits for the member.
         */
        if (rc < 0 && belay_cancelling(belay_self()) < 2)
                CHECK_EQ(alive, 0);
        if (rc == 0) {
                CHECK(!belay_done(task) || belay_cancelled(task));
                served = alive;
                arguments++;
                rc = belay_group_start(
                        &group, server, &seconds[2],
                        BELAY_OPTIONS(belay_spawn_options, .destroy = destroy_argument), NULL);
                CHECK(rc == -EADDRINUSE || rc == -ECANCELED || rc == -EPIPE);
                CHECK(alive <= served || belay_cancelling(belay_self()) > 1);
                belay_cancel(task, "no more guests");
        }
        /*
         * -EPIPE: the member alone was cancelled before it was ready. The starter was not
         * cancelled.
         */
        if (rc == -EADDRINUSE || rc == -EPIPE)
                rc = nap(1);
        belay_release(task);
        rc = belay_group_leave(&group, rc);
        CHECK_EQ(alive, 0);
        return rc;
}

/* ---- members that are cancelled last ---- */

static int ordinary_alive, last_alive;

static int ordinary(void *arg) {
        int rc;

        (void) arg;
        ordinary_alive++;
        rc = nap(3);
        if (rc < 0)
                (void) !nap(1);
        ordinary_alive--;
        return rc;
}

static int last(void *arg) {
        int rc;

        (void) arg;
        last_alive++;
        rc = belay_sleep(BELAY_NEVER);
        last_alive--;
        CHECK_EQ(rc, -ECANCELED);
        return rc;
}

static int keeps_the_last(void *arg) {
        belay_group group;
        int rc;

        (void) arg;
        ordinary_alive = last_alive = 0;
        belay_group_enter(&group);
        CHECK_EQ(add(&group, last, 0, true), 0);
        CHECK_EQ(add(&group, ordinary, 0, false), 0);
        CHECK_EQ(add(&group, ordinary, 0, false), 0);
        rc = nap(1);
        rc = belay_group_leave(&group, rc);
        CHECK(ordinary_alive == 0 && last_alive == 0);
        return rc;
}

/* A member cancels its own group. That group lies in another group and under a timeout. */
static int ends_it(void *arg) {
        int rc = nap(2);

        if (rc == 0)
                belay_group_cancel(*(belay_group **) arg);
        return rc;
}

static int nests(void *arg) {
        belay_group outer, inner, *self = &inner;
        belay_timeout limit;
        int rc;

        (void) arg;
        belay_group_enter(&outer);
        CHECK_EQ(add(&outer, member, 4, false), 0);
        belay_timeout_enter(&limit, 4 * BELAY_SECOND);
        belay_group_enter(&inner);
        CHECK_EQ(add(&inner, member, 3, false), 0);
        CHECK_EQ(belay_group_spawn(&inner, ends_it, &self), 0);
        rc = nap(3);
        rc = belay_group_leave(&inner, rc);
        if (rc == 0)
                rc = nap(3);
        rc = belay_timeout_leave(&limit, rc);
        if (rc == -ETIMEDOUT)
                rc = nap(0);
        rc = belay_group_leave(&outer, rc);
        CHECK_EQ(alive, 0);
        return rc;
}

/* ---- shielded regions ---- */

static int shielded(void *arg) {
        belay_shield_scope region;
        belay_timeout limit;
        int rc = nap(1), inside;

        (void) arg;
        belay_shield_enter(&region, BELAY_NEVER);
        begun++;
        CHECK_EQ(nap(1), 0);
        CHECK_EQ(belay_yield(), 0);
        /*
         * A timeout inside the shielded region works as usual. It must not mistake the requests
         * that the region holds back for its own.
         */
        belay_timeout_enter(&limit, BELAY_SECOND);
        inside = nap(5);
        CHECK_EQ(inside, -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&limit, inside), -ETIMEDOUT);
        CHECK_EQ(nap(1), 0);
        whole++;
        rc = belay_shield_leave(&region, rc);
        if (rc == 0)
                rc = nap(1);
        return rc;
}

/*
 * When the limit of a shielded region expires, the region ends. A request that it held back is then
 * delivered inside of it.
 */
static int shielded_for_a_while(void *arg) {
        belay_shield_scope region, inner;
        belay_time entered;
        int rc, delivered = 0;

        (void) arg;
        belay_shield_enter(&region, 3 * BELAY_SECOND);
        entered = belay_now();
        for (int i = 0; i < 5; i++) {
                rc = nap(1);
                if (rc < 0) {
                        CHECK(belay_now() - entered >= 3 * BELAY_SECOND);
                        delivered++;
                }
        }
        /* After the expiry, an inner region without a limit must still hold requests back. */
        belay_shield_enter(&inner, BELAY_NEVER);
        begun++;
        CHECK_EQ(nap(1), 0);
        whole++;
        rc = belay_shield_leave(&inner, 0);
        rc = belay_shield_leave(&region, rc);
        if (rc == 0)
                rc = nap(1);
        return delivered > 0 ? -ECANCELED : rc;
}

static int shields_members(void *arg) {
        belay_group group;
        int rc;

        (void) arg;
        belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .supervise = true));
        CHECK_EQ(belay_group_spawn(&group, shielded, NULL), 0);
        CHECK_EQ(belay_group_spawn(&group, shielded_for_a_while, NULL), 0);
        rc = nap(2);
        return belay_group_leave(&group, rc);
}

int main(void) {
        EVERYWHERE(limits, NULL, reset, check_limits, 5);
        EVERYWHERE(waits_for, NULL, reset, check, 8);
        EVERYWHERE(waits_for, &alive, reset, check, 10);
        EVERYWHERE(fails_fast, NULL, reset, check, 8);
        EVERYWHERE(supervises, NULL, reset, check, 5);
        EVERYWHERE(two_at_once, NULL, reset, check, 5);
        EVERYWHERE(room_for_others, NULL, reset, check, 6);
        EVERYWHERE(shakes_hands, NULL, reset, check, 5);
        EVERYWHERE(keeps_the_last, NULL, reset, check, 5);
        EVERYWHERE(nests, NULL, reset, check, 6);
        EVERYWHERE(shielded, NULL, reset, check, 6);
        EVERYWHERE(shielded_for_a_while, NULL, reset, check, 7);
        EVERYWHERE(shields_members, NULL, reset, check, 12);
        return 0;
}
