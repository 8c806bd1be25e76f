/* SPDX-License-Identifier: MIT */
/*
 * Queues: orders and limits, shutdown, and the count of unfinished items. No item may be lost or
 * returned twice.
 */
#include "../scope/parts.h"

enum { MANY = 100000 };

static int items[MANY];
static int destroyed;

static void destroy(void *item) {
        ++*(int *) item;
        destroyed++;
}

static int compare(const void *a, const void *b) {
        int x = *(const int *) a, y = *(const int *) b;

        return x < y ? -1 : x > y;
}

static belay_queue *queue_with(size_t capacity, belay_queue_order order) {
        belay_queue_options options = {
                .size = sizeof(options),
                .capacity = capacity,
                .order = order,
                .compare = compare,
                .destroy = destroy,
        };
        belay_queue *queue = belay_queue_new_with(&options);

        CHECK(queue != NULL);
        memset(items, 0, sizeof(items));
        destroyed = 0;
        return queue;
}

static int *get(belay_queue *queue) {
        void *item = NULL;

        CHECK_EQ(belay_queue_get(queue, &item), 0);
        return item;
}

static int orders(void *arg) {
        belay_queue *queue;

        (void) arg;
        for (int order = 0; order < 3; order++) {
                int next;

                queue = queue_with(0, (belay_queue_order) order);
                CHECK(belay_queue_empty(queue) && !belay_queue_full(queue));
                for (int i = 0; i < 1000; i++) {
                        items[i] = i * 617 % 1000;
                        CHECK_EQ(belay_queue_put(queue, &items[i]), 0);
                        /*
                         * Some items are taken out between the puts, so that the positions in the
                         * ring wrap.
                         */
                        if (order == 0 && i % 3 == 0)
                                CHECK(get(queue) == &items[i / 3]);
                }
                next = order == 0 ? 334 : order == 1 ? 999 : 0;
                CHECK_EQ(belay_queue_count(queue), order == 0 ? 666 : 1000);
                while (!belay_queue_empty(queue)) {
                        int *item = get(queue);

                        if (order == BELAY_QUEUE_PRIORITY)
                                CHECK_EQ(*item, next++);
                        else
                                CHECK(item == &items[order == BELAY_QUEUE_FIFO ? next++ : next--]);
                }
                CHECK_EQ(next, order == 1 ? -1 : 1000);
                CHECK_EQ(destroyed, 0);
                CHECK_EQ(belay_queue_free(queue), 0);
        }
        return 0;
}

static int no_wait(void *arg) {
        belay_queue *queue = belay_queue_new(2);
        void *item = &items[7];

        (void) arg;
        CHECK(queue != NULL);
        belay_cancel(belay_self(), NULL);
        CHECK_EQ(belay_queue_try_get(queue, &item), -ENODATA);
        CHECK_LEFT(-ENODATA, NULL);
        CHECK_EQ(belay_queue_put(queue, &items[0]), 0);
        CHECK_EQ(belay_queue_try_put(queue, &items[1]), 0);
        CHECK(belay_queue_full(queue));
        CHECK_EQ(belay_queue_try_put(queue, &items[2]), -ENOBUFS);
        CHECK_LEFT(-ENOBUFS, NULL);
        CHECK_EQ(belay_queue_get(queue, &item), 0);
        CHECK(item == &items[0]);
        CHECK_EQ(belay_queue_try_get(queue, &item), 0);
        CHECK(item == &items[1]);
        CHECK_EQ(belay_queue_get(queue, &item), -ECANCELED);
        CHECK_DELIVERED();
        CHECK_EQ(belay_queue_try_put(queue, NULL), 0);
        CHECK(get(queue) == NULL);
        CHECK_EQ(belay_queue_free(queue), 0);
        CHECK_EQ(belay_queue_free(NULL), 0);
        errno = 0;
        CHECK(belay_queue_new_with(
                      BELAY_OPTIONS(belay_queue_options, .order = BELAY_QUEUE_PRIORITY))
              == NULL);
        CHECK_EQ(errno, EINVAL);
        errno = 0;
        CHECK(belay_queue_new_with(
                      BELAY_OPTIONS(belay_queue_options, .order = (belay_queue_order) 3))
              == NULL);
        CHECK_EQ(errno, EINVAL);
        return 0;
}

