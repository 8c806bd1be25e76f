/* SPDX-License-Identifier: MIT */
/*
 * Serving: a task for each connection, and a shutdown in good order.
 *
 * The tasks are members of a supervising group, so that none is left after the group. Each member
 * reports the failure of its handler itself and returns 0, so the group sees no failure.
 */
#include <poll.h>

#include "net/linger.h"
#include "net/shortage.h"

#include <belay/sync.h>

#define GRACE       (10 * BELAY_SECOND)
#define CLOSE_LIMIT BELAY_SECOND
#define LINGER_MOST 256
/* Pause after a shortage, unless a connection ends before. */
#define PAUSE (100 * BELAY_MILLISECOND)

struct bly_serve {
        belay_listener *listener;
        belay_serve_fn *handler;
        void *arg;
        belay_serve_options options;
        belay_group group;
        belay_event ended;        /* set when a connection ends, or when serving must end */
        size_t count;             /* number of connections whose handlers have not returned */
        struct bly_linger linger; /* connections that are being closed in good order */
        bool stopped;             /* belay_serve_stop() was called */
        bool short_of_something;  /* the present shortage was logged */
        const char *place;
};

struct connection {
        struct bly_serve *serve;
        belay_stream *stream; /* NULL after any task has closed it */
        bool handled;         /* not in serve->count */
};

/* ---- a connection ---- */

static bool is_ordinary(int rc) {
        return rc == -ECANCELED || rc == -EPIPE || rc == -ECONNRESET;
}

static void tell(struct bly_serve *serve, belay_stream *stream, int rc) {
        char text[512];
        belay_failure *failure;

        if (serve->options.failed != NULL) {
                serve->options.failed(stream, rc, serve->arg);
                return;
        }
        if (is_ordinary(rc))
                return;
        failure = belay_failure_take(rc);
        belay_failure_format(failure, text, sizeof(text));
        belay_failure_release(failure);
        bly_log_limited(BELAY_LOG_WARNING, serve->place, "connection %s: %s",
                        stream != NULL ? belay_stream_name(stream) : "that its handler closed",
                        text);
}

/* Takes the connection off the count, so that another may be accepted in its place. */
static void end_handling(struct connection *connection) {
        struct bly_serve *serve = connection->serve;

        if (connection->handled)
                return;
        connection->handled = true;
        serve->count--;
        belay_event_set(&serve->ended);
}

static int handle(void *arg) {
        struct connection *connection = arg;
        struct bly_serve *serve = connection->serve;
        int rc = serve->handler(connection->stream, serve->arg);

        if (rc < 0) {
                tell(serve, connection->stream, rc);
                belay_abort(connection->stream);
        } else {
                end_handling(connection);
                if (connection->stream != NULL)
                        bly_linger(&serve->linger, connection->stream);
        }
        return 0;
}

/*
 * The destructor of a member. It runs after the handler, or instead of it if the member was
 * cancelled before its first step.
 */
static void forget(void *arg) {
        struct connection *connection = arg;
        struct bly_serve *serve = connection->serve;

        belay_abort(connection->stream);
        end_handling(connection);
        /* A descriptor is free again, even if the connection was off the count before. */
        belay_event_set(&serve->ended);
        bly_free(connection);
}

static int begin(struct bly_serve *serve, belay_stream *stream) {
        struct connection *connection = bly_alloc(sizeof(*connection));
        int rc;

        if (connection == NULL)
                return -ENOMEM;
        *connection = (struct connection) { .serve = serve, .stream = stream };
        serve->count++;
        rc = belay_group_spawn_with_placed(serve->place, &serve->group, handle, connection,
                                           &(belay_spawn_options) {
                                                   .size = sizeof(belay_spawn_options),
                                                   .stack_size = serve->options.stack_size,
                                                   .destroy = forget,
                                           },
                                           NULL);
        if (rc < 0) {
                serve->count--;
                bly_free(connection);
        } else {
                stream->holder = &connection->stream;
        }
        return rc;
}

/* ---- accepting ---- */

/*
 * Waits until a connection has ended, and at most for `span`. Returns 0 in both cases, or a
 * negative errno if the wait failed.
 */
static int wait_for_an_end(struct bly_serve *serve, belay_time span) {
        belay_timeout limit;
        int rc;

        belay_event_clear(&serve->ended);
        rc = belay_timeout_enter_placed(serve->place, &limit, span);
        if (rc < 0)
                return rc;
        rc = belay_event_wait_placed(serve->place, &serve->ended);
        rc = belay_timeout_leave_placed(serve->place, &limit, rc);
        return rc == -ETIMEDOUT ? 0 : rc;
}

static void say_once(struct bly_serve *serve, int shortage) {
        if (!serve->short_of_something)
                bly_log_limited(BELAY_LOG_WARNING, serve->place,
                                "serving at %s: %s; accepting resumes when the shortage ends",
                                belay_listener_endpoint(serve->listener), strerror(-shortage));
        serve->short_of_something = true;
}

/*
 * Returns whether a shortage keeps a connection from being accepted. accept() may take a descriptor
 * before it checks for a connection, so that it fails though none is waiting.
 */
