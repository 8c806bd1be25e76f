/* SPDX-License-Identifier: MIT */
/*
 * Datagrams: whole messages, messages that are too long, their senders, several receivers, and
 * errors. Tests of opening are in tests/net/datagrams_open.c.
 */
#define _GNU_SOURCE
#include "net/plain.h"

/* ---- there and back ---- */

static int there_and_back(void *arg) {
        enum kind kind = *(enum kind *) arg;
        int before, type = 0;
        socklen_t length = sizeof(type);
        char buffer[64];
        belay_datagrams *server, *client, *connected;
        belay_address to, from;

        server = opened(fresh_endpoint(kind), NULL);
        before = open_count() - 1;
        to = address_of(server);
        client = opened(fresh_endpoint(kind), NULL);
        connected = opened(fresh_endpoint(kind), belay_datagrams_endpoint(server));

        CHECK_EQ(belay_send(client, "one", 3, &to), 3);
        CHECK_EQ(belay_send(connected, "three", 5, NULL), 5);
        CHECK_EQ(belay_receive(server, buffer, sizeof(buffer), &from), 3);
        CHECK(memcmp(buffer, "one", 3) == 0);
        CHECK_STR(text_of(&from), belay_datagrams_endpoint(client));
        CHECK_EQ(from.type, SOCK_DGRAM);
        /* The sender's address that a receive returns can be sent to. */
        CHECK_EQ(belay_send(server, "back", 4, &from), 4);
        CHECK_EQ(belay_receive(client, buffer, sizeof(buffer), NULL), 4);
        CHECK(memcmp(buffer, "back", 4) == 0);
        CHECK_EQ(belay_receive(server, buffer, sizeof(buffer), &from), 5);
        CHECK_STR(text_of(&from), belay_datagrams_endpoint(connected));
        CHECK_EQ(belay_send(server, "again", 5, &from), 5);
        CHECK_EQ(belay_receive(connected, buffer, sizeof(buffer), NULL), 5);

        CHECK_EQ(getsockopt(belay_datagrams_fd(server), SOL_SOCKET, SO_TYPE, &type, &length), 0);
        CHECK_EQ(type, SOCK_DGRAM);
        CHECK(fcntl(belay_datagrams_fd(server), F_GETFD) & FD_CLOEXEC);
        belay_datagrams_close(client);
        belay_datagrams_close(connected);
        belay_datagrams_close(server);
        belay_datagrams_close(NULL);
        CHECK_EQ(open_count(), before);
        return 0;
}

/* ---- lengths ---- */

static int lengths(void *arg) {
        enum kind kind = *(enum kind *) arg;
        char buffer[64], sent[1000];
        belay_datagrams *server = opened(fresh_endpoint(kind), NULL);
        belay_datagrams *client = opened(NULL, belay_datagrams_endpoint(server));

        for (size_t i = 0; i < sizeof(sent); i++)
                sent[i] = (char) (i * 7);
        /* An empty message is a message, too. */
        CHECK_EQ(belay_send(client, NULL, 0, NULL), 0);
        CHECK_EQ(belay_send(client, sent, sizeof(sent), NULL), sizeof(sent));
        CHECK_EQ(belay_send(client, sent, 10, NULL), 10);
        CHECK_EQ(belay_receive(server, buffer, sizeof(buffer), NULL), 0);
        /*
         * The whole length is returned although the buffer was too small. The rest of the message
         * is lost.
         */
        memset(buffer, 0, sizeof(buffer));
        CHECK_EQ(belay_receive(server, buffer, 8, NULL), sizeof(sent));
        CHECK(memcmp(buffer, sent, 8) == 0);
        CHECK_EQ(buffer[8], 0);
        CHECK_EQ(belay_receive(server, NULL, 0, NULL), 10);
        /* The next message is received whole. */
        CHECK_EQ(belay_send(client, sent, 64, NULL), 64);
        CHECK_EQ(belay_receive(server, buffer, sizeof(buffer), NULL), 64);
        CHECK(memcmp(buffer, sent, 64) == 0);
        belay_datagrams_close(client);
        belay_datagrams_close(server);
        return 0;
}

