/* SPDX-License-Identifier: MIT */
/* A client connects and reads lines, however the bytes of a line arrive. */
#include <belay.h>
#include <stdio.h>

#define ENDPOINT "unix:tutorial.socket" /* "127.0.0.1:7007" would do as well */

/* The peer of the client, in the same program: it sends two lines in three pieces. */
static int send_pieces(belay_stream *stream) {
        static const char *const pieces[] = { "first line\nsec", "ond ", "line\n" };
        int rc = 0;

        for (size_t i = 0; i < 3 && rc == 0; i++) {
                ssize_t size = belay_print(stream, "%s", pieces[i]);

                rc = size < 0 ? (int) size : belay_sleep(BELAY_SECOND);
        }
        return rc;
}

static int peer(void *arg) {
        belay_stream *stream;
        int rc = belay_accept(arg, &stream);

        if (rc < 0)
                return rc;
        rc = send_pieces(stream);
        belay_close(stream, 0);
        return rc;
}

static int client(void) {
        belay_stream *stream;
        char line[64];
        ssize_t size;
        int rc = belay_connect(&stream, ENDPOINT, NULL);

        if (rc < 0)
                return rc;
        while ((size = belay_read_line(stream, line, sizeof(line))) > 0)
                printf("%d s: %s", (int) (belay_now() / BELAY_SECOND), line);
        if (size == 0)
                printf("%d s: the end\n", (int) (belay_now() / BELAY_SECOND));
        belay_close(stream, 0);
        return (int) size;
}

static int app(void *arg) {
        belay_listener *listener;
        belay_group group;
        int rc = belay_listen(&listener, ENDPOINT, NULL);

        (void) arg;
        if (rc < 0)
                return rc;
        belay_group_enter(&group);
        rc = belay_group_spawn(&group, peer, listener);
        if (rc == 0)
                rc = client();
        rc = belay_group_leave(&group, rc);
        belay_listener_close(listener);
        return rc;
}

int main(void) {
        return belay_run_with(app, NULL,
                              BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL))
               < 0;
}
