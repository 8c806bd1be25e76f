/* SPDX-License-Identifier: MIT */
/*
 * A loop within a host loop. The host's callbacks call functions that make a task of belay ready.
 * After each of these calls the descriptor must become readable.
 */
#define _GNU_SOURCE
#include "embed.h"

#include <fcntl.h>

/* Objects for the calls from outside, and for the waits of a task. */
static struct {
        belay_event event;
        belay_semaphore semaphore;
        belay_queue *queue, *full;
        belay_future *future;
        belay_task *task;
        belay_group group;
        belay_timeout limit;
        belay_stream *streams[2];
        int ends[2];
        bool done;
        int rc;
} it;

static int over(int rc) {
        it.rc = rc;
        it.done = true;
        return 0;
}

/* ---- waits of tasks ---- */

static int waits_for_event(void *arg) {
        (void) arg;
        return over(belay_event_wait(&it.event));
}

static int waits_for_semaphore(void *arg) {
        (void) arg;
        return over(belay_semaphore_acquire(&it.semaphore));
}

static int waits_for_item(void *arg) {
        void *item;

        (void) arg;
        return over(belay_queue_get(it.queue, &item));
}

static int waits_for_room(void *arg) {
        (void) arg;
        return over(belay_queue_put(it.full, &it));
}

static int waits_for_future(void *arg) {
        int outcome;

        (void) arg;
        CHECK_EQ(belay_await(it.future, &outcome), 0);
        return over(outcome);
}

static int sleeps(void *arg) {
        (void) arg;
        return over(belay_sleep(BELAY_HOUR));
}

static int waits_for_descriptor(void *arg) {
        (void) arg;
        return over(belay_wait_fd(it.ends[0], BELAY_READABLE));
}

static int reads_stream(void *arg) {
        char byte;

        (void) arg;
        return over((int) belay_read(it.streams[0], &byte, 1));
}

static int reads_file(void *arg) {
        size_t size;
        char *data;
        int rc = belay_file_read_all("/proc/self/stat", 1 << 20, &data, &size);

        (void) arg;
        if (rc == 0)
                belay_file_free(data);
        return over(rc);
}

static int waits_in_group(void *arg) {
        (void) arg;
        CHECK_EQ(belay_group_enter(&it.group), 0);
        CHECK_EQ(belay_group_spawn(&it.group, sleeps_for_ever, NULL), 0);
        return over(belay_group_leave(&it.group, 0));
}

static int waits_within_limit(void *arg) {
        (void) arg;
        CHECK_EQ(belay_timeout_enter(&it.limit, BELAY_HOUR), 0);
        return over(belay_timeout_leave(&it.limit, belay_sleep(BELAY_NEVER)));
}

/* ---- calls from outside ---- */

static void note(void *arg) {
        (void) arg;
        over(0);
}

static int notes(void *arg) {
        (void) arg;
        return over(0);
}

static int sleeps_first(void *arg) {
        (void) arg;
        return over(belay_sleep(3 * BELAY_MILLISECOND));
}

static int waits_for_byte(void *arg) {
        return over(belay_wait_fd(*(int *) arg, BELAY_READABLE));
}

static int ends_at_once(void *arg) {
        belay_event_set(&it.event);
        (void) arg;
        return 0;
}

static belay_task *eagerly(belay_fn *fn, void *arg) {
        return belay_spawn_with(fn, arg, BELAY_OPTIONS(belay_spawn_options, .eager = true));
}

