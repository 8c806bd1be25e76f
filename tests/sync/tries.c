/* SPDX-License-Identifier: MIT */
/*
 * An acquiring call that need not wait yields at every 64th try, before it has any effect. So
 * timers, descriptors, signals and other tasks get their turn, and the task can be cancelled there.
 * Putting, setting and releasing never yield, and no call yields in this way under a virtual clock.
 * The test counts turns, not times.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/socket.h>

#include "../scope/parts.h"
#include "io/back_ends.h"

enum { TRIES = 64, STRETCHES = 10, LONG = 50000000 };

/* ---- what is acquired again and again ---- */

static belay_queue *queue, *ordered, *idle;
static belay_lock lock;
static belay_semaphore semaphore;
static belay_event event;
static belay_condition condition;
static belay_barrier barrier;
static belay_queue *no_work;

static int get(void) {
        void *item;
        int rc = belay_queue_get(queue, &item);

        return rc != 0 ? rc : belay_queue_put(queue, item);
}

static int get_in_order(void) {
        void *item;
        int rc = belay_queue_get(ordered, &item);

        return rc != 0 ? rc : belay_queue_put(ordered, item);
}

static int hold(void) {
        int rc = belay_lock_acquire(&lock);

        return rc != 0 ? rc : belay_lock_release(&lock);
}

static int take_place(void) {
        int rc = belay_semaphore_acquire(&semaphore);

        return rc != 0 ? rc : belay_semaphore_release(&semaphore);
}

static int wait_for_event(void) {
        return belay_event_wait(&event);
}

static bool is_true(void *arg) {
        (void) arg;
        return true;
}

static int wait_until(void) {
        return belay_condition_wait_until(&condition, is_true, NULL);
}

static int meet(void) {
        return belay_barrier_wait(&barrier);
}

static int join(void) {
        return belay_queue_join(no_work);
}

static int (*const acquire[])(void) = { get,        get_in_order, hold, take_place, wait_for_event,
                                        wait_until, meet,         join };

enum { ALL = sizeof(acquire) / sizeof(*acquire) };

static int by_address(const void *a, const void *b) {
        return (a > b) - (a < b);
}

static void set_up(void) {
        queue = belay_queue_new(2);
        ordered = belay_queue_new_with(BELAY_OPTIONS(
                belay_queue_options, .order = BELAY_QUEUE_PRIORITY, .compare = by_address));
        idle = belay_queue_new(0);
        no_work = belay_queue_new(0);
        CHECK(queue != NULL && ordered != NULL && idle != NULL && no_work != NULL);
        CHECK_EQ(belay_queue_try_put(queue, &queue), 0);
        CHECK_EQ(belay_queue_try_put(ordered, &ordered), 0);
        belay_semaphore_init(&semaphore, 1);
        belay_event_set(&event);
        CHECK_EQ(belay_barrier_init(&barrier, 1), 0);
}

/* Checks that nothing is held, and that nothing is missing. */
static void check_untouched(void) {
        CHECK_EQ(belay_queue_count(queue), 1);
        CHECK_EQ(belay_queue_count(ordered), 1);
        CHECK(!belay_lock_held(&lock));
        CHECK_EQ(belay_semaphore_value(&semaphore), 1);
        CHECK(belay_event_is_set(&event));
        CHECK_EQ(belay_barrier_waiting(&barrier), 0);
}

static void tear_down(void) {
        check_untouched();
        CHECK_EQ(belay_queue_free(queue), 0);
        CHECK_EQ(belay_queue_free(ordered), 0);
        CHECK_EQ(belay_queue_free(idle), 0);
        CHECK_EQ(belay_queue_free(no_work), 0);
}

/* ---- other ready tasks ---- */

static unsigned turns;
static bool over;

static int counts_turns(void *arg) {
        (void) arg;
        while (!over) {
                turns++;
                CHECK_EQ(belay_yield(), 0);
        }
        return 0;
}

/*
 * Returns how many turns another task, which is always ready, has while `fn` is called `count`
 * times.
 */
static unsigned turns_beside(int (*fn)(void), int count) {
        belay_task *task = must(belay_spawn(counts_turns, NULL));
        unsigned had;

        over = false;
        CHECK_EQ(belay_yield(), 0);
        turns = 0;
        for (int i = 0; i < count; i++)
                CHECK_EQ(fn(), 0);
        had = turns;
        over = true;
        CHECK_EQ(belay_join(task, NULL), 0);
        belay_release(task);
        return had;
}

static int lets_others_run(void *arg) {
        (void) arg;
        for (int i = 0; i < ALL; i++) {
                unsigned had = turns_beside(acquire[i], STRETCHES * TRIES);

                /*
                 * One turn in each stretch of tries, or two if a timer is due as well. The first
                 * stretch may have begun earlier.
                 */
                CHECK(had >= STRETCHES - 1 && had <= 2 * STRETCHES);
        }
        return 0;
}

/* ---- one budget for acquiring and I/O ---- */

