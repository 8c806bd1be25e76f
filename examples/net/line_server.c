/* SPDX-License-Identifier: MIT */
/*
 * A server of a line protocol that shuts down gracefully: line_server [ENDPOINT [GRACE]], 10
 * seconds by default.
 *
 * Commands: TIME, ECHO text, SLEEP seconds, QUIT. At SIGTERM or Ctrl-C the server accepts no more
 * connections. It notifies each client that is between two commands, and closes its connection. If
 * a client is in a command, the server answers the command first.
 *
 * When the grace period ends, the server cancels the commands that are left and notifies their
 * clients. A second signal ends the process at once.
 */
#include <belay.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define LINE_SIZE  512
#define TURN_LIMIT (5 * BELAY_MINUTE) /* for a command to arrive and be answered */

struct server {
        const char *endpoint;
        belay_time grace;
        belay_listener *listener;
        struct connection *connections;
        bool is_closing;
        unsigned accepted, begun, cancelled;
};

/* Lies on the stack of the connection's task, where it stays valid until the handler returns. */
struct connection {
        struct connection *next, **at;
        belay_task *task;
        bool is_between_commands;
};

/* Returns more than 0 after an answer, 0 after the last command, or a failure. */
static ssize_t obey(belay_stream *client, char *line) {
        /*
         * No other task runs before this one waits. Until then, no other call changes what strtok()
         * and ctime() return.
         */
        const char *word = strtok(line, " \r\n"), *rest = strtok(NULL, "\r\n");
        double seconds = rest != NULL ? atof(rest) : -1;
        time_t now = time(NULL);
        ssize_t rc = 1;

        if (word == NULL)
                return rc;
        if (strcmp(word, "QUIT") == 0)
                return 0;
        if (strcmp(word, "ECHO") == 0)
                return belay_print(client, "%s\n", rest != NULL ? rest : "");
        if (strcmp(word, "TIME") == 0)
                return belay_print(client, "%s", ctime(&now));
        if (strcmp(word, "SLEEP") == 0 && seconds >= 0 && seconds <= 3600) {
                rc = belay_sleep((belay_time) (seconds * (double) BELAY_SECOND));
                return rc < 0 ? rc : belay_print(client, "OK\n");
        }
        return belay_print(client, "ERROR: TIME, ECHO text, SLEEP seconds or QUIT\n");
}

static ssize_t take_turn(belay_stream *client, struct server *server, struct connection *self) {
        char line[LINE_SIZE];
        ssize_t rc;

        self->is_between_commands = true;
        rc = belay_read_line(client, line, sizeof(line));
        self->is_between_commands = false;
        if (rc > 0) {
                server->begun++;
                rc = obey(client, line);
                server->cancelled += rc == -ECANCELED && server->is_closing;
        }
        return rc;
}

static const char *last_words(ssize_t rc) {
        return rc == -ETIMEDOUT   ? "BYE: that took too long\n"
               : rc == -EMSGSIZE  ? "BYE: that line is too long\n"
               : rc == -ECANCELED ? "BYE: the server is closing\n"
                                  : "BYE\n";
}

static int handle(belay_stream *client, void *arg) {
        struct server *server = arg;
        struct connection self = { .next = server->connections,
                                   .at = &server->connections,
                                   .task = belay_self() };
        ssize_t rc = 1;

        if (self.next != NULL)
                self.next->at = &self.next;
        server->connections = &self;
        server->accepted++;
        while (rc > 0) {
                belay_timeout limit;

                belay_timeout_enter(&limit, TURN_LIMIT);
                rc = take_turn(client, server, &self);
                rc = belay_timeout_leave(&limit, (int) rc);
                if (rc > 0 && server->is_closing)
                        rc = -ECANCELED;
        }
        *self.at = self.next;
        if (self.next != NULL)
                self.next->at = self.at;
        /*
         * A cancellation request is delivered once, so the handler may write again. It writes
         * nothing after half an answer.
         */
        if (!belay_is_cut(client))
                rc = belay_print(client, "%s", last_words(rc));
        /*
         * If the handler returns no failure, belay_serve() closes the connection gracefully, so
         * that the last words arrive.
         */
        return rc < 0 ? (int) rc : 0;
}

static int serve(void *arg) {
        struct server *server = arg;

        return belay_serve(server->listener, handle, arg,
                           BELAY_OPTIONS(belay_serve_options, .grace = server->grace));
}

static void close_down(struct server *server) {
        server->is_closing = true;
        belay_serve_stop(server->listener);
        for (struct connection *each = server->connections; each != NULL; each = each->next)
                if (each->is_between_commands)
                        belay_cancel(each->task, "closing down");
}

static int app(void *arg) {
        struct server *server = arg;
        belay_group group;
        int rc = belay_listen(&server->listener, server->endpoint, NULL);

        if (rc < 0)
                return rc;
        printf("listening at %s\n", belay_listener_endpoint(server->listener));
        fflush(stdout);
        belay_group_enter(&group);
        rc = belay_group_spawn(&group, serve, server);
        /* Sleeps until a signal cancels the task. The group cancels it, too, if serving fails. */
        if (rc == 0 && belay_sleep(BELAY_NEVER) == -ECANCELED)
                close_down(server);
        rc = belay_group_leave(&group, rc);
        belay_listener_close(server->listener);
        printf("%u connections, %u commands, %u cancelled\n", server->accepted, server->begun,
               server->cancelled);
        return rc;
}

int main(int argc, char **argv) {
        struct server server = {
                .endpoint = argc > 1 ? argv[1] : "127.0.0.1:7008",
                .grace = argc > 2 ? (belay_time) (atof(argv[2]) * (double) BELAY_SECOND)
                                  : 10 * BELAY_SECOND,
        };
        int rc = belay_run(app, &server);

        if (rc < 0)
                fprintf(stderr, "line_server: %s: %s\n", server.endpoint, strerror(-rc));
        return rc < 0;
}
