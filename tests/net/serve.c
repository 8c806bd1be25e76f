/* SPDX-License-Identifier: MIT */
/*
 * Serving: concurrent connections, the end of serving (stopped, cancelled once and twice, grace),
 * the limit on connections, handlers that fail, and their reports. Under a virtual clock, with
 * plain sockets as clients.
 */
#define _GNU_SOURCE
#include "servers.h"

/* ---- a server in a task of its own ---- */

struct server {
        belay_listener *listener;
        belay_serve_fn *handler;
        void *arg;
        belay_serve_options options;
        belay_task *task;
        int result;
        bool done;
};

static int serves(void *arg) {
        struct server *self = arg;

        self->options.size = sizeof(self->options);
        self->result = belay_serve(self->listener, self->handler, self->arg, &self->options);
        self->done = true;
        return self->result;
}

static void start_server(struct server *self, enum kind kind, belay_serve_fn *handler) {
        self->listener = listener_of(kind);
        self->handler = handler;
        self->result = 1;
        self->done = false;
        self->task = must(belay_spawn(serves, self));
        let_run();
        CHECK(!self->done);
}

static void end_server(struct server *self, int expected) {
        int outcome = 1;

        CHECK_EQ(belay_join(self->task, &outcome), 0);
        CHECK_EQ(self->result, expected);
        CHECK_EQ(outcome, expected);
        CHECK_EQ(belay_serve_count(self->listener), 0);
        CHECK_EQ(belay_serve_stop(self->listener), -ESRCH);
        CHECK_EQ(belay_listener_fd(self->listener), -EBADF);
        CHECK(strlen(belay_listener_endpoint(self->listener)) > 0);
        belay_release(self->task);
        belay_listener_close(self->listener);
}

/* ---- handlers ---- */

static unsigned begun, ended, cancelled;

static int echo(belay_stream *stream, void *arg) {
        int rc;

        (void) arg;
        begun++;
        rc = belay_copy(stream, stream, -1, NULL);
        ended++;
        cancelled += rc == -ECANCELED;
        return rc;
}

/* Sleeps for the given span. */
static int lasts(belay_stream *stream, void *arg) {
        int rc;

        (void) stream;
        begun++;
        rc = belay_sleep(*(belay_time *) arg);
        ended++;
        cancelled += rc == -ECANCELED;
        return rc;
}

/* Its cleanup takes 3 seconds. */
static int cleans_up(belay_stream *stream, void *arg) {
        int rc = lasts(stream, arg);

        if (rc == -ECANCELED) {
                CHECK_EQ(belay_sleep(3 * BELAY_SECOND), 0);
                CHECK_EQ(belay_write(stream, "!", 1), 1);
        }
        return rc;
}

static void forget_all(void) {
        begun = ended = cancelled = 0;
}

/* ---- concurrent connections ---- */

static int echoes(void *arg) {
        enum { CLIENTS = 20 };
        int open_before = open_count(), fds[CLIENTS];
        struct server server = { 0 };

        forget_all();
        start_server(&server, *(enum kind *) arg, echo);
        CHECK_EQ(belay_serve_count(server.listener), 0);
        for (int i = 0; i < CLIENTS; i++)
                fds[i] = connect_plainly(server.listener);
        for (int round = 0; round < 3; round++) {
                for (int i = 0; i < CLIENTS; i++)
                        put_byte(fds[i], (unsigned char) (i + round));
                for (int i = CLIENTS - 1; i >= 0; i--)
                        CHECK_EQ(next_byte(fds[i]), i + round);
        }
        CHECK_EQ(begun, CLIENTS);
        CHECK_EQ(belay_serve_count(server.listener), CLIENTS);
        for (int i = 0; i < CLIENTS; i++) {
                CHECK_EQ(shutdown(fds[i], SHUT_WR), 0);
                CHECK_EQ(next_byte(fds[i]), -1);
                close(fds[i]);
        }
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK_EQ(belay_serve_count(server.listener), 0);
        CHECK_EQ(ended, CLIENTS);
        CHECK_EQ(cancelled, 0);
        CHECK_EQ(belay_serve_stop(server.listener), 0);
        end_server(&server, 0);
        CHECK_EQ(open_count(), open_before);
        return 0;
}