static belay_stream *streams[2];

static int get_and_write(void) {
        int rc = get();

        return rc < 0 ? rc : belay_write(streams[0], "x", 1) == 1 ? 0 : -EIO;
}

static int shares_with_io(void *arg) {
        int fds[2];

        (void) arg;
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        for (int i = 0; i < 2; i++)
                CHECK_EQ(belay_stream_open_fd(&streams[i], fds[i], NULL), 0);
        /* Each of the two calls alone would lead to one turn only. */
        CHECK(turns_beside(get_and_write, TRIES + TRIES / 2) >= 2);
        for (int i = 0; i < 2; i++)
                belay_abort(streams[i]);
        return 0;
}

/* ---- timers, descriptors, signals ---- */

static bool happened;

static void note(void *arg) {
        (void) arg;
        happened = true;
}

static int sleeps(void *arg) {
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        note(arg);
        return 0;
}

static int waits_for(void *arg) {
        CHECK_EQ(belay_wait_fd(*(int *) arg, BELAY_READABLE), BELAY_READABLE);
        note(arg);
        return 0;
}

/* Calls `fn` until the event has happened. If `fn` never yields, it never happens. */
static void acquire_until_happened(int (*fn)(void)) {
        for (long i = 0; !happened; i++) {
                CHECK(i < LONG);
                CHECK_EQ(fn(), 0);
        }
}

static int lets_the_outside_in(void *arg) {
        (void) arg;
        for (int i = 0; i < ALL; i++) {
                belay_task *task;
                int fds[2];

                happened = false;
                CHECK(belay_later(BELAY_MILLISECOND, note, NULL) != 0);
                acquire_until_happened(acquire[i]);

                happened = false;
                task = must(belay_spawn(sleeps, NULL));
                acquire_until_happened(acquire[i]);
                belay_release(task);

                happened = false;
                CHECK_EQ(pipe2(fds, O_CLOEXEC), 0);
                task = must(belay_spawn(waits_for, &fds[0]));
                CHECK_EQ(belay_yield(), 0);
                CHECK_EQ(write(fds[1], "x", 1), 1);
                acquire_until_happened(acquire[i]);
                belay_release(task);
                close(fds[0]);
                close(fds[1]);
        }
        return 0;
}

static int next_acquire;

static int until_signalled(void *arg) {
        int rc = 0;

        (void) arg;
        kill(getpid(), SIGTERM);
        for (long i = 0; rc == 0; i++) {
                CHECK(i < LONG);
                rc = acquire[next_acquire]();
        }
        CHECK_EQ(rc, -ECANCELED);
        return rc;
}

/* ---- cancelled before the call has an effect ---- */

static int until_cancelled(void *arg) {
        int (*fn)(void) = acquire[*(int *) arg], rc = 0;

        cancel_after(BELAY_MILLISECOND, belay_self());
        for (long i = 0; rc == 0; i++) {
                CHECK(i < LONG);
                rc = fn();
        }
        CHECK_EQ(rc, -ECANCELED);
        check_untouched();
        CHECK_DELIVERED();
        return 0;
}

static int meets_its_limit(void *arg) {
        int (*fn)(void) = acquire[*(int *) arg], rc = 0;
        belay_timeout limit;

        CHECK_EQ(belay_timeout_enter(&limit, BELAY_MILLISECOND), 0);
        for (long i = 0; rc == 0; i++) {
                CHECK(i < LONG);
                rc = fn();
        }
        CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);
        check_untouched();
        return 0;
}

/* A pending request is delivered by the try that yields, and by no earlier one. */
static int is_pending(void *arg) {
        int (*fn)(void) = acquire[*(int *) arg], rc = 0, count = 0;

        belay_cancel(belay_self(), NULL);
        while (rc == 0 && count <= TRIES) {
                rc = fn();
                count++;
        }
        CHECK_EQ(rc, -ECANCELED);
        check_untouched();
        CHECK_DELIVERED();
        return 0;
}

/*
 * Counted from a try that yielded, the 64th try is the next that yields. Each call is one try, so
 * the count shows a call that tries more often or at another number.
 */
static int yields_at_the_64th(void *arg) {
        (void) arg;
        for (int i = 0; i < ALL; i++) {
                int counts[2] = { 0 };

                for (int n = 0; n < 2; n++) {
                        belay_cancel(belay_self(), NULL);
                        do
                                CHECK(++counts[n] <= TRIES);
                        while (acquire[i]() == 0);
                        CHECK_EQ(belay_uncancel(belay_self()), 0);
                }
                CHECK_EQ(counts[1], TRIES);
        }
        return 0;
}

/*
 * Another task may have taken the object when the yielding task runs again. Then the call must
 * wait.
 */
static belay_task *taker;

