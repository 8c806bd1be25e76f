/* SPDX-License-Identifier: MIT */
/*
 * Gather waits until all tasks have ended with a result, or until the first has not. Gather-collect
 * waits until all have ended, with any outcome.
 */
#include "../scope/parts.h"

enum { MANY = 20 };

static struct part parts[MANY];
static belay_task *tasks[MANY];

static void start_all(size_t count) {
        for (size_t i = 0; i < count; i++) {
                parts[i].begun = parts[i].ended = parts[i].requests = 0;
                tasks[i] = start_part(&parts[i]);
        }
}

static void release_all(size_t count) {
        for (size_t i = 0; i < count; i++)
                belay_release(tasks[i]);
        memset(parts, 0, sizeof(parts));
}

static int all_well(void *arg) {
        int outcome = UNWRITTEN;

        (void) arg;
        for (size_t count = 1; count <= MANY; count++) {
                belay_time begin = belay_now();

                for (size_t i = 0; i < count; i++)
                        parts[i] = (struct part) { .span = SECONDS((i * 7) % MANY + 1),
                                                   .end = (int) i };
                start_all(count);
                CHECK_EQ(belay_gather(tasks, count, &outcome), 0);
                CHECK_EQ(outcome, 0);
                for (size_t i = 0; i < count; i++)
                        CHECK_EQ(belay_result(tasks[i]), i);
                CHECK(belay_now() > begin);
                /* All tasks are done, so the call returns at once even if a request is pending. */
                belay_cancel(belay_self(), NULL);
                CHECK_EQ(belay_gather(tasks, count, NULL), 0);
                CHECK_EQ(belay_gather_collect(tasks, count), 0);
                CHECK_PENDING();
                release_all(count);
        }
        outcome = UNWRITTEN;
        CHECK_EQ(belay_gather(NULL, 0, &outcome), 0);
        CHECK_EQ(outcome, 0);
        CHECK_EQ(belay_gather_collect(NULL, 0), 0);
        CHECK_CLEAN();
        return 0;
}

/*
 * The first failure ends the wait and cancels no task. Later failures are logged unless they are
 * retrieved.
 */
static int first_failure(void *arg) {
        belay_time begin = belay_now();
        int outcome = UNWRITTEN;

        (void) arg;
        keep_lines();
        parts[0] = (struct part) { .span = SECONDS(3), .end = 7 };
        parts[1] = (struct part) { .span = SECONDS(1), .end = -EIO, .text = "first" };
        parts[2] = (struct part) { .span = SECONDS(2), .end = -EPROTO, .text = "unseen" };
        parts[3] = (struct part) { .span = SECONDS(2), .end = -EPROTO, .text = "seen" };
        start_all(4);
        CHECK_EQ(belay_gather(tasks, 4, &outcome), 0);
        CHECK_EQ(outcome, -EIO);
        CHECK_LEFT(-EIO, "first");
        CHECK_EQ(belay_now() - begin, SECONDS(1));
        CHECK(!belay_done(tasks[0]) && !belay_done(tasks[2]));
        CHECK_EQ(belay_sleep(SECONDS(5)), 0);
        CHECK_EQ(parts[0].requests, 0);
        CHECK_EQ(belay_result(tasks[0]), 7);
        CHECK_EQ(belay_result(tasks[3]), -EPROTO);
        release_all(4);
        CHECK_LINES(1, "unseen");
        CHECK_EQ(kept_count, 1);
        /* A task that failed before the call. */
        parts[0] = (struct part) { .end = -EIO, .text = "before" };
        parts[1] = (struct part) { .span = SECONDS(1) };
        start_all(2);
        CHECK_EQ(belay_yield(), 0);
        begin = belay_now();
        CHECK_EQ(belay_gather(tasks, 2, &outcome), 0);
        CHECK_EQ(outcome, -EIO);
        CHECK_LEFT(-EIO, "before");
        CHECK_EQ(belay_now(), begin);
        CHECK_EQ(belay_join(tasks[1], NULL), 0);
        release_all(2);
        CHECK_EQ(kept_count, 1);
        belay_set_log(NULL, NULL);
        CHECK_CLEAN();
        return 0;
}

/*
 * The cancellation of a gathered task by another task must not count as a cancellation of the
 * caller.
 */
