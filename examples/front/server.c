/* SPDX-License-Identifier: MIT */
/*
 * belay_dump() shows the tasks of a small server between its cancellation and its end.
 *
 * Three clients are connected. The first request took longer than its timeout, so its handler is
 * cleaning up. The handler of the second waits for the lock that the first one holds. The third
 * client has sent nothing. Then the operator cancels the server, and the dump follows before the
 * request is delivered.
 *
 * The clock is virtual, so that the program takes no time and each run prints the same.
 */
#include <belay.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static belay_lock store;

/* Saving takes 10 s. A cancelled save holds the lock for 1 s more, because it is undone. */
static int save(const char *text) {
        int undone, rc;

        (void) text;
        rc = belay_lock_acquire(&store);
        if (rc < 0)
                return rc;
        rc = belay_sleep(10 * BELAY_SECOND);
        if (rc < 0) {
                undone = belay_sleep(BELAY_SECOND);
                rc = undone < 0 ? undone : rc;
        }
        belay_lock_release(&store);
        return rc;
}

static int handle(belay_stream *stream, void *arg) {
        char line[256];
        ssize_t size;

        (void) arg;
        while ((size = belay_read_line(stream, line, sizeof(line))) > 0) {
                belay_timeout limit;
                int rc;

                belay_timeout_enter(&limit, 5 * BELAY_SECOND);
                rc = save(line);
                rc = belay_timeout_leave(&limit, rc);
                if (rc < 0)
                        return rc;
        }
        return (int) size;
}

static int serve(void *listener) {
        return belay_serve(listener, handle, NULL, NULL);
}

static int operate(belay_listener *listener) {
        belay_stream *clients[3] = { NULL };
        belay_task *server = NULL;
        belay_group group;
        int rc;

        belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .name = "services"));
        rc = belay_group_spawn_with(&group, serve, listener,
                                    BELAY_OPTIONS(belay_spawn_options, .name = "server"), &server);
        for (int i = 0; i < 3 && rc == 0; i++) {
                rc = belay_connect(&clients[i], belay_listener_endpoint(listener), NULL);
                if (rc == 0 && i < 2)
                        rc = (int) belay_print(clients[i], "save\n");
                if (rc >= 0)
                        rc = belay_sleep(BELAY_SECOND);
        }
        if (rc == 0)
                rc = belay_sleep(2500 * BELAY_MILLISECOND);
        if (rc == 0) {
                belay_cancel(server, "new configuration");
                rc = belay_dump(1);
        }
        rc = belay_group_leave(&group, rc);
        for (int i = 0; i < 3; i++)
                belay_abort(clients[i]);
        belay_release(server);
        return rc;
}

static int app(void *arg) {
        belay_listener *listener;
        int rc = belay_listen(&listener, arg, NULL);

        if (rc == 0)
                rc = operate(listener);
        belay_listener_close(listener);
        return rc;
}

int main(void) {
        char endpoint[64];
        int rc;

        snprintf(endpoint, sizeof(endpoint), "unix:@server-%d", (int) getpid());
        rc = belay_run_with(app, endpoint,
                            BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL));
        if (rc < 0)
                fprintf(stderr, "server: %s\n", strerror(-rc));
        return rc < 0;
}
