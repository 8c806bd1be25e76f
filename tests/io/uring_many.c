/* SPDX-License-Identifier: MIT */
/*
 * Thousands of operations and waits at once: more than the ring has entries, and more completions
 * than its queue has room for. Each completion is reported exactly once. A round of many operations
 * takes no more system calls than a round of few.
 */
#define _GNU_SOURCE
#include "ring.h"

#ifdef BLY_HAVE_URING

enum { MANY = 6000 };

static int zero, done;

/* ---- all begin at once and complete at once ---- */

static int reads_zero(void *arg) {
        char byte = 1;
        struct bly_op op = {
                .kind = BLY_OP_READ, .fd = zero, .address = &byte, .length = 1, .offset = -1
        };

        (void) arg;
        CHECK_EQ(perform(op), 1);
        CHECK_EQ(byte, 0);
        done++;
        return 0;
}

static void at_once(void) {
        belay_group group;

        zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        belay_group_enter(&group);
        for (int i = 0; i < MANY; i++)
                CHECK_EQ(belay_group_spawn(&group, reads_zero, NULL), 0);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        CHECK_EQ(done, MANY);
        CHECK_EQ(close(zero), 0);
}

/* ---- all begin at once and are cancelled at once ---- */

static int fds[2];

static int receives(void *arg) {
        char byte;
        int rc = (int) receive(fds[0], &byte, 1);

        (void) arg;
        done += rc == 1;
        return rc == 1 ? 0 : rc;
}

static int waits(void *arg) {
        (void) arg;
        return belay_wait_fd(fds[0], BELAY_READABLE);
}

static void ended(belay_fn *fn, bool handed_in) {
        belay_group group;

        done = 0;
        make_pair(fds);
        belay_group_enter(&group);
        for (int i = 0; i < MANY; i++)
                CHECK_EQ(belay_group_spawn(&group, fn, NULL), 0);
        CHECK_EQ(belay_yield(), 0);
        if (handed_in)
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        if (fn == receives) {
                say(fds[1], "abcdefghij");
                while (done < 10)
                        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        }
        belay_group_cancel(&group);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        CHECK_EQ(done, fn == receives ? 10 : 0);
        CHECK_EQ(the_io()->waiting, 0);
        close_pair(fds);
}

/* ---- few system calls for many operations ---- */

enum { PAIRS = 50, ROUNDS = 100 };

static int pairs[PAIRS][2];
static unsigned waited;
static struct bly_backend counted;

static void wait_and_count(struct bly_io *io, belay_time span) {
        waited++;
        bly_uring_backend.wait(io, span);
}

static ssize_t transfer(int fd, enum bly_op_kind kind, void *address, size_t size) {
        struct iovec part = { .iov_base = address, .iov_len = size };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

        if (kind == BLY_OP_RECEIVE)
                return receive(fd, address, size);
        return perform((struct bly_op) {
                .kind = kind, .fd = fd, .address = &message, .flags = MSG_NOSIGNAL });
}

static int serves(void *arg) {
        int fd = *(int *) arg;
        char byte;

        while (transfer(fd, BLY_OP_RECEIVE, &byte, 1) == 1)
                CHECK_EQ(transfer(fd, BLY_OP_SEND_MESSAGE, &byte, 1), 1);
        return 0;
}

static int asks(void *arg) {
        int fd = *(int *) arg;

        for (int i = 0; i < ROUNDS; i++) {
                char byte = (char) i;

                CHECK_EQ(transfer(fd, BLY_OP_SEND_MESSAGE, &byte, 1), 1);
                CHECK_EQ(transfer(fd, BLY_OP_RECEIVE, &byte, 1), 1);
                CHECK_EQ(byte, (char) i);
        }
        CHECK_EQ(shutdown(fd, SHUT_WR), 0);
        return 0;
}

/*
 * Both peers are in this process. A round trip therefore consists of four operations: it is sent,
 * received, answered, and the answer is received.
 */
static void few_calls(void) {
        belay_group group;

        counted = bly_uring_backend;
        counted.wait = wait_and_count;
        the_io()->backend = &counted;
        belay_group_enter(&group);
        for (int i = 0; i < PAIRS; i++) {
                make_pair(pairs[i]);
                CHECK_EQ(belay_group_spawn(&group, serves, &pairs[i][0]), 0);
                CHECK_EQ(belay_group_spawn(&group, asks, &pairs[i][1]), 0);
        }
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        the_io()->backend = &bly_uring_backend;
        for (int i = 0; i < PAIRS; i++)
                close_pair(pairs[i]);
        if (!is_checked() && waited > PAIRS * ROUNDS / 5) {
                fprintf(stderr, "%u waits for %d requests\n", waited, PAIRS * ROUNDS);
                CHECK(false);
        }
}

static int app(void *arg) {
        struct bly_uring *ring = the_io()->state;
        int before = count_open();

        (void) arg;
        at_once();
        ended(receives, false);
        ended(receives, true);
        ended(waits, false);
        ended(waits, true);
        CHECK_EQ(ring->going_on, 0);
        CHECK_EQ(ring->to_stop, 0);
        few_calls();
        CHECK_EQ(count_open(), before);
        return 0;
}

int main(void) {
        run_with_ring(app);
        return 0;
}

#endif