/* ---- several tasks ---- */

static belay_queue *queue;
static int got;

static int produces(void *arg) {
        int rc = 0;

        for (int i = *(int *) arg; i < MANY && rc == 0; i += 4)
                rc = belay_queue_put(queue, &items[i]);
        return rc;
}

static int consumes(void *arg) {
        void *item;
        int rc;

        (void) arg;
        while ((rc = belay_queue_get(queue, &item)) == 0) {
                ++*(int *) item;
                got++;
                CHECK(belay_queue_count(queue) <= 10);
                CHECK_EQ(belay_queue_task_done(queue), 0);
        }
        return rc == -ESHUTDOWN ? 0 : rc;
}

static int hundred_thousand(void *arg) {
        int begins[] = { 0, 1, 2, 3 };
        belay_task *tasks[7];

        (void) arg;
        queue = queue_with(10, BELAY_QUEUE_FIFO);
        got = 0;
        for (int i = 0; i < 7; i++)
                tasks[i] = must(i < 4 ? belay_spawn(produces, &begins[i])
                                      : belay_spawn(consumes, NULL));
        CHECK_EQ(belay_gather(tasks, 4, NULL), 0);
        CHECK_EQ(belay_queue_join(queue), 0);
        belay_queue_shutdown(queue, false);
        CHECK_EQ(belay_gather(tasks, 7, NULL), 0);
        for (int i = 0; i < 7; i++)
                CHECK_EQ(ended_with(tasks[i]), 0);
        CHECK_EQ(got, MANY);
        for (int i = 0; i < MANY; i++)
                CHECK_EQ(items[i], 1);
        CHECK_EQ(belay_queue_free(queue), 0);
        CHECK_EQ(destroyed, 0);
        return 0;
}

static int gets_slowly(void *arg) {
        void *item = NULL;
        int rc = belay_queue_get(queue, &item);

        if (rc == 0)
                *(int **) arg = item;
        return rc;
}

static int joins(void *arg) {
        (void) arg;
        return belay_queue_join(queue);
}

/*
 * Getters are woken in the order of arrival. If a woken getter is cancelled, the item must go to
 * the next one.
 */
static int getters(void *arg) {
        (void) arg;
        for (int way = 0; way < 2; way++) {
                belay_task *tasks[3];
                int *taken[3] = { NULL };

                queue = queue_with(0, BELAY_QUEUE_FIFO);
                for (int i = 0; i < 3; i++)
                        tasks[i] = must(belay_spawn(gets_slowly, &taken[i]));
                CHECK_EQ(belay_yield(), 0);
                CHECK_EQ(belay_queue_free(queue), -EBUSY);
                CHECK_EQ(belay_queue_put(queue, &items[0]), 0);
                if (way)
                        belay_cancel(tasks[0], NULL);
                CHECK_EQ(belay_sleep(1), 0);
                CHECK(taken[way] == &items[0]);
                CHECK(!belay_done(tasks[way + 1]));
                CHECK_EQ(belay_queue_put(queue, &items[1]), 0);
                CHECK_EQ(belay_queue_put(queue, &items[2]), 0);
                CHECK_EQ(belay_gather_collect(tasks, 3), 0);
                CHECK(taken[way + 1] == &items[1]);
                for (int i = 0; i < 3; i++)
                        CHECK_EQ(ended_with(tasks[i]), way && i == 0 ? -ECANCELED : 0);
                CHECK_EQ(belay_queue_count(queue), way);
                CHECK_EQ(belay_queue_free(queue), 0);
                CHECK_EQ(destroyed, way);
        }
        return 0;
}

static int puts_one(void *arg) {
        return belay_queue_put(queue, arg);
}