static void sets_event(void) {
        belay_event_set(&it.event);
}
static void gives_place(void) {
        CHECK_EQ(belay_semaphore_release(&it.semaphore), 0);
}
static void puts_item(void) {
        CHECK_EQ(belay_queue_try_put(it.queue, &it), 0);
}
static void takes_item(void) {
        void *item;
        CHECK_EQ(belay_queue_try_get(it.full, &item), 0);
}
static void shuts_queue(void) {
        belay_queue_shutdown(it.queue, true);
}
static void sets_future(void) {
        CHECK_EQ(belay_future_set(it.future, 9), 0);
}
static void cancels(void) {
        CHECK(belay_cancel(it.task, "from outside"));
}
static void cancels_group(void) {
        belay_group_cancel(&it.group);
}
static void moves_limit(void) {
        CHECK_EQ(belay_timeout_reschedule(&it.limit, 2 * BELAY_MILLISECOND), 0);
}
static void moves_limit_back(void) {
        CHECK_EQ(belay_timeout_reschedule(&it.limit, -1), 0);
}
static void forgets_descriptor(void) {
        CHECK_EQ(belay_forget_fd(it.ends[0]), 1);
}
static void writes_byte(void) {
        CHECK_EQ(write(it.ends[1], "x", 1), 1);
}
static void writes_to_stream(void) {
        CHECK_EQ(write(belay_stream_fd(it.streams[1]), "x", 1), 1);
}
static void aborts_stream(void) {
        belay_abort(it.streams[0]);
        it.streams[0] = NULL;
}
static void starts_to_read_file(void) {
        belay_release(must(eagerly(reads_file, NULL)));
}
static void calls_soon(void) {
        CHECK(belay_soon(note, NULL) != 0);
}
static void calls_later(void) {
        CHECK(belay_later(2 * BELAY_MILLISECOND, note, NULL) != 0);
}
static void calls_late_in_past(void) {
        CHECK(belay_later(-BELAY_HOUR, note, NULL) != 0);
}
static void starts(void) {
        belay_release(must(belay_spawn(notes, NULL)));
}
static void starts_eagerly(void) {
        belay_release(must(eagerly(sleeps_first, NULL)));
}
static void starts_reader(void) {
        belay_release(must(eagerly(waits_for_byte, &it.ends[0])));
        writes_byte();
}
static void starts_and_ends(void) {
        belay_release(must(eagerly(ends_at_once, NULL)));
}

/*
 * SOON: the descriptor becomes readable only later, since the call sets a timer or the event comes
 * from the system.
 */
enum { AT_ONCE, SOON };

static const struct call {
        const char *name;
        belay_fn *waits; /* wait of the task; NULL if no task waits */
        void (*calls)(void);
        int when;
        int rc; /* verdict of the wait */
} table[] = {
        { "event", waits_for_event, sets_event, AT_ONCE, 0 },
        { "semaphore", waits_for_semaphore, gives_place, AT_ONCE, 0 },
        { "item", waits_for_item, puts_item, AT_ONCE, 0 },
        { "room", waits_for_room, takes_item, AT_ONCE, 0 },
        { "queue shut", waits_for_item, shuts_queue, AT_ONCE, -ESHUTDOWN },
        { "future", waits_for_future, sets_future, AT_ONCE, 9 },
        { "cancelled in a sleep", sleeps, cancels, AT_ONCE, -ECANCELED },
        { "cancelled in an event", waits_for_event, cancels, AT_ONCE, -ECANCELED },
        { "cancelled at a descriptor", waits_for_descriptor, cancels, AT_ONCE, -ECANCELED },
        { "group cancelled", waits_in_group, cancels_group, AT_ONCE, 0 },
        { "limit moved", waits_within_limit, moves_limit, SOON, -ETIMEDOUT },
        { "limit moved back", waits_within_limit, moves_limit_back, SOON, -ETIMEDOUT },
        { "descriptor forgotten", waits_for_descriptor, forgets_descriptor, AT_ONCE, -EBADF },
        { "descriptor ready", waits_for_descriptor, writes_byte, SOON, BELAY_READABLE },
        { "cancelled in a stream", reads_stream, cancels, SOON, -ECANCELED },
        { "stream ready", reads_stream, writes_to_stream, SOON, 1 },
        { "stream closed", reads_stream, aborts_stream, SOON, -EBADF },
        { "file read", NULL, starts_to_read_file, SOON, 0 },
        { "soon", NULL, calls_soon, AT_ONCE, 0 },
        { "later", NULL, calls_later, SOON, 0 },
        { "later, in the past", NULL, calls_late_in_past, SOON, 0 },
        { "started", NULL, starts, AT_ONCE, 0 },
        { "started eagerly", NULL, starts_eagerly, SOON, 0 },
        { "started eagerly, at a descriptor", NULL, starts_reader, SOON, BELAY_READABLE },
        { "started eagerly, wakes another", waits_for_event, starts_and_ends, AT_ONCE, 0 },
};

