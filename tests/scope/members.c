/* SPDX-License-Identifier: MIT */
/*
 * Members of a group: eager members, last members, and members for which there is no room or whose
 * group is over.
 */
#include "parts.h"

static int destroyed;

static void destroy(void *arg) {
        (void) arg;
        destroyed++;
}

#define WITH(...) BELAY_OPTIONS(belay_spawn_options, .destroy = destroy, __VA_ARGS__)

static void add(belay_group *group, struct part *part) {
        CHECK_EQ(belay_group_spawn(group, play, part), 0);
}

static int enter_limited(belay_group *group, size_t limit) {
        return belay_group_enter_with(group, BELAY_OPTIONS(belay_group_options, .limit = limit));
}

/* ---- room ---- */

static int alive, most;

static int counted(void *arg) {
        int rc;

        if (++alive > most)
                most = alive;
        rc = belay_sleep(*(belay_time *) arg);
        alive--;
        return rc;
}

static int a_few_at_once(void *arg) {
        static belay_time second = BELAY_SECOND;
        belay_time begin = belay_now();
        belay_group group;

        (void) arg;
        enter_limited(&group, 3);
        for (int i = 0; i < 10; i++) {
                CHECK_EQ(belay_group_spawn(&group, counted, &second), 0);
                CHECK_EQ(belay_now() - begin, SECONDS(i / 3));
                CHECK(belay_group_count(&group) <= 3);
        }
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        CHECK_EQ(most, 3);
        CHECK_EQ(belay_now() - begin, SECONDS(4));
        return 0;
}

/* Another task that starts a member and has to wait for room. */
struct spawner {
        belay_group *group;
        struct part part;
        belay_task *task;
        int rc;
        belay_time at;
};

static int spawns(void *arg) {
        struct spawner *spawner = arg;
        spawner->rc = belay_group_spawn_with(spawner->group, play, &spawner->part,
                                             WITH(.name = "late"), NULL);
        spawner->at = belay_now();
        return spawner->rc;
}

static void start_spawners(struct spawner *spawners, int count, belay_group *group) {
        for (int i = 0; i < count; i++) {
                spawners[i] = (struct spawner) { .group = group,
                                                 .part = { .span = SECONDS(1) },
                                                 .rc = UNWRITTEN };
                spawners[i].task = must(belay_spawn(spawns, &spawners[i]));
        }
        CHECK_EQ(belay_yield(), 0);
        for (int i = 0; i < count; i++)
                CHECK_EQ(spawners[i].rc, UNWRITTEN);
}

static int in_line(void *arg) {
        struct part first = { .span = SECONDS(1) };
        struct spawner spawners[3];
        belay_time begin = belay_now();
        belay_group group;

        (void) arg;
        destroyed = 0;
        enter_limited(&group, 1);
        add(&group, &first);
        start_spawners(spawners, 3, &group);
        CHECK_EQ(belay_sleep(SECONDS(3) + 1), 0);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(spawners[i].at - begin, SECONDS(i + 1));
                CHECK_EQ(ended_with(spawners[i].task), 0);
        }
        CHECK_EQ(belay_now() - begin, SECONDS(4));
        CHECK_EQ(destroyed, 3);
        return 0;
}

/* The group is left while tasks wait for room. Their waits end when the last member has ended. */
static int left_meanwhile(void *arg) {
        struct part first = { .span = SECONDS(1) };
        struct spawner spawners[2];
        belay_group group;

        (void) arg;
        keep_lines();
        destroyed = 0;
        enter_limited(&group, 1);
        add(&group, &first);
        start_spawners(spawners, 2, &group);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        CHECK_EQ(belay_yield(), 0);
        for (int i = 0; i < 2; i++) {
                CHECK_EQ(spawners[i].rc, -ESHUTDOWN);
                CHECK_EQ(spawners[i].part.begun, 0);
                CHECK_EQ(ended_with(spawners[i].task), -ESHUTDOWN);
        }
        CHECK_EQ(destroyed, 0);
        /* They called before the group was left, so no misuse is logged. */
        CHECK_EQ(kept_count, 0);
        belay_set_log(NULL, NULL);
        return 0;
}

