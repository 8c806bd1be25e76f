/* SPDX-License-Identifier: MIT */
/*
 * Copies that the loop continues: how they end, by the end of the source, by errors, by a close and
 * by cancellation. No other task has to wait for a copy, or loses its own bytes or events to one.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

#include "stream/served.h"

/* ---- the end of the source ---- */

static void ended(enum shape shape) {
        for (size_t size = 0; size <= 900; size += 300) {
                struct way way = open_way(shape);
                struct copy copy;

                start_and_sleep(&copy, &way, -1);
                if (size > 0)
                        put(&way, size, 0);
                CHECK_EQ(belay_half_close(way.in), 0);
                ends(&copy, 0, (int64_t) size);
                is_at(way.out, size, 0);
                start(&copy, &way, -1);
                ends(&copy, 0, 0);
                close_way(&way);
        }
}

static void reset(enum shape shape) {
        struct way way = open_way(shape);
        struct linger none = { .l_onoff = 1, .l_linger = 0 };
        struct copy copy;

        /*
         * The source is reset in each of two ways. A Unix socket is reset if it is closed with
         * unread data.
         */
        start_and_sleep(&copy, &way, -1);
        put(&way, 100, 0);
        is_at(way.out, 100, 0);
        if (shape >= PAIR_BACK)
                CHECK_EQ(send(belay_stream_fd(way.from), "x", 1, 0), 1);
        else
                CHECK_EQ(setsockopt(belay_stream_fd(way.in), SOL_SOCKET, SO_LINGER, &none,
                                    sizeof(none)),
                         0);
        if (shape % 2)
                CHECK_EQ(belay_close(way.in, 0), 0);
        else
                belay_abort(way.in);
        ends(&copy, -ECONNRESET, 100);
        way.out = way.in == way.out ? NULL : way.out;
        way.in = NULL;
        close_way(&way);
        if (shape % 2 == 0)
                return;

        /* The target is reset. The next piece finds that out, and is kept. */
        way = open_way(shape);
        start_and_sleep(&copy, &way, -1);
        belay_abort(way.out);
        settle();
        asleep_since(&copy);
        put(&way, 100, 0);
        ends(&copy, shape == TCP_ON ? -ECONNRESET : -EPIPE, 0);
        is_at(way.from, 100, 0);
        start(&copy, &way, -1);
        put(&way, 10, 0);
        ends(&copy, shape == TCP_ON ? -ECONNRESET : -EPIPE, 0);
        is_at(way.from, 10, 0);
        way.out = NULL;
        close_way(&way);

        /* The target is closed gracefully. TCP reports that only after a piece has been sent. */
        way = open_way(shape);
        start_and_sleep(&copy, &way, -1);
        CHECK_EQ(belay_close(way.out, 0), 0);
        put(&way, 50, 0);
        if (shape == TCP_ON)
                settle();
        put(&way, 100, 50);
        ends(&copy, -EPIPE, shape == TCP_ON ? 50 : 0);
        is_at(way.from, 100, shape == TCP_ON ? 50 : 0);
        way.out = NULL;
        close_way(&way);
}

static void closed(enum shape shape) {
        for (int abort = 0; abort < 2; abort++) {
                struct way way = open_way(shape);
                struct copy copy;

                start_and_sleep(&copy, &way, -1);
                put(&way, 100, 0);
                is_at(way.out, 100, 0);
                if (abort)
                        belay_abort(way.from);
                else
                        CHECK_EQ(belay_close(way.from, 0), 0);
                ends(&copy, -EBADF, 100);
                way.to = way.to == way.from ? NULL : way.to;
                way.from = NULL;
                close_way(&way);
                if (shape % 2 == 0)
                        continue;
                way = open_way(shape);
                start_and_sleep(&copy, &way, -1);
                if (abort)
                        belay_abort(way.to);
                else
                        CHECK_EQ(belay_close(way.to, 0), 0);
                ends(&copy, -EBADF, 0);
                put(&way, 100, 0);
                is_at(way.from, 100, 0);
                way.to = NULL;
                close_way(&way);
        }
}

/* ---- cancelled ---- */

struct flow {
        struct way way;
        uint64_t written, read;
        bool stop;
};

