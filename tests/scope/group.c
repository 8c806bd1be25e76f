/* SPDX-License-Identifier: MIT */
/*
 * Groups: what leaving a group waits for, and what it returns.
 */
#include "parts.h"

static void add(belay_group *group, struct part *part) {
        CHECK_EQ(belay_group_spawn(group, play, part), 0);
}

static int plain(void *arg) {
        static const int ends[] = { 0, 7 };
        belay_group group;
        belay_time begin;

        (void) arg;
        for (size_t i = 0; i < 2; i++) {
                struct part parts[] = { { .span = SECONDS(1) },
                                        { .span = SECONDS(3), .end = 4 },
                                        { .end = 5 } };

                CHECK_EQ(belay_group_enter(&group), 0);
                CHECK_EQ(belay_group_leave(&group, ends[i]), ends[i]);
                begin = belay_now();
                CHECK_EQ(belay_group_enter(&group), 0);
                CHECK_EQ(belay_group_count(&group), 0);
                for (int k = 0; k < 3; k++) {
                        add(&group, &parts[k]);
                        CHECK_EQ(belay_group_count(&group), k + 1);
                }
                CHECK_EQ(belay_sleep(SECONDS(2)), 0);
                CHECK_EQ(belay_group_count(&group), 1);
                CHECK_EQ(belay_group_leave(&group, ends[i]), ends[i]);
                CHECK_EQ(belay_group_count(&group), 0);
                CHECK_EQ(belay_now() - begin, SECONDS(3));
                CHECK_EQ(parts[0].ended + parts[1].ended + parts[2].ended, 3);
        }
        CHECK_CLEAN();
        return 0;
}

/*
 * The first failure cancels the other members and the body. All failures are beneath the group's,
 * in order and with their details.
 */
static int fails_fast(void *arg) {
        struct part first = { .span = SECONDS(1), .end = -EPROTO, .text = "first" };
        struct part slow = {
                .span = SECONDS(9), .clean_up = SECONDS(2), .end_cancelled = -EIO, .text = "slow"
        };
        struct part quick = { .span = SECONDS(9),
                              .clean_up = SECONDS(1),
                              .end_cancelled = -ENOENT,
                              .text = "quick" };
        struct part cancelled = { .span = SECONDS(9), .clean_up = SECONDS(1) };
        struct part refuses = { .span = SECONDS(9), .refuses = 1, .end = 3 };
        belay_time begin = belay_now();
        belay_failure *failure;
        belay_group group;
        int rc;

        (void) arg;
        belay_group_enter(&group);
        add(&group, &slow);
        add(&group, &quick);
        add(&group, &cancelled);
        add(&group, &refuses);
        add(&group, &first);
        rc = belay_sleep(SECONDS(5));
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_now() - begin, SECONDS(1));
        CHECK_EQ(origin_kind(belay_self()), BELAY_ORIGIN_SIBLING);
        /* The rest of the body is cleanup, and may wait. */
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK_EQ(belay_group_leave(&group, rc), -EPROTO);
        CHECK_EQ(belay_now() - begin, SECONDS(9));
        CHECK_EQ(slow.origin, BELAY_ORIGIN_SIBLING);
        CHECK_EQ(slow.requests + quick.requests + cancelled.requests + refuses.requests, 4);
        failure = belay_failure_take(-EPROTO);
        CHECK_EQ(belay_failure_code(failure), -EPROTO);
        CHECK_EQ(belay_failure_count(failure), 3);
        CHECK_BENEATH(failure, 0, -EPROTO, "first");
        CHECK_BENEATH(failure, 1, -ENOENT, "quick");
        CHECK_BENEATH(failure, 2, -EIO, "slow");
        CHECK(belay_failure_at(failure, 3) == NULL);
        belay_failure_release(failure);
        CHECK_CLEAN();
        return 0;
}

