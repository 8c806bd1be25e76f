/* SPDX-License-Identifier: MIT */
/*
 * Fairness, measured in turns and not in time. Of 1000 connections that always have data, none
 * waits much longer than the others. A task that never has to wait lets the others have their
 * turns.
 */
#define _GNU_SOURCE
#include "io/back_ends.h"
#include "plain.h"

/* ---- 1000 busy connections ---- */

enum { CONNECTIONS = 1000, ROUNDS = 150 };

struct connection {
        belay_stream *stream;
        int other;
        unsigned long latest;  /* number of its latest read among all reads */
        unsigned long longest; /* most reads of others between two of its own */
        unsigned reads;
};

static struct connection connections[CONNECTIONS];
static unsigned long reads;
/* all waits, except those in which no other connection had a turn */
static unsigned long waits[CONNECTIONS * ROUNDS];
static size_t wait_count;
static bool over;

static void note(struct connection *connection) {
        unsigned long between = ++reads - connection->latest - 1;

        if (connection->latest > 0 && between > 0) {
                CHECK(wait_count < CONNECTIONS * ROUNDS);
                waits[wait_count++] = between;
                if (between > connection->longest)
                        connection->longest = between;
        }
        connection->latest = reads;
        if (++connection->reads == ROUNDS)
                over = true;
}

static int is_busy(void *arg) {
        struct connection *self = arg;
        char block[64];

        while (!over) {
                CHECK_EQ(belay_read(self->stream, block, sizeof(block)), sizeof(block));
                note(self);
                CHECK_EQ(send(self->other, block, sizeof(block), MSG_DONTWAIT), sizeof(block));
        }
        return 0;
}

static int compare(const void *one, const void *other) {
        unsigned long a = *(const unsigned long *) one, b = *(const unsigned long *) other;

        return a < b ? -1 : a > b;
}

static unsigned long median(unsigned long *values, size_t count) {
        CHECK(count > 0);
        qsort(values, count, sizeof(*values), compare);
        return values[count / 2];
}

static void check_fair(void) {
        unsigned long longest[CONNECTIONS], middle = median(waits, wait_count), most = 0;

        for (int i = 0; i < CONNECTIONS; i++) {
                /*
                 * A connection with fewer than two reads has waited for all reads since its latest.
                 */
                if (connections[i].reads < 2
                    || reads - connections[i].latest > connections[i].longest)
                        connections[i].longest = reads - connections[i].latest;
                longest[i] = connections[i].longest;
                if (longest[i] > most)
                        most = longest[i];
        }
        printf("%lu reads: waits of %lu (median), longest waits of %lu (median), %lu (most)\n",
               reads, middle, median(longest, CONNECTIONS), most);
        CHECK(most <= 10 * middle);
        CHECK(most <= 10 * median(longest, CONNECTIONS));
}

static int busy_ones(void *arg) {
        char block[64] = { 0 };
        belay_group group;

        (void) arg;
        reads = 0;
        wait_count = 0;
        over = false;
        CHECK_EQ(belay_group_enter(&group), 0);
        for (int i = 0; i < CONNECTIONS; i++) {
                int ends[2];

                CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
                connections[i] = (struct connection) { .other = ends[1] };
                CHECK_EQ(belay_stream_open_fd(&connections[i].stream, ends[0], NULL), 0);
                /* Some have more data than others, but all have enough. */
                for (int j = 0; j <= i % 5; j++)
                        CHECK_EQ(write(ends[1], block, sizeof(block)), sizeof(block));
                CHECK_EQ(belay_group_spawn(&group, is_busy, &connections[i]), 0);
        }
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        check_fair();
        for (int i = 0; i < CONNECTIONS; i++) {
                CHECK_EQ(belay_close(connections[i].stream, 0), 0);
                close(connections[i].other);
        }
        return 0;
}

static bool have_descriptors(rlim_t count) {
        struct rlimit limit;

        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
        if (limit.rlim_cur >= count)
                return true;
        limit.rlim_cur = limit.rlim_max < count ? limit.rlim_max : count;
        return setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= count;
}

/* ---- a task that never has to wait ---- */

/* The calls that the task repeats, none of which has to wait. */
enum hog { READS, READS_A_DEVICE, WRITES, COPIES, WAITS, HOGS };

static const char *const hog_names[] = { "reads", "reads a device", "writes", "copies", "waits" };

struct pen {
        enum hog hog;
        /* virtual clock: the loop polls at each turn, and otherwise when time has passed */
        bool is_virtual;
        unsigned long steps; /* calls that the task has made */
        bool over;
        int result;
};

static belay_stream *open_device(const char *path) {
        belay_stream *stream;
        int fd = open(path, O_RDWR | O_CLOEXEC);

        CHECK(fd >= 0);
        CHECK_EQ(belay_stream_open_fd(&stream, fd, NULL), 0);
        return stream;
}

