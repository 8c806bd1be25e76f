/* SPDX-License-Identifier: MIT */
/*
 * An accepted stream is named after its peer, even if its name is requested only after the peer has
 * gone. On each back end.
 */
#include "net/plain.h"

static int app(void *arg) {
        enum kind kind = *(enum kind *) arg;
        struct sockaddr_storage own;
        socklen_t length = sizeof(own);
        char text[BELAY_ADDRESS_TEXT], expected[BELAY_ADDRESS_TEXT + 8];
        belay_stream *client, *server;
        belay_listener *listener;
        char byte;

        CHECK_EQ(belay_listen(&listener, fresh_endpoint(kind), NULL), 0);
        CHECK_EQ(belay_connect(&client, belay_listener_endpoint(listener), NULL), 0);
        CHECK_EQ(belay_accept(listener, &server), 0);
        CHECK_EQ(getsockname(belay_stream_fd(client), (struct sockaddr *) &own, &length), 0);
        belay_address_text((struct sockaddr *) &own, length, text, sizeof(text));
        if (is_unix(kind))
                /* A client without a name is identified by the listener's endpoint. */
                snprintf(expected, sizeof(expected), "%s", belay_listener_endpoint(listener));
        else
                snprintf(expected, sizeof(expected), "tcp %s", text);
        belay_abort(client);
        while (belay_read(server, &byte, 1) > 0)
                ;
        CHECK_STR(belay_stream_name(server), expected);
        belay_abort(server);
        belay_listener_close(listener);
        return 0;
}

int main(void) {
        static const enum kind kinds[] = { IPV4, UNIX_PATH, UNIX_ABSTRACT };

        for (size_t i = 0; i < 3; i++)
                for (int backend = BELAY_BACKEND_EPOLL; backend <= BELAY_BACKEND_IO_URING;
                     backend++)
                        CHECK_EQ(belay_run_with(
                                         app, (void *) &kinds[i],
                                         BELAY_OPTIONS(belay_loop_options, .backend = backend)),
                                 0);
        return 0;
}