/*
 * A member fails while the body is already leaving the group. Then the body must not receive a
 * request.
 */
static int fails_in_leave(void *arg) {
        struct part fails = { .span = SECONDS(1), .end = -EIO }, other = { .span = SECONDS(9) };
        belay_failure *failure;
        belay_group group;

        (void) arg;
        belay_group_enter(&group);
        add(&group, &fails);
        add(&group, &other);
        CHECK_EQ(belay_group_leave(&group, 5), -EIO);
        CHECK_EQ(other.requests, 1);
        failure = belay_failure_take(-EIO);
        CHECK_EQ(belay_failure_count(failure), 1);
        CHECK_BENEATH(failure, 0, -EIO, NULL);
        belay_failure_release(failure);
        CHECK_CLEAN();
        return 0;
}

static int body_fails(void *arg) {
        struct part cancelled = { .span = SECONDS(9) };
        struct part fails = { .span = SECONDS(9), .end_cancelled = -ENOENT, .text = "member" };
        belay_failure *failure;
        belay_group group;
        int rc;

        (void) arg;
        /* The body fails alone, */
        belay_group_enter(&group);
        CHECK_EQ(belay_group_leave(&group, belay_fail(-EIO, "body")), -EIO);
        failure = belay_failure_take(-EIO);
        CHECK_EQ(belay_failure_count(failure), 1);
        CHECK_BENEATH(failure, 0, -EIO, "body");
        belay_failure_release(failure);
        /* with a member that is cancelled because of that, */
        belay_group_enter(&group);
        add(&group, &cancelled);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_group_leave(&group, belay_fail(-EIO, "body")), -EIO);
        CHECK_EQ(cancelled.requests, 1);
        CHECK_EQ(cancelled.origin, BELAY_ORIGIN_GROUP);
        failure = belay_failure_take(-EIO);
        CHECK_EQ(belay_failure_count(failure), 1);
        CHECK_BENEATH(failure, 0, -EIO, "body");
        belay_failure_release(failure);
        /* and with a member that fails when it is cancelled. The failure of the body comes last. */
        belay_group_enter(&group);
        add(&group, &fails);
        CHECK_EQ(belay_yield(), 0);
        rc = belay_group_leave(&group, belay_fail(-EIO, "body"));
        failure = belay_failure_take(rc);
        CHECK_EQ(belay_failure_count(failure), 2);
        CHECK_BENEATH(failure, 0, -ENOENT, "member");
        CHECK_BENEATH(failure, 1, -EIO, "body");
        CHECK_EQ(rc, -ENOENT);
        belay_failure_release(failure);
        /* A member fails first, and the body fails when it is cancelled. */
        fails = (struct part) { .span = SECONDS(1), .end = -ENOENT, .text = "member" };
        belay_group_enter(&group);
        add(&group, &fails);
        CHECK_EQ(belay_sleep(SECONDS(2)), -ECANCELED);
        CHECK_EQ(belay_group_leave(&group, belay_fail(-EIO, "body")), -ENOENT);
        failure = belay_failure_take(-ENOENT);
        CHECK_EQ(belay_failure_count(failure), 2);
        CHECK_BENEATH(failure, 0, -ENOENT, "member");
        CHECK_BENEATH(failure, 1, -EIO, "body");
        belay_failure_release(failure);
        CHECK_CLEAN();
        return 0;
}

