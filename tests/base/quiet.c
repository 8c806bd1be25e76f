/* SPDX-License-Identifier: MIT */
/*
 * Writing without SIGPIPE: the signal of the write disappears, and all other signals, the signal
 * mask and errno stay as they are.
 */
#define _GNU_SOURCE
#include "base/quiet.h"

#include <errno.h>
#include <pthread.h>

#include "../base/help.h"

static int signals;

static void count(int number) {
        (void) number;
        signals++;
}

/*
 * Fills the part of the stack in which the next calls have their variables. A variable that they do
 * not set has an unfavourable value then.
 */
static __attribute__((noinline)) void fill_stack(int value) {
        volatile char room[8192];

        for (size_t i = 0; i < sizeof(room); i++)
                room[i] = (char) value;
}

static void check_mask(const sigset_t *expected, bool without_pipe) {
        sigset_t mask;

        CHECK_EQ(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
        for (int number = 1; number < NSIG; number++)
                if (number != SIGPIPE || !without_pipe)
                        CHECK_EQ(sigismember(&mask, number), sigismember(expected, number));
        if (without_pipe)
                CHECK_EQ(sigismember(&mask, SIGPIPE), 1);
}

static bool is_pending(int number) {
        sigset_t pending;

        CHECK_EQ(sigpending(&pending), 0);
        return sigismember(&pending, number) == 1;
}

static int broken_pipe(void) {
        int ends[2];

        CHECK_EQ(pipe(ends), 0);
        close(ends[0]);
        return ends[1];
}

/* Writes to a pipe whose reader is gone, or only begins and ends. */
static void write_once(bool broken, int filler) {
        int fd = broken_pipe();
        struct bly_quiet quiet;
        sigset_t before;

        CHECK_EQ(pthread_sigmask(SIG_BLOCK, NULL, &before), 0);
        fill_stack(filler);
        bly_quiet_begin(&quiet);
        check_mask(&before, true);
        if (broken) {
                CHECK_EQ(write(fd, "x", 1), -1);
                CHECK_EQ(errno, EPIPE);
        }
        errno = ENOENT;
        fill_stack(filler);
        bly_quiet_end(&quiet, broken);
        CHECK_EQ(errno, ENOENT);
        check_mask(&before, false);
        CHECK_EQ(signals, 0);
        close(fd);
}

static void writes(bool broken) {
        sigset_t others, before;

        for (int filler = 0; filler < 256; filler += 255) {
                write_once(broken, filler);
                CHECK(!is_pending(SIGPIPE));
                /* Another signal that is blocked, and pending, stays so. */
                sigemptyset(&others);
                sigaddset(&others, SIGUSR1);
                CHECK_EQ(pthread_sigmask(SIG_BLOCK, &others, &before), 0);
                CHECK_EQ(raise(SIGUSR1), 0);
                write_once(broken, filler);
                CHECK(is_pending(SIGUSR1));
                CHECK_EQ(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
                CHECK_EQ(signals, 1);
                signals = 0;
                /* A thread may block the signal itself. */
                sigaddset(&others, SIGPIPE);
                CHECK_EQ(pthread_sigmask(SIG_BLOCK, &others, &before), 0);
                write_once(broken, filler);
                CHECK(!is_pending(SIGPIPE));
                CHECK_EQ(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
        }
}

/* A signal that was pending before is not of this write. */
static void stays_pending(void) {
        sigset_t pipe, before;

        sigemptyset(&pipe);
        sigaddset(&pipe, SIGPIPE);
        CHECK_EQ(pthread_sigmask(SIG_BLOCK, &pipe, &before), 0);
        CHECK_EQ(raise(SIGPIPE), 0);
        write_once(true, 255);
        CHECK(is_pending(SIGPIPE));
        write_once(false, 255);
        CHECK(is_pending(SIGPIPE));
        CHECK_EQ(pthread_sigmask(SIG_SETMASK, &before, NULL), 0);
        CHECK_EQ(signals, 1);
        signals = 0;
}

/*
 * A file system may report EPIPE without a signal. The end then waits for none: 1000 waits of a
 * second would take longer than any test may.
 */
static void without_signal(void) {
        struct bly_quiet quiet;

        for (int i = 0; i < 1000; i++) {
                bly_quiet_begin(&quiet);
                errno = EINTR;
                bly_quiet_end(&quiet, true);
                CHECK_EQ(errno, EINTR);
        }
        CHECK_EQ(signals, 0);
}

int main(void) {
        struct sigaction action = { .sa_handler = count };

        CHECK_EQ(sigaction(SIGPIPE, &action, NULL), 0);
        CHECK_EQ(sigaction(SIGUSR1, &action, NULL), 0);
        writes(true);
        writes(false);
        stays_pending();
        without_signal();
        return 0;
}
