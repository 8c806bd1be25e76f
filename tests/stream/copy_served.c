/* SPDX-License-Identifier: MIT */
/*
 * Copies that the loop continues while their tasks sleep. The tasks must stay asleep, the bytes
 * arrive in order, and no more are copied than requested. Bytes for which there is no room or no
 * memory are kept.
 */
#include "stream/served.h"

/* ---- all sizes ---- */

static void sizes(enum shape shape) {
        static const size_t large[] = { PIECE - 1, PIECE,         PIECE + 1, 3 * PIECE - 1,
                                        3 * PIECE, 3 * PIECE + 1, MUCH };
        struct way way = open_way(shape);
        uint64_t all = 0;
        struct copy copy;
        belay_time since = 0;

        for (size_t again = 0, size; again < 300; again++, all += size) {
                size = again < 100 ? again + 1 : 1 + (size_t) random_below(4000);
                if (again == 0)
                        since = start_and_sleep(&copy, &way, -1);
                pass(&way, size, all);
                /* There is always room for such small pieces, so the task is not woken. */
                CHECK_EQ(asleep_since(&copy), since);
        }
        for (size_t i = 0; i < sizeof(large) / sizeof(*large); all += large[i++])
                pass(&way, large[i], all);
        /* Afterwards, the task stays asleep again. */
        settle();
        since = asleep_since(&copy);
        pass(&way, 1, all++);
        CHECK_EQ(asleep_since(&copy), since);
        CHECK_EQ(belay_half_close(way.in), 0);
        ends(&copy, 0, (int64_t) all);
        CHECK(belay_received(way.from) == all && belay_sent(way.to) == all);
        CHECK(!belay_is_cut(way.to));
        close_way(&way);
}

/*
 * A descriptor that is sent with the bytes ends a read, although more bytes follow. The kernel
 * reports no further event for them.
 */
static void border(void) {
        union {
                struct cmsghdr header;
                char room[CMSG_SPACE(sizeof(int))];
        } control = {
                .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
                            .cmsg_level = SOL_SOCKET,
                            .cmsg_type = SCM_RIGHTS },
        };
        char data[10];
        struct iovec part = { data, sizeof(data) };
        struct msghdr message = { .msg_iov = &part,
                                  .msg_iovlen = 1,
                                  .msg_control = &control,
                                  .msg_controllen = sizeof(control.room) };
        struct way way = open_way(PAIR_ON);
        int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
        struct copy copy;

        start_and_sleep(&copy, &way, 20);
        fill(data, sizeof(data), 0);
        memcpy(CMSG_DATA(&control.header), &null, sizeof(null));
        CHECK_EQ(sendmsg(belay_stream_fd(way.in), &message, 0), 10);
        put(&way, 10, 10);
        ends(&copy, 0, 20);
        is_at(way.out, 20, 0);
        close(null);
        close_way(&way);
}

static void many(void) {
        enum { WAYS = 200, ROUNDS = 20 };
        static struct way ways[WAYS];
        static struct copy copies[WAYS];
        static belay_time since[WAYS];

        for (int i = 0; i < WAYS; i++) {
                ways[i] = open_way(i % 2 ? TCP_BACK : PAIR_BACK);
                since[i] = start_and_sleep(&copies[i], &ways[i], ROUNDS * 100 + 1);
        }
        for (int round = 0; round < ROUNDS; round++) {
                for (int i = 0; i < WAYS; i++)
                        put(&ways[i], 100, (uint64_t) (i + round * 100));
                for (int i = 0; i < WAYS; i++)
                        is_at(ways[i].out, 100, (uint64_t) (i + round * 100));
        }
        for (int i = 0; i < WAYS; i++) {
                CHECK_EQ(asleep_since(&copies[i]), since[i]);
                put(&ways[i], 2, 0);
                ends(&copies[i], 0, ROUNDS * 100 + 1);
                is_at(ways[i].from, 1, 1);
                close_way(&ways[i]);
        }
}

/* ---- a number of bytes ---- */

static void bound(enum shape shape) {
        struct way way = open_way(shape);
        struct copy copy;
        belay_time since = start_and_sleep(&copy, &way, 1000);

        put(&way, 700, 0);
        is_at(way.out, 700, 0);
        CHECK_EQ(asleep_since(&copy), since);
        put(&way, 700, 700);
        ends(&copy, 0, 1000);
        CHECK(belay_received(way.from) == 1000 && belay_sent(way.to) == 1000);
        /* The bytes beyond the bound are available to a read and to the next copy. */
        is_at(way.from, 100, 1000);
        start(&copy, &way, 300);
        ends(&copy, 0, 300);
        /*
         * The bound lies at the end of a piece, and then in the middle of the second of two pieces
         * that arrive together.
         */
        start_and_sleep(&copy, &way, 100);
        put(&way, 100, 1400);
        ends(&copy, 0, 100);
        start_and_sleep(&copy, &way, PIECE + 10);
        for (uint64_t at = 0; at < PIECE + 200; at += 200)
                put(&way, 200, 1500 + at);
        ends(&copy, 0, PIECE + 10);
        is_at(way.from, 254, 1500 + PIECE + 10);
        is_at(way.out, 300, 700);
        is_at(way.out, 400, 1100);
        close_way(&way);
}