/* A member that ends cancelled is no failure, whether a request or the member itself caused it. */
static int cancelled_members(void *arg) {
        struct part parts[] = {
                { .span = SECONDS(9) },
                { .span = SECONDS(1), .end = -ECANCELED },
                { .span = SECONDS(2) },
                { .span = SECONDS(9) },
        };
        belay_group group;
        belay_task *member, *unborn;

        (void) arg;
        belay_group_enter(&group);
        member = START_MEMBER(&group, play, &parts[0], NULL);
        add(&group, &parts[1]);
        add(&group, &parts[2]);
        unborn = START_MEMBER(&group, play, &parts[3], NULL);
        belay_cancel(unborn, NULL);
        cancel_after(SECONDS(1), member);
        CHECK_EQ(belay_sleep(SECONDS(1) + 1), 0);
        CHECK_EQ(belay_group_count(&group), 1);
        CHECK_EQ(belay_group_leave(&group, 4), 4);
        CHECK_EQ(parts[2].requests, 0);
        CHECK_EQ(parts[2].ended, 1);
        CHECK_EQ(parts[3].begun, 0);
        CHECK_EQ(ended_with(member), -ECANCELED);
        CHECK_EQ(ended_with(unborn), -ECANCELED);
        CHECK_CLEAN();
        return 0;
}

/* ---- cancelled from outside ---- */

static int from_outside(void *arg) {
        struct part part = { .span = SECONDS(9), .clean_up = SECONDS(3) };
        belay_time begin = belay_now();
        belay_group group;

        (void) arg;
        /*
         * While the body leaves the group: the members are cancelled, and their ends are still
         * waited for.
         */
        belay_group_enter(&group);
        add(&group, &part);
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_group_leave(&group, 5), -ECANCELED);
        CHECK_EQ(belay_now() - begin, SECONDS(4));
        CHECK_EQ(part.requests, 1);
        CHECK_EQ(part.origin, BELAY_ORIGIN_GROUP);
        CHECK_EQ(part.ended, 1);
        CHECK_DELIVERED();

        /* In the body. */
        belay_group_enter(&group);
        add(&group, &part);
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_group_leave(&group, belay_sleep(SECONDS(5))), -ECANCELED);
        CHECK_EQ(part.ended, 2);
        CHECK_DELIVERED();

        /* Two requests, the second while members clean up. */
        begin = belay_now();
        belay_group_enter(&group);
        add(&group, &part);
        cancel_after(SECONDS(1), belay_self());
        cancel_after(SECONDS(2), belay_self());
        CHECK_EQ(belay_group_leave(&group, 5), -ECANCELED);
        CHECK_EQ(belay_now() - begin, SECONDS(4));
        CHECK_EQ(belay_cancelling(belay_self()), 2);
        CHECK_EQ(belay_yield(), 0);
        belay_uncancel(belay_self());
        belay_uncancel(belay_self());

        /* Without members the leave does not wait, and the request stays pending. */
        belay_group_enter(&group);
        belay_cancel(belay_self(), NULL);
        CHECK_EQ(belay_group_leave(&group, 5), 5);
        CHECK_PENDING();
        return 0;
}

/* A failure takes precedence over a cancellation, whose request becomes pending again. */
static int outside_and_failures(void *arg) {
        (void) arg;
        for (int i = 0; i < 3; i++) {
                struct part fails = {
                        .span = SECONDS(2),
                        .end = -EPROTO,
                        .end_cancelled = -EPROTO,
                        .text = "member",
                };
                struct part slow = { .span = SECONDS(9), .clean_up = SECONDS(3) };
                belay_failure *failure;
                belay_group group;
                int rc = 0;

                belay_group_enter(&group);
                add(&group, &fails);
                add(&group, &slow);
                /*
                 * If `i` is 0, the member fails because of the cancellation. If it is 1, the member
                 * has failed before, and the request comes during the cleanup of the others. If it
                 * is 2, the body receives the request.
                 */
                cancel_after(SECONDS(i == 1 ? 3 : 1), belay_self());
                if (i == 2)
                        rc = belay_sleep(SECONDS(5));
                CHECK_EQ(belay_group_leave(&group, rc), -EPROTO);
                failure = belay_failure_take(-EPROTO);
                CHECK_EQ(belay_failure_count(failure), 1);
                CHECK_BENEATH(failure, 0, -EPROTO, "member");
                belay_failure_release(failure);
                CHECK_PENDING();
        }
        return 0;
}

