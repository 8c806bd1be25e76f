/* SPDX-License-Identifier: MIT */
/*
 * Run tasks within a program that has a poll() loop of its own.
 */
#include <belay.h>
#include <poll.h>

#include "check.h"

/* ---- the recipe ---- */

/* Runs until main has ended, beside what the program itself polls. Returns what main ended with. */
static int poll_beside(belay_fn *fn, void *arg, struct pollfd own, void (*own_ready)(int fd)) {
        belay_loop *loop = belay_loop_new(NULL);
        int outcome = 0, rc = loop ? belay_loop_start(loop, fn, arg) : -errno;
        bool is_running = rc == 0;

        while (is_running) {
                struct pollfd polled[] = { { .fd = belay_loop_fd(loop), .events = POLLIN }, own };

                if (poll(polled, 2, -1) < 0 && errno != EINTR) {
                        rc = -errno;
                        break;
                }
                if (polled[1].revents != 0)
                        own_ready(own.fd);
                /* Never waits. Timers of tasks are in the descriptor, too. */
                if (polled[0].revents != 0)
                        is_running = belay_loop_dispatch(loop) > 0;
        }
        if (rc == 0)
                rc = belay_loop_outcome(loop, &outcome);
        /* Cancels what is left, and waits for it. */
        belay_loop_close(loop);
        return rc < 0 ? rc : outcome;
}

/* ---- the check ---- */

#include <sys/eventfd.h>
#include <unistd.h>

static belay_event seen = BELAY_EVENT_INIT;

static void ready(int fd) {
        eventfd_t value;

        check(eventfd_read(fd, &value) == 0);
        /* Between start and close, the program may call all that needs no task. */
        belay_event_set(&seen);
}

static int app(void *arg) {
        int rc = belay_sleep(BELAY_MILLISECOND);

        if (rc == 0)
                check(eventfd_write(*(int *) arg, 1) == 0);
        if (rc == 0)
                rc = belay_event_wait(&seen);
        return rc < 0 ? rc : 5;
}

int main(void) {
        int fd = eventfd(0, EFD_CLOEXEC);

        check(fd >= 0);
        check(poll_beside(app, &fd, (struct pollfd) { .fd = fd, .events = POLLIN }, ready) == 5);
        close(fd);
        return 0;
}
