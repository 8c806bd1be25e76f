/* SPDX-License-Identifier: MIT */
/*
 * A stream is known to be readable. Its reader has made many calls without a wait, and therefore
 * yields before its next try. If the reader is cancelled in that yield, the stream must stay known
 * as readable. Otherwise the next read waits for an event that has already been reported.
 */
#include "base/help.h"

enum { MORE_THAN_TRIES = 200 };

static belay_stream *busy[2], *quiet[2];

static void connect_pair(belay_stream **ends) {
        belay_listener *listener;

        CHECK_EQ(belay_listen(&listener, "127.0.0.1:0", NULL), 0);
        CHECK_EQ(belay_connect(&ends[0], belay_listener_endpoint(listener), NULL), 0);
        CHECK_EQ(belay_accept(listener, &ends[1]), 0);
        belay_listener_close(listener);
}

static int read_one(void *arg) {
        char bytes[2];
        ssize_t rc = belay_read(quiet[1], bytes, 2);

        (void) arg;
        return (int) rc;
}

/* Makes a read after `tries` reads that needed no wait, with a request pending. */
static void read_after(int tries) {
        char bytes[2];
        ssize_t rc;

        for (int i = 0; i < tries; i++)
                CHECK_EQ(belay_read(busy[1], bytes, 1), 1);
        belay_cancel(belay_self(), NULL);
        rc = belay_read(quiet[1], bytes, 2);
        if (rc == 1)
                CHECK_EQ(belay_checkpoint(), -ECANCELED);
        else
                CHECK_EQ(rc, -ECANCELED);
        belay_uncancel(belay_self());
        if (rc == -ECANCELED)
                CHECK_EQ(belay_wait_for(read_one, NULL, BELAY_SECOND), 1);
}

static int app(void *arg) {
        static char bytes[MORE_THAN_TRIES * MORE_THAN_TRIES / 2];
        belay_task *reader;

        (void) arg;
        connect_pair(busy);
        connect_pair(quiet);
        /* The reader waits once. From then on the back end reports events of the stream. */
        reader = must(belay_spawn(read_one, NULL));
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK_EQ(belay_write(quiet[0], "a", 1), 1);
        CHECK_EQ(belay_join(reader, NULL), 0);
        belay_release(reader);
        CHECK_EQ(belay_write(busy[0], bytes, sizeof(bytes)), sizeof(bytes));
        for (int tries = 0; tries < MORE_THAN_TRIES; tries++) {
                CHECK_EQ(belay_write(quiet[0], "a", 1), 1);
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
                read_after(tries);
        }
        for (int i = 0; i < 2; i++) {
                belay_abort(busy[i]);
                belay_abort(quiet[i]);
        }
        return 0;
}

int main(void) {
        CHECK_EQ(belay_run(app, NULL), 0);
        return 0;
}
