/* SPDX-License-Identifier: MIT */
/*
 * Circles in which a wait cannot simply be given up: a race that is decided, a group, a cancel-and-wait, a condition
 * that takes its lock again. Each must come to an end, whatever that is.
 */
#include "../base/help.h"

static belay_task *racer;

static int ends_well(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_SECOND) < 0 ? -EIO : 7;
}

/* Waits for the racer, and the cancellation goes on to that instead. */
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

/* It is the loser whose wait is broken: what happened wins. */
static int decided(void *arg) {
        belay_task *tasks[2];
        int end = 0, loser = 1;

        (void) arg;
        racer = must(belay_spawn_with(races, tasks, BELAY_OPTIONS(belay_spawn_options, .name = "racer")));
        tasks[0] = must(belay_spawn(ends_well, NULL));
        tasks[1] = must(belay_spawn(awaits_racer, &loser));
        CHECK_EQ(belay_join(racer, &end), 0);
        /* The request that went round is left with the racer, who did not wait again: so it ended cancelled. */
        CHECK(end == 1 || end == -ECANCELED);
        CHECK(loser == -EDEADLK || loser == -ECANCELED);
        CHECK(belay_done(tasks[1]));
        for (int i = 0; i < 2; i++)
                belay_release(tasks[i]);
        belay_release(racer);
        return 0;
}

/* A loser that waits in a way as hard to give up: two races, each of which the other is in. */
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

/* A member that waits for the end of who waits for it. */
static int group_and_member(void *arg) {
        belay_group group;
        int rc;

        (void) arg;
        belay_group_enter(&group);
        CHECK_EQ(belay_group_spawn(&group, cancels_and_waits, belay_self()), 0);
        rc = belay_group_leave(&group, 0);
        CHECK_EQ(rc, -ECANCELED);
        return rc;
}

/* Whoever holds the lock waits for who wants it back. */
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
        /* Ours is broken, since the other cannot go on without the lock. */
        CHECK_EQ(belay_await(task, NULL), -EDEADLK);
        CHECK_EQ(belay_lock_release(&lock), 0);
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_EQ(waiter_got, 0);
        CHECK(!belay_lock_held(&lock));
        belay_release(task);
        return 0;
}

/* Nobody will ever let it go. */
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
        CHECK_EQ(belay_run_with(group_and_member, NULL, VIRTUAL), -ECANCELED);
        CHECK_EQ(belay_run_with(lock_again, NULL, VIRTUAL), 0);
        CHECK_EQ(belay_run_with(lock_lost, NULL, VIRTUAL), 0);
        CHECK_EQ(waiter_got, -EDEADLK);
        CHECK(lines_with("deadlock:") < 20);
        return 0;
}
