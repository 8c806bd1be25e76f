/* SPDX-License-Identifier: MIT */
/*
 * Waits for a descriptor: each event, each kind of descriptor, the events after an end or an error,
 * and the arguments that are refused.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/eventfd.h>

#include "base/guarded.h"
#include "descriptors.h"

#define ALL (READABLE | WRITABLE | PRIORITY)

/* ---- events ---- */

static int readable(void *arg) {
        struct waiter waiter;
        int ends[2];
        char byte;

        (void) arg;
        open_pipe(ends);
        CHECK_EQ(is_ready(ends[0], READABLE), 0);
        start_waiter(&waiter, ends[0], READABLE);
        CHECK(!waiter.done);
        put(ends[1], "xy");
        join_waiter(&waiter, READABLE);
        /* The descriptor stays readable until it has been read: waits are level-triggered. */
        CHECK_EQ(belay_wait_fd(ends[0], READABLE), READABLE);
        CHECK_EQ(read(ends[0], &byte, 1), 1);
        CHECK_EQ(belay_wait_fd(ends[0], READABLE), READABLE);
        CHECK_EQ(read(ends[0], &byte, 1), 1);
        CHECK_EQ(is_ready(ends[0], READABLE), 0);
        close_both(ends);
        return 0;
}

static int writable(void *arg) {
        struct waiter waiter;
        int ends[2];

        (void) arg;
        open_pipe(ends);
        CHECK_EQ(belay_wait_fd(ends[1], WRITABLE), WRITABLE);
        CHECK_EQ(belay_wait_fd(ends[1], WRITABLE), WRITABLE);
        stuff(ends[1]);
        CHECK_EQ(is_ready(ends[1], WRITABLE), 0);
        start_waiter(&waiter, ends[1], WRITABLE);
        CHECK(!waiter.done);
        drain(ends[0]);
        join_waiter(&waiter, WRITABLE);
        close_both(ends);
        return 0;
}

/* A wait returns the events that are ready among the requested ones, and no others. */
static int either(void *arg) {
        int ends[2];

        (void) arg;
        open_pair(ends);
        CHECK_EQ(belay_wait_fd(ends[0], READABLE | WRITABLE), WRITABLE);
        put(ends[1], "x");
        CHECK_EQ(belay_wait_fd(ends[0], READABLE | WRITABLE), READABLE | WRITABLE);
        CHECK_EQ(belay_wait_fd(ends[0], READABLE), READABLE);
        CHECK_EQ(belay_wait_fd(ends[0], WRITABLE), WRITABLE);
        CHECK_EQ(belay_wait_fd(ends[0], ALL), READABLE | WRITABLE);
        stuff(ends[0]);
        CHECK_EQ(belay_wait_fd(ends[0], READABLE | WRITABLE), READABLE);
        drain(ends[0]);
        CHECK_EQ(is_ready(ends[0], READABLE | WRITABLE), 0);
        close_both(ends);
        return 0;
}

/* Opens both ends of a loopback connection with plain system calls. */
static void open_tcp(int ends[2]) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof(address);
        int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        CHECK_EQ(bind(listener, (struct sockaddr *) &address, length), 0);
        CHECK_EQ(listen(listener, 1), 0);
        CHECK_EQ(getsockname(listener, (struct sockaddr *) &address, &length), 0);
        ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(connect(ends[0], (struct sockaddr *) &address, length), 0);
        ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        CHECK(ends[1] >= 0);
        close(listener);
}

/*
 * Urgent data does not make a socket readable. The test uses real time, since the network may take
 * some.
 */
static int urgent(void *arg) {
        struct waiter waiter;
        int ends[2];

        (void) arg;
        open_tcp(ends);
        start_waiter(&waiter, ends[1], PRIORITY);
        put(ends[0], "x");
        CHECK_EQ(belay_wait_fd(ends[1], READABLE | PRIORITY), READABLE);
        CHECK(!waiter.done);
        CHECK_EQ(send(ends[0], "!", 1, MSG_OOB), 1);
        join_waiter(&waiter, PRIORITY);
        CHECK_EQ(belay_wait_fd(ends[1], PRIORITY), PRIORITY);
        CHECK_EQ(belay_wait_fd(ends[1], READABLE | PRIORITY), READABLE | PRIORITY);
        close_both(ends);
        return 0;
}

/* ---- ends and errors ---- */

static int hung_up(void *arg) {
        struct waiter waiter;
        int ends[2];

        (void) arg;
        open_pipe(ends);
        start_waiter(&waiter, ends[0], READABLE);
        close(ends[1]);
        join_waiter(&waiter, READABLE);
        CHECK_EQ(belay_wait_fd(ends[0], READABLE), READABLE);
        CHECK_EQ(belay_wait_fd(ends[0], ALL), ALL);
        close(ends[0]);

        open_pipe(ends);
        stuff(ends[1]);
        start_waiter(&waiter, ends[1], WRITABLE);
        CHECK(!waiter.done);
        close(ends[0]);
        join_waiter(&waiter, WRITABLE);
        CHECK_EQ(belay_wait_fd(ends[1], PRIORITY), PRIORITY);
        close(ends[1]);

        open_pair(ends);
        start_waiter(&waiter, ends[0], PRIORITY);
        CHECK(!waiter.done);
        close(ends[1]);
        join_waiter(&waiter, PRIORITY);
        CHECK_EQ(belay_wait_fd(ends[0], ALL), ALL);
        close(ends[0]);
        return 0;
}

