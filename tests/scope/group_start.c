/* SPDX-License-Identifier: MIT */
/*
 * Members that report when they are ready: belay_group_start() and belay_ready().
 */
#include "parts.h"

static int destroyed;

static void destroy(void *arg) {
        (void) arg;
        destroyed++;
}

/* Becomes ready after some time, and serves then. */
struct server {
        struct part before, after;
        int ready, again;
};

static int serve(void *arg) {
        struct server *server = arg;

        if (server->before.span > 0) {
                int rc = play(&server->before);

                if (rc < 0)
                        return rc;
        }
        server->ready = belay_ready();
        server->again = belay_ready();
        return play(&server->after);
}

static int ready(void *arg) {
        struct server server = { .before = { .span = SECONDS(1) },
                                 .after = { .span = SECONDS(3), .end = 6 } };
        struct server other = { .after = { .span = SECONDS(3) } };
        belay_spawn_options options = { .size = sizeof(options),
                                        .name = "server",
                                        .destroy = destroy };
        belay_spawn_options eager = { .size = sizeof(eager), .eager = true };
        belay_time begin = belay_now();
        belay_group group;
        belay_task *task = NULL;

        (void) arg;
        destroyed = 0;
        belay_group_enter(&group);
        CHECK_EQ(belay_group_start(&group, serve, &server, &options, &task), 0);
        CHECK_EQ(belay_now() - begin, SECONDS(1));
        CHECK_EQ(server.ready, 0);
        CHECK_EQ(server.again, -EALREADY);
        CHECK_STR(belay_name(must(task)), "server");
        CHECK_EQ(belay_group_count(&group), 1);
        CHECK_EQ(destroyed, 0);
        /*
         * The member is ready at once. No handle is wanted, and the eager option makes no
         * difference.
         */
        CHECK_EQ(belay_group_start(&group, serve, &other, &eager, NULL), 0);
        CHECK_EQ(other.ready, 0);
        CHECK_EQ(belay_group_count(&group), 2);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        CHECK_EQ(belay_now() - begin, SECONDS(4));
        CHECK_EQ(ended_with(task), 6);
        CHECK_EQ(destroyed, 1);
        return 0;
}

/* A member that fails after it was ready fails the group like any other. */
static int fails_later(void *arg) {
        struct server server = { .after = { .span = SECONDS(1), .end = -EIO, .text = "later" } };
        belay_failure *failure;
        belay_group group;

        (void) arg;
        belay_group_enter(&group);
        CHECK_EQ(belay_group_start(&group, serve, &server, NULL, NULL), 0);
        CHECK_EQ(belay_group_leave(&group, belay_sleep(SECONDS(5))), -EIO);
        failure = belay_failure_take(-EIO);
        CHECK_BENEATH(failure, 0, -EIO, "later");
        belay_failure_release(failure);
        CHECK_CLEAN();
        return 0;
}

static int ends_before(void *arg) {
        static const int ends[] = { -EIO, 0, 7, -ECANCELED };
        struct part other = { .span = SECONDS(9) };
        belay_group group;

        (void) arg;
        keep_lines();
        belay_group_enter(&group);
        CHECK_EQ(belay_group_spawn(&group, play, &other), 0);
        for (size_t i = 0; i < 8; i++) {
                struct part part = { .span = i < 4 ? SECONDS(1) : 0,
                                     .end = ends[i % 4],
                                     .text = "no port" };
                belay_task *task = NULL;

                CHECK_EQ(belay_group_start(&group, play, &part, NULL, &task),
                         i % 4 == 0 ? -EIO : -EPIPE);
                if (i % 4 == 0)
                        CHECK_LEFT(-EIO, "no port");
                CHECK(task == NULL);
                CHECK_EQ(belay_group_count(&group), 1);
        }
        CHECK_EQ(belay_group_leave(&group, 4), 4);
        CHECK_EQ(other.requests, 0);
        CHECK_EQ(kept_count, 0);
        belay_set_log(NULL, NULL);
        CHECK_CLEAN();
        return 0;
}

/*
 * The starter is cancelled. The member that is not ready is cancelled and waited for, and the other
 * members stay.
 */
static int gives_up(void *arg) {
        struct part other = { .span = SECONDS(9) },
                    slow = { .span = SECONDS(5), .clean_up = SECONDS(2) };
        struct part refuses = { .span = SECONDS(5), .refuses = 1, .end = 3 };
        belay_time begin = belay_now();
        belay_task *task = NULL;
        belay_timeout limit;
        belay_group group;
        int rc;

        (void) arg;
        belay_group_enter(&group);
        CHECK_EQ(belay_group_spawn(&group, play, &other), 0);
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_group_start(&group, play, &slow, NULL, &task), -ECANCELED);
        CHECK(task == NULL);
        CHECK_EQ(belay_now() - begin, SECONDS(3));
        CHECK_EQ(slow.requests, 1);
        CHECK_EQ(slow.ended, 1);
        CHECK_EQ(belay_group_count(&group), 1);
        CHECK_DELIVERED();

        /* A timeout cancels the starter, and the member takes long to end. */
        begin = belay_now();
        belay_timeout_enter(&limit, SECONDS(1));
        rc = belay_group_start(&group, play, &refuses, NULL, NULL);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_now() - begin, SECONDS(5));
        CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);
        CHECK_EQ(belay_group_count(&group), 1);
        CHECK_EQ(other.requests, 0);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        CHECK_CLEAN();
        return 0;
}

