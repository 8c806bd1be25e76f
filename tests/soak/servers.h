/* SPDX-License-Identifier: MIT */
/*
 * Servers. They find out which conversation a client begins, and run its other side. They are
 * stopped, with and without grace, and started again.
 */
#ifndef BELAY_SOAK_SERVERS_H
#define BELAY_SOAK_SERVERS_H

#include "soak/round.h"

#define UP_MOST (60 * BELAY_MILLISECOND)

/* ---- a connection ---- */

static inline enum fate fate_of_server(struct dice *dice) {
        return one_in(dice, 10) ? (enum fate)(1 + below(dice, FATES - 1)) : FINISH;
}

/* Returns NULL if the client sent no valid greeting. */
static inline struct talk *greeted_by(struct server *server, belay_stream *stream) {
        struct greeting greeting;
        belay_timeout limit;
        ssize_t size;
        int rc;

        belay_timeout_enter(&limit, PATIENCE);
        size = belay_read_exactly(stream, &greeting, sizeof(greeting));
        rc = belay_timeout_leave(&limit, size < 0 ? (int) size : 0);
        if (rc == -ETIMEDOUT)
                wrong(NULL, "no greeting came for a minute");
        return size == sizeof(greeting) ? talk_of(server->round, &greeting) : NULL;
}

/* Leaves *side unchanged if there is no talk. */
static inline int talk_with_client(struct server *server, belay_stream *stream, struct side *side,
                                   bool is_lent) {
        struct talk *talk = greeted_by(server, stream);
        int rc;

        if (talk == NULL)
                return 0;
        side_init(side, talk, 1, stream);
        side->is_lent = is_lent;
        side->other_in = sizeof(struct greeting);
        rc = run_side(side, fate_of_server(&side->dice[BODY]));
        /*
         * The client, which may run in another thread, has made its entries and no longer reads
         * those of this side.
         */
        return rc;
}

static inline int handle(belay_stream *stream, void *arg) {
        struct side side = { .stream = NULL };
        int rc = talk_with_client(arg, stream, &side, true);

        if (side.talk == NULL)
                return rc;
        check_counts(&side);
        if (is_complete(&side))
                return 0;
        side.talk->broke_off[1] = true;
        if (one_in(&side.dice[BODY], 2))
                return 0;
        return rc < 0 ? rc : -ECONNABORTED;
}

static inline void ignore(belay_stream *stream, int rc, void *arg) {
        (void) stream, (void) rc, (void) arg;
}

/* ---- served ---- */

struct serving {
        struct server *server;
        belay_listener *listener;
        belay_serve_options options;
};

static inline int serve(void *arg) {
        struct serving *serving = arg;

        return belay_serve(serving->listener, handle, serving->server, &serving->options);
}

static inline int listen_for(struct server *server, belay_listener **listener) {
        char endpoint[BELAY_ADDRESS_TEXT];

        if (server->kind == SERVE_UNIX)
                snprintf(endpoint, sizeof(endpoint), "unix:%s/socket%d", server->round->directory,
                         server->loop);
        else
                snprintf(endpoint, sizeof(endpoint), "%s",
                         server->kind == SERVE_TCP6 ? "[::1]:0" : "127.0.0.1:0");
        return belay_listen(listener, endpoint, NULL);
}

/* Stops a server in one of the possible ways: belay_serve_stop(), or one or two cancellations. */
static inline void stop_serving(struct server *server, belay_listener *listener, belay_task *task) {
        int expected = -ECANCELED, outcome = 1;

        /* -ESRCH: the server does not accept yet, so it is cancelled instead. */
        if (one_in(&server->dice, 2) && belay_serve_stop(listener) == 0)
                expected = 0;
        else
                belay_cancel(task, "closing time");
        if (one_in(&server->dice, 4)) {
                (void) !belay_sleep(some_time(&server->dice, PAUSE_MOST));
                belay_cancel(task, "closing time, indeed");
        }
        if (belay_join(task, &outcome) < 0
            && belay_cancel_wait(task, "it is over", BELAY_NEVER, &outcome) < 0)
                wrong(NULL, "serving did not end");
        if (outcome != expected && outcome != -ECANCELED)
                wrong(NULL, "serving came to %d", outcome);
        if (belay_serve_count(listener) != 0)
                wrong(NULL, "serving ended with connections");
}

