/* SPDX-License-Identifier: MIT */
/*
 * Connections that are closed gracefully after their handlers have returned. They do not count
 * against the limit on connections, their number is limited, and they are closed early if
 * descriptors are short.
 */
#define _GNU_SOURCE
#include "servers.h"

enum { MANY = 40 };

struct server {
        belay_listener *listener;
        belay_task *task;
        belay_serve_options options;
};

static int answers(belay_stream *stream, void *arg) {
        (void) arg;
        return belay_write(stream, "k", 1) == 1 ? 0 : -EIO;
}

static int serves(void *arg) {
        struct server *self = arg;

        self->options.size = sizeof(self->options);
        return belay_serve(self->listener, answers, NULL, &self->options);
}

static void start(struct server *self, enum kind kind) {
        self->listener = listener_of(kind);
        self->task = must(belay_spawn(serves, self));
        let_run();
}

/* The server has ended its direction, and the client does not end its own. */
static void is_answered(int fd) {
        CHECK_EQ(next_byte(fd), 'k');
        CHECK_EQ(next_byte(fd), -1);
}

/*
 * Returns whether the server has closed the connection completely. A client finds that out by a
 * write at the latest.
 */
static bool is_let_go(int fd) {
        struct pollfd pollfd = { .fd = fd };

        /* The reset that answers a byte may take time. */
        for (int i = 0; i < 10000 && pollfd.revents == 0; i++) {
                CHECK_EQ(belay_yield(), 0);
                (void) send(fd, "?", 1, MSG_NOSIGNAL);
                CHECK(poll(&pollfd, 1, 1) >= 0);
        }
        return pollfd.revents != 0;
}

/* ---- the limit on connections ---- */

/* Clients that never close take no time from later clients. */
static int hold_no_place(void *arg) {
        struct server server = { .options.most = 1 };
        int fds[MANY];
        belay_time began;

        start(&server, *(enum kind *) arg);
        began = belay_now();
        for (int i = 0; i < MANY; i++) {
                fds[i] = connect_plainly(server.listener);
                is_answered(fds[i]);
                CHECK_EQ(belay_serve_count(server.listener), 0);
                CHECK_EQ(belay_serve_lingering(server.listener), i + 1);
        }
        CHECK_EQ(belay_now(), began);
        /* Each connection has its own limit. */
        CHECK_EQ(belay_sleep(BELAY_SECOND - 1), 0);
        CHECK_EQ(belay_serve_lingering(server.listener), MANY);
        CHECK_EQ(belay_sleep(2), 0);
        CHECK_EQ(belay_serve_lingering(server.listener), 0);
        for (int i = 0; i < MANY; i++)
                close(fds[i]);
        CHECK_EQ(belay_serve_stop(server.listener), 0);
        end_of(server.task, 0);
        CHECK_EQ(belay_serve_lingering(server.listener), 0);
        belay_listener_close(server.listener);
        return 0;
}

/* A connection that its peer ends stops lingering at once. It leaves the list from the middle. */
static int end_by_themselves(void *arg) {
        struct server server = { .options.close_limit = BELAY_HOUR };
        int fds[4];

        start(&server, *(enum kind *) arg);
        for (int i = 0; i < 4; i++) {
                fds[i] = connect_plainly(server.listener);
                is_answered(fds[i]);
        }
        for (int i = 0; i < 4; i++) {
                close(fds[(i + 2) % 4]);
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
                CHECK_EQ(belay_serve_lingering(server.listener), 3 - i);
        }
        CHECK_EQ(belay_serve_stop(server.listener), 0);
        end_of(server.task, 0);
        belay_listener_close(server.listener);
        return 0;
}

/* ---- the limit on lingering connections ---- */

