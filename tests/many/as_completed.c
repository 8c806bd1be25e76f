/* SPDX-License-Identifier: MIT */
/*
 * belay_as_completed_next() returns tasks one by one, in the order in which they end.
 */
#include "../scope/parts.h"

enum { MANY = 12 };

static struct part parts[MANY];
static belay_task *tasks[MANY];

/* The last task of the array ends first, 1 s after the start. */
static void start_backwards(void) {
        for (int i = 0; i < MANY; i++) {
                parts[i] = (struct part) { .span = SECONDS(MANY - i), .end = i };
                tasks[i] = start_part(&parts[i]);
        }
}

static void end_all(void) {
        CHECK_EQ(belay_gather_collect(tasks, MANY), 0);
        for (int i = 0; i < MANY; i++) {
                CHECK_EQ(parts[i].requests, 0);
                CHECK_EQ(ended_with(tasks[i]), i);
        }
        CHECK_CLEAN();
}

static int in_order(void *arg) {
        belay_time begin = belay_now();
        belay_as_completed each;
        belay_task *task = NULL;

        (void) arg;
        start_backwards();
        CHECK_EQ(belay_as_completed_begin(&each, tasks, MANY, BELAY_NEVER), 0);
        for (int i = MANY - 1; i >= 0; i--) {
                CHECK_EQ(belay_as_completed_next(&each, &task), 1);
                CHECK(task == tasks[i]);
                CHECK_EQ(belay_now() - begin, SECONDS(MANY - i));
        }
        CHECK_EQ(belay_as_completed_next(&each, &task), 0);
        CHECK_EQ(belay_as_completed_next(&each, NULL), 0);
        belay_as_completed_end(&each);
        end_all();
        return 0;
}

/*
 * Tasks that have ended between two calls are returned without waiting, even if a request is
 * pending.
 */
static int in_stock(void *arg) {
        belay_as_completed each;
        belay_task *task = NULL;

        (void) arg;
        start_backwards();
        CHECK_EQ(belay_as_completed_begin(&each, tasks, MANY, BELAY_NEVER), 0);
        CHECK_EQ(belay_sleep(SECONDS(4) + 1), 0);
        belay_cancel(belay_self(), NULL);
        for (int i = MANY - 1; i >= MANY - 4; i--) {
                CHECK_EQ(belay_as_completed_next(&each, &task), 1);
                CHECK(task == tasks[i]);
        }
        CHECK_EQ(belay_as_completed_next(&each, &task), -ECANCELED);
        CHECK_DELIVERED();
        /* After the cancellation the iteration goes on, and no task is lost. */
        for (int i = MANY - 5; i >= 0; i--) {
                CHECK_EQ(belay_as_completed_next(&each, &task), 1);
                CHECK(task == tasks[i]);
        }
        CHECK_EQ(belay_as_completed_next(&each, &task), 0);
        belay_as_completed_end(&each);
        end_all();
        return 0;
}

struct taker {
        belay_as_completed each;
        int given, cancelled;
};

static int takes(void *arg) {
        struct taker *taker = arg;
        belay_task *task;
        int rc;

        CHECK_EQ(belay_as_completed_begin(&taker->each, tasks, MANY, BELAY_NEVER), 0);
        while ((rc = belay_as_completed_next(&taker->each, &task)) != 0) {
                if (rc == 1)
                        CHECK(task == tasks[MANY - ++taker->given]);
                else
                        taker->cancelled++;
        }
        belay_as_completed_end(&taker->each);
        return 0;
}

static void cancel_at_end(belay_task *task, void *arg) {
        (void) task;
        belay_cancel(arg, NULL);
}

/*
 * The caller is cancelled in the instant in which a task ends, again and again. No task may be lost
 * (cpython 92824 is of this kind).
 */
