/* SPDX-License-Identifier: MIT */
/*
 * Tests the pool of stacks. Stacks must be distinct, whole and staggered, and the last one put back
 * must be the first one taken. The pool must release their memory on request and find a stack by an
 * address.
 *
 * All tests run twice, once for each way of making guards.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../src/stack/stack.h"
#include "../check.h"

#define MANY 300
/*
 * More bytes than there are addresses. With 32 bits, the pool refuses a size before the addresses
 * run out.
 */
#define HUGE_STACK (SIZE_MAX >> (sizeof(size_t) > 4 ? 4 : 1))
#define HUGE_ERROR (sizeof(size_t) > 4 ? ENOMEM : EINVAL)

static size_t allocated, allocations;
static int refuse;

static void *count_alloc(size_t size, void *user) {
        CHECK(user == &allocated);
        if (refuse)
                return NULL;
        allocated += size;
        allocations++;
        return malloc(size);
}

static void count_free(void *memory, size_t size, void *user) {
        CHECK(user == &allocated);
        allocated -= size;
        free(memory);
}

static const struct bly_stack_allocator counting = { count_alloc, count_free, &allocated };

static size_t resident(const struct bly_stack *s) {
        static unsigned char present[16384];
        size_t page = bly_page_size(), pages = bly_stack_size(s) / page, n = 0;

        CHECK(pages <= sizeof(present));
        CHECK(mincore(s->low, pages * page, present) == 0);
        for (size_t i = 0; i < pages; i++)
                n += present[i] & 1;
        return n;
}

/*
 * Returns whether an address can be written. The kernel tries to write there and reports a fault as
 * an error.
 */
static int writable(char *p) {
        return syscall(SYS_uname, p) == 0 || errno != EFAULT;
}

static void test_default(void) {
        struct bly_stack_pool *pool = bly_stack_pool_create(&counting);
        struct bly_stack s[MANY], again, found;
        size_t page = bly_page_size();
        int offsets[4096 / 64] = { 0 };
        struct bly_stack_stats stats;

        CHECK(pool);
        bly_stack_pool_stats(pool, &stats);
        CHECK(stats.mapped == 0);
        for (int i = 0; i < MANY; i++) {
                CHECK(bly_stack_get(pool, 0, &s[i]) == 0);
                CHECK((uintptr_t) s[i].low % page == 0 && (uintptr_t) s[i].top % 64 == 0);
                CHECK((size_t) (s[i].top - s[i].low) <= BLY_STACK_DEFAULT);
                CHECK((size_t) (s[i].top - s[i].low) >= BLY_STACK_DEFAULT - BLY_STACK_STAGGER_MAX);
                CHECK(bly_stack_size(&s[i]) == BLY_STACK_DEFAULT);
                CHECK(resident(&s[i]) == 0 && bly_stack_used(&s[i]) == 0);
                CHECK(!writable(s[i].low - page));
                offsets[(uintptr_t) s[i].top % 4096 / 64]++;

                /* A sleeping task uses one page. */
                memset(s[i].top - 1500, 1 + i % 200, 1500);
                CHECK(resident(&s[i]) == 1);
                CHECK(bly_stack_used(&s[i]) >= 1500 && bly_stack_used(&s[i]) <= page);

                CHECK(bly_stack_find(pool, s[i].low, &found) == BLY_STACK_INSIDE);
                CHECK(found.low == s[i].low && found.top == s[i].top && !found.own);
                CHECK(bly_stack_find(pool, s[i].top - 1, &found) == BLY_STACK_INSIDE);
                CHECK(found.low == s[i].low && found.top == s[i].top);
                CHECK(bly_stack_find(pool, s[i].low - 1, &found) == BLY_STACK_GUARD);
                CHECK(found.low == s[i].low && found.top == s[i].top);
                CHECK(bly_stack_find(pool, s[i].low - page, &found) == BLY_STACK_GUARD);
                CHECK(found.low == s[i].low);
                CHECK(bly_stack_find(pool, &s[i], &found) == BLY_STACK_NOWHERE);
        }
        for (int i = 0; i < MANY; i++)
                CHECK(s[i].top[-1] == (char) (1 + i % 200) && s[i].top[-1500] == s[i].top[-1]);

        int used = 0;
        for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
                used += offsets[i] != 0;
                CHECK(offsets[i] <= MANY / BLY_STACK_STAGGER_STEPS + 1);
        }
        CHECK(used == BLY_STACK_STAGGER_STEPS);

        bly_stack_pool_stats(pool, &stats);
        CHECK(stats.made == MANY && stats.free == 0
              && stats.mapped >= MANY * (BLY_STACK_DEFAULT + page));

        /*
         * Last in, first out. Putting a stack back must need no memory and must not touch the
         * stack.
         */
        refuse = 1;
        for (int i = 0; i < MANY; i++) {
                CHECK(mprotect(s[i].low, BLY_STACK_DEFAULT, PROT_NONE) == 0);
                bly_stack_put(pool, &s[i]);
                CHECK(mprotect(s[i].low, BLY_STACK_DEFAULT, PROT_READ | PROT_WRITE) == 0);
        }
        for (int i = MANY - 1; i >= 0; i--) {
                CHECK(bly_stack_get(pool, i % 2 ? 0 : BLY_STACK_DEFAULT, &again) == 0);
                CHECK(again.low == s[i].low && again.top == s[i].top && !again.own);
        }
        /* A failure of the allocator must not lose a stack. */
        for (int i = 0; i < 5000 && bly_stack_get(pool, 0, &again) == 0; i++)
                ;
        CHECK(bly_stack_get(pool, 0, &again) == -ENOMEM);
        CHECK(strstr(bly_stack_error(), "books"));
        refuse = 0;
        CHECK(bly_stack_get(pool, 0, &again) == 0);

        bly_stack_pool_destroy(pool);
        CHECK(allocated == 0);
        CHECK(!writable(s[0].low));
}

