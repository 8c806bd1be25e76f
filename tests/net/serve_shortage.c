/* SPDX-License-Identifier: MIT */
/*
 * Serving when descriptors run out. The server logs that once, and new connections wait. It
 * continues when a connection has ended, or when there is room for another reason.
 */
#define _GNU_SOURCE
#include "servers.h"

/* ---- descriptors ---- */

/*
 * Takes all descriptors that the limit allows. A lowered limit would not affect an operation that
 * has already begun.
 */
enum { MOST = 64 };

static int taken[MOST], taken_count;

static void take_all_descriptors(void) {
        int fd;

        while ((fd = dup(0)) >= 0)
                taken[taken_count++] = fd;
        CHECK(errno == EMFILE);
}

static void give_descriptors_back(void) {
        while (taken_count > 0)
                close(taken[--taken_count]);
}

static int echo(belay_stream *stream, void *arg) {
        (void) arg;
        return belay_copy(stream, stream, -1, NULL);
}

static int serves(void *arg) {
        return belay_serve(arg, echo, NULL,
                           BELAY_OPTIONS(belay_serve_options, .grace = BELAY_SECOND));
}

static void check_echoed(int fd) {
        put_byte(fd, 'x');
        CHECK_EQ(next_byte(fd), 'x');
}

/* The event that ends the shortage. */
enum end { BY_A_CONNECTION, BY_OTHERS, BY_A_STOP, BY_A_REQUEST, ENDS };

static int short_of(belay_listener *listener, belay_task *task, enum end end) {
        int first = connect_plainly(listener), second;
        belay_time begin;

        check_echoed(first);
        keep_lines();
        for (int round = 0; round < 2; round++) {
                second = connect_plainly(listener);
                put_byte(second, 'y');
                take_all_descriptors();
                CHECK_EQ(belay_sleep(10 * BELAY_SECOND), 0);
                CHECK_EQ(belay_serve_count(listener), 1);
                CHECK_EQ(take_byte(second), NOTHING_YET);
                /* Existing connections are not affected. */
                check_echoed(first);
                CHECK_EQ(kept_count, round + 1);
                CHECK_LINES(round + 1, strerror(EMFILE));
                CHECK_LINES(round + 1, belay_listener_endpoint(listener));
                begin = belay_now();
                if (end == BY_A_STOP || end == BY_A_REQUEST)
                        break;
                if (end == BY_A_CONNECTION) {
                        close(first);
                        CHECK_EQ(next_byte(second), 'y');
                        CHECK_EQ(belay_now(), begin);
                        give_descriptors_back();
                        first = second;
                } else {
                        give_descriptors_back();
                        CHECK_EQ(next_byte(second), 'y');
                        CHECK(belay_now() - begin <= 100 * BELAY_MILLISECOND);
                        close(second);
                        CHECK_EQ(belay_sleep(2 * BELAY_SECOND), 0);
                        CHECK_EQ(belay_serve_count(listener), 1);
                }
        }
        if (end == BY_A_REQUEST)
                CHECK(belay_cancel(task, NULL));
        else
                CHECK_EQ(belay_serve_stop(listener), 0);
        end_of(task, end == BY_A_REQUEST ? -ECANCELED : 0);
        give_descriptors_back();
        CHECK(belay_now() - begin <= 5 * BELAY_SECOND);
        close(first);
        if (end == BY_A_STOP || end == BY_A_REQUEST)
                close(second);
        belay_set_log(NULL, NULL);
        return 0;
}

static int shortage(void *arg) {
        for (int end = 0; end < ENDS; end++) {
                int open_before = open_count();
                belay_listener *listener = listener_of(*(enum kind *) arg);

                CHECK_EQ(short_of(listener, must(belay_spawn(serves, listener)), (enum end) end),
                         0);
                belay_listener_close(listener);
                CHECK_EQ(open_count(), open_before);
        }
        return 0;
}

/*
 * At the limit, each connection that ends makes room for one, and the next finds none again. The
 * log lines about that are limited.
 */