static int too_long(void *arg) {
        enum kind kind = *(enum kind *) arg;
        enum { SIZE = 16 << 20 };
        char *data = calloc(1, SIZE);
        belay_datagrams *server = opened(fresh_endpoint(kind), NULL);
        belay_datagrams *client = opened(NULL, belay_datagrams_endpoint(server));

        CHECK_EQ(belay_send(client, data, SIZE, NULL), -EMSGSIZE);
        if (!is_unix(kind))
                CHECK_EQ(belay_send(client, data, 65536, NULL), -EMSGSIZE);
        CHECK_EQ(belay_send(client, data, 1, NULL), 1);
        CHECK_EQ(belay_receive(server, data, SIZE, NULL), 1);
        belay_datagrams_close(client);
        belay_datagrams_close(server);
        free(data);
        return 0;
}

/* ---- several receivers ---- */

enum { RECEIVERS = 5, ROUNDS = 20 };

struct receiver {
        belay_datagrams *socket;
        int got; /* rounds in which it received */
        ssize_t last;
};

static bool seen[RECEIVERS * ROUNDS];

static int receive_all(void *arg) {
        struct receiver *self = arg;
        unsigned char byte;

        while ((self->last = belay_receive(self->socket, &byte, 1, NULL)) == 1) {
                CHECK(!seen[byte]);
                seen[byte] = true;
                self->got++;
        }
        return (int) self->last;
}

static int several(void *arg) {
        enum kind kind = *(enum kind *) arg;
        belay_datagrams *server = opened(fresh_endpoint(kind), NULL);
        belay_datagrams *client = opened(NULL, belay_datagrams_endpoint(server));
        struct receiver receivers[RECEIVERS];
        belay_task *tasks[RECEIVERS];
        char endpoint[BELAY_ADDRESS_TEXT];
        int got = 0;

        memset(seen, 0, sizeof(seen));
        for (int i = 0; i < RECEIVERS; i++) {
                receivers[i] = (struct receiver) { .socket = server };
                tasks[i] = must(belay_spawn(receive_all, &receivers[i]));
        }
        let_run();
        for (int i = 0; i < RECEIVERS * ROUNDS; i++) {
                unsigned char byte = (unsigned char) i;

                CHECK_EQ(belay_send(client, &byte, 1, NULL), 1);
                /* Some messages are sent one at a time, and some at once. */
                if (i % 7 < 3)
                        while (!seen[i])
                                CHECK_EQ(belay_yield(), 0);
        }
        for (int i = 0; i < RECEIVERS * ROUNDS; i++)
                while (!seen[i])
                        CHECK_EQ(belay_yield(), 0);
        /*
         * The socket is closed while the tasks wait. The waits end, and the address is free at
         * once.
         */
        snprintf(endpoint, sizeof(endpoint), "%s", belay_datagrams_endpoint(server));
        let_run();
        belay_datagrams_close(server);
        if (strcmp(belay_loop_backend(NULL), "epoll") == 0)
                belay_datagrams_close(opened(endpoint, NULL));
        for (int i = 0; i < RECEIVERS; i++) {
                end_of(tasks[i], -EBADF);
                got += receivers[i].got;
        }
        CHECK_EQ(got, RECEIVERS * ROUNDS);
        belay_datagrams_close(client);
        return 0;
}

/* ---- no receiver ---- */

static int nobody(void *arg) {
        enum kind kind = *(enum kind *) arg;
        belay_address gone = deserted_address(kind, SOCK_DGRAM);
        belay_datagrams *socket = opened(fresh_endpoint(kind), NULL);
        struct receiver receiver = { .socket = NULL };
        belay_task *task;
        char buffer[8];

        CHECK_EQ(belay_send(socket, "x", 1, NULL), -EDESTADDRREQ);
        if (is_unix(kind)) {
                CHECK_EQ(belay_send(socket, "x", 1, &gone),
                         kind == UNIX_PATH ? -ENOENT : -ECONNREFUSED);
                belay_datagrams_close(socket);
                return 0;
        }
        /* The error of a send is returned by the next call. */
        CHECK_EQ(belay_send(socket, "x", 1, &gone), 1);
        belay_datagrams_close(socket);
        socket = opened(NULL, text_of(&gone));
        CHECK_EQ(belay_send(socket, "x", 1, NULL), 1);
        CHECK_EQ(belay_receive(socket, buffer, sizeof(buffer), NULL), -ECONNREFUSED);
        /* The error also ends the wait of another task. */
        task = must(belay_spawn(receive_all, &receiver));
        receiver.socket = socket;
        let_run();
        CHECK(!belay_done(task));
        CHECK_EQ(belay_send(socket, "x", 1, NULL), 1);
        end_of(task, -ECONNREFUSED);
        /* The error is returned only once. */
        CHECK_EQ(belay_wait_fd(belay_datagrams_fd(socket), BELAY_WRITABLE), BELAY_WRITABLE);
        CHECK_EQ(belay_send(socket, "x", 1, NULL), 1);
        belay_datagrams_close(socket);
        return 0;
}

