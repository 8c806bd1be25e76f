/* SPDX-License-Identifier: MIT */
/*
 * Clients. They connect to any server that is up, in this loop or in the other one, and run one
 * side of a conversation. A client that uses a pair of sockets or a pipe runs both sides.
 */
#ifndef BELAY_SOAK_CLIENTS_H
#define BELAY_SOAK_CLIENTS_H

#include "soak/round.h"

enum { AT_ONCE = 40, TRIES = 2000 };

struct client {
        struct half *half;
        struct talk *talk;
};

static inline enum fate fate_of_client(struct dice *dice) {
        return one_in(dice, 5) ? (enum fate)(1 + below(dice, FATES - 1)) : FINISH;
}

/* ---- connecting ---- */

static inline struct server *some_server(struct half *half, struct dice *dice) {
        struct server *server;

        do
                server = &half->round->servers[below(dice, (uint64_t) half->round->loops)]
                                              [below(dice, SERVERS)];
        while (server->kind == SERVE_TCP6 && !has_ipv6);
        return server;
}

/* Returns whether a connection failed because the server shuts down or did so recently. */
static inline bool is_refusal(int rc) {
        return rc == -ECONNREFUSED || rc == -ENOENT || rc == -ECONNRESET || rc == -ETIMEDOUT
               || rc == -EAGAIN;
}

static inline int connect_once(struct server *server, struct dice *dice, belay_stream **stream) {
        char endpoint[BELAY_ADDRESS_TEXT], named[BELAY_ADDRESS_TEXT + 16];
        belay_timeout limit;
        int rc;

        *stream = NULL;
        if (!endpoint_of(server, endpoint, sizeof(endpoint)))
                return -ECONNREFUSED;
        snprintf(named, sizeof(named), "%s", endpoint);
        if (has_localhost && strncmp(endpoint, "127.0.0.1:", 10) == 0 && one_in(dice, 10))
                snprintf(named, sizeof(named), "localhost%s", strchr(endpoint, ':'));
        belay_timeout_enter(&limit, one_in(dice, 8) ? some_time(dice, PAUSE_MOST) : PATIENCE);
        rc = belay_connect(stream, named, NULL);
        rc = belay_timeout_leave(&limit, rc);
        if ((rc == 0) != (*stream != NULL))
                wrong(NULL, "connecting came to %d and %s stream", rc,
                      *stream != NULL ? "a" : "no");
        if (rc < 0 && !is_refusal(rc) && rc != -ECANCELED)
                wrong(NULL, "connecting to %s came to %d", named, rc);
        return rc;
}

static inline int connect_somewhere(struct half *half, struct dice *dice, struct server **server,
                                    belay_stream **stream) {
        int rc = -ECONNREFUSED;

        for (int i = 0; i < TRIES && is_refusal(rc); i++) {
                *server = some_server(half, dice);
                rc = connect_once(*server, dice, stream);
                if (is_refusal(rc)) {
                        count(&totals.refused, 1);
                        if (belay_sleep(some_time(dice, 2 * PAUSE_MOST)) < 0)
                                return -ECANCELED;
                }
        }
        return rc;
}

/* ---- a client that connects ---- */

static inline int greet(struct side *side) {
        struct greeting greeting = { GREETING, side->talk->id, this_run };
        ssize_t size = belay_write(side->stream, &greeting, sizeof(greeting));

        side->other_out = sizeof(greeting);
        return size == (ssize_t) sizeof(greeting) ? 0 : size < 0 ? (int) size : -ECONNRESET;
}

