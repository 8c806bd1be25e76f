/* SPDX-License-Identifier: MIT */
/*
 * Tests connecting with each wait cancelled. A cancelled call must leave either a connection or
 * nothing: no stream, no socket, no name of a Unix socket.
 */
#define _GNU_SOURCE
#include "everywhere/everywhere.h"
#include "net/sides.h"

static void reset(void *arg) {
        (void) arg;
}

static int check(void *arg, int outcome) {
        (void) arg;
        return outcome == 0 || is_cancelled(outcome) ? 0 : 1;
}

/*
 * Uses and closes the result of a connect call. If a request arrived and the call still returned a
 * connection, belay_yield() delivers the request.
 */
static int use(int rc, belay_stream *stream) {
        CHECK((stream != NULL) == (rc == 0));
        if (rc == 0) {
                CHECK_EQ(send(belay_stream_fd(stream), "x", 1, 0), 1);
                rc = belay_yield();
        }
        belay_abort(stream);
        return rc;
}

/* ---- one address ---- */

static int connect_main(void *arg) {
        belay_address address;
        int listener = listening_socket(*(enum kind *) arg, 5, &address), rc;
        belay_stream *stream;

        rc = belay_connect_to(&stream, sockaddr_of(&address), address.length, NULL);
        rc = use(rc, stream);
        close_bound(listener, &address);
        return rc;
}

static int refused_main(void *arg) {
        belay_address address = deserted_address(*(enum kind *) arg, SOCK_STREAM);
        belay_stream *stream;
        int rc = belay_connect_to(&stream, sockaddr_of(&address), address.length, NULL);

        CHECK(stream == NULL);
        CHECK(rc == -ECONNREFUSED || rc == -ENOENT || rc == -ECANCELED);
        return rc == -ECANCELED ? rc : belay_yield();
}

/* ---- a Unix socket whose queue is full ---- */

static void accept_one(void *arg) {
        close(accept(*(int *) arg, NULL, NULL));
}

static int wait_main(void *arg) {
        belay_stream *stream;
        belay_ticket ticket;
        int rc;

        (void) arg;
        OPEN_SIDES(UNIX_FULL);
        ticket = belay_later(100 * BELAY_MILLISECOND, accept_one, &listeners[0]);
        CHECK(ticket != 0);
        rc = belay_connect_to(&stream, sockaddr_of(&addresses[0]), addresses[0].length, NULL);
        rc = use(rc, stream);
        belay_timer_cancel(ticket);
        close_sides();
        return rc;
}

/* ---- several addresses ---- */

static int some_main(void *arg) {
        belay_stream *stream;
        int rc;

        begin_io();
        OPEN_SIDES(SILENT, REFUSES, UNIX_FULL, ANSWERS, ANSWERS);
        rc = connect_any(*(belay_time *) arg, &stream);
        rc = use(rc, stream);
        close_sides();
        return rc;
}

static int none_main(void *arg) {
        belay_stream *stream;
        int rc;

        begin_io();
        OPEN_SIDES(REFUSES, MISSING, REFUSES);
        rc = connect_any(*(belay_time *) arg, &stream);
        CHECK(stream == NULL);
        CHECK(rc == -ECONNREFUSED || rc == -ENOENT || rc == -ECANCELED);
        close_sides();
        return rc == -ECANCELED ? rc : belay_yield();
}

int main(void) {
        belay_time staggers[] = { BELAY_SECOND, BELAY_NANOSECOND };

        for (int i = 0; i < KINDS; i++) {
                enum kind kind = (enum kind) i;

                if (kind == IPV6 && !has_ipv6())
                        continue;
                EVERYWHERE(connect_main, &kind, reset, check, is_unix(kind) ? 1 : 2);
                EVERYWHERE(refused_main, &kind, reset, check, is_unix(kind) ? 1 : 2);
        }
        EVERYWHERE(wait_main, NULL, reset, check, 5);
        for (int i = 0; i < 2; i++) {
                EVERYWHERE(some_main, &staggers[i], reset, check, 8);
                EVERYWHERE(none_main, &staggers[i], reset, check, 5);
        }
        return 0;
}
