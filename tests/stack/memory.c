/* SPDX-License-Identifier: MIT */
/*
 * Tests what the stack of a sleeping task costs: one page and its share of the page tables. A
 * program with one task must not pay for a million.
 */
#include <stdio.h>
#include <string.h>

#include "../../src/stack/stack.h"
#include "../check.h"

#define MANY 50000

static long kib(const char *what) {
        FILE *f = fopen("/proc/self/status", "r");
        char line[256];
        long n = -1;

        CHECK(f);
        while (n < 0 && fgets(line, sizeof(line), f)) {
                if (!strncmp(line, what, strlen(what)))
                        CHECK(sscanf(line + strlen(what), ": %ld", &n) == 1);
        }
        fclose(f);
        return n;
}

int main(void) {
        static struct bly_stack s[MANY];
        struct bly_stack_pool *pool = bly_stack_pool_create(NULL);
        struct bly_stack_stats stats;
        long before, after;

        if (kib("VmPTE") <= 0) {
                fprintf(stderr, "the system does not tell the size of page tables\n");
                return 77;
        }
        if (bly_page_size() != 4096 || bly_guard_way() != BLY_GUARD_MARK) {
                fprintf(stderr, "not with these pages or guards\n");
                return 77;
        }
        memset(s, 1, sizeof(s));
        before = kib("VmRSS") + kib("VmPTE");
        CHECK(bly_stack_get(pool, 0, &s[0]) == 0);
        memset(s[0].top - 700, 1, 700);
        after = kib("VmRSS") + kib("VmPTE");
        bly_stack_pool_stats(pool, &stats);
        fprintf(stderr, "one stack: %ld KiB, %zu KiB mapped\n", after - before,
                stats.mapped / 1024);
        CHECK(after - before <= 256);
        CHECK(stats.mapped <= 2 << 20);

        before = kib("VmRSS") + kib("VmPTE");
        for (int i = 1; i < MANY; i++) {
                CHECK(bly_stack_get(pool, 0, &s[i]) == 0);
                memset(s[i].top - 700, 1, 700);
        }
        after = kib("VmRSS") + kib("VmPTE");
        fprintf(stderr, "%d stacks: %ld bytes each\n", MANY, (after - before) * 1024 / MANY);
        CHECK((after - before) * 1024 / MANY <= 4096 + 144);
        bly_stack_pool_destroy(pool);
        return 0;
}
