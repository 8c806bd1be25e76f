/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL through libpq. If a query is cancelled, by a timeout or otherwise, it ends at the
 * server, too.
 *
 *     libpq CONNINFO                   libpq 'host=/run/postgresql dbname=test'
 *
 * (CONNINFO must name a host by hostaddr=. With a host name libpq would look up the name itself,
 * and block.)
 *
 * libpq returns its socket and says for which event it waits, and belay_wait_fd() waits. So tasks
 * with one connection each run concurrently in one thread, and each wait can be cancelled.
 *
 * If a wait is cancelled, the server does not notice, and would go on with a query that no task
 * needs. To cancel it, libpq makes a second connection, and PQcancel() blocks meanwhile.
 *
 * Therefore PQcancel() runs in a thread of its own, and the task waits for its end in a shielded
 * region. The request that cancelled the query must not cancel the cleanup.
 */
#include <belay.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define CLEAN_UP_LIMIT (5 * BELAY_SECOND)

/* ---- waiting for libpq ---- */

static int connect_to(const char *conninfo, PGconn **connection) {
        PGconn *conn = PQconnectStart(conninfo);
        PostgresPollingStatusType wants = PGRES_POLLING_WRITING;
        int rc = conn != NULL ? 0 : -ENOMEM;

        while (rc >= 0 && PQstatus(conn) != CONNECTION_BAD && wants != PGRES_POLLING_OK) {
                /* If an address did not answer, libpq has opened another socket. */
                rc = belay_wait_fd(PQsocket(conn), wants == PGRES_POLLING_READING ? BELAY_READABLE
                                                                                  : BELAY_WRITABLE);
                if (rc >= 0)
                        wants = PQconnectPoll(conn);
        }
        if (rc >= 0 && PQstatus(conn) != CONNECTION_OK)
                rc = belay_fail(-ENOTCONN, "%s", PQerrorMessage(conn));
        if (rc < 0) {
                PQfinish(conn);
                return rc;
        }
        PQsetnonblocking(conn, 1);
        *connection = conn;
        return 0;
}

static int broken(PGconn *conn) {
        return belay_fail(-EIO, "%s", PQerrorMessage(conn));
}

/*
 * Sends the data that libpq has buffered. Meanwhile the task must also read, because the server may
 * have to send something before it reads on.
 */
static int send_all(PGconn *conn) {
        int left, rc;

        while ((left = PQflush(conn)) > 0) {
                rc = belay_wait_fd(PQsocket(conn), BELAY_READABLE | BELAY_WRITABLE);
                if (rc < 0)
                        return rc;
                if ((rc & BELAY_READABLE) && !PQconsumeInput(conn))
                        return broken(conn);
        }
        return left < 0 ? broken(conn) : 0;
}

/* Stores the last of the results, if there is one. */
static int take_results(PGconn *conn, PGresult **result) {
        PGresult *next;
        int rc;

        do {
                while (PQisBusy(conn)) {
                        rc = belay_wait_fd(PQsocket(conn), BELAY_READABLE);
                        if (rc < 0)
                                return rc;
                        if (!PQconsumeInput(conn))
                                return broken(conn);
                }
                next = PQgetResult(conn);
                if (next != NULL) {
                        PQclear(*result);
                        *result = next;
                }
        } while (next != NULL);
        return 0;
}

/* ---- cancelling at the server ---- */

/*
 * Shared by the task and the thread. The last of the two to release it frees it, because the task
 * may stop waiting first.
 */
struct cancelling {
        PGcancel *request;
        int ended; /* an eventfd */
        atomic_int holders;
};

static void let_go(struct cancelling *self) {
        if (atomic_fetch_sub(&self->holders, 1) > 1)
                return;
        PQfreeCancel(self->request);
        close(self->ended);
        free(self);
}

static void *cancel_in_thread(void *arg) {
        struct cancelling *self = arg;
        char error[256];

        if (!PQcancel(self->request, error, sizeof(error)))
                fprintf(stderr, "libpq: cancelling: %s\n", error);
        eventfd_write(self->ended, 1);
        let_go(self);
        return NULL;
}

static int cancel_at_server(PGconn *conn) {
        struct cancelling *self = calloc(1, sizeof(*self));
        pthread_t thread;
        int rc;

        if (self == NULL)
                return -ENOMEM;
        self->request = PQgetCancel(conn);
        self->ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        atomic_init(&self->holders, 2);
        rc = self->request != NULL && self->ended >= 0 ? 0 : -ENOMEM;
        if (rc == 0)
                rc = -pthread_create(&thread, NULL, cancel_in_thread, self);
        if (rc == 0) {
                pthread_detach(thread);
                rc = belay_wait_fd(self->ended, BELAY_READABLE);
        } else {
                let_go(self);
        }
        let_go(self);
        return rc < 0 ? rc : 0;
}

/*
 * Ends the query at the server. Afterwards the connection can be used again. If the server does not
 * answer, only PQreset() makes it usable.
 */