/* ---- the end of serving ---- */

/* Serving without connections ends at once, by a stop or a request. */
static int ends_empty(void *arg) {
        (void) arg;
        for (int stops = 0; stops < 2; stops++) {
                struct server server = { .options.grace = BELAY_NEVER };
                belay_time begin;

                start_server(&server, IPV4, echo);
                begin = belay_now();
                if (stops)
                        CHECK_EQ(belay_serve_stop(server.listener), 0);
                else
                        CHECK(belay_cancel(server.task, NULL));
                end_server(&server, stops ? 0 : -ECANCELED);
                CHECK_EQ(belay_now(), begin);
        }
        return 0;
}

/*
 * Connections may go on for the grace. The remaining ones are cancelled, and the server waits for
 * their cleanup.
 */
static int grace(void *arg) {
        (void) arg;
        for (int stops = 0; stops < 2; stops++)
                for (int longer = 0; longer < 2; longer++) {
                        belay_time begin, span = longer ? 20 * BELAY_SECOND : 4 * BELAY_SECOND;
                        struct server server = { .arg = &span, .options.grace = 5 * BELAY_SECOND };
                        char endpoint[BELAY_ADDRESS_TEXT];
                        belay_listener *next;
                        int fd, other;

                        forget_all();
                        start_server(&server, IPV4, cleans_up);
                        snprintf(endpoint, sizeof(endpoint), "%s",
                                 belay_listener_endpoint(server.listener));
                        fd = connect_plainly(server.listener);
                        let_run();
                        CHECK_EQ(begun, 1);
                        begin = belay_now();
                        if (stops)
                                CHECK_EQ(belay_serve_stop(server.listener), 0);
                        else
                                CHECK(belay_cancel(server.task, NULL));
                        let_run();
                        CHECK(!server.done);
                        CHECK_EQ(belay_serve_count(server.listener), 1);
                        /* Another listener can take the endpoint at once. */
                        CHECK_EQ(belay_listener_fd(server.listener), -EBADF);
                        CHECK_EQ(belay_listen(&next, endpoint, NULL), 0);
                        other = connect_plainly(next);
                        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
                        CHECK_EQ(begun, 1);
                        end_server(&server, stops ? 0 : -ECANCELED);
                        CHECK_EQ(ended, 1);
                        CHECK_EQ(cancelled, longer);
                        /*
                         * 4 seconds and 1 for the graceful close, or 5 seconds and 3 for cleanup.
                         */
                        CHECK_EQ((belay_now() - begin) / BELAY_SECOND, longer ? 8 : 5);
                        close(fd);
                        close(other);
                        belay_listener_close(next);
                }
        return 0;
}

/* The default grace is 10 seconds. BELAY_NEVER sets no limit. */
static int graces(void *arg) {
        (void) arg;
        for (int never = 0; never < 2; never++) {
                belay_time begin, span = BELAY_HOUR;
                struct server server = { .arg = &span, .options.grace = never ? BELAY_NEVER : 0 };
                int fd;

                forget_all();
                start_server(&server, IPV4, lasts);
                fd = connect_plainly(server.listener);
                let_run();
                begin = belay_now();
                CHECK_EQ(belay_serve_stop(server.listener), 0);
                end_server(&server, 0);
                CHECK_EQ(cancelled, !never);
                CHECK_EQ((belay_now() - begin) / BELAY_SECOND, never ? 3601 : 10);
                close(fd);
        }
        return 0;
}

