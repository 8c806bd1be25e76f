/* SPDX-License-Identifier: MIT */
/*
 * Tests the line server with each wait of the server and its clients cancelled, and the exact
 * instants of its grace period and its limits.
 */
#define main example_main
#include "../../examples/net/line_server.c"
#undef main

#include "examples/inside.h"

static int leave(belay_stream *stream, int rc) {
        if (rc == 0)
                return belay_close(stream, BELAY_SECOND);
        belay_abort(stream);
        return rc;
}

/* ---- everywhere ---- */

static int talk(void *arg) {
        belay_stream *stream;
        int rc = connect_soon(&stream, endpoint);

        (void) arg;
        if (rc == 0)
                rc = say(stream, "ECHO hello\nSLEEP 2\nWHAT\n");
        if (rc == 0)
                rc = hear(stream, "hello\n");
        if (rc == 0)
                rc = hear(stream, "OK\n");
        if (rc == 0)
                rc = hear(stream, "ERROR");
        if (rc == 0)
                rc = say(stream, "QUIT\n");
        if (rc == 0)
                rc = hear(stream, "BYE\n");
        return leave(stream, rc);
}

/* ---- exact instants ---- */

static struct server server;
static belay_stream *idle, *brief, *lengthy;

static void begin(belay_task **task, belay_time grace) {
        server = (struct server) { .endpoint = endpoint, .grace = grace };
        *task = must(belay_spawn(app, &server));
        CHECK_EQ(connect_soon(&idle, endpoint), 0);
        CHECK_EQ(connect_soon(&brief, endpoint), 0);
        CHECK_EQ(connect_soon(&lengthy, endpoint), 0);
        CHECK_EQ(say(idle, "TIME\n"), 0);
        CHECK_EQ(hear(idle, ""), 0);
        CHECK_EQ(say(brief, "SLEEP 9.5\n"), 0);
        CHECK_EQ(say(lengthy, "SLEEP 100\n"), 0);
        while (server.begun < 3)
                CHECK_EQ(belay_sleep(1), 0);
}

static int closes(void *arg) {
        belay_time asked;
        belay_task *task;
        int outcome;

        (void) arg;
        begin(&task, 10 * BELAY_SECOND);
        asked = belay_now();
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(hear(idle, "BYE: the server is closing\n"), 0);
        CHECK_EQ(hear_end(idle), 0);
        CHECK_EQ(belay_now() - asked, 0);
        CHECK_EQ(belay_close(idle, BELAY_SECOND), 0);
        CHECK_EQ(hear(brief, "OK\n"), 0);
        CHECK_EQ(hear(brief, "BYE: the server is closing\n"), 0);
        CHECK_EQ(hear_end(brief), 0);
        CHECK(belay_now() - asked < 10 * BELAY_SECOND);
        CHECK_EQ(belay_close(brief, BELAY_SECOND), 0);
        CHECK_EQ(hear(lengthy, "BYE: the server is closing\n"), 0);
        CHECK_EQ(hear_end(lengthy), 0);
        CHECK_EQ(belay_now() - asked, 10 * BELAY_SECOND);
        CHECK_EQ(belay_close(lengthy, BELAY_SECOND), 0);
        CHECK_EQ(belay_join(task, &outcome), 0);
        CHECK_EQ(outcome, 0);
        CHECK_EQ(server.accepted, 3);
        CHECK_EQ(server.begun, 3);
        CHECK_EQ(server.cancelled, 1);
        belay_release(task);
        return 0;
}

/* A second request, as from an impatient caller, must end all connections at once. */
static int closes_at_once(void *arg) {
        belay_time asked;
        belay_task *task;

        (void) arg;
        begin(&task, BELAY_HOUR);
        asked = belay_now();
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(hear(idle, "BYE: the server is closing\n"), 0);
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(hear(brief, "BYE: the server is closing\n"), 0);
        CHECK_EQ(hear(lengthy, "BYE: the server is closing\n"), 0);
        CHECK_EQ(belay_now() - asked, 0);
        belay_abort(idle);
        belay_abort(brief);
        belay_abort(lengthy);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(server.cancelled, 2);
        belay_release(task);
        return 0;
}

static int takes_too_long(void *arg) {
        belay_task *task;

        (void) arg;
        begin(&task, 1);
        CHECK_EQ(say(lengthy, "SLEEP 1000\n"), 0);
        CHECK_EQ(hear(lengthy, "OK\n"), 0);
        CHECK_EQ(hear(idle, "BYE: that took too long\n"), 0);
        CHECK_EQ(belay_now() / BELAY_SECOND, 300);
        CHECK_EQ(hear(brief, "OK\n"), 0);
        CHECK_EQ(hear(brief, "BYE: that took too long\n"), 0);
        CHECK_EQ(hear(lengthy, "BYE: that took too long\n"), 0);
        CHECK_EQ(belay_now() / BELAY_SECOND, 400);
        belay_abort(idle);
        belay_abort(brief);
        belay_abort(lengthy);
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, NULL), 0);
        CHECK_EQ(server.cancelled, 0);
        belay_release(task);
        return 0;
}

static int fresh_app(void *arg) {
        struct server *fresh = arg;

        *fresh = (struct server) { .endpoint = endpoint, .grace = BELAY_SECOND };
        return app(fresh);
}

static void tests(void) {
        struct server other;
        struct scene scene = { .app = fresh_app, .arg = &other, .clients = { talk, talk } };

        play_everywhere(&scene, 0);
        RUN_VIRTUAL(closes);
        RUN_VIRTUAL(closes_at_once);
        RUN_VIRTUAL(takes_too_long);
}

int main(void) {
        good_bye = "BYE: the server is closing";
        on_both(tests);
        return 0;
}