static int write_by_chance(void *arg) {
        static char data[MUCH];
        struct flow *self = arg;

        while (!self->stop) {
                size_t size = 1 + (size_t) random_below(random_below(8) == 0 ? 3 * PIECE : 3000);

                fill(data, size, self->written);
                CHECK_EQ(belay_write(self->way.in, data, size), size);
                self->written += size;
                CHECK_EQ(belay_sleep(random_below(3) == 0 ? random_below(100) * BELAY_MICROSECOND
                                                          : 0),
                         0);
        }
        return belay_half_close(self->way.in);
}

static int read_all(void *arg) {
        static char buffer[PIECE];
        struct flow *self = arg;
        ssize_t size;

        while ((size = belay_read(self->way.out, buffer, sizeof(buffer))) > 0) {
                CHECK(is_filled(buffer, (size_t) size, self->read));
                self->read += (uint64_t) size;
        }
        return (int) size;
}

/* Cancelled at any moment by a request or a timeout, with or without a bound on the copy. */
static void cancelled(enum shape shape) {
        struct flow flow = { .way = open_way(shape) };
        belay_task *writer = must(belay_spawn(write_by_chance, &flow)),
                   *reader = must(belay_spawn(read_all, &flow));
        int64_t all = 0;
        struct copy copy;

        for (int again = 0; again < 400; again++) {
                int64_t most = random_below(2) ? -1 : 1 + random_below(20000);
                belay_timeout limit;

                if (again % 2) {
                        copy.most = most;
                        belay_timeout_enter(&limit, random_below(300) * BELAY_MICROSECOND);
                        copy.rc = belay_copy(flow.way.to, flow.way.from, most, &copy.copied);
                        copy.rc = belay_timeout_leave(&limit, copy.rc);
                } else {
                        start(&copy, &flow.way, most);
                        for (int i = random_below(30); i > 0; i--)
                                CHECK_EQ(belay_sleep(i % 4 == 0
                                                             ? random_below(20) * BELAY_MICROSECOND
                                                             : 0),
                                         0);
                        belay_cancel(copy.task, NULL);
                        CHECK_EQ(belay_join(copy.task, NULL), 0);
                        belay_release(copy.task);
                        if (copy.copied < 0) /* cancelled before its first step */
                                continue;
                        CHECK(copy.rc == 0 || copy.next == 0);
                }
                CHECK(copy.rc == (again % 2 ? -ETIMEDOUT : -ECANCELED)
                      || (copy.rc == 0 && copy.copied == most));
                all += copy.copied;
                CHECK(belay_sent(flow.way.to) == (uint64_t) all
                      && belay_received(flow.way.from) == (uint64_t) all);
                CHECK(!belay_is_cut(flow.way.to));
        }
        flow.stop = true;
        CHECK_EQ(belay_copy(flow.way.to, flow.way.from, -1, &copy.copied), 0);
        CHECK_EQ(all + copy.copied, flow.written);
        CHECK_EQ(belay_half_close(flow.way.to), 0);
        join_task(writer, 0);
        join_task(reader, 0);
        CHECK_EQ(flow.read, flow.written);
        close_way(&flow.way);
}

struct turn {
        int bell;
        struct copy *copy;
        uint64_t sent; /* bytes that the copy had sent when this task ran */
};

/* This task's event is reported in the same turn as that of the copy, and it runs first. */
static int cancel_at_bell(void *arg) {
        struct turn *self = arg;

        CHECK_EQ(belay_wait_fd(self->bell, BELAY_READABLE), BELAY_READABLE);
        self->sent = belay_sent(self->copy->to);
        CHECK_STR(belay_state(self->copy->task), "ready");
        CHECK(belay_cancel(self->copy->task, NULL));
        return 0;
}

/*
 * Cancellation does not discard completed work: if the copy has moved its bytes, it returns 0, and
 * the request stays pending. Otherwise it returns -ECANCELED, and no byte is lost.
 */
static void same_turn(enum shape shape) {
        struct way way = open_way(shape);
        struct turn turn = { .bell = eventfd(0, EFD_CLOEXEC) };
        struct copy copy;
        belay_task *task;

        turn.copy = &copy;
        for (int end = 0; end < 2; end++) {
                start_and_sleep(&copy, &way, end ? -1 : 100);
                task = must(belay_spawn(cancel_at_bell, &turn));
                let_run();
                CHECK_EQ(eventfd_write(turn.bell, 1), 0);
                put(&way, 100, 0);
                if (end)
                        CHECK_EQ(belay_half_close(way.in), 0);
                ends(&copy, 0, 100);
                CHECK_EQ(copy.next, -ECANCELED);
                join_task(task, 0);
                CHECK_EQ(eventfd_read(turn.bell, &(eventfd_t) { 0 }), 0);
                if (end)
                        break;
                start_and_sleep(&copy, &way, -1);
                put(&way, 100, 0);
                CHECK(belay_cancel(copy.task, NULL));
                ends(&copy, -ECANCELED, 0);
                CHECK_EQ(copy.next, 0);
                is_at(way.from, 100, 0);
        }
        close(turn.bell);
        close_way(&way);
}

