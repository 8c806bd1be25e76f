/* SPDX-License-Identifier: MIT */
/*
 * Completions that arrive late, after their wait or operation has ended. They must have no effect
 * on any other. Descriptors that are closed must be closed at once, and not when the ring next has
 * work.
 */
#define _GNU_SOURCE
#include <netinet/in.h>

#include "ring.h"

#ifdef BLY_HAVE_URING

/* ---- descriptors ---- */

static int number;

static int waits(void *arg) {
        (void) arg;
        return belay_wait_fd(number, BELAY_READABLE);
}

/*
 * The old pipe was readable, but no task had received the event when another pipe got its number.
 */
static void reused(void) {
        int first[2], second[2];
        belay_task *task;

        CHECK_EQ(pipe2(first, O_CLOEXEC), 0);
        CHECK_EQ(pipe2(second, O_CLOEXEC), 0);
        number = first[0];
        for (int i = 0; i < 4; i++) {
                task = begun(waits, NULL);
                if (i % 2 == 0)
                        turn();
                CHECK_EQ(write(first[1], "x", 1), 1);
                if (i >= 2)
                        CHECK_EQ(belay_forget_fd(number), 1);
                else
                        CHECK(belay_cancel(task, NULL));
                CHECK_EQ(end_of(task), i >= 2 ? -EBADF : -ECANCELED);
                CHECK_EQ(dup3(second[0], number, O_CLOEXEC), number);
                task = begun(waits, NULL);
                turn();
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
                CHECK(!belay_done(task));
                CHECK_EQ(write(second[1], "x", 1), 1);
                CHECK_EQ(end_of(task), BELAY_READABLE);
                CHECK_EQ(close(number), 0);
                close_pair((int[]) { first[1], second[1] });
                CHECK_EQ(close(second[0]), 0);
                CHECK_EQ(pipe2(first, O_CLOEXEC), 0);
                CHECK_EQ(pipe2(second, O_CLOEXEC), 0);
                number = first[0];
        }
        close_pair(first);
        close_pair(second);
}

/*
 * The kernel has a single poll for all waits for one descriptor. When the poll completes for one of
 * them, the back end must start a poll for the rest.
 */
static int waits_to_write(void *arg) {
        (void) arg;
        return belay_wait_fd(number, BELAY_WRITABLE);
}

static void fill(int fd) {
        char bytes[4096] = { 0 };

        while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
                ;
}

static void empty(int fd) {
        char bytes[4096];

        while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
                ;
}

static void several(void) {
        belay_task *reader, *writer, *other;
        int fds[2];

        make_pair(fds);
        number = fds[0];
        fill(number);
        reader = begun(waits, NULL);
        turn();
        writer = begun(waits_to_write, NULL);
        other = begun(waits, NULL);
        turn();
        say(fds[1], "x");
        CHECK_EQ(end_of(reader), BELAY_READABLE);
        CHECK_EQ(end_of(other), BELAY_READABLE);
        turn();
        CHECK(!belay_done(writer));
        empty(fds[1]);
        CHECK_EQ(end_of(writer), BELAY_WRITABLE);
        close_pair(fds);
}

/*
 * The result of a poll need not be true. The kernel reports a hang-up by the peer in any case, and
 * a socket reports POLLPRI for any data. The event that woke the poll may also be over.
 */
static int waits_urgently(void *arg) {
        (void) arg;
        return belay_wait_fd(number, BELAY_PRIORITY);
}

static void untrue(void) {
        belay_task *reader, *urgent, *writer;
        unsigned before;
        int fds[2];

        make_pair(fds);
        number = fds[0];
        fill(number);
        reader = begun(waits, NULL);
        urgent = begun(waits_urgently, NULL);
        turn();
        say(fds[1], "x");
        empty(number);
        for (int i = 0; i < 3; i++) {
                turn();
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        }
        CHECK(!belay_done(reader) && !belay_done(urgent));
        say(fds[1], "x");
        CHECK_EQ(end_of(reader), BELAY_READABLE);
        CHECK_EQ(shutdown(fds[1], SHUT_WR), 0);
        writer = begun(waits_to_write, NULL);
        for (int i = 0; i < 3; i++) {
                turn();
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        }
        CHECK(!belay_done(urgent) && !belay_done(writer));
        /* The kernel must not report it repeatedly, which would keep the loop busy. */
        before = *((struct bly_uring *) the_io()->state)->queues.cq.khead;
        for (int i = 0; i < 10; i++)
                turn();
        CHECK_EQ(*((struct bly_uring *) the_io()->state)->queues.cq.khead, before);
        empty(fds[1]);
        CHECK_EQ(end_of(writer), BELAY_WRITABLE);
        CHECK(!belay_done(urgent));
        CHECK_EQ(belay_forget_fd(number), 1);
        CHECK_EQ(end_of(urgent), -EBADF);
        /* The poll must not keep the descriptor open after its report. */
        empty(fds[0]);
        CHECK_EQ(close(fds[0]), 0);
        CHECK_EQ(recv(fds[1], &(char) { 0 }, 1, MSG_DONTWAIT), 0);
        CHECK_EQ(close(fds[1]), 0);
}

