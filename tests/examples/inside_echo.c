/* SPDX-License-Identifier: MIT */
/*
 * Tests the echo server with each wait of the server and its clients cancelled.
 */
#define main example_main
#include "../../examples/net/echo.c"
#undef main

#include "examples/inside.h"

static int talk(void *arg) {
        belay_stream *stream;
        int rc = connect_soon(&stream, endpoint);

        (void) arg;
        if (rc == 0)
                rc = say(stream, "hello\n");
        if (rc == 0)
                rc = hear(stream, "hello\n");
        if (rc == 0)
                rc = say(stream, "end");
        if (rc == 0)
                rc = belay_half_close(stream);
        if (rc == 0)
                rc = hear(stream, "end");
        if (rc == 0)
                rc = hear_end(stream);
        if (rc == 0)
                return belay_close(stream, BELAY_SECOND);
        belay_abort(stream);
        return rc;
}

/*
 * A client that stays. The server must serve it during the grace period, although it was cancelled.
 */
static belay_stream *staying;

static int stay(void *arg) {
        (void) arg;
        return connect_soon(&staying, endpoint);
}

static int ask_late(void *arg) {
        belay_time began = belay_now();
        int rc;

        (void) arg;
        while (belay_now() - began < BELAY_SECOND) {
                CHECK_EQ(say(staying, "still there?\n"), 0);
                CHECK_EQ(hear(staying, "still there?\n"), 0);
                CHECK_EQ(belay_sleep(BELAY_SECOND / 10), 0);
        }
        rc = hear(staying, "");
        CHECK(rc == 0 || rc == -ECONNRESET);
        CHECK_EQ(belay_now() - began, 2 * BELAY_SECOND);
        belay_abort(staying);
        return 0;
}

static int outlast(void *arg) {
        belay_task *app_task = must(belay_spawn(app, endpoint)), *late;

        (void) arg;
        CHECK_EQ(stay(NULL), 0);
        CHECK_EQ(say(staying, "one\n"), 0);
        CHECK_EQ(hear(staying, "one\n"), 0);
        late = must(belay_spawn(ask_late, NULL));
        CHECK_EQ(belay_cancel_wait(app_task, NULL, BELAY_NEVER, NULL), 0);
        CHECK_EQ(belay_join(late, NULL), 0);
        belay_release(app_task);
        belay_release(late);
        return 0;
}

static void tests(void) {
        struct scene scene = { .app = app, .arg = endpoint, .clients = { talk, talk, talk } };

        play_everywhere(&scene, -ECANCELED);
        RUN_VIRTUAL(outlast);
}

int main(void) {
        on_both(tests);
        return 0;
}
