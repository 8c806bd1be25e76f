/* SPDX-License-Identifier: MIT */
/*
 * An operation is cancelled: before its submission, while it waits, after its completion, and in a
 * race with its completion. If the operation took effect, the call returns its result; otherwise it
 * left no trace.
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <sys/stat.h>

#include "ring.h"

#ifdef BLY_HAVE_URING

static int fds[2];
static char buffer[64];

/*
 * The result of a receive, and that of the wait after it, which shows whether a request is still
 * pending.
 */
struct reader {
        ssize_t got;
        int next;
};

static int reads(void *arg) {
        struct reader *reader = arg;

        reader->got = receive(fds[0], buffer, sizeof(buffer));
        reader->next = belay_sleep(0);
        return 0;
}

static int sends(void *arg) {
        struct iovec part = { .iov_base = "never", .iov_len = 5 };
        struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1 };

        (void) arg;
        return (int) perform(
                (struct bly_op) { .kind = BLY_OP_SEND_MESSAGE, .fd = fds[1], .address = &message });
}

static ssize_t left_in(int fd) {
        char bytes[256];
        ssize_t size = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

        return size < 0 ? -errno : size;
}

/* ---- before the submission ---- */

static void before(void) {
        struct reader reader = { 0 };
        belay_task *task = begun(sends, NULL);

        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(end_of(task), -ECANCELED);
        CHECK_EQ(left_in(fds[0]), -EAGAIN);

        say(fds[1], "kept");
        task = begun(reads, &reader);
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(end_of(task), 0);
        CHECK_EQ(reader.got, -ECANCELED);
        CHECK_EQ(reader.next, 0);
        CHECK_EQ(left_in(fds[0]), 4);
}

/*
 * The number of the operation's descriptor belongs to another descriptor when the entry is
 * submitted. Nothing may be written to that descriptor.
 */
static void renumbered(void) {
        int others[2], kept = dup(fds[1]);
        belay_task *task = begun(sends, NULL);

        make_pair(others);
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(dup3(others[1], fds[1], O_CLOEXEC), fds[1]);
        CHECK_EQ(end_of(task), -ECANCELED);
        CHECK_EQ(left_in(others[0]), -EAGAIN);
        CHECK_EQ(dup3(kept, fds[1], O_CLOEXEC), fds[1]);
        CHECK_EQ(close(kept), 0);
        close_pair(others);
}

/* ---- while it waits ---- */

static void meanwhile(void) {
        struct reader reader = { 0 };
        belay_task *task = begun(reads, &reader);

        turn();
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(end_of(task), 0);
        CHECK_EQ(reader.got, -ECANCELED);
        CHECK_EQ(reader.next, 0);
        memset(buffer, 'u', sizeof(buffer));
        say(fds[1], "late");
        turn();
        CHECK_EQ(buffer[0], 'u');
        CHECK_EQ(left_in(fds[0]), 4);
}

/* Two requests end the operation once. */
static void twice(void) {
        struct reader reader = { 0 };
        belay_task *task = begun(reads, &reader);

        turn();
        CHECK(belay_cancel(task, NULL));
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(end_of(task), 0);
        CHECK_EQ(reader.got, -ECANCELED);
        CHECK_EQ(reader.next, 0);
}

/* A request that was withdrawn has no effect. */
static void taken_back(bool handed_in) {
        struct reader reader = { 0 };
        belay_task *task = begun(reads, &reader);

        if (handed_in)
                turn();
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(belay_uncancel(task), 0);
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK(!belay_done(task));
        say(fds[1], "abc");
        CHECK_EQ(end_of(task), 0);
        CHECK_EQ(reader.got, 3);
        CHECK_EQ(reader.next, 0);
}

/*
 * The peer has ended its direction and does not read either. The hang-up must not end a send that
 * has no room: it still waits.
 */
