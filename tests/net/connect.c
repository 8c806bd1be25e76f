/* SPDX-License-Identifier: MIT */
/*
 * Connecting: to each kind of address, from a given address, with failures, to peers that do not
 * answer, and cancelled in each phase. Tests of several addresses are in
 * tests/net/happy_eyeballs.c.
 */
#define _GNU_SOURCE
#include <netinet/tcp.h>

#include "net/plain.h"

static int option_of(belay_stream *stream, int level, int option) {
        int value = -1;
        socklen_t length = sizeof(value);

        CHECK_EQ(getsockopt(belay_stream_fd(stream), level, option, &value, &length), 0);
        return value;
}

static int accepted(int listener, belay_address *peer) {
        socklen_t length = sizeof(peer->address);
        int fd = accept4(listener, sockaddr_of(peer), &length, SOCK_CLOEXEC);

        CHECK(fd >= 0);
        peer->length = length;
        return fd;
}

/* Each end reads the bytes that the other writes. */
static void check_connection(belay_stream *stream, int other) {
        char byte = 0;

        CHECK_EQ(belay_write(stream, "a", 1), 1);
        CHECK_EQ(read(other, &byte, 1), 1);
        CHECK_EQ(byte, 'a');
        CHECK_EQ(write(other, "b", 1), 1);
        CHECK_EQ(belay_read(stream, &byte, 1), 1);
        CHECK_EQ(byte, 'b');
}

/* ---- success ---- */

static int connects(void *arg) {
        enum kind kind = *(enum kind *) arg;
        belay_address address, peer;
        int listener = listening_socket(kind, 5, &address), other, before = open_count();
        char expected[BELAY_ADDRESS_TEXT + 8];
        belay_stream *stream;

        for (int way = 0; way < 4; way++) {
                belay_connect_options options = { .size = sizeof(options), .nagle = way >= 2 };
                const belay_connect_options *given = way > 0 ? &options : NULL;

                if (way % 2 == 0)
                        CHECK_EQ(belay_connect(&stream, text_of(&address), given), 0);
                else
                        CHECK_EQ(belay_connect_to(&stream, sockaddr_of(&address), address.length,
                                                  given),
                                 0);
                other = accepted(listener, &peer);
                check_connection(stream, other);
                CHECK(fcntl(belay_stream_fd(stream), F_GETFD) & FD_CLOEXEC);
                CHECK(!(fcntl(belay_stream_fd(stream), F_GETFL) & O_NONBLOCK));
                if (!is_unix(kind))
                        CHECK_EQ(option_of(stream, IPPROTO_TCP, TCP_NODELAY), way < 2);
                snprintf(expected, sizeof(expected), "%s%s", is_unix(kind) ? "" : "tcp ",
                         text_of(&address));
                CHECK_STR(belay_stream_name(stream), expected);
                CHECK_EQ(belay_close(stream, 0), 0);
                close(other);
                CHECK_EQ(open_count(), before);
        }
        close_bound(listener, &address);
        return 0;
}

/* An endpoint without a host means this machine, by either family. */
static int this_machine(void *arg) {
        belay_address address, peer;
        int listener = listening_socket(IPV4, 5, &address), other, before;
        char endpoint[BELAY_ADDRESS_TEXT];
        belay_stream *stream;

        (void) arg;
        begin_io();
        before = open_count();
        for (int star = 0; star < 2; star++) {
                snprintf(endpoint, sizeof(endpoint), "%s%s", star ? "*" : "",
                         strrchr(text_of(&address), ':'));
                CHECK_EQ(belay_connect(&stream, endpoint, NULL), 0);
                other = accepted(listener, &peer);
                check_connection(stream, other);
                belay_abort(stream);
                close(other);
                CHECK_EQ(open_count(), before);
        }
        close(listener);
        return 0;
}