static int at_the_same_time(void *arg) {
        struct taker taker = { .given = 0 };
        belay_task *task;

        (void) arg;
        start_backwards();
        task = must(belay_spawn(takes, &taker));
        for (int i = 0; i < MANY; i++)
                CHECK_EQ(belay_on_done(tasks[i], cancel_at_end, task), 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(taker.given, MANY);
        CHECK(taker.cancelled > 0);
        belay_release(task);
        end_all();
        return 0;
}

static int limited(void *arg) {
        static const belay_time spans[] = { SECONDS(5) + 1, 0, -1 };

        (void) arg;
        for (size_t k = 0; k < 3; k++) {
                belay_time begin = belay_now();
                belay_as_completed each;
                belay_task *task;
                int in_time = k == 0 ? 5 : 0;

                start_backwards();
                CHECK_EQ(belay_as_completed_begin(&each, tasks, MANY, spans[k]), 0);
                for (int i = 0; i < in_time; i++) {
                        CHECK_EQ(belay_as_completed_next(&each, &task), 1);
                        CHECK(task == tasks[MANY - 1 - i]);
                }
                for (int i = in_time; i < MANY; i++) {
                        CHECK_EQ(belay_as_completed_next(&each, &task), -ETIMEDOUT);
                        CHECK_EQ(belay_now() - begin, k == 0 ? spans[k] : 0);
                }
                CHECK_EQ(belay_as_completed_next(&each, &task), 0);
                belay_as_completed_end(&each);
                end_all();
        }
        return 0;
}

static int done_already(void *arg) {
        static struct part ended = { .end = -EIO };
        belay_as_completed each;
        belay_task *mixed[4], *task;

        (void) arg;
        start_backwards();
        mixed[0] = tasks[MANY - 1];
        mixed[1] = mixed[2] = start_part(&ended);
        mixed[3] = must(belay_future_new());
        belay_cancel(mixed[3], NULL);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_as_completed_begin(&each, mixed, 4, SECONDS(5)), 0);
        /* A task that appears twice is returned once. */
        CHECK_EQ(belay_as_completed_next(&each, &task), 1);
        CHECK(task == mixed[1]);
        CHECK_EQ(belay_result(task), -EIO);
        CHECK_EQ(belay_as_completed_next(&each, &task), 1);
        CHECK(task == mixed[3]);
        CHECK_EQ(belay_as_completed_next(&each, &task), 1);
        CHECK(task == mixed[0]);
        CHECK_EQ(belay_as_completed_next(&each, &task), 0);
        belay_as_completed_end(&each);
        belay_release(mixed[1]);
        belay_release(mixed[3]);
        end_all();
        return 0;
}

/*
 * An iteration sets no timer without a limit or without tasks, and keeps none when all tasks have
 * ended. With a timer, the loop would wait for its instant before it reports the deadlock.
 */
static int leaves_no_timer(void *arg) {
        struct part part = { .span = SECONDS(1) };
        belay_task *target = start_part(&part), *future = must(belay_future_new()), *task;
        belay_as_completed each;

        (void) arg;
        keep_lines();
        CHECK_EQ(belay_as_completed_begin(&each, &target, 1, BELAY_HOUR), 0);
        CHECK_EQ(belay_as_completed_next(&each, &task), 1);
        CHECK_EQ(belay_await(future, NULL), -EDEADLK);
        CHECK_EQ(belay_now(), SECONDS(1));
        belay_as_completed_end(&each);

        CHECK_EQ(belay_as_completed_begin(&each, &future, 1, BELAY_NEVER), 0);
        CHECK_EQ(belay_as_completed_next(&each, &task), -EDEADLK);
        CHECK_EQ(belay_now(), SECONDS(1));
        belay_as_completed_end(&each);

        CHECK_EQ(belay_as_completed_begin(&each, NULL, 0, BELAY_HOUR), 0);
        CHECK_EQ(belay_await(future, NULL), -EDEADLK);
        CHECK_EQ(belay_now(), SECONDS(1));
        belay_as_completed_end(&each);
        CHECK_LINES(3, "deadlock: 1 task, ");
        belay_set_log(NULL, NULL);
        belay_release(target);
        belay_release(future);
        return 0;
}

static int ended_early(void *arg) {
        belay_as_completed each;
        belay_task *task;

        (void) arg;
        for (int taken = 0; taken < 3; taken++) {
                start_backwards();
                CHECK_EQ(belay_as_completed_begin(&each, tasks, MANY, SECONDS(9)), 0);
                for (int i = 0; i < taken; i++)
                        CHECK_EQ(belay_as_completed_next(&each, &task), 1);
                belay_as_completed_end(&each);
                belay_as_completed_end(&each);
                /* The library must not write to storage that the caller uses again. */
                memset(&each, 0xa5, sizeof(each));
                CHECK_EQ(belay_sleep(SECONDS(20)), 0);
                for (size_t i = 0; i < sizeof(each); i++)
                        CHECK_EQ(((unsigned char *) &each)[i], 0xa5);
                end_all();
        }
        CHECK_EQ(belay_as_completed_begin(&each, NULL, 0, SECONDS(1)), 0);
        CHECK_EQ(belay_as_completed_next(&each, &task), 0);
        belay_as_completed_end(&each);
        return 0;
}

