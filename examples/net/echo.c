/* SPDX-License-Identifier: MIT */
/*
 * An echo server sends each client its own bytes back.
 *
 *     echo [ENDPOINT]               127.0.0.1:7007 by default; port 0: any free port
 *     nc 127.0.0.1 7007
 *
 * Each connection has a task of its own, so its handler is written as if there were no other
 * connection. If Ctrl-C ends the server, it accepts no more connections. It lets the open ones go
 * on for 2 seconds and cancels those that are left.
 */
#include <belay.h>
#include <stdio.h>
#include <string.h>

static int echo(belay_stream *client, void *arg) {
        (void) arg;
        /*
         * Copies until the client half-closes the connection. If the client does not read, the
         * copying waits, and soon the client's writing waits, too. Therefore the server never holds
         * more than a buffer of data.
         */
        return belay_copy(client, client, -1, NULL);
}

static int app(void *arg) {
        belay_listener *listener;
        int rc = belay_listen(&listener, arg, NULL);

        if (rc < 0)
                return rc;
        printf("listening at %s\n", belay_listener_endpoint(listener));
        fflush(stdout);
        /*
         * Returns when app is cancelled, which is what Ctrl-C does. All connections have ended
         * then.
         */
        rc = belay_serve(listener, echo, NULL,
                         BELAY_OPTIONS(belay_serve_options, .grace = 2 * BELAY_SECOND));
        belay_listener_close(listener);
        return rc;
}

int main(int argc, char **argv) {
        const char *endpoint = argc > 1 ? argv[1] : "127.0.0.1:7007";
        int rc = belay_run(app, (void *) endpoint);

        /* -EINTR: Ctrl-C or SIGTERM ended the server, which is its usual end. */
        if (rc == -EINTR)
                return 0;
        if (rc < 0)
                fprintf(stderr, "echo: %s: %s\n", endpoint, strerror(-rc));
        return rc < 0;
}
