/* SPDX-License-Identifier: MIT */
/*
 * The bare switch between two contexts, without a scheduler, as the reference for the cost of a
 * yield.
 */
#include "bench.h"
#include "deep.h"
#include "switch/switch.h"

static struct bly_context own, ring[2];
static bool deeply;

static int hop(void *arg) {
        long i = (long) arg;

        bly_switch(&ring[i], &ring[1 - i]);
        return 0;
}

DEEP(hop)

static long left;

/*
 * Both contexts run the same code, as two tasks that yield do. The return predictor is then right.
 */
static void go_round(void *arg) {
        if (deeply)
                while (left-- > 0)
                        deep_1(arg);
        else
                while (left-- > 0)
                        hop(arg);
        bly_switch(&ring[(long) arg], &own);
        abort();
}

static double measure(long count, bool deep) {
        static char stacks[2][64 * 1024] __attribute__((aligned(16)));
        double begin;

        deeply = deep;
        left = count;
        bly_context_make(&ring[0], stacks[0], stacks[0] + sizeof(stacks[0]), go_round, (void *) 0);
        bly_context_make(&ring[1], stacks[1], stacks[1] + sizeof(stacks[1]), go_round, (void *) 1);
        begin = clock_ns();
        bly_switch(&own, &ring[0]);
        return (clock_ns() - begin) / (double) count;
}

static double straight(long count) {
        return measure(count, false);
}

static double deep(long count) {
        return measure(count, true);
}

const struct figure switch_figures[] = {
        { "switch", "ns", "the bare switch, between two contexts", straight, 1000000 },
        { "switch-deep", "ns", "the same with eight callers above it", deep, 1000000 },
        { 0 },
};
