/* SPDX-License-Identifier: MIT */
/*
 * Yielding and spawning.
 */
#include "bench.h"
#include "deep.h"

static long left;
static bool deeply;

static int yield_once(void *arg) {
        (void) arg;
        return belay_yield();
}

DEEP(yield_once)

static int yielder(void *arg) {
        if (deeply)
                while (left-- > 0)
                        must(deep_1(arg));
        else
                while (left-- > 0)
                        must(belay_yield());
        return 0;
}

struct timed {
        long count;
        double took;
};

static int two_yielders(void *arg) {
        struct timed *timed = arg;
        belay_task *tasks[2];
        double begin;

        left = timed->count;
        begin = clock_ns();
        for (int i = 0; i < 2; i++)
                tasks[i] = belay_spawn(yielder, NULL);
        for (int i = 0; i < 2; i++) {
                must(belay_await(tasks[i], NULL));
                belay_release(tasks[i]);
        }
        timed->took = clock_ns() - begin;
        return 0;
}

static double measure(belay_fn *fn, long count) {
        struct timed timed = { .count = count };

        run(fn, &timed);
        return timed.took / (double) timed.count;
}

static double yield(long count) {
        deeply = false;
        return measure(two_yielders, count);
}

static double yield_deep(long count) {
        deeply = true;
        return measure(two_yielders, count);
}

static int nothing(void *arg) {
        (void) arg;
        return 0;
}

static int one_at_a_time(void *arg) {
        struct timed *timed = arg;
        double begin = clock_ns();

        for (long i = 0; i < timed->count; i++) {
                belay_task *task = belay_spawn(nothing, NULL);
                int outcome;

                must(belay_await(task, &outcome));
                belay_release(task);
        }
        timed->took = clock_ns() - begin;
        return 0;
}

static double spawn_await(long count) {
        return measure(one_at_a_time, count);
}

enum { BATCH = 1000 };

static int many_at_a_time(void *arg) {
        static belay_task *tasks[BATCH];
        struct timed *timed = arg;
        double begin = clock_ns();

        for (long i = 0; i < timed->count; i += BATCH) {
                for (int j = 0; j < BATCH; j++)
                        tasks[j] = belay_spawn(nothing, NULL);
                for (int j = 0; j < BATCH; j++) {
                        must(belay_await(tasks[j], NULL));
                        belay_release(tasks[j]);
                }
        }
        timed->took = clock_ns() - begin;
        return 0;
}

static double spawn_batch(long count) {
        return measure(many_at_a_time, count / BATCH * BATCH + BATCH);
}

const struct figure task_figures[] = {
        { "yield", "ns", "two tasks that yield to each other", yield, 100000 },
        { "yield-deep", "ns", "the same with eight callers above it", yield_deep, 100000 },
        { "spawn-await", "ns", "a task started and awaited, one at a time", spawn_await, 10000 },
        { "spawn-batch", "ns", "the same, a thousand at a time", spawn_batch, 10000 },
        { 0 },
};