/* The same with tasks that wait for room. The item of a cancelled task must not have been put. */
static int putters(void *arg) {
        (void) arg;
        for (int way = 0; way < 3; way++) {
                belay_task *tasks[3];

                queue = queue_with(1, BELAY_QUEUE_FIFO);
                CHECK_EQ(belay_queue_put(queue, &items[9]), 0);
                for (int i = 0; i < 3; i++)
                        tasks[i] = must(belay_spawn(puts_one, &items[i]));
                CHECK_EQ(belay_yield(), 0);
                CHECK_EQ(belay_queue_free(queue), -EBUSY);
                if (way == 1)
                        belay_cancel(tasks[0], NULL);
                CHECK(get(queue) == &items[9]);
                if (way == 2)
                        belay_cancel(tasks[0], NULL);
                for (int i = way > 0; i < 3; i++)
                        CHECK(get(queue) == &items[i]);
                CHECK_EQ(belay_gather_collect(tasks, 3), 0);
                for (int i = 0; i < 3; i++)
                        CHECK_EQ(ended_with(tasks[i]), way > 0 && i == 0 ? -ECANCELED : 0);
                CHECK(belay_queue_empty(queue));
                CHECK_EQ(belay_queue_free(queue), 0);
                CHECK_EQ(destroyed, 0);
        }
        return 0;
}

static int puts_each_second(void *arg) {
        (void) arg;
        for (int i = 0; i < 200; i++) {
                CHECK_EQ(belay_sleep(SECONDS(1)), 0);
                CHECK_EQ(belay_queue_put(queue, &items[i]), 0);
        }
        return 0;
}

/*
 * Timeouts expire at the same time as the put, just before it and just after it. No item may be
 * lost (cpython 92824).
 */
static int under_limits(void *arg) {
        belay_task *task;
        int timeouts = 0;

        (void) arg;
        queue = queue_with(0, BELAY_QUEUE_FIFO);
        task = must(belay_spawn(puts_each_second, NULL));
        for (int i = 0; i < 200;) {
                belay_timeout limit;
                void *item = NULL;
                int rc;

                belay_timeout_enter(&limit, SECONDS(1) - i % 3 + 1);
                rc = belay_timeout_leave(&limit, belay_queue_get(queue, &item));
                if (rc == 0) {
                        CHECK(item == &items[i]);
                        i++;
                } else {
                        CHECK_EQ(rc, -ETIMEDOUT);
                        CHECK(item == NULL);
                        timeouts++;
                }
                CHECK_EQ(belay_cancelling(belay_self()), 0);
        }
        CHECK(timeouts > 0);
        CHECK_EQ(belay_join(task, NULL), 0);
        belay_release(task);
        CHECK_EQ(belay_queue_free(queue), 0);
        return 0;
}

/* ---- shutdown ---- */

