/* SPDX-License-Identifier: MIT */
/*
 * Origins: the sender, the call site, the reason and the instant of each kind of request that tasks
 * and loops send. (Those of signals: loop/signals.c.)
 */
#include "../base/help.h"

static belay_origin origin_of(const belay_task *task) {
        belay_origin origin = BELAY_ORIGIN_INIT;

        CHECK(belay_origin_of(task, &origin));
        return origin;
}

static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_HOUR);
}

static int none(void *arg) {
        belay_origin origin;

        (void) arg;
        memset(&origin, 0x55, sizeof(origin));
        origin.size = sizeof(origin);
        CHECK(!belay_origin_of(belay_self(), &origin));
        CHECK_EQ(origin.size, sizeof(origin));
        CHECK_EQ(origin.kind, BELAY_ORIGIN_NONE);
        CHECK_EQ(origin.signal, 0);
        CHECK_EQ(origin.task, 0);
        CHECK(origin.name == NULL && origin.place == NULL && origin.reason == NULL);
        CHECK_EQ(origin.when, 0);
        return 0;
}

static int asker_line;

static int asks(void *arg) {
        CHECK_EQ(belay_sleep(3 * BELAY_SECOND), 0);
        asker_line = __LINE__ + 1;
        CHECK(belay_cancel(arg, "why not"));
        return 0;
}

static void asks_back(void *arg) {
        CHECK(belay_cancel(arg, NULL));
}

static int caller(void *arg) {
        belay_task *task = must(belay_spawn(sleeps, NULL));
        belay_task *asker = must(
                belay_spawn_with(asks, task, BELAY_OPTIONS(belay_spawn_options, .name = "asker")));
        uint64_t id = belay_id(asker);
        belay_origin origin;

        (void) arg;
        belay_release(asker);
        CHECK_EQ(belay_join(task, NULL), 0);
        origin = origin_of(task); /* after the end of the task, and of the sender */
        CHECK_EQ(origin.kind, BELAY_ORIGIN_CALLER);
        CHECK_EQ(origin.task, id);
        CHECK_STR(origin.name, "asker");
        CHECK(is_place(origin.place, __FILE__, asker_line));
        CHECK_STR(origin.reason, "why not");
        CHECK_EQ(origin.when, 3 * BELAY_SECOND);
        CHECK_EQ(origin.signal, 0);
        belay_release(task);

        /* From no task, and from an unknown call site. */
        task = must(belay_spawn(sleeps, NULL));
        CHECK(belay_soon(asks_back, task) != 0);
        CHECK_EQ(belay_join(task, NULL), 0);
        origin = origin_of(task);
        CHECK_EQ(origin.kind, BELAY_ORIGIN_CALLER);
        CHECK_EQ(origin.task, 0);
        CHECK(origin.name == NULL && origin.reason == NULL);
        belay_release(task);
        task = must(belay_spawn(sleeps, NULL));
        CHECK((belay_cancel) (task, NULL));
        CHECK(origin_of(task).place == NULL);
        CHECK_EQ(belay_join(task, NULL), 0);
        belay_release(task);

        /* The other functions that cancel a task record the same origin. */
        task = must(belay_spawn(sleeps, NULL));
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_cancel_wait(task, "stop", BELAY_NEVER, NULL), 0);
        origin = origin_of(task);
        CHECK_EQ(origin.kind, BELAY_ORIGIN_CALLER);
        CHECK_STR(origin.reason, "stop");
        CHECK_EQ(origin.task, belay_id(belay_self()));
        CHECK(is_place(origin.place, __FILE__, __LINE__ - 5));
        belay_release(task);
        task = must(belay_spawn(sleeps, NULL));
        CHECK_EQ(belay_force_cancel(task, 1, 1), 1);
        CHECK_EQ(origin_of(task).kind, BELAY_ORIGIN_CALLER);
        CHECK(is_place(origin_of(task).place, __FILE__, __LINE__ - 2));
        belay_release(task);
        return 0;
}

/* ---- forwarded by an awaiting task ---- */

static int awaiter_line;

static int awaits(void *arg) {
        awaiter_line = __LINE__ + 1;
        return belay_await(arg, NULL);
}

static int awaiter(void *arg) {
        belay_task *inner = must(belay_spawn(sleeps, NULL));
        belay_task *outer = must(belay_spawn_with(
                awaits, inner, BELAY_OPTIONS(belay_spawn_options, .name = "outer")));
        belay_origin origin;

        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        CHECK(belay_cancel(outer, "on and on"));
        CHECK_EQ(belay_join(outer, NULL), 0);
        origin = origin_of(inner);
        CHECK_EQ(origin.kind, BELAY_ORIGIN_AWAITER);
        CHECK_EQ(origin.task, belay_id(outer));
        CHECK_STR(origin.name, "outer");
        CHECK_STR(origin.reason, "on and on");
        CHECK(is_place(origin.place, __FILE__, awaiter_line));
        CHECK_EQ(origin.when, BELAY_SECOND);
        origin = origin_of(outer);
        CHECK_EQ(origin.kind, BELAY_ORIGIN_CALLER);
        CHECK_EQ(origin.task, belay_id(belay_self()));
        belay_release(inner);
        belay_release(outer);
        return 0;
}