static void half_ended(bool blocks) {
        char bytes[4096] = { 0 };
        belay_task *task;
        int kept[2] = { fds[0], fds[1] };

        make_pair(fds);
        CHECK_EQ(fcntl(fds[1], F_SETFL, blocks ? 0 : O_NONBLOCK), 0);
        while (send(fds[1], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
                ;
        CHECK_EQ(shutdown(fds[0], SHUT_WR), 0);
        for (int i = 0; i < 2; i++) {
                task = begun(sends, NULL);
                for (int j = 0; j < 3; j++) {
                        turn();
                        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
                }
                /* The kernel may end a wait of a socket that does not block. */
                if (!blocks && belay_done(task)) {
                        CHECK_EQ(end_of(task), -EAGAIN);
                        break;
                }
                CHECK(!belay_done(task));
                if (i == 0)
                        CHECK(belay_cancel(task, NULL));
                else
                        while (recv(fds[0], bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
                                ;
                CHECK_EQ(end_of(task), i == 0 ? -ECANCELED : 5);
        }
        close_pair(fds);
        fds[0] = kept[0];
        fds[1] = kept[1];
}

/* ---- after the completion ---- */

static void after(bool told) {
        struct reader reader = { 0 };
        belay_task *task = begun(reads, &reader);

        turn();
        say(fds[1], "abc");
        if (told)
                turn();
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(end_of(task), 0);
        if (reader.got == 3)
                CHECK_EQ(reader.next, -ECANCELED);
        else
                CHECK(!told && reader.got == -ECANCELED && left_in(fds[0]) == 3);
}

/* ---- in a race ---- */

/* Each byte is either returned or still in the socket. */
static void race(void) {
        unsigned told = 0;

        for (int i = 0; i < 300; i++) {
                struct reader reader = { 0 };
                belay_task *task = begun(reads, &reader);

                if (i % 5 > 0)
                        turn();
                if (i % 2 == 0)
                        say(fds[1], "x");
                if (i % 3 == 0)
                        turn();
                CHECK(belay_cancel(task, NULL));
                if (i % 2 == 1)
                        say(fds[1], "x");
                CHECK_EQ(end_of(task), 0);
                if (reader.got == -ECANCELED) {
                        CHECK_EQ(left_in(fds[0]), 1);
                } else {
                        CHECK_EQ(reader.got, 1);
                        CHECK_EQ(left_in(fds[0]), -EAGAIN);
                        told++;
                }
        }
        CHECK(told > 0);
}

static int listener;

static int accepts(void *arg) {
        (void) arg;
        return (int) perform(
                (struct bly_op) { .kind = BLY_OP_ACCEPT, .fd = listener, .flags = SOCK_CLOEXEC });
}

/* A connection is either returned or can still be accepted, and no descriptor stays open. */
static void connections(void) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof(address);
        int open_before, client, accepted;

        listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        CHECK_EQ(bind(listener, (struct sockaddr *) &address, length), 0);
        CHECK_EQ(listen(listener, 8), 0);
        CHECK_EQ(getsockname(listener, (struct sockaddr *) &address, &length), 0);
        open_before = count_open();
        for (int i = 0; i < 100; i++) {
                belay_task *task = begun(accepts, NULL);

                if (i % 3 > 0)
                        turn();
                client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                CHECK_EQ(connect(client, (struct sockaddr *) &address, length), 0);
                CHECK(belay_cancel(task, NULL));
                accepted = end_of(task);
                if (accepted < 0) {
                        CHECK_EQ(accepted, -ECANCELED);
                        accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
                }
                CHECK(accepted >= 0);
                CHECK_EQ(accept(listener, NULL, NULL), -1);
                CHECK_EQ(close(accepted), 0);
                CHECK_EQ(close(client), 0);
                CHECK_EQ(count_open(), open_before);
        }
        CHECK_EQ(close(listener), 0);
}

/* ---- operations in a thread of the kernel ---- */

static const char *fifo;

static int opens(void *arg) {
        struct bly_op op = {
                .kind = BLY_OP_OPEN, .fd = -1, .address = fifo, .flags = O_RDONLY | O_CLOEXEC
        };

        (void) arg;
        return (int) perform(op);
}

static void in_the_kernel(void) {
        const char *directory = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
        char path[600];
        belay_task *task;
        int fd, writer;

        snprintf(path, sizeof(path), "%s/belay-ring-fifo.%d", directory, (int) getpid());
        fifo = path;
        CHECK_EQ(mkfifo(fifo, 0600), 0);
        task = must(belay_spawn(opens, NULL));
        CHECK_EQ(belay_sleep(5 * BELAY_MILLISECOND), 0);
        CHECK(!belay_done(task));
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(end_of(task), -ECANCELED);
        task = begun(opens, NULL);
        turn();
        writer = open(fifo, O_RDWR | O_CLOEXEC);
        fd = end_of(task);
        CHECK(fd >= 0);
        CHECK_EQ(close(fd), 0);
        CHECK_EQ(close(writer), 0);
        CHECK_EQ(unlink(fifo), 0);
}

static int closed;

static int closes(void *arg) {
        struct reader *reader = arg;

        reader->got = perform((struct bly_op) { .kind = BLY_OP_CLOSE, .fd = closed });
        reader->next = belay_sleep(0);
        return 0;
}

/* A close is completed in spite of the request, and its result is returned. */
static void closing(bool handed_in) {
        struct reader reader = { 0 };
        belay_task *task;

        closed = dup(fds[0]);
        task = begun(closes, &reader);
        if (handed_in)
                turn();
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(end_of(task), 0);
        CHECK_EQ(reader.got, 0);
        CHECK_EQ(reader.next, -ECANCELED);
        CHECK_EQ(fcntl(closed, F_GETFD), -1);
}

static int app(void *arg) {
        int before_all = count_open();

        (void) arg;
        make_pair(fds);
        before();
        renumbered();
        meanwhile();
        twice();
        half_ended(true);
        half_ended(false);
        taken_back(false);
        taken_back(true);
        after(false);
        after(true);
        race();
        connections();
        in_the_kernel();
        closing(false);
        closing(true);
        close_pair(fds);
        CHECK_EQ(((struct bly_uring *) the_io()->state)->going_on, 0);
        CHECK_EQ(the_io()->waiting, 0);
        CHECK_EQ(count_open(), before_all);
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