/* ---- no room ---- */

struct sender {
        belay_datagrams *socket;
        const belay_address *to;
        int count, sent;
};

static int send_all(void *arg) {
        struct sender *self = arg;
        char data[64] = "";

        for (ssize_t rc; self->sent < self->count; self->sent++) {
                data[0] = (char) self->sent;
                rc = belay_send(self->socket, data, sizeof(data), self->to);
                if (rc != sizeof(data))
                        return (int) rc;
        }
        return 0;
}

/* The queue of a Unix socket is short. A sender waits for room, whether it is connected or not. */
static int no_room(void *arg) {
        enum kind kind = *(enum kind *) arg;
        belay_datagrams *server = opened(fresh_endpoint(kind), NULL);
        belay_address to = address_of(server);
        char data[64];
        int most = 2000;

        if (!is_unix(kind)) {
                belay_datagrams_close(server);
                return 0;
        }
        for (int connected = 0; connected < 2; connected++) {
                struct sender sender = { .to = connected ? NULL : &to, .count = most };
                belay_task *task;
                belay_timeout limit;
                int stuck;

                sender.socket = connected ? opened(NULL, belay_datagrams_endpoint(server))
                                          : opened(fresh_endpoint(kind), NULL);
                belay_timeout_enter(&limit, BELAY_SECOND);
                CHECK_EQ(belay_timeout_leave(&limit, send_all(&sender)), -ETIMEDOUT);
                stuck = sender.sent;
                CHECK(stuck > 0 && stuck < most);
                task = must(belay_spawn(send_all, &sender));
                for (int i = 0; i < most; i++) {
                        CHECK_EQ(belay_receive(server, data, sizeof(data), NULL), sizeof(data));
                        CHECK_EQ(data[0], (char) i);
                }
                end_of(task, 0);
                /* The socket is closed while it waits. */
                sender.sent = 0;
                task = must(belay_spawn(send_all, &sender));
                while (sender.sent < stuck)
                        CHECK_EQ(belay_yield(), 0);
                let_run();
                CHECK_EQ(sender.sent, stuck);
                belay_datagrams_close(sender.socket);
                end_of(task, -EBADF);
                for (int i = 0; i < stuck; i++)
                        CHECK_EQ(belay_receive(server, data, sizeof(data), NULL), sizeof(data));
        }
        belay_datagrams_close(server);
        return 0;
}

/* ---- cancelled ---- */

static int cancelled(void *arg) {
        enum kind kind = *(enum kind *) arg;
        belay_datagrams *server = opened(fresh_endpoint(kind), NULL);
        belay_datagrams *client = opened(NULL, belay_datagrams_endpoint(server));
        struct receiver receivers[2] = { { .socket = server }, { .socket = server } };
        belay_task *tasks[2];
        belay_timeout limit;
        char buffer[8];

        belay_timeout_enter(&limit, BELAY_MILLISECOND);
        CHECK_EQ(belay_timeout_leave(&limit,
                                     (int) belay_receive(server, buffer, sizeof(buffer), NULL)),
                 -ETIMEDOUT);
        memset(seen, 0, sizeof(seen));
        for (int i = 0; i < 2; i++)
                tasks[i] = must(belay_spawn(receive_all, &receivers[i]));
        let_run();
        /*
         * A message has arrived, and one of two waiting tasks is cancelled. It takes no message
         * from the other.
         */
        CHECK_EQ(belay_send(client, "\1", 1, NULL), 1);
        CHECK(belay_cancel(tasks[0], NULL));
        end_of(tasks[0], -ECANCELED);
        while (!seen[1])
                CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(receivers[0].got + receivers[1].got, 1);
        CHECK(belay_cancel(tasks[1], NULL));
        end_of(tasks[1], -ECANCELED);
        /* Nor is a message lost. */
        CHECK_EQ(belay_send(client, "\2", 1, NULL), 1);
        CHECK_EQ(belay_receive(server, buffer, sizeof(buffer), NULL), 1);
        CHECK_EQ(buffer[0], 2);
        belay_datagrams_close(client);
        belay_datagrams_close(server);
        return 0;
}

