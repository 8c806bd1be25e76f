/* SPDX-License-Identifier: MIT */
/*
 * Tests the echo server. Each of many clients must get back all that it sent. A signal must end the
 * server while clients are connected.
 */
#include "examples/example.h"

enum { CLIENTS = 20, PIECES = 50 };

static struct example echo;

/* Sends while another task receives, and then half-closes the connection. */
static int send_all(void *arg) {
        belay_stream *stream = arg;
        char piece[5000];

        for (size_t i = 0; i < PIECES; i++) {
                memset(piece, (int) ('a' + i % 26), sizeof(piece));
                CHECK_EQ(belay_write(stream, piece, sizeof(piece)), sizeof(piece));
        }
        CHECK_EQ(belay_half_close(stream), 0);
        return 0;
}

static int talk(void *arg) {
        belay_stream *stream = connect_to(&echo);
        belay_task *sender = must(belay_spawn(send_all, stream));
        char piece[5000];

        (void) arg;
        for (size_t i = 0; i < PIECES; i++) {
                CHECK_EQ(belay_read_exactly(stream, piece, sizeof(piece)), sizeof(piece));
                for (size_t at = 0; at < sizeof(piece); at++)
                        CHECK(piece[at] == (char) ('a' + i % 26));
        }
        CHECK_EQ(belay_read(stream, piece, 1), 0);
        CHECK_EQ(belay_join(sender, NULL), 0);
        belay_release(sender);
        CHECK_EQ(belay_close(stream, BELAY_NEVER), 0);
        return 0;
}

static int app(void *arg) {
        belay_stream *staying, *other;
        belay_group group;
        int before;

        (void) arg;
        START(&echo, "echo", "127.0.0.1:0");
        await_listening(&echo);
        staying = connect_to(&echo);
        say(staying, "one\n");
        CHECK_SAYS(staying, "one");
        before = descriptors_of(&echo);
        CHECK_EQ(belay_group_enter(&group), 0);
        for (int i = 0; i < CLIENTS; i++)
                CHECK_EQ(belay_group_spawn(&group, talk, NULL), 0);
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        await_descriptors(&echo, before);

        /*
         * After the signal the server must accept no connection. It must cut off the remaining
         * client when the grace period ends.
         */
        send_signal(&echo, SIGINT);
        while (belay_connect(&other, echo.endpoint, NULL) == 0)
                belay_abort(other);
        CHECK(belay_read(staying, &before, 1) <= 0);
        belay_abort(staying);
        end(&echo, 0, 0);
        CHECK_COMPLAINTS(&echo, "");

        /* Without clients the server has no reason to wait. */
        START(&echo, "echo", "127.0.0.1:0");
        await_listening(&echo);
        end(&echo, SIGTERM, 0);
        CHECK_COMPLAINTS(&echo, "");

        START(&echo, "echo", "nowhere");
        end(&echo, 0, 1);
        CHECK_FAILED(&echo, "endpoint \"nowhere\": expected HOST:PORT at character 8",
                     error_line("echo: nowhere: ", EINVAL, ""));
        return 0;
}

int main(void) {
        run_on_both(app);
        return 0;
}
