/* SPDX-License-Identifier: MIT */
/* A server is a function that handles one connection. belay_serve() runs it in a task for each. */
#include <belay.h>
#include <ctype.h>
#include <stdio.h>

#define ENDPOINT "unix:tutorial.socket"

/* ---- the server ---- */

static int shout(belay_stream *stream, void *arg) {
        char line[256];
        ssize_t size;

        (void) arg;
        while ((size = belay_read_line(stream, line, sizeof(line))) > 0) {
                for (ssize_t i = 0; i < size; i++)
                        line[i] = (char) toupper((unsigned char) line[i]);
                size = belay_write(stream, line, (size_t) size);
                if (size < 0)
                        break;
        }
        return (int) size;
}

static int serve(void *listener) {
        return belay_serve(listener, shout, NULL, NULL); /* until this task is cancelled */
}

/* ---- two clients ---- */

struct client {
        const char *name;
        belay_time delay;
};

static int talk(void *arg) {
        const struct client *client = arg;
        belay_stream *stream;
        char line[256];
        ssize_t size = 0;
        int rc = belay_connect(&stream, ENDPOINT, NULL);

        if (rc < 0)
                return rc;
        for (int i = 1; i <= 2 && size >= 0; i++) {
                size = belay_sleep(client->delay);
                if (size == 0)
                        size = belay_print(stream, "%s says %d\n", client->name, i);
                if (size > 0)
                        size = belay_read_line(stream, line, sizeof(line));
                if (size > 0)
                        printf("%d s: %s", (int) (belay_now() / BELAY_SECOND), line);
        }
        belay_close(stream, BELAY_SECOND);
        return size < 0 ? (int) size : 0;
}

static int run_clients(void) {
        static struct client clients[] = {
                { "ann", 2 * BELAY_SECOND },
                { "bob", 3 * BELAY_SECOND },
        };
        belay_group group;
        int rc = belay_group_enter(&group);

        for (size_t i = 0; i < 2 && rc == 0; i++)
                rc = belay_group_spawn(&group, talk, &clients[i]);
        return belay_group_leave(&group, rc);
}

/* ---- both ---- */

static int app(void *arg) {
        belay_listener *listener;
        belay_task *server;
        int outcome, ended, rc = belay_listen(&listener, ENDPOINT, NULL);

        (void) arg;
        if (rc < 0)
                return rc;
        server = belay_spawn(serve, listener);
        rc = run_clients();
        /* This call is no cancellation point, so the server ends even if app is cancelled. */
        ended = belay_cancel_wait(server, "all clients are done", BELAY_MINUTE, &outcome);
        if (ended == 0)
                printf("the server %s\n", outcome == -ECANCELED ? "ended cancelled" : "failed");
        belay_release(server);
        belay_listener_close(listener);
        return rc < 0 ? rc : ended;
}

int main(void) {
        return belay_run_with(app, NULL,
                              BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL))
               < 0;
}
