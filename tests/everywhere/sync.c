/* SPDX-License-Identifier: MIT */
/*
 * Tests locks, conditions, semaphores, events and barriers with each wait cancelled. In the end all
 * locks must be free and all units of a semaphore returned. No task may be passed over or be inside
 * twice.
 */
#include "everywhere/everywhere.h"

enum { WORKERS = 4 };

static int supervised(belay_group *group) {
        return belay_group_enter_with(group, BELAY_OPTIONS(belay_group_options, .supervise = true));
}

static int start_workers(belay_group *group, belay_fn *fn) {
        for (int i = 0; i < WORKERS; i++)
                CHECK_EQ(belay_group_spawn(group, fn, NULL), 0);
        return 0;
}

/* ---- lock ---- */

static belay_lock lock;
static int inside, entered, refused;

static void reset_lock(void *arg) {
        (void) arg;
        CHECK(!belay_lock_held(&lock));
        inside = entered = refused = 0;
}

static int lock_worker(void *arg) {
        (void) arg;
        for (int i = 0; i < 2; i++) {
                int rc = belay_lock_acquire(&lock);

                if (rc < 0) {
                        refused++;
                        return rc;
                }
                CHECK_EQ(++inside, 1);
                entered++;
                rc = i == 0 ? belay_yield() : belay_sleep(BELAY_SECOND);
                inside--;
                CHECK_EQ(belay_lock_release(&lock), 0);
                if (rc < 0)
                        return rc;
        }
        return 0;
}

static int lock_main(void *arg) {
        belay_group group;

        (void) arg;
        supervised(&group);
        start_workers(&group, lock_worker);
        return belay_group_leave(&group, lock_worker(NULL));
}

static int check_lock(void *arg, int outcome) {
        (void) arg;
        if (belay_lock_held(&lock) || inside != 0)
                return 1;
        if (outcome == 0 && entered + refused == 0)
                return 2;
        return outcome == 0 || is_cancelled(outcome) ? 0 : 3;
}

/* ---- condition: a store of things that tasks make and use ---- */

static belay_condition changed;
static int things, made, used, users;

static void reset_condition(void *arg) {
        (void) arg;
        CHECK(!belay_lock_held(belay_condition_lock(&changed)));
        things = made = used = users = 0;
}

static bool is_there(void *arg) {
        (void) arg;
        return things > 0;
}

static int use_one(void *arg) {
        belay_lock *guard = belay_condition_lock(&changed);
        int rc = belay_lock_acquire(guard);

        (void) arg;
        if (rc < 0)
                return rc;
        users++;
        rc = belay_condition_wait_until(&changed, is_there, NULL);
        /* The wait holds the lock again, no matter what it returned. */
        CHECK(belay_lock_held(guard));
        users--;
        if (rc == 0) {
                things--;
                used++;
        }
        CHECK_EQ(belay_lock_release(guard), 0);
        return rc;
}

static int make_one(void *arg) {
        belay_lock *guard = belay_condition_lock(&changed);
        int rc = belay_lock_acquire(guard);

        (void) arg;
        if (rc < 0)
                return rc;
        things++;
        made++;
        /*
         * The maker yields with the lock held. A task that it notified must wait for the lock once
         * more.
         */
        CHECK_EQ(belay_condition_notify(&changed, 1), 0);
        rc = belay_yield();
        CHECK_EQ(belay_lock_release(guard), 0);
        return rc;
}

/*
 * If `arg` is NULL, main makes the things when all users wait. Otherwise other tasks make them in
 * the turn in which the users begin to wait.
 */
static int condition_main(void *arg) {
        belay_group group;
        int rc = 0;

        supervised(&group);
        for (int i = 0; i < 3; i++)
                CHECK_EQ(belay_group_spawn(&group, use_one, NULL), 0);
        for (int i = 0; arg != NULL && i < 2; i++)
                CHECK_EQ(belay_group_spawn(&group, make_one, NULL), 0);
        rc = belay_yield();
        for (int i = 0; arg == NULL && rc == 0 && i < 3; i++)
                rc = make_one(NULL);
        if (rc == 0)
                rc = belay_sleep(BELAY_SECOND);
        /* A user must not wait while there is a thing, unless a user was cancelled. */
        if (rc == 0)
                CHECK(things == 0 || users == 0);
        /*
         * If a maker was cancelled, fewer things than users exist. The users must not wait for
         * them.
         */
        if (made < 3 || things > 0)
                belay_group_cancel(&group);
        return belay_group_leave(&group, rc);
}

static int check_condition(void *arg, int outcome) {
        (void) arg;
        if (belay_lock_held(belay_condition_lock(&changed)) || users != 0)
                return 1;
        if (made != used + things)
                return 2;
        return outcome == 0 || is_cancelled(outcome) ? 0 : 3;
}

/* ---- semaphore ---- */

static belay_semaphore places;

static void reset_semaphore(void *arg) {
        (void) arg;
        belay_semaphore_init_bounded(&places, 2);
        inside = entered = 0;
}