static int takes_all(void *arg) {
        void *item;

        (void) arg;
        CHECK_EQ(belay_queue_try_get(queue, &item), 0);
        CHECK_EQ(belay_lock_try_acquire(&lock), 0);
        CHECK_EQ(belay_semaphore_try_acquire(&semaphore), 0);
        belay_event_clear(&event);
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK_EQ(belay_queue_try_put(queue, item), 0);
        CHECK_EQ(belay_lock_release(&lock), 0);
        CHECK_EQ(belay_semaphore_release(&semaphore), 0);
        belay_event_set(&event);
        return 0;
}

static int wait_and_look(void) {
        int rc = belay_event_wait(&event);

        CHECK(belay_event_is_set(&event));
        return rc;
}

static int finds_it_taken(void *arg) {
        static int (*const those[])(void) = { get, hold, take_place, wait_and_look };

        (void) arg;
        for (int i = 0; i < 4; i++) {
                taker = must(belay_spawn(takes_all, NULL));
                /* The taker has its turn when the tries are used up. */
                for (int n = 0; n <= TRIES; n++)
                        CHECK_EQ(those[i](), 0);
                CHECK(belay_done(taker));
                belay_release(taker);
                check_untouched();
        }
        return 0;
}

/* ---- calls that never yield ---- */

static int gives_only(void) {
        void *item;

        CHECK_EQ(belay_queue_put(idle, &idle), 0);
        CHECK_EQ(belay_queue_try_get(idle, &item), 0);
        CHECK_EQ(belay_lock_try_acquire(&lock), 0);
        CHECK_EQ(belay_lock_release(&lock), 0);
        CHECK_EQ(belay_semaphore_try_acquire(&semaphore), 0);
        CHECK_EQ(belay_semaphore_release(&semaphore), 0);
        belay_event_set(&event);
        return belay_queue_task_done(idle);
}

static int giving_never_gives_way(void *arg) {
        (void) arg;
        CHECK_EQ(turns_beside(gives_only, STRETCHES * TRIES), 0);
        return 0;
}

static int not_virtually(void *arg) {
        (void) arg;
        for (int i = 0; i < ALL; i++) {
                CHECK_EQ(turns_beside(acquire[i], STRETCHES * TRIES), 0);
                belay_cancel(belay_self(), NULL);
                for (int n = 0; n < STRETCHES * TRIES; n++)
                        CHECK_EQ(acquire[i](), 0);
                CHECK_PENDING();
        }
        return 0;
}

/* A callback cannot yield. */
static void in_callback(void *arg) {
        for (int n = 0; n < STRETCHES * TRIES; n++)
                for (int i = 0; i < ALL; i++)
                        if (acquire[i] != hold && acquire[i] != meet)
                                CHECK_EQ(acquire[i](), 0);
        note(arg);
}

static int outside_of_tasks(void *arg) {
        happened = false;
        CHECK(belay_soon(in_callback, arg) != 0);
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK(happened);
        return 0;
}

/* ---- an eager first step ---- */

static int acquires_for_ever(void *arg) {
        int rc = 0;

        (void) arg;
        while (rc == 0)
                rc = get();
        return rc;
}

static int eager(void *arg) {
        belay_task *task = must(belay_spawn_with(
                acquires_for_ever, NULL, BELAY_OPTIONS(belay_spawn_options, .eager = true)));
        unsigned had;

        (void) arg;
        /* The eager task has yielded to this task, and this task yields at its own first try. */
        CHECK(!belay_done(task));
        belay_cancel(task, NULL);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(ended_with(task), -ECANCELED);

        task = must(belay_spawn_with(acquires_for_ever, NULL,
                                     BELAY_OPTIONS(belay_spawn_options, .eager = true)));
        belay_release(must(belay_spawn(counts_turns, NULL)));
        over = false;
        turns = 0;
        CHECK_EQ(get(), 0);
        had = turns;
        over = true;
        CHECK(had >= 1);
        belay_cancel(task, NULL);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(ended_with(task), -ECANCELED);
        return 0;
}

static void run(belay_fn *fn, void *arg) {
        CHECK_EQ(belay_run(fn, arg), 0);
}

static void all(void) {
        run(lets_others_run, NULL);
        run(shares_with_io, NULL);
        run(lets_the_outside_in, NULL);
        for (int i = 0; i < ALL; i++) {
                run(until_cancelled, &i);
                run(meets_its_limit, &i);
                run(is_pending, &i);
                next_acquire = i;
                CHECK_EQ(belay_run(until_signalled, NULL), -EINTR);
        }
        run(yields_at_the_64th, NULL);
        run(finds_it_taken, NULL);
        run(giving_never_gives_way, NULL);
        run(outside_of_tasks, NULL);
        run(eager, NULL);
}

int main(void) {
        set_up();
        on_back_ends(all);
        RUN_VIRTUAL(not_virtually);
        /* The order of ready tasks may vary as well. The time is real. */
        CHECK_EQ(belay_run_with(lets_the_outside_in, NULL,
                                BELAY_OPTIONS(belay_loop_options, .seed = 7)),
                 0);
        tear_down();
        return 0;
}