/* A wait for room is cancelled. No member is started, and the next waiting task still gets room. */
static int gives_up(void *arg) {
        struct part first = { .span = SECONDS(1) };
        struct spawner spawners[3];
        belay_time begin = belay_now();
        belay_group group;

        (void) arg;
        destroyed = 0;
        enter_limited(&group, 1);
        add(&group, &first);
        start_spawners(spawners, 3, &group);
        belay_cancel(spawners[0].task, NULL);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(spawners[0].rc, -ECANCELED);
        CHECK_EQ(belay_group_count(&group), 1);
        CHECK_EQ(belay_sleep(SECONDS(2) + 1), 0);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        CHECK_EQ(spawners[0].part.begun, 0);
        CHECK_EQ(spawners[1].at - begin, SECONDS(1));
        CHECK_EQ(spawners[2].at - begin, SECONDS(2));
        CHECK_EQ(destroyed, 2);
        for (int i = 0; i < 3; i++)
                CHECK_EQ(ended_with(spawners[i].task), i == 0 ? -ECANCELED : 0);
        return 0;
}

struct canceller {
        belay_task *task;
        int turns;
};

static int cancels(void *arg) {
        struct canceller *canceller = arg;
        int rc = belay_sleep(SECONDS(1));

        for (int i = 0; i < canceller->turns && rc == 0; i++)
                rc = belay_yield();
        belay_cancel(canceller->task, NULL);
        return rc;
}

/*
 * A cancelled waiter can consume a wake-up that the next waiter needs (cpython 90155). Here the
 * room passes to the next waiter.
 */
static int woken_and_cancelled(void *arg) {
        int cancelled = 0;

        (void) arg;
        /*
         * The request comes before there is room, after the waiter was woken, or after it has run.
         * The turns 0 to 3 cover all three cases.
         */
        for (int turns = 0; turns < 4; turns++) {
                struct part first = { .span = SECONDS(1) };
                struct spawner spawners[2];
                struct canceller canceller = { .task = NULL, .turns = turns };
                belay_time begin = belay_now();
                belay_group group;
                belay_task *task;

                enter_limited(&group, 1);
                add(&group, &first);
                start_spawners(spawners, 2, &group);
                canceller.task = spawners[0].task;
                task = must(belay_spawn(cancels, &canceller));
                CHECK_EQ(belay_sleep(SECONDS(4)), 0);
                cancelled += spawners[0].rc == -ECANCELED;
                CHECK_EQ(spawners[0].part.begun, spawners[0].rc == 0);
                CHECK_EQ(spawners[1].rc, 0);
                CHECK_EQ(spawners[1].at - begin, SECONDS(spawners[0].rc == 0 ? 2 : 1));
                CHECK_EQ(belay_group_leave(&group, 0), 0);
                belay_release(spawners[0].task);
                belay_release(spawners[1].task);
                belay_release(task);
        }
        CHECK(cancelled > 0 && cancelled < 4);
        return 0;
}

static int refused(void *arg) {
        struct part first = { .span = SECONDS(5), .clean_up = SECONDS(1) };
        struct spawner spawners[3];
        belay_group group;

        (void) arg;
        keep_lines();
        destroyed = 0;
        enter_limited(&group, 1);
        add(&group, &first);
        start_spawners(spawners, 3, &group);
        belay_group_cancel(&group);
        CHECK_EQ(belay_group_leave(&group, belay_yield()), 0);
        CHECK_EQ(belay_yield(), 0);
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(spawners[i].rc, -ESHUTDOWN);
                CHECK_EQ(spawners[i].part.begun, 0);
                CHECK_EQ(ended_with(spawners[i].task), -ESHUTDOWN);
        }
        CHECK_EQ(destroyed, 0);
        CHECK_EQ(kept_count, 0);
        belay_set_log(NULL, NULL);
        return 0;
}

static int spawns_into_failed(void *arg) {
        struct spawner *spawner = arg;

        spawner->rc = belay_group_start(spawner->group, play, &spawner->part, NULL, NULL);
        return belay_fail(spawner->rc, NULL);
}

/*
 * A member fails while tasks wait for room, in a spawn and in a start. In one case room is reserved
 * for a task in that instant.
 */
