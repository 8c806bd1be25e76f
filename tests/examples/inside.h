/* SPDX-License-Identifier: MIT */
/*
 * Runs examples inside the test.
 *
 * The test includes the source of an example with main renamed. The example's task runs in one loop
 * with its clients, under the virtual clock. They use Unix sockets, because the kernel delays no
 * data there.
 *
 * Thus each wait of the example and of its clients can be cancelled, and timeouts take no time.
 */
#ifndef BELAY_TESTS_INSIDE_H
#define BELAY_TESTS_INSIDE_H

#include "base/help.h"
#include "everywhere/everywhere.h"

/* The example's task with its argument, and its clients. Each of them may be cancelled. */
struct scene {
        belay_fn *app;
        void *arg;
        belay_fn *clients[4];
        int outcome; /* outcome of `app` */
};

static char endpoint[64];
/* Beginning of the line that the example sends when it is cancelled */
static const char *good_bye = "\n";

/*
 * Connects as soon as the example listens. If it is cancelled it may never listen, so the number of
 * attempts is limited.
 */
static inline int connect_soon(belay_stream **stream, const char *to) {
        int rc = belay_connect(stream, to, NULL);

        for (int i = 0; i < 10 && (rc == -ENOENT || rc == -ECONNREFUSED); i++) {
                rc = belay_sleep(BELAY_MILLISECOND);
                if (rc == 0)
                        rc = belay_connect(stream, to, NULL);
        }
        return rc;
}

/* Sends a text. Returns a failure if the peer is gone, since it may be cancelled. */
static inline int say(belay_stream *stream, const char *text) {
        ssize_t size = belay_write(stream, text, strlen(text));

        return size < 0 ? (int) size : size < (ssize_t) strlen(text) ? -ECONNRESET : 0;
}

/*
 * Reads the next line, if there is one, which must begin with `text`. Returns -EPROTO if it does
 * not; that must never happen.
 */
static inline int hear(belay_stream *stream, const char *text) {
        char line[2048];
        ssize_t size = belay_read_line(stream, line, sizeof(line));

        if (size <= 0)
                return size < 0 ? (int) size : -ECONNRESET;
        if (strncmp(line, text, strlen(text)) != 0
            && strncmp(line, good_bye, strlen(good_bye)) == 0)
                return -ECONNRESET;
        if (strncmp(line, text, strlen(text)) != 0) {
                fprintf(stderr, "heard \"%s\", not \"%s\"\n", line, text);
                return -EPROTO;
        }
        return 0;
}

static inline int hear_end(belay_stream *stream) {
        char byte;
        ssize_t size = belay_read(stream, &byte, 1);

        return size > 0 ? -EPROTO : (int) size;
}

/* ---- a scene ---- */

/*
 * Limits the client's time. Its peer may be cancelled, and then the socket alone does not end the
 * client's wait.
 */
static inline int play_client(void *arg) {
        belay_fn *const *client = arg;

        return belay_wait_for(*client, NULL, BELAY_HOUR / 2);
}

static inline int play_clients(struct scene *scene) {
        belay_group group;
        int rc = belay_group_enter(&group);

        for (size_t i = 0; i < 4 && rc == 0; i++)
                if (scene->clients[i] != NULL)
                        rc = belay_group_spawn(&group, play_client, &scene->clients[i]);
        return belay_group_leave(&group, rc);
}

/* Runs the clients, then cancels the example as Ctrl-C does. */
static inline int play(void *arg) {
        struct scene *scene = arg;
        belay_task *app = belay_spawn(scene->app, scene->arg);
        int rc = app != NULL ? play_clients(scene) : -ENOMEM, ended;

        ended = belay_cancel_wait(app, NULL, BELAY_NEVER, &scene->outcome);
        belay_release(app);
        /*
         * belay_cancel_wait() cannot be cancelled. A request that arrived during it is delivered
         * here.
         */
        if (rc == 0 && ended == 0)
                rc = belay_checkpoint();
        return rc < 0 ? rc : ended;
}

/* ---- on both back ends ---- */

static inline int never_mind(void *arg, int outcome) {
        (void) arg;
        return outcome > 0 || outcome == -EPROTO;
}

static inline bool use_backend(const char *name) {
        static const belay_loop_options defaults = { .size = sizeof(defaults) };
        belay_loop *loop;
        bool is_used;

        CHECK_EQ(setenv("BELAY_BACKEND", name, 1), 0);
        keep_lines();
        loop = belay_loop_new(&defaults);
        CHECK(loop != NULL);
        is_used = strcmp(belay_loop_backend(loop), name) == 0;
        CHECK_EQ(belay_loop_close(loop), 0);
        belay_set_log(NULL, NULL);
        return is_used;
}

/*
 * Plays the scene once undisturbed, when the example must end with `outcome`, and then with each
 * wait cancelled.
 */
static inline void play_everywhere(struct scene *scene, int outcome) {
        CHECK_EQ(belay_run_with(play, scene, VIRTUAL), 0);
        CHECK_EQ(scene->outcome, outcome);
        EVERYWHERE(play, scene, NULL, never_mind, 10);
}

/* Runs tests on epoll and, if available, on io_uring. The output of the example is discarded. */
static inline void on_both(void (*tests)(void)) {
        static const char *const backends[] = { "epoll", "io_uring" };
        char path[] = "/tmp/belay-examples-XXXXXX";

        CHECK(mkdtemp(path) != NULL);
        snprintf(endpoint, sizeof(endpoint), "unix:%s/socket", path);
        CHECK(freopen("/dev/null", "w", stdout) != NULL);
        for (size_t i = 0; i < 2; i++) {
                if (use_backend(backends[i]))
                        tests();
                else
                        CHECK(i > 0);
        }
        /* Fails if a socket's file is left. */
        CHECK_EQ(rmdir(path), 0);
}

#endif
