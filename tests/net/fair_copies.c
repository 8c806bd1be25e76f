/* SPDX-License-Identifier: MIT */
/*
 * Fairness of copies, measured in turns and not in time. Of 1000 copies that always have data and
 * room, none waits much longer than the others. A task that sleeps gets its turn among them.
 *
 * The test replaces recv() and send(). They put the data that the library reads back into the
 * source, and drain the data that it writes.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "plain.h"

enum { COPIES = 1000, ROUNDS = 400, PIECE = 64, DESCRIPTORS = 6 * COPIES };

struct one {
        belay_stream *from, *to;
        int source, sink; /* peers of `from` and `to` */
        /* number of its latest read among all reads; most reads of others between two of its own */
        unsigned long latest, longest;
        unsigned reads;
};

static struct one copies[COPIES];
static struct one *reader_of[DESCRIPTORS], *writer_of[DESCRIPTORS];
static unsigned long reads, waits[COPIES * ROUNDS];
static size_t wait_count;
static bool over;

static void note(struct one *one) {
        unsigned long between = ++reads - one->latest - 1;

        if (one->latest > 0 && between > 0) {
                CHECK(wait_count < COPIES * ROUNDS);
                waits[wait_count++] = between;
                if (between > one->longest)
                        one->longest = between;
        }
        one->latest = reads;
        if (++one->reads >= ROUNDS)
                over = true;
}

ssize_t recv(int fd, void *buffer, size_t size, int flags) {
        struct one *one = reader_of[fd];
        ssize_t rc = syscall(SYS_recvfrom, fd, buffer, size, flags, NULL, NULL);

        if (one == NULL || rc <= 0)
                return rc;
        note(one);
        if (!over)
                CHECK_EQ(write(one->source, buffer, (size_t) rc), rc);
        return rc;
}

ssize_t send(int fd, const void *data, size_t size, int flags) {
        struct one *one = writer_of[fd];
        ssize_t rc = syscall(SYS_sendto, fd, data, size, flags, NULL, 0);
        char taken[16 * PIECE];

        if (one != NULL && rc > 0)
                CHECK_EQ(read(one->sink, taken, sizeof(taken)), rc);
        return rc;
}

static int copy(void *arg) {
        struct one *one = arg;

        return belay_copy(one->to, one->from, -1, NULL);
}

static belay_stream *open_pair(int *other, struct one **table, struct one *one) {
        belay_stream *stream;
        int ends[2];

        CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        CHECK(ends[0] < DESCRIPTORS && ends[1] < DESCRIPTORS);
        CHECK_EQ(belay_stream_open_fd(&stream, ends[0], NULL), 0);
        table[ends[0]] = one;
        *other = ends[1];
        return stream;
}

static int compare(const void *one, const void *other) {
        unsigned long a = *(const unsigned long *) one, b = *(const unsigned long *) other;

        return a < b ? -1 : a > b;
}

static void check_fair(unsigned naps) {
        unsigned long most = 0, middle;

        for (int i = 0; i < COPIES; i++) {
                /* A copy with fewer than two reads has waited for all reads since its latest. */
                if (copies[i].reads < 2 || reads - copies[i].latest > copies[i].longest)
                        copies[i].longest = reads - copies[i].latest;
                if (copies[i].longest > most)
                        most = copies[i].longest;
        }
        CHECK(wait_count > 0);
        qsort(waits, wait_count, sizeof(*waits), compare);
        middle = waits[wait_count / 2];
        printf("%lu reads: waits of %lu (median), %lu (most); %u naps\n", reads, middle, most,
               naps);
        CHECK(most <= 10 * middle);
        CHECK(naps > 0);
}

static int app(void *arg) {
        char piece[PIECE] = { 0 };
        unsigned naps = 0;
        belay_group group;

        (void) arg;
        belay_group_enter(&group);
        for (int i = 0; i < COPIES; i++) {
                struct one *one = &copies[i];

                one->from = open_pair(&one->source, reader_of, one);
                one->to = open_pair(&one->sink, writer_of, one);
                CHECK_EQ(belay_group_spawn(&group, copy, one), 0);
        }
        /* The copies sleep before there is data. */
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        for (int i = 0; i < COPIES; i++)
                for (int pieces = 0; pieces <= i % 5; pieces++)
                        CHECK_EQ(write(copies[i].source, piece, sizeof(piece)), sizeof(piece));
        for (; !over; naps++)
                CHECK_EQ(belay_sleep(100 * BELAY_MICROSECOND), 0);
        check_fair(naps);
        belay_group_cancel(&group);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        for (int i = 0; i < COPIES; i++) {
                belay_abort(copies[i].from);
                belay_abort(copies[i].to);
                close(copies[i].source);
                close(copies[i].sink);
        }
        return 0;
}

int main(void) {
        struct rlimit limit;

        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
        if (limit.rlim_max < DESCRIPTORS) {
                printf("not so many descriptors here\n");
                return 77;
        }
        limit.rlim_cur = DESCRIPTORS;
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
        CHECK_EQ(belay_run_with(app, NULL,
                                BELAY_OPTIONS(belay_loop_options, .backend = BELAY_BACKEND_EPOLL)),
                 0);
        return 0;
}
