/* SPDX-License-Identifier: MIT */
/* Each connection has an idle timeout. The server shuts down with a grace period. */
#include <belay.h>
#include <stdio.h>
#include <stdlib.h>

#define ENDPOINT   "unix:tutorial.socket"
#define IDLE_LIMIT (10 * BELAY_SECOND)

static void say(const char *name, const char *text) {
        printf("%2d s  %-6s  %s\n", (int) (belay_now() / BELAY_SECOND), name, text);
}

/* ---- the server ---- */

static ssize_t read_command(belay_stream *stream, char *line, size_t size) {
        belay_timeout idle;

        belay_timeout_enter(&idle, IDLE_LIMIT);
        return belay_timeout_leave(&idle, (int) belay_read_line(stream, line, size));
}

/* A command is a number, and the answer comes after that many seconds of work. */
static int handle(belay_stream *stream, void *arg) {
        char line[64];
        ssize_t rc;

        (void) arg;
        while ((rc = read_command(stream, line, sizeof(line))) > 0) {
                rc = belay_sleep(atoi(line) * BELAY_SECOND);
                if (rc == 0)
                        rc = belay_print(stream, "done\n");
                if (rc < 0)
                        break;
        }
        /* The request is delivered, so the task may write, but not after half an answer. */
        if (!belay_is_cut(stream)) {
                if (rc == -ETIMEDOUT)
                        rc = belay_print(stream, "bye: no command for 10 s\n");
                else if (rc == -ECANCELED)
                        rc = belay_print(stream, "bye: the server is closing\n");
        }
        /* After a failure belay_serve() resets the connection, otherwise it closes gracefully. */
        return rc < 0 ? (int) rc : 0;
}

static int serve(void *listener) {
        return belay_serve(
                listener, handle, NULL,
                BELAY_OPTIONS(belay_serve_options, .most = 100, .grace = 5 * BELAY_SECOND));
}

/* ---- the clients ---- */

struct client {
        const char *name;
        int start; /* seconds */
        const char *command;
};

static int talk(void *arg) {
        const struct client *client = arg;
        belay_stream *stream;
        char line[64] = "the end";
        ssize_t size;
        int rc = belay_sleep(client->start * BELAY_SECOND);

        if (rc == 0)
                rc = belay_connect(&stream, ENDPOINT, NULL);
        if (rc == -ENOENT || rc == -ECONNREFUSED) {
                say(client->name, "no listener");
                return 0;
        }
        if (rc < 0)
                return rc;
        size = belay_print(stream, "%s", client->command);
        if (size >= 0)
                size = belay_read_line(stream, line, sizeof(line));
        if (size > 0)
                line[size - 1] = '\0';
        say(client->name, line);
        belay_close(stream, 0);
        return size < 0 ? (int) size : 0;
}

/* ---- both ---- */

static int app(void *arg) {
        static struct client clients[] = {
                { "quick", 0, "1\n" }, { "silent", 0, "" },   { "stuck", 0, "100\n" },
                { "busy", 11, "4\n" }, { "late", 13, "1\n" },
        };
        belay_listener *listener;
        belay_task *server;
        belay_group group;
        int ended, rc = belay_listen(&listener, ENDPOINT, NULL);

        (void) arg;
        if (rc < 0)
                return rc;
        server = belay_spawn(serve, listener);
        belay_group_enter(&group);
        for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]) && rc == 0; i++)
                rc = belay_group_spawn(&group, talk, &clients[i]);
        if (rc == 0)
                rc = belay_sleep(12 * BELAY_SECOND);
        say("server", "shuts down");
        ended = belay_cancel_wait(server, "shutdown", BELAY_MINUTE, NULL);
        rc = belay_group_leave(&group, rc);
        say("server", ended == 0 ? "has ended" : "does not end");
        belay_release(server);
        belay_listener_close(listener);
        return rc < 0 ? rc : ended;
}

int main(void) {
        return belay_run_with(app, NULL,
                              BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL))
               < 0;
}
