/* SPDX-License-Identifier: MIT */
/*
 * Opening datagram sockets: at all addresses, between two ends, with failures, with files of Unix
 * sockets, and misuse.
 */
#define _GNU_SOURCE
#include "net/plain.h"

/* ---- all addresses ---- */

static void from_and_to(belay_datagrams *server, enum kind kind) {
        char endpoint[64], buffer[8];
        const char *port = strrchr(belay_datagrams_endpoint(server), ':');
        belay_datagrams *client;
        belay_address from, to, *found;
        size_t count;

        snprintf(endpoint, sizeof(endpoint), "%s%s", kind == IPV4 ? "127.0.0.1" : "[::1]", port);
        client = opened(NULL, endpoint);
        CHECK_EQ(belay_send(client, "hello", 5, NULL), 5);
        CHECK_EQ(belay_receive(server, buffer, sizeof(buffer), &from), 5);
        CHECK_EQ(belay_send(server, "you", 3, &from), 3);
        CHECK_EQ(belay_receive(client, buffer, sizeof(buffer), NULL), 3);
        /* The client's address as the client itself reports it can be sent to as well. */
        CHECK_EQ(belay_resolve(belay_datagrams_endpoint(client), SOCK_DGRAM, &found, &count), 0);
        to = *found;
        belay_addresses_free(found, count);
        CHECK_EQ(belay_send(server, "too", 3, &to), 3);
        CHECK_EQ(belay_receive(client, buffer, sizeof(buffer), NULL), 3);
        belay_datagrams_close(client);
}

static int every_address(void *arg) {
        belay_datagrams *server = opened(":0", NULL), *client;
        char endpoint[64];

        (void) arg;
        from_and_to(server, IPV4);
        if (has_ipv6())
                from_and_to(server, IPV6);
        /* Of both families, the one of the peer's address is chosen. */
        snprintf(endpoint, sizeof(endpoint), "127.0.0.1%s",
                 strrchr(belay_datagrams_endpoint(server), ':'));
        client = opened("*:0", endpoint);
        CHECK(strncmp(belay_datagrams_endpoint(client), "127.0.0.1:", 10) == 0);
        belay_datagrams_close(client);
        belay_datagrams_close(server);
        return 0;
}

/* ---- without a name ---- */

/* A Unix socket without an address can send, but cannot be answered. */
static int without_a_name(void *arg) {
        char buffer[8];
        belay_datagrams *server = opened(fresh_endpoint(UNIX_ABSTRACT), NULL);
        belay_datagrams *client = opened(NULL, belay_datagrams_endpoint(server));
        belay_address from;

        (void) arg;
        CHECK_STR(belay_datagrams_endpoint(client), "unix:");
        CHECK_EQ(belay_send(client, "x", 1, NULL), 1);
        CHECK_EQ(belay_receive(server, buffer, sizeof(buffer), &from), 1);
        CHECK_STR(text_of(&from), "unix:");
        CHECK_EQ(belay_send(server, "y", 1, &from), -EINVAL);
        belay_datagrams_close(client);
        belay_datagrams_close(server);
        return 0;
}

/* ---- opening that fails ---- */

static void refused(int expected, const char *local, const char *remote) {
        belay_datagrams *socket = (belay_datagrams *) &socket;
        int before = open_count();

        CHECK_EQ(belay_datagrams_open(&socket, local, remote), expected);
        CHECK(socket == NULL);
        CHECK_EQ(open_count(), before);
}

static int bad_ends(void *arg) {
        char path[128], other[128];
        belay_datagrams *server = opened("127.0.0.1:0", NULL);

        (void) arg;
        refused(-EINVAL, NULL, NULL);
        refused(-EINVAL, "nonsense", NULL);
        refused(-EINVAL, NULL, "[::1");
        refused(-EADDRINUSE, belay_datagrams_endpoint(server), NULL);
        refused(-EADDRNOTAVAIL, "192.0.2.1:0", NULL);
        refused(-EAFNOSUPPORT, "127.0.0.1:0", "[::1]:9");
        refused(-EAFNOSUPPORT, "127.0.0.1:0", "unix:@anybody");
        /* The reported error is that of a pair of addresses of one family. */
        if (has_ipv6()) {
                snprintf(path, sizeof(path), "*%s", strrchr(belay_datagrams_endpoint(server), ':'));
                refused(-EADDRINUSE, path, "[::1]:9");
        }
        refused(-ECONNREFUSED, NULL, fresh_endpoint(UNIX_ABSTRACT));
        snprintf(path, sizeof(path), "%s", fresh_endpoint(UNIX_PATH));
        refused(-ENOENT, NULL, path);
        /* The socket's own file is removed if the peer does not exist. */
        snprintf(other, sizeof(other), "%s", fresh_endpoint(UNIX_PATH));
        refused(-ENOENT, path, other);
        CHECK(!is_there(path + 5));
        limit_descriptors(0);
        {
                belay_datagrams *none;

                CHECK_EQ(belay_datagrams_open(&none, "127.0.0.1:0", NULL), -EMFILE);
                CHECK(none == NULL);
        }
        unlimit_descriptors();
        belay_datagrams_close(server);
        return 0;
}

