/* SPDX-License-Identifier: MIT */
/*
 * The server of the README: greet [ENDPOINT], by default 127.0.0.1:7007. It answers each line until
 * Ctrl-C.
 */
#include <belay.h>
#include <stdio.h>
#include <string.h>

static int greet(belay_stream *stream, void *arg) {
        char line[256];
        ssize_t size;

        (void) arg;
        while ((size = belay_read_line(stream, line, sizeof(line))) > 0)
                if ((size = belay_print(stream, "you said: %s", line)) < 0)
                        break;
        return (int) size;
}

static int app(void *arg) {
        belay_listener *listener;
        /* arg is "127.0.0.1:7007", "*:7007" or "unix:/run/app.sock". */
        int rc = belay_listen(&listener, arg, NULL);

        if (rc == 0)
                rc = belay_serve(listener, greet, NULL, NULL);
        belay_listener_close(listener);
        return rc;
}

int main(int argc, char **argv) {
        int rc = belay_run(app, argc > 1 ? argv[1] : "127.0.0.1:7007");

        if (rc < 0 && rc != -EINTR)
                fprintf(stderr, "greet: %s\n", strerror(-rc));
        return rc < 0 && rc != -EINTR; /* -EINTR: a signal ended it, which is success */
}
