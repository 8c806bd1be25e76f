/* SPDX-License-Identifier: MIT */
/*
 * belay_group_start() returns -ECANCELED only for a cancellation of the caller, and an -EDEADLK of
 * the member stays -EDEADLK.
 */
#include "../base/help.h"

static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_HOUR);
}

static int fails(void *arg) {
        (void) arg;
        return belay_fail(-EPROTO, "bad");
}

static int gives_up(void *arg) {
        (void) arg;
        return -ECANCELED;
}

static int has_a_result(void *arg) {
        (void) arg;
        return 4;
}

static int ends_before(void *arg) {
        belay_group group;
        belay_failure *failure;

        (void) arg;
        belay_group_enter(&group);
        CHECK_EQ(belay_group_start(&group, gives_up, NULL, NULL, NULL), -EPIPE);
        CHECK_EQ(belay_cancelling(belay_self()), 0);
        CHECK_EQ(belay_group_start(&group, has_a_result, NULL, NULL, NULL), -EPIPE);
        CHECK_EQ(belay_group_start(&group, fails, NULL, NULL, NULL), -EPROTO);
        failure = belay_failure_take(-EPROTO);
        CHECK_STR(belay_failure_text(failure), "bad");
        belay_failure_release(failure);
        return belay_group_leave(&group, 0);
}

static belay_task *self;

static int cancelled_by_somebody(void *arg) {
        *(belay_task **) arg = belay_ref(belay_self());
        return belay_sleep(BELAY_HOUR);
}

static void cancels_member(void *arg) {
        CHECK(belay_cancel(*(belay_task **) arg, "you"));
}

static int other_cancels(void *arg) {
        belay_task *member = NULL;
        belay_group group;

        (void) arg;
        belay_group_enter(&group);
        CHECK(belay_later(BELAY_SECOND, cancels_member, &member) != 0);
        CHECK_EQ(belay_group_start(&group, cancelled_by_somebody, &member, NULL, NULL), -EPIPE);
        belay_release(member);
        return belay_group_leave(&group, 0);
}

static void cancels_self(void *arg) {
        (void) arg;
        CHECK(belay_cancel(self, "me"));
}

static int own(void *arg) {
        belay_group group;
        int rc;

        (void) arg;
        self = belay_self();
        belay_group_enter(&group);
        CHECK(belay_later(BELAY_SECOND, cancels_self, NULL) != 0);
        rc = belay_group_start(&group, sleeps, NULL, NULL, NULL);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_group_leave(&group, rc), -ECANCELED);
        return 0;
}

/* The member waits for the task that waits for it to be ready. */
static int awaits_starter(void *arg) {
        int rc = belay_join(arg, NULL);

        return rc == -EDEADLK ? belay_join(arg, NULL) : rc;
}

static int circle(void *arg) {
        belay_group group;
        int rc;

        (void) arg;
        belay_group_enter(&group);
        rc = belay_group_start(&group, awaits_starter, belay_self(), NULL, NULL);
        CHECK(rc == -EDEADLK);
        rc = belay_group_leave(&group, rc);
        return rc == -EDEADLK ? 0 : 1;
}

int main(void) {
        RUN_VIRTUAL(ends_before);
        RUN_VIRTUAL(other_cancels);
        CHECK_EQ(belay_run_with(own, NULL, VIRTUAL), 0);
        keep_lines();
        RUN_VIRTUAL(circle);
        CHECK(lines_with("deadlock:") < 5);
        return 0;
}
