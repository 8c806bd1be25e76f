/* SPDX-License-Identifier: MIT */
/*
 * Connecting to several addresses: which is tried at which instant, which connection is taken, what
 * a failure reports, and that nothing is left.
 */
#define _GNU_SOURCE
#include "net/sides.h"

/* ---- the order ---- */

static void takes(size_t expected, belay_time stagger, belay_time least) {
        belay_time began = belay_now();
        belay_stream *stream = NULL;
        int before = open_count();

        CHECK_EQ(connect_any(stagger, &stream), 0);
        CHECK(leads_to(stream, expected));
        /* Nothing but the one connection is left. */
        CHECK_EQ(belay_loop_count(bly_loop), 1);
        CHECK_EQ(open_count(), before + 1);
        CHECK(belay_now() - began >= least);
        belay_abort(stream);
        close_sides();
}

static int order(void *arg) {
        (void) arg;
        begin_io();
        OPEN_SIDES(ANSWERS);
        takes(0, BELAY_NEVER, 0);
        OPEN_SIDES(ANSWERS, ANSWERS);
        takes(0, BELAY_NEVER, 0);
        /* The next address is tried at once if the previous one failed. */
        OPEN_SIDES(REFUSES, ANSWERS);
        takes(1, BELAY_NEVER, 0);
        OPEN_SIDES(REFUSES, MISSING, REFUSES, ANSWERS, SILENT);
        takes(3, BELAY_NEVER, 0);
        /* The next address is tried after the delay, while the earlier attempts go on. */
        OPEN_SIDES(SILENT, ANSWERS);
        takes(1, BELAY_SECOND, BELAY_SECOND);
        OPEN_SIDES(SILENT, UNIX_FULL, SILENT, ANSWERS);
        takes(3, BELAY_SECOND, 3 * BELAY_SECOND);
        OPEN_SIDES(SILENT, MISSING, ANSWERS, SILENT);
        takes(2, BELAY_MINUTE, BELAY_MINUTE);
        OPEN_SIDES(REFUSES, ANSWERS, SILENT);
        takes(1, BELAY_MINUTE, 0);
        /* No attempt is left that could still do something. */
        CHECK_EQ(belay_sleep(BELAY_HOUR), 0);
        return 0;
}

/* All addresses are tried at once. More than one may connect, and only one connection is kept. */
static int together(void *arg) {
        belay_stream *stream = NULL;
        int before;

        (void) arg;
        begin_io();
        for (int i = 0; i < 20; i++) {
                OPEN_SIDES(ANSWERS, ANSWERS, ANSWERS, ANSWERS);
                before = open_count();
                CHECK_EQ(connect_any(BELAY_NANOSECOND, &stream), 0);
                CHECK_EQ(belay_loop_count(bly_loop), 1);
                CHECK_EQ(open_count(), before + 1);
                belay_abort(stream);
                close_sides();
        }
        return 0;
}

/* The first attempt goes on next to the second, and succeeds late. */
static void drop_side(void *arg) {
        belay_address peer;
        socklen_t length = sizeof(peer.address);

        (void) arg;
        close(accept4(listeners[0], sockaddr_of(&peer), &length, SOCK_CLOEXEC));
        for (int i = 0; i < FILLERS; i++) {
                close(fillers[0][i]);
                fillers[0][i] = -1;
        }
}

static int late_answer(void *arg) {
        (void) arg;
        begin_io();
        OPEN_SIDES(UNIX_FULL, SILENT, SILENT);
        {
                belay_stream *stream;
                int before = open_count();

                CHECK(belay_later(10 * BELAY_SECOND, drop_side, NULL) != 0);
                CHECK_EQ(connect_any(BELAY_SECOND, &stream), 0);
                CHECK(leads_to(stream, 0));
                CHECK_EQ(belay_loop_count(bly_loop), 1);
                CHECK_EQ(open_count(), before + 1 - FILLERS);
                belay_abort(stream);
        }
        close_sides();
        return 0;
}

/* ---- no connection ---- */

