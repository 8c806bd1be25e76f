/* SPDX-License-Identifier: MIT */
/*
 * The details of network failures: which part of an endpoint is wrong, which addresses were tried,
 * and why each failed.
 */
#define _GNU_SOURCE
#include "servers.h"

/* Returns the latest failure as a text for people. */
static const char *said(int code) {
        static char text[2048];
        belay_failure *failure = belay_failure_take(code);

        CHECK_EQ(belay_failure_code(failure), code);
        belay_failure_format(failure, text, sizeof(text));
        belay_failure_release(failure);
        return text;
}

static const char *line(const char *format, const char *first, int error) {
        static char text[1024];

        snprintf(text, sizeof(text), format, first, strerror(error));
        return text;
}

/* ---- endpoints ---- */

static int endpoints(void *arg) {
        static const struct {
                const char *text, *expected;
                unsigned at;
        } cases[] = {
                { "", "HOST:PORT", 1 },
                { "127.0.0.1", "HOST:PORT", 10 },
                { "localhost", "HOST:PORT", 10 },
                { "[::1]", "a port or the name of a service", 5 },
                { "127.0.0.1:", "a port or the name of a service", 11 },
                { "127.0.0.1: 80", "a port or the name of a service", 11 },
                { "127.0.0.1:80 ", "a port or the name of a service", 13 },
                { "127.0.0.1:+80", "a port or the name of a service", 11 },
                { "127.0.0.1:80/", "a port or the name of a service", 13 },
                { "127.0.0.1:65536", "a port of at most 65535", 11 },
                { "127.0.0.1:99999999999999999999", "a port of at most 65535", 11 },
                { "tcp:80:x", "HOST:PORT, or [IPv6 address]:PORT", 4 },
                { "::1:80", "HOST:PORT, or [IPv6 address]:PORT", 1 },
                { "http://x:80", "HOST:PORT, or [IPv6 address]:PORT", 5 },
                { "[::1:80", "HOST:PORT, or [IPv6 address]:PORT", 1 },
                { "a host:80", "HOST:PORT, or [IPv6 address]:PORT", 2 },
                { "[]:80", "an IPv6 address between the brackets", 2 },
                { "[127.0.0.1]:80", "an IPv6 address between the brackets", 2 },
                { "[fe80::1%no-such-one]:80", "the name or the number of an interface", 10 },
                { "[fe80::1%]:80", "the name or the number of an interface", 10 },
                { "unix:", "a path", 6 },
                { "unix:@", "a name", 7 },
        };
        char expected[256], text[400];
        belay_address *found;
        belay_listener *listener;
        belay_stream *stream;
        size_t size;

        (void) arg;
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
                snprintf(expected, sizeof(expected), "endpoint \"%s\": expected %s at character %u",
                         cases[i].text, cases[i].expected, cases[i].at);
                CHECK_EQ(belay_resolve(cases[i].text, SOCK_STREAM, &found, &size), -EINVAL);
                CHECK_STR(said(-EINVAL), expected);
                CHECK_EQ(belay_listen(&listener, cases[i].text, NULL), -EINVAL);
                CHECK_STR(said(-EINVAL), expected);
                CHECK_EQ(belay_connect(&stream, cases[i].text, NULL), -EINVAL);
                CHECK_STR(said(-EINVAL), expected);
        }
        CHECK_EQ(belay_resolve(NULL, SOCK_STREAM, &found, &size), -EINVAL);
        CHECK_STR(said(-EINVAL), "the endpoint is NULL");
        CHECK_EQ(belay_resolve("127.0.0.1:80", SOCK_RAW, &found, &size), -EINVAL);
        CHECK_STR(said(-EINVAL),
                  "endpoint \"127.0.0.1:80\": expected SOCK_STREAM or SOCK_DGRAM for its type at "
                  "character 1");

        /* The text stays on one line whatever the endpoint contains, and is truncated. */
        CHECK_EQ(belay_resolve("a\nb\033:80:", SOCK_STREAM, &found, &size), -EINVAL);
        CHECK_STR(said(-EINVAL),
                  "endpoint \"a?b?:80:\": expected a port or the name of a service at character 9");
        memset(text, 'h', 300);
        strcpy(text + 300, ":80");
        CHECK_EQ(belay_resolve(text, SOCK_STREAM, &found, &size), -EINVAL);
        snprintf(expected, sizeof(expected),
                 "endpoint \"%.124s...\": expected a host's name of at most 255 bytes at "
                 "character 1",
                 text);
        CHECK_STR(said(-EINVAL), expected);
        strcpy(text + 100, ":");
        memset(text + 101, 's', 64);
        text[165] = '\0';
        CHECK_EQ(belay_resolve(text, SOCK_STREAM, &found, &size), -EINVAL);
        CHECK(strstr(said(-EINVAL),
                     "expected a service's name of at most 63 bytes at character 102")
              != NULL);
        /* A path of 107 bytes is valid, one of 108 is not. */
        memset(text, 'p', 200);
        memcpy(text, "unix:/", 6);
        text[112] = '\0';
        CHECK_EQ(belay_resolve(text, SOCK_STREAM, &found, &size), 0);
        belay_addresses_free(found, size);
        text[112] = 'p';
        text[113] = '\0';
        CHECK_EQ(belay_resolve(text, SOCK_STREAM, &found, &size), -EINVAL);
        CHECK(strstr(said(-EINVAL), "expected a path of at most 107 bytes at character 113")
              != NULL);
        return 0;
}