static void end_query(PGconn *conn) {
        belay_shield_scope region;
        belay_timeout limit;
        PGresult *result = NULL;
        int rc;

        belay_shield_enter(&region, BELAY_NEVER);
        belay_timeout_enter(&limit, CLEAN_UP_LIMIT);
        rc = cancel_at_server(conn);
        /*
         * The server answers that the query was cancelled. If the result was ready just before, it
         * answers with the result.
         */
        if (rc == 0)
                rc = take_results(conn, &result);
        PQclear(result);
        rc = belay_timeout_leave(&limit, rc);
        rc = belay_shield_leave(&region, rc);
        if (rc < 0)
                fprintf(stderr, "libpq: the server was not told that its query was cancelled: %s\n",
                        strerror(-rc));
}

/* ---- a query ---- */

/*
 * Runs a query. Returns 0 with *result, which the caller owns.
 *
 * -ECANCELED: the query no longer runs, but it may have ended just before the cancellation.
 * Therefore a query that changes data belongs in a transaction.
 */
static int query(PGconn *conn, const char *text, PGresult **result) {
        PGresult *last = NULL;
        int rc;

        if (!PQsendQuery(conn, text))
                return broken(conn);
        rc = send_all(conn);
        if (rc == 0)
                rc = take_results(conn, &last);
        if (rc == -ECANCELED)
                end_query(conn);
        if (rc == 0 && PQresultStatus(last) != PGRES_TUPLES_OK
            && PQresultStatus(last) != PGRES_COMMAND_OK)
                rc = belay_fail(-EPROTO, "%s", PQresultErrorMessage(last));
        if (rc < 0) {
                PQclear(last);
                return rc;
        }
        *result = last;
        return 0;
}

/* Runs a query for a single number. */
static int query_number(PGconn *conn, const char *text, long *number) {
        PGresult *result;
        int rc = query(conn, text, &result);

        if (rc < 0)
                return rc;
        *number = strtol(PQgetvalue(result, 0, 0), NULL, 10);
        PQclear(result);
        return 0;
}

/* ---- the program ---- */

#define LONG_QUERY "SELECT pg_sleep(60)"
#define STILL_THERE \
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query = '" LONG_QUERY "'"

static int run_long_query(void *conn) {
        PGresult *result = NULL;
        int rc = query(conn, LONG_QUERY, &result);

        PQclear(result);
        return rc;
}

/* Checks how many such queries run at the server, and that the connection still works. */
static int look(PGconn *conn, PGconn *observer) {
        long running = -1, sum = 0;
        int rc = query_number(observer, STILL_THERE, &running);

        if (rc == 0)
                rc = query_number(conn, "SELECT 20 + 22", &sum);
        if (rc == 0)
                printf("    at the server: %ld such queries; 20 + 22 = %ld\n", running, sum);
        return rc == 0 && (running != 0 || sum != 42) ? -EBADMSG : rc;
}

static int time_out(PGconn *conn, PGconn *observer) {
        belay_time began = belay_now();
        int rc = belay_wait_for(run_long_query, conn, 200 * BELAY_MILLISECOND);

        printf("a limit of 0.2 s: %s, after %.1f s\n", strerror(-rc),
               (double) (belay_now() - began) / BELAY_SECOND);
        return rc == -ETIMEDOUT ? look(conn, observer) : -EBADMSG;
}

static int cancel_from_outside(PGconn *conn, PGconn *observer) {
        belay_task *task = belay_spawn(run_long_query, conn);
        long running = 0;
        int outcome, rc = task != NULL ? 0 : -errno;

        /* Waits until the query runs. */
        while (rc == 0 && running == 0)
                rc = query_number(observer, STILL_THERE, &running);
        if (rc == 0)
                rc = belay_cancel_wait(task, "not wanted any more", BELAY_NEVER, &outcome);
        if (rc == 0)
                printf("cancelled by another task: %s\n", strerror(-outcome));
        belay_release(task);
        return rc == 0 ? look(conn, observer) : rc;
}

static int sleep_at_server(void *conn) {
        long unused;

        return query_number(conn, "SELECT 1 FROM pg_sleep(0.5)", &unused);
}

/* Two queries at the same time, in one thread. */
static int side_by_side(PGconn *one, PGconn *other) {
        belay_time began = belay_now();
        belay_group group;
        int rc;

        belay_group_enter(&group);
        rc = belay_group_spawn(&group, sleep_at_server, one);
        if (rc == 0)
                rc = belay_group_spawn(&group, sleep_at_server, other);
        rc = belay_group_leave(&group, rc);
        printf("two queries of 0.5 s: %.1f s\n", (double) (belay_now() - began) / BELAY_SECOND);
        return rc;
}

static void report(int rc) {
        belay_failure *failure = belay_failure_take(rc);
        char text[512];

        belay_failure_format(failure, text, sizeof(text));
        fprintf(stderr, "libpq: %s\n", text);
        belay_failure_release(failure);
}

static int app(void *conninfo) {
        PGconn *conn = NULL, *observer = NULL;
        int rc = connect_to(conninfo, &conn);

        if (rc == 0)
                rc = connect_to(conninfo, &observer);
        if (rc == 0)
                rc = side_by_side(conn, observer);
        if (rc == 0)
                rc = time_out(conn, observer);
        if (rc == 0)
                rc = cancel_from_outside(conn, observer);
        if (rc < 0)
                report(rc);
        PQfinish(conn);
        PQfinish(observer);
        return rc;
}

int main(int argc, char **argv) {
        return belay_run(app, argc > 1 ? argv[1] : "") < 0;
}