/* Another member fails meanwhile. */
static int sibling_fails(void *arg) {
        struct part fails = { .span = SECONDS(1), .end = -EIO, .text = "sibling" },
                    slow = { .span = SECONDS(5) };
        belay_failure *failure;
        belay_group group;
        int rc;

        (void) arg;
        belay_group_enter(&group);
        CHECK_EQ(belay_group_spawn(&group, play, &fails), 0);
        rc = belay_group_start(&group, play, &slow, NULL, NULL);
        CHECK_EQ(rc, -ECANCELED);
        CHECK(slow.requests >= 1);
        CHECK_EQ(belay_group_leave(&group, rc), -EIO);
        failure = belay_failure_take(-EIO);
        CHECK_EQ(belay_failure_count(failure), 1);
        CHECK_BENEATH(failure, 0, -EIO, "sibling");
        belay_failure_release(failure);
        CHECK_CLEAN();
        return 0;
}

/* Shields itself, and becomes ready inside the shielded region. */
struct shielded {
        belay_time before, after;
        int ready;
};

static int shields_itself(void *arg) {
        struct shielded *shielded = arg;
        belay_shield_scope region;
        int rc;

        CHECK_EQ(belay_shield_enter(&region, BELAY_NEVER), 0);
        CHECK_EQ(belay_sleep(shielded->before), 0);
        shielded->ready = belay_ready();
        rc = belay_sleep(shielded->after);
        return belay_shield_leave(&region, rc);
}

/*
 * A member whose shield holds the request back cannot be waited for by the starter, or the
 * starter's timeout would not hold. Leaving the group waits for it instead.
 */
static int shielded_member(void *arg) {
        struct shielded shielded = { SECONDS(3), SECONDS(60), 1 };
        belay_time begin = belay_now();
        belay_task *task = NULL;
        belay_timeout limit;
        belay_group group;
        int rc;

        (void) arg;
        belay_group_enter(&group);
        belay_timeout_enter(&limit, SECONDS(1));
        rc = belay_group_start(&group, shields_itself, &shielded, NULL, &task);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);
        CHECK_EQ(belay_now() - begin, SECONDS(1));
        CHECK(task == NULL);
        CHECK_EQ(belay_group_count(&group), 1);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        CHECK_EQ(shielded.ready, -EALREADY);
        CHECK_EQ(belay_now() - begin, SECONDS(63));
        CHECK_CLEAN();
        return 0;
}

/* Reports that it is ready after it was cancelled. */
static int ready_too_late(void *arg) {
        int *ready = arg;

        if (belay_sleep(SECONDS(5)) == -ECANCELED) {
                CHECK_EQ(belay_sleep(SECONDS(1)), 0);
                *ready = belay_ready();
                CHECK_LEFT(-EPIPE, NULL);
                CHECK_EQ(belay_ready(), -EPIPE);
        }
        return 3;
}

static int given_up(void *arg) {
        struct part refuses = { .span = SECONDS(60), .refuses = 9, .end = 3 };
        belay_time begin = belay_now();
        belay_timeout limits[2];
        belay_group group;
        int late = 1, rc;

        (void) arg;
        belay_group_enter(&group);
        belay_timeout_enter(&limits[0], SECONDS(1));
        rc = belay_group_start(&group, ready_too_late, &late, NULL, NULL);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&limits[0], rc), -ETIMEDOUT);
        CHECK_EQ(late, -EPIPE);
        CHECK_EQ(belay_now() - begin, SECONDS(2));

        /*
         * A second request ends the wait for a member that refuses, and stays pending for the next
         * wait.
         */
        begin = belay_now();
        cancel_after(SECONDS(1), belay_self());
        cancel_after(SECONDS(2), belay_self());
        CHECK_EQ(belay_group_start(&group, play, &refuses, NULL, NULL), -ECANCELED);
        CHECK_EQ(belay_now() - begin, SECONDS(2));
        CHECK_EQ(belay_cancelling(belay_self()), 2);
        CHECK_EQ(belay_yield(), -ECANCELED);
        CHECK_EQ(belay_uncancel(belay_self()), 1);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        CHECK_EQ(belay_group_count(&group), 1);

        begin = belay_now();
        belay_timeout_enter(&limits[0], SECONDS(2));
        belay_timeout_enter(&limits[1], SECONDS(1));
        refuses = (struct part) { .span = SECONDS(60), .refuses = 9, .end = 3 };
        rc = belay_group_start(&group, play, &refuses, NULL, NULL);
        CHECK_EQ(belay_now() - begin, SECONDS(2));
        rc = belay_timeout_leave(&limits[1], rc);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&limits[0], rc), -ETIMEDOUT);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        CHECK_CLEAN();
        return 0;
}

