/* SPDX-License-Identifier: MIT */
/*
 * Which back end a loop uses, and signals that arrive while all tasks wait for descriptors.
 */
#define _GNU_SOURCE
#include "descriptors.h"

/* ---- which back end ---- */

static const char *name_of(const belay_loop_options *options) {
        belay_loop *loop = belay_loop_new(options);
        const char *name;

        CHECK(loop != NULL);
        name = belay_loop_backend(loop);
        CHECK_EQ(belay_loop_close(loop), 0);
        return name;
}

static int told_within(void *arg) {
        int ends[2];

        CHECK_STR(belay_loop_backend(NULL), arg);
        CHECK_STR(belay_loop_backend(belay_loop_self()), arg);
        open_pair(ends);
        put(ends[1], "x");
        CHECK_EQ(belay_wait_fd(ends[0], READABLE), READABLE);
        CHECK_STR(belay_loop_backend(NULL), arg);
        close_both(ends);
        return 0;
}

#define WITH(which) BELAY_OPTIONS(belay_loop_options, .backend = which)

static void chosen(void) {
        bool has_uring = use_back_end("io_uring");

        unsetenv("BELAY_BACKEND");
        CHECK_STR(belay_loop_backend(NULL), "");
        keep_lines();
        CHECK_STR(name_of(NULL), "epoll");
        CHECK_STR(name_of(WITH(BELAY_BACKEND_EPOLL)), "epoll");
        CHECK_EQ(belay_run_with(told_within, "epoll", NULL), 0);
        if (has_uring) {
                CHECK_STR(name_of(WITH(BELAY_BACKEND_IO_URING)), "io_uring");
                CHECK_EQ(belay_run_with(told_within, "io_uring", WITH(BELAY_BACKEND_IO_URING)), 0);
        }
        /*
         * The option takes precedence over the environment variable, which counts if there is no
         * option.
         */
        setenv("BELAY_BACKEND", "io_uring", 1);
        CHECK_STR(name_of(WITH(BELAY_BACKEND_EPOLL)), "epoll");
        if (has_uring)
                CHECK_EQ(belay_run_with(told_within, "io_uring", NULL), 0);
        setenv("BELAY_BACKEND", "epoll", 1);
        CHECK_STR(name_of(NULL), "epoll");
        setenv("BELAY_BACKEND", "", 1);
        CHECK_STR(name_of(NULL), "epoll");
        CHECK(!has_uring || kept_count == 0);

        errno = 0;
        CHECK(belay_loop_new(WITH((belay_backend) 3)) == NULL);
        CHECK_EQ(errno, EINVAL);
        CHECK(belay_loop_new(WITH((belay_backend) -1)) == NULL);
}

/* If the variable names no back end, each loop logs that once and uses epoll. */
static void nonsense(void) {
        static const char *const texts[] = { "kqueue", "IO_URING", "epoll ", "1" };

        for (unsigned i = 0; i < 4; i++) {
                setenv("BELAY_BACKEND", texts[i], 1);
                keep_lines();
                CHECK_EQ(belay_run(told_within, "epoll"), 0);
                CHECK_LINES(1, "BELAY_BACKEND");
                CHECK_LINES(1, texts[i]);
                CHECK_EQ(kept_lines[0].level, BELAY_LOG_WARNING);
                CHECK_EQ(belay_run_with(told_within, "epoll", WITH(BELAY_BACKEND_EPOLL)), 0);
                CHECK_LINES(1, "BELAY_BACKEND");
        }
        unsetenv("BELAY_BACKEND");
        belay_set_log(NULL, NULL);
}

/* ---- signals ---- */

static int waits_for_ever(void *arg) {
        int rc = belay_wait_fd(*(int *) arg, READABLE);

        CHECK(rc == -ECANCELED);
        return rc;
}

/*
 * All tasks wait and no timer is set. A signal that another process sends must still end the wait.
 */
static int all_wait(void *arg) {
        belay_origin origin = { .size = sizeof(origin) };
        int ends[2], ready[2];
        belay_group group;
        pid_t sender, target = getpid();
        char byte;

        (void) arg;
        open_pair(ends);
        CHECK_EQ(pipe(ready), 0);
        sender = fork();
        CHECK(sender >= 0);
        if (sender == 0) {
                _exit(read(ready[0], &byte, 1) == 1 && kill(target, SIGTERM) == 0 ? 0 : 1);
        }
        CHECK_EQ(belay_group_enter(&group), 0);
        for (int i = 0; i < 3; i++)
                CHECK_EQ(belay_group_spawn(&group, waits_for_ever, &ends[i % 2]), 0);
        let_run();
        put(ready[1], "x");
        CHECK_EQ(belay_wait_fd(ends[0], READABLE), -ECANCELED);
        CHECK(belay_origin_of(belay_self(), &origin));
        CHECK_EQ(origin.kind, BELAY_ORIGIN_SIGNAL);
        CHECK_EQ(origin.signal, SIGTERM);
        return belay_group_leave(&group, -ECANCELED);
}

static int killed(void *arg) {
        CHECK_EQ(belay_run(all_wait, arg), -EINTR);
        return 0;
}

/* The signal arrives while the loop is busy with a descriptor that is always ready. */
static int busy(void *arg) {
        int ends[2], rc;

        (void) arg;
        open_pair(ends);
        put(ends[1], "x");
        CHECK_EQ(belay_wait_fd(ends[0], READABLE), READABLE);
        kill(getpid(), SIGTERM);
        do
                rc = belay_wait_fd(ends[0], READABLE);
        while (rc == READABLE);
        return rc;
}

static int killed_while_busy(void *arg) {
        CHECK_EQ(belay_run(busy, arg), -EINTR);
        return 0;
}

static void signals(void) {
        struct child child;

        in_child(&child, killed, NULL);
        CHECK_CHILD(&child, 0);
        in_child(&child, killed_while_busy, NULL);
        CHECK_CHILD(&child, 0);
}

int main(void) {
        chosen();
        nonsense();
        on_back_ends(signals);
        return 0;
}