/* ---- descriptors that the library owns ---- */

static struct bly_fd *owned;

static void own(int number) {
        static struct bly_fd_owner owner = { .what = "a test" };

        CHECK_EQ(bly_fd_own(the_io(), number, &owner, false, &owned), 0);
}

static int waits_for_ours(void *arg) {
        return bly_fd_wait(the_io(), owned, *(unsigned *) arg, "test", "here");
}

static void ours(void) {
        unsigned readable = BELAY_READABLE, writable = BELAY_WRITABLE;
        belay_task *reader, *writer;
        int fds[2];

        make_pair(fds);
        fill(fds[0]);
        own(fds[0]);
        reader = begun(waits_for_ours, &readable);
        turn();
        writer = begun(waits_for_ours, &writable);
        turn();
        CHECK(belay_cancel(reader, NULL));
        CHECK_EQ(end_of(reader), -ECANCELED);
        /* An event that occurs while no task waits for it is remembered until the next try. */
        say(fds[1], "x");
        turn();
        CHECK(owned->ready & BELAY_READABLE);
        CHECK_EQ(bly_fd_wait(the_io(), owned, BELAY_READABLE, "test", "here"), 0);
        CHECK(!belay_done(writer));
        empty(fds[1]);
        CHECK_EQ(end_of(writer), 0);
        empty(fds[0]);
        CHECK_EQ(bly_fd_try(the_io(), owned, BELAY_READABLE, "here"), 0);
        reader = begun(waits_for_ours, &readable);
        turn();
        CHECK_EQ(close(fds[1]), 0);
        CHECK_EQ(end_of(reader), 0);
        CHECK(owned->gone);
        bly_fd_disown(the_io(), owned, true);
        CHECK_EQ(close(fds[0]), 0);
}

/*
 * The peer has ended its direction, and this side waits until it can write. The hang-up, which is
 * permanent, must not complete the poll repeatedly.
 */
static void half_ended(void) {
        unsigned writable = BELAY_WRITABLE, before;
        belay_task *writer;
        int fds[2];

        make_pair(fds);
        fill(fds[0]);
        CHECK_EQ(shutdown(fds[1], SHUT_WR), 0);
        own(fds[0]);
        writer = begun(waits_for_ours, &writable);
        turn();
        turn();
        before = *((struct bly_uring *) the_io()->state)->queues.cq.khead;
        for (int i = 0; i < 10; i++)
                turn();
        CHECK_EQ(*((struct bly_uring *) the_io()->state)->queues.cq.khead, before);
        CHECK(!belay_done(writer));
        empty(fds[1]);
        CHECK_EQ(end_of(writer), 0);
        bly_fd_disown(the_io(), owned, true);
        CHECK_EQ(close(fds[0]), 0);
        CHECK_EQ(recv(fds[1], &(char) { 0 }, 1, MSG_DONTWAIT), 0);
        CHECK_EQ(close(fds[1]), 0);
}

/* ---- operations ---- */

static int fds[2];

static int receives(void *arg) {
        char byte;

        (void) arg;
        return (int) receive(fds[0], &byte, 1);
}

static void stale_user_data(void) {
        struct bly_uring *ring = the_io()->state;
        struct bly_op over = { .kind = BLY_OP_RECEIVE, .what = "test", .length = 1 };
        belay_task *task;
        size_t waiting;
        char byte;

        make_pair(fds);
        over.fd = fds[0];
        over.address = &byte;
        say(fds[1], "x");
        CHECK_EQ(bly_perform(the_io(), &over, "here"), 1);
        task = begun(receives, NULL);
        turn();
        waiting = the_io()->waiting;
        CHECK(waiting > 0);
        for (uint32_t seat = 0; seat < ring->seat_count + 10; seat++)
                for (uint32_t back = 1; back < 3; back++) {
                        uint32_t generation = seat < ring->seat_count ? ring->seats[seat].generation
                                                                      : 0;

                        bly_uring_completed(
                                ring, the_io(),
                                bly_user_data(BLY_OF_OPERATION, seat, generation - back), 1);
                        bly_uring_completed(
                                ring, the_io(),
                                bly_user_data(BLY_OF_OPERATION, seat, generation + back), 1);
                }
        bly_uring_completed(ring, the_io(), over.user_data, 1);
        CHECK_EQ(the_io()->waiting, waiting);
        CHECK_EQ(belay_yield(), 0);
        CHECK(!belay_done(task));
        /* A request to stop an operation that is over must not stop another one. */
        bly_uring_stop(the_io(), &over);
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK(!belay_done(task));
        say(fds[1], "x");
        CHECK_EQ(end_of(task), 1);
        close_pair(fds);
}

