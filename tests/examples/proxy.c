/* SPDX-License-Identifier: MIT */
/*
 * Tests the proxy with clients and targets of its own: both directions at once, half-closed
 * connections, limits, targets that are missing or break off, and the log line of each connection.
 */
#include <netdb.h>

#include "examples/example.h"

static struct example proxy;

/* ---- targets ---- */

static int echo(belay_stream *stream, void *arg) {
        (void) arg;
        return belay_copy(stream, stream, -1, NULL);
}

/* Answers after the client has half-closed the connection. */
static int count(belay_stream *stream, void *arg) {
        char buffer[4096];
        uint64_t all = 0;
        ssize_t size;

        (void) arg;
        while ((size = belay_read(stream, buffer, sizeof(buffer))) > 0)
                all += (size_t) size;
        if (size < 0)
                return (int) size;
        CHECK(belay_print(stream, "%d\n", (int) all) > 0);
        return 0;
}

static int break_off(belay_stream *stream, void *arg) {
        (void) arg;
        CHECK_SAYS(stream, "go on");
        CHECK(belay_print(stream, "no\n") > 0);
        CHECK_SAYS(stream, "go on");
        return -ECONNRESET;
}

struct target {
        belay_listener *listener;
        belay_serve_fn *handler;
        belay_task *task;
};

static int serve(void *arg) {
        const struct target *target = arg;

        return belay_serve(target->listener, target->handler, NULL,
                           BELAY_OPTIONS(belay_serve_options, .grace = 1));
}

static void start_target(struct target *target, belay_serve_fn *handler) {
        target->handler = handler;
        CHECK_EQ(belay_listen(&target->listener, "127.0.0.1:0", NULL), 0);
        target->task = must(belay_spawn(serve, target));
}

static void stop_target(struct target *target) {
        CHECK_EQ(belay_serve_stop(target->listener), 0);
        join_task_of(target->task);
        belay_listener_close(target->listener);
}

/* ---- log lines ---- */

static void check_logged(int there, int back, const char *why) {
        const char *line = next_line(proxy.out), *rest = strstr(line, ": ");
        int logged_there, logged_back, at = 0;
        double took;

        CHECK(begins_with(line, "tcp 127.0.0.1:"));
        CHECK(rest != NULL);
        if (sscanf(rest, ": %d bytes there, %d back, %lf s: %n", &logged_there, &logged_back, &took,
                   &at)
            < 3) {
                fprintf(stderr, "it says: %s\n", line);
                CHECK_END(1);
        }
        CHECK_STR(rest + at, why);
        CHECK_EQ(logged_there, there);
        CHECK_EQ(logged_back, back);
        CHECK(took >= 0);
}

/* ---- tests ---- */

enum { SIZE = 3000000 };

static char sent[SIZE], received[SIZE];

static int send_all(void *arg) {
        CHECK_EQ(belay_write(arg, sent, SIZE), SIZE);
        return belay_half_close(arg);
}

static void check_both_ways(void) {
        belay_stream *stream = connect_to(&proxy);
        belay_task *sender = must(belay_spawn(send_all, stream));

        CHECK_EQ(belay_read_exactly(stream, received, SIZE), SIZE);
        CHECK_EQ(belay_read(stream, received, 1), 0);
        join_task_of(sender);
        CHECK_EQ(memcmp(sent, received, SIZE), 0);
        CHECK_EQ(belay_close(stream, BELAY_NEVER), 0);
        check_logged(SIZE, SIZE, "done");
}