static int shut_down(void *arg) {
        belay_task *tasks[3];
        int *taken[3] = { NULL };
        void *item;

        (void) arg;
        /* Getters wait for an empty queue. */
        queue = queue_with(0, BELAY_QUEUE_FIFO);
        for (int i = 0; i < 3; i++)
                tasks[i] = must(belay_spawn(gets_slowly, &taken[i]));
        CHECK_EQ(belay_yield(), 0);
        belay_queue_shutdown(queue, false);
        CHECK_EQ(belay_gather_collect(tasks, 3), 0);
        for (int i = 0; i < 3; i++)
                CHECK_EQ(ended_with(tasks[i]), -ESHUTDOWN);
        CHECK_EQ(belay_queue_free(queue), 0);

        for (int now = 0; now < 2; now++) {
                queue = queue_with(2, BELAY_QUEUE_FIFO);
                for (int i = 0; i < 2; i++)
                        CHECK_EQ(belay_queue_put(queue, &items[i]), 0);
                tasks[0] = must(belay_spawn(puts_one, &items[2]));
                tasks[1] = must(belay_spawn(joins, NULL));
                CHECK_EQ(belay_yield(), 0);
                belay_queue_shutdown(queue, now);
                /*
                 * The detail of an earlier failure with the same code must not be reported again.
                 */
                CHECK_EQ(belay_fail(-ESHUTDOWN, "another's"), -ESHUTDOWN);
                CHECK_EQ(belay_queue_put(queue, &items[3]), -ESHUTDOWN);
                CHECK_LEFT(-ESHUTDOWN, NULL);
                CHECK_EQ(belay_queue_try_put(queue, &items[3]), -ESHUTDOWN);
                CHECK_EQ(belay_join(tasks[0], NULL), 0);
                CHECK_EQ(ended_with(tasks[0]), -ESHUTDOWN);
                /*
                 * The items can still be taken; or the destructor has received them, and they count
                 * as finished.
                 */
                CHECK_EQ(destroyed, now ? 2 : 0);
                for (int i = 0; i < 2 && !now; i++) {
                        CHECK(get(queue) == &items[i]);
                        CHECK(!belay_done(tasks[1]));
                        CHECK_EQ(belay_queue_task_done(queue), 0);
                }
                CHECK_EQ(belay_join(tasks[1], NULL), 0);
                CHECK_EQ(ended_with(tasks[1]), 0);
                CHECK_EQ(belay_queue_get(queue, &item), -ESHUTDOWN);
                CHECK_EQ(belay_queue_try_get(queue, &item), -ESHUTDOWN);
                belay_queue_shutdown(queue, true);
                CHECK_EQ(belay_queue_free(queue), 0);
                for (int i = 0; i < 4; i++)
                        CHECK_EQ(items[i], now && i < 2);
        }
        return 0;
}

/* The destructor receives each remaining item exactly once, in every order. */
static int leftovers(void *arg) {
        (void) arg;
        for (int order = 0; order < 3; order++) {
                queue = queue_with(0, (belay_queue_order) order);
                for (int i = 0; i < 100; i++)
                        CHECK_EQ(belay_queue_put(queue, &items[i]), 0);
                for (int i = 0; i < 30; i++)
                        *get(queue) += 10;
                CHECK_EQ(belay_queue_free(queue), 0);
                CHECK_EQ(destroyed, 70);
                for (int i = 0; i < 100; i++)
                        CHECK(items[i] == 1 || items[i] == 10);
        }
        return 0;
}

static int joined(void *arg) {
        belay_task *tasks[2];

        (void) arg;
        keep_lines();
        queue = queue_with(0, BELAY_QUEUE_FIFO);
        /* No item is unfinished, so the join is no cancellation point. */
        belay_cancel(belay_self(), NULL);
        CHECK_EQ(belay_queue_join(queue), 0);
        CHECK_EQ(belay_queue_put(queue, &items[0]), 0);
        CHECK_EQ(belay_queue_put(queue, &items[1]), 0);
        CHECK_EQ(belay_queue_join(queue), -ECANCELED);
        CHECK_DELIVERED();
        for (int i = 0; i < 2; i++)
                tasks[i] = must(belay_spawn(joins, NULL));
        CHECK_EQ(belay_yield(), 0);
        /* Taking an item out does not finish it. */
        get(queue);
        get(queue);
        CHECK_EQ(belay_queue_task_done(queue), 0);
        CHECK_EQ(belay_sleep(SECONDS(1)), 0);
        CHECK(!belay_done(tasks[0]));
        CHECK_EQ(belay_queue_free(queue), -EBUSY);
        CHECK_EQ(belay_queue_task_done(queue), 0);
        CHECK_EQ(belay_gather(tasks, 2, NULL), 0);
        for (int i = 0; i < 2; i++)
                CHECK_EQ(ended_with(tasks[i]), 0);
        CHECK_EQ(kept_count, 0);
        CHECK_EQ(belay_queue_task_done(queue), -EPERM);
        CHECK_LINES(1, "misuse at " __FILE__);
        belay_set_log(NULL, NULL);
        CHECK_EQ(belay_queue_free(queue), 0);
        return 0;
}