static int none(void *arg) {
        belay_stream *stream;
        belay_failure *failure;
        belay_timeout limit;
        char text[256], formatted[256];
        int before;

        (void) arg;
        begin_io();
        OPEN_SIDES(REFUSES, REFUSES, MISSING);
        before = open_count();
        CHECK_EQ(connect_any(BELAY_NEVER, &stream), -ENOENT);
        CHECK(stream == NULL);
        CHECK_EQ(open_count(), before);
        failure = belay_failure_take(-ENOENT);
        CHECK_EQ(belay_failure_code(failure), -ENOENT);
        CHECK_EQ(belay_failure_count(failure), 3);
        snprintf(text, sizeof(text), "connect to all sides: %s", strerror(ENOENT));
        CHECK_STR(belay_failure_text(failure), text);
        for (size_t i = 0; i < 3; i++) {
                int error = i < 2 ? ECONNREFUSED : ENOENT;

                CHECK_EQ(belay_failure_code(belay_failure_at(failure, i)), -error);
                snprintf(text, sizeof(text), "connect to %s: %s", text_of(&addresses[i]),
                         strerror(error));
                CHECK_STR(belay_failure_text(belay_failure_at(failure, i)), text);
                belay_failure_format(belay_failure_at(failure, i), formatted, sizeof(formatted));
                CHECK_STR(formatted, text);
        }
        belay_failure_release(failure);
        close_sides();

        OPEN_SIDES(MISSING, SILENT, UNIX_FULL, REFUSES, SILENT);
        before = open_count();
        belay_timeout_enter(&limit, BELAY_MINUTE);
        CHECK_EQ(belay_timeout_leave(&limit, connect_any(BELAY_SECOND, &stream)), -ETIMEDOUT);
        CHECK(stream == NULL);
        CHECK_EQ(open_count(), before);
        CHECK_EQ(belay_loop_count(bly_loop), 1);
        close_sides();
        return 0;
}

/*
 * One address could not be tried because there was no descriptor. The call must return that error,
 * and not the one of the other address, which needed no descriptor.
 */
static int short_of_descriptors(void *arg) {
        belay_stream *stream;

        (void) arg;
        begin_io();
        for (int second = 0; second < 2; second++) {
                OPEN_SIDES(REFUSES, REFUSES);
                sockaddr_of(&addresses[second])->sa_family = 99;
                limit_descriptors(0);
                CHECK_EQ(connect_any(BELAY_NEVER, &stream), -EMFILE);
                unlimit_descriptors();
                CHECK_EQ(connect_any(BELAY_NEVER, &stream), second ? -EAFNOSUPPORT : -ECONNREFUSED);
                close_sides();
        }
        return 0;
}

/* ---- cancelled ---- */

static belay_stream *connected;
static int verdict;

static int connect_it(void *arg) {
        verdict = connect_any(*(belay_time *) arg, &connected);
        if (verdict == -ECANCELED)
                CHECK_EQ(belay_yield(), 0);
        return verdict;
}

/*
 * A peer has answered, and the connecting task has not run yet. It gets the connection first and
 * then the request.
 */
static int stands(void *arg) {
        belay_time stagger = BELAY_NEVER;
        belay_task *task;
        int before;

        (void) arg;
        begin_io();
        OPEN_SIDES(ANSWERS, ANSWERS);
        before = open_count();
        task = must(belay_spawn(connect_it, &stagger));
        /* One turn for the task, and one for its attempts. */
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(poll(&(struct pollfd) { .fd = listeners[0], .events = POLLIN }, 1, -1), 1);
        CHECK(!belay_done(task));
        CHECK(belay_cancel(task, NULL));
        end_of(task, -ECANCELED);
        CHECK_EQ(verdict, 0);
        CHECK(leads_to(connected, 0));
        CHECK_EQ(open_count(), before + 1);
        belay_abort(connected);
        close_sides();

        OPEN_SIDES(SILENT, SILENT);
        before = open_count();
        task = must(belay_spawn(connect_it, &stagger));
        let_run();
        CHECK(belay_cancel(task, NULL));
        end_of(task, -ECANCELED);
        CHECK_EQ(verdict, -ECANCELED);
        CHECK(connected == NULL);
        CHECK_EQ(open_count(), before);
        close_sides();
        return 0;
}

static int do_nothing(void *arg) {
        (void) arg;
        return 0;
}

/*
 * The shutdown cancels all tasks at once: the attempts after the task that started them, or before
 * it if `reversed`.
 */