/* The peer has ended its direction, and this side may still write. */
static int half_ended(void *arg) {
        int ends[2];

        (void) arg;
        open_pair(ends);
        CHECK_EQ(shutdown(ends[1], SHUT_WR), 0);
        CHECK_EQ(belay_wait_fd(ends[0], READABLE), READABLE);
        CHECK_EQ(belay_wait_fd(ends[0], ALL), READABLE | WRITABLE);
        stuff(ends[0]);
        CHECK_EQ(belay_wait_fd(ends[0], READABLE | WRITABLE), READABLE);
        CHECK_EQ(is_ready(ends[0], WRITABLE), 0);
        close_both(ends);
        return 0;
}

static int refused(void *arg) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof(address);
        int taken = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), fd, error = 0;

        (void) arg;
        /* The port is bound and not listening, so no other program can listen there meanwhile. */
        CHECK_EQ(bind(taken, (struct sockaddr *) &address, length), 0);
        CHECK_EQ(getsockname(taken, (struct sockaddr *) &address, &length), 0);
        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (connect(fd, (struct sockaddr *) &address, length) < 0 && errno == EINPROGRESS) {
                CHECK_EQ(belay_wait_fd(fd, WRITABLE), WRITABLE);
                length = sizeof(error);
                CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length), 0);
                CHECK_EQ(error, ECONNREFUSED);
        }
        close(fd);
        close(taken);
        return 0;
}

/* ---- kinds ---- */

/* Blocking or not: an eventfd, a listener, a copy, and a socket that is not connected. */
static int other_kinds(void *arg) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof(address);
        struct waiter waiter;
        int fd, ends[2], copy;

        (void) arg;
        fd = eventfd(0, EFD_CLOEXEC);
        start_waiter(&waiter, fd, READABLE);
        CHECK(!waiter.done);
        CHECK_EQ(eventfd_write(fd, 1), 0);
        join_waiter(&waiter, READABLE);
        CHECK_EQ(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
        close(fd);

        open_pair(ends);
        copy = dup(ends[0]);
        start_waiter(&waiter, copy, READABLE);
        CHECK(!waiter.done);
        put(ends[1], "x");
        CHECK_EQ(belay_wait_fd(ends[0], READABLE), READABLE);
        join_waiter(&waiter, READABLE);
        close(copy);
        CHECK_EQ(belay_wait_fd(ends[0], READABLE), READABLE);
        close_both(ends);

        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(bind(fd, (struct sockaddr *) &address, length), 0);
        CHECK_EQ(listen(fd, 1), 0);
        CHECK_EQ(getsockname(fd, (struct sockaddr *) &address, &length), 0);
        start_waiter(&waiter, fd, READABLE);
        CHECK(!waiter.done);
        ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(connect(ends[0], (struct sockaddr *) &address, length), 0);
        join_waiter(&waiter, READABLE);
        close(ends[0]);
        close(fd);

        fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(belay_wait_fd(fd, ALL), ALL);
        close(fd);
        return 0;
}

static int cannot_be_polled(void *arg) {
        char path[] = "/tmp/belay-test.XXXXXX";
        const char *directory = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
        int fd = mkstemp(path);
        unsigned before;

        (void) arg;
        CHECK(fd >= 0);
        unlink(path);
        /* The first wait opens the back end. */
        CHECK_EQ(belay_wait_fd(fd, READABLE), READABLE);
        before = count_descriptors();
        for (int events = 1; events <= ALL; events++)
                CHECK_EQ(belay_wait_fd(fd, events), events);
        CHECK_EQ(count_descriptors(), before);
        close(fd);
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        CHECK_EQ(belay_wait_fd(fd, READABLE | WRITABLE), READABLE | WRITABLE);
        close(fd);
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK_EQ(belay_wait_fd(fd, READABLE), READABLE);
        close(fd);
        return 0;
}

/* ---- refused arguments ---- */