/* A second request ends the grace, also after a stop. The first request still counts. */
static int second_request(void *arg) {
        (void) arg;
        for (int stops = 0; stops < 2; stops++) {
                belay_time begin, span = BELAY_HOUR;
                struct server server = { .arg = &span, .options.grace = BELAY_MINUTE };
                int fd;

                forget_all();
                start_server(&server, IPV4, lasts);
                fd = connect_plainly(server.listener);
                let_run();
                CHECK_EQ(begun, 1);
                begin = belay_now();
                if (stops)
                        CHECK_EQ(belay_serve_stop(server.listener), 0);
                else
                        CHECK(belay_cancel(server.task, NULL));
                CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
                CHECK(!server.done);
                CHECK(belay_cancel(server.task, NULL));
                end_server(&server, -ECANCELED);
                CHECK_EQ(cancelled, 1);
                CHECK_EQ(belay_now(), begin + BELAY_SECOND);
                close(fd);
        }
        return 0;
}

/*
 * Further requests while a handler cleans up neither make the server return before it nor shorten
 * the cleanup.
 */
static int third_request(void *arg) {
        belay_time begin, span = BELAY_HOUR;
        struct server server = { .arg = &span, .options.grace = BELAY_MINUTE };
        int fd;

        (void) arg;
        forget_all();
        start_server(&server, IPV4, cleans_up);
        fd = connect_plainly(server.listener);
        let_run();
        begin = belay_now();
        for (int i = 0; i < 4; i++) {
                CHECK(belay_cancel(server.task, NULL));
                let_run();
        }
        end_server(&server, -ECANCELED);
        CHECK_EQ(begun, 1);
        CHECK_EQ(ended, 1);
        CHECK_EQ(belay_now(), begin + 3 * BELAY_SECOND);
        close(fd);
        return 0;
}

/* Another task closes the listener. Accepting fails permanently. */
static int closed_beneath(void *arg) {
        struct server server = { .options.grace = BELAY_SECOND };
        int fd;

        (void) arg;
        forget_all();
        start_server(&server, IPV4, echo);
        fd = connect_plainly(server.listener);
        let_run();
        belay_listener_close(server.listener);
        CHECK_EQ(belay_join(server.task, NULL), 0);
        CHECK_EQ(server.result, -EBADF);
        CHECK_EQ(begun, 1);
        CHECK_EQ(cancelled, 1);
        belay_release(server.task);
        close(fd);
        return 0;
}

/*
 * The server is cancelled before the first step of a connection's task. The handler never runs, and
 * the connection is closed.
 */
static int before_the_first_step(void *arg) {
        enum kind kind = *(enum kind *) arg;
        int open_before = open_count();
        struct server server = { 0 };
        int fd, byte;

        forget_all();
        start_server(&server, kind, echo);
        fd = connect_plainly(server.listener);
        while (belay_serve_count(server.listener) == 0)
                CHECK_EQ(belay_yield(), 0);
        if (begun == 0) {
                /* Both requests at once, while the connection's task is new. */
                CHECK(belay_cancel(server.task, NULL));
                CHECK(belay_cancel(server.task, NULL));
        } else {
                CHECK(belay_cancel(server.task, NULL));
                let_run();
                CHECK(belay_cancel(server.task, NULL));
        }
        end_server(&server, -ECANCELED);
        byte = next_byte(fd);
        CHECK(byte == -1 || byte == RESET);
        CHECK_EQ(begun, ended);
        close(fd);
        CHECK_EQ(open_count(), open_before);
        return 0;
}

/* ---- the limit on connections ---- */

