/* SPDX-License-Identifier: MIT */
/*
 * Start a server in the background, and go on when it listens.
 */
#include <belay.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

/* ---- the recipe ---- */

static int greet(belay_stream *client, void *arg) {
        ssize_t rc = belay_print(client, "hello\n");

        (void) arg;
        return rc < 0 ? (int) rc : 0;
}

static int server(void *endpoint) {
        belay_listener *listener;
        int rc = belay_listen(&listener, endpoint, NULL);

        if (rc < 0)
                return rc;
        /* The starter goes on. If it has given up meanwhile, serving would be of no use. */
        rc = belay_ready();
        if (rc == 0)
                rc = belay_serve(listener, greet, NULL, NULL);
        belay_listener_close(listener);
        return rc;
}

/* Runs body(endpoint) beside a server. Neither is left when it returns. */
static int with_server(char *endpoint, belay_fn *body) {
        belay_group group;
        int rc = belay_group_enter(&group);

        if (rc < 0)
                return rc;
        rc = belay_group_start(&group, server, endpoint, NULL, NULL);
        if (rc == 0)
                rc = body(endpoint);
        if (rc >= 0)
                belay_group_cancel(&group);
        return belay_group_leave(&group, rc);
}

/* ---- the check ---- */

static char directory[] = "/tmp/belay-cookbook-XXXXXX", endpoint[64];
static bool was_greeted;

static int client(void *arg) {
        belay_stream *stream;
        char line[16];
        int rc = belay_connect(&stream, arg, NULL);

        check(rc == 0);
        check(belay_read_line(stream, line, sizeof(line)) == 6);
        was_greeted = true;
        return belay_close(stream, BELAY_NEVER);
}

static int app(void *arg) {
        (void) arg;
        check(with_server(endpoint, client) == 0 && was_greeted);
        /* A server that cannot listen: the starter gets its failure. */
        check(with_server("unix:/nowhere/at/all", client) == -ENOENT);
        return 0;
}

int main(void) {
        check(mkdtemp(directory) != NULL);
        snprintf(endpoint, sizeof(endpoint), "unix:%s/socket", directory);
        check(belay_run(app, NULL) == 0);
        check(rmdir(directory) == 0);
        return 0;
}