static int fails_meanwhile(void *arg) {
        struct part fails = { .span = SECONDS(1), .end = -EIO }, ends = { .span = SECONDS(1) };
        struct spawner spawners[3];
        belay_task *starter;
        belay_group group;

        (void) arg;
        keep_lines();
        destroyed = 0;
        for (int i = 0; i < 2; i++) {
                enter_limited(&group, 2);
                add(&group, i ? &ends : &fails);
                add(&group, i ? &fails : &ends);
                start_spawners(spawners, 3, &group);
                starter = must(belay_spawn(spawns_into_failed, &spawners[2]));
                CHECK_EQ(belay_yield(), 0);
                CHECK_EQ(belay_group_leave(&group, belay_sleep(SECONDS(5))), -EIO);
                CHECK_EQ(belay_sleep(SECONDS(5)), 0);
                for (int k = 0; k < 3; k++) {
                        CHECK_EQ(spawners[k].rc, -ESHUTDOWN);
                        CHECK_EQ(ended_with(spawners[k].task), -ESHUTDOWN);
                }
                CHECK_EQ(ended_with(starter), -ESHUTDOWN);
                CHECK_EQ(spawners[0].part.begun + spawners[1].part.begun + spawners[2].part.begun,
                         0);
        }
        CHECK_EQ(kept_count, 0);
        CHECK_EQ(destroyed, 0);
        belay_set_log(NULL, NULL);
        CHECK_CLEAN();
        return 0;
}

/*
 * A group with a limit is left while its free room is reserved for a waiting task. Then the storage
 * of the group is reused.
 */
static int leaves_soon(void *arg) {
        struct part first = { .span = SECONDS(1) };
        belay_group group;

        enter_limited(&group, 1);
        add(&group, &first);
        start_spawners(arg, 2, &group);
        CHECK_EQ(belay_yield(), 0);
        /* The member ends before this task runs, and the waiting tasks run after it. */
        CHECK_EQ(belay_sleep(SECONDS(1)), 0);
        CHECK_EQ(first.ended, 1);
        return belay_group_leave(&group, 0);
}

static int storage_goes(void *arg) {
        struct spawner spawners[2];
        volatile char over[2048];

        (void) arg;
        keep_lines();
        CHECK_EQ(leaves_soon(spawners), 0);
        memset((char *) over, 0x5a, sizeof(over));
        CHECK_EQ(belay_sleep(SECONDS(5)), 0);
        CHECK_EQ(over[1024], 0x5a);
        for (int i = 0; i < 2; i++) {
                CHECK_EQ(spawners[i].rc, -ESHUTDOWN);
                CHECK_EQ(ended_with(spawners[i].task), -ESHUTDOWN);
        }
        CHECK_EQ(kept_count, 0);
        belay_set_log(NULL, NULL);
        return 0;
}

static int spawns_too_much(void *arg) {
        struct spawner *spawner = arg;

        spawner->rc = belay_group_spawn_with(spawner->group, play, &spawner->part,
                                             WITH(.stack_size = SIZE_MAX / 2), NULL);
        return spawner->rc;
}

/*
 * Room that is reserved for a task is not taken by another in that instant. If the task cannot use
 * it, the room passes to the next.
 */
static int keeps_a_place(void *arg) {
        struct part first = { .span = SECONDS(1) }, late = { .span = SECONDS(1) };
        struct spawner spawners[2], fails = { .rc = UNWRITTEN };
        belay_time begin = belay_now();
        belay_group group;
        belay_task *task;

        (void) arg;
        destroyed = 0;
        enter_limited(&group, 1);
        add(&group, &first);
        fails.group = &group;
        task = must(belay_spawn(spawns_too_much, &fails));
        start_spawners(spawners, 2, &group);
        CHECK_EQ(belay_yield(), 0);
        /* This task is ready before the first waiting task is. */
        CHECK_EQ(belay_sleep(SECONDS(1)), 0);
        CHECK_EQ(first.ended, 1);
        CHECK_EQ(fails.rc, UNWRITTEN);
        CHECK_EQ(belay_group_spawn(&group, play, &late), 0);
        CHECK_EQ(fails.rc, -EINVAL);
        CHECK_EQ(belay_now() - begin, SECONDS(3));
        CHECK_EQ(belay_group_count(&group), 1);
        CHECK_EQ(spawners[0].at - begin, SECONDS(1));
        CHECK_EQ(spawners[1].at - begin, SECONDS(2));
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        CHECK_EQ(belay_now() - begin, SECONDS(4));
        CHECK_EQ(ended_with(spawners[0].task), 0);
        CHECK_EQ(ended_with(spawners[1].task), 0);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(ended_with(task), -EINVAL);
        return 0;
}

