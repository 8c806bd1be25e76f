/* SPDX-License-Identifier: MIT */
/*
 * Timeouts: when they expire, which of several has expired, and what leaving them returns.
 */
#include "parts.h"

static int strikes(void *arg) {
        belay_origin origin = { .size = sizeof(origin) };
        belay_time begin = belay_now();
        belay_timeout limit;
        int line, rc;

        (void) arg;
        line = __LINE__ + 1;
        CHECK_EQ(belay_timeout_enter(&limit, SECONDS(1)), 0);
        CHECK_EQ(belay_timeout_when(&limit), begin + SECONDS(1));
        CHECK(!belay_timeout_expired(&limit));
        rc = belay_sleep(SECONDS(5));
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_now() - begin, SECONDS(1));
        CHECK(belay_timeout_expired(&limit));
        CHECK(belay_origin_of(belay_self(), &origin));
        CHECK_EQ(origin.kind, BELAY_ORIGIN_TIMEOUT);
        CHECK(is_place(origin.place, __FILE__, line));
        CHECK_EQ(origin.when, begin + SECONDS(1));
        CHECK_EQ(belay_cancelling(belay_self()), 1);
        /* The request was delivered once, so cleanup may wait, even for longer than the limit. */
        CHECK_EQ(belay_sleep(SECONDS(3)), 0);
        CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);
        CHECK(belay_timeout_expired(&limit));
        CHECK_EQ(belay_timeout_when(&limit), begin + SECONDS(1));
        CHECK_LEFT(-ETIMEDOUT, NULL);
        CHECK_CLEAN();
        return 0;
}

/*
 * A queued timeout can outlive its scope (systemd). Here it must neither expire later nor cancel a
 * task that uses the storage again.
 */
static int left_in_time(void *arg) {
        belay_timeout limit;

        (void) arg;
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_timeout_enter(&limit, SECONDS(2)), 0);
                CHECK_EQ(belay_sleep(SECONDS(1)), 0);
                CHECK_EQ(belay_timeout_leave(&limit, 7), 7);
                CHECK(!belay_timeout_expired(&limit));
        }
        CHECK_EQ(belay_sleep(SECONDS(10)), 0);
        CHECK_CLEAN();
        return 0;
}

static int nested(void *arg) {
        belay_timeout outer, inner;
        belay_time begin = belay_now();
        int rc;

        (void) arg;
        /* The inner timeout expires. For the outer timeout, that is a failure of the body. */
        belay_timeout_enter(&outer, SECONDS(3));
        belay_timeout_enter(&inner, SECONDS(1));
        rc = belay_sleep(SECONDS(9));
        CHECK_EQ(belay_timeout_leave(&inner, rc), -ETIMEDOUT);
        CHECK_EQ(belay_sleep(SECONDS(1)), 0);
        CHECK_EQ(belay_timeout_leave(&outer, -ETIMEDOUT), -ETIMEDOUT);
        CHECK(belay_timeout_expired(&inner) && !belay_timeout_expired(&outer));
        CHECK_CLEAN();

        /* The outer timeout expires. The inner timeout must not take the request for its own. */
        begin = belay_now();
        belay_timeout_enter(&outer, SECONDS(1));
        belay_timeout_enter(&inner, SECONDS(3));
        rc = belay_sleep(SECONDS(9));
        CHECK_EQ(belay_now() - begin, SECONDS(1));
        rc = belay_timeout_leave(&inner, rc);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&outer, rc), -ETIMEDOUT);
        CHECK(!belay_timeout_expired(&inner) && belay_timeout_expired(&outer));
        CHECK_CLEAN();

        /*
         * Both expire at once, with one delivery. After the inner leave, the request of the outer
         * timeout remains.
         */
        belay_timeout_enter(&outer, SECONDS(1));
        belay_timeout_enter(&inner, SECONDS(1));
        rc = belay_sleep(SECONDS(9));
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_cancelling(belay_self()), 2);
        rc = belay_timeout_leave(&inner, rc);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&outer, rc), -ETIMEDOUT);
        CHECK(belay_timeout_expired(&inner) && belay_timeout_expired(&outer));
        CHECK_CLEAN();
        return 0;
}

