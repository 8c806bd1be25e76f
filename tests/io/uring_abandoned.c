/* SPDX-License-Identifier: MIT */
/*
 * Tasks that are still running at the shutdown's limit are abandoned. The operations that they
 * began in the ring must end with the ring: the kernel must not write to their memory afterwards.
 * No descriptor that such an operation opened may stay open.
 */
#define _GNU_SOURCE
#include <netinet/in.h>

#include "ring.h"

#ifdef BLY_HAVE_URING

static int fds[2], listener;
static char buffer[16];

/* Refuses each request: continues after it. */
static int receives(void *arg) {
        (void) arg;
        for (;;)
                CHECK_EQ(receive(fds[0], buffer, sizeof(buffer)), -ECANCELED);
}

static int accepts(void *arg) {
        struct bly_op op = { .kind = BLY_OP_ACCEPT, .fd = listener, .flags = SOCK_CLOEXEC };

        (void) arg;
        for (;;)
                CHECK_EQ(perform(op), -ECANCELED);
}

static int waits(void *arg) {
        (void) arg;
        for (;;)
                CHECK_EQ(belay_wait_fd(fds[0], BELAY_READABLE), -ECANCELED);
}

static int app(void *arg) {
        static belay_fn *const bodies[] = { receives, accepts, waits };

        (void) arg;
        for (int i = 0; i < 30; i++)
                belay_release(must(belay_spawn(bodies[i % 3], NULL)));
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        return 0;
}

/* Two clients connect at that instant, when no task accepts them any more. */
static struct sockaddr_in address = { .sin_family = AF_INET };
static int clients[2];
static void (*close_really)(struct bly_io *io);
static struct bly_backend watched;

static void close_late(struct bly_io *io) {
        for (int i = 0; i < 2; i++) {
                clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                CHECK_EQ(connect(clients[i], (struct sockaddr *) &address, sizeof(address)), 0);
                /* The ring accepts one of them, but no task receives it. */
                if (i == 0)
                        bly_uring_hand_in(io->state);
        }
        close_really(io);
}

int main(void) {
        belay_loop *loop;
        socklen_t length = sizeof(address);
        int before, outcome;
        char bytes[4];

        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK_EQ(bind(listener, (struct sockaddr *) &address, length), 0);
        CHECK_EQ(listen(listener, 8), 0);
        CHECK_EQ(getsockname(listener, (struct sockaddr *) &address, &length), 0);
        make_pair(fds);
        before = count_open();

        keep_lines();
        loop = belay_loop_new(BELAY_OPTIONS(belay_loop_options, .backend = BELAY_BACKEND_IO_URING,
                                            .shutdown_limit = 10 * BELAY_MILLISECOND));
        CHECK(loop != NULL);
        if (strcmp(belay_loop_backend(loop), "io_uring") != 0)
                SKIP("io_uring cannot be used here");
        watched = bly_uring_backend;
        close_really = watched.close;
        watched.close = close_late;
        loop->io->backend = &watched;
        CHECK_EQ(belay_loop_run(loop, app, NULL, &outcome), 0);
        CHECK_EQ(belay_loop_close(loop), -ETIMEDOUT);
        CHECK_LINES(0, "cannot be ended");

        memset(buffer, 'u', sizeof(buffer));
        say(fds[1], "late");
        CHECK_EQ(recv(fds[0], bytes, 4, MSG_DONTWAIT), 4);
        CHECK_EQ(buffer[0], 'u');
        for (int i = 0; i < 2; i++)
                CHECK_EQ(close(clients[i]), 0);
        CHECK_EQ(count_open(), before);
        return 0;
}

#endif