/* Bytes that arrive while no task waits are found by a read and by the next copy. */
static void announced(enum shape shape) {
        struct way way = open_way(shape);
        char buffer[100];
        struct copy copy;

        for (uint64_t i = 0; i < 3; i++) {
                start(&copy, &way, -1);
                put(&way, 10, 20 * i);
                is_at(way.out, 10, 20 * i);
                CHECK(belay_cancel(copy.task, NULL));
                ends(&copy, -ECANCELED, 10);
                put(&way, 10, 20 * i + 10);
                settle();
                if (i == 1) {
                        start(&copy, &way, 10);
                        ends(&copy, 0, 10);
                        is_at(way.out, 10, 20 * i + 10);
                        continue;
                }
                CHECK_EQ(belay_read(way.from, buffer, sizeof(buffer)), 10);
                CHECK(is_filled(buffer, 10, 20 * i + 10));
        }
        close_way(&way);
}

/* ---- no room ---- */

static void full(enum shape shape) {
        enum { SIZE = 4 << 20 }; /* more bytes than there is room for on the way */
        struct way way = open_way(shape);
        char *data = malloc(SIZE), *buffer = malloc(SIZE);
        struct once writer = { .stream = way.in, .data = data, .size = SIZE };
        belay_stream *four[] = { way.in, way.from, way.to, way.out };
        belay_task *task;
        struct copy copy;
        int64_t all;
        int room = PIECE;

        CHECK(data != NULL && buffer != NULL);
        for (int i = 0; i < 4; i++) {
                CHECK_EQ(setsockopt(belay_stream_fd(four[i]), SOL_SOCKET, SO_SNDBUF, &room,
                                    sizeof(room)),
                         0);
                CHECK_EQ(setsockopt(belay_stream_fd(four[i]), SOL_SOCKET, SO_RCVBUF, &room,
                                    sizeof(room)),
                         0);
        }
        fill(data, SIZE, 0);
        start_and_sleep(&copy, &way, -1);
        task = must(belay_spawn(write_once, &writer));
        /* Other tasks run meanwhile. */
        for (int i = 0; i < 20; i++)
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK(!writer.done && !belay_done(copy.task));
        CHECK(belay_cancel(copy.task, NULL));
        all = (int64_t) belay_sent(way.to);
        ends(&copy, -ECANCELED, all);
        CHECK(all < SIZE && belay_received(way.from) == (uint64_t) all
              && belay_buffered(way.from) > 0);
        start(&copy, &way, -1);
        CHECK_EQ(belay_read_exactly(way.out, buffer, SIZE), SIZE);
        CHECK(memcmp(data, buffer, SIZE) == 0);
        join_task(task, 0);
        settle();
        asleep_since(&copy);
        CHECK_EQ(belay_half_close(way.in), 0);
        ends(&copy, 0, SIZE - all);
        close_way(&way);
        free(data);
        free(buffer);
}

/*
 * Two copies sleep and share one buffer. The copy whose source is read first takes it, and the
 * other one fails.
 */
static void no_memory(enum shape shape) {
        struct way way = open_way(shape), other = open_way(PAIR_ON);
        char zeros[4096] = "";
        struct copy copy, first;
        belay_timeout limit;
        belay_time since;
        ssize_t rc = 1;

        while (rc > 0) {
                belay_timeout_enter(&limit, 0);
                rc = belay_timeout_leave(&limit,
                                         (int) belay_write_some(other.to, zeros, sizeof(zeros)));
        }
        CHECK_EQ(rc, -ETIMEDOUT);
        start_and_sleep(&first, &other, -1);
        start_and_sleep(&copy, &way, -1);
        put(&way, 100, 0);
        is_at(way.out, 100, 0);
        refused_from = PIECE;
        put(&other, 100, 0);
        settle();
        put(&way, 100, 100);
        ends(&copy, -ENOMEM, 100);
        start(&copy, &way, -1);
        ends(&copy, -ENOMEM, 0);
        refused_from = 0;
        start(&copy, &way, -1);
        is_at(way.out, 100, 100);
        since = asleep_since(&copy);
        put(&way, 100, 200);
        is_at(way.out, 100, 200);
        CHECK_EQ(asleep_since(&copy), since);
        belay_cancel(copy.task, NULL);
        ends(&copy, -ECANCELED, 200);
        belay_cancel(first.task, NULL);
        ends(&first, -ECANCELED, 0);
        is_at(other.from, 100, 0);
        close_way(&way);
        close_way(&other);
}

/*
 * Under a virtual clock the loop does not continue copies. Each piece is a wait of its own, so that
 * a copy can be cancelled between any two pieces.
 */
static int by_turns(void *arg) {
        struct way way = open_way(PAIR_BACK);
        struct copy copy;
        belay_time since;

        (void) arg;
        since = start_and_sleep(&copy, &way, -1);
        settle();
        put(&way, 1, 0);
        settle();
        is_at(way.out, 1, 0);
        CHECK(asleep_since(&copy) > since);
        belay_cancel(copy.task, NULL);
        ends(&copy, -ECANCELED, 1);
        close_way(&way);
        return 0;
}

static int app(void *arg) {
        (void) arg;
        for (enum shape shape = 0; shape < SHAPES; shape++) {
                sizes(shape);
                bound(shape);
                announced(shape);
                full(shape);
                no_memory(shape);
        }
        many();
        border();
        /*
         * No task waits for a descriptor any more, and the loop knows that: it reports the
         * deadlock.
         */
        keep_lines();
        CHECK_EQ(belay_sleep(BELAY_NEVER), -EDEADLK);
        return 0;
}

int main(void) {
        belay_set_memory(scarce_memory, NULL);
        run_served(app);
        CHECK_EQ(belay_run_with(by_turns, NULL,
                                BELAY_OPTIONS(belay_loop_options, .backend = BELAY_BACKEND_EPOLL,
                                              .clock = BELAY_CLOCK_VIRTUAL)),
                 0);
        return 0;
}
