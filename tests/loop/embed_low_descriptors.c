/* SPDX-License-Identifier: MIT */
/*
 * A loop within a host loop, in a program that has closed its descriptor 0. Each descriptor that
 * the start of the loop opens may get that number, which is no failure.
 */
#define _GNU_SOURCE
#include "embed.h"

#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

/* What happens at the next call of timerfd_create(). */
static bool frees_zero_before, frees_zero_after;

/* Takes precedence over the function of the C library. */
int timerfd_create(int clock, int flags) {
        int fd;

        if (frees_zero_before)
                CHECK_EQ(close(0), 0);
        fd = (int) syscall(SYS_timerfd_create, clock, flags);
        if (frees_zero_after)
                CHECK_EQ(close(0), 0);
        frees_zero_before = frees_zero_after = false;
        return fd;
}

static int reads_byte(void *arg) {
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK_EQ(belay_wait_fd(*(int *) arg, BELAY_READABLE), BELAY_READABLE);
        return 7;
}

/* Afterwards the loop has opened the back end. */
static int looks_at_pipe(void *arg) {
        return belay_wait_fd(*(int *) arg, BELAY_WRITABLE);
}

/* The descriptor that gets the number. Only io_uring may open one after the timer (OF_NEXT). */
enum zero { OF_BACK_END, OF_HOST_LOOP, OF_TIMER, OF_NEXT, KINDS };

static void starts(belay_backend backend, enum zero zero) {
        struct host host = { .loop = belay_loop_new(
                                     BELAY_OPTIONS(belay_loop_options, .backend = backend)) };
        int ends[2], outcome = 0;

        CHECK(host.loop != NULL);
        CHECK_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        if (zero != OF_BACK_END) {
                CHECK_EQ(belay_loop_run(host.loop, looks_at_pipe, &ends[1], &outcome), 0);
                CHECK_EQ(outcome, BELAY_WRITABLE);
        }
        frees_zero_before = zero == OF_TIMER;
        frees_zero_after = zero == OF_NEXT;
        if (zero != OF_TIMER && zero != OF_NEXT)
                CHECK_EQ(close(0), 0);
        CHECK_EQ(belay_loop_start(host.loop, reads_byte, &ends[0]), 0);
        if (zero != OF_NEXT)
                CHECK_EQ(fcntl(0, F_GETFD), FD_CLOEXEC);
        host_settle(&host);
        CHECK_EQ(write(ends[1], "x", 1), 1);
        host_until_main_ends(&host);
        CHECK_EQ(belay_loop_outcome(host.loop, &outcome), 0);
        CHECK_EQ(outcome, 7);
        host_close(&host);
        close(ends[0]);
        close(ends[1]);
        /* The number is free again. */
        CHECK_EQ(open("/dev/null", O_RDWR | O_CLOEXEC), 0);
}

static void all(belay_backend backend) {
        for (int zero = 0; zero < KINDS; zero++)
                starts(backend, (enum zero) zero);
}

int main(void) {
        /* The test frees a number that is in use. */
        if (fcntl(0, F_GETFD) < 0)
                CHECK_EQ(open("/dev/null", O_RDWR | O_CLOEXEC), 0);
        BOTH_BACKENDS(all);
        return 0;
}
