/* SPDX-License-Identifier: MIT */
/*
 * Drain at shutdown: accept nothing more, let connections finish, and cancel those that do not.
 */
#include <belay.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

/* ---- the recipe ---- */

/* Answers each line. A connection that is cancelled says goodbye. */
static int answer(belay_stream *client, void *arg) {
        char line[256];
        ssize_t rc;

        (void) arg;
        while ((rc = belay_read_line(client, line, sizeof(line))) > 0)
                if ((rc = belay_print(client, "you said: %s", line)) < 0)
                        break;
        if (rc == -ECANCELED && !belay_is_cut(client))
                rc = belay_print(client, "the server is closing\n");
        return rc < 0 ? (int) rc : 0;
}

/*
 * Serves until the calling task is cancelled, as Ctrl-C cancels main. No connection is left when it
 * returns.
 */
static int serve(belay_listener *listener, belay_time grace) {
        return belay_serve(listener, answer, NULL,
                           BELAY_OPTIONS(belay_serve_options, .most = 1000, .grace = grace,
                                         .close_limit = BELAY_SECOND));
}

/* ---- the check ---- */

static char directory[] = "/tmp/belay-cookbook-XXXXXX", endpoint[64];
static belay_listener *listener;

static int server(void *arg) {
        (void) arg;
        return serve(listener, BELAY_NEVER);
}

static int expect_line(belay_stream *stream, const char *expected) {
        char line[64];

        return belay_read_line(stream, line, sizeof(line)) > 0 && strcmp(line, expected) == 0;
}

static int app(void *arg) {
        belay_stream *leaves, *stays, *late = NULL;
        belay_task *task;
        int outcome;

        (void) arg;
        check(belay_listen(&listener, endpoint, NULL) == 0);
        task = belay_spawn(server, NULL);
        check(belay_connect(&leaves, endpoint, NULL) == 0);
        check(belay_connect(&stays, endpoint, NULL) == 0);
        check(belay_print(leaves, "one\n") == 4 && expect_line(leaves, "you said: one\n"));
        check(belay_print(stays, "two\n") == 4 && expect_line(stays, "you said: two\n"));
        check(belay_serve_count(listener) == 2);

        check(belay_cancel(task, "shutdown"));
        check(belay_yield() == 0);
        check(belay_connect(&late, endpoint, NULL) < 0);
        /* Both go on in the grace period. */
        check(belay_print(leaves, "three\n") == 6 && expect_line(leaves, "you said: three\n"));
        check(belay_close(leaves, BELAY_NEVER) == 0);
        check(!belay_done(task));
        /*
         * A second request ends the grace period, and the cleanup of the connection still gets its
         * last words out.
         */
        check(belay_cancel(task, "at once"));
        check(expect_line(stays, "the server is closing\n"));
        check(belay_close(stays, BELAY_NEVER) == 0);
        check(belay_join(task, &outcome) == 0 && outcome == -ECANCELED);
        check(belay_serve_count(listener) == 0 && belay_serve_lingering(listener) == 0);
        belay_release(task);
        belay_listener_close(listener);
        return 0;
}

int main(void) {
        check(mkdtemp(directory) != NULL);
        snprintf(endpoint, sizeof(endpoint), "unix:%s/socket", directory);
        check(belay_run(app, NULL) == 0);
        check(rmdir(directory) == 0);
        return 0;
}