/*
 * The same with more bytes than the loop copies at once, so that other tasks do not have to wait
 * for them. The bytes that are there are copied before the request is delivered.
 */
static void few_at_once(void) {
        enum { SIZE = 5 * PIECE };
        static char data[SIZE];
        struct way way = open_way(PAIR_ON);
        struct turn turn = { .bell = eventfd(0, EFD_CLOEXEC) };
        int room = 2 * SIZE;
        struct copy copy;
        belay_task *task;

        /* Requests large buffers. If the system does not allow them, this test shows nothing. */
        CHECK_EQ(setsockopt(belay_stream_fd(way.in), SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)),
                 0);
        CHECK_EQ(setsockopt(belay_stream_fd(way.to), SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)),
                 0);
        turn.copy = &copy;
        start_and_sleep(&copy, &way, -1);
        task = must(belay_spawn(cancel_at_bell, &turn));
        let_run();
        CHECK_EQ(eventfd_write(turn.bell, 1), 0);
        CHECK(belay_write_some(way.in, data, SIZE) > 0);
        join_task(task, 0);
        CHECK(turn.sent > 0 && turn.sent <= 3 * PIECE);
        join_task(copy.task, 0);
        CHECK_EQ(copy.rc, -ECANCELED);
        CHECK_EQ(copy.copied, belay_sent(way.in));
        close(turn.bell);
        close_way(&way);
}

/* ---- concurrently with other tasks ---- */

static int poll_once(void *arg) {
        const struct way *way = arg;

        return belay_wait_fd(belay_stream_fd(way->from), BELAY_READABLE);
}

/*
 * A task that waits for the same socket must not be woken for bytes that the copy has taken,
 * whichever of the two came first.
 */
static void others(enum shape shape) {
        struct way way = open_way(shape);
        struct copy copy;
        belay_task *task, *tasks[2];
        belay_time since = start_and_sleep(&copy, &way, -1);

        for (uint64_t i = 0; i < 3; i++) {
                task = must(belay_spawn(poll_once, &way));
                let_run();
                put(&way, 100, 100 * i);
                is_at(way.out, 100, 100 * i);
                let_run();
                CHECK(!belay_done(task));
                belay_cancel(task, NULL);
                join_task(task, -ECANCELED);
                CHECK_EQ(asleep_since(&copy), since);
        }
        tasks[0] = must(belay_spawn(poll_once, &way));
        let_run();
        CHECK_EQ(belay_forget_fd(belay_stream_fd(way.from)), 2);
        join_task(tasks[0], -EBADF);
        ends(&copy, -EBADF, 300);
        tasks[0] = must(belay_spawn(poll_once, &way));
        tasks[1] = must(belay_spawn(poll_once, &way));
        let_run();
        start_and_sleep(&copy, &way, -1);
        belay_cancel(tasks[1], NULL);
        join_task(tasks[1], -ECANCELED);
        /* A task that waited before the copy checks its event before the copy reads. */
        put(&way, 100, 0);
        join_task(tasks[0], BELAY_READABLE);
        is_at(way.out, 100, 0);
        since = asleep_since(&copy);
        put(&way, 100, 0);
        is_at(way.out, 100, 0);
        CHECK_EQ(asleep_since(&copy), since);
        belay_cancel(copy.task, NULL);
        ends(&copy, -ECANCELED, 200);
        close_way(&way);
}

/* A thread that writes, or reads, all the time. */
struct pump {
        pthread_t thread;
        int fd;
        atomic_bool stop;
        int64_t moved;
};

static void *pump_in(void *arg) {
        static const char block[4 * PIECE];
        struct pump *self = arg;
        ssize_t size;

        while (!atomic_load(&self->stop)
               && (size = send(self->fd, block, sizeof(block), MSG_NOSIGNAL)) > 0)
                self->moved += size;
        CHECK_EQ(shutdown(self->fd, SHUT_WR), 0);
        return NULL;
}

