/* SPDX-License-Identifier: MIT */
/*
 * Tests the port checker with each of its waits cancelled, and the number of ports that it checks
 * at once.
 */
#define main example_main
#include "../../examples/net/port_check.c"
#undef main

#include <sys/socket.h>
#include <sys/un.h>

#include "examples/inside.h"

static char silent_endpoint[80];
static char *endpoints[] = { endpoint, silent_endpoint, "unix:/nowhere", endpoint, "what" };

/*
 * Makes a listener that never accepts. The kernel completes the first connection, and the next ones
 * wait.
 */
static int listen_silently(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), waiting;

        snprintf(silent_endpoint, sizeof(silent_endpoint), "%s.silent", endpoint);
        snprintf(address.sun_path, sizeof(address.sun_path), "%s",
                 silent_endpoint + strlen("unix:"));
        CHECK(fd >= 0);
        CHECK_EQ(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        CHECK_EQ(listen(fd, 0), 0);
        waiting = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(waiting >= 0);
        CHECK_EQ(connect(waiting, (struct sockaddr *) &address, sizeof(address)), 0);
        /* The connection stays in the queue until the listener is closed. */
        close(waiting);
        return fd;
}

static struct checks all;

static int check_all(void *arg) {
        belay_listener *listener;
        int rc = belay_listen(&listener, endpoint, NULL);

        (void) arg;
        all = (struct checks) {
                .endpoints = endpoints, .count = 5, .at_once = 2, .limit = 3 * BELAY_SECOND
        };
        if (rc == 0)
                rc = app(&all);
        belay_listener_close(listener);
        return rc;
}

static int check_outcome(void *arg, int outcome) {
        (void) arg;
        return all.open > 2 || (outcome == 0 && all.asked > all.count);
}

static int check_undisturbed(void *arg) {
        (void) arg;
        CHECK_EQ(check_all(NULL), 0);
        CHECK_EQ(all.asked, 5);
        CHECK_EQ(all.open, 2);
        CHECK_EQ(belay_now(), 3 * BELAY_SECOND);
        return 0;
}

static void tests(void) {
        int silent = listen_silently();

        RUN_VIRTUAL(check_undisturbed);
        EVERYWHERE(check_all, NULL, NULL, check_outcome, 3);
        close(silent);
        CHECK_EQ(unlink(silent_endpoint + strlen("unix:")), 0);
}

int main(void) {
        on_both(tests);
        return 0;
}
