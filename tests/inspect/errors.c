/* SPDX-License-Identifier: MIT */
/*
 * Tests each way in which writing a dump can fail or be interrupted. A dump must also work without
 * memory.
 */
#include "capture.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>

enum { TASKS = 300 };

static long taken;

static void *count_memory(void *context, void *block, size_t size) {
        (void) context;
        taken++;
        if (size > 0)
                return realloc(block, size);
        free(block);
        return NULL;
}

static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(10 * BELAY_SECOND);
}

/* ---- a descriptor that accepts few bytes at a time ---- */

static int stingy = -1;

/* Replaces write() of the C library. */
ssize_t write(int fd, const void *data, size_t size) {
        static unsigned calls;

        if (fd == stingy) {
                if (calls++ % 3 == 1) {
                        errno = EINTR;
                        return -1;
                }
                size = size < 7 ? size : 7;
        }
        return syscall(SYS_write, fd, data, size);
}

static void little_by_little(void) {
        static char text[1 << 20];
        ssize_t size;

        stingy = memfd_create("stingy", MFD_CLOEXEC);
        CHECK(stingy >= 0);
        CHECK_EQ(belay_dump(stingy), 0);
        size = pread(stingy, text, sizeof(text) - 1, 0);
        CHECK(size > 0);
        close(stingy);
        stingy = -1;
        CHECK_STR(strstr(text, "`- group"), strstr(captured, "`- group"));
}

/* ---- errors ---- */

static void fails(void) {
        int full = open("/dev/full", O_WRONLY | O_CLOEXEC), ends[2];

        CHECK(full >= 0);
        CHECK_EQ(belay_dump(full), -ENOSPC);
        close(full);
        CHECK_EQ(belay_dump(full), -EBADF);
        CHECK_EQ(belay_dump(-1), -EBADF);
        CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
        CHECK_EQ(belay_dump(ends[0]), -EBADF);
        close(ends[0]);
        signal(SIGPIPE, SIG_IGN);
        CHECK_EQ(belay_dump(ends[1]), -EPIPE);
        signal(SIGPIPE, SIG_DFL);
        close(ends[1]);
}

/* ---- a full pipe ---- */

static size_t fill(int fd) {
        char bytes[512] = { 0 };
        size_t filled = 0;
        ssize_t written;

        while ((written = write(fd, bytes, sizeof(bytes))) > 0)
                filled += (size_t) written;
        CHECK(errno == EAGAIN);
        return filled;
}

static void full_pipe(void) {
        static char text[1 << 20];
        int ends[2];
        ssize_t size;

        CHECK_EQ(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
        CHECK(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
        fill(ends[1]);
        CHECK_EQ(belay_dump(ends[1]), -EAGAIN);
        while (read(ends[0], text, sizeof(text)) > 0)
                continue;
        /* The pipe must contain the beginning of the dump, as much as fits. */
        CHECK_EQ(belay_dump(ends[1]), -EAGAIN);
        size = read(ends[0], text, sizeof(text));
        CHECK(size >= 4096 / 2);
        CHECK_EQ(memcmp(text, captured, (size_t) size), 0);
        close(ends[0]);
        close(ends[1]);
}

/* ---- a pipe that is read slowly, with signals meanwhile ---- */

static char slowly[1 << 20];
static volatile sig_atomic_t interrupted;

static void note_signal(int signal) {
        (void) signal;
        interrupted++;
}

static void *read_slowly(void *arg) {
        int fd = *(int *) arg;
        size_t size = 0;
        sigset_t alarms;
        ssize_t got;

        /* The signals must interrupt the thread that writes. */
        sigemptyset(&alarms);
        sigaddset(&alarms, SIGALRM);
        pthread_sigmask(SIG_BLOCK, &alarms, NULL);
        do {
                usleep(1000);
                got = read(fd, slowly + size, 777);
                CHECK(got >= 0);
                size += (size_t) got;
        } while (got > 0);
        slowly[size] = '\0';
        return NULL;
}

static void slow_pipe(void) {
        struct itimerval often = { { 0, 500 }, { 0, 500 } }, never = { { 0, 0 }, { 0, 0 } };
        struct sigaction action = { .sa_handler = note_signal };
        pthread_t thread;
        int ends[2];

        CHECK_EQ(pipe2(ends, O_CLOEXEC), 0);
        CHECK(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 4096);
        CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
        CHECK_EQ(pthread_create(&thread, NULL, read_slowly, &ends[0]), 0);
        CHECK_EQ(setitimer(ITIMER_REAL, &often, NULL), 0);
        CHECK_EQ(belay_dump(ends[1]), 0);
        CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
        close(ends[1]);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        close(ends[0]);
        CHECK(interrupted > 0);
        /*
         * The line about main, above the group, depends on the depth of its stack, which the signal
         * handler changes.
         */
        CHECK_STR(strstr(slowly, "`- group"), strstr(captured, "`- group"));
}

static int everything(void *arg) {
        belay_group group;
        long before;

        (void) arg;
        CHECK_EQ(belay_group_enter(&group), 0);
        for (int i = 0; i < TASKS; i++)
                CHECK_EQ(belay_group_spawn(&group, sleeps, NULL), 0);
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        before = taken;
        CHECK(before > 0);
        capture(NULL);
        CHECK_EQ(lines(), 3 + TASKS);
        CHECK(strlen(captured) > 3 * 4096);
        little_by_little();
        fails();
        full_pipe();
        slow_pipe();
        CHECK_EQ(taken, before);
        return belay_group_leave(&group, 0);
}

int main(void) {
        belay_set_memory(count_memory, NULL);
        CHECK_EQ(run_virtually(everything), 0);
        return 0;
}