/* The inner timeout expires, and then the outer timeout expires during its cleanup. */
static int in_clean_up(void *arg) {
        belay_timeout outer, inner;
        int rc;

        (void) arg;
        belay_timeout_enter(&outer, SECONDS(2));
        belay_timeout_enter(&inner, SECONDS(1));
        CHECK_EQ(belay_sleep(SECONDS(9)), -ECANCELED);
        rc = belay_sleep(SECONDS(9));
        CHECK_EQ(rc, -ECANCELED);
        rc = belay_timeout_leave(&inner, rc);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&outer, rc), -ETIMEDOUT);
        CHECK_CLEAN();
        return 0;
}

static int a_thousand(void *arg) {
        static belay_timeout limits[1000];
        int rc;

        (void) arg;
        for (int i = 0; i < 1000; i++)
                CHECK_EQ(belay_timeout_enter(&limits[i], SECONDS(i == 500 ? 1 : 2000 - i)), 0);
        rc = belay_sleep(BELAY_NEVER);
        for (int i = 999; i >= 0; i--) {
                rc = belay_timeout_leave(&limits[i], rc);
                CHECK_EQ(rc, i > 500 ? -ECANCELED : -ETIMEDOUT);
                CHECK_EQ(belay_timeout_expired(&limits[i]), i == 500);
        }
        CHECK_CLEAN();
        return 0;
}

/* ---- rescheduled ---- */

struct moved {
        belay_timeout limit;
        belay_time span, waited;
        int rc, left;
        belay_task *task;
};

static int is_moved(void *arg) {
        struct moved *moved = arg;
        belay_time begin = belay_now();

        belay_timeout_enter(&moved->limit, moved->span);
        moved->rc = belay_sleep(SECONDS(10));
        moved->waited = belay_now() - begin;
        moved->left = belay_timeout_leave(&moved->limit, moved->rc);
        return 0;
}

static void start_moved(struct moved *moved, belay_time span) {
        *moved = (struct moved) { .span = span };
        moved->task = must(belay_spawn(is_moved, moved));
        CHECK_EQ(belay_sleep(BELAY_SECOND / 2), 0);
}

static void end_moved(struct moved *moved, int left, belay_time waited) {
        CHECK_EQ(belay_join(moved->task, NULL), 0);
        CHECK_EQ(moved->left, left);
        CHECK_EQ(moved->waited, waited);
        CHECK_EQ(belay_timeout_expired(&moved->limit), left == -ETIMEDOUT);
        /*
         * The timeout has been left, so rescheduling it fails with a code that says how it ended.
         */
        CHECK_EQ(belay_timeout_reschedule(&moved->limit, SECONDS(1)),
                 left < 0 ? -ETIMEDOUT : -EPERM);
        CHECK_EQ(belay_timeout_reschedule_until(&moved->limit, belay_now()),
                 left < 0 ? -ETIMEDOUT : -EPERM);
        CHECK_EQ(belay_cancelling(moved->task), 0);
        belay_release(moved->task);
}

static int from_another_task(void *arg) {
        struct moved moved;
        belay_time when;

        (void) arg;
        start_moved(&moved, SECONDS(1)); /* later, and too late */
        CHECK_EQ(belay_timeout_reschedule(&moved.limit, SECONDS(20)), 0);
        end_moved(&moved, 0, SECONDS(10));

        start_moved(&moved, SECONDS(1)); /* later */
        when = belay_now() + SECONDS(4);
        CHECK_EQ(belay_timeout_reschedule_until(&moved.limit, when), 0);
        CHECK_EQ(belay_timeout_when(&moved.limit), when);
        end_moved(&moved, -ETIMEDOUT, SECONDS(4) + BELAY_SECOND / 2);

        start_moved(&moved, SECONDS(5)); /* earlier; the span counts from the call */
        CHECK_EQ(belay_timeout_reschedule(&moved.limit, SECONDS(1)), 0);
        end_moved(&moved, -ETIMEDOUT, SECONDS(1) + BELAY_SECOND / 2);

        start_moved(&moved, SECONDS(5)); /* at once */
        CHECK_EQ(belay_timeout_reschedule(&moved.limit, 0), 0);
        CHECK(!belay_timeout_expired(&moved.limit));
        end_moved(&moved, -ETIMEDOUT, BELAY_SECOND / 2);

        start_moved(&moved, SECONDS(5)); /* an instant that is over */
        CHECK_EQ(belay_timeout_reschedule_until(&moved.limit, 0), 0);
        end_moved(&moved, -ETIMEDOUT, BELAY_SECOND / 2);

        start_moved(&moved, SECONDS(1)); /* removed */
        CHECK_EQ(belay_timeout_reschedule(&moved.limit, BELAY_NEVER), 0);
        CHECK_EQ(belay_timeout_when(&moved.limit), BELAY_NEVER);
        end_moved(&moved, 0, SECONDS(10));

        start_moved(&moved, BELAY_NEVER); /* set for the first time */
        CHECK_EQ(belay_timeout_when(&moved.limit), BELAY_NEVER);
        CHECK_EQ(belay_timeout_reschedule(&moved.limit, SECONDS(1)), 0);
        end_moved(&moved, -ETIMEDOUT, SECONDS(1) + BELAY_SECOND / 2);

        start_moved(&moved, SECONDS(5)); /* at once, and removed again */
        CHECK_EQ(belay_timeout_reschedule(&moved.limit, -1), 0);
        CHECK_EQ(belay_timeout_reschedule(&moved.limit, SECONDS(20)), 0);
        end_moved(&moved, 0, SECONDS(10));
        return 0;
}