static int in_a_group(void *arg) {
        struct part *parts = arg;
        belay_group group;

        belay_group_enter(&group);
        add(&group, &parts[0]);
        add(&group, &parts[1]);
        return belay_group_leave(&group, 0);
}

/* A group within a group, in another task: the failures form a tree. */
static int within(void *arg) {
        struct part parts[] = {
                { .span = SECONDS(1), .end = -EIO, .text = "leaf" },
                { .span = SECONDS(9) },
                { .span = SECONDS(9) },
        };
        const belay_failure *inner;
        belay_failure *failure;
        belay_group outer, group;

        (void) arg;
        belay_group_enter(&outer);
        CHECK_EQ(belay_group_spawn(&outer, in_a_group, parts), 0);
        add(&outer, &parts[2]);
        CHECK_EQ(belay_group_leave(&outer, 0), -EIO);
        failure = belay_failure_take(-EIO);
        CHECK_EQ(belay_failure_count(failure), 1);
        inner = belay_failure_at(failure, 0);
        CHECK_EQ(belay_failure_count(inner), 1);
        CHECK_BENEATH(inner, 0, -EIO, "leaf");
        belay_failure_release(failure);
        CHECK_EQ(parts[1].requests + parts[2].requests, 2);

        /*
         * In the same task: the failure of the inner group is the failure of the outer group's
         * body.
         */
        belay_group_enter(&outer);
        add(&outer, &parts[2]);
        belay_group_enter(&group);
        add(&group, &parts[0]);
        CHECK_EQ(belay_group_leave(&outer, belay_group_leave(&group, belay_sleep(SECONDS(5)))),
                 -EIO);
        CHECK_EQ(parts[2].requests, 2);
        CHECK_CLEAN();
        return 0;
}

/* A timeout around a group, and a timeout within it. */
static int limits(void *arg) {
        struct part part = { .span = SECONDS(9), .clean_up = SECONDS(1) };
        struct part fails = { .span = SECONDS(1), .end = -EIO };
        belay_timeout limit;
        belay_group group;
        int rc;

        (void) arg;
        belay_timeout_enter(&limit, SECONDS(1));
        belay_group_enter(&group);
        add(&group, &part);
        rc = belay_group_leave(&group, 0);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);
        CHECK_EQ(part.ended, 1);
        CHECK_CLEAN();

        belay_group_enter(&group);
        add(&group, &fails);
        belay_timeout_enter(&limit, SECONDS(5));
        rc = belay_timeout_leave(&limit, belay_sleep(SECONDS(9)));
        CHECK_EQ(rc, -ECANCELED);
        CHECK(!belay_timeout_expired(&limit));
        CHECK_EQ(belay_group_leave(&group, rc), -EIO);
        CHECK_CLEAN();
        return 0;
}

/* ---- the whole group is cancelled ---- */

static belay_group shared;

static void cancels_shared(void *arg) {
        (void) arg;
        belay_group_cancel(&shared);
}

static int cancels_from_task(void *arg) {
        cancels_shared(arg);
        return belay_sleep(SECONDS(1));
}

