/* SPDX-License-Identifier: MIT */
/*
 * A pool of connections: at most so many are out at a time, and callers wait for one.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

enum { MOST = 4 };

struct pool {
        belay_semaphore places; /* MOST of them, see pool_init() */
        belay_stream *idle[MOST];
        size_t count;
};

static void pool_init(struct pool *pool) {
        pool->count = 0;
        belay_semaphore_init_bounded(&pool->places, MOST);
}

static int pool_get(struct pool *pool, const char *endpoint, belay_stream **connection) {
        int rc = belay_semaphore_acquire(&pool->places);

        if (rc < 0)
                return rc;
        if (pool->count > 0)
                *connection = pool->idle[--pool->count];
        else
                rc = belay_connect(connection, endpoint, NULL);
        if (rc < 0)
                belay_semaphore_release(&pool->places);
        return rc;
}

/*
 * `is_good`: the last answer was read to its end. Any other connection is closed, since its next
 * user would read the rest.
 */
static void pool_put(struct pool *pool, belay_stream *connection, bool is_good) {
        if (is_good && !belay_is_cut(connection))
                pool->idle[pool->count++] = connection;
        else
                belay_abort(connection);
        belay_semaphore_release(&pool->places);
}

/* ---- the check ---- */

#include <stdlib.h>
#include <unistd.h>

static char directory[] = "/tmp/belay-cookbook-XXXXXX", endpoint[64];
static unsigned accepted;
static struct pool pool;

static int answer(belay_stream *client, void *arg) {
        char line[16];
        ssize_t rc;

        (void) arg;
        accepted++;
        while ((rc = belay_read_line(client, line, sizeof(line))) > 0)
                if ((rc = belay_print(client, "ok\n")) < 0)
                        break;
        return rc < 0 ? (int) rc : 0;
}

static int serve(void *listener) {
        return belay_serve(listener, answer, NULL,
                           BELAY_OPTIONS(belay_serve_options, .grace = BELAY_NEVER));
}

static int ask(void *arg) {
        belay_stream *connection;
        char line[16];
        ssize_t rc = pool_get(&pool, endpoint, &connection);

        (void) arg;
        if (rc < 0)
                return (int) rc;
        rc = belay_print(connection, "?\n");
        if (rc > 0)
                rc = belay_read_line(connection, line, sizeof(line));
        pool_put(&pool, connection, rc > 0);
        return rc < 0 ? (int) rc : 0;
}

static int app(void *arg) {
        belay_listener *listener;
        belay_task *server, *tasks[20];
        belay_semaphore plain = BELAY_SEMAPHORE_INIT(1);

        (void) arg;
        check(belay_listen(&listener, endpoint, NULL) == 0);
        server = belay_spawn(serve, listener);
        pool_init(&pool);
        for (int i = 0; i < 20; i++)
                tasks[i] = belay_spawn(ask, NULL);
        check(belay_gather_collect(tasks, 20) == 0);
        for (int i = 0; i < 20; i++) {
                check(belay_result(tasks[i]) == 0);
                belay_release(tasks[i]);
        }
        check(accepted == MOST);
        check(pool.count == MOST);
        check(belay_semaphore_value(&pool.places) == MOST);
        while (pool.count > 0)
                belay_close(pool.idle[--pool.count], BELAY_NEVER);
        check(belay_serve_stop(listener) == 0);
        check(belay_join(server, NULL) == 0);
        belay_release(server);
        belay_listener_close(listener);

        /* Without a wait: take a place only if one is free. */
        check(belay_semaphore_try_acquire(&plain) == 0);
        check(belay_semaphore_try_acquire(&plain) == -EBUSY);
        belay_semaphore_init(&plain, 2);
        check(belay_semaphore_value(&plain) == 2);
        return 0;
}

int main(void) {
        check(mkdtemp(directory) != NULL);
        snprintf(endpoint, sizeof(endpoint), "unix:%s/socket", directory);
        check(belay_run(app, NULL) == 0);
        check(rmdir(directory) == 0);
        return 0;
}
