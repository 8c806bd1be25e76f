/* SPDX-License-Identifier: MIT */
/*
 * Accepting: by several tasks, cancelled at each possible point, with the listener closed
 * meanwhile, and without descriptors. No connection is lost, and none stays open.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "servers.h"

/* ---- one task ---- */

static int one_after_the_other(void *arg) {
        enum kind kind = *(enum kind *) arg;
        int open_before = open_count(), fds[5];
        belay_listener *listener = listener_of(kind);
        belay_stream *stream;

        for (int i = 0; i < 5; i++)
                fds[i] = connect_plainly(listener);
        for (int i = 0; i < 5; i++) {
                unsigned char byte;

                put_byte(fds[i], (unsigned char) i);
                CHECK_EQ(belay_accept(listener, &stream), 0);
                CHECK_EQ(belay_read(stream, &byte, 1), 1);
                CHECK_EQ(byte, i);
                CHECK_EQ(belay_close(stream, 0), 0);
                CHECK_EQ(next_byte(fds[i]), -1);
                close(fds[i]);
        }
        belay_listener_close(listener);
        CHECK_EQ(open_count(), open_before);
        return 0;
}

struct accepting {
        belay_listener *listener;
        belay_stream *stream;
        int result;
        bool done;
        bool closed; /* the listener is closed */
};

static int accepts(void *arg) {
        struct accepting *self = arg;

        self->result = belay_accept(self->listener, &self->stream);
        self->done = true;
        CHECK_EQ(self->stream != NULL, self->result == 0);
        return 0;
}

static int waits_for_one(void *arg) {
        struct accepting accepting = { .listener = listener_of(*(enum kind *) arg) };
        belay_task *task = must(belay_spawn(accepts, &accepting));
        int fd;

        let_run();
        CHECK(!accepting.done);
        fd = connect_plainly(accepting.listener);
        end_of(task, 0);
        CHECK_EQ(accepting.result, 0);
        belay_abort(accepting.stream);
        close(fd);
        belay_listener_close(accepting.listener);
        return 0;
}

/*
 * A connection that was closed before it was accepted is returned as a stream that has ended, or is
 * not returned at all.
 */
static int gone_before(void *arg) {
        belay_listener *listener = listener_of(*(enum kind *) arg);
        struct linger hard = { 1, 0 };
        belay_stream *stream;
        int fds[3];
        char byte;

        for (int i = 0; i < 3; i++)
                fds[i] = connect_plainly(listener);
        CHECK_EQ(setsockopt(fds[0], SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
        close(fds[0]);
        close(fds[1]);
        put_byte(fds[2], 'x');
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_accept(listener, &stream), 0);
                if (belay_read(stream, &byte, 1) == 1)
                        i = 2;
                belay_abort(stream);
        }
        close(fds[2]);
        belay_listener_close(listener);
        return 0;
}

static void *somewhere_else(void *arg) {
        belay_stream *stream = (void *) -1;

        CHECK_EQ(belay_accept(arg, &stream), -EPERM);
        CHECK(stream == NULL);
        return NULL;
}

static int accepts_elsewhere(void *arg) {
        somewhere_else(arg);
        return 0;
}

static void *in_thread(void *listener) {
        const belay_loop_options *options = BELAY_OPTIONS(belay_loop_options, .no_signals = true);

        CHECK_EQ(belay_run_with(accepts_elsewhere, listener, options), 0);
        return somewhere_else(listener);
}

static int from_elsewhere(void *arg) {
        belay_listener *listener = listener_of(IPV4);
        pthread_t thread;

        (void) arg;
        keep_lines();
        CHECK_EQ(pthread_create(&thread, NULL, in_thread, listener), 0);
        CHECK_EQ(pthread_join(thread, NULL), 0);
        CHECK_LINES(2, "belay_accept()");
        belay_set_log(NULL, NULL);
        belay_listener_close(listener);
        return 0;
}

/* ---- several tasks ---- */

enum { TASKS = 8, EACH = 20, ALL = TASKS * EACH };

static int accepted[ALL];

