/* SPDX-License-Identifier: MIT */
/*
 * A server and its clients in one loop, cancelled at each wait of each task.
 */
#define _GNU_SOURCE
#include "everywhere/everywhere.h"
#include "servers.h"

enum { CLIENTS = 2 };

struct scene {
        enum kind kind;
        belay_listener *listener;
        unsigned inside; /* handlers that have not ended */
        unsigned answered;
};

/* Answers each line with the line itself; its cleanup takes a while. */
static int answer(belay_stream *stream, void *arg) {
        struct scene *scene = arg;
        char line[64];
        ssize_t size;
        int rc = 0;

        scene->inside++;
        while ((size = belay_read_line(stream, line, sizeof(line))) > 0)
                if (belay_write(stream, line, (size_t) size) < size)
                        break;
        if (size == -ECANCELED)
                rc = belay_sleep(BELAY_SECOND);
        scene->inside--;
        return size < 0 ? (int) size : rc;
}

static int serve(void *arg) {
        struct scene *scene = arg;

        return belay_serve(scene->listener, answer, scene,
                           BELAY_OPTIONS(belay_serve_options, .grace = BELAY_SECOND));
}

static int talk(belay_stream *stream, struct scene *scene) {
        char line[64];
        ssize_t size = belay_print(stream, "question %d\n", 1);

        if (size > 0)
                size = belay_read_line(stream, line, sizeof(line));
        if (size < 0)
                return (int) size;
        if (size > 0 && strcmp(line, "question 1\n") == 0)
                scene->answered++;
        return 0;
}

static int ask(void *arg) {
        struct scene *scene = arg;
        belay_stream *stream;
        int rc = belay_connect(&stream, belay_listener_endpoint(scene->listener), NULL), closed;

        if (rc == 0) {
                rc = talk(stream, scene);
                closed = belay_close(stream, rc == 0 ? BELAY_SECOND : 0);
                rc = rc < 0 ? rc : closed;
        }
        /* The error of a connection whose server was cancelled is no failure of this test. */
        return rc == -ECANCELED ? rc : 0;
}

static int server_and_clients(void *arg) {
        struct scene scene = { .kind = *(enum kind *) arg };
        belay_group group, clients;
        int rc;

        rc = belay_listen(&scene.listener, fresh_endpoint(scene.kind), NULL);
        if (rc < 0)
                return rc;
        CHECK_EQ(belay_group_enter(&group), 0);
        rc = belay_group_spawn(&group, serve, &scene);
        if (rc == 0) {
                CHECK_EQ(belay_group_enter_with(
                                 &clients, BELAY_OPTIONS(belay_group_options, .supervise = true)),
                         0);
                for (int i = 0; i < CLIENTS && rc == 0; i++)
                        rc = belay_group_spawn(&clients, ask, &scene);
                rc = belay_group_leave(&clients, rc);
                (void) belay_serve_stop(scene.listener);
        }
        rc = belay_group_leave(&group, rc);
        CHECK_EQ(scene.inside, 0);
        CHECK(rc != 0 || scene.answered <= CLIENTS);
        belay_listener_close(scene.listener);
        return rc;
}

/*
 * The server alone is cancelled while clients go on. They read the end of the stream, or a reset.
 */
static int server_is_cancelled(void *arg) {
        struct scene scene = { .kind = *(enum kind *) arg };
        belay_stream *streams[CLIENTS] = { NULL };
        belay_task *task;
        char byte;
        int rc;

        rc = belay_listen(&scene.listener, fresh_endpoint(scene.kind), NULL);
        if (rc < 0)
                return rc;
        task = must(belay_spawn(serve, &scene));
        for (int i = 0; i < CLIENTS && rc == 0; i++)
                rc = belay_connect(&streams[i], belay_listener_endpoint(scene.listener), NULL);
        if (rc == 0)
                rc = belay_sleep(BELAY_MILLISECOND);
        if (rc == 0) {
                rc = belay_cancel_wait(task, NULL, BELAY_NEVER, NULL);
                for (int i = 0; i < CLIENTS && rc == 0; i++)
                        rc = (int) belay_read(streams[i], &byte, 1);
        } else {
                CHECK_EQ(belay_cancel_wait(task, NULL, BELAY_NEVER, NULL), 0);
        }
        CHECK_EQ(scene.inside, 0);
        belay_release(task);
        for (int i = 0; i < CLIENTS; i++)
                belay_abort(streams[i]);
        belay_listener_close(scene.listener);
        /* The error of a connection whose server was cancelled is no failure of this test. */
        return rc == -ECANCELED || rc == -ETIMEDOUT ? rc : belay_yield();
}

static int is_fine(void *arg, int outcome) {
        (void) arg;
        return outcome == 0 || is_cancelled(outcome) ? 0 : outcome;
}

static void all(void) {
        static enum kind kinds[] = { IPV4, UNIX_PATH };

        for (int i = 0; i < 2; i++) {
                EVERYWHERE(server_and_clients, &kinds[i], NULL, is_fine, 8);
                EVERYWHERE(server_is_cancelled, &kinds[i], NULL, is_fine, 4);
        }
}

int main(void) {
        on_back_ends(all);
        return 0;
}