static bool is_felt(const belay_listener *listener, int shortage) {
        struct pollfd pollfd = { .fd = belay_listener_fd(listener), .events = POLLIN };

        return (shortage != -EMFILE && shortage != -ENFILE) || poll(&pollfd, 1, 0) != 0;
}

/*
 * If a shortage keeps a connection from being accepted, ends the oldest lingering connection to
 * free its descriptor, or logs the shortage if none lingers. Then waits a while for a connection to
 * end.
 */
static int make_room(struct bly_serve *serve, int shortage) {
        int rc;

        if (is_felt(serve->listener, shortage) && !bly_linger_end_oldest(&serve->linger))
                say_once(serve, shortage);
        rc = wait_for_an_end(serve, PAUSE);
        /* If there is no memory for the timeout either, the task yields instead. */
        return rc == -ENOMEM ? belay_yield_placed(serve->place) : rc;
}

static int accept_one(struct bly_serve *serve) {
        belay_stream *stream;
        int rc;

        if (serve->options.most > 0 && serve->count >= serve->options.most)
                return wait_for_an_end(serve, BELAY_NEVER);
        rc = belay_accept_placed(serve->place, serve->listener, &stream);
        if (rc == 0) {
                rc = begin(serve, stream);
                if (rc < 0)
                        belay_abort(stream);
                else
                        serve->short_of_something = false;
        }
        return bly_is_shortage(rc) ? make_room(serve, rc) : rc;
}

static int accept_all(struct bly_serve *serve) {
        int rc = 0;

        while (rc == 0 && !serve->stopped)
                rc = accept_one(serve);
        return serve->stopped && rc == -EBADF ? 0 : rc;
}

/* ---- shutdown ---- */

/*
 * Waits until all connections have ended, and at most for the grace. Returns 0 in both cases, or
 * -ECANCELED if a further request was delivered.
 */
static int let_finish(struct bly_serve *serve) {
        belay_timeout limit;
        int rc = belay_timeout_enter_placed(serve->place, &limit, serve->options.grace);

        if (rc < 0)
                return 0;
        while (rc == 0 && (serve->count > 0 || serve->linger.count > 0)) {
                belay_event_clear(&serve->ended);
                rc = belay_event_wait_placed(serve->place, &serve->ended);
        }
        rc = belay_timeout_leave_placed(serve->place, &limit, rc);
        return rc == -ECANCELED ? rc : 0;
}

static int serve_group(struct bly_serve *serve) {
        int rc, left;

        rc = belay_group_enter_with_placed(serve->place, &serve->group,
                                           &(belay_group_options) {
                                                   .size = sizeof(belay_group_options),
                                                   .supervise = true,
                                                   .name = "serve",
                                           });
        if (rc < 0)
                return rc;
        rc = accept_all(serve);
        bly_listener_stop(serve->listener);
        if (let_finish(serve) < 0)
                rc = -ECANCELED;
        if (serve->count > 0 || serve->linger.count > 0)
                belay_group_cancel_placed(serve->place, &serve->group);
        left = belay_group_leave_placed(serve->place, &serve->group, 0);
        return rc != 0 ? rc : left;
}

int belay_serve_placed(const char *place, belay_listener *listener, belay_serve_fn *handler,
                       void *arg, const belay_serve_options *options) {
        belay_task *self = bly_waiter(place, "belay_serve()");
        struct bly_serve serve = {
                .listener = listener, .handler = handler, .arg = arg, .place = place
        };
        int rc;

        if (self == NULL)
                return -EPERM;
        if (listener->io->loop != self->loop)
                return bly_misuse(-EPERM, place,
                                  "belay_serve() of a listener that belongs to another loop");
        if (listener->serve != NULL)
                return bly_misuse(-EBUSY, place, "belay_serve() at %s, where another task serves",
                                  listener->endpoint);
        bly_options(&serve.options, sizeof(serve.options), options);
        if (serve.options.grace < 0 || serve.options.close_limit < 0)
                return -EINVAL;
        if (serve.options.grace == 0)
                serve.options.grace = GRACE;
        if (serve.options.close_limit == 0)
                serve.options.close_limit = CLOSE_LIMIT;
        if (serve.options.linger_most == 0)
                serve.options.linger_most = LINGER_MOST;
        bly_linger_init(&serve.linger, serve.options.linger_most, serve.options.close_limit, place);
        bly_listener_enter(listener);
        listener->serve = &serve;
        rc = serve_group(&serve);
        if (rc < 0 && rc != -ECANCELED)
                bly_explain(rc, "serving at %s: %s", listener->endpoint, strerror(-rc));
        listener->serve = NULL;
        return bly_listener_leave(listener, rc);
}

int belay_serve_stop(belay_listener *listener) {
        struct bly_serve *serve = listener->serve;

        if (serve == NULL)
                return -ESRCH;
        serve->stopped = true;
        belay_event_set(&serve->ended);
        bly_listener_stop(listener);
        return 0;
}

size_t belay_serve_count(const belay_listener *listener) {
        return listener->serve != NULL ? listener->serve->count : 0;
}

size_t belay_serve_lingering(const belay_listener *listener) {
        return listener->serve != NULL ? listener->serve->linger.count : 0;
}
