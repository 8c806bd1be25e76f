/* SPDX-License-Identifier: MIT */
/*
 * Tests the kernel's limit on mappings. If each guard is a mapping of its own, that limit ends the
 * supply of stacks. The error must name the limit, and the pool must go on working. If guards are
 * marks, the limit does not apply.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../src/stack/stack.h"
#include "../check.h"

#define MORE_THAN_MAPPINGS 70000

static int mappings(void) {
        FILE *f = fopen("/proc/self/maps", "r");
        int n = 0;

        CHECK(f);
        for (int c; (c = getc(f)) != EOF;)
                n += c == '\n';
        fclose(f);
        return n;
}

int main(void) {
        static struct bly_stack s[MORE_THAN_MAPPINGS];
        struct bly_stack_pool *pool;
        FILE *f = fopen("/proc/sys/vm/max_map_count", "r");
        int limit, n, before = mappings();

        if (bly_guard_way() == BLY_GUARD_MARK) {
                pool = bly_stack_pool_create(NULL);
                for (n = 0; n < MORE_THAN_MAPPINGS; n++)
                        CHECK(bly_stack_get(pool, 0, &s[n]) == 0);
                CHECK(mappings() - before < 100);
                bly_stack_pool_destroy(pool);
        }

        if (!f || fscanf(f, "%d", &limit) != 1 || limit > 2 * MORE_THAN_MAPPINGS - 2000) {
                fprintf(stderr, "no limit on mappings that could be reached\n");
                return 77;
        }
        fclose(f);

        bly_guard_force(BLY_GUARD_PROTECT);
        pool = bly_stack_pool_create(NULL);
        for (n = 0; n < MORE_THAN_MAPPINGS; n++) {
                int r = bly_stack_get(pool, 0, &s[n]);

                if (r < 0) {
                        CHECK(r == -ENOMEM);
                        break;
                }
        }
        CHECK(n < MORE_THAN_MAPPINGS);
        CHECK(n > limit / 2 - 2000);
        CHECK(strstr(bly_stack_error(), "vm.max_map_count"));

        /* The second attempt must fail in the same way and lose no stack. */
        CHECK(bly_stack_get(pool, 0, &s[n]) == -ENOMEM);
        bly_stack_put(pool, &s[n - 1]);
        CHECK(bly_stack_get(pool, 0, &s[n]) == 0 && s[n].low == s[n - 1].low);
        s[n].low[0] = 1;
        CHECK(bly_stack_get(pool, 200000, &s[n]) == -ENOMEM);
        CHECK(strstr(bly_stack_error(), "vm.max_map_count"));
        bly_stack_pool_destroy(pool);
        CHECK(mappings() - before < 100);
        return 0;
}