static bool reversed;

static int leave_it(void *arg) {
        begin_io();
        OPEN_SIDES(SILENT, UNIX_FULL, SILENT);
        /*
         * The attempts take the records of these tasks, which have ended by then. They therefore
         * come before the connecting task.
         */
        for (int i = 0; reversed && i < 3; i++)
                belay_release(must(belay_spawn(do_nothing, NULL)));
        belay_release(must(belay_spawn(connect_it, arg)));
        let_run();
        return 0;
}

static void shut_down(bool is_reversed) {
        belay_time stagger = BELAY_NANOSECOND;
        int before = open_count();

        reversed = is_reversed;
        verdict = 0;
        keep_lines();
        CHECK_EQ(belay_run_with(leave_it, &stagger, VIRTUAL), 0);
        CHECK_EQ(verdict, -ECANCELED);
        CHECK(connected == NULL);
        CHECK_LINES(0, "");
        belay_set_log(NULL, NULL);
        close_sides();
        CHECK_EQ(open_count(), before);
}

/* ---- a name with two addresses ---- */

static int two_families(void *arg) {
        belay_address address;
        int listener = listening_socket(IPV4, 5, &address), other, before;
        char endpoint[BELAY_ADDRESS_TEXT];
        belay_stream *stream;

        (void) arg;
        begin_io();
        before = open_count();
        snprintf(endpoint, sizeof(endpoint), "*%s", strrchr(text_of(&address), ':'));
        /*
         * From a local address of one family. The address of the other family cannot be connected
         * from it.
         */
        CHECK_EQ(belay_connect(&stream, endpoint,
                               BELAY_OPTIONS(belay_connect_options, .local = "127.0.0.1:0")),
                 0);
        other = accept(listener, NULL, NULL);
        CHECK(other >= 0);
        belay_abort(stream);
        close(other);
        close(listener);
        CHECK_EQ(belay_connect(&stream, endpoint,
                               BELAY_OPTIONS(belay_connect_options, .stagger = BELAY_NEVER)),
                 -ECONNREFUSED);
        CHECK(stream == NULL);
        CHECK_EQ(open_count(), before - 1);
        return 0;
}

/* ---- no memory ---- */

static unsigned long calls, fails_at;

static void *memory(void *context, void *block, size_t size) {
        (void) context;
        if (size == 0) {
                free(block);
                return NULL;
        }
        if (fails_at != 0 && ++calls == fails_at)
                return NULL;
        return realloc(block, size);
}

static int without_memory(void *arg) {
        belay_stream *stream;
        int rc = -1;

        (void) arg;
        begin_io();
        keep_lines();
        for (unsigned long at = 1; calls + 1 >= at; at++) {
                int before;

                OPEN_SIDES(REFUSES, ANSWERS, ANSWERS);
                before = open_count();
                calls = 0;
                fails_at = at;
                rc = connect_any(BELAY_SECOND, &stream);
                fails_at = 0;
                /* The detail of a failure may be missing, or an attempt. */
                CHECK(rc == 0 || rc == -ENOMEM);
                CHECK((stream != NULL) == (rc == 0));
                if (rc == 0)
                        CHECK(leads_to(stream, 1) || leads_to(stream, 2));
                belay_abort(stream);
                let_run();
                CHECK_EQ(belay_loop_count(bly_loop), 1);
                CHECK_EQ(open_count(), before);
                CHECK(at < 1000);
                close_sides();
        }
        CHECK_EQ(rc, 0);
        belay_set_log(NULL, NULL);
        return 0;
}

int main(void) {
        /* Some of these tests depend on the order of ready tasks. */
        unsetenv("BELAY_SEED");
        belay_set_memory(memory, NULL);
        RUN_VIRTUAL(order);
        CHECK_EQ(belay_run(together, NULL), 0);
        RUN_VIRTUAL(late_answer);
        RUN_VIRTUAL(none);
        RUN_VIRTUAL(short_of_descriptors);
        CHECK_EQ(belay_run(stands, NULL), 0);
        shut_down(false);
        shut_down(true);
        RUN_VIRTUAL(two_families);
        CHECK_EQ(belay_run(without_memory, NULL), 0);
        return 0;
}