static int refuses(void *arg) {
        int ends[2], number;
        unsigned before;

        (void) arg;
        open_pipe(ends);
        number = ends[0];
        /* The loop allocates its own descriptors here, before they are counted. */
        CHECK_EQ(is_ready(number, READABLE), 0);
        before = count_descriptors();
        CHECK_EQ(belay_wait_fd(number, 0), -EINVAL);
        CHECK_EQ(belay_wait_fd(number, 8), -EINVAL);
        CHECK_EQ(belay_wait_fd(number, 8 | READABLE), -EINVAL);
        CHECK_EQ(belay_wait_fd(number, 256 | READABLE), -EINVAL);
        CHECK_EQ(belay_wait_fd(number, -1), -EINVAL);
        close_both(ends);
        CHECK_EQ(belay_wait_fd(number, READABLE), -EBADF);
        CHECK_EQ(belay_wait_fd(-1, READABLE), -EBADF);
        CHECK_EQ(belay_wait_fd(-2, READABLE), -EBADF);
        CHECK_EQ(belay_wait_fd(999999, READABLE), -EBADF);
        CHECK_EQ(belay_wait_fd(INT32_MAX, READABLE), -EBADF);
        CHECK_EQ(belay_wait_fd(number, READABLE), -EBADF);
        CHECK_EQ(count_descriptors(), before - 2);
        return 0;
}

/* ---- any number ---- */

static void raise_limit(void) {
        struct rlimit limit;

        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = limit.rlim_max;
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/*
 * Each number works, from the first wait of a loop on: 0, numbers of the loop's table, and those
 * for which it grows. FD_CLOEXEC makes no difference.
 */
static int waits_for_number(void *arg) {
        int number = *(int *) arg, ends[2], saved = -1;
        struct waiter waiter;

        open_pipe(ends);
        if (fcntl(number, F_GETFD) >= 0)
                saved = dup(number);
        if (dup2(ends[0], number) < 0) {
                CHECK_EQ(errno, EBADF);
                close_both(ends);
                return 0;
        }
        CHECK_EQ(belay_forget_fd(number), 0);
        start_waiter(&waiter, number, READABLE);
        CHECK(!waiter.done);
        put(ends[1], "x");
        join_waiter(&waiter, READABLE);
        drain(number);
        start_waiter(&waiter, number, READABLE);
        CHECK_EQ(belay_forget_fd(number), 1);
        join_waiter(&waiter, -EBADF);
        CHECK_EQ(belay_forget_fd(number), 0);
        CHECK_EQ(belay_forget_fd(-1), 0);
        CHECK_EQ(belay_forget_fd(number + 64), 0);
        CHECK_EQ(belay_forget_fd(number + 512), 0);
        CHECK_EQ(belay_forget_fd(999999), 0);
        close_both(ends);
        close(number);
        if (saved >= 0) {
                CHECK_EQ(dup2(saved, number), number);
                close(saved);
        }
        return 0;
}

static int waits_for_each(void *arg) {
        int numbers[] = { 0, 63, 64, 511, 512, 575, 600, 1500 };

        (void) arg;
        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
                CHECK_EQ(waits_for_number(&numbers[i]), 0);
        return 0;
}

static void any_number(void) {
        int numbers[] = { 0, 100, 511, 512, 1500 };

        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
                CHECK_EQ(belay_run_with(waits_for_number, &numbers[i], VIRTUAL), 0);
        RUN_VIRTUAL(waits_for_each);
}

/*
 * The memory that a wait takes must depend on open descriptors alone. A number that is no open
 * descriptor, however large, must cost nothing.
 */
static size_t largest;

static void *memory(void *context, void *block, size_t size) {
        if (size > largest)
                largest = size;
        return guarded_memory(context, block, size);
}

static void in_callback(void *arg) {
        *(int *) arg = belay_wait_fd(0, READABLE);
}

static int from_callback(void *arg) {
        int rc = 1;

        (void) arg;
        CHECK(belay_soon(in_callback, &rc) != 0);
        let_run();
        CHECK_EQ(rc, -EPERM);
        return 0;
}

static void outside_of_tasks(void) {
        keep_lines();
        CHECK_EQ(belay_wait_fd(0, READABLE), -EPERM);
        CHECK_LINES(1, "belay_wait_fd()");
        CHECK_LINES(1, "wait.c:");
        RUN_VIRTUAL(from_callback);
        CHECK_LINES(2, "belay_wait_fd()");
        belay_set_log(NULL, NULL);
        CHECK_EQ(belay_forget_fd(0), 0);
        CHECK_EQ(belay_forget_fd(-1), 0);
}

/* ---- */

static void all(void) {
        RUN_VIRTUAL(readable);
        RUN_VIRTUAL(writable);
        RUN_VIRTUAL(either);
        CHECK_EQ(belay_run(urgent, NULL), 0);
        RUN_VIRTUAL(hung_up);
        RUN_VIRTUAL(half_ended);
        CHECK_EQ(belay_run(refused, NULL), 0);
        RUN_VIRTUAL(other_kinds);
        RUN_VIRTUAL(cannot_be_polled);
        any_number();
        largest = 0;
        RUN_VIRTUAL(refuses);
        CHECK(largest > 0 && largest < 4 << 20);
}

int main(void) {
        belay_set_memory(memory, NULL);
        raise_limit();
        outside_of_tasks();
        on_back_ends(all);
        return 0;
}