/* ---- files of Unix sockets ---- */

static int files(void *arg) {
        char endpoint[128];
        const char *path = endpoint + 5;
        belay_datagrams *socket, *other;
        belay_address address;
        int fd;

        (void) arg;
        snprintf(endpoint, sizeof(endpoint), "%s", fresh_endpoint(UNIX_PATH));
        socket = opened(endpoint, NULL);
        CHECK(is_there(path));
        CHECK_STR(belay_datagrams_endpoint(socket), endpoint);
        refused(-EADDRINUSE, endpoint, NULL);
        belay_datagrams_close(socket);
        CHECK(!is_there(path));

        /* The file of another socket, which took the name. */
        socket = opened(endpoint, NULL);
        CHECK_EQ(unlink(path), 0);
        other = opened(endpoint, NULL);
        belay_datagrams_close(socket);
        CHECK(is_there(path));
        belay_datagrams_close(other);
        CHECK(!is_there(path));

        /* The file of a socket that has gone. */
        fd = bound_socket(UNIX_PATH, SOCK_DGRAM, &address);
        close(fd);
        snprintf(endpoint, sizeof(endpoint), "%s", text_of(&address));
        CHECK(is_there(path));
        socket = opened(endpoint, NULL);
        belay_datagrams_close(socket);
        CHECK(!is_there(path));

        /* Files of other kinds are not removed. */
        fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
        CHECK(fd >= 0);
        close(fd);
        refused(-EADDRINUSE, endpoint, NULL);
        CHECK_EQ(unlink(path), 0);
        fd = bound_socket(UNIX_PATH, SOCK_STREAM, &address);
        CHECK_EQ(listen(fd, 1), 0);
        refused(-EADDRINUSE, text_of(&address), NULL);
        CHECK(is_there(path_of(&address)));
        close_bound(fd, &address);
        return 0;
}

/* ---- misuse ---- */

static int open_at_arg(void *arg) {
        *(belay_datagrams **) arg = opened("127.0.0.1:0", NULL);
        return 0;
}

static int use_of_another(void *arg) {
        char byte;

        CHECK_EQ(belay_receive(arg, &byte, 1, NULL), -EPERM);
        CHECK_EQ(belay_send(arg, &byte, 1, NULL), -EPERM);
        return 0;
}

static void misuse(void) {
        belay_loop *loop = belay_loop_new(NULL);
        belay_datagrams *socket = NULL;
        char byte;
        int before = open_count();

        CHECK_EQ(belay_loop_run(loop, open_at_arg, &socket, NULL), 0);
        keep_lines();
        CHECK_EQ(belay_receive(socket, &byte, 1, NULL), -EPERM);
        CHECK_EQ(belay_send(socket, &byte, 1, NULL), -EPERM);
        CHECK_EQ(belay_datagrams_open(&(belay_datagrams *) { NULL }, "127.0.0.1:0", NULL), -EPERM);
        CHECK_LINES(1, "belay_receive() outside of a task");
        CHECK_LINES(1, "belay_send() outside of a task");
        CHECK_LINES(1, "belay_datagrams_open() outside of a task");
        CHECK_EQ(belay_run(use_of_another, socket), 0);
        CHECK_LINES(2, "belongs to another loop");
        /* A socket may be closed after its loop. */
        CHECK_EQ(belay_loop_close(loop), 0);
        CHECK_EQ(belay_run(use_of_another, socket), 0);
        belay_datagrams_close(socket);
        CHECK(open_count() < before);
        belay_set_log(NULL, NULL);
}

int main(void) {
        CHECK_EQ(belay_run(every_address, NULL), 0);
        CHECK_EQ(belay_run(without_a_name, NULL), 0);
        CHECK_EQ(belay_run(bad_ends, NULL), 0);
        CHECK_EQ(belay_run(files, NULL), 0);
        misuse();
        return 0;
}
