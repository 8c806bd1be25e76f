/* SPDX-License-Identifier: MIT */
/*
 * Tests the chat room with each wait of the room and its clients cancelled.
 *
 * Further cases are a client that wakes up in time to read that it is dropped, and a client that
 * never wakes up. Another client never sends its name.
 */
#define main example_main
#include "../../examples/net/chat.c"
#undef main

#include "examples/inside.h"

static int enter(belay_stream **stream, const char *name) {
        int rc = connect_soon(stream, endpoint);

        if (rc == 0)
                rc = hear(*stream, "* your name?");
        return rc == 0 ? say(*stream, name) : rc;
}

static int leave(belay_stream *stream, int rc) {
        if (rc == 0)
                return belay_close(stream, BELAY_SECOND);
        belay_abort(stream);
        return rc;
}

/* ---- everywhere ---- */

static int ann(void *arg) {
        belay_stream *stream;
        int rc = enter(&stream, "ann\n");

        (void) arg;
        if (rc == 0)
                rc = hear(stream, "* ");
        if (rc == 0)
                rc = say(stream, "one\ntwo\n");
        if (rc == 0)
                rc = hear(stream, "");
        return leave(stream, rc);
}

static int bob(void *arg) {
        belay_stream *stream;
        int rc = belay_sleep(BELAY_SECOND / 2);

        (void) arg;
        if (rc < 0)
                return rc;
        rc = enter(&stream, "bob\n");
        if (rc == 0)
                rc = say(stream, "three");
        if (rc == 0)
                rc = hear(stream, "");
        return leave(stream, rc);
}

/* ---- single cases ---- */

/*
 * Starts a room with these clients. A third client, if there is one, reads nothing until it is
 * dropped.
 */
static void run_room(belay_task **task, struct room *room, belay_stream *streams[], size_t count) {
        static const char *const names[] = { "ann\n", "bob\n", "sid\n" };

        *room = (struct room) { .endpoint = endpoint };
        *task = must(belay_spawn(app, room));
        for (size_t i = 0; i < count; i++) {
                CHECK_EQ(enter(&streams[i], names[i]), 0);
                while (room->count < i + 1)
                        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
                for (size_t j = 0; j < i; j++)
                        CHECK_EQ(hear(streams[j], "* "), 0);
        }
}

static void end_room(belay_task *task) {
        int outcome;

        CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        belay_release(task);
}

/*
 * Sends lines until the last client is dropped. The second client finds the message about that
 * among the lines that it reads.
 */
static void speak_until_dropped(struct room *room, belay_stream *streams[]) {
        const struct member *lazy = room->members[2];
        char line[900];

        memset(line, 'x', sizeof(line));
        line[sizeof(line) - 2] = '\n';
        line[sizeof(line) - 1] = '\0';
        while (!lazy->is_dropped) {
                CHECK_EQ(say(streams[0], line), 0);
                CHECK_EQ(hear(streams[1], ""), 0);
        }
        CHECK_EQ(hear(streams[0], "* sid does not keep up and is dropped"), 0);
}

static int wakes_up(void *arg) {
        belay_stream *streams[3];
        struct room room;
        belay_task *task;
        char line[2048];

        (void) arg;
        run_room(&task, &room, streams, 3);
        speak_until_dropped(&room, streams);
        do
                CHECK(belay_read_line(streams[2], line, sizeof(line)) > 0);
        while (strncmp(line, "ann: xxx", 8) == 0);
        CHECK_STR(line, "* you do not keep up: good-bye\n");
        CHECK_EQ(hear_end(streams[2]), 0);
        CHECK_EQ(hear(streams[0], "* sid left"), 0);
        CHECK(belay_now() < FAREWELL_LIMIT);
        end_room(task);
        CHECK_EQ(hear(streams[0], "* the room is closing"), 0);
        for (int i = 0; i < 3; i++)
                belay_abort(streams[i]);
        return 0;
}

static int sleeps_on(void *arg) {
        belay_stream *streams[3];
        struct room room;
        belay_task *task;
        belay_time dropped;

        (void) arg;
        run_room(&task, &room, streams, 3);
        speak_until_dropped(&room, streams);
        dropped = belay_now();
        CHECK_EQ(hear(streams[0], "* sid left"), 0);
        CHECK_EQ(belay_now() - dropped, FAREWELL_LIMIT);
        end_room(task);
        for (int i = 0; i < 3; i++)
                belay_abort(streams[i]);
        return 0;
}

static int says_nothing(void *arg) {
        belay_stream *stream;
        struct room room;
        belay_task *task;

        (void) arg;
        run_room(&task, &room, NULL, 0);
        CHECK_EQ(connect_soon(&stream, endpoint), 0);
        CHECK_EQ(hear(stream, "* your name?"), 0);
        CHECK_EQ(hear_end(stream), 0);
        CHECK(belay_now() >= BELAY_MINUTE && belay_now() < BELAY_MINUTE + BELAY_SECOND);
        belay_abort(stream);
        end_room(task);
        return 0;
}

static void tests(void) {
        struct room room = { .endpoint = endpoint };
        struct scene scene = { .app = app, .arg = &room, .clients = { ann, bob } };

        play_everywhere(&scene, -ECANCELED);
        RUN_VIRTUAL(wakes_up);
        RUN_VIRTUAL(sleeps_on);
        keep_lines();
        RUN_VIRTUAL(says_nothing);
        CHECK_LINES(1, strerror(ETIMEDOUT));
}

int main(void) {
        good_bye = "* the room is closing";
        on_both(tests);
        return 0;
}