/* The body itself waits for room. */
static int body_waits(void *arg) {
        struct part slow = { .span = SECONDS(9) }, fails = { .span = SECONDS(1), .end = -EIO },
                    more = { .end = 0 };
        belay_task *none = NULL;
        belay_timeout limit;
        belay_group group;
        int rc;

        (void) arg;
        enter_limited(&group, 2);
        add(&group, &slow);
        add(&group, &fails);
        rc = belay_group_spawn(&group, play, &more);
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_group_leave(&group, rc), -EIO);
        CHECK_EQ(more.begun, 0);
        CHECK_CLEAN();

        slow = (struct part) { .span = SECONDS(9) };
        enter_limited(&group, 1);
        add(&group, &slow);
        belay_timeout_enter(&limit, SECONDS(1));
        CHECK_EQ(belay_group_spawn_with(&group, play, &more, NULL, &none), -ECANCELED);
        CHECK(none == NULL);
        CHECK_EQ(belay_timeout_leave(&limit, -ECANCELED), -ETIMEDOUT);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        CHECK_EQ(slow.requests, 0);
        CHECK_EQ(more.begun, 0);
        CHECK_CLEAN();
        return 0;
}

/* ---- a group that is over ---- */

static belay_group shared;

static int over(void *arg) {
        struct part part = { .span = SECONDS(1) },
                    cleans_up = { .span = SECONDS(9), .clean_up = SECONDS(3) };
        belay_task *none = NULL;
        char entered[200];

        (void) arg;
        keep_lines();
        destroyed = 0;
        snprintf(entered, sizeof(entered), "entered at %s:%d", __FILE__, __LINE__ + 1);
        belay_group_enter(&shared);
        add(&shared, &cleans_up);
        CHECK_EQ(belay_yield(), 0);
        belay_group_cancel(&shared);
        CHECK_EQ(belay_group_spawn(&shared, play, &part), -EPERM);
        CHECK_EQ(belay_group_spawn_with(&shared, play, &part, WITH(.eager = true), &none), -EPERM);
        CHECK_EQ(belay_group_start(&shared, play, &part, WITH(.name = "none"), NULL), -EPERM);
        CHECK_LINES(3, "shutting down");
        CHECK_LINES(3, entered);
        CHECK_EQ(belay_group_leave(&shared, belay_yield()), 0);
        CHECK_EQ(belay_group_spawn(&shared, play, &part), -EPERM);
        CHECK_EQ(belay_group_spawn_with(&shared, play, &part, WITH(.last = true), &none), -EPERM);
        CHECK(none == NULL);
        CHECK_EQ(belay_group_start(&shared, play, &part, WITH(.name = "none"), NULL), -EPERM);
        CHECK_LINES(3, "which was left");
        CHECK_LINES(6, entered);
        CHECK_LINES(6, "misuse at " __FILE__);
        CHECK_EQ(part.begun, 0);
        CHECK_EQ(destroyed, 0);
        CHECK_EQ(belay_group_count(&shared), 0);
        belay_set_log(NULL, NULL);
        return 0;
}

static int spawns_another(void *arg) {
        int rc = belay_sleep(SECONDS(1));

        return rc == 0 ? belay_group_spawn(&shared, play, arg) : rc;
}

/* While the body leaves the group, members may still start others. */
static int while_leaving(void *arg) {
        struct part part = { .span = SECONDS(1) };
        belay_time begin = belay_now();

        (void) arg;
        belay_group_enter(&shared);
        CHECK_EQ(belay_group_spawn(&shared, spawns_another, &part), 0);
        CHECK_EQ(belay_group_leave(&shared, 3), 3);
        CHECK_EQ(part.ended, 1);
        CHECK_EQ(belay_now() - begin, SECONDS(2));
        return 0;
}

/* ---- last members ---- */