static belay_as_completed others;

static int not_its_own(void *arg) {
        belay_task *task;

        (void) arg;
        CHECK_EQ(belay_as_completed_next(&others, &task), -EPERM);
        return 0;
}

static void in_callback(void *arg) {
        belay_as_completed each;
        belay_task *task;

        (void) arg;
        CHECK_EQ(belay_as_completed_begin(&each, tasks, MANY, BELAY_NEVER), -EPERM);
        CHECK_EQ(belay_as_completed_next(&others, &task), -EPERM);
}

/*
 * An iteration that begins again before its end, in this task or in another, is reported with both
 * call sites, and the first goes on.
 */
static belay_as_completed shared;

static int begins_again(void *arg) {
        char text[300];

        CHECK_EQ(belay_as_completed_begin(&shared, tasks, MANY, BELAY_NEVER), -EPERM);
        CHECK_EQ(kept_count, 1);
        snprintf(text, sizeof(text), "misuse at %s:%d:", __FILE__, __LINE__ - 2);
        CHECK_LINES(1, text);
        snprintf(text, sizeof(text), "at %s:%d is begun again", __FILE__, *(int *) arg);
        CHECK_LINES(1, text);
        keep_lines();
        return 0;
}

static int begun_twice(void *arg) {
        belay_as_completed before, other;
        belay_task *task;
        int begun, count;

        (void) arg;
        keep_lines();
        start_backwards();
        CHECK_EQ((begun = __LINE__, belay_as_completed_begin(&shared, tasks, MANY, SECONDS(100))),
                 0);
        CHECK_EQ(belay_as_completed_begin(&other, tasks, 1, BELAY_NEVER), 0);
        before = shared;
        begins_again(&begun);
        task = must(belay_spawn(begins_again, &begun));
        CHECK_EQ(belay_join(task, NULL), 0);
        belay_release(task);
        /* A copy of the storage is not an iteration. */
        CHECK_EQ(belay_as_completed_next(&before, &task), -EPERM);
        CHECK_LINES(1, "without its begin");
        belay_as_completed_end(&before);
        for (count = 0; belay_as_completed_next(&shared, &task) > 0; count++)
                CHECK(task == tasks[MANY - 1 - count]);
        CHECK_EQ(count, MANY);
        belay_as_completed_end(&shared);
        belay_as_completed_end(&shared);
        /*
         * The same bytes, left in the storage by an earlier iteration, must not make the library
         * refuse a new one.
         */
        shared = before;
        keep_lines();
        CHECK_EQ(belay_as_completed_begin(&shared, tasks, 0, BELAY_NEVER), 0);
        belay_as_completed_end(&shared);
        shared = before;
        CHECK_EQ(belay_as_completed_begin(&shared, tasks, MANY, BELAY_NEVER), 0);
        belay_as_completed_end(&shared);
        belay_as_completed_end(&other);
        CHECK_EQ(kept_count, 0);
        end_all();
        return 0;
}

static int wrong(void *arg) {
        belay_task *task, *none[] = { NULL };

        (void) arg;
        keep_lines();
        start_backwards();
        CHECK_EQ(belay_as_completed_next(&others, &task), -EPERM);
        CHECK_EQ(belay_as_completed_begin(&others, none, 1, BELAY_NEVER), -ENOMEM);
        CHECK_EQ(belay_as_completed_begin(&others, tasks, MANY, BELAY_NEVER), 0);
        task = must(belay_spawn(not_its_own, NULL));
        CHECK(belay_soon(in_callback, NULL) != 0);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(belay_yield(), 0);
        belay_release(task);
        CHECK_EQ(belay_as_completed_next(&others, &task), 1);
        belay_as_completed_end(&others);
        CHECK_EQ(belay_as_completed_next(&others, &task), -EPERM);
        CHECK_LINES(5, "misuse at " __FILE__);
        belay_set_log(NULL, NULL);
        end_all();
        return 0;
}

int main(void) {
        RUN_VIRTUAL(in_order);
        RUN_VIRTUAL(in_stock);
        RUN_VIRTUAL(at_the_same_time);
        RUN_VIRTUAL(limited);
        RUN_VIRTUAL(done_already);
        RUN_VIRTUAL(leaves_no_timer);
        RUN_VIRTUAL(ended_early);
        RUN_VIRTUAL(begun_twice);
        RUN_VIRTUAL(wrong);
        return 0;
}
