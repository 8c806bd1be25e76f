/* SPDX-License-Identifier: MIT */
/*
 * Accept at a socket that was handed down, as by a service manager.
 */
#include <belay.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

/* ---- the recipe ---- */

static int greet(belay_stream *client) {
        ssize_t rc = belay_print(client, "hello\n");

        if (rc > 0)
                return belay_close(client, BELAY_SECOND);
        belay_abort(client);
        return (int) rc;
}

/* A service manager passes the first socket as descriptor 3. Serves one connection at a time. */
static int serve_inherited(int fd) {
        belay_listener *listener;
        belay_stream *client;
        int rc = belay_listen_fd(&listener, fd);

        if (rc < 0)
                return rc;
        /* A client that breaks its connection ends nothing but that. */
        while ((rc = belay_accept(listener, &client)) == 0)
                if ((rc = greet(client)) == -ECANCELED)
                        break;
        belay_listener_close(listener);
        return rc;
}

/* ---- the check ---- */

#include <sys/socket.h>
#include <sys/un.h>

static char directory[] = "/tmp/belay-cookbook-XXXXXX", endpoint[64];
static int inherited;

static int server(void *arg) {
        (void) arg;
        return serve_inherited(inherited);
}

static int app(void *arg) {
        belay_task *task = belay_spawn(server, NULL);
        belay_listener *other;
        belay_stream *stream;
        char line[16];
        int outcome;

        (void) arg;
        for (int i = 0; i < 3; i++) {
                check(belay_connect(&stream, endpoint, NULL) == 0);
                check(belay_read_line(stream, line, sizeof(line)) == 6);
                check(belay_close(stream, BELAY_NEVER) == 0);
        }
        check(belay_cancel_wait(task, "enough", BELAY_NEVER, &outcome) == 0);
        check(outcome == -ECANCELED);
        belay_release(task);

        /* A listener's descriptor, to look at it or to hand down a copy. */
        check(belay_listen(&other, endpoint, NULL) == 0 && belay_listener_fd(other) >= 0);
        belay_listener_close(other);
        return 0;
}

int main(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };

        check(mkdtemp(directory) != NULL);
        snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
        snprintf(endpoint, sizeof(endpoint), "unix:%s/socket", directory);
        inherited = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        check(inherited >= 0);
        check(bind(inherited, (struct sockaddr *) &address, sizeof(address)) == 0);
        check(listen(inherited, 10) == 0);
        check(belay_run(app, NULL) == 0);
        (void) unlink(address.sun_path);
        check(rmdir(directory) == 0);
        return 0;
}
