/* SPDX-License-Identifier: MIT */
/*
 * Circles of waits that the loop cannot simply end. The waits are a race that is decided, a group,
 * a cancel-and-wait, and a condition that acquires its lock again. Each circle must end, with any
 * outcome.
 */
#include "../base/help.h"

static belay_task *racer;

static int ends_well(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_SECOND) < 0 ? -EIO : 7;
}

/* Awaits the racer. A request for this task is forwarded to the racer instead. */
static int awaits_racer(void *arg) {
        int rc = belay_await(racer, NULL);

        *(int *) arg = rc;
        return rc;
}

static int races(void *arg) {
        belay_task **tasks = arg;
        size_t winner = 9;
        int outcome = 0;

        CHECK_EQ(belay_race(tasks, 2, &winner, &outcome), 0);
        CHECK_EQ(winner, 0);
        CHECK_EQ(outcome, 7);
        return 1;
}

/* The wait of the loser is broken, since the race already has its winner. */
static int decided(void *arg) {
        belay_task *tasks[2];
        int end = 0, loser = 1;

        (void) arg;
        racer = must(belay_spawn_with(races, tasks,
                                      BELAY_OPTIONS(belay_spawn_options, .name = "racer")));
        tasks[0] = must(belay_spawn(ends_well, NULL));
        tasks[1] = must(belay_spawn(awaits_racer, &loser));
        CHECK_EQ(belay_join(racer, &end), 0);
        /*
         * The forwarded request has come back to the racer. The racer does not wait again, so it
         * may end cancelled.
         */
        CHECK(end == 1 || end == -ECANCELED);
        CHECK(loser == -EDEADLK || loser == -ECANCELED);
        CHECK(belay_done(tasks[1]));
        for (int i = 0; i < 2; i++)
                belay_release(tasks[i]);
        belay_release(racer);
        return 0;
}

/* Each of two races has the other race's task as its loser, so neither wait can simply be ended. */
static belay_task *rivals[2], *fast[2];
static int verdicts[2];

static int races_rival(void *arg) {
        int me = *(int *) arg;
        belay_task *tasks[] = { fast[me], rivals[1 - me] };

        verdicts[me] = belay_race(tasks, 2, NULL, NULL);
        return 0;
}

static int two_races(void *arg) {
        static int numbers[] = { 0, 1 };

        (void) arg;
        for (int i = 0; i < 2; i++) {
                fast[i] = must(belay_spawn(ends_well, NULL));
                rivals[i] = must(belay_spawn(races_rival, &numbers[i]));
        }
        for (int i = 0; i < 2; i++)
                CHECK_EQ(belay_join(rivals[i], NULL), 0);
        CHECK(verdicts[0] == -EDEADLK || verdicts[1] == -EDEADLK);
        for (int i = 0; i < 2; i++) {
                belay_release(rivals[i]);
                belay_release(fast[i]);
        }
        return 0;
}

static int cancels_and_waits(void *arg) {
        int rc = belay_cancel_wait(arg, NULL, BELAY_NEVER, NULL);

        CHECK_EQ(rc, -EDEADLK);
        return 3;
}

static int joins(void *arg) {
        return belay_join(*(belay_task **) arg, NULL);
}

/*
 * A member waits for the end of the task that waits for the member. Other tasks may wait for the
 * member, too. The group's wait never fails, whichever task of the circle the loop finds first.
 */
static int group_and_member(void *arg) {
        int others = *(int *) arg, rc;
        belay_task *member, *tasks[3];
        belay_group group;

        belay_group_enter(&group);
        member = START_MEMBER(&group, cancels_and_waits, belay_self(), NULL);
        for (int i = 0; i < others; i++)
                tasks[i] = must(belay_spawn(joins, &member));
        rc = belay_group_leave(&group, 0);
        CHECK_EQ(rc, -ECANCELED);
        for (int i = 0; i < others; i++) {
                CHECK_EQ(belay_join(tasks[i], NULL), 0);
                CHECK_EQ(belay_result(tasks[i]), 0);
                belay_release(tasks[i]);
        }
        belay_release(member);
        return rc;
}

/* The task that holds the lock awaits the task that must acquire it again. */
static belay_lock lock;
static belay_condition condition;
static int waiter_got;

static int waits(void *arg) {
        (void) arg;
        CHECK_EQ(belay_lock_acquire(&lock), 0);
        waiter_got = belay_condition_wait(&condition);
        if (waiter_got != -EDEADLK)
                CHECK_EQ(belay_lock_release(&lock), 0);
        return 0;
}

static int lock_again(void *arg) {
        belay_task *task;

        (void) arg;
        lock = (belay_lock) BELAY_LOCK_INIT;
        belay_condition_init(&condition, &lock);
        task = must(belay_spawn(waits, NULL));
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_lock_acquire(&lock), 0);
        CHECK_EQ(belay_condition_notify(&condition, 1), 0);
        /* The loop breaks the wait of this task, since the other cannot go on without the lock. */
        CHECK_EQ(belay_await(task, NULL), -EDEADLK);
        CHECK_EQ(belay_lock_release(&lock), 0);
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_EQ(waiter_got, 0);
        CHECK(!belay_lock_held(&lock));
        belay_release(task);
        return 0;
}

/* No task will ever release the lock. */
static int lock_lost(void *arg) {
        belay_task *task;

        (void) arg;
        lock = (belay_lock) BELAY_LOCK_INIT;
        belay_condition_init(&condition, &lock);
        task = must(belay_spawn(waits, NULL));
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_lock_acquire(&lock), 0);
        CHECK_EQ(belay_condition_notify(&condition, 1), 0);
        belay_release(task);
        return 0;
}

int main(void) {
        keep_lines();
        CHECK_EQ(belay_run_with(decided, NULL, VIRTUAL), 0);
        CHECK(lines_with("deadlock:") <= 2);
        CHECK_EQ(belay_run_with(two_races, NULL, VIRTUAL), 0);
        for (int others = 0; others <= 3; others++)
                CHECK_EQ(belay_run_with(group_and_member, &others, VIRTUAL), -ECANCELED);
        CHECK_EQ(belay_run_with(lock_again, NULL, VIRTUAL), 0);
        CHECK_EQ(belay_run_with(lock_lost, NULL, VIRTUAL), 0);
        CHECK_EQ(waiter_got, -EDEADLK);
        CHECK(lines_with("deadlock:") < 20);
        return 0;
}
