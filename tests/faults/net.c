/* SPDX-License-Identifier: MIT */
/*
 * Faults in the network: listening, connecting, accepting, serving, datagrams, descriptors sent
 * over a stream, and lookups.
 */
#define _GNU_SOURCE
#include <sys/un.h>

#include "faults/scenes.h"

/* ---- a server and a client without belay_serve() ---- */

struct meeting {
        const char *endpoint;
        belay_listener *listener;
        belay_stream *accepted;
};

static int answers(void *arg) {
        struct meeting *meeting = arg;
        char line[64];
        ssize_t size, written;
        int rc = belay_accept(meeting->listener, &meeting->accepted);

        while (rc == 0) {
                size = belay_read_line(meeting->accepted, line, sizeof(line));
                rc = size < 0 ? (int) size : 0;
                if (size <= 0)
                        break;
                CHECK(strncmp(line, "line ", 5) == 0 && line[size - 1] == '\n');
                written = belay_write(meeting->accepted, line, (size_t) size);
                if (written != size)
                        rc = written < 0 ? (int) written : -ENOTRECOVERABLE;
        }
        if (rc == 0) {
                rc = belay_close(meeting->accepted, BELAY_SECOND);
                meeting->accepted = NULL;
        }
        return rc;
}

static int ask(belay_stream *stream) {
        char line[64], expected[64];
        ssize_t size = 1;

        for (int i = 0; i < 3 && size > 0; i++) {
                snprintf(expected, sizeof(expected), "line %d\n", i);
                size = belay_print(stream, "line %d\n", i);
                if (size > 0 && (size_t) size < strlen(expected)) {
                        CHECK(belay_is_cut(stream));
                        return -ENOTRECOVERABLE;
                }
                if (size > 0)
                        size = belay_read_line(stream, line, sizeof(line));
                if (size > 0 && line[size - 1] == '\n')
                        CHECK_STR(line, expected);
        }
        return size < 0 ? (int) size : size == 0 ? -ECONNRESET : 0;
}

static int asks(void *arg) {
        struct meeting *meeting = arg;
        belay_stream *stream;
        int rc = belay_connect(&stream, belay_listener_endpoint(meeting->listener), NULL), closed;

        CHECK_EQ(stream != NULL, rc == 0);
        if (rc < 0)
                return rc;
        CHECK(strlen(belay_stream_name(stream)) > 0);
        rc = ask(stream);
        closed = belay_close(stream, rc == 0 ? BELAY_SECOND : 0);
        return rc < 0 ? rc : closed;
}

static int meet(void *arg) {
        struct meeting meeting = { .endpoint = arg };
        belay_group group;
        int rc = belay_listen(&meeting.listener, meeting.endpoint,
                              BELAY_OPTIONS(belay_listen_options, .mode = 0600));

        CHECK_EQ(meeting.listener != NULL, rc == 0);
        if (rc < 0)
                return rc;
        rc = belay_group_enter(&group);
        if (rc == 0) {
                rc = belay_group_spawn(&group, answers, &meeting);
                if (rc == 0)
                        rc = belay_group_spawn(&group, asks, &meeting);
                rc = belay_group_leave(&group, rc);
        }
        belay_abort(meeting.accepted);
        belay_listener_close(meeting.listener);
        return rc;
}

static int over_tcp(void) {
        return run_loop(meet, "127.0.0.1:0");
}

static int over_unix(void) {
        char endpoint[160];

        snprintf(endpoint, sizeof(endpoint), "unix:%s", scratch_path("socket"));
        return run_loop(meet, endpoint);
}

/* Makes the file of a listener that has gone, which the next listener replaces. */
static void leave_over(void) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        int fd = REAL(socket)(AF_UNIX, SOCK_STREAM, 0);

        snprintf(address.sun_path, sizeof(address.sun_path), "%s", scratch_path("left"));
        REAL(unlink)(address.sun_path);
        CHECK_EQ(REAL(bind)(fd, (struct sockaddr *) &address, sizeof(address)), 0);
        REAL(close)(fd);
}

static int over_a_left_one(void) {
        char endpoint[160];
        int rc;

        snprintf(endpoint, sizeof(endpoint), "unix:%s", scratch_path("left"));
        rc = run_loop(meet, endpoint);
        /*
         * The file is as it was, or has been replaced and then removed. It is made again, so that
         * the count of files is the same.
         */
        leave_over();
        /* The check whether a listener is there failed, so the address counts as in use. */
        return rc == -EADDRINUSE && plan.function == F_connect ? 0 : rc;
}