static int last_members(void *arg) {
        (void) arg;
        /*
         * Ways to end the ordinary members: the group is left, the whole group is cancelled, or a
         * member fails.
         */
        for (int i = 0; i < 3; i++) {
                struct part ordinary = { .span = SECONDS(i == 0 ? 2 : 9), .clean_up = SECONDS(3) };
                struct part fails = { .span = SECONDS(1), .end = i == 2 ? -EIO : 0 };
                struct part last = { .span = BELAY_NEVER, .clean_up = SECONDS(1) };
                belay_time begin = belay_now();
                belay_group group;

                belay_group_enter(&group);
                CHECK_EQ(belay_group_spawn_with(&group, play, &last, WITH(.last = true), NULL), 0);
                add(&group, &ordinary);
                add(&group, &fails);
                CHECK_EQ(belay_yield(), 0);
                if (i == 1)
                        belay_group_cancel(&group);
                CHECK_EQ(belay_group_leave(&group, 0), i == 2 ? -EIO : 0);
                CHECK_EQ(last.requests, 1);
                CHECK_EQ(last.origin, BELAY_ORIGIN_GROUP);
                /*
                 * The last member is cancelled when the ordinary members have ended with their
                 * cleanup, and ends 1 s later.
                 */
                CHECK_EQ(ordinary.at - begin, SECONDS(i == 0 ? 2 : i == 1 ? 3 : 4));
                CHECK_EQ(last.at, ordinary.at + SECONDS(1));
                CHECK_EQ(belay_now(), last.at);
                CHECK_CLEAN();
        }
        return 0;
}

static int last_alone(void *arg) {
        struct part last = { .span = BELAY_NEVER }, ordinary = { .span = SECONDS(1) };
        struct part refuses = { .span = SECONDS(7), .refuses = 1, .end = 3 };
        belay_time begin = belay_now();
        belay_group group;

        (void) arg;
        belay_group_enter(&group);
        CHECK_EQ(belay_group_spawn_with(&group, play, &last, WITH(.last = true), NULL), 0);
        CHECK_EQ(belay_group_spawn_with(&group, play, &refuses, WITH(.last = true), NULL), 0);
        add(&group, &ordinary);
        /*
         * The last members are not cancelled while the body runs, even if there are no ordinary
         * members.
         */
        CHECK_EQ(belay_sleep(SECONDS(3)), 0);
        CHECK_EQ(last.requests, 0);
        CHECK_EQ(belay_group_count(&group), 2);
        CHECK_EQ(belay_group_leave(&group, 4), 4);
        CHECK_EQ(last.at - begin, SECONDS(3));
        CHECK_EQ(refuses.requests, 1);
        CHECK_EQ(belay_now() - begin, SECONDS(7));

        /* A last member that fails by itself fails the group. */
        last = (struct part) { .span = SECONDS(1), .end = -EIO };
        ordinary = (struct part) { .span = SECONDS(5) };
        belay_group_enter(&group);
        CHECK_EQ(belay_group_spawn_with(&group, play, &last, WITH(.last = true), NULL), 0);
        add(&group, &ordinary);
        CHECK_EQ(belay_group_leave(&group, 0), -EIO);
        CHECK_EQ(ordinary.requests, 1);
        CHECK_CLEAN();
        return 0;
}

/* ---- eager members ---- */

static int cancels_shared(void *arg) {
        belay_group_cancel(&shared);
        return belay_sleep(*(belay_time *) arg);
}

