/* SPDX-License-Identifier: MIT */
/*
 * The counts of belay_everywhere() one by one: blocks at addresses that the test chooses, every
 * descriptor, the comparison of two counts, and a table for which there is no memory.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>

#include "base/help.h"
#include "testing/balance.h"

/* ---- calloc(), which takes precedence over that of the C library ---- */

/* Valgrind takes precedence over both, and then this function is not called. */
static bool refuses, was_called;

/* Memory beyond the block looks like entries of a table. */
void *calloc(size_t count, size_t size) {
        static const uintptr_t entry[] = { 0x7000, 1000 };
        char *block = refuses ? NULL : malloc(count * size + 4 * sizeof(entry));

        was_called = true;
        if (block == NULL)
                return NULL;
        memset(block, 0, count * size);
        for (size_t i = 0; i < 4; i++)
                memcpy(block + count * size + i * sizeof(entry), entry, sizeof(entry));
        return block;
}

/* ---- memory ---- */

static void counts(size_t blocks, size_t bytes) {
        struct bly_balance balance;

        bly_balance_take(&balance);
        CHECK_EQ(balance.blocks, blocks);
        CHECK_EQ(balance.bytes, bytes);
}

/* The library frees and allocates blocks wherever the C library puts them. */
static void addresses(void) {
        enum { MANY = 5000 };
        size_t bytes = 0;

        CHECK_EQ(bly_balance_begin(), 0);
        /* A block moves, and grows where it is. */
        bly_memory_watch(0, 0x1000, 10);
        bly_memory_watch(0x1000, 0x2000, 20);
        counts(1, 20);
        bly_memory_watch(0x2000, 0x2000, 25);
        counts(1, 25);
        /* Another thread has freed the block, and its address is used again. */
        bly_memory_watch(0, 0x2000, 7);
        counts(1, 7);
        bly_memory_watch(0x2000, 0, 0);
        counts(0, 0);
        /* A block from before the count. */
        bly_memory_watch(0x3000, 0, 0);
        bly_memory_watch(0x3000, 0x4000, 5);
        counts(0, 0);

        /* The order in which the blocks are freed differs from that in which they were made. */
        for (uintptr_t i = 1; i <= MANY; i++) {
                bly_memory_watch(0, 0x10000 * i, i);
                bytes += i;
                counts(i, bytes);
        }
        bly_memory_watch(0, 0x7000, 3);
        counts(MANY + 1, bytes + 3);
        bly_memory_watch(0x7000, 0, 0);
        for (uintptr_t i = 1; i <= MANY; i++) {
                uintptr_t which = 1 + i * 7 % MANY;

                bly_memory_watch(0x10000 * which, 0, 0);
                bytes -= which;
                counts(MANY - i, bytes);
        }
        CHECK_EQ(bly_balance_end(), 0);
}

static int returns(void *arg) {
        return *(int *) arg;
}

/* Without memory for the table, the caller learns that the counts are incomplete. */
static void scarce(void) {
        enum { MANY = 1000 };
        int zero = 0;

        refuses = true;
        CHECK_EQ(bly_balance_begin(), -ENOMEM);
        CHECK(bly_memory_watch == NULL);
        CHECK_EQ(belay_everywhere(returns, &zero, NULL), -ENOMEM);
        refuses = false;
        CHECK_EQ(bly_balance_begin(), 0);
        refuses = true;
        for (uintptr_t i = 1; i <= MANY; i++)
                bly_memory_watch(0, 0x10000 * i, 1);
        refuses = false;
        CHECK_EQ(bly_balance_end(), -ENOMEM);
        /* The next count is complete again. */
        CHECK_EQ(bly_balance_begin(), 0);
        for (uintptr_t i = 1; i <= MANY; i++)
                bly_memory_watch(0, 0x10000 * i, 1);
        counts(MANY, MANY);
        CHECK_EQ(bly_balance_end(), 0);
}

/* Makes more blocks than the table has room for, while there is no memory for a larger one. */
static int too_many_blocks(void *arg) {
        enum { MANY = 400 };
        void *blocks[MANY];

        (void) arg;
        refuses = true;
        for (int i = 0; i < MANY; i++)
                CHECK((blocks[i] = bly_alloc(8)) != NULL);
        for (int i = 0; i < MANY; i++)
                bly_free(blocks[i]);
        refuses = false;
        return 0;
}

/* ---- descriptors ---- */

struct balance {
        struct bly_balance counts;
        uint64_t beyond[16];
};

static void take(struct balance *balance, int beyond) {
        memset(balance, beyond, sizeof(*balance));
        bly_balance_take(&balance->counts);
        for (size_t i = 0; i < ARRAY_SIZE(balance->beyond); i++)
                CHECK(balance->beyond[i] == (beyond != 0 ? UINT64_MAX : 0));
}

static size_t count_open(int most) {
        size_t count = 0;

        for (int fd = 0; fd < most; fd++)
                count += fcntl(fd, F_GETFD) >= 0;
        return count;
}

/* Checks the complaint about descriptors that were opened between the two counts. */
static void complains(const struct balance *before, const struct balance *after, const char *text) {
        char line[1000];
        unsigned cursor = 1;

        CHECK(bly_balance_tilted(&before->counts, &after->counts));
        CHECK(bly_balance_next(&before->counts, &after->counts, &cursor, line, sizeof(line)));
        CHECK_STR(line, text);
        CHECK(!bly_balance_next(&before->counts, &after->counts, &cursor, line, sizeof(line)));
}

