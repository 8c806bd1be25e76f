/* SPDX-License-Identifier: MIT */
/*
 * Listening: each form of an endpoint, both families at once, options, the files of Unix sockets,
 * inherited sockets, and the errors.
 */
#define _GNU_SOURCE
#include <netinet/tcp.h>

#include "io/back_ends.h"
#include "plain.h"

static belay_listener *listener_at(const char *endpoint, const belay_listen_options *options) {
        belay_listener *listener = NULL;

        CHECK_EQ(belay_listen(&listener, endpoint, options), 0);
        CHECK(listener != NULL);
        return listener;
}

#define CHECK_REFUSED(endpoint, options, expected)                             \
        do {                                                                   \
                belay_listener *refused = (void *) -1;                         \
                                                                               \
                CHECK_EQ(belay_listen(&refused, endpoint, options), expected); \
                CHECK(refused == NULL);                                        \
        } while (0)

/* Connects a plain socket to a listener's endpoint. Returns the socket or a negative errno. */
static int connect_to(const char *endpoint) {
        belay_address *found;
        size_t count;
        int fd, rc;

        CHECK_EQ(belay_resolve(endpoint, SOCK_STREAM, &found, &count), 0);
        fd = socket(sockaddr_of(found)->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        CHECK(fd >= 0);
        rc = connect(fd, sockaddr_of(found), found->length) < 0 ? -errno : fd;
        if (rc < 0)
                close(fd);
        belay_addresses_free(found, count);
        return rc;
}

/* Checks that the listener accepts a connection to `at`, and that the connection works. */
static void check_listens(belay_listener *listener, const char *at) {
        belay_stream *stream;
        int fd = connect_to(at);
        char byte;

        CHECK(fd >= 0);
        CHECK_EQ(belay_accept(listener, &stream), 0);
        CHECK_EQ(write(fd, "x", 1), 1);
        CHECK_EQ(belay_read(stream, &byte, 1), 1);
        CHECK_EQ(byte, 'x');
        CHECK_EQ(belay_close(stream, 0), 0);
        close(fd);
}

/* Returns the port of an endpoint. */
static unsigned port_of(const char *endpoint) {
        return (unsigned) strtoul(strrchr(endpoint, ':') + 1, NULL, 10);
}

static bool is_closed_on_exec(int fd) {
        return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

/* ---- endpoints ---- */

static int each_kind(void *arg) {
        enum kind kind = *(enum kind *) arg;
        int open_before = open_count();
        const char *endpoint = fresh_endpoint(kind);
        belay_listener *listener = listener_at(endpoint, NULL);
        int fd = belay_listener_fd(listener), listens = 0;
        socklen_t length = sizeof(listens);

        CHECK_EQ(open_count(), open_before + 1);
        CHECK(is_closed_on_exec(fd));
        CHECK_EQ(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length), 0);
        CHECK_EQ(listens, 1);
        if (is_unix(kind))
                CHECK_STR(belay_listener_endpoint(listener), endpoint);
        else
                CHECK(port_of(belay_listener_endpoint(listener)) > 0);
        for (int i = 0; i < 3; i++)
                check_listens(listener, belay_listener_endpoint(listener));
        CHECK_EQ(open_count(), open_before + 1);
        belay_listener_close(listener);
        CHECK_EQ(open_count(), open_before);
        return 0;
}

/* Without a host, a single socket listens at all addresses of both families. */
static int every_address(void *arg) {
        static const char *const endpoints[] = { ":0", "*:0" };

        (void) arg;
        begin_io();
        for (unsigned i = 0; i < 2; i++) {
                belay_listener *listener = listener_at(endpoints[i], NULL);
                unsigned port = port_of(belay_listener_endpoint(listener));
                char at[64];

                CHECK(port > 0);
                snprintf(at, sizeof(at), "127.0.0.1:%u", port);
                check_listens(listener, at);
                snprintf(at, sizeof(at), "[::1]:%u", port);
                if (has_ipv6())
                        check_listens(listener, at);
                /* The same with the endpoint that the listener reports. */
                check_listens(listener, belay_listener_endpoint(listener));
                belay_listener_close(listener);
        }
        return 0;
}

/* A listener of one family leaves the same port of the other family free. */
static int one_family(void *arg) {
        belay_listener *four, *six;
        char at[64];
        int fd;

        (void) arg;
        begin_io();
        if (!has_ipv6())
                return 0;
        six = listener_at("[::1]:0", NULL);
        snprintf(at, sizeof(at), "127.0.0.1:%u", port_of(belay_listener_endpoint(six)));
        CHECK_EQ(connect_to(at), -ECONNREFUSED);
        if (belay_listen(&four, at, NULL) == 0) {
                check_listens(four, at);
                belay_listener_close(four);
        }
        fd = connect_to(belay_listener_endpoint(six));
        CHECK(fd >= 0);
        close(fd);
        belay_listener_close(six);
        return 0;
}

/* For a name, the listener takes the first of its addresses that belongs to this machine. */
static int by_name(void *arg) {
        belay_listener *listener = listener_at("localhost:0", NULL);

        (void) arg;
        check_listens(listener, belay_listener_endpoint(listener));
        belay_listener_close(listener);
        return 0;
}

/* An IPv4 peer of a socket for both families is written as an IPv4 address. */
static int names_of_peers(void *arg) {
        belay_listener *listener = listener_at(":0", NULL);
        char at[64];
        belay_stream *stream;
        int fd;

        (void) arg;
        snprintf(at, sizeof(at), "127.0.0.1:%u", port_of(belay_listener_endpoint(listener)));
        fd = connect_to(at);
        CHECK(fd >= 0);
        CHECK_EQ(belay_accept(listener, &stream), 0);
        CHECK(strncmp(belay_stream_name(stream), "tcp 127.0.0.1:", 14) == 0);
        CHECK_EQ(belay_close(stream, 0), 0);
        close(fd);
        belay_listener_close(listener);
        return 0;
}

/* ---- errors ---- */

static int refuses(void *arg) {
        char long_path[200] = "unix:/tmp/";
        const belay_listen_options *share = BELAY_OPTIONS(belay_listen_options, .share = true);
        belay_listener *listener, *none = NULL;
        int open_before;

        (void) arg;
        begin_io();
        memset(long_path + strlen(long_path), 'x', 150);
        open_before = open_count();
        CHECK_REFUSED("", NULL, -EINVAL);
        CHECK_REFUSED("127.0.0.1", NULL, -EINVAL);
        CHECK_REFUSED("127.0.0.1:", NULL, -EINVAL);
        CHECK_REFUSED("127.0.0.1:65536", NULL, -EINVAL);
        CHECK_REFUSED("[::1:80", NULL, -EINVAL);
        CHECK_REFUSED("unix:", NULL, -EINVAL);
        CHECK_REFUSED(long_path, NULL, -EINVAL);
        CHECK_REFUSED("unix:/no/such/directory/socket", NULL, -ENOENT);
        /* An address that is reserved for documentation. */
        CHECK_REFUSED("192.0.2.1:0", NULL, -EADDRNOTAVAIL);
        CHECK_REFUSED("127.0.0.1:0", BELAY_OPTIONS(belay_listen_options, .backlog = -1), -EINVAL);
        CHECK_REFUSED("127.0.0.1:0", BELAY_OPTIONS(belay_listen_options, .mode = -1), -EINVAL);
        listener = listener_at("127.0.0.1:0", NULL);
        CHECK_REFUSED(belay_listener_endpoint(listener), NULL, -EADDRINUSE);
        CHECK_REFUSED(belay_listener_endpoint(listener), share, -EADDRINUSE);
        belay_listener_close(listener);
        belay_listener_close(none);
        CHECK_EQ(open_count(), open_before);
        limit_descriptors(0);
        CHECK_REFUSED("127.0.0.1:0", NULL, -EMFILE);
        unlimit_descriptors();
        CHECK_EQ(open_count(), open_before);
        return 0;
}

static void outside_of_tasks(void) {
        belay_listener *listener = (void *) -1;

        keep_lines();
        CHECK_EQ(belay_listen(&listener, "127.0.0.1:0", NULL), -EPERM);
        CHECK(listener == NULL);
        CHECK_LINES(1, "belay_listen()");
        CHECK_EQ(belay_listen_fd(&listener, 0), -EPERM);
        CHECK(listener == NULL);
        CHECK_LINES(1, "belay_listen_fd()");
        belay_set_log(NULL, NULL);
}

/* ---- options ---- */

static int shared(void *arg) {
        const belay_listen_options *share = BELAY_OPTIONS(belay_listen_options, .share = true);
        belay_listener *one, *other;

        (void) arg;
        one = listener_at("127.0.0.1:0", share);
        other = listener_at(belay_listener_endpoint(one), share);
        CHECK_STR(belay_listener_endpoint(one), belay_listener_endpoint(other));
        CHECK_REFUSED(belay_listener_endpoint(one), NULL, -EADDRINUSE);
        belay_listener_close(one);
        /* New connections go to the other listener. */
        check_listens(other, belay_listener_endpoint(other));
        belay_listener_close(other);
        return 0;
}

static int no_delay(void *arg) {
        (void) arg;
        for (int nagle = 0; nagle < 2; nagle++) {
                const belay_listen_options *options = BELAY_OPTIONS(belay_listen_options,
                                                                    .nagle = nagle);
                belay_listener *listener = listener_at("127.0.0.1:0", options);
                int fd = connect_to(belay_listener_endpoint(listener)), value = -1;
                socklen_t length = sizeof(value);
                belay_stream *stream;

                CHECK_EQ(belay_accept(listener, &stream), 0);
                CHECK_EQ(getsockopt(belay_stream_fd(stream), IPPROTO_TCP, TCP_NODELAY, &value,
                                    &length),
                         0);
                CHECK_EQ(value != 0, !nagle);
                CHECK(is_closed_on_exec(belay_stream_fd(stream)));
                belay_abort(stream);
                close(fd);
                belay_listener_close(listener);
        }
        return 0;
}

/*
 * A full backlog refuses connections. Only Unix sockets show that. Without the option, the backlog
 * has room for all connections of this test.
 */
static int backlog(void *arg) {
        static const unsigned accepted[] = { 10, 2, 3 };

        (void) arg;
        for (int asked = 0; asked < 3; asked++) {
                const belay_listen_options *options = BELAY_OPTIONS(belay_listen_options,
                                                                    .backlog = asked);
                belay_listener *listener = listener_at(fresh_endpoint(UNIX_ABSTRACT), options);
                belay_address *found;
                int fds[10], rc = 0;
                size_t count;
                unsigned made = 0;

                CHECK_EQ(belay_resolve(belay_listener_endpoint(listener), SOCK_STREAM, &found,
                                       &count),
                         0);
                while (made < 10 && rc == 0) {
                        fds[made] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
                        rc = connect(fds[made], sockaddr_of(found), found->length) < 0 ? -errno : 0;
                        made++;
                }
                CHECK_EQ(rc, accepted[asked] < 10 ? -EAGAIN : 0);
                CHECK_EQ(made, accepted[asked] + (rc < 0));
                while (made > 0)
                        close(fds[--made]);
                belay_addresses_free(found, count);
                belay_listener_close(listener);
        }
        return 0;
}

/*
 * The endpoint can be reused at once, although connections of the previous listener are still being
 * closed.
 */
static int again_at_once(void *arg) {
        belay_listener *listener = listener_at("127.0.0.1:0", NULL);
        char endpoint[BELAY_ADDRESS_TEXT];
        belay_stream *stream;
        int fd;

        (void) arg;
        snprintf(endpoint, sizeof(endpoint), "%s", belay_listener_endpoint(listener));
        for (int i = 0; i < 3; i++) {
                fd = connect_to(endpoint);
                CHECK_EQ(belay_accept(listener, &stream), 0);
                CHECK_EQ(belay_close(stream, 0), 0);
                close(fd);
                belay_listener_close(listener);
                listener = listener_at(endpoint, NULL);
        }
        belay_listener_close(listener);
        return 0;
}

/* ---- the files of Unix sockets ---- */

static int files(void *arg) {
        const char *endpoint = fresh_endpoint(UNIX_PATH), *path = endpoint + 5;
        belay_listener *listener = listener_at(endpoint, NULL), *none;
        belay_address address;
        struct stat before, after;
        int fd;

        (void) arg;
        CHECK(is_there(path));
        /* Another socket listens there: the call is refused, and the file stays. */
        CHECK_REFUSED(endpoint, NULL, -EADDRINUSE);
        check_listens(listener, endpoint);
        belay_listener_close(listener);
        CHECK(!is_there(path));
        CHECK_EQ(connect_to(endpoint), -ENOENT);

        /* The listener of this file has gone. */
        fd = listening_socket(UNIX_PATH, 1, &address);
        close(fd);
        path = text_of(&address) + 5;
        CHECK(is_there(path));
        listener = listener_at(text_of(&address), NULL);
        check_listens(listener, text_of(&address));
        belay_listener_close(listener);
        CHECK(!is_there(path));

        /* A socket listens there and does not accept. */
        fd = listening_socket(UNIX_PATH, 0, &address);
        path = text_of(&address) + 5;
        CHECK_EQ(connect_to(text_of(&address)) >= 0, true);
        CHECK_REFUSED(text_of(&address), NULL, -EADDRINUSE);
        CHECK(is_there(path));
        close_bound(fd, &address);

        /* A socket is bound there and does not listen yet. */
        fd = bound_socket(UNIX_PATH, SOCK_STREAM, &address);
        CHECK_REFUSED(text_of(&address), NULL, -EADDRINUSE);
        CHECK(is_there(text_of(&address) + 5));
        close_bound(fd, &address);

        /* A datagram socket, and a file that is no socket. */
        fd = bound_socket(UNIX_PATH, SOCK_DGRAM, &address);
        CHECK_REFUSED(text_of(&address), NULL, -EADDRINUSE);
        CHECK(is_there(text_of(&address) + 5));
        close_bound(fd, &address);
        endpoint = fresh_endpoint(UNIX_PATH);
        path = endpoint + 5;
        fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        CHECK_EQ(fstat(fd, &before), 0);
        CHECK_REFUSED(endpoint, NULL, -EADDRINUSE);
        CHECK_EQ(lstat(path, &after), 0);
        CHECK(before.st_ino == after.st_ino && S_ISREG(after.st_mode));
        close(fd);
        CHECK_EQ(unlink(path), 0);
        CHECK_EQ(mkdir(path, 0700), 0);
        CHECK_REFUSED(endpoint, NULL, -EADDRINUSE);
        CHECK_EQ(rmdir(path), 0);
        CHECK_EQ(symlink("/no/such/file", path), 0);
        CHECK_REFUSED(endpoint, NULL, -EADDRINUSE);
        CHECK(is_there(path));
        CHECK_EQ(unlink(path), 0);

        /* A file that has taken the name meanwhile stays. */
        listener = listener_at(endpoint, NULL);
        CHECK_EQ(unlink(path), 0);
        none = listener_at(endpoint, NULL);
        belay_listener_close(listener);
        CHECK(is_there(path));
        check_listens(none, endpoint);
        CHECK_EQ(unlink(path), 0);
        belay_listener_close(none);
        return 0;
}

static int modes(void *arg) {
        static const int asked[] = { 0600, 0666, 0640, 0 };
        mode_t mask = umask(027);

        (void) arg;
        for (unsigned i = 0; i < 4; i++) {
                const char *endpoint = fresh_endpoint(UNIX_PATH);
                const belay_listen_options *options = BELAY_OPTIONS(belay_listen_options,
                                                                    .mode = asked[i]);
                belay_listener *listener = listener_at(endpoint, options);
                struct stat stat;

                CHECK_EQ(lstat(endpoint + 5, &stat), 0);
                CHECK_EQ(stat.st_mode & 0777, asked[i] != 0 ? asked[i] : 0777 & ~027);
                check_listens(listener, endpoint);
                belay_listener_close(listener);
        }
        umask(mask);
        return 0;
}

/* ---- inherited sockets ---- */

static int handed_down(void *arg) {
        enum kind kind = *(enum kind *) arg;
        int open_before = open_count(), fd;
        belay_listener *listener;
        belay_address address;

        fd = listening_socket(kind, 5, &address);
        CHECK_EQ(belay_listen_fd(&listener, fd), 0);
        CHECK_EQ(belay_listener_fd(listener), fd);
        CHECK_STR(belay_listener_endpoint(listener), text_of(&address));
        for (int i = 0; i < 2; i++)
                check_listens(listener, belay_listener_endpoint(listener));
        belay_listener_close(listener);
        CHECK_EQ(open_count(), open_before);
        /* The file stays, since the program that made it may still need it. */
        if (kind == UNIX_PATH) {
                CHECK(is_there(text_of(&address) + 5));
                CHECK_EQ(unlink(text_of(&address) + 5), 0);
        }
        return 0;
}

static int not_handed_down(void *arg) {
        belay_listener *listener = (void *) -1;
        belay_address address;
        int fds[4], ends[2];

        (void) arg;
        CHECK_EQ(pipe(ends), 0);
        fds[0] = ends[0];
        fds[1] = bound_socket(IPV4, SOCK_STREAM, &address);
        fds[2] = bound_socket(IPV4, SOCK_DGRAM, &address);
        fds[3] = open("/dev/null", O_RDONLY);
        for (int i = 0; i < 4; i++) {
                CHECK_EQ(belay_listen_fd(&listener, fds[i]), -EINVAL);
                CHECK(listener == NULL);
                CHECK_EQ(close(fds[i]), 0);
                CHECK_EQ(belay_listen_fd(&listener, fds[i]), -EBADF);
                CHECK(listener == NULL);
        }
        CHECK_EQ(belay_listen_fd(&listener, -1), -EBADF);
        close(ends[1]);
        return 0;
}

/* ---- */

static void all(void) {
        RUN_KINDS(each_kind);
        CHECK_EQ(belay_run(every_address, NULL), 0);
        CHECK_EQ(belay_run(one_family, NULL), 0);
        CHECK_EQ(belay_run(by_name, NULL), 0);
        CHECK_EQ(belay_run(names_of_peers, NULL), 0);
        CHECK_EQ(belay_run(refuses, NULL), 0);
        CHECK_EQ(belay_run(shared, NULL), 0);
        CHECK_EQ(belay_run(no_delay, NULL), 0);
        CHECK_EQ(belay_run(backlog, NULL), 0);
        CHECK_EQ(belay_run(again_at_once, NULL), 0);
        CHECK_EQ(belay_run(files, NULL), 0);
        CHECK_EQ(belay_run(modes, NULL), 0);
        RUN_KINDS(handed_down);
        CHECK_EQ(belay_run(not_handed_down, NULL), 0);
}

int main(void) {
        outside_of_tasks();
        on_back_ends(all);
        return 0;
}