static void check_echoes(const char *name) {
        struct target target;
        belay_stream *stream;
        char endpoint[64];
        int before;

        start_target(&target, echo);
        snprintf(endpoint, sizeof(endpoint), "%s%s", name,
                 strrchr(belay_listener_endpoint(target.listener), ':'));
        START(&proxy, "proxy", "127.0.0.1:0", endpoint);
        await_listening(&proxy);
        before = descriptors_of(&proxy);
        check_both_ways();
        belay_abort(connect_to(&proxy));
        (void) next_line(proxy.out);
        await_descriptors(&proxy, before);

        /*
         * A connection that goes on when the signal arrives must be reset when the grace period
         * ends.
         */
        stream = connect_to(&proxy);
        say(stream, "123\n");
        CHECK_SAYS(stream, "123");
        send_signal(&proxy, SIGTERM);
        CHECK_SAYS(stream, strerror(ECONNRESET));
        belay_abort(stream);
        check_logged(4, 4, strerror(ECANCELED));
        end(&proxy, 0, 0);
        CHECK_COMPLAINTS(&proxy, "");
        stop_target(&target);
}

static void check_half_close(void) {
        belay_stream *stream;
        struct target target;

        start_target(&target, count);
        START(&proxy, "proxy", "127.0.0.1:0", belay_listener_endpoint(target.listener), "0", "0");
        await_listening(&proxy);
        stream = connect_to(&proxy);
        say(stream, "12345");
        CHECK_EQ(belay_half_close(stream), 0);
        CHECK_SAYS(stream, "5");
        CHECK_SAYS(stream, "(its end)");
        CHECK_EQ(belay_close(stream, BELAY_NEVER), 0);
        check_logged(5, 2, "done");
        end(&proxy, SIGINT, 0);
        CHECK_COMPLAINTS(&proxy, "");
        stop_target(&target);
}

static void check_broken(void) {
        belay_stream *stream;
        struct target target;
        char endpoint[64];

        start_target(&target, break_off);
        snprintf(endpoint, sizeof(endpoint), "%s", belay_listener_endpoint(target.listener));
        START(&proxy, "proxy", "127.0.0.1:0", endpoint);
        await_listening(&proxy);
        stream = connect_to(&proxy);
        say(stream, "go on\n");
        CHECK_SAYS(stream, "no");
        say(stream, "go on\n");
        CHECK_SAYS(stream, strerror(ECONNRESET));
        belay_abort(stream);
        check_logged(12, 3, strerror(ECONNRESET));

        stop_target(&target);
        /* The connection may be reset even before the client sees it established. */
        if (belay_connect(&stream, proxy.endpoint, NULL) == 0)
                CHECK_SAYS(stream, strerror(ECONNRESET));
        belay_abort(stream);
        check_logged(0, 0, strerror(ECONNREFUSED));
        end(&proxy, SIGTERM, 0);
        CHECK_COMPLAINTS(&proxy, "");
}

/* The shorter limit must expire. The test measures no time. */
static void check_limit(const char *idle, const char *total, const char *why) {
        belay_stream *stream;
        struct target target;

        start_target(&target, echo);
        START(&proxy, "proxy", "127.0.0.1:0", belay_listener_endpoint(target.listener), idle,
              total);
        await_listening(&proxy);
        if (belay_connect(&stream, proxy.endpoint, NULL) == 0)
                CHECK_SAYS(stream, strerror(ECONNRESET));
        belay_abort(stream);
        check_logged(0, 0, why);
        end(&proxy, SIGTERM, 0);
        CHECK_COMPLAINTS(&proxy, "");
        stop_target(&target);
}

static int app(void *arg) {
        struct addrinfo *found;

        (void) arg;
        for (size_t i = 0; i < SIZE; i++)
                sent[i] = (char) (i * i >> 8);
        check_echoes("127.0.0.1");
        if (getaddrinfo("localhost", NULL, NULL, &found) == 0) {
                freeaddrinfo(found);
                check_echoes("localhost");
        }
        check_half_close();
        check_broken();
        check_limit("0.2", "1000", "it was idle for too long");
        check_limit("1000", "0.2", "it took too long");
        START(&proxy, "proxy", "127.0.0.1:0");
        end(&proxy, 0, 2);
        CHECK_COMPLAINTS(&proxy, "usage: proxy LISTEN TARGET [IDLE [TOTAL]]\n");
        return 0;
}

int main(void) {
        run_on_both(app);
        return 0;
}