static inline int talk_to_server(struct client *client) {
        struct talk *talk = client->talk;
        struct dice dice = dice_of(talk->dice, 100);
        struct server *server;
        belay_stream *stream;
        struct side side;
        int rc = connect_somewhere(client->half, &dice, &server, &stream);

        if (rc < 0)
                return rc;
        atomic_fetch_add(&server->connected, 1);
        count(&totals.connections, 1);
        talk->transport = server->kind == SERVE_UNIX ? UNIX : TCP;
        talk->must_begin = server->kind == ACCEPT_TCP;
        hand_over(client->half->round);
        side_init(&side, talk, 0, stream);
        if (one_in(&dice, 30)) {
                /* This client has nothing to say. */
                if (one_in(&dice, 2))
                        belay_abort(stream);
                else
                        belay_close(stream, some_time(&dice, PAUSE_MOST));
                return 0;
        }
        rc = greet(&side);
        if (rc < 0) {
                belay_abort(stream);
                return rc;
        }
        rc = run_side(&side, fate_of_client(&dice));
        finish_side(&side);
        return rc;
}

/* ---- both sides in one client ---- */

struct twin {
        struct side side;
        enum fate fate;
};

static inline int be_twin(void *arg) {
        struct twin *twin = arg;

        (void) !run_side(&twin->side, twin->fate);
        finish_side(&twin->side);
        twin->side.stream = NULL;
        return 0;
}

static inline int talk_to_oneself(struct client *client) {
        struct talk *talk = client->talk;
        belay_stream *ends[2];
        struct twin twins[2];
        struct dice dice = dice_of(talk->dice, 101);
        belay_group group;
        int rc;

        rc = talk->transport == PAIR ? belay_stream_pair(&ends[0], &ends[1])
                                     : belay_stream_pipe(&ends[1], &ends[0]);
        if (rc < 0)
                return rc;
        count(&totals.connections, 1);
        belay_group_enter(&group);
        for (int i = 0; i < 2; i++) {
                side_init(&twins[i].side, talk, i, ends[i]);
                twins[i].fate = fate_of_client(&dice);
        }
        if (talk->transport == PIPE)
                twins[0].side.in = twins[1].side.out = NULL;
        for (int i = 0; i < 2 && rc == 0; i++)
                rc = belay_group_spawn(&group, be_twin, &twins[i]);
        rc = belay_group_leave(&group, rc);
        for (int i = 0; i < 2; i++)
                belay_abort(twins[i].side.stream);
        return rc;
}

/* ---- one client, and all of them ---- */

static inline int be_client(void *arg) {
        struct client *client = arg;
        struct talk *talk = client->talk;
        bool is_alone = talk->transport == PAIR || talk->transport == PIPE;
        int rc = is_alone ? talk_to_oneself(client) : talk_to_server(client);

        if (rc == -ECANCELED || rc == -ETIMEDOUT)
                count(&totals.cancelled, 1);
        else if (rc < 0 && !is_refusal(rc) && rc != -EPIPE)
                wrong(talk, "a client ended with %d", rc);
        return 0;
}

/*
 * Runs this loop's share of the conversations, at most AT_ONCE at a time. Some of the clients are
 * cancelled, at any of their waits.
 */
static inline int run_clients(struct half *half) {
        struct round *round = half->round;
        struct client *clients = calloc(round->talk_count, sizeof(*clients));
        struct dice dice = dice_of(half->dice, 7);
        belay_group group;
        int rc = clients != NULL ? 0 : -ENOMEM;

        belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .limit = AT_ONCE));
        for (unsigned i = (unsigned) half->loop; i < round->talk_count && rc == 0;
             i += (unsigned) round->loops) {
                belay_task *task = NULL;

                clients[i] = (struct client) { half, &round->talks[i] };
                rc = belay_group_spawn_with(&group, be_client, &clients[i], NULL, &task);
                if (rc == 0 && one_in(&dice, 30))
                        rc = belay_sleep(some_time(&dice, PAUSE_MOST));
                if (task != NULL && one_in(&dice, 30))
                        belay_cancel(task, "a client too many");
                belay_release(task);
        }
        rc = belay_group_leave(&group, rc);
        free(clients);
        return rc;
}

#endif