/* ---- without a request ---- */

static int returns_it(void *arg) {
        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        return -ECANCELED;
}

static int body(void *arg) {
        belay_task *task = must(belay_spawn_with(
                returns_it, NULL, BELAY_OPTIONS(belay_spawn_options, .name = "worker")));
        belay_origin origin;

        (void) arg;
        CHECK_EQ(belay_join(task, NULL), 0);
        origin = origin_of(task);
        CHECK_EQ(origin.kind, BELAY_ORIGIN_BODY);
        CHECK_EQ(origin.task, belay_id(task));
        CHECK_STR(origin.name, "worker");
        CHECK_EQ(origin.when, BELAY_SECOND);
        CHECK(origin.place == NULL);
        belay_release(task);
        return 0;
}

/* ---- requests of the loop ---- */

static belay_task *kept;

static int leaves(void *arg) {
        (void) arg;
        kept = must(belay_spawn(sleeps, NULL));
        return belay_sleep(BELAY_SECOND);
}

static void shutdown(void) {
        belay_origin origin;

        RUN_VIRTUAL(leaves);
        CHECK(belay_cancelled(kept));
        origin = origin_of(kept);
        CHECK_EQ(origin.kind, BELAY_ORIGIN_SHUTDOWN);
        CHECK_EQ(origin.task, 0);
        CHECK(origin.name == NULL);
        CHECK_EQ(origin.when, BELAY_SECOND);
        belay_release(kept);
}

static int interrupter_line;

static int interrupts(void *arg) {
        (void) arg;
        interrupter_line = __LINE__ + 1;
        CHECK_EQ(belay_interrupt(NULL), 0);
        return 0;
}

static int interrupted(void *arg) {
        belay_task *task = must(belay_spawn_with(
                interrupts, NULL, BELAY_OPTIONS(belay_spawn_options, .name = "button")));
        belay_origin origin;

        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        origin = origin_of(belay_self()); /* while the request is delivered */
        CHECK_EQ(origin.kind, BELAY_ORIGIN_INTERRUPT);
        CHECK_EQ(origin.task, belay_id(task));
        CHECK_STR(origin.name, "button");
        CHECK(is_place(origin.place, __FILE__, interrupter_line));
        CHECK_EQ(origin.signal, 0);
        belay_release(task);
        return 0;
}

/* ---- the origin of several requests ---- */

static int several(void *arg) {
        belay_task *self = belay_self();

        (void) arg;
        /* The origin is that of the first of the requests that merge. */
        belay_cancel(self, "first");
        CHECK_EQ(belay_advance(BELAY_SECOND), 0);
        belay_cancel(self, "second");
        CHECK_STR(origin_of(self).reason, "first");
        CHECK_EQ(belay_yield(), -ECANCELED);
        CHECK_STR(origin_of(self).reason, "first");
        CHECK_EQ(origin_of(self).when, 0);
        CHECK_EQ(origin_of(self).task, belay_id(self));
        /* It remains until the next request. */
        CHECK_EQ(belay_yield(), 0);
        CHECK_STR(origin_of(self).reason, "first");
        belay_cancel(self, "third");
        CHECK_EQ(belay_sleep(1), -ECANCELED);
        CHECK_STR(origin_of(self).reason, "third");
        CHECK_EQ(origin_of(self).when, BELAY_SECOND);
        return 0;
}

/* The library must not write fields that the caller's header does not have. */
static int older_header(void *arg) {
        struct {
                belay_origin origin;
                char beyond[16];
        } room;

        (void) arg;
        memset(&room, 0x55, sizeof(room));
        belay_cancel(belay_self(), "x");
        room.origin.size = offsetof(belay_origin, place);
        CHECK(belay_origin_of(belay_self(), &room.origin));
        CHECK_EQ(room.origin.kind, BELAY_ORIGIN_CALLER);
        CHECK_EQ(*((unsigned char *) &room.origin + offsetof(belay_origin, place)), 0x55);
        room.origin.size = sizeof(room);
        CHECK(belay_origin_of(belay_self(), &room.origin));
        CHECK_STR(room.origin.reason, "x");
        CHECK_EQ(room.beyond[0], 0x55);
        CHECK_EQ(belay_yield(), -ECANCELED);
        return 0;
}

static void names(void) {
        static const char *const names[] = { "none",   "caller",  "timeout",  "sibling",
                                             "group",  "awaiter", "shutdown", "interrupt",
                                             "signal", "body",    "race",     "test" };

        for (int i = -3; i < 40; i++)
                CHECK_STR(belay_origin_name((belay_origin_kind) i),
                          i >= 0 && i <= BELAY_ORIGIN_TEST ? names[i] : "unknown");
}

int main(void) {
        RUN_VIRTUAL(none);
        RUN_VIRTUAL(caller);
        RUN_VIRTUAL(awaiter);
        RUN_VIRTUAL(body);
        shutdown();
        RUN_VIRTUAL(interrupted);
        RUN_VIRTUAL(several);
        RUN_VIRTUAL(older_header);
        names();
        return 0;
}
