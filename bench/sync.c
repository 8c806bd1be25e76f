/* SPDX-License-Identifier: MIT */
/*
 * Locks, queues, timeouts and checkpoints.
 */
#include "bench.h"

struct work {
        long count;
        double took;
        belay_lock lock;
        belay_queue *queue;
        size_t capacity;
};

static double measure(belay_fn *fn, long count, size_t capacity) {
        struct work work = { .count = count, .capacity = capacity };

        run(fn, &work);
        return work.took / (double) work.count;
}

static void run_two(belay_fn *one, belay_fn *other, struct work *work) {
        double begin = clock_ns();
        belay_task *tasks[2] = { belay_spawn(one, work), belay_spawn(other, work) };

        for (int i = 0; i < 2; i++) {
                must(belay_await(tasks[i], NULL));
                belay_release(tasks[i]);
        }
        work->took = clock_ns() - begin;
}

/*
 * Holds the lock over a yield, so that each acquiring task finds it taken and waits for the
 * handover.
 */
static int take_turns(void *arg) {
        struct work *work = arg;

        for (long i = 0; i < work->count / 2; i++) {
                must(belay_lock_acquire(&work->lock));
                must(belay_yield());
                must(belay_lock_release(&work->lock));
        }
        return 0;
}

static int hand_over(void *arg) {
        run_two(take_turns, take_turns, arg);
        return 0;
}

static double lock_handover(long count) {
        return measure(hand_over, count, 0);
}

static int put(void *arg) {
        struct work *work = arg;

        for (long i = 0; i < work->count; i++)
                must(belay_queue_put(work->queue, work));
        return 0;
}

static int get(void *arg) {
        struct work *work = arg;
        void *item;

        for (long i = 0; i < work->count; i++)
                must(belay_queue_get(work->queue, &item));
        return 0;
}

static int pass_items(void *arg) {
        struct work *work = arg;

        work->queue = belay_queue_new(work->capacity);
        run_two(put, get, work);
        return belay_queue_free(work->queue);
}

static double queue(long count) {
        return measure(pass_items, count, 64);
}

static double queue_1(long count) {
        return measure(pass_items, count, 1);
}

static int arm_and_leave(void *arg) {
        struct work *work = arg;
        double begin = clock_ns();

        for (long i = 0; i < work->count; i++) {
                belay_timeout timeout;

                must(belay_timeout_enter(&timeout, BELAY_HOUR));
                must(belay_timeout_leave(&timeout, 0));
        }
        work->took = clock_ns() - begin;
        return 0;
}

static double timeout(long count) {
        return measure(arm_and_leave, count, 0);
}

static int check(void *arg) {
        struct work *work = arg;
        double begin = clock_ns();

        for (long i = 0; i < work->count; i++)
                must(belay_checkpoint());
        work->took = clock_ns() - begin;
        return 0;
}

static double checkpoint(long count) {
        return measure(check, count, 0);
}

const struct figure sync_figures[] = {
        { "lock-handover", "ns", "a lock handed over between two tasks", lock_handover, 100000 },
        { "queue", "ns", "an item through a queue of 64, between two tasks", queue, 100000 },
        { "queue-1", "ns", "the same through a queue of one: both wait for each item", queue_1,
          100000 },
        { "timeout", "ns", "a timeout of an hour entered and left", timeout, 100000 },
        { "checkpoint", "ns", "a checkpoint in a loop that computes", checkpoint, 1000000 },
        { 0 },
};
