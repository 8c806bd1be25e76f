/* SPDX-License-Identifier: MIT */
/*
 * Tests datagrams and the transfer of descriptors with each wait cancelled. No message may arrive
 * twice, and no descriptor may stay open.
 */
#define _GNU_SOURCE
#include "everywhere/everywhere.h"
#include "net/plain.h"

static int supervised(belay_group *group) {
        return belay_group_enter_with(group, BELAY_OPTIONS(belay_group_options, .supervise = true));
}

/* ---- datagrams ---- */

enum { DATAGRAMS = 24 };

static belay_datagrams *server, *client;
static belay_address address;
static bool connected;
static int sent, received[DATAGRAMS];

static void reset_datagrams(void *arg) {
        (void) arg;
        sent = 0;
        memset(received, 0, sizeof(received));
}

static int receiver(void *arg) {
        unsigned char byte = 255;
        ssize_t rc = 1;

        (void) arg;
        while (rc == 1) {
                rc = belay_receive(server, &byte, 1, NULL);
                if (rc == 1)
                        received[byte]++;
        }
        return rc == -EBADF ? 0 : (int) rc;
}

static int send_many(void) {
        for (ssize_t rc; sent < DATAGRAMS; sent++) {
                unsigned char byte = (unsigned char) sent;

                rc = belay_send(client, &byte, 1, connected ? NULL : &address);
                if (rc < 0)
                        return (int) rc;
        }
        return 0;
}

static void open_both(enum kind kind) {
        char endpoint[BELAY_ADDRESS_TEXT];

        address = fresh_address(kind, SOCK_DGRAM);
        snprintf(endpoint, sizeof(endpoint), "%s", text_of(&address));
        CHECK_EQ(belay_datagrams_open(&server, endpoint, NULL), 0);
        address.length = sizeof(address.address);
        CHECK_EQ(getsockname(belay_datagrams_fd(server), sockaddr_of(&address), &address.length),
                 0);
        snprintf(endpoint, sizeof(endpoint), "%s", fresh_endpoint(kind));
        CHECK_EQ(belay_datagrams_open(&client, endpoint,
                                      connected ? belay_datagrams_endpoint(server) : NULL),
                 0);
}

/*
 * Datagrams are sent before the receivers wait and while both of them wait. The sockets are closed
 * while tasks wait for them.
 */
static int datagrams_main(void *arg) {
        enum kind kind = *(enum kind *) arg;
        belay_group group;
        int rc;

        open_both(kind);
        supervised(&group);
        CHECK_EQ(belay_group_spawn(&group, receiver, NULL), 0);
        CHECK_EQ(belay_group_spawn(&group, receiver, NULL), 0);
        rc = send_many();
        if (rc == 0)
                rc = belay_sleep(BELAY_SECOND);
        belay_datagrams_close(server);
        rc = belay_group_leave(&group, rc);
        belay_datagrams_close(client);
        return rc;
}

static int check_datagrams(void *arg, int outcome) {
        (void) arg;
        for (int i = 0; i < DATAGRAMS; i++) {
                if (received[i] > 1 || (i > sent && received[i] > 0))
                        return 1;
                if (outcome == 0 && sent == DATAGRAMS && received[i] == 0)
                        return 2;
        }
        return outcome == 0 || is_cancelled(outcome) ? 0 : 3;
}

/* ---- descriptors ---- */

enum { MESSAGES = 3, LONG = 300000 };

static belay_stream *ends[2];
/* messages whose descriptors may have been sent, and messages whose descriptors were received */
static int begun, came;
static char data[LONG];

static void reset_descriptors(void *arg) {
        (void) arg;
        begun = came = 0;
}

static int send_messages(void *arg) {
        int fds[2] = { 0, 1 }, number = 0, rc = 0;

        (void) arg;
        for (; rc == 0 && number < MESSAGES; number++) {
                /*
                 * The first message is short. Each other one is longer than the buffer, so that it
                 * is sent in parts.
                 */
                ssize_t size = number == 0 ? 1 : LONG, moved;

                moved = belay_send_descriptors(ends[0], data, (size_t) size, fds, 2);
                begun += moved > 0;
                if (moved < size)
                        rc = moved < 0 ? (int) moved : belay_yield();
        }
        belay_abort(ends[0]);
        ends[0] = NULL;
        return rc;
}

static int receive_messages(void) {
        static char buffer[70000];
        ssize_t rc;

        do {
                int fds[4];
                size_t count = 4;

                rc = belay_receive_descriptors(ends[1], buffer, sizeof(buffer), fds, &count);
                CHECK(count == 0 || (rc > 0 && count == 2));
                came += count > 0;
                for (size_t i = 0; i < count; i++)
                        CHECK_EQ(close(fds[i]), 0);
        } while (rc > 0);
        /*
         * If a request arrived and the last read returned its result all the same, this delivers
         * it.
         */
        return rc == 0 ? belay_yield() : (int) rc;
}

static int descriptors_main(void *arg) {
        belay_group group;
        int rc;

        (void) arg;
        CHECK_EQ(belay_stream_pair(&ends[0], &ends[1]), 0);
        supervised(&group);
        CHECK_EQ(belay_group_spawn(&group, send_messages, NULL), 0);
        rc = receive_messages();
        if (rc < 0)
                belay_group_cancel(&group);
        rc = belay_group_leave(&group, rc);
        /* The sender has closed its end, unless it was cancelled before its first step. */
        belay_abort(ends[0]);
        belay_abort(ends[1]);
        return rc == -ECONNRESET ? 0 : rc;
}

static int check_descriptors(void *arg, int outcome) {
        (void) arg;
        if (came > begun || (outcome == 0 && came < begun))
                return 1;
        return outcome == 0 || is_cancelled(outcome) ? 0 : 2;
}

int main(void) {
        for (int i = 0; i < KINDS; i++)
                for (int way = 0; way < 2; way++) {
                        enum kind kind = (enum kind) i;

                        if (kind == IPV6 && !has_ipv6())
                                continue;
                        connected = way == 1;
                        EVERYWHERE(datagrams_main, &kind, reset_datagrams, check_datagrams, 4);
                }
        EVERYWHERE(descriptors_main, NULL, reset_descriptors, check_descriptors, 5);
        return 0;
}