static int at_most(void *arg) {
        enum { MOST = 3 };
        int fds[MANY];
        struct server server = {
                .options = { .most = 2, .close_limit = BELAY_HOUR, .linger_most = MOST }
        };
        belay_time began;

        start(&server, *(enum kind *) arg);
        began = belay_now();
        for (int i = 0; i < MANY; i++) {
                fds[i] = connect_plainly(server.listener);
                is_answered(fds[i]);
                CHECK_EQ(belay_serve_lingering(server.listener), i < MOST ? i + 1 : MOST);
                /* The oldest connection makes room, and no other. */
                if (i >= MOST)
                        CHECK(is_let_go(fds[i - MOST]));
                if (i >= MOST + 1)
                        close(fds[i - MOST]);
        }
        CHECK_EQ(belay_now(), began);
        for (int i = MANY - MOST; i < MANY; i++)
                CHECK_EQ(send(fds[i], "?", 1, MSG_NOSIGNAL), 1);
        close(fds[0]);
        for (int i = MANY - MOST; i < MANY; i++)
                close(fds[i]);
        close(fds[1]);
        CHECK_EQ(belay_serve_stop(server.listener), 0);
        end_of(server.task, 0);
        belay_listener_close(server.listener);
        return 0;
}

/* ---- the end of serving ---- */

/* The server's grace applies to lingering connections, too. A second request ends them at once. */
static int the_end(void *arg) {
        for (int way = 0; way < 3; way++) {
                struct server server = { .options = { .close_limit = BELAY_HOUR,
                                                      .grace = BELAY_MINUTE } };
                belay_time began;
                int fd;

                start(&server, *(enum kind *) arg);
                fd = connect_plainly(server.listener);
                is_answered(fd);
                began = belay_now();
                CHECK(belay_cancel(server.task, NULL));
                let_run();
                CHECK(!belay_done(server.task));
                CHECK_EQ(belay_serve_lingering(server.listener), 1);
                if (way == 0)
                        close(fd);
                else if (way == 1)
                        CHECK(belay_cancel(server.task, NULL));
                end_of(server.task, -ECANCELED);
                CHECK_EQ(belay_now() - began, way < 2 ? 0 : BELAY_MINUTE);
                if (way > 0)
                        close(fd);
                belay_listener_close(server.listener);
        }
        return 0;
}

/* ---- no descriptors ---- */

/* New clients do not wait for the lingering connections, and nothing is logged. */
static int give_way(void *arg) {
        struct server server = { .options.close_limit = BELAY_HOUR };
        int fds[6], open_before = open_count();
        size_t left;
        belay_time began;

        start(&server, *(enum kind *) arg);
        began = belay_now();
        for (int i = 0; i < 3; i++) {
                fds[i] = connect_plainly(server.listener);
                is_answered(fds[i]);
        }
        for (int i = 3; i < 5; i++)
                fds[i] = connect_plainly(server.listener);
        keep_lines();
        /*
         * There is room for no connection, or for one if the kernel reserved a descriptor for the
         * accept in progress.
         */
        limit_descriptors(0);
        for (int i = 3; i < 5; i++)
                is_answered(fds[i]);
        CHECK_EQ(belay_now(), began);
        CHECK(is_let_go(fds[0]));
        left = belay_serve_lingering(server.listener);
        CHECK(left == 3 || left == 4);
        /* No client waits any more, so no lingering connection is closed. */
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(belay_serve_lingering(server.listener), left);
        unlimit_descriptors();
        fds[5] = connect_plainly(server.listener);
        is_answered(fds[5]);
        CHECK_EQ(belay_serve_lingering(server.listener), left + 1);
        CHECK_EQ(kept_count, 0);
        belay_set_log(NULL, NULL);
        for (int i = 0; i < 6; i++)
                close(fds[i]);
        CHECK_EQ(belay_serve_stop(server.listener), 0);
        end_of(server.task, 0);
        belay_listener_close(server.listener);
        CHECK_EQ(open_count(), open_before);
        return 0;
}

static void all(void) {
        RUN_KINDS_VIRTUAL(hold_no_place);
        RUN_KINDS_VIRTUAL(end_by_themselves);
        RUN_KINDS_VIRTUAL(at_most);
        RUN_KINDS_VIRTUAL(the_end);
        if (!is_under_valgrind())
                RUN_KINDS_VIRTUAL(give_way);
}

int main(void) {
        on_back_ends(all);
        return 0;
}
