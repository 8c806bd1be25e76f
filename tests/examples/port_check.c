/* SPDX-License-Identifier: MIT */
/*
 * Tests the port checker: open, closed and silent ports, several ports at once, its exit codes, and
 * Ctrl-C while it runs.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "examples/example.h"

static char open_port[64], closed_port[64], silent_port[64];

/* Binds a socket to a free port. */
static int bind_somewhere(char *endpoint, size_t size) {
        struct sockaddr_in address = { .sin_family = AF_INET,
                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
        socklen_t length = sizeof(address);
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

        CHECK(fd >= 0);
        CHECK_EQ(bind(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        CHECK_EQ(getsockname(fd, (struct sockaddr *) &address, &length), 0);
        snprintf(endpoint, size, "127.0.0.1:%d", ntohs(address.sin_port));
        return fd;
}

/*
 * Fills the queue of a listener that never accepts. After that the kernel answers no further
 * connection.
 */
static void fill_queue_of(int listener) {
        struct sockaddr_in address;
        socklen_t length = sizeof(address);

        CHECK_EQ(listen(listener, 0), 0);
        CHECK_EQ(getsockname(listener, (struct sockaddr *) &address, &length), 0);
        for (int i = 0; i < 4; i++) {
                int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

                CHECK(fd >= 0);
                CHECK(connect(fd, (struct sockaddr *) &address, sizeof(address)) == 0
                      || errno == EINPROGRESS);
        }
}

static void make_ports(void) {
        CHECK_EQ(listen(bind_somewhere(open_port, sizeof(open_port)), 1000), 0);
        bind_somewhere(closed_port, sizeof(closed_port));
        fill_queue_of(bind_somewhere(silent_port, sizeof(silent_port)));
}

/* The next line must name this port and its state. */
static void check_line(struct example *example, const char *state, const char *endpoint,
                       const char *why) {
        const char *line = next_line(example->out);
        char word[16], where[64];
        double took;
        int at = 0;

        if (sscanf(line, "%15s %lf ms %63[^ ]%n", word, &took, where, &at) < 3) {
                fprintf(stderr, "it says: %s\n", line);
                show_complaints(example);
                CHECK_END(1);
        }
        CHECK_STR(word, state);
        CHECK(took >= 0);
        where[strcspn(where, " ")] = '\0';
        if (*why != '\0' && where[strlen(where) - 1] == ':')
                where[strlen(where) - 1] = '\0';
        CHECK_STR(where, endpoint);
        CHECK_STR(line[at] != '\0' ? line + at + 1 : "", why);
}

static int app(void *arg) {
        struct example example;

        (void) arg;
        START(&example, "port_check", open_port, open_port);
        check_line(&example, "open", open_port, "");
        check_line(&example, "open", open_port, "");
        end(&example, 0, 0);
        CHECK_COMPLAINTS(&example, "");

        /* One port at a time, in the order of the arguments. */
        START(&example, "port_check", "-t", "0.1", "-n", "1", silent_port, closed_port, open_port);
        check_line(&example, "filtered", silent_port, strerror(ETIMEDOUT));
        check_line(&example, "closed", closed_port, strerror(ECONNREFUSED));
        check_line(&example, "open", open_port, "");
        end(&example, 0, 1);
        CHECK_COMPLAINTS(&example, "");

        /* Two ports at a time: those that answer must not wait for the silent one. */
        START(&example, "port_check", "-t", "1000", "-n", "2", silent_port, open_port, closed_port,
              open_port, "what");
        check_line(&example, "open", open_port, "");
        check_line(&example, "closed", closed_port, strerror(ECONNREFUSED));
        check_line(&example, "open", open_port, "");
        check_line(&example, "unknown", "what", strerror(EINVAL));
        end(&example, SIGINT, 2);
        CHECK_COMPLAINTS(&example, error_line("port_check: ", EINTR, "; 4 of 5 were asked"));

        START(&example, "port_check", "-n", "0", open_port);
        end(&example, 0, 2);
        CHECK_COMPLAINTS(&example, "usage: port_check [-n AT-ONCE] [-t SECONDS] HOST:PORT...\n");
        return 0;
}

int main(void) {
        make_ports();
        run_on_both(app);
        return 0;
}
