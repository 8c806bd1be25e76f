/* SPDX-License-Identifier: MIT */
/*
 * A TCP proxy: it forwards each connection that it accepts to a target.
 *
 *     proxy LISTEN TARGET [IDLE [TOTAL]]       seconds; 0: no limit
 *     proxy :8080 example.org:http 30 600
 *
 * Two tasks in a group copy the two directions at the same time. If one fails, the group cancels
 * the other. When the group is left, both have ended.
 *
 * Two timeouts enclose the group. The total timeout never moves. Each byte in either direction
 * reschedules the idle timeout.
 */
#include <belay.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE (16 * 1024) /* on the task's stack of 64 KiB */

struct proxy {
        const char *listen, *target;
        belay_time idle, total;
};

/* One direction of a connection. */
struct way {
        belay_stream *from, *to;
        belay_timeout *idle;
        belay_time span;
};

static int pump(void *arg) {
        struct way *way = arg;
        char buffer[BUFFER_SIZE];
        ssize_t size, sent;

        while ((size = belay_read(way->from, buffer, sizeof(buffer))) > 0) {
                belay_timeout_reschedule(way->idle, way->span);
                /*
                 * Writes piece by piece, because a peer that takes a few bytes at times is slow,
                 * but not idle.
                 */
                for (char *at = buffer; size > 0; at += sent, size -= sent) {
                        sent = belay_write_some(way->to, at, (size_t) size);
                        if (sent < 0)
                                return (int) sent;
                        belay_timeout_reschedule(way->idle, way->span);
                }
        }
        /*
         * This side has sent everything, and the other side must see the end. The opposite
         * direction goes on.
         */
        return size < 0 ? (int) size : belay_half_close(way->to);
}

static int pump_both(belay_stream *client, belay_stream *target, belay_timeout *idle,
                     belay_time span) {
        struct way there = { client, target, idle, span }, back = { target, client, idle, span };
        belay_group group;
        int rc = belay_group_enter(&group);

        if (rc < 0)
                return rc;
        rc = belay_group_spawn(&group, pump, &there);
        if (rc == 0)
                rc = belay_group_spawn(&group, pump, &back);
        return belay_group_leave(&group, rc);
}

static const char *why(int rc, const belay_timeout *idle, const belay_timeout *total) {
        if (rc == -ETIMEDOUT && belay_timeout_expired(total))
                return "it took too long";
        if (rc == -ETIMEDOUT && belay_timeout_expired(idle))
                return "it was idle for too long";
        return rc < 0 ? strerror(-rc) : "done";
}

static int handle(belay_stream *client, void *arg) {
        const struct proxy *proxy = arg;
        belay_time began = belay_now();
        belay_stream *target = NULL;
        belay_timeout total, idle;
        int rc;

        belay_timeout_enter(&total, proxy->total);
        belay_timeout_enter(&idle, proxy->idle);
        rc = belay_connect(&target, proxy->target, NULL);
        if (rc == 0)
                rc = pump_both(client, target, &idle, proxy->idle);
        rc = belay_timeout_leave(&idle, rc);
        rc = belay_timeout_leave(&total, rc);

        printf("%s: %" PRIu64 " bytes there, %" PRIu64 " back, %.3f s: %s\n",
               belay_stream_name(client), target != NULL ? belay_sent(target) : 0,
               belay_sent(client), (double) (belay_now() - began) / (double) BELAY_SECOND,
               why(rc, &idle, &total));
        fflush(stdout);
        /*
         * A failed connection is reset on both sides, so that neither takes a part of the data for
         * the whole.
         */
        if (rc < 0)
                belay_abort(target);
        else
                belay_close(target, BELAY_SECOND);
        return rc;
}

/* belay_serve() would log why a connection failed. handle() has already done so. */
static void is_said_already(belay_stream *client, int rc, void *arg) {
        (void) client, (void) rc, (void) arg;
}

static int app(void *arg) {
        const struct proxy *proxy = arg;
        belay_listener *listener;
        int rc = belay_listen(&listener, proxy->listen, NULL);

        if (rc < 0)
                return rc;
        printf("listening at %s\n", belay_listener_endpoint(listener));
        fflush(stdout);
        rc = belay_serve(listener, handle, arg,
                         BELAY_OPTIONS(belay_serve_options, .grace = 2 * BELAY_SECOND,
                                       .failed = is_said_already));
        belay_listener_close(listener);
        return rc;
}

static belay_time seconds(const char *text) {
        double value = atof(text);

        return value > 0 ? (belay_time) (value * (double) BELAY_SECOND) : BELAY_NEVER;
}

int main(int argc, char **argv) {
        struct proxy proxy = { .idle = 60 * BELAY_SECOND, .total = BELAY_NEVER };
        int rc;

        if (argc < 3 || argc > 5) {
                fprintf(stderr, "usage: proxy LISTEN TARGET [IDLE [TOTAL]]\n");
                return 2;
        }
        proxy.listen = argv[1];
        proxy.target = argv[2];
        if (argc > 3)
                proxy.idle = seconds(argv[3]);
        if (argc > 4)
                proxy.total = seconds(argv[4]);
        rc = belay_run(app, &proxy);
        if (rc < 0 && rc != -EINTR)
                fprintf(stderr, "proxy: %s: %s\n", proxy.listen, strerror(-rc));
        return rc < 0 && rc != -EINTR;
}