static int accepts_many(void *arg) {
        for (int i = 0; i < EACH; i++) {
                unsigned char byte;
                belay_stream *stream;
                int rc = belay_accept(arg, &stream);

                if (rc < 0)
                        return rc;
                CHECK_EQ(belay_read(stream, &byte, 1), 1);
                accepted[byte]++;
                CHECK_EQ(belay_close(stream, 0), 0);
        }
        return 0;
}

static int several(void *arg) {
        belay_listener *listener = listener_of(*(enum kind *) arg);
        belay_group group;
        int fds[ALL];

        memset(accepted, 0, sizeof(accepted));
        CHECK_EQ(belay_group_enter(&group), 0);
        for (int i = 0; i < TASKS; i++)
                CHECK_EQ(belay_group_spawn(&group, accepts_many, listener), 0);
        let_run();
        for (int i = 0; i < ALL; i++) {
                fds[i] = connect_plainly(listener);
                put_byte(fds[i], (unsigned char) i);
                if (i % 7 == 0)
                        CHECK_EQ(belay_yield(), 0);
        }
        CHECK_EQ(belay_group_leave(&group, 0), 0);
        for (int i = 0; i < ALL; i++) {
                CHECK_EQ(accepted[i], 1);
                close(fds[i]);
        }
        belay_listener_close(listener);
        return 0;
}

/* One connection for two waiting tasks. The other task goes on waiting. */
static int too_few(void *arg) {
        struct accepting accepting[2];
        belay_listener *listener = listener_of(*(enum kind *) arg);
        belay_task *tasks[2];
        int fds[2];

        for (int i = 0; i < 2; i++) {
                accepting[i] = (struct accepting) { .listener = listener };
                tasks[i] = must(belay_spawn(accepts, &accepting[i]));
        }
        let_run();
        for (int i = 0; i < 2; i++) {
                fds[i] = connect_plainly(listener);
                while (!accepting[0].done && !accepting[1].done)
                        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
                let_run();
                CHECK(i == 1 || accepting[0].done != accepting[1].done);
        }
        for (int i = 0; i < 2; i++) {
                end_of(tasks[i], 0);
                CHECK_EQ(accepting[i].result, 0);
                belay_abort(accepting[i].stream);
                close(fds[i]);
        }
        belay_listener_close(listener);
        return 0;
}

/* ---- closed listeners ---- */

static int closed_meanwhile(void *arg) {
        struct accepting accepting[3];
        belay_listener *listener = listener_of(*(enum kind *) arg);
        belay_task *tasks[3];
        int open_before;

        for (int i = 0; i < 3; i++) {
                accepting[i] = (struct accepting) { .listener = listener };
                tasks[i] = must(belay_spawn(accepts, &accepting[i]));
        }
        let_run();
        open_before = open_count();
        belay_listener_close(listener);
        CHECK_EQ(open_count(), open_before - 1);
        for (int i = 0; i < 3; i++) {
                end_of(tasks[i], 0);
                CHECK_EQ(accepting[i].result, -EBADF);
        }
        return 0;
}

/*
 * The listener is closed when a task has just been woken for a connection, and its number is given
 * to another listener. The task must not accept a connection of the other listener.
 */
static int closed_after_the_event(void *arg) {
        enum kind kind = *(enum kind *) arg;
        struct accepting accepting = { .listener = listener_of(kind) };
        belay_task *task = must(belay_spawn(accepts, &accepting));
        belay_wait_info info = BELAY_WAIT_INFO_INIT;
        belay_listener *other;
        int number = belay_listener_fd(accepting.listener), fd, fds[2];
        bool was_done;

        let_run();
        fd = connect_plainly(accepting.listener);
        do {
                CHECK_EQ(belay_yield(), 0);
                belay_waiting(task, &info);
        } while (strcmp(info.what, "ready") != 0 && !accepting.done);
        was_done = accepting.done;
        belay_listener_close(accepting.listener);
        other = listener_of(kind);
        CHECK_EQ(belay_listener_fd(other), number);
        fds[0] = connect_plainly(other);
        end_of(task, 0);
        CHECK_EQ(accepting.result, was_done ? 0 : -EBADF);
        CHECK_EQ(accepting.stream != NULL, was_done);
        belay_abort(accepting.stream);
        /* The connection belonged to the old listener, if the task got one. */
        accepting = (struct accepting) { .listener = other };
        task = must(belay_spawn(accepts, &accepting));
        let_run();
        end_of(task, 0);
        CHECK_EQ(accepting.result, 0);
        belay_abort(accepting.stream);
        close(fd);
        close(fds[0]);
        belay_listener_close(other);
        return 0;
}