/* ---- connecting ---- */

static int connecting(void *arg) {
        belay_address address = deserted_address(IPV4, SOCK_STREAM);
        char expected[1024];
        const char *end = text_of(&address), *port = strrchr(end, ':');
        belay_stream *stream;

        (void) arg;
        CHECK_EQ(belay_connect(&stream, end, NULL), -ECONNREFUSED);
        CHECK_STR(said(-ECONNREFUSED), line("connect to %s: %s", end, ECONNREFUSED));
        CHECK_EQ(belay_connect_to(&stream, sockaddr_of(&address), address.length, NULL),
                 -ECONNREFUSED);
        CHECK_STR(said(-ECONNREFUSED), line("connect to %s: %s", end, ECONNREFUSED));
        CHECK_EQ(belay_connect(&stream, "unix:/no/such/socket", NULL), -ENOENT);
        CHECK_STR(said(-ENOENT), line("connect to %s: %s", "unix:/no/such/socket", ENOENT));

        /* All addresses that were tried. */
        if (has_ipv6()) {
                snprintf(expected, sizeof(expected), "*%s", port);
                CHECK_EQ(belay_connect(&stream, expected, NULL), -ECONNREFUSED);
                snprintf(expected, sizeof(expected),
                         "connect to *%s: %s; 2 beneath: [connect to [::1]%s: %s, "
                         "connect to 127.0.0.1%s: %s]",
                         port, strerror(ECONNREFUSED), port, strerror(ECONNREFUSED), port,
                         strerror(ECONNREFUSED));
                CHECK_STR(said(-ECONNREFUSED), expected);
        }
        /* The local address is at fault. */
        CHECK_EQ(belay_connect(&stream, end,
                               BELAY_OPTIONS(belay_connect_options, .local = "192.0.2.1:0")),
                 -EADDRNOTAVAIL);
        snprintf(expected, sizeof(expected), "connect to %s from 192.0.2.1:0: %s", end,
                 strerror(EADDRNOTAVAIL));
        CHECK_STR(said(-EADDRNOTAVAIL), expected);
        CHECK_EQ(belay_connect(&stream, end, BELAY_OPTIONS(belay_connect_options, .local = "here")),
                 -EINVAL);
        CHECK_STR(said(-EINVAL), "endpoint \"here\": expected HOST:PORT at character 5");
        return 0;
}

/* A cancellation keeps its reason. */
static int connect_for_ever(void *arg) {
        belay_stream *stream;

        return belay_connect(&stream, arg, NULL);
}

static int cancelled(void *arg) {
        belay_address address;
        int listener = listening_socket(UNIX_ABSTRACT, 0, &address),
            filler = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        belay_task *task;

        (void) arg;
        CHECK_EQ(connect(filler, sockaddr_of(&address), address.length), 0);
        task = must(belay_spawn(connect_for_ever, (void *) text_of(&address)));
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK(belay_cancel(task, "enough"));
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_STR(belay_failure_text(belay_failure_of(task)), "enough");
        belay_release(task);
        close(filler);
        close(listener);
        return 0;
}

/* ---- listening, accepting, serving ---- */

static int handle(belay_stream *stream, void *arg) {
        (void) stream;
        (void) arg;
        return 0;
}