static void opened_at(int fd, const char *path, const char *shown) {
        static struct balance before, after;
        int file = open(path, O_RDONLY);
        char text[600];

        CHECK(file >= 0 && file != fd);
        close(fd);
        take(&before, 0);
        CHECK_EQ(dup2(file, fd), fd);
        take(&after, 0xff);
        CHECK_EQ(after.counts.descriptors, before.counts.descriptors + 1);
        /* A checker has descriptors of its own. */
        CHECK(is_checked() || after.counts.descriptors == count_open(2048));
        if (shown == NULL)
                snprintf(text, sizeof(text), "open descriptors: 1 more");
        else
                snprintf(text, sizeof(text), "open descriptors: 1 more, among them %d (%s)", fd,
                         shown);
        complains(&before, &after, text);
        close(fd);
        close(file);
        take(&after, 0);
        CHECK_EQ(after.counts.descriptors, before.counts.descriptors - 1);
        CHECK(!bly_balance_tilted(&before.counts, &after.counts));
}

/* Only the beginning of a long name is shown. */
static void long_name(void) {
        char directory[400] = "/tmp/belay-balance-XXXXXX", path[800], shown[256];

        CHECK(mkdtemp(directory) != NULL);
        snprintf(path, sizeof(path), "%s/%0200d", directory, 0);
        CHECK_EQ(mkdir(path, 0700), 0);
        snprintf(path + strlen(path), sizeof(path) - strlen(path), "/%0100d", 0);
        close(open(path, O_CREAT | O_RDWR, 0600));
        snprintf(shown, sizeof(shown), "%.255s", path);
        opened_at(70, path, shown);
        CHECK_EQ(unlink(path), 0);
        *strrchr(path, '/') = '\0';
        CHECK_EQ(rmdir(path), 0);
        CHECK_EQ(rmdir(directory), 0);
}

static void descriptors(void) {
        struct rlimit limit;
        int spare;

        opened_at(64, "/dev/null", "/dev/null");
        opened_at(200, "/dev/null", "/dev/null");
        opened_at(99, "/", "/");
        spare = dup(0);
        opened_at(0, "/dev/null", "/dev/null");
        if (spare >= 0) {
                CHECK_EQ(dup2(spare, 0), 0);
                close(spare);
        }
        long_name();
        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
        if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > 1100) {
                limit.rlim_cur = 1100;
                CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
                opened_at(1023, "/dev/null", "/dev/null");
                /* This one is counted, and too large to be named. */
                opened_at(1024, "/dev/null", NULL);
        }
}

/* Without a descriptor for /proc/self/fd, the descriptors that have names are counted. */
static int all_in_use(void *arg) {
        static struct balance before, after;
        struct rlimit limit;
        int fd, last = 0;
        bool is_large = false;

        (void) arg;
        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
        if (limit.rlim_max == RLIM_INFINITY || limit.rlim_max > 1100) {
                limit.rlim_cur = 1100;
                CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
                is_large = dup2(2, 1024) == 1024;
        }
        limit.rlim_cur = 100;
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
        while ((fd = dup(2)) >= 0)
                last = fd;
        CHECK_EQ(errno, EMFILE);
        take(&after, 0);
        CHECK(is_checked() || after.counts.descriptors == count_open(1024));
        close(last);
        close(0);
        CHECK_EQ(fcntl(2, F_DUPFD_CLOEXEC, 0), 0);
        CHECK_EQ(dup(2), last);
        take(&before, 0);
        CHECK_EQ(before.counts.descriptors, after.counts.descriptors);
        CHECK_EQ(before.counts.open[0] & 7, 7);
        if (is_large)
                close(1024);
        return 0;
}

/* ---- the comparison ---- */

static const char *difference(struct bly_balance before, struct bly_balance after) {
        static char text[512];
        char more[512];
        unsigned cursor = 0;

        text[0] = '\0';
        if (bly_balance_next(&before, &after, &cursor, text, sizeof(text)))
                CHECK(!bly_balance_next(&before, &after, &cursor, more, sizeof(more)));
        CHECK_EQ(bly_balance_tilted(&before, &after), text[0] != '\0');
        return text;
}

#define DIFFERENCE(...) \
        difference((struct bly_balance) { 5, 100, 7, 3, { 0 } }, (struct bly_balance) __VA_ARGS__)

static void comparison(void) {
        CHECK_STR(DIFFERENCE({ 5, 100, 7, 3, { 0 } }), "");
        CHECK_STR(DIFFERENCE({ 4, 99, 6, 2, { 0 } }), "");
        CHECK_STR(DIFFERENCE({ 6, 102, 7, 3, { 0 } }),
                  "memory was not given back: 2 bytes in 1 blocks");
        CHECK_STR(DIFFERENCE({ 6, 100, 7, 3, { 0 } }),
                  "memory was not given back: 0 bytes in 1 blocks");
        CHECK_STR(DIFFERENCE({ 6, 90, 7, 3, { 0 } }),
                  "memory was not given back: -10 bytes in 1 blocks");
        CHECK_STR(DIFFERENCE({ 5, 101, 7, 3, { 0 } }),
                  "memory was not given back: 1 bytes in 0 blocks");
        CHECK_STR(DIFFERENCE({ 3, 101, 7, 3, { 0 } }),
                  "memory was not given back: 1 bytes in -2 blocks");
        CHECK_STR(DIFFERENCE({ 5, 100, 9, 3, { 0 } }), "open descriptors: 2 more");
        CHECK_STR(DIFFERENCE({ 5, 100, 7, 5, { 0 } }), "locks are still held: 2 more");
}

int main(void) {
        struct child child;

        addresses();
        if (was_called) {
                scarce();
                CHECK_EQ(belay_everywhere(too_many_blocks, NULL, NULL), -ENOMEM);
        }
        CHECK_EQ(bly_balance_begin(), 0);
        descriptors();
        CHECK_EQ(bly_balance_end(), 0);
        in_child(&child, all_in_use, NULL);
        CHECK_CHILD(&child, 0);
        comparison();
        return 0;
}