static int semaphore_worker(void *arg) {
        int rc = belay_semaphore_acquire(&places);

        (void) arg;
        if (rc < 0)
                return rc;
        CHECK(++inside <= 2);
        entered++;
        rc = entered % 2 == 0 ? belay_yield() : belay_sleep(BELAY_SECOND);
        inside--;
        CHECK_EQ(belay_semaphore_release(&places), 0);
        return rc;
}

static int semaphore_main(void *arg) {
        belay_group group;

        (void) arg;
        supervised(&group);
        start_workers(&group, semaphore_worker);
        start_workers(&group, semaphore_worker);
        return belay_group_leave(&group, semaphore_worker(NULL));
}

/* A task returns the only unit in the turn in which the others begin to wait for it. */
static void reset_one(void *arg) {
        (void) arg;
        belay_semaphore_init_bounded(&places, 1);
        inside = entered = 0;
}

static int brief_worker(void *arg) {
        int rc = belay_semaphore_acquire(&places);

        (void) arg;
        if (rc < 0)
                return rc;
        CHECK_EQ(++inside, 1);
        rc = belay_yield();
        inside--;
        CHECK_EQ(belay_semaphore_release(&places), 0);
        return rc;
}

static int one_place(void *arg) {
        belay_group group;

        (void) arg;
        supervised(&group);
        start_workers(&group, brief_worker);
        return belay_group_leave(&group, 0);
}

static int check_one(void *arg, int outcome) {
        (void) arg;
        if (belay_semaphore_value(&places) != 1 || inside != 0)
                return 1;
        return outcome == 0 || is_cancelled(outcome) ? 0 : 2;
}

static int check_semaphore(void *arg, int outcome) {
        (void) arg;
        if (belay_semaphore_value(&places) != 2 || inside != 0)
                return 1;
        return outcome == 0 || is_cancelled(outcome) ? 0 : 2;
}

/* ---- event ---- */

static belay_event go;

static void reset_event(void *arg) {
        (void) arg;
        go = (belay_event) BELAY_EVENT_INIT;
        entered = 0;
}

static int event_worker(void *arg) {
        int rc = belay_event_wait(&go);

        (void) arg;
        if (rc == 0)
                rc = belay_yield();
        entered += rc == 0;
        return rc;
}

static int event_main(void *arg) {
        belay_group group;
        int rc;

        (void) arg;
        supervised(&group);
        start_workers(&group, event_worker);
        rc = belay_sleep(BELAY_SECOND);
        /*
         * The event is set and cleared at once. The waiting tasks must go on all the same. It is
         * set even if main was cancelled, because the tasks would wait forever.
         */
        belay_event_set(&go);
        belay_event_clear(&go);
        if (rc == 0)
                rc = belay_yield();
        return belay_group_leave(&group, rc);
}

static int check_event(void *arg, int outcome) {
        (void) arg;
        /* One of the workers may be the cancelled task. */
        if (outcome == 0 && entered < WORKERS - 1)
                return 1;
        return outcome == 0 || is_cancelled(outcome) ? 0 : 2;
}

/* ---- barrier ---- */

static belay_barrier barrier;
static int met, broke;

static void reset_barrier(void *arg) {
        (void) arg;
        CHECK_EQ(belay_barrier_init(&barrier, WORKERS), 0);
        met = broke = 0;
}

/* A worker that is cancelled aborts the barrier. Without that, the others would wait forever. */
static int barrier_worker(void *arg) {
        (void) arg;
        for (int round = 0; round < 2; round++) {
                int rc = belay_barrier_wait(&barrier);

                if (rc == -ENOTCONN) {
                        broke++;
                        return 0;
                }
                if (rc == -ECANCELED) {
                        belay_shield_scope whole;

                        belay_shield_enter(&whole, BELAY_NEVER);
                        CHECK_EQ(belay_barrier_abort(&barrier), 0);
                        return belay_shield_leave(&whole, rc);
                }
                CHECK(rc >= 0 && rc < WORKERS);
                met += rc;
        }
        return 0;
}

static int barrier_main(void *arg) {
        belay_group group;

        (void) arg;
        supervised(&group);
        start_workers(&group, barrier_worker);
        return belay_group_leave(&group, 0);
}

static int check_barrier(void *arg, int outcome) {
        (void) arg;
        if (belay_barrier_waiting(&barrier) != 0)
                return 1;
        /* Two rounds of 0 + 1 + 2 + 3. */
        if (outcome == 0 && broke == 0 && !belay_barrier_broken(&barrier) && met != 12)
                return 2;
        return outcome == 0 || is_cancelled(outcome) ? 0 : 3;
}

int main(void) {
        EVERYWHERE(lock_main, NULL, reset_lock, check_lock, 15);
        EVERYWHERE(condition_main, NULL, reset_condition, check_condition, 9);
        EVERYWHERE(condition_main, &changed, reset_condition, check_condition, 8);
        EVERYWHERE(semaphore_main, NULL, reset_semaphore, check_semaphore, 15);
        EVERYWHERE(one_place, NULL, reset_one, check_one, 5);
        EVERYWHERE(event_main, NULL, reset_event, check_event, 9);
        EVERYWHERE(barrier_main, NULL, reset_barrier, check_barrier, 7);
        return 0;
}