static int hogs(void *arg) {
        const belay_stream_options *keep = BELAY_OPTIONS(belay_stream_options, .keep_open = true);
        struct pen *pen = arg;
        belay_stream *from = NULL, *to = NULL;
        char block[256] = { 0 };
        int ends[2];
        ssize_t rc = 1;

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        CHECK_EQ(write(ends[1], block, sizeof(block)), sizeof(block));
        if (pen->hog == READS)
                CHECK_EQ(belay_stream_open_fd(&from, ends[0], keep), 0);
        if (pen->hog == READS_A_DEVICE || pen->hog == COPIES)
                from = open_device("/dev/zero");
        if (pen->hog == WRITES || pen->hog == COPIES)
                to = open_device("/dev/null");
        while (!pen->over && rc > 0) {
                switch (pen->hog) {
                case READS:
                        rc = belay_read(from, block, sizeof(block));
                        if (rc > 0)
                                CHECK_EQ(write(ends[1], block, (size_t) rc), rc);
                        break;
                case READS_A_DEVICE:
                        rc = belay_read(from, block, sizeof(block));
                        break;
                case WRITES:
                        rc = belay_write(to, block, sizeof(block));
                        break;
                case COPIES:
                        rc = belay_copy(to, from, -1, NULL);
                        break;
                default:
                        rc = belay_wait_fd(ends[0], BELAY_READABLE);
                        break;
                }
                pen->steps++;
        }
        CHECK_EQ(belay_close(from, 0), 0);
        CHECK_EQ(belay_close(to, 0), 0);
        close(ends[0]);
        close(ends[1]);
        pen->result = (int) rc;
        return 0;
}

enum { QUIET_ROUNDS = 200, STEPS_MOST = 400 };

/* Between the arrival of a byte and its read, the hog makes at most STEPS_MOST calls. */
static int is_quiet(void *arg) {
        struct pen *pen = arg;
        unsigned long begin, most = 0;
        belay_stream *stream;
        int ends[2];
        char byte;

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        CHECK_EQ(belay_stream_open_fd(&stream, ends[0], NULL), 0);
        for (int i = 0; i < QUIET_ROUNDS; i++) {
                CHECK_EQ(write(ends[1], "x", 1), 1);
                begin = pen->steps;
                CHECK_EQ(belay_read(stream, &byte, 1), 1);
                if (pen->steps - begin > most)
                        most = pen->steps - begin;
                CHECK_EQ(belay_yield(), 0);
        }
        CHECK(pen->hog == COPIES || pen->steps > 0);
        CHECK(!pen->is_virtual || most <= STEPS_MOST);
        CHECK_EQ(belay_close(stream, 0), 0);
        close(ends[1]);
        return 0;
}

/* Another task writes each byte, so the reader must wait for it. */
static int answers(void *arg) {
        int fd = *(int *) arg;
        char byte;

        for (int i = 0; i < QUIET_ROUNDS; i++) {
                CHECK_EQ(belay_wait_fd(fd, BELAY_READABLE), BELAY_READABLE);
                CHECK_EQ(read(fd, &byte, 1), 1);
                CHECK_EQ(write(fd, &byte, 1), 1);
        }
        return 0;
}

static int talks(void *arg) {
        belay_stream *stream;
        int ends[2];
        belay_task *task;
        char byte = 'x';

        (void) arg;
        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        CHECK_EQ(belay_stream_open_fd(&stream, ends[0], NULL), 0);
        task = must(belay_spawn(answers, &ends[1]));
        for (int i = 0; i < QUIET_ROUNDS; i++) {
                CHECK_EQ(belay_write(stream, &byte, 1), 1);
                CHECK_EQ(belay_read(stream, &byte, 1), 1);
        }
        end_of(task, 0);
        CHECK_EQ(belay_close(stream, 0), 0);
        close(ends[1]);
        return 0;
}

static int beside_a_hog(void *arg) {
        struct pen *pen = arg;
        belay_task *task = must(belay_spawn(hogs, pen)), *quiet[6];

        for (int i = 0; i < 6; i++)
                quiet[i] = must(i < 3 ? belay_spawn(is_quiet, pen) : belay_spawn(talks, NULL));
        for (int i = 0; i < 6; i++)
                end_of(quiet[i], 0);
        /* The task can be cancelled, too. */
        CHECK(belay_cancel(task, NULL));
        end_of(task, 0);
        CHECK_EQ(pen->result, -ECANCELED);
        return 0;
}

/* ---- */

static void all(void) {
        if (have_descriptors(2 * CONNECTIONS + 50)) {
                CHECK_EQ(belay_run(busy_ones, NULL), 0);
                RUN_VIRTUAL(busy_ones);
        }
        for (int hog = 0; hog < HOGS; hog++)
                for (int is_virtual = 0; is_virtual < 2; is_virtual++) {
                        struct pen pen = { .hog = (enum hog) hog, .is_virtual = is_virtual };

                        printf("one that %s\n", hog_names[hog]);
                        CHECK_EQ(belay_run_with(beside_a_hog, &pen, is_virtual ? VIRTUAL : NULL),
                                 0);
                }
}

int main(void) {
        on_back_ends(all);
        if (!have_descriptors(2 * CONNECTIONS + 50))
                SKIP("a thousand connections need more descriptors than there may be");
        return 0;
}