static int struck_already(void *arg) {
        belay_timeout limit;
        int rc;

        (void) arg;
        belay_timeout_enter(&limit, SECONDS(1));
        rc = belay_sleep(SECONDS(2));
        CHECK_EQ(belay_timeout_reschedule(&limit, SECONDS(1)), -ETIMEDOUT);
        CHECK_EQ(belay_timeout_reschedule_until(&limit, BELAY_NEVER), -ETIMEDOUT);
        CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);
        CHECK_CLEAN();
        return 0;
}

/* ---- spans and instants ---- */

static int nothing(void *arg) {
        (void) arg;
        return 0;
}

static int no_time(void *arg) {
        static const belay_time spans[] = { 0, -1, -SECONDS(5), INT64_MIN };
        belay_timeout limit;
        belay_time begin = belay_now();

        (void) arg;
        for (size_t i = 0; i < 4; i++) {
                belay_task *done = must(belay_spawn(nothing, NULL));

                CHECK_EQ(belay_yield(), 0);
                /* The timeout does not expire in a wait that does not yield. */
                belay_timeout_enter(&limit, spans[i]);
                CHECK_EQ(belay_await(done, NULL), 0);
                CHECK_EQ(belay_timeout_leave(&limit, 3), 3);
                CHECK(!belay_timeout_expired(&limit));
                CHECK_CLEAN();
                /* It expires at the next wait that yields, of any kind. */
                belay_timeout_enter(&limit, spans[i]);
                CHECK_EQ(belay_timeout_leave(&limit,
                                             i % 2 ? belay_yield() : belay_sleep(BELAY_NEVER)),
                         -ETIMEDOUT);
                CHECK(belay_timeout_expired(&limit));
                CHECK_CLEAN();
                belay_release(done);
        }
        CHECK_EQ(belay_now(), begin);
        return 0;
}

static int until(void *arg) {
        belay_timeout limit;
        belay_time begin;

        (void) arg;
        CHECK_EQ(belay_sleep(SECONDS(100)), 0);
        begin = belay_now();
        CHECK_EQ(belay_timeout_enter_until(&limit, begin + SECONDS(2)), 0);
        CHECK_EQ(belay_timeout_when(&limit), begin + SECONDS(2));
        CHECK_EQ(belay_timeout_leave(&limit, belay_sleep(SECONDS(5))), -ETIMEDOUT);
        CHECK_EQ(belay_now(), begin + SECONDS(2));
        CHECK_EQ(belay_timeout_enter_until(&limit, begin), 0);
        CHECK_EQ(belay_timeout_leave(&limit, belay_sleep(SECONDS(5))), -ETIMEDOUT);
        CHECK_EQ(belay_now(), begin + SECONDS(2));
        CHECK_EQ(belay_timeout_enter_until(&limit, BELAY_NEVER), 0);
        CHECK_EQ(belay_timeout_when(&limit), BELAY_NEVER);
        CHECK_EQ(belay_timeout_leave(&limit, belay_sleep(BELAY_HOUR)), 0);
        /* The instant would overflow. */
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_NEVER - 1), 0);
        CHECK_EQ(belay_timeout_leave(&limit, belay_sleep(BELAY_HOUR)), 0);
        return 0;
}