/* The name of the peer is known after the peer has gone. */
static int name_of_gone(void *arg) {
        enum kind kind = *(enum kind *) arg;
        struct linger at_once = { .l_onoff = 1 };
        belay_address address, peer;
        int listener = listening_socket(kind, 5, &address), other;
        belay_stream *stream;
        char byte;

        CHECK_EQ(belay_connect(&stream, text_of(&address), NULL), 0);
        other = accepted(listener, &peer);
        CHECK_EQ(setsockopt(other, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
        close(other);
        CHECK_EQ(belay_read(stream, &byte, 1), is_unix(kind) ? 0 : -ECONNRESET);
        CHECK(strstr(belay_stream_name(stream), text_of(&address)) != NULL);
        belay_abort(stream);
        close_bound(listener, &address);
        return 0;
}

/* ---- from an address ---- */

static void connect_from(const char *local, const belay_address *to, int expected) {
        belay_stream *stream = (belay_stream *) &stream;
        int before = open_count();

        CHECK_EQ(belay_connect(&stream, text_of(to),
                               BELAY_OPTIONS(belay_connect_options, .local = local)),
                 expected);
        CHECK((stream != NULL) == (expected == 0));
        if (expected < 0)
                CHECK_EQ(open_count(), before);
        else
                belay_abort(stream);
}

static int from_an_address(void *arg) {
        belay_address address, peer, unix_address, own;
        int listener = listening_socket(IPV4, 5, &address), other;
        int unix_listener = listening_socket(UNIX_PATH, 5, &unix_address);
        const char *path;
        char local[128];

        (void) arg;
        begin_io();
        connect_from("127.0.0.2:0", &address, 0);
        other = accepted(listener, &peer);
        CHECK(strncmp(text_of(&peer), "127.0.0.2:", 10) == 0);
        close(other);
        connect_from(":0", &address, 0);
        close(accepted(listener, &peer));
        /* A port of the caller's choice. */
        own = deserted_address(IPV4, SOCK_STREAM);
        snprintf(local, sizeof(local), "%s", text_of(&own));
        connect_from(local, &address, 0);
        close(accepted(listener, &peer));
        CHECK_STR(text_of(&peer), local);

        connect_from("nonsense", &address, -EINVAL);
        connect_from("192.0.2.1:0", &address, -EADDRNOTAVAIL);
        connect_from("[::1]:0", &address, -EAFNOSUPPORT);
        connect_from("unix:@anybody", &address, -EAFNOSUPPORT);
        snprintf(local, sizeof(local), "%s", text_of(&address));
        connect_from(local, &address, -EADDRINUSE);

        /*
         * A Unix socket that connects leaves its file to the program, unless the connection fails.
         */
        snprintf(local, sizeof(local), "%s", fresh_endpoint(UNIX_PATH));
        path = local + 5;
        connect_from(local, &unix_address, 0);
        close(accepted(unix_listener, &peer));
        CHECK_STR(text_of(&peer), local);
        CHECK(is_there(path));
        connect_from(local, &unix_address, -EADDRINUSE);
        CHECK_EQ(unlink(path), 0);
        own = deserted_address(UNIX_PATH, SOCK_STREAM);
        connect_from(local, &own, -ENOENT);
        CHECK(!is_there(path));
        close(listener);
        close_bound(unix_listener, &unix_address);
        return 0;
}

/* ---- failures ---- */

static void in_vain(belay_address *address, int expected) {
        belay_stream *stream = (belay_stream *) &stream;
        int before = open_count();

        CHECK_EQ(belay_connect_to(&stream, sockaddr_of(address), address->length, NULL), expected);
        CHECK(stream == NULL);
        CHECK_EQ(open_count(), before);
}

static int refused(void *arg) {
        enum kind kind = *(enum kind *) arg;
        belay_address address = deserted_address(kind, SOCK_STREAM);
        belay_stream *stream = (belay_stream *) &stream;
        int fd;

        in_vain(&address, kind == UNIX_PATH ? -ENOENT : -ECONNREFUSED);
        CHECK_EQ(belay_connect(&stream, text_of(&address), NULL),
                 kind == UNIX_PATH ? -ENOENT : -ECONNREFUSED);
        CHECK(stream == NULL);
        if (kind == UNIX_PATH) {
                /* The file of a listener that has gone. */
                fd = bound_socket(kind, SOCK_STREAM, &address);
                close(fd);
                in_vain(&address, -ECONNREFUSED);
                CHECK_EQ(unlink(path_of(&address)), 0);
        }
        fd = listening_socket(kind, 5, &address);
        limit_descriptors(0);
        CHECK_EQ(belay_connect_to(&stream, sockaddr_of(&address), address.length, NULL), -EMFILE);
        unlimit_descriptors();
        CHECK(stream == NULL);
        close_bound(fd, &address);
        return 0;
}

static int bad_arguments(void *arg) {
        belay_address address;
        int listener = listening_socket(IPV4, 5, &address);
        belay_stream *stream = (belay_stream *) &stream;
        char name[] = "127.0.0.1:x y";

        (void) arg;
        begin_io();
        CHECK_EQ(belay_connect(&stream, name, NULL), -EINVAL);
        CHECK(stream == NULL);
        CHECK_EQ(belay_connect(&stream, NULL, NULL), -EINVAL);
        CHECK_EQ(belay_connect(&stream, text_of(&address),
                               BELAY_OPTIONS(belay_connect_options, .stagger = -1)),
                 -EINVAL);
        CHECK_EQ(belay_connect_to(&stream, sockaddr_of(&address), 1, NULL), -EINVAL);
        CHECK_EQ(belay_connect_to(&stream, sockaddr_of(&address), 4, NULL), -EINVAL);
        CHECK_EQ(
                belay_connect_to(&stream, sockaddr_of(&address), sizeof(address.address) + 1, NULL),
                -EINVAL);
        CHECK(stream == NULL);
        /* No connection leads to a broadcast address. */
        inet_pton(AF_INET, "127.255.255.255",
                  &((struct sockaddr_in *) sockaddr_of(&address))->sin_addr);
        in_vain(&address, -ENETUNREACH);
        close(listener);
        return 0;
}

/*
 * Connects from a port to that same port, at which no program listens. TCP could connect the socket
 * to itself, which must not count as a connection.
 */
static int itself(void *arg) {
        enum kind kind = *(enum kind *) arg;
        belay_address address;
        char endpoint[BELAY_ADDRESS_TEXT];

        if (is_unix(kind))
                return 0;
        address = deserted_address(kind, SOCK_STREAM);
        snprintf(endpoint, sizeof(endpoint), "%s", text_of(&address));
        connect_from(endpoint, &address, -ECONNREFUSED);
        return 0;
}

/* ---- no answer ---- */

static struct pollfd fillers[8];

/* Makes a listener whose backlog is full. */
static int full_listener(enum kind kind, belay_address *address) {
        int fd = listening_socket(kind, 0, address);

        for (int i = 0; i < 8; i++) {
                fillers[i] = (struct pollfd) { .events = POLLOUT };
                fillers[i].fd = socket(family_of(address),
                                       SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
                CHECK(fillers[i].fd >= 0);
                (void) connect(fillers[i].fd, sockaddr_of(address), address->length);
        }
        return fd;
}

static void drop_fillers(void) {
        for (int i = 0; i < 8; i++)
                close(fillers[i].fd);
}

struct connecting {
        belay_address address;
        belay_stream *stream;
        int rc;
};

static int connect_it(void *arg) {
        struct connecting *self = arg;

        self->rc = belay_connect_to(&self->stream, sockaddr_of(&self->address),
                                    self->address.length, NULL);
        return self->rc;
}

static int no_answer(void *arg) {
        enum kind kind = *(enum kind *) arg;
        struct connecting connecting;
        int listener = full_listener(kind, &connecting.address), before = open_count();
        belay_timeout limit;
        belay_task *task;

        belay_timeout_enter(&limit, 10 * BELAY_MILLISECOND);
        CHECK_EQ(belay_timeout_leave(&limit, connect_it(&connecting)), -ETIMEDOUT);
        CHECK(connecting.stream == NULL);
        CHECK_EQ(open_count(), before);
        /* In a task that is cancelled. */
        task = must(belay_spawn(connect_it, &connecting));
        let_run();
        CHECK_EQ(open_count(), before + 1);
        CHECK(belay_cancel(task, NULL));
        end_of(task, -ECANCELED);
        CHECK(connecting.stream == NULL);
        CHECK_EQ(open_count(), before);
        if (is_unix(kind)) {
                /* There is room after a while. */
                belay_address peer;

                task = must(belay_spawn(connect_it, &connecting));
                let_run();
                CHECK(!belay_done(task));
                close(accepted(listener, &peer));
                end_of(task, 0);
                belay_abort(connecting.stream);
        }
        drop_fillers();
        close_bound(listener, &connecting.address);
        return 0;
}

/* ---- cancelled ---- */

/*
 * The request arrives when the answer is already there. The call returns the connection, and the
 * request stays pending for the next wait.
 */
static int stands(void *arg) {
        enum kind kind = *(enum kind *) arg;
        struct connecting connecting;
        int listener = listening_socket(kind, 5, &connecting.address), other;
        belay_task *task;
        belay_address peer;
        const belay_failure *reason;

        if (is_unix(kind)) {
                close_bound(listener, &connecting.address);
                return 0;
        }
        task = must(belay_spawn_with(connect_it, &connecting,
                                     BELAY_OPTIONS(belay_spawn_options, .eager = true)));
        CHECK(!belay_done(task));
        other = accepted(listener, &peer);
        CHECK(belay_cancel(task, "no need"));
        end_of(belay_ref(task), -ECANCELED);
        CHECK_EQ(connecting.rc, 0);
        CHECK(connecting.stream != NULL);
        CHECK_EQ(belay_cancelling(task), 1);
        reason = belay_failure_of(task);
        CHECK_STR(reason != NULL ? belay_failure_text(reason) : NULL, "no need");
        belay_release(task);
        check_connection(connecting.stream, other);
        belay_abort(connecting.stream);
        close(other);
        close(listener);
        return 0;
}

/*
 * A request that is pending before the call does not end a call that need not wait or connects at
 * once. It is delivered once.
 */
static int pending(void *arg) {
        enum kind kind = *(enum kind *) arg;
        struct connecting connecting;
        int listener = listening_socket(kind, 5, &connecting.address), before = open_count(), rc;

        CHECK(belay_cancel(belay_self(), NULL));
        rc = connect_it(&connecting);
        CHECK(rc == 0 || (rc == -ECANCELED && !is_unix(kind)));
        CHECK((connecting.stream != NULL) == (rc == 0));
        belay_abort(connecting.stream);
        CHECK_EQ(belay_yield(), rc == 0 ? -ECANCELED : 0);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        CHECK_EQ(open_count(), before);
        close_bound(listener, &connecting.address);

        listener = full_listener(kind, &connecting.address);
        CHECK(belay_cancel(belay_self(), NULL));
        CHECK_EQ(connect_it(&connecting), -ECANCELED);
        CHECK(connecting.stream == NULL);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_uncancel(belay_self()), 0);
        drop_fillers();
        CHECK_EQ(open_count(), before);
        close_bound(listener, &connecting.address);
        return 0;
}

/* ---- no memory ---- */

static unsigned long calls, fails_at;

static void *memory(void *context, void *block, size_t size) {
        (void) context;
        if (size == 0) {
                free(block);
                return NULL;
        }
        if (fails_at != 0 && ++calls == fails_at)
                return NULL;
        return realloc(block, size);
}

static int without_memory(void *arg) {
        enum kind kind = *(enum kind *) arg;
        belay_address address, peer;
        int listener = listening_socket(kind, 5, &address), before = open_count(), rc = -ENOMEM;
        char endpoint[BELAY_ADDRESS_TEXT];
        belay_stream *stream = NULL;

        snprintf(endpoint, sizeof(endpoint), "%s", text_of(&address));
        for (unsigned long at = 1; rc < 0; at++) {
                calls = 0;
                fails_at = at;
                rc = belay_connect(&stream, endpoint, NULL);
                fails_at = 0;
                CHECK(rc == 0 || rc == -ENOMEM);
                CHECK((stream != NULL) == (rc == 0));
                if (rc < 0)
                        CHECK_EQ(open_count(), before);
                /*
                 * The connection was made before memory ran out, so it is in the listener's queue.
                 */
                if (rc < 0 && poll(&(struct pollfd) { .fd = listener, .events = POLLIN }, 1, 0) > 0)
                        close(accepted(listener, &peer));
                CHECK(at < 100);
        }
        belay_abort(stream);
        close_bound(listener, &address);
        return 0;
}

/* ---- misuse ---- */

static void misuse(void) {
        struct sockaddr_in address = { .sin_family = AF_INET };
        belay_stream *stream = (belay_stream *) &stream;

        keep_lines();
        CHECK_EQ(belay_connect(&stream, "127.0.0.1:1", NULL), -EPERM);
        CHECK(stream == NULL);
        CHECK_EQ(belay_connect_to(&stream, (struct sockaddr *) &address, sizeof(address), NULL),
                 -EPERM);
        /* Outside of a task, that is the error whatever the arguments are. */
        CHECK_EQ(belay_connect_to(&stream, (struct sockaddr *) &address, 1, NULL), -EPERM);
        CHECK_LINES(1, "belay_connect() outside of a task");
        CHECK_LINES(2, "belay_connect_to() outside of a task");
        belay_set_log(NULL, NULL);
}

int main(void) {
        belay_set_memory(memory, NULL);
        RUN_KINDS(connects);
        CHECK_EQ(belay_run(this_machine, NULL), 0);
        RUN_KINDS(name_of_gone);
        CHECK_EQ(belay_run(from_an_address, NULL), 0);
        RUN_KINDS(refused);
        CHECK_EQ(belay_run(bad_arguments, NULL), 0);
        RUN_KINDS(itself);
        RUN_KINDS(no_answer);
        RUN_KINDS(stands);
        RUN_KINDS(pending);
        RUN_KINDS(without_memory);
        misuse();
        return 0;
}