/*
 * A task that need not wait yields before some of its tries. If the listener is closed during that
 * yield and its number is given to another, the task must not touch the new one.
 */
static int never_waits(void *arg) {
        struct accepting *self = arg;

        do {
                belay_abort(self->stream);
                self->result = belay_accept(self->listener, &self->stream);
        } while (self->result == 0 && !self->closed);
        belay_abort(self->stream);
        return 0;
}

static int closed_while_it_gave_way(void *arg) {
        enum { MANY = 100 };
        enum kind kind = *(enum kind *) arg;
        struct accepting accepting = { .listener = listener_of(kind) };
        belay_listener *other;
        belay_task *task;
        int fds[MANY], number = belay_listener_fd(accepting.listener);
        struct accepting next;

        for (int i = 0; i < MANY; i++)
                fds[i] = connect_plainly(accepting.listener);
        task = must(belay_spawn(never_waits, &accepting));
        CHECK_EQ(belay_yield(), 0);
        accepting.closed = true;
        belay_listener_close(accepting.listener);
        other = listener_of(kind);
        CHECK_EQ(belay_listener_fd(other), number);
        for (int i = 0; i < MANY; i++)
                close(fds[i]);
        fds[0] = connect_plainly(other);
        end_of(task, 0);
        /* It may also have accepted a connection before the close. */
        CHECK(accepting.result == -EBADF || accepting.result == 0);
        next = (struct accepting) { .listener = other };
        task = must(belay_spawn(accepts, &next));
        end_of(task, 0);
        CHECK_EQ(next.result, 0);
        belay_abort(next.stream);
        close(fds[0]);
        belay_listener_close(other);
        return 0;
}

/* A task that never has to wait lets other tasks run, and can be cancelled. */
static int gives_way(void *arg) {
        enum { MANY = 300 };
        struct accepting accepting = { .listener = listener_of(*(enum kind *) arg) };
        belay_task *task;
        int fds[MANY], outcome;

        for (int i = 0; i < MANY; i++)
                fds[i] = connect_plainly(accepting.listener);
        task = must(belay_spawn(never_waits, &accepting));
        CHECK_EQ(belay_yield(), 0);
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(belay_join(task, &outcome), 0);
        belay_release(task);
        CHECK_EQ(accepting.result, -ECANCELED);
        for (int i = 0; i < MANY; i++)
                close(fds[i]);
        belay_listener_close(accepting.listener);
        return 0;
}

/* ---- without descriptors ---- */

static int without_descriptors(void *arg) {
        belay_listener *listener = listener_of(*(enum kind *) arg);
        int fd = connect_plainly(listener), open_before = open_count();
        belay_stream *stream = (void *) -1;
        char byte;

        put_byte(fd, 'x');
        limit_descriptors(0);
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_accept(listener, &stream), -EMFILE);
                CHECK(stream == NULL);
        }
        unlimit_descriptors();
        CHECK_EQ(open_count(), open_before);
        CHECK_EQ(belay_accept(listener, &stream), 0);
        CHECK_EQ(belay_read(stream, &byte, 1), 1);
        belay_abort(stream);
        close(fd);
        belay_listener_close(listener);
        return 0;
}

/* ---- */

static void all(void) {
        RUN_KINDS(one_after_the_other);
        RUN_KINDS(waits_for_one);
        RUN_KINDS(gone_before);
        CHECK_EQ(belay_run(from_elsewhere, NULL), 0);
        RUN_KINDS(several);
        RUN_KINDS(too_few);
        RUN_KINDS(closed_meanwhile);
        RUN_KINDS(closed_after_the_event);
        RUN_KINDS(closed_while_it_gave_way);
        RUN_KINDS(gives_way);
        if (!is_under_valgrind())
                RUN_KINDS(without_descriptors);
}

int main(void) {
        on_back_ends(all);
        return 0;
}