static int deadline(void *arg) {
        belay_timeout limits[4];
        belay_shield_scope shield;
        belay_group group;
        belay_time now = belay_now();

        (void) arg;
        CHECK_EQ(belay_deadline(), BELAY_NEVER);
        belay_timeout_enter(&limits[0], SECONDS(5));
        CHECK_EQ(belay_deadline(), now + SECONDS(5));
        belay_timeout_enter(&limits[1], SECONDS(9));
        CHECK_EQ(belay_deadline(), now + SECONDS(5));
        belay_group_enter(&group);
        belay_shield_enter(&shield, BELAY_NEVER);
        belay_timeout_enter(&limits[2], SECONDS(3));
        CHECK_EQ(belay_deadline(), now + SECONDS(3));
        belay_timeout_enter(&limits[3], BELAY_NEVER);
        CHECK_EQ(belay_deadline(), now + SECONDS(3));
        CHECK_EQ(belay_timeout_reschedule(&limits[1], SECONDS(1)), 0);
        CHECK_EQ(belay_deadline(), now + SECONDS(1));
        CHECK_EQ(belay_timeout_reschedule(&limits[1], SECONDS(8)), 0);
        CHECK_EQ(belay_timeout_leave(&limits[3], 0), 0);
        CHECK_EQ(belay_timeout_leave(&limits[2], 0), 0);
        CHECK_EQ(belay_shield_leave(&shield, 0), 0);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        CHECK_EQ(belay_timeout_leave(&limits[1], 0), 0);
        CHECK_EQ(belay_deadline(), now + SECONDS(5));
        CHECK_EQ(belay_timeout_leave(&limits[0], 0), 0);
        CHECK_EQ(belay_deadline(), BELAY_NEVER);
        return 0;
}

/* ---- expiry at unusual moments ---- */

static belay_event event;

static void sets_and_computes(void *arg) {
        (void) arg;
        belay_event_set(&event);
        CHECK_EQ(belay_advance(SECONDS(1)), 0);
}

/*
 * A timeout that expires while its task is ready must not be dropped, or later waits would have no
 * limit (systemd).
 */
static int while_ready(void *arg) {
        belay_time begin = belay_now();
        belay_timeout limit;
        int rc;

        (void) arg;
        belay_timeout_enter(&limit, SECONDS(1));
        CHECK(belay_later(BELAY_SECOND / 2, sets_and_computes, NULL) != 0);
        rc = belay_event_wait(&event);
        if (rc == 0)
                rc = belay_sleep(BELAY_HOUR);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_now() - begin, SECONDS(1) + BELAY_SECOND / 2);
        CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);
        CHECK_CLEAN();
        return 0;
}

/*
 * The body of the scope never waits. The timeout has not expired when it is left, and must not
 * expire afterwards.
 */
static int never_gave_way(void *arg) {
        belay_timeout limit;

        (void) arg;
        belay_timeout_enter(&limit, SECONDS(1));
        CHECK_EQ(belay_advance(SECONDS(2)), 0);
        CHECK(!belay_timeout_expired(&limit));
        CHECK_EQ(belay_timeout_leave(&limit, 5), 5);
        CHECK(!belay_timeout_expired(&limit));
        CHECK_EQ(belay_sleep(SECONDS(5)), 0);
        CHECK_CLEAN();

        belay_timeout_enter(&limit, 0);
        CHECK_EQ(belay_timeout_leave(&limit, 5), 5);
        CHECK_EQ(belay_sleep(SECONDS(5)), 0);
        CHECK_CLEAN();

        /* A wait after long computing: the timeout expires at once. */
        belay_timeout_enter(&limit, SECONDS(1));
        CHECK_EQ(belay_advance(SECONDS(2)), 0);
        CHECK_EQ(belay_timeout_leave(&limit, belay_sleep(SECONDS(5))), -ETIMEDOUT);
        CHECK_CLEAN();
        return 0;
}

