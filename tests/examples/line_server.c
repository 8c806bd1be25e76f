/* SPDX-License-Identifier: MIT */
/*
 * Tests the line server: its commands, its limits and its shutdown. In the shutdown it must notify
 * idle clients, finish short commands and cancel long ones.
 */
#include "examples/example.h"

static struct example server;

static void check_commands(void) {
        belay_stream *stream = connect_to(&server);
        char long_line[600];

        /* A command arrives in pieces, and several commands arrive at once. */
        say(stream, "EC");
        say(stream, "HO one two\r\nECHO\n\nWHAT\nSLEEP 0\nSLEEP x y\n");
        CHECK_SAYS(stream, "one two");
        CHECK_SAYS(stream, "");
        CHECK_SAYS(stream, "ERROR: TIME, ECHO text, SLEEP seconds or QUIT");
        CHECK_SAYS(stream, "OK");
        CHECK_SAYS(stream, "OK");
        say(stream, "TIME\n");
        CHECK_EQ(strlen(next_line(stream)), 24);
        say(stream, "QUIT\n");
        CHECK_SAYS(stream, "BYE");
        CHECK_SAYS(stream, "(its end)");
        CHECK_EQ(belay_close(stream, BELAY_NEVER), 0);

        stream = connect_to(&server);
        memset(long_line, 'x', sizeof(long_line));
        CHECK_EQ(belay_write(stream, long_line, sizeof(long_line)), sizeof(long_line));
        CHECK_SAYS(stream, "BYE: that line is too long");
        CHECK_SAYS(stream, "(its end)");
        CHECK_EQ(belay_close(stream, BELAY_NEVER), 0);

        /* A last line without an end is a command, too. */
        stream = connect_to(&server);
        say(stream, "ECHO last");
        CHECK_EQ(belay_half_close(stream), 0);
        CHECK_SAYS(stream, "last");
        CHECK_SAYS(stream, "BYE");
        CHECK_EQ(belay_close(stream, BELAY_NEVER), 0);
}

/*
 * When the signal arrives, one client is idle, one is in a short command and one in a long command.
 */
static void check_shutdown(int signal) {
        belay_stream *idle = connect_to(&server), *brief = connect_to(&server),
                     *lengthy = connect_to(&server), *late;

        say(idle, "ECHO there\n");
        CHECK_SAYS(idle, "there");
        /*
         * The answer to the first command shows that the server already executes the second one,
         * which was sent with it.
         */
        say(brief, "ECHO there\nSLEEP 0.05\n");
        CHECK_SAYS(brief, "there");
        say(lengthy, "ECHO there\nSLEEP 3600\n");
        CHECK_SAYS(lengthy, "there");
        send_signal(&server, signal);
        CHECK_SAYS(idle, "BYE: the server is closing");
        CHECK_SAYS(idle, "(its end)");
        CHECK_EQ(belay_connect(&late, server.endpoint, NULL), -ECONNREFUSED);
        CHECK_SAYS(brief, "OK");
        CHECK_SAYS(brief, "BYE: the server is closing");
        CHECK_SAYS(lengthy, "BYE: the server is closing");
        belay_abort(idle);
        belay_abort(brief);
        belay_abort(lengthy);
}

static int app(void *arg) {
        (void) arg;
        START(&server, "line_server", "127.0.0.1:0", "2");
        await_listening(&server);
        check_commands();
        check_shutdown(SIGTERM);
        CHECK_SAYS(server.out, "6 connections, 14 commands, 1 cancelled");
        end(&server, 0, 0);
        CHECK_COMPLAINTS(&server, "");

        START(&server, "line_server", "127.0.0.1:0");
        await_listening(&server);
        send_signal(&server, SIGINT);
        CHECK_SAYS(server.out, "0 connections, 0 commands, 0 cancelled");
        end(&server, 0, 0);
        CHECK_COMPLAINTS(&server, "");

        START(&server, "line_server", "unix:/nowhere/at/all");
        end(&server, 0, 1);
        CHECK_FAILED(&server, "listen at unix:/nowhere/at/all: ",
                     error_line("line_server: unix:/nowhere/at/all: ", ENOENT, ""));
        return 0;
}

int main(void) {
        run_on_both(app);
        return 0;
}