static inline int serve_for_a_while(struct server *server) {
        struct serving serving = {
                .server = server,
                .options = {
                        .size = sizeof(belay_serve_options),
                        .most = one_in(&server->dice, 3) ? 1 + below(&server->dice, 20) : 0,
                        .grace = 1 + some_time(&server->dice, UP_MOST),
                        .close_limit = 1 + some_time(&server->dice, UP_MOST),
                        .failed = ignore,
                },
        };
        belay_time end = belay_now() + some_time(&server->dice, UP_MOST);
        belay_task *task;
        int rc = listen_for(server, &serving.listener);

        if (rc < 0)
                return rc;
        publish(server, belay_listener_endpoint(serving.listener));
        task = belay_spawn(serve, &serving);
        while (rc == 0 && belay_now() < end && !is_over(server->round))
                rc = belay_sleep(BELAY_MILLISECOND);
        publish(server, "");
        if (task != NULL)
                stop_serving(server, serving.listener, task);
        belay_release(task);
        belay_listener_close(serving.listener);
        count(&totals.restarts, 1);
        return rc;
}

static inline int keep_serving(void *arg) {
        struct server *server = arg;
        int rc = 0;

        while (rc == 0 && !is_over(server->round))
                rc = serve_for_a_while(server);
        if (rc < 0)
                wrong(NULL, "a server ended with %d", rc);
        return 0;
}

/* ---- accepting without belay_serve() ---- */

struct guest {
        struct server *server;
        belay_stream *stream; /* NULL: closed */
};

static inline int receive_guest(void *arg) {
        struct guest *guest = arg;
        struct side side = { .stream = NULL };
        belay_stream *stream = guest->stream;

        guest->stream = NULL;
        (void) !talk_with_client(guest->server, stream, &side, false);
        if (side.talk != NULL)
                finish_side(&side);
        else
                belay_abort(stream);
        return 0;
}

static inline void forget_guest(void *arg) {
        struct guest *guest = arg;

        belay_abort(guest->stream);
        free(guest);
}

struct accepting {
        struct server *server;
        belay_listener *listener; /* NULL: closed */
        belay_group *guests;
        struct dice dice;
};

static inline int take_in(struct accepting *accepting, belay_stream *stream) {
        struct guest *guest = malloc(sizeof(*guest));
        int rc;

        if (guest == NULL)
                return -ENOMEM;
        *guest = (struct guest) { accepting->server, stream };
        rc = belay_group_spawn_with(accepting->guests, receive_guest, guest,
                                    BELAY_OPTIONS(belay_spawn_options, .destroy = forget_guest),
                                    NULL);
        if (rc < 0) {
                free(guest);
                return rc;
        }
        atomic_fetch_add(&accepting->server->accepted, 1);
        count(&totals.accepts, 1);
        return 0;
}

/*
 * Accepts under timeouts, most of which are too short. A timeout that expires must not lose a
 * connection.
 */
static inline int keep_accepting(void *arg) {
        struct accepting *accepting = arg;
        int rc = 0;

        while (rc == 0 && accepting->listener != NULL) {
                belay_stream *stream;
                belay_timeout limit;

                belay_timeout_enter(&limit, some_time(&accepting->dice, PAUSE_MOST));
                rc = belay_accept(accepting->listener, &stream);
                if (rc == 0) {
                        rc = take_in(accepting, stream);
                        if (rc < 0)
                                belay_abort(stream);
                }
                rc = belay_timeout_leave(&limit, rc);
                if (rc == -ETIMEDOUT)
                        rc = 0;
        }
        return rc == -EBADF ? 0 : rc;
}

static inline bool has_accepted_all(struct server *server) {
        return atomic_load(&server->accepted) >= atomic_load(&server->connected);
}

static inline int await_connections(struct server *server) {
        belay_time end = belay_now() + PATIENCE;
        int rc = 0;

        while (rc == 0 && (!is_over(server->round) || !has_accepted_all(server))) {
                if (is_over(server->round) && belay_now() > end) {
                        wrong(NULL, "of %u connections %u were accepted",
                              atomic_load(&server->connected), atomic_load(&server->accepted));
                        break;
                }
                rc = belay_sleep(BELAY_MILLISECOND);
        }
        return rc;
}

static inline int accept_by_hand(void *arg) {
        struct server *server = arg;
        struct accepting accepting[3] = { 0 };
        belay_listener *listener;
        belay_group guests;
        int rc = listen_for(server, &listener);

        if (rc < 0) {
                wrong(NULL, "listening came to %d", rc);
                return 0;
        }
        publish(server, belay_listener_endpoint(listener));
        belay_group_enter(&guests);
        for (size_t i = 0; i < 3 && rc == 0; i++) {
                accepting[i] = (struct accepting) { server, listener, &guests,
                                                    dice_of(server->dice, i) };
                rc = belay_group_spawn(&guests, keep_accepting, &accepting[i]);
        }
        if (rc == 0)
                rc = await_connections(server);
        publish(server, "");
        for (size_t i = 0; i < 3; i++)
                accepting[i].listener = NULL;
        belay_listener_close(listener);
        rc = belay_group_leave(&guests, rc);
        if (rc < 0)
                wrong(NULL, "accepting ended with %d", rc);
        return 0;
}

#endif