/* A body that finishes although the timeout has expired keeps its return value. */
static int in_spite(void *arg) {
        static const int ends[] = { 0, 7, -EIO, -ETIMEDOUT };
        belay_timeout limit;

        (void) arg;
        for (size_t i = 0; i < 4; i++) {
                belay_timeout_enter(&limit, SECONDS(1));
                CHECK_EQ(belay_sleep(SECONDS(2)), -ECANCELED);
                if (ends[i] < 0)
                        belay_fail(ends[i], "all the same");
                CHECK_EQ(belay_timeout_leave(&limit, ends[i]), ends[i]);
                if (ends[i] < 0)
                        CHECK_LEFT(ends[i], "all the same");
                CHECK(belay_timeout_expired(&limit));
                CHECK_CLEAN();
        }
        return 0;
}

/*
 * Gives a thread that wrongly begins to make the directory 10 ms for it, in each of 3 turns of
 * the loop. Otherwise the request of the timeout could still stop the thread's job.
 */
static int turns_left;

static void gives_time(void *directory) {
        for (int i = 0; i < 10 && access(directory, F_OK) < 0; i++)
                usleep(1000);
        if (--turns_left > 0)
                CHECK(belay_soon(gives_time, directory) != 0);
}

/*
 * A call that can hardly be undone does not begin if a timeout is due, even if the task has not
 * yielded since. The instant is past in round 0, and now in round 1. An outer timeout is due in
 * round 2.
 */
static int before_work(void *arg) {
        static const belay_time spans[] = { SECONDS(3), SECONDS(2), SECONDS(2) };
        char place[200], directory[256];
        const char *tmp = getenv("TMPDIR");
        belay_timeout outer, limit;
        int rc;

        (void) arg;
        snprintf(place, sizeof(place), "%s/belay-timeout-XXXXXX", tmp != NULL ? tmp : "/tmp");
        CHECK(mkdtemp(place) != NULL);
        snprintf(directory, sizeof(directory), "%s/new", place);
        /* From here on, a thread is there and begins at once. */
        CHECK_EQ(belay_file_make_directory(directory, 0700), 0);
        CHECK_EQ(rmdir(directory), 0);
        for (size_t i = 0; i < 3; i++) {
                belay_timeout_enter(&outer, i < 2 ? BELAY_NEVER : SECONDS(2));
                belay_timeout_enter(&limit, i < 2 ? SECONDS(2) : BELAY_NEVER);
                CHECK_EQ(belay_advance(spans[i]), 0);
                turns_left = 3;
                CHECK(belay_soon(gives_time, directory) != 0);
                belay_fail(-ECANCELED, "earlier");
                rc = belay_file_make_directory(directory, 0700);
                CHECK_EQ(rc, -ECANCELED);
                CHECK_LEFT(-ECANCELED, NULL);
                while (turns_left > 0)
                        CHECK_EQ(belay_yield(), 0);
                CHECK_EQ(access(directory, F_OK), -1);
                CHECK_EQ(origin_kind(belay_self()), BELAY_ORIGIN_TIMEOUT);
                rc = belay_timeout_leave(&limit, rc);
                CHECK_EQ(rc, i < 2 ? -ETIMEDOUT : -ECANCELED);
                rc = belay_timeout_leave(&outer, rc);
                CHECK_EQ(rc, -ETIMEDOUT);
                CHECK_CLEAN();
        }
        /* The request of an expired timeout was delivered, and cleanup may call the function. */
        belay_timeout_enter(&limit, SECONDS(1));
        rc = belay_sleep(SECONDS(2));
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_file_make_directory(directory, 0700), 0);
        CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);
        CHECK_EQ(rmdir(directory), 0);
        CHECK_EQ(rmdir(place), 0);
        CHECK_CLEAN();
        return 0;
}

/* ---- other requests ---- */