struct in_time {
        belay_task *starter;
        bool cancel_first;
        int ready;
};

static int ready_in_that_instant(void *arg) {
        struct in_time *in_time = arg;

        CHECK_EQ(belay_sleep(SECONDS(1)), 0);
        if (in_time->cancel_first)
                CHECK(belay_cancel(in_time->starter, NULL));
        in_time->ready = belay_ready();
        if (!in_time->cancel_first)
                CHECK(belay_cancel(in_time->starter, NULL));
        return belay_sleep(SECONDS(3));
}

/*
 * The member becomes ready in the instant in which the starter is cancelled, before the starter
 * runs again. The start succeeds, and the request stays pending.
 */
static int ready_in_time(void *arg) {
        (void) arg;
        for (int i = 0; i < 2; i++) {
                struct in_time in_time = { belay_self(), i == 0, 1 };
                belay_time begin = belay_now();
                belay_task *task = NULL;
                belay_group group;

                belay_group_enter(&group);
                CHECK_EQ(belay_group_start(&group, ready_in_that_instant, &in_time, NULL, &task),
                         0);
                CHECK_EQ(in_time.ready, 0);
                CHECK_EQ(belay_now() - begin, SECONDS(1));
                CHECK_PENDING();
                CHECK_EQ(belay_group_leave(&group, 0), 0);
                CHECK_EQ(ended_with(must(task)), 0);
                CHECK_EQ(belay_now() - begin, SECONDS(4));
        }
        return 0;
}

static belay_group shared;

static int starts(void *arg) {
        int rc = belay_group_start(&shared, serve, arg, NULL, NULL);

        return rc == 0 ? 5 : rc;
}

/*
 * A task that is no member starts members, and several tasks start members at once. Each receives
 * the outcome of its own start.
 */
static int from_others(void *arg) {
        struct server servers[3] = {
                { .before = { .span = SECONDS(3) }, .after = { .span = SECONDS(1) } },
                { .before = { .span = SECONDS(1), .end = -EIO } },
                { .before = { .span = SECONDS(2) }, .after = { .span = SECONDS(5) } },
        };
        belay_time ends[3] = { SECONDS(3), SECONDS(1), SECONDS(2) }, begin = belay_now();
        belay_task *tasks[3];

        (void) arg;
        belay_group_enter(&shared);
        for (int i = 0; i < 3; i++)
                tasks[i] = must(belay_spawn(starts, &servers[i]));
        for (int i = 1; i <= 3; i++) {
                CHECK_EQ(belay_sleep_until(begin + SECONDS(i) + BELAY_MILLISECOND), 0);
                for (int k = 0; k < 3; k++)
                        CHECK_EQ(belay_done(tasks[k]), ends[k] <= SECONDS(i));
        }
        CHECK_EQ(belay_group_leave(&shared, 0), 0);
        CHECK_EQ(ended_with(tasks[0]), 5);
        CHECK_EQ(ended_with(tasks[1]), -EIO);
        CHECK_EQ(ended_with(tasks[2]), 5);
        return 0;
}

static int says_ready(void *arg) {
        (void) arg;
        return belay_ready();
}

/* From outside of a task. */
static void is_ready(void *arg) {
        *(int *) arg = belay_ready();
}

/* No task waits for these reports. */
static int of_no_use(void *arg) {
        belay_group group;
        belay_task *task;
        int outside = 0;

        (void) arg;
        keep_lines();
        CHECK(belay_soon(is_ready, &outside) != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(outside, -EPERM);
        CHECK_LINES(1, "misuse at an unknown place: belay_ready() outside of a task");
        CHECK_EQ(belay_ready(), -EALREADY);
        belay_group_enter(&group);
        CHECK_EQ(belay_ready(), -EALREADY);
        task = START_MEMBER(&group, says_ready, NULL, NULL);
        CHECK_EQ(belay_group_leave(&group, 0), -EALREADY);
        CHECK_EQ(ended_with(task), -EALREADY);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(ready);
        RUN_VIRTUAL(fails_later);
        RUN_VIRTUAL(ends_before);
        RUN_VIRTUAL(gives_up);
        RUN_VIRTUAL(shielded_member);
        RUN_VIRTUAL(given_up);
        RUN_VIRTUAL(ready_in_time);
        RUN_VIRTUAL(sibling_fails);
        RUN_VIRTUAL(from_others);
        RUN_VIRTUAL(of_no_use);
        return 0;
}