/* ---- turns ---- */

static int count_turns(void *arg) {
        int rc;

        do {
                ++*(int *) arg;
                rc = belay_yield();
        } while (rc == 0);
        return rc;
}

/* A task that never has to wait lets other tasks run all the same. */
static int turns(void *arg) {
        enum kind kind = *(enum kind *) arg;
        belay_datagrams *server = opened(fresh_endpoint(kind), NULL);
        belay_datagrams *client = opened(NULL, belay_datagrams_endpoint(server));
        int others = 0;
        belay_task *task = must(belay_spawn(count_turns, &others));
        char byte;

        for (int i = 0; i < 1000; i++) {
                CHECK_EQ(belay_send(client, "x", 1, NULL), 1);
                CHECK_EQ(belay_receive(server, &byte, 1, NULL), 1);
        }
        CHECK(others >= 10);
        CHECK(belay_cancel(task, NULL));
        end_of(task, -ECANCELED);
        belay_datagrams_close(client);
        belay_datagrams_close(server);
        return 0;
}

static int pair[2], number;

static int close_it(void *arg) {
        number = belay_datagrams_fd(arg);
        belay_datagrams_close(arg);
        CHECK_EQ(dup2(pair[0], number), number);
        CHECK_EQ(send(pair[1], "mine", 4, 0), 4);
        return 0;
}

/*
 * The task is cancelled, and the socket is closed at the same time. The call returns -EBADF, and
 * the request is still pending.
 */
static int cancelled_and_closed(void *arg) {
        enum kind kind = *(enum kind *) arg;
        belay_datagrams *server = opened(fresh_endpoint(kind), NULL);
        struct receiver receiver = { .socket = server };
        belay_task *task = must(belay_spawn(receive_all, &receiver));

        let_run();
        CHECK(belay_cancel(task, NULL));
        belay_datagrams_close(server);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(receiver.last, -EBADF);
        CHECK_EQ(belay_result(task), -EBADF);
        belay_release(task);
        return 0;
}

/*
 * Another task closes the socket while this one yields, although there is a message to receive. The
 * number may belong to another socket then.
 */
static int closed_in_between(void *arg) {
        enum kind kind = *(enum kind *) arg;
        enum { SENT = 100 };
        belay_datagrams *server = opened(fresh_endpoint(kind), NULL), *client;
        struct receiver receiver = { .socket = server };
        belay_task *task;
        char buffer[8];

        if (is_unix(kind)) {
                belay_datagrams_close(server);
                return 0;
        }
        CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair), 0);
        client = opened(NULL, belay_datagrams_endpoint(server));
        memset(seen, 0, sizeof(seen));
        for (int i = 0; i < SENT; i++)
                CHECK_EQ(belay_send(client, &(char) { (char) i }, 1, NULL), 1);
        task = must(belay_spawn(close_it, server));
        CHECK_EQ(receive_all(&receiver), -EBADF);
        CHECK(receiver.got < SENT);
        end_of(task, 0);
        CHECK_EQ(recv(number, buffer, sizeof(buffer), MSG_DONTWAIT), 4);
        close(pair[0]);
        close(pair[1]);
        close(number);
        belay_datagrams_close(client);
        return 0;
}

int main(void) {
        RUN_KINDS(there_and_back);
        RUN_KINDS(lengths);
        RUN_KINDS(too_long);
        RUN_KINDS(nobody);
        RUN_KINDS(several);
        RUN_KINDS_VIRTUAL(no_room);
        RUN_KINDS(cancelled);
        RUN_KINDS(cancelled_and_closed);
        RUN_KINDS(turns);
        RUN_KINDS(closed_in_between);
        return 0;
}
