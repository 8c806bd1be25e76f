/* SPDX-License-Identifier: MIT */
/*
 * The library's own functions for memory: what the watching function is called with, aligned and
 * large blocks, and that freed memory returns to where it came from.
 */
#include "base/base.h"

#include "guarded.h"

/* ---- the watching function ---- */

static struct {
        uintptr_t before, after;
        size_t size;
} seen;

static unsigned seen_count;

static void watch(uintptr_t before, uintptr_t after, size_t size) {
        seen.before = before;
        seen.after = after;
        seen.size = size;
        seen_count++;
}

/* Checks that exactly one call has come since the previous check. */
static void check_seen(const void *before, const void *after, size_t size) {
        CHECK_EQ(seen_count, 1);
        CHECK(seen.before == (uintptr_t) before);
        CHECK(seen.after == (uintptr_t) after);
        CHECK_EQ(seen.size, size);
        seen_count = 0;
}

static bool is_zero(const char *block, size_t size) {
        for (size_t i = 0; i < size; i++)
                if (block[i] != 0)
                        return false;
        return true;
}

static void fill(void *block, size_t size) {
        memset(block, FRESH, size);
}

static void watched(bool has_function) {
        char *block, *moved;
        bool mapped;

        bly_memory_watch = watch;
        block = bly_alloc(1);
        CHECK(block != NULL);
        check_seen(NULL, block, 1);
        moved = bly_realloc(block, 100000);
        CHECK(moved != NULL);
        check_seen(block, moved, 100000);
        bly_free(moved);
        check_seen(moved, NULL, 0);
        bly_free(NULL);
        CHECK_EQ(seen_count, 0);

        block = bly_zalloc(300);
        check_seen(NULL, block, 300);
        CHECK(is_zero(block, 300));
        bly_free(block);
        check_seen(block, NULL, 0);

        for (int large = 0; large < 2; large++) {
                mapped = !large;
                block = bly_alloc_large(5000, large, &mapped);
                check_seen(NULL, block, 5000);
                CHECK_EQ(mapped, large && !has_function);
                CHECK(is_zero(block, 5000));
                fill(block, 5000);
                bly_free_large(block, 5000, mapped);
                check_seen(block, NULL, 0);
        }
        bly_memory_watch = NULL;
        /* Without the watching function, no call comes. */
        bly_free(bly_alloc(10));
        CHECK_EQ(seen_count, 0);
}

/* A block that there is no memory for. The old block stays as it is, and no call comes. */
static void refused(size_t size) {
        bool mapped;
        char *block = bly_alloc(10);

        fill(block, 10);
        bly_memory_watch = watch;
        CHECK(bly_realloc(block, size) == NULL);
        CHECK(bly_alloc(size) == NULL);
        CHECK(bly_zalloc(size) == NULL);
        CHECK(bly_alloc_aligned(64, size) == NULL);
        CHECK(bly_alloc_large(size, false, &mapped) == NULL);
        CHECK(bly_alloc_large(size, true, &mapped) == NULL);
        CHECK_EQ(seen_count, 0);
        bly_memory_watch = NULL;
        for (int i = 0; i < 10; i++)
                CHECK_EQ((unsigned char) block[i], FRESH);
        bly_free(block);
}

/* ---- aligned blocks ---- */

static void *place; /* where a block of the program's memory function begins */
static size_t wanted;
static unsigned freed;

static void *placed_memory(void *context, void *block, size_t size) {
        CHECK(context == &place);
        if (size == 0) {
                CHECK(block == place);
                freed++;
                return NULL;
        }
        CHECK(block == NULL);
        wanted = size;
        return place;
}

/* The memory may begin anywhere, as long as a pointer fits there. */
static void aligned(void) {
        static char room[8192] __attribute__((aligned(1024)));

        belay_set_memory(placed_memory, &place);
        for (size_t alignment = sizeof(void *); alignment <= 1024; alignment *= 2)
                for (size_t at = 0; at < 1024; at += sizeof(void *)) {
                        char *block;

                        place = room + at;
                        block = bly_alloc_aligned(alignment, 100);
                        CHECK_EQ((uintptr_t) block % alignment, 0);
                        CHECK(block >= room + at && block + 100 <= room + at + wanted);
                        fill(block, 100);
                        freed = 0;
                        bly_free_aligned(block);
                        CHECK_EQ(freed, 1);
                        bly_free_aligned(NULL);
                        CHECK_EQ(freed, 1);
                }
}

/* ---- many blocks, one after the other ---- */

/* Together they are larger than the memory that the process may have. */
static void many(void) {
        const size_t size = (size_t) 64 << 20;
        struct rlimit limit = { (rlim_t) 6 << 30, (rlim_t) 6 << 30 };
        bool mapped;

        if (!is_checked() && sizeof(rlim_t) > 4)
                (void) !setrlimit(RLIMIT_AS, &limit);
        for (int i = 0; i < 150; i++) {
                char *block = bly_alloc(size);

                CHECK(block != NULL);
                bly_free(block);
                block = bly_alloc_large(size, true, &mapped);
                CHECK(block != NULL && mapped);
                bly_free_large(block, size, mapped);
        }
}

#ifdef __GLIBC__

/* The C library keeps freed memory that lies below a block in use, until it is trimmed. */
static void trimmed(void) {
        enum { BLOCKS = 20000, SIZE = 1000 };
        static void *blocks[BLOCKS];
        long before;

        if (is_checked())
                return;
        for (int i = 0; i < BLOCKS; i++) {
                blocks[i] = bly_alloc(SIZE);
                CHECK(blocks[i] != NULL);
                fill(blocks[i], SIZE);
        }
        for (int i = 0; i < BLOCKS - 1; i++)
                bly_free(blocks[i]);
        before = resident_memory();
        bly_trim_memory();
        CHECK(resident_memory() < before - (long) BLOCKS * SIZE / 2);
        bly_free(blocks[BLOCKS - 1]);
}

#else

static void trimmed(void) {
        bly_trim_memory();
}

#endif

static int in_child_process(void *arg) {
        (void) arg;
        many();
        return 0;
}

int main(void) {
        struct child child;

        trimmed();
        watched(false);
        /* Checkers report such a size. */
        if (!is_checked())
                refused(PTRDIFF_MAX);

        belay_set_memory(guarded_memory, NULL);
        watched(true);
        CHECK_EQ(guarded_blocks, 0);
        guarded_refused_from = 1000;
        refused(1000);
        CHECK_EQ(guarded_blocks, 0);

        aligned();
        belay_set_memory(NULL, NULL);
        in_child(&child, in_child_process, NULL);
        CHECK_CHILD(&child, 0);
        return 0;
}