static int listening(void *arg) {
        belay_listener *first, *second;
        belay_stream *stream;
        char end[BELAY_ADDRESS_TEXT];

        (void) arg;
        CHECK_EQ(belay_listen(&first, "127.0.0.1:0", NULL), 0);
        snprintf(end, sizeof(end), "%s", belay_listener_endpoint(first));
        CHECK_EQ(belay_listen(&second, end, NULL), -EADDRINUSE);
        CHECK_STR(said(-EADDRINUSE), line("listen at %s: %s", end, EADDRINUSE));
        CHECK_EQ(belay_listen(&second, "unix:/no/such/socket", NULL), -ENOENT);
        CHECK_STR(said(-ENOENT), line("listen at %s: %s", "unix:/no/such/socket", ENOENT));

        CHECK_EQ(belay_serve(first, handle, NULL, BELAY_OPTIONS(belay_serve_options, .grace = -1)),
                 -EINVAL);
        if (!is_under_valgrind()) {
                limit_descriptors(0);
                CHECK_EQ(belay_accept(first, &stream), -EMFILE);
                CHECK_STR(said(-EMFILE), line("accept at %s: %s", end, EMFILE));
                unlimit_descriptors();
        }
        CHECK_EQ(shutdown(belay_listener_fd(first), SHUT_RDWR), 0);
        CHECK_EQ(belay_accept(first, &stream), -EINVAL);
        CHECK_STR(said(-EINVAL), line("accept at %s: %s", end, EINVAL));
        CHECK_EQ(belay_serve(first, handle, NULL, NULL), -EINVAL);
        CHECK_STR(said(-EINVAL), line("serving at %s: %s", end, EINVAL));
        belay_listener_close(first);
        return 0;
}

static int descriptors(void *arg) {
        belay_listener *listener;
        char expected[100];

        (void) arg;
        CHECK_EQ(belay_listen_fd(&listener, STDERR_FILENO), -EINVAL);
        CHECK_STR(said(-EINVAL), "descriptor 2 is no listening stream socket");
        CHECK_EQ(belay_listen_fd(&listener, -1), -EBADF);
        snprintf(expected, sizeof(expected), "listen at descriptor -1: %s", strerror(EBADF));
        CHECK_STR(said(-EBADF), expected);
        return 0;
}

static int datagrams(void *arg) {
        belay_datagrams *first, *second;
        belay_address address;
        belay_stream *stream;
        char end[BELAY_ADDRESS_TEXT], expected[512];

        (void) arg;
        CHECK_EQ(belay_datagrams_open(&first, "127.0.0.1:0", NULL), 0);
        snprintf(end, sizeof(end), "%s", belay_datagrams_endpoint(first));
        CHECK_EQ(belay_datagrams_open(&second, end, NULL), -EADDRINUSE);
        CHECK_STR(said(-EADDRINUSE), line("datagrams at %s: %s", end, EADDRINUSE));
        CHECK_EQ(belay_datagrams_open(&second, NULL, "unix:/no/such/socket"), -ENOENT);
        CHECK_STR(said(-ENOENT), line("datagrams to %s: %s", "unix:/no/such/socket", ENOENT));
        CHECK_EQ(belay_datagrams_open(&second, "127.0.0.1:0", "unix:/no/such/socket"),
                 -EAFNOSUPPORT);
        snprintf(expected, sizeof(expected), "datagrams at 127.0.0.1:0 to unix:/no/such/socket: %s",
                 strerror(EAFNOSUPPORT));
        CHECK_STR(said(-EAFNOSUPPORT), expected);
        belay_datagrams_close(first);

        /*
         * A failure without a detail of its own must not get the detail of an earlier failure with
         * the same code.
         */
        address = deserted_address(IPV4, SOCK_DGRAM);
        first = opened(NULL, text_of(&address));
        CHECK_EQ(belay_connect_to(&stream, sockaddr_of(&address), address.length, NULL),
                 -ECONNREFUSED);
        CHECK_EQ(belay_send(first, "x", 1, NULL), 1);
        CHECK_EQ(belay_receive(first, expected, 1, NULL), -ECONNREFUSED);
        CHECK_STR(said(-ECONNREFUSED), strerror(ECONNREFUSED));
        belay_datagrams_close(first);
        return 0;
}

/* A failure of a stream must not get the text of an earlier failure with the same code. */
static int streams(void *arg) {
        belay_stream *ends[2];

        (void) arg;
        for (int i = 0; i < 2; i++) {
                CHECK_EQ(i == 0 ? belay_stream_pair(&ends[0], &ends[1])
                                : belay_stream_pipe(&ends[0], &ends[1]),
                         0);
                belay_abort(ends[0]);
                CHECK_EQ(belay_fail(-EPIPE, "an earlier one"), -EPIPE);
                CHECK_EQ(belay_write(ends[1], "x", 1), -EPIPE);
                CHECK_STR(said(-EPIPE), strerror(EPIPE));
                belay_abort(ends[1]);
        }
        return 0;
}

int main(void) {
        RUN_VIRTUAL(streams);
        RUN_VIRTUAL(endpoints);
        RUN_VIRTUAL(connecting);
        RUN_VIRTUAL(cancelled);
        RUN_VIRTUAL(listening);
        RUN_VIRTUAL(descriptors);
        RUN_VIRTUAL(datagrams);
        return 0;
}