static int others(void *arg) {
        belay_timeout limit;
        int rc;

        (void) arg;
        /* A request before the timeout expires. */
        belay_timeout_enter(&limit, SECONDS(2));
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_timeout_leave(&limit, belay_sleep(SECONDS(5))), -ECANCELED);
        CHECK(!belay_timeout_expired(&limit));
        CHECK_DELIVERED();

        /*
         * A request before it, and the timeout expires during cleanup. It still counts as a request
         * from outside.
         */
        belay_timeout_enter(&limit, SECONDS(2));
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_sleep(SECONDS(5)), -ECANCELED);
        rc = belay_sleep(SECONDS(5));
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&limit, rc), -ECANCELED);
        CHECK(belay_timeout_expired(&limit));
        CHECK_DELIVERED();

        /* A request after it has expired. */
        belay_timeout_enter(&limit, SECONDS(1));
        cancel_after(SECONDS(2), belay_self());
        CHECK_EQ(belay_sleep(SECONDS(5)), -ECANCELED);
        CHECK_EQ(belay_sleep(SECONDS(5)), -ECANCELED);
        CHECK_EQ(belay_timeout_leave(&limit, -ECANCELED), -ECANCELED);
        CHECK_DELIVERED();

        /* A request at the same instant, after the expiry and merged with it. */
        belay_timeout_enter(&limit, SECONDS(1));
        cancel_after(SECONDS(1), belay_self());
        CHECK_EQ(belay_timeout_leave(&limit, belay_sleep(SECONDS(5))), -ECANCELED);
        CHECK(belay_timeout_expired(&limit));
        CHECK_DELIVERED();

        /*
         * An earlier request that was handled must not make the timeout take its own request for
         * another's.
         */
        belay_cancel(belay_self(), NULL);
        CHECK_EQ(belay_yield(), -ECANCELED);
        belay_timeout_enter(&limit, SECONDS(1));
        CHECK_EQ(belay_timeout_leave(&limit, belay_sleep(SECONDS(5))), -ETIMEDOUT);
        CHECK_DELIVERED();

        /* A -ECANCELED without a request, and the timeout has not expired. */
        belay_timeout_enter(&limit, SECONDS(1));
        CHECK_EQ(belay_timeout_leave(&limit, -ECANCELED), -ECANCELED);
        CHECK_CLEAN();
        return 0;
}

static void enters(void *arg) {
        belay_timeout limit;
        belay_group group;
        belay_shield_scope shield;

        CHECK_EQ(belay_timeout_enter(&limit, SECONDS(1)), -EPERM);
        CHECK_EQ(belay_timeout_enter_until(&limit, SECONDS(1)), -EPERM);
        CHECK_EQ(belay_group_enter(&group), -EPERM);
        CHECK_EQ(belay_group_enter_with(&group, NULL), -EPERM);
        CHECK_EQ(belay_shield_enter(&shield, BELAY_NEVER), -EPERM);
        CHECK_EQ(belay_deadline(), BELAY_NEVER);
        *(bool *) arg = true;
}

/* A timeout that could not be rescheduled does not expire, and the call returns an error. */
static int cannot_be_moved(void *arg) {
        belay_timeout limit;
        int rc;

        (void) arg;
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_SECOND), 0);
        refused_from = 1;
        rc = belay_timeout_reschedule(&limit, 0);
        refused_from = 0;
        CHECK_EQ(rc, -ENOMEM);
        CHECK_EQ(belay_timeout_when(&limit), BELAY_NEVER);
        CHECK_EQ(belay_deadline(), BELAY_NEVER);
        CHECK_EQ(belay_sleep(2 * BELAY_SECOND), 0);
        return belay_timeout_leave(&limit, 0);
}

static int in_no_task(void *arg) {
        bool entered = false;

        (void) arg;
        keep_lines();
        CHECK(belay_soon(enters, &entered) != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK(entered);
        CHECK_LINES(5, "misuse at " __FILE__);
        CHECK_LINES(2, "a timeout is entered outside of a task");
        CHECK_LINES(2, "a group is entered outside of a task");
        CHECK_LINES(1, "a shielded region is entered outside of a task");
        belay_set_log(NULL, NULL);
        return 0;
}

int main(void) {
        bool entered = false;

        belay_set_memory(scarce_memory, NULL);
        RUN_VIRTUAL(cannot_be_moved);
        RUN_VIRTUAL(strikes);
        RUN_VIRTUAL(left_in_time);
        RUN_VIRTUAL(nested);
        RUN_VIRTUAL(in_clean_up);
        RUN_VIRTUAL(a_thousand);
        RUN_VIRTUAL(from_another_task);
        RUN_VIRTUAL(struck_already);
        RUN_VIRTUAL(no_time);
        RUN_VIRTUAL(until);
        RUN_VIRTUAL(deadline);
        RUN_VIRTUAL(while_ready);
        RUN_VIRTUAL(never_gave_way);
        RUN_VIRTUAL(in_spite);
        RUN_VIRTUAL(before_work);
        RUN_VIRTUAL(others);
        RUN_VIRTUAL(in_no_task);
        keep_lines();
        enters(&entered);
        CHECK_LINES(5, "misuse at " __FILE__);
        return 0;
}
