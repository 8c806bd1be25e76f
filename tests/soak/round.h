/* SPDX-License-Identifier: MIT */
/*
 * A round: a number of conversations between the clients and the servers of one or two loops, each
 * in its own thread. This file has what the threads share.
 */
#ifndef BELAY_SOAK_ROUND_H
#define BELAY_SOAK_ROUND_H

#include "soak/side.h"

enum { LOOPS_MOST = 2, TALKS_MOST = 2000, GREETING = 0x62656c79 };

/*
 * The servers of a loop. Three use belay_serve() and are stopped and started again. One accepts by
 * itself and runs to the end of the round.
 */
enum { SERVE_TCP, SERVE_TCP6, SERVE_UNIX, ACCEPT_TCP, SERVERS };

/*
 * The first message of a client. A port that was closed recently may belong to another process that
 * runs a soak test. Clients of that process are recognized by `run`.
 */
struct greeting {
        uint32_t magic, id;
        uint64_t run;
};

static uint64_t this_run;

struct server {
        struct round *round;
        int loop, kind;
        struct dice dice;
        pthread_mutex_t mutex;             /* protects `endpoint` */
        char endpoint[BELAY_ADDRESS_TEXT]; /* "": closed at the moment */
        atomic_uint connected, accepted;
};

struct round {
        struct dice dice;
        int loops;
        unsigned talk_count; /* of all loops */
        struct talk talks[TALKS_MOST];
        pthread_mutex_t mutex; /* protects talks that pass from a client to a server */
        struct server servers[LOOPS_MOST][SERVERS];
        atomic_int busy; /* number of loops whose clients have not all ended */
        char directory[80];
};

/* The part of one loop in a round. */
struct half {
        struct round *round;
        int loop;
        struct dice dice;
};

struct totals {
        atomic_ullong connections, refused, broken, cancelled, accepts, restarts, bytes;
        atomic_ullong datagrams, descriptors, files, lookups, waits;
};

static struct totals totals;
static bool has_ipv6, has_localhost;

static inline void count(atomic_ullong *total, uint64_t more) {
        atomic_fetch_add_explicit(total, more, memory_order_relaxed);
}

static inline bool is_over(const struct round *round) {
        return atomic_load(&((struct round *) round)->busy) == 0;
}

/* ---- endpoints ---- */

static inline void publish(struct server *server, const char *text) {
        pthread_mutex_lock(&server->mutex);
        snprintf(server->endpoint, sizeof(server->endpoint), "%s", text);
        pthread_mutex_unlock(&server->mutex);
}

static inline bool endpoint_of(struct server *server, char *text, size_t size) {
        pthread_mutex_lock(&server->mutex);
        snprintf(text, size, "%s", server->endpoint);
        pthread_mutex_unlock(&server->mutex);
        return *text != '\0';
}

/* ---- talks ---- */

static inline void init_talk(struct talk *talk, uint32_t id, enum transport transport,
                             struct dice dice) {
        *talk = (struct talk) { .id = id, .transport = transport, .dice = dice };
        dice = dice_of(dice, 0);
        talk->is_echo = transport != PIPE && one_in(&dice, 3);
        for (int i = 0; i < 2; i++) {
                talk->ways[i].offset = roll(&dice) % PERIOD;
                talk->ways[i].planned = some(&dice, one_in(&dice, 10) ? 3 * PERIOD : 30000);
        }
        if (talk->is_echo) {
                talk->ways[1].offset = talk->ways[0].offset;
                talk->ways[1].planned = talk->ways[0].planned;
        }
        if (transport == PIPE)
                talk->ways[1].planned = 0;
}

/*
 * Synchronizes memory with the other thread. Data that one thread hands to another passes under the
 * mutex.
 */
static inline void hand_over(struct round *round) {
        pthread_mutex_lock(&round->mutex);
        pthread_mutex_unlock(&round->mutex);
}

static inline struct talk *talk_of(struct round *round, const struct greeting *greeting) {
        if (greeting->magic == GREETING && greeting->run != this_run)
                return NULL;
        if (greeting->magic != GREETING || greeting->id == 0 || greeting->id > round->talk_count) {
                wrong(NULL, "a greeting says %x, %u", greeting->magic, greeting->id);
                return NULL;
        }
        hand_over(round);
        return &round->talks[greeting->id - 1];
}

#endif