static int at_most(void *arg) {
        enum { CLIENTS = 10, MOST = 3 };
        struct server server = { .options.most = MOST, .options.grace = BELAY_SECOND };
        int fds[CLIENTS];

        forget_all();
        start_server(&server, *(enum kind *) arg, echo);
        for (int i = 0; i < CLIENTS; i++) {
                fds[i] = connect_plainly(server.listener);
                put_byte(fds[i], (unsigned char) i);
        }
        for (int i = 0; i < CLIENTS; i++) {
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
                CHECK_EQ(belay_serve_count(server.listener),
                         CLIENTS - i < MOST ? CLIENTS - i : MOST);
                CHECK_EQ(begun, i + MOST < CLIENTS ? i + MOST : CLIENTS);
                CHECK_EQ(next_byte(fds[i]), i);
                CHECK_EQ(shutdown(fds[i], SHUT_WR), 0);
                CHECK_EQ(next_byte(fds[i]), -1);
                close(fds[i]);
        }
        CHECK_EQ(belay_serve_stop(server.listener), 0);
        end_server(&server, 0);

        /* A server at its limit can be stopped and cancelled. */
        for (int stops = 0; stops < 2; stops++) {
                server.options.most = 1;
                start_server(&server, IPV4, echo);
                fds[0] = connect_plainly(server.listener);
                fds[1] = connect_plainly(server.listener);
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
                CHECK_EQ(belay_serve_count(server.listener), 1);
                if (stops)
                        CHECK_EQ(belay_serve_stop(server.listener), 0);
                else
                        CHECK(belay_cancel(server.task, NULL));
                end_server(&server, stops ? 0 : -ECANCELED);
                close(fds[0]);
                close(fds[1]);
        }
        return 0;
}

/* ---- graceful closing ---- */

static int answers(belay_stream *stream, void *arg) {
        (void) arg;
        begun++;
        return belay_write(stream, "ok", 2) == 2 ? 0 : -EIO;
}

/*
 * Data that a client sends late must not make it lose the answer. A client that never ends is
 * closed after the limit.
 */
static int goodbye(void *arg) {
        (void) arg;
        for (int given = 0; given < 2; given++) {
                struct server server = { .options.close_limit = given ? 7 * BELAY_SECOND : 0 };
                belay_time begin;
                int fds[2];

                start_server(&server, IPV4, answers);
                for (int i = 0; i < 2; i++)
                        fds[i] = connect_plainly(server.listener);
                begin = belay_now();
                for (int i = 0; i < 2; i++) {
                        CHECK_EQ(send(fds[i], "late question", 13, MSG_NOSIGNAL), 13);
                        CHECK_EQ(next_byte(fds[i]), 'o');
                        CHECK_EQ(next_byte(fds[i]), 'k');
                        CHECK_EQ(next_byte(fds[i]), -1);
                }
                close(fds[0]);
                /* The handlers have returned. */
                CHECK_EQ(belay_serve_count(server.listener), 0);
                while (belay_serve_lingering(server.listener) > 0)
                        CHECK_EQ(belay_sleep(100 * BELAY_MILLISECOND), 0);
                CHECK_EQ((belay_now() - begin) / BELAY_SECOND, given ? 7 : 1);
                close(fds[1]);
                CHECK_EQ(belay_serve_stop(server.listener), 0);
                end_server(&server, 0);
        }
        return 0;
}

/* ---- handlers that fail ---- */

static int fails(belay_stream *stream, void *arg) {
        char byte;

        (void) arg;
        CHECK_EQ(belay_read(stream, &byte, 1), 1);
        return byte == 'a'   ? belay_fail(-EPROTO, "bad \nheader")
               : byte == 'b' ? -EPIPE
               : byte == 'c' ? -ECONNRESET
               : byte == 'd' ? -ECANCELED
                             : 0;
}

static int told[8];
static unsigned told_count;
static int told_arg;

static void on_failure(belay_stream *stream, int rc, void *arg) {
        belay_failure *failure;

        CHECK(arg == &told_arg);
        CHECK(belay_self() != NULL);
        CHECK(strncmp(belay_stream_name(stream), "tcp ", 4) == 0);
        /* The stream is still open, and the callback may wait. */
        CHECK_EQ(belay_write(stream, "?", 1), 1);
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        told[told_count++] = rc;
        failure = belay_failure_take(rc);
        CHECK_STR(belay_failure_text(failure), rc == -EPROTO ? "bad \nheader" : NULL);
        belay_failure_release(failure);
}