/* ---- a server with belay_serve() ---- */

struct service {
        belay_listener *listener;
        unsigned answered, wanted;
};

static int handle(belay_stream *stream, void *arg) {
        char line[64];
        ssize_t size;

        (void) arg;
        while ((size = belay_read_line(stream, line, sizeof(line))) > 0)
                if (belay_write(stream, line, (size_t) size) != size)
                        return -ENOTRECOVERABLE;
        return (int) size;
}

static void failed(belay_stream *stream, int rc, void *arg) {
        (void) arg;
        CHECK(strlen(belay_stream_name(stream)) > 0);
        CHECK(makes_sense(rc) || rc == -ECANCELED);
}

static int serves(void *arg) {
        struct service *service = arg;

        return belay_serve(service->listener, handle, service,
                           BELAY_OPTIONS(belay_serve_options, .failed = failed, .most = 2,
                                         .grace = 2 * BELAY_SECOND, .close_limit = BELAY_SECOND));
}

/* If one client fails, the server still serves the others. */
static int is_client(void *arg) {
        struct service *service = arg;
        belay_stream *stream;
        int rc = belay_connect(&stream, belay_listener_endpoint(service->listener), NULL);

        if (rc == 0) {
                rc = ask(stream);
                (void) belay_close(stream, rc == 0 ? BELAY_SECOND : 0);
        }
        service->answered += rc == 0;
        /* The task that waits for the server checks the server's outcome. */
        if (!makes_sense(rc) && rc != -ECONNREFUSED)
                complain("a client ends with", rc, 0);
        return 0;
}

static int serve_clients(void *arg) {
        struct service service = { 0 };
        belay_group clients;
        belay_task *server;
        int rc = belay_listen(&service.listener, "127.0.0.1:0", NULL), outcome = 0;

        (void) arg;
        if (rc < 0)
                return rc;
        server = belay_spawn(serves, &service);
        rc = server != NULL ? belay_group_enter(&clients) : -errno;
        if (rc == 0) {
                for (int i = 0; i < 4 && rc == 0; i++)
                        rc = belay_group_spawn(&clients, is_client, &service);
                rc = belay_group_leave(&clients, rc);
        }
        if (server != NULL) {
                /* If there was no memory for a client, the server may not have begun. */
                while (belay_serve_stop(service.listener) == -ESRCH && !belay_done(server))
                        CHECK_EQ(belay_yield(), 0);
                CHECK_EQ(belay_join(server, &outcome), 0);
                belay_release(server);
        }
        /* One fault costs one connection, or the server does not begin. */
        CHECK(rc != 0 || outcome != 0
              || service.answered >= (plan.function == F_memory_on && plan.nth != 0 ? 0 : 3));
        belay_listener_close(service.listener);
        return rc < 0 ? rc : outcome;
}

static int serving(void) {
        return run_loop(serve_clients, NULL);
}

/* ---- datagrams ---- */

static int send_and_receive(belay_datagrams *one, belay_datagrams *other) {
        belay_address from;
        char buffer[64];
        ssize_t rc = 1;

        for (int i = 0; i < 4 && rc > 0; i++) {
                rc = belay_send(one, "datagram", 8, NULL);
                if (rc > 0)
                        rc = belay_receive(other, buffer, sizeof(buffer), &from);
                if (rc > 0) {
                        CHECK_EQ(rc, 8);
                        CHECK(memcmp(buffer, "datagram", 8) == 0);
                        rc = belay_send(other, "answer", 6, &from);
                }
                if (rc > 0)
                        rc = belay_receive(one, buffer, 3, NULL);
                CHECK(rc < 0 || (rc == 6 && memcmp(buffer, "ans", 3) == 0));
        }
        return rc < 0 ? (int) rc : 0;
}

static int exchange(void *arg) {
        belay_datagrams *one = NULL, *other = NULL;
        int rc = belay_datagrams_open(&other, "127.0.0.1:0", NULL);

        (void) arg;
        if (rc == 0)
                rc = belay_datagrams_open(&one, "127.0.0.1:0", belay_datagrams_endpoint(other));
        if (rc == 0)
                rc = send_and_receive(one, other);
        belay_datagrams_close(one);
        belay_datagrams_close(other);
        return rc;
}