static void prepare(void) {
        void *item = &it;

        memset(&it, 0, sizeof(it));
        belay_semaphore_init(&it.semaphore, 0);
        it.queue = belay_queue_new(1);
        it.full = belay_queue_new(1);
        CHECK(it.queue != NULL && it.full != NULL);
        CHECK_EQ(belay_queue_try_put(it.full, item), 0);
        CHECK_EQ(pipe2(it.ends, O_CLOEXEC | O_NONBLOCK), 0);
}

static void clean_up(void) {
        if (it.task != NULL)
                belay_release(it.task);
        belay_release(it.future);
        close(it.ends[0]);
        close(it.ends[1]);
        belay_queue_free(it.queue);
        belay_queue_free(it.full);
}

static void try_call(const struct call *call, belay_backend backend) {
        struct host host;

        prepare();
        host_start(&host, backend, sleeps_for_ever, NULL);
        CHECK_EQ(belay_stream_pair(&it.streams[0], &it.streams[1]), 0);
        it.future = belay_future_new();
        CHECK(it.future != NULL);
        if (call->waits != NULL)
                it.task = must(belay_spawn(call->waits, NULL));
        host_rests(&host);
        CHECK(!it.done);
        call->calls();
        if (call->when == AT_ONCE && !host_readable(&host, 0)) {
                fprintf(stderr, "%s: the descriptor is not readable\n", call->name);
                CHECK_END(1);
        }
        host_until(&host, &it.done);
        if (it.rc != call->rc)
                fprintf(stderr, "%s:\n", call->name);
        CHECK_EQ(it.rc, call->rc);
        if (host.dispatches > 30)
                fprintf(stderr, "%s:\n", call->name);
        CHECK(host.dispatches <= 30);
        belay_abort(it.streams[0]);
        belay_abort(it.streams[1]);
        host_settle(&host);
        host_close(&host);
        clean_up();
}

static void calls(belay_backend backend) {
        for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
                try_call(&table[i], backend);
}

/* ---- many timers from outside, each before all earlier ones ---- */

static void note_which(void *arg) {
        it.rc = (int) (intptr_t) arg;
        it.done = true;
}

static void earlier_each_time(belay_backend backend) {
        struct host host;

        memset(&it, 0, sizeof(it));
        host_start(&host, backend, sleeps_for_ever, NULL);
        for (intptr_t i = 1; i <= 10; i++) {
                CHECK(belay_later(BELAY_HOUR - i * BELAY_MINUTE, note_which, (void *) i) != 0);
                host_settle(&host);
        }
        CHECK(!it.done);
        CHECK(belay_later(2 * BELAY_MILLISECOND, note_which, (void *) (intptr_t) 11) != 0);
        CHECK(belay_later(BELAY_MINUTE, note_which, (void *) (intptr_t) 12) != 0);
        host_until(&host, &it.done);
        CHECK_EQ(it.rc, 11);
        host_rests(&host);
        CHECK_EQ(it.rc, 11);
        host_close(&host);
}

/* ---- the instant of a request ---- */

/*
 * The loop has not read its clock for a while. The origin of a request must have the right instant
 * all the same.
 */
static void origin(belay_backend backend) {
        belay_origin origin = BELAY_ORIGIN_INIT;
        struct host host;
        belay_time before;
        belay_task *task;

        host_start(&host, backend, sleeps_for_ever, NULL);
        task = must(belay_spawn(sleeps_for_ever, NULL));
        host_rests(&host);
        before = belay_now();
        belay_cancel(task, "now");
        CHECK(belay_origin_of(task, &origin));
        CHECK(origin.when >= before && origin.when <= belay_now());
        CHECK_EQ(origin.kind, BELAY_ORIGIN_CALLER);
        CHECK_EQ(origin.task, 0);
        belay_release(task);
        host_close(&host);
}

int main(void) {
        BOTH_BACKENDS(calls);
        BOTH_BACKENDS(earlier_each_time);
        BOTH_BACKENDS(origin);
        return 0;
}