static char late_byte;

static int receives_late(void *arg) {
        return (int) receive(*(int *) arg, &late_byte, 1);
}

/*
 * The kernel itself cancels an operation for which it has no thread. The library must not take that
 * for a cancellation. In this test the operation goes on, and its true end arrives late.
 */
static void given_up(void) {
        struct bly_uring *ring = the_io()->state;
        belay_task *task, *other;
        int others[2];

        make_pair(fds);
        make_pair(others);
        task = begun(receives_late, &others[0]);
        turn();
        for (uint32_t seat = 0; seat < ring->seat_count; seat++)
                if (ring->seats[seat].op != NULL)
                        bly_uring_completed(ring, the_io(), ring->seats[seat].op->user_data,
                                            -ECANCELED);
        CHECK_EQ(end_of(task), -EAGAIN);
        other = begun(receives, NULL);
        turn();
        say(others[1], "x");
        turn();
        CHECK_EQ(late_byte, 'x');
        CHECK_EQ(belay_yield(), 0);
        CHECK(!belay_done(other));
        say(fds[1], "y");
        CHECK_EQ(end_of(other), 1);
        close_pair(fds);
        close_pair(others);
}

/*
 * The kernel may not find an operation that is between two tries. The request to stop it must then
 * be sent again.
 */
static void not_found(void) {
        struct bly_uring *ring = the_io()->state;
        belay_task *task;
        uint64_t user_data = 0;

        make_pair(fds);
        task = begun(receives, NULL);
        turn();
        for (uint32_t seat = 0; seat < ring->seat_count; seat++)
                if (ring->seats[seat].op != NULL)
                        user_data = bly_user_data(BLY_OF_STOP, seat, ring->seats[seat].generation);
        bly_uring_stopped(ring, user_data - 1, -ENOENT);
        bly_uring_stopped(ring, user_data, -EALREADY);
        bly_uring_stopped(ring, user_data, 0);
        CHECK_EQ(ring->to_stop, 0);
        bly_uring_stopped(ring, user_data, -ENOENT);
        bly_uring_stopped(ring, user_data, -ENOENT);
        CHECK_EQ(ring->to_stop, 1);
        /* The task was not cancelled, so the operation returns -EAGAIN. */
        CHECK_EQ(end_of(task), -EAGAIN);
        CHECK_EQ(ring->to_stop, 0);
        close_pair(fds);
}

/* ---- closing ---- */

static int listen_at(struct sockaddr_in *address) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        socklen_t length = sizeof(*address);

        CHECK_EQ(bind(fd, (struct sockaddr *) address, sizeof(*address)), 0);
        CHECK_EQ(listen(fd, 1), 0);
        CHECK_EQ(getsockname(fd, (struct sockaddr *) address, &length), 0);
        return fd;
}

static int accepts(void *arg) {
        struct bly_fd *fd = arg;

        return (int) perform((struct bly_op) { .kind = BLY_OP_ACCEPT, .slot = fd, .fd = fd->fd });
}

/* The port is free again at once, so no reference to the listener may be left. */
static void closed_at_once(void) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        unsigned readable = BELAY_READABLE;
        belay_task *task;

        for (int i = 0; i < 8; i++) {
                number = listen_at(&address);
                if (i >= 4)
                        own(number);
                task = i >= 6   ? begun(accepts, owned)
                       : i >= 4 ? begun(waits_for_ours, &readable)
                                : begun(waits, NULL);
                if (i % 2 == 0)
                        turn();
                if (i >= 4) {
                        CHECK_EQ(bly_fd_forget(the_io(), owned), 1);
                        bly_fd_disown(the_io(), owned, true);
                } else if (i >= 2) {
                        CHECK_EQ(belay_forget_fd(number), 1);
                } else {
                        CHECK(belay_cancel(task, NULL));
                }
                CHECK_EQ(close(number), 0);
                CHECK_EQ(close(listen_at(&address)), 0);
                CHECK_EQ(end_of(task), i >= 2 ? -EBADF : -ECANCELED);
        }
}

static int app(void *arg) {
        int before = count_open();

        (void) arg;
        reused();
        several();
        untrue();
        ours();
        half_ended();
        stale_user_data();
        given_up();
        not_found();
        closed_at_once();
        CHECK_EQ(count_open(), before);
        return 0;
}

/* The same tests with the ring's descriptor open, as for a host loop. */
static int beside(void *arg) {
        CHECK(the_io()->backend->descriptor(the_io()) >= 0);
        return app(arg);
}

int main(void) {
        run_with_ring(app);
        run_with_ring(beside);
        return 0;
}

#endif