static void test_trim(void) {
        struct bly_stack_pool *pool = bly_stack_pool_create(NULL);
        struct bly_stack s[20], again;
        size_t page = bly_page_size();
        size_t pages = BLY_STACK_DEFAULT / page;

        for (int i = 0; i < 20; i++) {
                CHECK(bly_stack_get(pool, 0, &s[i]) == 0);
                memset(s[i].low, 7, (size_t) (s[i].top - s[i].low));
                CHECK(resident(&s[i]) == pages
                      && bly_stack_used(&s[i]) == (size_t) (s[i].top - s[i].low));
        }
        CHECK(bly_stack_trim(pool, page, 100) == 0);
        for (int i = 0; i < 10; i++)
                bly_stack_put(pool, &s[i]);
        /* In two calls, each with its limit on the number of stacks. */
        CHECK(bly_stack_trim(pool, page, 4) == 4 * (pages - 1) * page);
        CHECK(bly_stack_trim(pool, page, 100) == 6 * (pages - 1) * page);
        CHECK(bly_stack_trim(pool, page, 100) == 0);
        for (int i = 0; i < 20; i++) {
                CHECK(resident(&s[i]) == (i < 10 ? 1 : pages));
                CHECK(s[i].top[-1] == 7);
        }
        /*
         * A stack that is used again must be trimmed again. A smaller amount to keep must apply to
         * all stacks.
         */
        CHECK(bly_stack_get(pool, 0, &again) == 0 && again.low == s[9].low);
        memset(again.low, 7, (size_t) (again.top - again.low));
        bly_stack_put(pool, &again);
        CHECK(bly_stack_trim(pool, 1, 100) == (pages - 1) * page);
        CHECK(bly_stack_trim(pool, 0, 100) == 10 * page);
        CHECK(resident(&s[0]) == 0 && s[0].top[-1] == 0);

        /* A live stack that is suspended in its third page from the top. */
        CHECK(bly_stack_give_back(&s[15], s[15].low + (pages - 3) * page + 8)
              == (pages - 3) * page);
        CHECK(resident(&s[15]) == 3 && s[15].low[(pages - 3) * page] == 7);
        CHECK(bly_stack_give_back(&s[15], s[15].low + (pages - 3) * page + 8) == 0);
        CHECK(!writable(s[15].low - page) && writable(s[15].low));
        bly_stack_pool_destroy(pool);
}