static int foreign(void *arg) {
        int outcome = UNWRITTEN;

        (void) arg;
        parts[0].span = parts[1].span = SECONDS(5);
        start_all(2);
        cancel_after(SECONDS(1), tasks[1]);
        CHECK_EQ(belay_gather(tasks, 2, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK_EQ(parts[0].requests, 0);
        CHECK_CLEAN();
        CHECK_EQ(belay_gather_collect(tasks, 2), 0);
        CHECK_EQ(parts[0].ended, 1);
        CHECK_CLEAN();
        release_all(2);
        return 0;
}

struct gatherer {
        size_t count;
        bool collect;
        int rc, outcome, next;
        belay_time at;
};

static int gathers(void *arg) {
        struct gatherer *gatherer = arg;

        gatherer->outcome = UNWRITTEN;
        gatherer->rc = gatherer->collect ? belay_gather_collect(tasks, gatherer->count)
                                         : belay_gather(tasks, gatherer->count, &gatherer->outcome);
        gatherer->at = belay_now();
        gatherer->next = belay_yield();
        return gatherer->rc;
}

/* A request for the caller is forwarded to all gathered tasks. */
static int own(void *arg) {
        (void) arg;
        for (int collect = 0; collect < 2; collect++)
                for (size_t count = 2; count <= 12; count += 10) {
                        struct gatherer gatherer = { .count = count, .collect = collect };
                        belay_time begin = belay_now();
                        belay_task *task;

                        for (size_t i = 0; i < count; i++)
                                parts[i] = (struct part) { .span = SECONDS(20),
                                                           .clean_up = SECONDS(i + 1) };
                        start_all(count);
                        task = must(belay_spawn(gathers, &gatherer));
                        cancel_after(SECONDS(1), task);
                        CHECK_EQ(belay_join(task, NULL), 0);
                        CHECK_EQ(gatherer.rc, -ECANCELED);
                        CHECK_EQ(gatherer.next, 0);
                        CHECK_EQ(belay_cancelling(task), 1);
                        /*
                         * Gather waits until the first task has ended cancelled, gather-collect
                         * until all have ended.
                         */
                        CHECK_EQ(gatherer.at - begin, SECONDS(collect ? 1 + count : 2));
                        for (size_t i = 0; i < count; i++) {
                                CHECK_EQ(parts[i].requests, 1);
                                CHECK_EQ(parts[i].origin, BELAY_ORIGIN_AWAITER);
                        }
                        belay_release(task);
                        CHECK_EQ(belay_gather_collect(tasks, count), 0);
                        release_all(count);
                }
        return 0;
}

/* The tasks refuse one request. A second request ends them; without it they go on to their ends. */
static int refused(void *arg) {
        struct gatherer gatherer = { .count = 2 };
        belay_task *task;

        (void) arg;
        for (int i = 0; i < 2; i++)
                parts[i] = (struct part) { .span = SECONDS(5), .refuses = 1, .end = 3 };
        start_all(2);
        task = must(belay_spawn(gathers, &gatherer));
        cancel_after(SECONDS(1), task);
        cancel_after(SECONDS(2), task);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(gatherer.rc, -ECANCELED);
        CHECK_EQ(parts[0].requests + parts[1].requests, 4);
        CHECK_EQ(belay_cancelling(task), 2);
        belay_release(task);
        release_all(2);
        /*
         * All tasks end with results, and the call still returns -ECANCELED, as asyncio's gather()
         * does.
         */
        for (int i = 0; i < 2; i++)
                parts[i] = (struct part) { .span = SECONDS(5), .refuses = 1, .end = 3 };
        start_all(2);
        gatherer = (struct gatherer) { .count = 2 };
        task = must(belay_spawn(gathers, &gatherer));
        cancel_after(SECONDS(1), task);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(gatherer.rc, -ECANCELED);
        CHECK_EQ(gatherer.next, 0);
        CHECK_EQ(belay_result(tasks[0]), 3);
        belay_release(task);
        release_all(2);
        return 0;
}

static int collected(void *arg) {
        static const int ends[] = { 4, -EIO, -ECANCELED, 0 };

        (void) arg;
        for (int i = 0; i < 4; i++)
                parts[i] = (struct part) { .span = SECONDS(4 - i), .end = ends[i] };
        start_all(4);
        CHECK_EQ(belay_gather_collect(tasks, 4), 0);
        for (int i = 0; i < 4; i++)
                CHECK_EQ(belay_result(tasks[i]), ends[i]);
        CHECK_CLEAN();
        release_all(4);
        return 0;
}

/* A task that appears twice, and futures among the tasks. */
static int mixed(void *arg) {
        belay_task *both[5];
        belay_future *future = must(belay_future_new());
        int outcome = UNWRITTEN;

        (void) arg;
        parts[0] = (struct part) { .span = SECONDS(1), .end = 2 };
        start_all(1);
        both[0] = both[2] = both[4] = tasks[0];
        both[1] = both[3] = future;
        CHECK(belay_later(SECONDS(2), cancel_it, future) != 0);
        CHECK_EQ(belay_gather_collect(both, 5), 0);
        CHECK(belay_cancelled(future));
        CHECK_EQ(belay_gather(both, 5, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK_CLEAN();
        belay_release(future);
        release_all(1);
        return 0;
}

static void in_callback(void *arg) {
        (void) arg;
        CHECK_EQ(belay_gather(tasks, 1, NULL), -EPERM);
        CHECK_EQ(belay_gather_collect(tasks, 1), -EPERM);
}

static int wrong(void *arg) {
        belay_task *none[] = { belay_self(), NULL };
        belay_timeout limit;
        int rc;

        (void) arg;
        keep_lines();
        start_all(1);
        CHECK(belay_soon(in_callback, NULL) != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_LINES(2, "outside of a task");
        CHECK_EQ(belay_gather(none, 2, NULL), -ENOMEM);
        belay_set_log(NULL, NULL);
        /* The caller is one of the tasks, so only a limit ends the wait. */
        belay_timeout_enter(&limit, SECONDS(1));
        rc = belay_wait(none, 1, BELAY_WAIT_ALL, BELAY_NEVER);
        CHECK_EQ(belay_timeout_leave(&limit, rc), -ETIMEDOUT);
        CHECK_CLEAN();
        release_all(1);
        return 0;
}

int main(void) {
        RUN_VIRTUAL(all_well);
        RUN_VIRTUAL(first_failure);
        RUN_VIRTUAL(foreign);
        RUN_VIRTUAL(own);
        RUN_VIRTUAL(refused);
        RUN_VIRTUAL(collected);
        RUN_VIRTUAL(mixed);
        RUN_VIRTUAL(wrong);
        return 0;
}
