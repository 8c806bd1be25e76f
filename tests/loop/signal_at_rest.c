/* SPDX-License-Identifier: MIT */
/*
 * A signal finds a program while it waits for the world, its latest task on the smallest of stacks: main is cancelled,
 * and a handler of the program's own has room.
 */
#include "base/help.h"

#include <sys/time.h>

static belay_stream *in, *out;
static volatile sig_atomic_t heard;

static void hear(int signal) {
        volatile char room[6000];

        memset((char *) room, signal, sizeof(room));
        heard = room[5999];
}

static int read_one(void *arg) {
        char byte;

        (void) arg;
        return (int) belay_read(out, &byte, 1);
}

static void raise_later(int which) {
        struct itimerval soon = { .it_value.tv_usec = 20000 };

        CHECK_EQ(setitimer(which, &soon, NULL), 0);
}

static int main_task(void *arg) {
        size_t *stack_size = arg;
        belay_task *task;
        belay_timeout limit;
        int rc;

        CHECK_EQ(belay_stream_pair(&in, &out), 0);
        task = must(belay_spawn_with(read_one, NULL, BELAY_OPTIONS(belay_spawn_options, .stack_size = *stack_size)));
        raise_later(ITIMER_REAL);
        belay_timeout_enter(&limit, 100 * BELAY_MILLISECOND);
        rc = belay_timeout_leave(&limit, belay_join(task, NULL));
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, NULL), 0);
        belay_release(task);
        belay_abort(in);
        belay_abort(out);
        return rc;
}

static void interrupt(int signal) {
        (void) signal;
        raise(SIGINT);
}

int main(void) {
        size_t sizes[] = { 1, 8192, 0 };

        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                heard = 0;
                signal(SIGALRM, hear);
                CHECK_EQ(belay_run(main_task, &sizes[i]), -ETIMEDOUT);
                CHECK_EQ(heard, SIGALRM);
        }
        /* By a handler that is small itself. */
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
                struct sigaction action = { .sa_handler = interrupt, .sa_flags = SA_ONSTACK };

                CHECK_EQ(sigaction(SIGALRM, &action, NULL), 0);
                CHECK_EQ(belay_run(main_task, &sizes[i]), -EINTR);
        }
        return 0;
}
