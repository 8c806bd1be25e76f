/* SPDX-License-Identifier: MIT */
/*
 * Faults in loops, which are created, run, closed, and driven by a host loop. Faults in tasks and
 * stacks, and in waits for descriptors.
 */
#define _GNU_SOURCE
#include "faults/scenes.h"

#include <belay/embed.h>

/* ---- tasks ---- */

static int sleeps(void *arg) {
        char deep[20000];

        /* The task must have a stack of its own. */
        memset(deep, (int) (intptr_t) arg, sizeof(deep));
        __asm__ volatile("" : : "r"(deep) : "memory");
        return belay_sleep((belay_time) (intptr_t) arg * BELAY_MICROSECOND);
}

static int many_tasks(void *arg) {
        enum { TASKS = 40 };
        belay_group group;
        int rc = belay_group_enter(&group);

        (void) arg;
        if (rc < 0)
                return rc;
        for (int i = 0; i < TASKS && rc == 0; i++)
                rc = belay_group_spawn_with(
                        &group, sleeps, (void *) (intptr_t) i,
                        BELAY_OPTIONS(belay_spawn_options,
                                      .stack_size = i % 8 == 7 ? 256 * 1024 : 0),
                        NULL);
        rc = belay_group_leave(&group, rc);
        (void) belay_trim();
        return rc;
}

static int tasks(void) {
        return run_loop(many_tasks, NULL);
}

static int nothing(void *arg) {
        (void) arg;
        return 0;
}

static int several_loops(void) {
        int rc = 0;

        for (int i = 0; i < 3 && rc == 0; i++)
                rc = run_loop(nothing, NULL);
        return rc;
}

/* ---- descriptors ---- */

struct ping {
        int fd;
        bool begins;
};

/* The program itself moves the bytes. */
static int plays(void *arg) {
        struct ping *ping = arg;
        char byte = 'x';
        int rc = 1;

        for (int i = 0; i < 5 && rc > 0; i++) {
                if (ping->begins)
                        CHECK_EQ(REAL(write)(ping->fd, &byte, 1), 1);
                rc = belay_wait_fd(ping->fd, BELAY_READABLE);
                if (rc < 0)
                        break;
                CHECK_EQ(rc, BELAY_READABLE);
                CHECK_EQ(REAL(read)(ping->fd, &byte, 1), 1);
                if (!ping->begins)
                        CHECK_EQ(REAL(write)(ping->fd, &byte, 1), 1);
        }
        return rc < 0 ? rc : 0;
}

static int wait_for_descriptors(void *arg) {
        const belay_stream_options *keep = BELAY_OPTIONS(belay_stream_options, .keep_open = true);
        struct ping pings[2];
        belay_stream *stream = NULL;
        belay_group group;
        bool owned = *(bool *) arg;
        int ends[2], rc;

        CHECK_EQ(REAL(socketpair)(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
        rc = belay_group_enter(&group);
        if (rc == 0) {
                if (owned)
                        rc = belay_stream_open_fd(&stream, ends[0], keep);
                for (int i = 0; i < 2 && rc == 0; i++) {
                        pings[i] = (struct ping) { ends[i], i == 1 };
                        rc = belay_group_spawn(&group, plays, &pings[i]);
                }
                rc = belay_group_leave(&group, rc);
        }
        belay_abort(stream);
        CHECK_EQ(belay_forget_fd(ends[0]), 0);
        REAL(close)(ends[0]);
        REAL(close)(ends[1]);
        return rc;
}

static int foreign(void) {
        bool owned = false;

        return run_loop(wait_for_descriptors, &owned);
}

static int owned(void) {
        bool owned = true;

        return run_loop(wait_for_descriptors, &owned);
}

/* ---- driven by a host loop ---- */

static int guest(void *arg) {
        belay_stream *one, *other;
        char line[16];
        ssize_t rc = belay_stream_pair(&one, &other);

        (void) arg;
        if (rc < 0)
                return (int) rc;
        rc = belay_sleep(BELAY_MILLISECOND);
        if (rc == 0)
                rc = belay_write(one, "hello\n", 6);
        if (rc > 0)
                rc = belay_read_line(other, line, sizeof(line));
        CHECK(rc < 0 || rc == 6 || belay_is_cut(one));
        belay_abort(one);
        belay_abort(other);
        return rc < 0 ? (int) rc : 0;
}

static int drive(belay_loop *loop) {
        struct pollfd pollfd = { .fd = belay_loop_fd(loop), .events = POLLIN };
        int rc = 1, outcome = 0, verdict;

        while (rc > 0) {
                if (REAL(poll)(&pollfd, 1, -1) > 0)
                        rc = belay_loop_dispatch(loop);
        }
        verdict = belay_loop_outcome(loop, &outcome);
        return rc < 0 ? rc : verdict < 0 ? verdict : outcome;
}

static int embedded(void) {
        belay_loop *loop = belay_loop_new(NULL);
        int rc, closed;

        if (loop == NULL)
                return -errno;
        make_faulty(loop);
        rc = belay_loop_start(loop, guest, NULL);
        if (rc == 0)
                rc = drive(loop);
        closed = belay_loop_close(loop);
        CHECK_EQ(closed, 0);
        return rc;
}

/* ---- */

int main(int argument_count, char **arguments) {
        static const struct scene scenes[] = {
                { "tasks", tasks, NULL },
                { "several loops", several_loops, NULL },
                { "foreign descriptors", foreign, NULL },
                { "owned descriptors", owned, NULL },
                { "embedded", embedded, NULL },
        };

        return RUN_SCENES(scenes);
}
