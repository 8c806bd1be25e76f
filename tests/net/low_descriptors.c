/* SPDX-License-Identifier: MIT */
/*
 * Descriptors 0 and 1 are descriptors like all others. A program that closed its standard
 * descriptors gets these numbers for whatever it opens next. A number that is not greater than 0
 * must not be taken for a failure.
 */
#define _GNU_SOURCE
#include "servers.h"

static int low;

/* Frees the number, which the next open descriptor gets. */
static void free_low(void) {
        CHECK_EQ(close(low), 0);
}

static bool is_taken(void) {
        return fcntl(low, F_GETFD) >= 0;
}

static void take_low_back(void) {
        CHECK(!is_taken());
        CHECK_EQ(open("/dev/null", O_RDWR | O_CLOEXEC), low);
}

/* In both directions. */
static void check_pair(belay_stream *one, belay_stream *other) {
        char byte;

        for (int i = 0; i < 2; i++) {
                belay_stream *from = i == 0 ? one : other, *to = i == 0 ? other : one;

                CHECK_EQ(belay_write(from, "x", 1), 1);
                CHECK_EQ(belay_read(to, &byte, 1), 1);
        }
}

/*
 * The name of the peer is determined at the beginning, because the kernel does not report it after
 * the connection has gone.
 */
static void check_name_of_the_gone(belay_stream *stream, int fd) {
        struct linger none = { .l_onoff = 1, .l_linger = 0 };
        struct sockaddr_in own;
        socklen_t length = sizeof(own);
        char name[64];

        CHECK_EQ(getsockname(fd, (struct sockaddr *) &own, &length), 0);
        CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
        close(fd);
        CHECK_EQ(belay_read(stream, name, 1), -ECONNRESET);
        snprintf(name, sizeof(name), "tcp 127.0.0.1:%u", ntohs(own.sin_port));
        CHECK_STR(belay_stream_name(stream), name);
}

static int accepts(void *arg) {
        belay_listener *listener = listener_of(*(enum kind *) arg);
        belay_stream *stream;
        char byte;
        int fd = connect_plainly(listener);

        free_low();
        CHECK_EQ(belay_accept(listener, &stream), 0);
        CHECK_EQ(belay_stream_fd(stream), low);
        put_byte(fd, 'x');
        CHECK_EQ(belay_read(stream, &byte, 1), 1);
        CHECK_EQ(belay_write(stream, "y", 1), 1);
        CHECK_EQ(next_byte(fd), 'y');
        if (*(enum kind *) arg == IPV4)
                check_name_of_the_gone(stream, fd);
        else
                close(fd);
        belay_abort(stream);
        take_low_back();
        belay_listener_close(listener);
        return 0;
}

static int gone_before(void *arg) {
        struct linger none = { .l_onoff = 1, .l_linger = 0 };
        belay_listener *listener = listener_of(*(enum kind *) arg);
        belay_stream *stream;
        int fd = connect_plainly(listener), rc;

        if (!is_unix(*(enum kind *) arg))
                CHECK_EQ(setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none)), 0);
        close(fd);
        free_low();
        rc = belay_accept(listener, &stream);
        CHECK_EQ(rc, 0);
        CHECK_EQ(belay_stream_fd(stream), low);
        belay_abort(stream);
        take_low_back();
        belay_listener_close(listener);
        return 0;
}

static int connects(void *arg) {
        belay_listener *listener = listener_of(*(enum kind *) arg);
        belay_stream *stream, *other;
        char endpoint[BELAY_ADDRESS_TEXT];

        snprintf(endpoint, sizeof(endpoint), "%s", belay_listener_endpoint(listener));
        for (int several = 0; several < (*(enum kind *) arg == IPV6 ? 2 : 1); several++) {
                if (several)
                        snprintf(endpoint, sizeof(endpoint), "*%s",
                                 strrchr(belay_listener_endpoint(listener), ':'));
                free_low();
                CHECK_EQ(belay_connect(&stream, endpoint, NULL), 0);
                CHECK_EQ(belay_stream_fd(stream), low);
                CHECK_EQ(belay_accept(listener, &other), 0);
                check_pair(stream, other);
                belay_abort(stream);
                take_low_back();
                belay_abort(other);
        }
        belay_listener_close(listener);
        /* A call that fails leaves the number free. */
        free_low();
        CHECK(belay_connect(&stream, endpoint, NULL) < 0);
        take_low_back();
        return 0;
}