static int failures(void *arg) {
        (void) arg;
        for (int asks = 0; asks < 2; asks++) {
                struct server server = { .arg = &told_arg,
                                         .options.failed = asks ? on_failure : NULL };
                int fds[5];

                told_count = 0;
                keep_lines();
                start_server(&server, IPV4, fails);
                for (int i = 0; i < 5; i++) {
                        fds[i] = connect_plainly(server.listener);
                        put_byte(fds[i], (unsigned char) ('a' + i));
                        if (asks && i < 4)
                                CHECK_EQ(next_byte(fds[i]), '?');
                        CHECK_EQ(next_byte(fds[i]), i < 4 ? RESET : -1);
                        close(fds[i]);
                        CHECK_EQ(belay_sleep(2 * BELAY_SECOND), 0);
                        CHECK(!server.done);
                }
                CHECK_EQ(belay_serve_count(server.listener), 0);
                CHECK_EQ(belay_serve_stop(server.listener), 0);
                end_server(&server, 0);
                if (asks) {
                        CHECK_EQ(told_count, 4);
                        CHECK_EQ(told[0], -EPROTO);
                        CHECK_EQ(told[1], -EPIPE);
                        CHECK_EQ(told[2], -ECONNRESET);
                        CHECK_EQ(told[3], -ECANCELED);
                        CHECK_EQ(kept_count, 0);
                } else {
                        CHECK_EQ(kept_count, 1);
                        /* The line contains the failure's text, without line breaks. */
                        CHECK_LINES(1, "Protocol error: bad ?header");
                        CHECK_LINES(1, "127.0.0.1:");
                        CHECK_EQ(kept_lines[0].level, BELAY_LOG_WARNING);
                }
                belay_set_log(NULL, NULL);
        }
        return 0;
}

/* ---- handlers that close their stream ---- */

static int closes(belay_stream *stream, void *arg) {
        char byte;

        (void) arg;
        CHECK_EQ(belay_read(stream, &byte, 1), 1);
        if (byte & 1)
                belay_abort(stream);
        else
                CHECK_EQ(belay_close(stream, byte & 2 ? BELAY_SECOND : 0),
                         byte & 2 ? -ETIMEDOUT : 0);
        return byte & 4 ? -EPROTO : 0;
}

static int abort_it(void *arg) {
        belay_abort(arg);
        return 0;
}

/*
 * Another task closes the stream, while the handler waits in it or while the server closes it
 * gracefully.
 */
static int is_closed(belay_stream *stream, void *arg) {
        char byte;

        (void) arg;
        CHECK_EQ(belay_read(stream, &byte, 1), 1);
        /*
         * If the handler fails, the server aborts the stream, and there is no graceful close to
         * interrupt.
         */
        if (byte & 1 || !(byte & 4))
                belay_release(must(belay_spawn(abort_it, stream)));
        if (byte & 1)
                CHECK_EQ(belay_read(stream, &byte, 1), -EBADF);
        return byte & 4 ? -EPROTO : 0;
}

static unsigned told_of_none;

static void close_on_failure(belay_stream *stream, int rc, void *arg) {
        (void) arg;
        CHECK_EQ(rc, -EPROTO);
        told_of_none += stream == NULL;
        belay_abort(stream);
}

static int handlers_that_close(void *arg) {
        (void) arg;
        for (int round = 0; round < 4; round++) {
                struct server server = { .options.failed = round & 1 ? close_on_failure : NULL };
                int fds[8], open_before = open_count();

                told_of_none = 0;
                keep_lines();
                start_server(&server, IPV4, round & 2 ? is_closed : closes);
                for (int i = 0; i < 8; i++) {
                        fds[i] = connect_plainly(server.listener);
                        put_byte(fds[i], (unsigned char) ('h' + i));
                }
                CHECK_EQ(belay_sleep(BELAY_MINUTE), 0);
                CHECK(!server.done);
                CHECK_EQ(belay_serve_count(server.listener), 0);
                for (int i = 0; i < 8; i++) {
                        CHECK(take_byte(fds[i]) != NOTHING_YET);
                        close(fds[i]);
                }
                CHECK_EQ(belay_serve_stop(server.listener), 0);
                end_server(&server, 0);
                /* Four handlers failed, and each is reported once. */
                CHECK_EQ(kept_count, round & 1 ? 0 : 4);
                CHECK(!(round & 1) || (round & 2 ? told_of_none == 2 : told_of_none == 4));
                belay_set_log(NULL, NULL);
                /* In the first round the loop opened its own descriptors. */
                CHECK(round == 0 || open_count() == open_before);
        }
        return 0;
}

