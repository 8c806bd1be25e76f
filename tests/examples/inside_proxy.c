/* SPDX-License-Identifier: MIT */
/*
 * Tests the proxy with each wait of the proxy, its clients and its target cancelled, and the exact
 * instants of its limits. Each byte in either direction must move the idle limit, and none the
 * total limit.
 */
#define main example_main
#include "../../examples/net/proxy.c"
#undef main

#include "examples/inside.h"

static char target_endpoint[80];

static int echo(belay_stream *stream, void *arg) {
        (void) arg;
        return belay_copy(stream, stream, -1, NULL);
}

/* Sends a line every 3 s, no matter what it receives. */
static int tick(belay_stream *stream, void *arg) {
        int rc = 0;

        (void) arg;
        while (rc == 0) {
                rc = belay_sleep(3 * BELAY_SECOND);
                if (rc == 0)
                        rc = say(stream, "tick\n");
        }
        return rc;
}

static int serve_with(belay_serve_fn *handler) {
        belay_listener *listener;
        int rc = belay_listen(&listener, target_endpoint, NULL);

        if (rc == 0)
                rc = belay_serve(listener, handler, NULL,
                                 BELAY_OPTIONS(belay_serve_options, .grace = 1));
        belay_listener_close(listener);
        return rc;
}

static int echo_target(void *arg) {
        (void) arg;
        return serve_with(echo);
}

static int tick_target(void *arg) {
        (void) arg;
        return serve_with(tick);
}

/* the proxy and its target */
struct both {
        struct proxy proxy;
        belay_fn *target;
};

static int app_and_target(void *arg) {
        struct both *both = arg;
        belay_group group;
        int rc = belay_group_enter(&group);

        snprintf(target_endpoint, sizeof(target_endpoint), "%s.target", endpoint);
        if (rc == 0)
                rc = belay_group_spawn(&group, both->target, NULL);
        if (rc == 0)
                rc = belay_group_spawn(&group, app, &both->proxy);
        return belay_group_leave(&group, rc);
}

static void both_of(struct both *both, belay_fn *target, belay_time idle, belay_time total) {
        *both = (struct both) {
                .proxy = { .listen = endpoint,
                           .target = target_endpoint,
                           .idle = idle,
                           .total = total },
                .target = target,
        };
}

/* ---- everywhere ---- */

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

/* ---- exact instants ---- */

static void end_app(belay_task *task, belay_stream *stream) {
        belay_abort(stream);
        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, NULL), 0);
        belay_release(task);
}

/*
 * Returns how many seconds a connection lasts if the client sends a byte each `every` (0: never).
 */
static belay_time lasts(belay_fn *target, belay_time every, belay_time idle, belay_time total) {
        belay_stream *stream;
        struct both both;
        belay_task *task;
        belay_time began;
        int rc = 0;

        both_of(&both, target, idle, total);
        task = must(belay_spawn(app_and_target, &both));
        CHECK_EQ(connect_soon(&stream, endpoint), 0);
        began = belay_now();
        if (every == 0) {
                while (rc == 0)
                        rc = hear(stream, "");
        }
        while (rc == 0) {
                CHECK_EQ(belay_sleep(every), 0);
                rc = say(stream, "x");
        }
        began = belay_now() - began;
        end_app(task, stream);
        return began / BELAY_SECOND;
}

static int limits(void *arg) {
        (void) arg;
        /* Neither side sends anything. */
        CHECK_EQ(lasts(echo_target, 0, 10 * BELAY_SECOND, BELAY_HOUR), 10);
        CHECK_EQ(lasts(echo_target, 0, BELAY_HOUR, 10 * BELAY_SECOND), 10);
        /* Only the target sends, after 3, 6 and 9 s. The total limit must not move. */
        CHECK_EQ(lasts(tick_target, 0, 4 * BELAY_SECOND, 20 * BELAY_SECOND), 20);
        CHECK_EQ(lasts(tick_target, 0, 2 * BELAY_SECOND, 20 * BELAY_SECOND), 2);
        /* The client also sends. It finds the connection closed at its next write, after 24 s. */
        CHECK_EQ(lasts(tick_target, 8 * BELAY_SECOND, BELAY_NEVER, 20 * BELAY_SECOND), 24);
        return 0;
}

static void tests(void) {
        struct both both;
        struct scene scene = { .app = app_and_target, .arg = &both, .clients = { talk, talk } };

        both_of(&both, echo_target, BELAY_MINUTE, BELAY_HOUR);
        play_everywhere(&scene, -ECANCELED);
        RUN_VIRTUAL(limits);
}

int main(void) {
        on_both(tests);
        return 0;
}