static int listens(void *arg) {
        belay_listener *listener;
        belay_stream *stream;
        int fd;

        free_low();
        listener = listener_of(*(enum kind *) arg);
        CHECK_EQ(belay_listener_fd(listener), low);
        fd = connect_plainly(listener);
        CHECK_EQ(belay_accept(listener, &stream), 0);
        belay_abort(stream);
        close(fd);
        belay_listener_close(listener);
        take_low_back();
        return 0;
}

static int sends(void *arg) {
        belay_datagrams *one, *other = opened(fresh_endpoint(*(enum kind *) arg), NULL);
        char byte;

        free_low();
        one = opened(fresh_endpoint(*(enum kind *) arg), belay_datagrams_endpoint(other));
        CHECK_EQ(belay_datagrams_fd(one), low);
        CHECK_EQ(belay_send(one, "x", 1, NULL), 1);
        CHECK_EQ(belay_receive(other, &byte, 1, NULL), 1);
        belay_datagrams_close(one);
        take_low_back();
        belay_datagrams_close(other);
        return 0;
}

/* ---- without a family ---- */

static int pairs(void *arg) {
        belay_stream *one, *other;
        char byte;
        int fds[2];

        (void) arg;
        free_low();
        CHECK_EQ(belay_stream_pair(&one, &other), 0);
        CHECK_EQ(belay_stream_fd(one), low);
        check_pair(one, other);
        belay_abort(one);
        take_low_back();
        belay_abort(other);

        free_low();
        CHECK_EQ(belay_stream_pipe(&one, &other), 0);
        CHECK_EQ(belay_stream_fd(one), low);
        CHECK_EQ(belay_write(other, "x", 1), 1);
        CHECK_EQ(belay_read(one, &byte, 1), 1);
        belay_abort(one);
        take_low_back();
        belay_abort(other);

        /* The stream opens the description once more. */
        CHECK_EQ(pipe(fds), 0);
        free_low();
        CHECK_EQ(belay_stream_open_fd(&one, fds[0], NULL), 0);
        CHECK(is_taken());
        CHECK_EQ(write(fds[1], "x", 1), 1);
        CHECK_EQ(belay_read(one, &byte, 1), 1);
        CHECK_EQ(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
        belay_abort(one);
        take_low_back();
        close(fds[1]);
        return 0;
}

static int travels(void *arg) {
        belay_stream *one, *other;
        int fds[2] = { -1, -1 };
        size_t count = 2;
        char byte;

        (void) arg;
        CHECK_EQ(belay_stream_pair(&one, &other), 0);
        CHECK_EQ(belay_send_descriptors(one, "x", 1, (int[]) { 2 }, 1), 1);
        free_low();
        CHECK_EQ(belay_receive_descriptors(other, &byte, 1, fds, &count), 1);
        CHECK_EQ(count, 1);
        CHECK_EQ(fds[0], low);
        close(fds[0]);
        CHECK_EQ(belay_send_descriptors(one, "x", 1, (int[]) { 2 }, 1), 1);
        /* A read closes the descriptors that come with its bytes. */
        CHECK_EQ(belay_read(other, &byte, 1), 1);
        take_low_back();
        belay_abort(one);
        belay_abort(other);
        return 0;
}

static int looks_up(void *arg) {
        belay_address *found;
        size_t count;

        (void) arg;
        free_low();
        CHECK_EQ(belay_resolve("localhost:80", SOCK_STREAM, &found, &count), 0);
        belay_addresses_free(found, count);
        CHECK_EQ(belay_resolve("[fe80::1%lo]:80", SOCK_STREAM, &found, &count), 0);
        belay_addresses_free(found, count);
        take_low_back();

        /* One descriptor is free, and the lookup needs two. */
        limit_descriptors(0);
        free_low();
        CHECK_EQ(belay_resolve("localhost:80", SOCK_STREAM, &found, &count), -EMFILE);
        take_low_back();
        unlimit_descriptors();
        return 0;
}

/* The check whether a file is left over uses a socket of its own. */
static int takes_over(void *arg) {
        belay_address address;
        belay_listener *listener;
        char endpoint[BELAY_ADDRESS_TEXT];
        int left = bound_socket(UNIX_PATH, SOCK_STREAM, &address), filler;

        (void) arg;
        snprintf(endpoint, sizeof(endpoint), "%s", text_of(&address));
        close(left);
        filler = dup(2);
        free_low();
        close(filler);
        CHECK_EQ(belay_listen(&listener, endpoint, NULL), 0);
        belay_listener_close(listener);
        take_low_back();
        return 0;
}

static int files(void *arg) {
        const char *path = fresh_path();
        char *data;
        size_t size;
        int fd;

        (void) arg;
        free_low();
        CHECK_EQ(belay_file_write_all(path, "text", 4, 0), 0);
        CHECK_EQ(belay_file_read_all(path, 0, &data, &size), 0);
        CHECK(size == 4 && memcmp(data, "text", 4) == 0);
        belay_file_free(data);
        fd = belay_file_open(path, O_RDONLY, 0);
        CHECK_EQ(fd, low);
        CHECK_EQ(belay_file_close(fd), 0);
        take_low_back();
        CHECK_EQ(unlink(path), 0);
        return 0;
}

/* ---- the loop's own descriptors ---- */

static int echo(belay_stream *stream, void *arg) {
        (void) arg;
        return belay_copy(stream, stream, -1, NULL);
}

static int serves(void *arg) {
        return belay_serve(arg, echo, NULL, NULL);
}

static int serve_a_bit(void *arg) {
        belay_listener *listener = listener_of(IPV4);
        belay_task *task = must(belay_spawn(serves, listener));
        belay_stream *stream;
        char byte;

        (void) arg;
        CHECK_EQ(belay_connect(&stream, belay_listener_endpoint(listener), NULL), 0);
        CHECK_EQ(belay_write(stream, "x", 1), 1);
        CHECK_EQ(belay_read(stream, &byte, 1), 1);
        CHECK_EQ(belay_close(stream, BELAY_SECOND), 0);
        CHECK_EQ(belay_serve_stop(listener), 0);
        end_of(task, 0);
        belay_listener_close(listener);
        return 0;
}

/* With the first `count` of descriptors 0 to 2 closed. */
static int loops(void *arg) {
        int count = *(int *) arg;
        belay_loop *loop;

        for (int fd = 0; fd < count; fd++)
                close(fd);
        CHECK_EQ(belay_run(serve_a_bit, NULL), 0);
        for (int fd = 0; fd < count; fd++)
                CHECK(fcntl(fd, F_GETFD) < 0);
        loop = belay_loop_new(NULL);
        CHECK(loop != NULL);
        CHECK_EQ(belay_loop_start(loop, serve_a_bit, NULL), 0);
        while (belay_loop_dispatch(loop) > 0)
                CHECK_EQ(poll(&(struct pollfd) { .fd = belay_loop_fd(loop), .events = POLLIN }, 1,
                              60000),
                         1);
        CHECK_EQ(belay_loop_close(loop), 0);
        for (int fd = 0; fd < count; fd++)
                CHECK(fcntl(fd, F_GETFD) < 0);
        return 0;
}

/* ---- */

static int run_all(void *arg) {
        static belay_fn *const plain[] = { pairs, travels, looks_up, takes_over, files };

        (void) arg;
        RUN_KINDS(accepts);
        RUN_KINDS(gone_before);
        RUN_KINDS(connects);
        RUN_KINDS(listens);
        RUN_KINDS(sends);
        for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
                struct main_of main_of = { plain[i], IPV4 };

                CHECK_EQ(belay_run(run_main_of, &main_of), 0);
        }
        return 0;
}

/* Most tests leave descriptor 2 open, because a child reports failures there. */
static void in_children(void) {
        struct child child;

        for (low = 0; low < 2; low++) {
                in_child(&child, run_all, NULL);
                CHECK_CHILD(&child, 0);
        }
        for (int count = 1; count <= 3; count++) {
                in_child(&child, loops, &count);
                CHECK_CHILD(&child, 0);
        }
}

int main(void) {
        if (fcntl(0, F_GETFD) < 0)
                CHECK_EQ(open("/dev/null", O_RDWR), 0);
        on_back_ends(in_children);
        return 0;
}
