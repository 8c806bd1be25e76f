/* SPDX-License-Identifier: MIT */
/*
 * Accepting, cancelled at each wait, just after connections arrived and just before. Each
 * connection is accepted once or stays in the queue, and is never dropped.
 */
#define _GNU_SOURCE
#include "everywhere/everywhere.h"
#include "servers.h"

enum { CONNECTIONS = 8, TASKS = 3 };

struct scene {
        enum kind kind;
        belay_listener *listener;
        int fds[CONNECTIONS], made;
        int seen[CONNECTIONS];
        int left; /* connections to be accepted */
};

/* The client sent its number before the connection could be accepted. */
static void note(struct scene *scene, int fd) {
        int byte = take_byte(fd);

        CHECK(byte >= 0 && byte < CONNECTIONS);
        scene->seen[byte]++;
        put_byte(fd, 'y');
}

static int accepts(void *arg) {
        struct scene *scene = arg;
        belay_stream *stream;
        int rc = 0;

        while (rc == 0 && scene->left > 0) {
                rc = belay_accept(scene->listener, &stream);
                if (rc < 0) {
                        CHECK_EQ(rc, -ECANCELED);
                        CHECK(stream == NULL);
                        break;
                }
                scene->left--;
                note(scene, belay_stream_fd(stream));
                rc = belay_close(stream, 0);
        }
        return rc;
}

static int connects(void *arg) {
        struct scene *scene = arg;
        int rc = 0;

        while (rc == 0 && scene->made < CONNECTIONS) {
                int fd = connect_plainly(scene->listener);

                put_byte(fd, (unsigned char) scene->made);
                scene->fds[scene->made++] = fd;
                if (scene->made % 2 == 0)
                        rc = scene->made % 4 == 0 ? belay_sleep(BELAY_MILLISECOND) : belay_yield();
        }
        return rc;
}

/* Connections that were not accepted must still be in the queue. */
static void accept_the_rest(struct scene *scene) {
        int listening = belay_listener_fd(scene->listener), fd;

        CHECK(fcntl(listening, F_SETFL, O_NONBLOCK) == 0);
        while ((fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
                note(scene, fd);
                close(fd);
        }
        CHECK(errno == EAGAIN);
        for (int i = 0; i < scene->made; i++) {
                CHECK_EQ(scene->seen[i], 1);
                CHECK_EQ(take_byte(scene->fds[i]), 'y');
                close(scene->fds[i]);
        }
        belay_listener_close(scene->listener);
}

static int several(void *arg) {
        struct scene scene = { .kind = *(enum kind *) arg, .left = CONNECTIONS };
        belay_group group;
        int rc;

        rc = belay_listen(&scene.listener, fresh_endpoint(scene.kind), NULL);
        CHECK_EQ(rc, 0);
        CHECK_EQ(belay_group_enter(&group), 0);
        for (int i = 0; i < TASKS && rc == 0; i++)
                rc = belay_group_spawn(&group, accepts, &scene);
        if (rc == 0)
                rc = belay_group_spawn(&group, connects, &scene);
        CHECK(rc == 0 || rc == -ECANCELED);
        /*
         * Everything has happened by then. Tasks for which no connection is left end by a request.
         */
        if (rc == 0)
                rc = belay_sleep(BELAY_SECOND);
        belay_group_cancel(&group);
        rc = belay_group_leave(&group, rc);
        accept_the_rest(&scene);
        return rc;
}

/* In the main task alone, with connections in the queue before each call. */
static int alone(void *arg) {
        struct scene scene = { .kind = *(enum kind *) arg, .left = CONNECTIONS };
        belay_timeout limit;
        belay_task *task;
        int rc;

        CHECK_EQ(belay_listen(&scene.listener, fresh_endpoint(scene.kind), NULL), 0);
        task = must(belay_spawn(connects, &scene));
        CHECK_EQ(belay_timeout_enter(&limit, BELAY_SECOND), 0);
        rc = belay_timeout_leave(&limit, accepts(&scene));
        if (rc < 0)
                CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, NULL), 0);
        belay_release(task);
        accept_the_rest(&scene);
        /* A request that arrived after the last connection was accepted is still pending. */
        return rc == 0 ? belay_yield() : rc;
}

static int is_fine(void *arg, int outcome) {
        (void) arg;
        return outcome == 0 || is_cancelled(outcome) ? 0 : outcome;
}

static void all(void) {
        static enum kind kinds[] = { IPV4, UNIX_ABSTRACT };

        for (int i = 0; i < 2; i++) {
                EVERYWHERE(several, &kinds[i], NULL, is_fine, 10);
                EVERYWHERE(alone, &kinds[i], NULL, is_fine, 3);
        }
}

int main(void) {
        on_back_ends(all);
        return 0;
}