static int churn(void *arg) {
        enum { ROUNDS = 150 };
        belay_listener *listener = listener_of(*(enum kind *) arg);
        belay_task *task = must(belay_spawn(serves, listener));
        belay_time began = belay_now();
        unsigned periods;

        keep_lines();
        for (int round = 0; round < ROUNDS; round++) {
                int fd = connect_plainly(listener);

                put_byte(fd, 'y');
                take_all_descriptors();
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
                CHECK_EQ(take_byte(fd), NOTHING_YET);
                give_descriptors_back();
                CHECK_EQ(next_byte(fd), 'y');
                close(fd);
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        }
        periods = (unsigned) ((belay_now() - began) / (10 * BELAY_SECOND));
        CHECK(kept_count >= 8 && kept_count <= 9 + periods);
        CHECK_LINES(kept_count, "accepting resumes when the shortage ends");
        CHECK_LINES(kept_count - 8, "omitted before");
        CHECK_EQ(belay_serve_stop(listener), 0);
        end_of(task, 0);
        belay_listener_close(listener);
        return 0;
}

static void run_churn(enum kind kind) {
        CHECK_EQ(belay_run_with(churn, &kind, VIRTUAL), 0);
        CHECK_LINES(1, " lines were omitted, like: serving at ");
        belay_set_log(NULL, NULL);
}

/* ---- memory ---- */

static int no_memory(void *arg) {
        belay_listener *listener = listener_of(*(enum kind *) arg);
        belay_task *task = must(belay_spawn(serves, listener));
        int first = connect_plainly(listener), second;

        check_echoed(first);
        second = connect_plainly(listener);
        put_byte(second, 'y');
        keep_lines();
        refused_from = 1;
        for (int i = 0; i < 20; i++)
                CHECK_EQ(belay_yield(), 0);
        refused_from = 0;
        CHECK_LINES(1, strerror(ENOMEM));
        check_echoed(first);
        /* The connection for which there was no memory was closed, or waited. */
        (void) next_byte(second);
        close(second);
        second = connect_plainly(listener);
        check_echoed(second);
        CHECK_EQ(belay_serve_stop(listener), 0);
        end_of(task, 0);
        close(first);
        close(second);
        belay_listener_close(listener);
        belay_set_log(NULL, NULL);
        return 0;
}

/*
 * If there is no stack for a connection's task, the connection is closed and does not count. The
 * log lines about that are limited.
 */
static int serves_without_stacks(void *arg) {
        return belay_serve(
                arg, echo, NULL,
                BELAY_OPTIONS(belay_serve_options, .most = 1, .stack_size = SIZE_MAX / 4));
}

static int no_stack(void *arg) {
        enum { CLIENTS = 20 };
        belay_listener *listener = listener_of(*(enum kind *) arg);
        belay_task *task = must(belay_spawn(serves_without_stacks, listener));

        keep_lines();
        for (int i = 0; i < CLIENTS; i++) {
                int fd = connect_plainly(listener), byte;

                byte = next_byte(fd);
                CHECK(byte == -1 || byte == RESET);
                CHECK_EQ(belay_serve_count(listener), 0);
                close(fd);
                CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        }
        CHECK_LINES(8, "no stack for a task");
        CHECK_LINES(1, "accepting resumes when the shortage ends");
        CHECK_EQ(belay_serve_stop(listener), 0);
        end_of(task, 0);
        belay_listener_close(listener);
        belay_set_log(NULL, NULL);
        return 0;
}

static void all(void) {
        if (!is_under_valgrind())
                RUN_KINDS_VIRTUAL(shortage);
        if (!is_under_valgrind())
                run_churn(IPV4);
        RUN_KINDS_VIRTUAL(no_memory);
        RUN_KINDS_VIRTUAL(no_stack);
}

int main(void) {
        struct rlimit limit;

        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
        limit.rlim_cur = MOST;
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
        belay_set_memory(scarce_memory, NULL);
        on_back_ends(all);
        return 0;
}