static int whole(void *arg) {
        struct part part = { .span = SECONDS(9), .clean_up = SECONDS(1) };
        struct part fails = { .span = SECONDS(9), .end_cancelled = -EIO };
        belay_time begin;
        belay_task *task;
        int rc;

        (void) arg;
        /* From the body. */
        belay_group_enter(&shared);
        add(&shared, &part);
        CHECK_EQ(belay_yield(), 0);
        belay_group_cancel(&shared);
        belay_group_cancel(&shared);
        rc = belay_yield();
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(origin_kind(belay_self()), BELAY_ORIGIN_GROUP);
        CHECK_EQ(belay_group_leave(&shared, rc), 0);
        CHECK_EQ(part.requests, 1);
        CHECK_CLEAN();
        /* The body returns a result. */
        belay_group_enter(&shared);
        add(&shared, &part);
        belay_group_cancel(&shared);
        CHECK_EQ(belay_group_leave(&shared, 5), 5);
        CHECK_CLEAN();
        /* From outside of tasks: in the body, and while the body leaves the group. */
        for (int i = 0; i < 2; i++) {
                begin = belay_now();
                belay_group_enter(&shared);
                add(&shared, &part);
                CHECK(belay_later(SECONDS(1), cancels_shared, NULL) != 0);
                rc = i ? 5 : belay_sleep(SECONDS(5));
                CHECK_EQ(belay_group_leave(&shared, rc), i ? 5 : 0);
                CHECK_EQ(belay_now() - begin, SECONDS(2));
                CHECK_CLEAN();
        }
        /* From another task, and from a member, which is cancelled as well. */
        for (int i = 0; i < 2; i++) {
                begin = belay_now();
                belay_group_enter(&shared);
                task = i ? START_MEMBER(&shared, cancels_from_task, NULL, NULL)
                         : must(belay_spawn(cancels_from_task, NULL));
                CHECK_EQ(belay_group_leave(&shared, belay_sleep(SECONDS(5))), 0);
                CHECK_EQ(belay_join(task, NULL), 0);
                CHECK_EQ(ended_with(task), i ? -ECANCELED : 0);
                CHECK_EQ(belay_now() - begin, i ? 0 : SECONDS(1));
                CHECK_CLEAN();
        }
        /* A member that fails because of the cancellation still counts as a failure. */
        belay_group_enter(&shared);
        add(&shared, &fails);
        CHECK_EQ(belay_yield(), 0);
        belay_group_cancel(&shared);
        CHECK_EQ(belay_group_leave(&shared, belay_yield()), -EIO);
        CHECK_CLEAN();
        /* A request from outside comes as well. */
        part = (struct part) { .span = SECONDS(9), .clean_up = SECONDS(3) };
        belay_group_enter(&shared);
        add(&shared, &part);
        cancel_after(SECONDS(2), belay_self());
        CHECK(belay_later(SECONDS(1), cancels_shared, NULL) != 0);
        CHECK_EQ(belay_group_leave(&shared, 0), -ECANCELED);
        CHECK_DELIVERED();
        /* The group has been left, so cancelling it has no effect. */
        belay_group_cancel(&shared);
        CHECK_EQ(belay_group_count(&shared), 0);
        CHECK_CLEAN();
        return 0;
}

static void count_destroyed(void *count) {
        ++*(int *) count;
}

/*
 * The whole group is cancelled, and the body fails. A request from outside comes before that, or
 * while the members are waited for. The failure takes precedence and keeps its detail, and the next
 * wait delivers the request.
 */
static int whole_and_fails(void *arg) {
        static const belay_time asked_at[] = { 0, SECONDS(1), SECONDS(2) };

        (void) arg;
        for (size_t i = 0; i < 6; i++) {
                struct part part = { .span = SECONDS(9), .clean_up = SECONDS(3) };
                bool supervise = i >= 3;
                belay_time begin = belay_now();
                int destroyed = 0;
                belay_failure *failure;

                belay_group_enter_with(&shared,
                                       BELAY_OPTIONS(belay_group_options, .supervise = supervise));
                add(&shared, &part);
                CHECK_EQ(belay_yield(), 0);
                CHECK(belay_later(SECONDS(1), cancels_shared, NULL) != 0);
                cancel_after(asked_at[i % 3], belay_self());
                CHECK_EQ(belay_sleep(SECONDS(5)), -ECANCELED);
                CHECK_EQ(belay_group_leave(&shared, belay_fail_data(-EPROTO, &destroyed,
                                                                    count_destroyed, "body")),
                         -EPROTO);
                CHECK_EQ(part.ended, 1);
                CHECK_EQ(belay_now() - begin, asked_at[i % 3] == 0 ? SECONDS(3) : SECONDS(4));
                failure = belay_failure_take(-EPROTO);
                CHECK_EQ(belay_failure_count(failure), supervise ? 0 : 1);
                CHECK_STR(belay_failure_text(supervise ? failure : belay_failure_at(failure, 0)),
                          "body");
                CHECK_EQ(destroyed, 0);
                belay_failure_release(failure);
                CHECK_EQ(destroyed, 1);
                CHECK_PENDING();
        }
        return 0;
}

