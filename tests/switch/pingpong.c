/* SPDX-License-Identifier: MIT */
/*
 * Tests that control reaches the right context. Arguments must arrive, stacks must be aligned and
 * used within their bounds, and contexts must alternate at any depth.
 */
#include <stdint.h>
#include <string.h>

#include "../../src/switch/switch.h"
#include "../check.h"

#define SIZE (64 * 1024)
#define MANY 50

static struct bly_context main_context;

struct player {
        struct bly_context context;
        char *low;
        long turns;
        long depth;
};

static void turn(struct player *p) {
        p->turns++;
        bly_switch(&p->context, &main_context);
}

/* Leaves values on the stack at each depth, which must still be there on the way back. */
static long dive(struct player *p, long depth) {
        volatile long here[8];

        for (int i = 0; i < 8; i++)
                here[i] = depth * 8 + i;
        p->depth = depth;
        turn(p);
        if (depth < 100)
                CHECK(dive(p, depth + 1) == depth + 1);
        turn(p);
        for (int i = 0; i < 8; i++)
                CHECK(here[i] == depth * 8 + i);
        return depth;
}

static void play(void *arg) {
        struct player *p = arg;
        int local __attribute__((aligned(16)));

        /*
         * The compiler relies on the ABI's alignment to place this variable, and would fold the
         * check. The asm hides the address from it.
         */
        uintptr_t address = (uintptr_t) &local;
        __asm__ volatile("" : "+r"(address));
        CHECK(address % 16 == 0);
        CHECK((uintptr_t) p->low < address && address < (uintptr_t) p->low + SIZE);

        CHECK(dive(p, 1) == 1);
        for (;;)
                turn(p);
}

int main(void) {
        static struct player players[MANY];
        const char *name = bly_switch_name();

        CHECK(!strcmp(name, "x86-64") || !strcmp(name, "aarch64") || !strcmp(name, "riscv64")
              || !strcmp(name, "ucontext"));
#ifdef BELAY_SWITCH_UCONTEXT
        CHECK(!strcmp(name, "ucontext"));
#endif

        for (int i = 0; i < MANY; i++) {
                players[i].low = malloc(SIZE);
                CHECK(players[i].low);
                /* Neither garbage in a used stack nor an odd top may matter. */
                memset(players[i].low, 0xa5, SIZE);
                bly_context_make(&players[i].context, players[i].low, players[i].low + SIZE - i,
                                 play, &players[i]);
                CHECK(players[i].turns == 0);
        }
        for (long round = 1; round <= 1000; round++) {
                for (int i = 0; i < MANY; i++) {
                        bly_switch(&main_context, &players[i].context);
                        CHECK(players[i].turns == round);
                        CHECK(players[i].depth == (round < 100 ? round : 100));
                }
        }
        for (int i = 0; i < MANY; i++)
                free(players[i].low);
        return 0;
}
