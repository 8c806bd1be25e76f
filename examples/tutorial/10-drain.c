/* SPDX-License-Identifier: MIT */
/* A server is cancelled while 40 clients keep it busy. Counts prove that no work is lost. */
#include <belay.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDPOINT "unix:tutorial.socket"

enum { CLIENTS = 40 };

static struct {
        bool is_closing;
        unsigned read, working, committed;
} server;

static struct { unsigned sent, acknowledged; } clients;

/* ---- the server ---- */

/* Changes the store and waits for the disk. The shield holds a cancellation back meanwhile. */
static int commit(void) {
        belay_shield_scope shield;
        int rc;

        belay_shield_enter(&shield, BELAY_SECOND);
        server.committed++;
        rc = belay_sleep(BELAY_MILLISECOND); /* the disk */
        return belay_shield_leave(&shield, rc);
}

/* A cancellation may end the computation, which has changed nothing yet. */
static int work(int milliseconds) {
        int rc;

        server.working++;
        rc = belay_sleep(milliseconds * BELAY_MILLISECOND);
        if (rc == 0)
                rc = commit();
        server.working--;
        return rc;
}

static int handle(belay_stream *stream, void *arg) {
        char line[64];
        ssize_t rc = 1;

        (void) arg;
        while (rc > 0 && !server.is_closing) {
                rc = belay_read_line(stream, line, sizeof(line));
                if (rc > 0) {
                        server.read++;
                        rc = work(atoi(line));
                        if (rc == 0)
                                rc = belay_print(stream, "done\n");
                }
        }
        if (rc == -ECANCELED && !belay_is_cut(stream))
                rc = belay_print(stream, "bye\n");
        return rc < 0 ? (int) rc : 0;
}

static int serve(void *listener) {
        return belay_serve(listener, handle, NULL,
                           BELAY_OPTIONS(belay_serve_options, .grace = BELAY_SECOND));
}

/* ---- the clients ---- */

/* Sends one request after the other until the server says "bye" or closes the connection. */
static int load(void *arg) {
        int milliseconds = *(const int *) arg;
        belay_stream *stream;
        char line[64];
        ssize_t rc = belay_connect(&stream, ENDPOINT, NULL);

        if (rc < 0)
                return (int) rc;
        do {
                rc = belay_print(stream, "%d\n", milliseconds);
                if (rc > 0) {
                        clients.sent++;
                        rc = belay_read_line(stream, line, sizeof(line));
                }
                if (rc > 0 && strcmp(line, "done\n") == 0) {
                        clients.acknowledged++;
                        rc = belay_sleep(BELAY_MILLISECOND);
                } else if (rc >= 0) {
                        rc = -EPIPE;
                }
        } while (rc == 0);
        belay_close(stream, 0);
        /* The server closed the connection: the last request was not acknowledged. */
        return rc == -EPIPE || rc == -ECONNRESET ? 0 : (int) rc;
}

/* ---- both ---- */

static int shut_down(belay_listener *listener, belay_task *task) {
        int rc;

        printf("shutdown begins: %u connections, %u requests in progress\n",
               (unsigned) belay_serve_count(listener), server.working);
        server.is_closing = true;
        rc = belay_cancel_wait(task, "shutdown", BELAY_MINUTE, NULL);
        printf("shutdown ends:   %u connections, %u requests in progress\n",
               (unsigned) belay_serve_count(listener), server.working);
        return rc;
}

static int app(void *arg) {
        static int milliseconds[CLIENTS];
        belay_listener *listener;
        belay_task *task;
        belay_group group;
        int ended, rc = belay_listen(&listener, ENDPOINT, NULL);

        (void) arg;
        if (rc < 0)
                return rc;
        task = belay_spawn(serve, listener);
        belay_group_enter(&group);
        for (int i = 0; i < CLIENTS && rc == 0; i++) {
                /* Four requests outlast the grace period. One commit is in progress at its end. */
                milliseconds[i] = i == 0 ? 3000 : i % 10 == 9 ? 5000 : 10 + i;
                rc = belay_group_spawn(&group, load, &milliseconds[i]);
        }
        if (rc == 0)
                rc = belay_sleep(2 * BELAY_SECOND + BELAY_MICROSECOND);
        ended = shut_down(listener, task);
        rc = belay_group_leave(&group, rc);
        belay_release(task);
        belay_listener_close(listener);
        return rc < 0 ? rc : ended;
}

int main(void) {
        int rc = belay_run_with(app, NULL,
                                BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL));
        int lost = (int) (server.committed - clients.acknowledged);

        printf("the clients sent %u requests, and %u were acknowledged\n", clients.sent,
               clients.acknowledged);
        printf("the server read %u requests, and %u were committed\n", server.read,
               server.committed);
        printf("committed without acknowledgement: %d\n", lost);
        return rc < 0 || lost != 0;
}