/* ---- supervise ---- */

static int supervise(void *arg) {
        struct part fails = { .span = SECONDS(1), .end = -EIO, .text = "nobody saw" },
                    other = { .span = SECONDS(3) };
        belay_group group;
        belay_task *task;
        const belay_failure *failure;

        (void) arg;
        keep_lines();
        CHECK_EQ(belay_group_enter_with(&group,
                                        BELAY_OPTIONS(belay_group_options, .supervise = true)),
                 0);
        add(&group, &fails);
        task = START_MEMBER(&group, play, &fails, NULL);
        add(&group, &other);
        CHECK_EQ(belay_sleep(SECONDS(2)), 0);
        CHECK_EQ(belay_group_count(&group), 1);
        CHECK_EQ(belay_group_leave(&group, 5), 5);
        CHECK_EQ(other.requests, 0);
        CHECK_EQ(other.ended, 1);
        /* A member's failure is logged if it is not retrieved. The other failure is not logged. */
        CHECK_LINES(1, "nobody saw");
        failure = belay_failure_of(task);
        CHECK_STR(belay_failure_text(failure), "nobody saw");
        belay_release(task);
        CHECK_LINES(1, "nobody saw");
        belay_set_log(NULL, NULL);
        CHECK_CLEAN();

        /* The failure of the body is still returned, and cancels the members. */
        other = (struct part) { .span = SECONDS(3) };
        belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .supervise = true));
        add(&group, &other);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_group_leave(&group, belay_fail(-EPROTO, "body")), -EPROTO);
        CHECK_LEFT(-EPROTO, "body");
        CHECK_EQ(other.requests, 1);
        /* A request from outside cancels them, too. */
        other = (struct part) { .span = SECONDS(3) };
        belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .supervise = true));
        add(&group, &other);
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_group_leave(&group, 0), -ECANCELED);
        CHECK_EQ(other.requests, 1);
        CHECK_DELIVERED();
        return 0;
}

/* ---- names ---- */

static int leaves_named(void *arg) {
        belay_group group;

        (void) arg;
        belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .name = "pool"));
        CHECK_EQ(belay_group_spawn(&group, play, arg), 0);
        return belay_group_leave(&group, 0);
}

static int named(void *arg) {
        struct part part = { .span = SECONDS(1) };
        belay_task *task = must(belay_spawn(leaves_named, &part));
        belay_wait_info info = BELAY_WAIT_INFO_INIT;

        (void) arg;
        CHECK_EQ(belay_yield(), 0);
        belay_waiting(task, &info);
        CHECK_STR(info.what, "group");
        CHECK_STR(info.on, "pool");
        CHECK(info.task != NULL);
        CHECK_EQ(belay_join(task, NULL), 0);
        belay_release(task);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(plain);
        RUN_VIRTUAL(fails_fast);
        RUN_VIRTUAL(fails_in_leave);
        RUN_VIRTUAL(body_fails);
        RUN_VIRTUAL(cancelled_members);
        RUN_VIRTUAL(from_outside);
        RUN_VIRTUAL(outside_and_failures);
        RUN_VIRTUAL(within);
        RUN_VIRTUAL(limits);
        RUN_VIRTUAL(whole);
        RUN_VIRTUAL(whole_and_fails);
        RUN_VIRTUAL(supervise);
        RUN_VIRTUAL(named);
        return 0;
}