static int datagrams(void) {
        return run_loop(exchange, NULL);
}

/* ---- descriptors sent over a stream ---- */

static int travel(belay_stream *one, belay_stream *other) {
        int fds[4], sent[2] = { 0, 1 };
        size_t count = 4;
        char buffer[16];
        ssize_t rc = belay_send_descriptors(one, "take", 4, sent, 2);

        if (rc <= 0)
                return (int) rc;
        rc = belay_receive_descriptors(other, buffer, sizeof(buffer), fds, &count);
        if (rc > 0) {
                CHECK_EQ(count, 2);
                for (size_t i = 0; i < count; i++)
                        REAL(close)(fds[i]);
        } else {
                CHECK_EQ(count, 0);
        }
        return rc < 0 ? (int) rc : 0;
}

static int travels(void *arg) {
        belay_stream *one = NULL, *other = NULL;
        int rc = belay_stream_pair(&one, &other);

        (void) arg;
        for (int i = 0; i < 2 && rc == 0; i++)
                rc = travel(one, other);
        belay_abort(one);
        belay_abort(other);
        return rc;
}

static int travelling(void) {
        return run_loop(travels, NULL);
}

/* ---- names ---- */

/* At least one of several addresses connects. The lookup takes a thread. */
static int meet_by_name(void *arg) {
        struct meeting meeting = { 0 };
        belay_group group;
        int rc = belay_listen(&meeting.listener, "localhost:0", NULL);

        (void) arg;
        if (rc < 0)
                return rc;
        rc = belay_group_enter(&group);
        if (rc == 0) {
                rc = belay_group_spawn(&group, answers, &meeting);
                if (rc == 0)
                        rc = belay_group_spawn(&group, asks, &meeting);
                rc = belay_group_leave(&group, rc);
        }
        belay_abort(meeting.accepted);
        belay_listener_close(meeting.listener);
        return rc;
}

static int by_name(void) {
        return run_loop(meet_by_name, NULL);
}

static int looks_up(void *arg) {
        static const char *const endpoints[] = { "localhost:80", "127.0.0.1:80", ":0" };
        belay_address *found;
        size_t count;
        int rc = 0;

        (void) arg;
        for (int i = 0; i < 3 && rc == 0; i++) {
                rc = belay_resolve(endpoints[i], SOCK_STREAM, &found, &count);
                CHECK_EQ(rc == 0, count > 0);
                belay_addresses_free(found, count);
        }
        return rc;
}

static int looking_up(void) {
        return run_loop(looks_up, NULL);
}

static int ask_once(belay_stream *one, belay_stream *other) {
        char byte;
        ssize_t rc = belay_write(one, "x", 1);

        if (rc > 0)
                rc = belay_read(other, &byte, 1);
        CHECK(rc < 0 || (rc == 1 && byte == 'x'));
        return rc < 0 ? (int) rc : 0;
}

/* Connects to an address without a listener and then to one with a listener, as a race of two. */
static int connects_to_several(void *arg) {
        belay_listener *listener;
        belay_stream *stream = NULL, *accepted = NULL;
        char endpoint[64];
        int rc = belay_listen(&listener, "127.0.0.1:0", NULL);

        (void) arg;
        if (rc < 0)
                return rc;
        snprintf(endpoint, sizeof(endpoint), "localhost:%s",
                 strrchr(belay_listener_endpoint(listener), ':') + 1);
        rc = belay_connect(&stream, endpoint, NULL);
        if (rc == 0)
                rc = belay_accept(listener, &accepted);
        if (rc == 0)
                rc = ask_once(stream, accepted);
        belay_abort(stream);
        belay_abort(accepted);
        belay_listener_close(listener);
        return rc;
}

static int several(void) {
        return run_loop(connects_to_several, NULL);
}

/* ---- */

int main(int argument_count, char **arguments) {
        static const struct scene scenes[] = {
                { "tcp", over_tcp, NULL },
                { "unix", over_unix, NULL },
                { "left over", over_a_left_one, leave_over },
                { "serve", serving, NULL },
                { "datagrams", datagrams, NULL },
                { "descriptors that travel", travelling, NULL },
                { "name", by_name, NULL },
                { "lookup", looking_up, NULL },
                { "several", several, NULL },
        };

        return RUN_SCENES(scenes);
}