static void in_callback(void *arg) {
        void *item = NULL;

        /* A call that need not wait works outside of tasks. */
        CHECK_EQ(belay_queue_put(queue, arg), 0);
        CHECK_EQ(belay_queue_put(queue, arg), -EPERM);
        CHECK_EQ(belay_queue_join(queue), -EPERM);
        CHECK_EQ(belay_queue_get(queue, &item), 0);
        CHECK(item == arg);
        CHECK_EQ(belay_queue_get(queue, &item), -EPERM);
        ++*(int *) arg;
}

static int in_no_task(void *arg) {
        (void) arg;
        keep_lines();
        queue = queue_with(1, BELAY_QUEUE_FIFO);
        CHECK(belay_soon(in_callback, &items[0]) != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(items[0], 1);
        CHECK_LINES(3, "outside of a task");
        belay_set_log(NULL, NULL);
        CHECK_EQ(belay_queue_free(queue), 0);
        return 0;
}

/* ---- tasks that are woken needlessly would lose their places ---- */

static int next_item(void *arg) {
        void *item = NULL;
        int rc = belay_queue_get(arg, &item);

        return rc < 0 ? rc : (int) ((int *) item - items);
}

/* Starts tasks that call `fn` for the queue, and lets them wait. */
static void start_waiting(belay_task **tasks, int count, belay_fn *fn) {
        for (int i = 0; i < count; i++)
                tasks[i] = must(belay_spawn(fn, queue));
        CHECK_EQ(belay_yield(), 0);
}

/*
 * A cancelled getter wakes another only if it was woken itself and there is an item. The getters
 * after it get the items in their order.
 */
static int getters_keep_places(void *arg) {
        (void) arg;
        for (int way = 0; way < 2; way++) {
                belay_task *tasks[4];
                void *item = NULL;

                queue = queue_with(0, BELAY_QUEUE_FIFO);
                start_waiting(tasks, 4, next_item);
                if (way == 0) {
                        /* The second getter, which was not woken, runs while there is an item. */
                        belay_cancel(tasks[1], NULL);
                        CHECK_EQ(belay_queue_put(queue, &items[0]), 0);
                } else {
                        /* The first getter was woken, and the item is gone when it runs. */
                        CHECK_EQ(belay_queue_put(queue, &items[0]), 0);
                        CHECK_EQ(belay_queue_try_get(queue, &item), 0);
                        belay_cancel(tasks[0], NULL);
                }
                CHECK_EQ(belay_sleep(1), 0);
                for (int i = 1; i < 4; i++)
                        CHECK_EQ(belay_queue_put(queue, &items[i]), 0);
                CHECK_EQ(belay_gather_collect(tasks, 4), 0);
                if (way == 0) {
                        CHECK_EQ(ended_with(tasks[0]), 0);
                        CHECK_EQ(ended_with(tasks[1]), -ECANCELED);
                } else {
                        CHECK_EQ(ended_with(tasks[0]), -ECANCELED);
                        CHECK_EQ(ended_with(tasks[1]), 1);
                }
                for (int i = 2; i < 4; i++)
                        CHECK_EQ(ended_with(tasks[i]), way == 0 ? i - 1 : i);
                CHECK_EQ(belay_queue_free(queue), 0);
        }
        return 0;
}

/* The same with putters and room. */
static int putters_keep_places(void *arg) {
        (void) arg;
        for (int way = 0; way < 2; way++) {
                int cancelled = way == 0 ? 1 : 0;
                belay_task *tasks[4];

                queue = queue_with(1, BELAY_QUEUE_FIFO);
                CHECK_EQ(belay_queue_put(queue, &items[9]), 0);
                for (int i = 0; i < 4; i++)
                        tasks[i] = must(belay_spawn(puts_one, &items[i]));
                CHECK_EQ(belay_yield(), 0);
                if (way == 0)
                        belay_cancel(tasks[1], NULL);
                CHECK(get(queue) == &items[9]);
                if (way == 1) {
                        CHECK_EQ(belay_queue_try_put(queue, &items[8]), 0);
                        belay_cancel(tasks[0], NULL);
                }
                CHECK_EQ(belay_sleep(1), 0);
                if (way == 1)
                        CHECK(get(queue) == &items[8]);
                for (int i = 0; i < 4; i++)
                        if (i != cancelled)
                                CHECK(get(queue) == &items[i]);
                CHECK_EQ(belay_gather_collect(tasks, 4), 0);
                for (int i = 0; i < 4; i++)
                        CHECK_EQ(ended_with(tasks[i]), i == cancelled ? -ECANCELED : 0);
                CHECK_EQ(belay_queue_free(queue), 0);
        }
        return 0;
}

static int frees_meanwhile(void *arg) {
        return belay_queue_free(arg);
}

/* In real time, a getter waits at once if there is no item, whatever other tasks are ready. */
static int waits_at_once(void *arg) {
        belay_task *tasks[2];

        (void) arg;
        queue = belay_queue_new(0);
        CHECK(queue != NULL);
        tasks[0] = must(belay_spawn(next_item, queue));
        tasks[1] = must(belay_spawn(frees_meanwhile, queue));
        CHECK_EQ(belay_join(tasks[1], NULL), 0);
        CHECK_EQ(ended_with(tasks[1]), -EBUSY);
        CHECK_EQ(belay_queue_put(queue, &items[3]), 0);
        CHECK_EQ(belay_join(tasks[0], NULL), 0);
        CHECK_EQ(ended_with(tasks[0]), 3);
        CHECK_EQ(belay_queue_free(queue), 0);
        return 0;
}

/* An item that finds no memory is not put and is not counted. The items before it stay. */
static int no_memory(void *arg) {
        (void) arg;
        refused_from = 1;
        errno = 0;
        CHECK(belay_queue_new(0) == NULL);
        CHECK_EQ(errno, ENOMEM);
        refused_from = 0;
        queue = queue_with(0, BELAY_QUEUE_FIFO);
        for (int i = 0; i < 8; i++)
                CHECK_EQ(belay_queue_put(queue, &items[i]), 0);
        refused_from = 1;
        CHECK_EQ(belay_queue_put(queue, &items[8]), -ENOMEM);
        refused_from = 0;
        CHECK_LEFT(-ENOMEM, NULL);
        CHECK_EQ(belay_queue_count(queue), 8);
        for (int i = 0; i < 8; i++) {
                CHECK(get(queue) == &items[i]);
                CHECK_EQ(belay_queue_task_done(queue), 0);
        }
        CHECK_EQ(belay_queue_join(queue), 0);
        CHECK_EQ(belay_queue_free(queue), 0);
        return 0;
}

static int gets_named(void *arg) {
        void *item;

        return belay_queue_get(arg, &item);
}

static int named(void *arg) {
        belay_wait_info info = BELAY_WAIT_INFO_INIT;
        belay_task *task;

        (void) arg;
        queue = belay_queue_new_with(BELAY_OPTIONS(belay_queue_options, .name = "jobs"));
        CHECK(queue != NULL);
        task = must(belay_spawn(gets_named, queue));
        CHECK_EQ(belay_yield(), 0);
        belay_waiting(task, &info);
        CHECK_STR(info.on, "jobs");
        belay_cancel(task, NULL);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(ended_with(task), -ECANCELED);
        CHECK_EQ(belay_queue_free(queue), 0);
        return 0;
}

int main(void) {
        belay_set_memory(scarce_memory, NULL);
        RUN_VIRTUAL(orders);
        RUN_VIRTUAL(no_wait);
        RUN_VIRTUAL(hundred_thousand);
        RUN_VIRTUAL(getters);
        RUN_VIRTUAL(putters);
        RUN_VIRTUAL(under_limits);
        RUN_VIRTUAL(shut_down);
        RUN_VIRTUAL(leftovers);
        RUN_VIRTUAL(joined);
        RUN_VIRTUAL(in_no_task);
        RUN_VIRTUAL(named);
        RUN_VIRTUAL(getters_keep_places);
        RUN_VIRTUAL(putters_keep_places);
        RUN_VIRTUAL(no_memory);
        CHECK_EQ(belay_run(waits_at_once, NULL), 0);
        return 0;
}