static void test_sizes(void) {
        static const size_t sizes[] = { 1,      4096,   16000,   60000,   64064,  66000,
                                        100000, 131072, 1 << 20, 8 << 20, 300000, 400000 };
        enum { N = sizeof(sizes) / sizeof(sizes[0]) };
        struct bly_stack_pool *pool = bly_stack_pool_create(&counting);
        size_t page = bly_page_size();
        struct bly_stack s[N], more[100], found, again;
        struct bly_stack_stats stats;

        for (int round = 0; round < 3; round++) {
                for (int i = 0; i < N; i++) {
                        size_t real;

                        CHECK(bly_stack_get(pool, sizes[i], &s[i]) == 0);
                        real = (size_t) (s[i].top - s[i].low);
                        CHECK(real >= sizes[i] && real < sizes[i] + BLY_STACK_STAGGER_MAX + page);
                        CHECK(!writable(s[i].low - page));
                        memset(s[i].low, 3, real);
                        CHECK(bly_stack_used(&s[i]) == real);
                        CHECK(bly_stack_find(pool, s[i].low - 1, &found) == BLY_STACK_GUARD);
                        CHECK(found.low == s[i].low && found.top == s[i].top
                              && found.own == s[i].own);
                        CHECK(bly_stack_find(pool, s[i].top - 1, &found) == BLY_STACK_INSIDE);
                        CHECK(found.low == s[i].low);
                }
                for (int i = 0; i < N; i++) {
                        bly_stack_put(pool, &s[i]);
                        /* The caller of bly_stack_put() may still run on the stack. */
                        memset(s[i].low, 4, (size_t) (s[i].top - s[i].low));
                }
        }
        /* There are more sizes than the caches keep. The rest must be released at the next call. */
        CHECK(bly_stack_get(pool, sizes[1], &s[1]) == 0);
        bly_stack_pool_stats(pool, &stats);
        CHECK(stats.others <= 9 && stats.others >= 7 && stats.cached == stats.others - 1);

        /* Stacks must be reused, and the number of kept stacks must have a bound. */
        CHECK(bly_stack_get(pool, 1 << 20, &again) == 0);
        char *low = again.low;
        bly_stack_put(pool, &again);
        CHECK(bly_stack_get(pool, 1 << 20, &again) == 0 && again.low == low);
        bly_stack_put(pool, &again);
        for (int i = 0; i < 100; i++)
                CHECK(bly_stack_get(pool, 1 << 20, &more[i]) == 0);
        memset(more[0].low, 1, 1 << 20);
        for (int i = 99; i >= 0; i--) {
                bly_stack_put(pool, &more[i]);
                CHECK(writable(more[i].low));
        }
        bly_stack_pool_stats(pool, &stats);
        CHECK(stats.cached < 40);
        CHECK(bly_stack_trim(pool, page, 1000) >= (1 << 20) - 2 * page);
        CHECK(bly_stack_trim(pool, page, 1000) == 0);
        CHECK(bly_stack_trim(pool, 0, 1000) >= page);

        CHECK(bly_stack_get(pool, (size_t) -1, &again) == -EINVAL);
        CHECK(bly_stack_get(pool, HUGE_STACK, &again) == -HUGE_ERROR);
        CHECK(strstr(bly_stack_error(),
                     sizeof(size_t) > 4 ? "address space" : "cannot be that large"));
        bly_stack_pool_destroy(pool);
        CHECK(allocated == 0);
}

static void all(void) {
        test_default();
        test_trim();
        test_sizes();
}

int main(void) {
        CHECK(bly_guard_way() != BLY_GUARD_UNKNOWN);
        all();
        bly_guard_force(BLY_GUARD_PROTECT);
        CHECK(bly_guard_way() == BLY_GUARD_PROTECT);
        all();
        return 0;
}