static int eager(void *arg) {
        struct part ends = { .end = 3 }, fails = { .end = -EIO, .text = "at once" },
                    goes_on = { .span = SECONDS(1) };
        struct part other = { .span = SECONDS(9) };
        belay_time second = BELAY_SECOND;
        belay_failure *failure;
        belay_task *task;
        int rc;

        (void) arg;
        destroyed = 0;
        belay_group_enter(&shared);
        task = START_MEMBER(&shared, play, &ends, WITH(.eager = true));
        CHECK(belay_done(task));
        CHECK_EQ(destroyed, 1);
        CHECK_EQ(ended_with(task), 3);
        task = START_MEMBER(&shared, play, &goes_on, WITH(.eager = true));
        CHECK_EQ(goes_on.begun, 1);
        CHECK(!belay_done(task));
        belay_release(task);
        CHECK_EQ(belay_group_leave(&shared, 0), 0);
        CHECK_EQ(goes_on.ended, 1);
        CHECK_EQ(belay_group_count(&shared), 0);

        /*
         * The member fails at once. The request reaches the task that starts it only at its next
         * wait.
         */
        belay_group_enter(&shared);
        add(&shared, &other);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_group_spawn_with(&shared, play, &fails, WITH(.eager = true), NULL), 0);
        CHECK_EQ(belay_cancelling(belay_self()), 0);
        rc = belay_sleep(SECONDS(5));
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(belay_group_leave(&shared, rc), -EIO);
        failure = belay_failure_take(-EIO);
        CHECK_EQ(belay_failure_count(failure), 1);
        CHECK_BENEATH(failure, 0, -EIO, "at once");
        belay_failure_release(failure);
        CHECK_EQ(other.requests, 1);

        /* The same without a wait in between: the leave returns the failure. */
        belay_group_enter(&shared);
        CHECK_EQ(belay_group_spawn_with(&shared, play, &fails, WITH(.eager = true), NULL), 0);
        CHECK_EQ(belay_group_leave(&shared, 5), -EIO);
        CHECK_CLEAN();

        /*
         * The member cancels the group before it belongs to it, and must be cancelled with the
         * others.
         */
        other = (struct part) { .span = SECONDS(9) };
        belay_group_enter(&shared);
        add(&shared, &other);
        CHECK_EQ(belay_yield(), 0);
        task = START_MEMBER(&shared, cancels_shared, &second,
                            BELAY_OPTIONS(belay_spawn_options, .eager = true));
        CHECK_EQ(belay_group_leave(&shared, belay_yield()), 0);
        CHECK_EQ(ended_with(task), -ECANCELED);
        CHECK_EQ(other.requests, 1);
        CHECK_CLEAN();
        return 0;
}

/* ---- arguments ---- */

/* Each argument is destroyed exactly once, after the body or instead of it. */
static int arguments(void *arg) {
        struct part parts[] = {
                { .span = SECONDS(1) },
                { .span = SECONDS(9) },
                { .end = 0 },
                { .span = SECONDS(2), .end = -EIO },
        };
        belay_group group;

        (void) arg;
        destroyed = 0;
        belay_group_enter(&group);
        for (size_t i = 0; i < 4; i++)
                CHECK_EQ(belay_group_spawn_with(&group, play, &parts[i], WITH(.name = "member"),
                                                NULL),
                         0);
        CHECK_EQ(belay_group_leave(&group, 0), -EIO);
        CHECK_EQ(destroyed, 4);
        /* None of these members takes a step. */
        belay_group_enter(&group);
        for (size_t i = 0; i < 4; i++) {
                parts[i].begun = 0;
                CHECK_EQ(
                        belay_group_spawn_with(&group, play, &parts[i], WITH(.last = i == 3), NULL),
                        0);
        }
        belay_group_cancel(&group);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        CHECK_EQ(destroyed, 8);
        for (size_t i = 0; i < 4; i++)
                CHECK_EQ(parts[i].begun, 0);
        CHECK_CLEAN();
        return 0;
}

static int ten_thousand(void *arg) {
        static struct part parts[10000];
        belay_group group;

        (void) arg;
        enter_limited(&group, 100);
        for (int i = 0; i < 10000; i++) {
                parts[i] = (struct part) { .span = 1 + i % 7 };
                add(&group, &parts[i]);
        }
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        for (int i = 0; i < 10000; i++)
                CHECK_EQ(parts[i].ended, 1);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(a_few_at_once);
        RUN_VIRTUAL(in_line);
        RUN_VIRTUAL(left_meanwhile);
        RUN_VIRTUAL(gives_up);
        RUN_VIRTUAL(woken_and_cancelled);
        RUN_VIRTUAL(refused);
        RUN_VIRTUAL(fails_meanwhile);
        RUN_VIRTUAL(storage_goes);
        RUN_VIRTUAL(keeps_a_place);
        RUN_VIRTUAL(body_waits);
        RUN_VIRTUAL(over);
        RUN_VIRTUAL(while_leaving);
        RUN_VIRTUAL(last_members);
        RUN_VIRTUAL(last_alone);
        RUN_VIRTUAL(eager);
        RUN_VIRTUAL(arguments);
        RUN_VIRTUAL(ten_thousand);
        return 0;
}