static void *pump_out(void *arg) {
        static char block[4 * PIECE];
        struct pump *self = arg;
        ssize_t size;

        while ((size = recv(self->fd, block, sizeof(block), 0)) > 0)
                self->moved += size;
        return NULL;
}

static int by_time(const void *one, const void *other) {
        belay_time a = *(const belay_time *) one, b = *(const belay_time *) other;

        return (a > b) - (a < b);
}

/*
 * A source that always has data must not keep the loop busy: timers expire, and other copies
 * continue.
 */
static void starved(bool tcp) {
        enum { TIMES = 100 };
        struct pump in = { .moved = 0 }, out = { .moved = 0 };
        struct way way = { NULL, NULL, NULL, NULL }, small = open_way(TCP_BACK);
        belay_time late[TIMES];
        struct copy copy, beside;
        int fds[2];

        make_sockets(tcp, fds);
        in.fd = fds[0];
        CHECK_EQ(belay_stream_open_fd(&way.from, fds[1], NULL), 0);
        make_sockets(tcp, fds);
        out.fd = fds[0];
        CHECK_EQ(belay_stream_open_fd(&way.to, fds[1], NULL), 0);
        start_and_sleep(&copy, &way, -1);
        start_and_sleep(&beside, &small, -1);
        CHECK_EQ(pthread_create(&in.thread, NULL, pump_in, &in), 0);
        CHECK_EQ(pthread_create(&out.thread, NULL, pump_out, &out), 0);
        for (uint64_t i = 0; i < TIMES; i++) {
                belay_time began = real_time();

                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
                late[i] = real_time() - began - BELAY_MILLISECOND;
                put(&small, 10, i);
                is_at(small.out, 10, i);
        }
        atomic_store(&in.stop, true);
        join_task(copy.task, 0);
        CHECK_EQ(copy.rc, 0);
        CHECK_EQ(belay_half_close(way.to), 0);
        CHECK_EQ(pthread_join(in.thread, NULL), 0);
        CHECK_EQ(pthread_join(out.thread, NULL), 0);
        CHECK(in.moved > MUCH && in.moved == copy.copied && out.moved == copy.copied);
        qsort(late, TIMES, sizeof(*late), by_time);
        /* The bounds are wide, since the machine has other programs to run. */
        CHECK(is_checked()
              || (late[TIMES / 2] < 30 * BELAY_MILLISECOND && late[TIMES - 1] < 2 * BELAY_SECOND));
        belay_cancel(beside.task, NULL);
        ends(&beside, -ECANCELED, TIMES * 10);
        close(in.fd);
        close(out.fd);
        close_way(&way);
        close_way(&small);
}

static int yield_on(void *arg) {
        const bool *stop = arg;

        while (!*stop) {
                errno = E2BIG;
                CHECK_EQ(belay_yield(), 0);
                CHECK_EQ(errno, E2BIG);
        }
        return 0;
}

/* The loop copies on the stack of the running task, and must not change that task's errno. */
static void same_errno(void) {
        struct way way = open_way(PAIR_BACK);
        belay_task *task;
        struct copy copy;
        bool stop = false;

        start_and_sleep(&copy, &way, -1);
        task = must(belay_spawn(yield_on, &stop));
        /* Both tasks are always ready, so the loop handles the copy between their steps. */
        for (int i = 0; i < 20; i++) {
                belay_time end = real_time() + 2 * BELAY_MILLISECOND;

                put(&way, 1, 0);
                while (real_time() < end) {
                        errno = E2BIG;
                        CHECK_EQ(i % 2 ? belay_yield() : belay_checkpoint(), 0);
                        CHECK_EQ(errno, E2BIG);
                }
        }
        is_at(way.out, 1, 0);
        stop = true;
        join_task(task, 0);
        belay_cancel(copy.task, NULL);
        ends(&copy, -ECANCELED, 20);
        close_way(&way);
}

static int app(void *arg) {
        (void) arg;
        for (enum shape shape = 0; shape < SHAPES; shape++) {
                ended(shape);
                reset(shape);
                closed(shape);
                cancelled(shape);
                if (shape >= PAIR_BACK)
                        same_turn(shape);
                others(shape);
        }
        few_at_once();
        starved(true);
        starved(false);
        same_errno();
        /*
         * No task waits for a descriptor any more, and the loop knows that: it reports the
         * deadlock.
         */
        keep_lines();
        CHECK_EQ(belay_sleep(BELAY_NEVER), -EDEADLK);
        return 0;
}

int main(void) {
        run_served(app);
        return 0;
}