/* Peers can make handlers fail as often as they like, so the number of log lines is limited. */
static int many_failures(void *arg) {
        struct server server = { 0 };

        (void) arg;
        keep_lines();
        start_server(&server, IPV4, fails);
        for (int i = 0; i < 100; i++) {
                int fd = connect_plainly(server.listener);

                put_byte(fd, 'a');
                CHECK_EQ(next_byte(fd), RESET);
                close(fd);
        }
        CHECK_EQ(belay_serve_stop(server.listener), 0);
        end_server(&server, 0);
        CHECK_LINES(8, "Protocol error: bad ?header");
        CHECK_EQ(kept_count, 8);
        return 0;
}

static void check_many_failures(void) {
        RUN_VIRTUAL(many_failures);
        CHECK_EQ(kept_count, 9);
        CHECK_LINES(1, "92 lines were omitted, like: connection tcp 127.0.0.1:");
        belay_set_log(NULL, NULL);
}

/* ---- misuse ---- */

static int refuses(void *arg) {
        struct server server = { 0 };
        belay_listener *listener = listener_of(IPV4);

        (void) arg;
        keep_lines();
        CHECK_EQ(belay_serve(listener, echo, NULL, BELAY_OPTIONS(belay_serve_options, .grace = -1)),
                 -EINVAL);
        CHECK_EQ(belay_serve(listener, echo, NULL,
                             BELAY_OPTIONS(belay_serve_options, .close_limit = -1)),
                 -EINVAL);
        CHECK_EQ(belay_serve_stop(listener), -ESRCH);
        CHECK_EQ(belay_serve_count(listener), 0);
        belay_listener_close(listener);
        CHECK_EQ(kept_count, 0);
        start_server(&server, IPV4, echo);
        CHECK_EQ(belay_serve(server.listener, echo, NULL, NULL), -EBUSY);
        CHECK_LINES(1, "belay_serve()");
        CHECK_EQ(belay_serve_stop(server.listener), 0);
        CHECK_EQ(belay_serve_stop(server.listener), 0);
        end_server(&server, 0);
        belay_set_log(NULL, NULL);
        return 0;
}

/* A listener that has been served at does not listen any more. */
static int twice(void *arg) {
        struct server server = { 0 };

        (void) arg;
        start_server(&server, IPV4, echo);
        CHECK_EQ(belay_serve_stop(server.listener), 0);
        CHECK_EQ(belay_join(server.task, NULL), 0);
        CHECK_EQ(belay_serve(server.listener, echo, NULL, NULL), -EBADF);
        end_server(&server, 0);
        return 0;
}

/* ---- */

static void all(void) {
        RUN_KINDS_VIRTUAL(echoes);
        RUN_VIRTUAL(ends_empty);
        RUN_VIRTUAL(grace);
        RUN_VIRTUAL(graces);
        RUN_VIRTUAL(second_request);
        RUN_VIRTUAL(third_request);
        RUN_VIRTUAL(closed_beneath);
        RUN_KINDS_VIRTUAL(before_the_first_step);
        RUN_KINDS_VIRTUAL(at_most);
        RUN_VIRTUAL(goodbye);
        RUN_VIRTUAL(failures);
        RUN_VIRTUAL(handlers_that_close);
        check_many_failures();
        RUN_VIRTUAL(refuses);
        RUN_VIRTUAL(twice);
}

int main(void) {
        on_back_ends(all);
        return 0;
}
