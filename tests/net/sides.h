/* SPDX-License-Identifier: MIT */
/*
 * For tests that connect to several addresses: peers that answer, refuse, or do not react.
 */
#ifndef BELAY_TESTS_SIDES_H
#define BELAY_TESTS_SIDES_H

#include "net/plain.h"

#include "net/connect.h"

enum side {
        ANSWERS,   /* a listener */
        SILENT,    /* a listener whose backlog is full */
        REFUSES,   /* no socket */
        MISSING,   /* a Unix socket's file that does not exist */
        UNIX_FULL, /* a Unix socket whose backlog is full */
};

enum { SIDES_MOST = 6, FILLERS = 4 };

static belay_address addresses[SIDES_MOST];
static int listeners[SIDES_MOST], fillers[SIDES_MOST][FILLERS];
static size_t side_count;

static inline void open_side(size_t i, enum side side) {
        bool is_full = side == SILENT || side == UNIX_FULL;
        enum kind kind = side == UNIX_FULL ? UNIX_ABSTRACT : IPV4;

        listeners[i] = -1;
        if (side == REFUSES || side == MISSING) {
                addresses[i] = deserted_address(side == REFUSES ? IPV4 : UNIX_PATH, SOCK_STREAM);
                return;
        }
        listeners[i] = listening_socket(kind, is_full ? 0 : 5, &addresses[i]);
        for (int j = 0; j < FILLERS; j++) {
                fillers[i][j] = -1;
                if (!is_full)
                        continue;
                fillers[i][j] = socket(family_of(&addresses[i]),
                                       SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
                CHECK(fillers[i][j] >= 0);
                (void) connect(fillers[i][j], sockaddr_of(&addresses[i]), addresses[i].length);
        }
}

static inline void open_sides(size_t count, const enum side *sides) {
        side_count = count;
        for (size_t i = 0; i < count; i++)
                open_side(i, sides[i]);
}

#define OPEN_SIDES(...)                                                       \
        open_sides(sizeof((enum side[]) { __VA_ARGS__ }) / sizeof(enum side), \
                   (enum side[]) { __VA_ARGS__ })

static inline void close_sides(void) {
        for (size_t i = 0; i < side_count; i++) {
                if (listeners[i] < 0)
                        continue;
                close(listeners[i]);
                for (int j = 0; j < FILLERS; j++)
                        if (fillers[i][j] >= 0)
                                close(fillers[i][j]);
        }
}

static inline int connect_any(belay_time stagger, belay_stream **stream) {
        struct bly_connect how = {
                .io = bly_loop->io, .place = BELAY_HERE, .endpoint = "all sides", .stagger = stagger
        };

        return bly_connect_any(&how, addresses, side_count, stream);
}

/* Returns whether the stream leads to peer number `i`. */
static inline bool leads_to(belay_stream *stream, size_t i) {
        belay_address peer = { .length = sizeof(peer.address) };

        CHECK_EQ(getpeername(belay_stream_fd(stream), sockaddr_of(&peer), &peer.length), 0);
        return peer.length == addresses[i].length
               && memcmp(peer.address, addresses[i].address, peer.length) == 0;
}

#endif
