/* SPDX-License-Identifier: MIT */
/*
 * Tests the counts that belay_everywhere() compares: the library's memory block by block,
 * descriptors by number, and locks. Memory must be counted exactly, however many blocks there are
 * and in whatever order they are freed.
 */
#include <fcntl.h>

#include "testing/balance.h"

#include <belay.h>

#include "check.h"

enum { BLOCKS = 3000, STEPS = 200000 };

static struct {
        void *memory;
        size_t size;
} blocks[BLOCKS];

static uint64_t next_random(void) {
        static uint64_t x = 88172645463325252u;

        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        return x;
}

static void check_memory(size_t count, size_t bytes) {
        struct bly_balance balance;

        bly_balance_take(&balance);
        CHECK_EQ(balance.blocks, count);
        CHECK_EQ(balance.bytes, bytes);
}

static void test_memory(void) {
        size_t count = 0, bytes = 0, old_size = 77;
        void *old = bly_alloc(old_size), *older = bly_alloc(33);

        CHECK(old != NULL && older != NULL);
        CHECK_EQ(bly_balance_begin(), 0);
        CHECK_EQ(bly_balance_begin(), -EBUSY);
        check_memory(0, 0);
        /*
         * Blocks that existed before the count began must not count, even if they are moved or
         * freed.
         */
        old = bly_realloc(old, 1 << 20);
        bly_free(older);
        check_memory(0, 0);
        for (int i = 0; i < STEPS; i++) {
                size_t which = next_random() % BLOCKS,
                       size = next_random() % 3 == 0 ? 0 : 1 + next_random() % 100;

                count -= blocks[which].memory != NULL;
                bytes -= blocks[which].size;
                if (blocks[which].memory != NULL || size > 0)
                        blocks[which].memory = bly_realloc(blocks[which].memory, size);
                CHECK((blocks[which].memory != NULL) == (size > 0));
                blocks[which].size = size;
                count += size > 0;
                bytes += size;
                if (i % 5000 == 0)
                        check_memory(count, bytes);
        }
        for (int i = 0; i < BLOCKS; i++)
                bly_free(blocks[i].memory);
        check_memory(0, 0);
        CHECK_EQ(bly_balance_end(), 0);
        bly_free(old);
        /* After bly_balance_end(), blocks are not counted. */
        old = bly_alloc(1);
        check_memory(0, 0);
        bly_free(old);
}

static void test_tilt(void) {
        struct bly_balance before, after;
        unsigned cursor = 0;
        belay_lock lock = BELAY_LOCK_INIT;
        char text[512];
        void *memory;
        int fd;

        CHECK_EQ(bly_balance_begin(), 0);
        bly_balance_take(&before);
        bly_balance_take(&after);
        CHECK(!bly_balance_tilted(&before, &after));
        CHECK(!bly_balance_next(&before, &after, &cursor, text, sizeof(text)));

        memory = bly_alloc(100);
        fd = open("/dev/null", O_RDONLY);
        CHECK_EQ(belay_lock_try_acquire(&lock), 0);
        bly_balance_take(&after);
        CHECK(bly_balance_tilted(&before, &after));
        /* Fewer blocks, descriptors or locks than before are no complaint. */
        CHECK(!bly_balance_tilted(&after, &before));
        cursor = 0;
        CHECK(bly_balance_next(&before, &after, &cursor, text, sizeof(text)));
        CHECK_STR(text, "memory was not given back: 100 bytes in 1 blocks");
        CHECK(bly_balance_next(&before, &after, &cursor, text, sizeof(text)));
        CHECK(strstr(text, "open descriptors: 1 more, among them ") != NULL
              && strstr(text, " (/dev/null)") != NULL);
        CHECK(bly_balance_next(&before, &after, &cursor, text, sizeof(text)));
        CHECK_STR(text, "locks are still held: 1 more");
        CHECK(!bly_balance_next(&before, &after, &cursor, text, sizeof(text)));

        bly_free(memory);
        close(fd);
        CHECK_EQ(belay_lock_release(&lock), 0);
        bly_balance_take(&after);
        CHECK(!bly_balance_tilted(&before, &after));
        CHECK_EQ(bly_balance_end(), 0);
}

int main(void) {
        test_memory();
        test_tilt();
        return 0;
}
