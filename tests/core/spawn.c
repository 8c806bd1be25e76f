/* SPDX-License-Identifier: MIT */
/*
 * Spawning: order, names, stacks, eager first steps, the destructor of the argument, and errors.
 */
#include "../base/help.h"

/*
 * More than there are addresses. With 32 bits, the library rejects the size before the address
 * space runs out.
 */
#define HUGE_STACK (SIZE_MAX >> (sizeof(size_t) > 4 ? 17 : 1))
#define HUGE_ERROR (sizeof(size_t) > 4 ? ENOMEM : EINVAL)

static char trace[64];

static void note(char what) {
        size_t length = strlen(trace);

        CHECK(length + 1 < sizeof(trace));
        trace[length] = what;
        trace[length + 1] = '\0';
}

static int letter(void *arg) {
        note(*(const char *) arg);
        return 0;
}

static int letters(void *arg) {
        note(*(const char *) arg);
        CHECK_EQ(belay_yield(), 0);
        note((char) (*(const char *) arg - 'a' + 'A'));
        return 0;
}

/*
 * A new task runs after the tasks that are already ready, and not inside of the call (neco 10, 12).
 */
static int order(void *arg) {
        belay_task *a, *b, *c;

        (void) arg;
        trace[0] = '\0';
        a = must(belay_spawn(letters, "a"));
        b = must(belay_spawn(letters, "b"));
        CHECK_STR(trace, "");
        CHECK_EQ(belay_yield(), 0);
        c = must(belay_spawn(letter, "c"));
        CHECK_STR(trace, "ab");
        CHECK_EQ(belay_await(c, NULL), 0);
        CHECK_STR(trace, "abABc");
        CHECK(belay_done(a) && belay_done(b) && belay_done(c));
        belay_release(a);
        belay_release(b);
        belay_release(c);
        return 0;
}

static int looks_at_itself(void *arg) {
        belay_task **seen = arg;

        *seen = belay_self();
        return 0;
}

/* A task's name is copied, its number is its own, and its call site is the line of the spawn. */
static int names(void *arg) {
        belay_task *seen = NULL, *named, *plain;
        char name[] = "reader";
        belay_spawn_options options = { .size = sizeof(options), .name = name };
        int line;

        (void) arg;
        line = __LINE__ + 1;
        named = must(belay_spawn_with(looks_at_itself, &seen, &options));
        name[0] = 'X';
        plain = must(belay_spawn(looks_at_itself, &seen));
        CHECK_STR(belay_name(named), "reader");
        CHECK_STR(belay_name(plain), NULL);
        CHECK_STR(belay_name(belay_self()), "main");
        CHECK_EQ(belay_id(belay_self()), 1);
        CHECK(belay_id(named) != belay_id(plain));
        CHECK(is_place(belay_started_at(named), __FILE__, line));
        CHECK(is_place(belay_started_at(plain), __FILE__, line + 2));
        CHECK_EQ(belay_await(named, NULL), 0);
        CHECK(seen == plain); /* the other task ran meanwhile */
        CHECK_EQ(belay_await(plain, NULL), 0);
        /* The name is still the same after the end of the task. */
        CHECK_STR(belay_name(named), "reader");
        belay_release(named);
        belay_release(plain);

        plain = must((belay_spawn) (looks_at_itself, &seen));
        CHECK_STR(belay_started_at(plain), NULL);
        belay_release(plain);
        plain = must(belay_spawn_placed("elsewhere:7", looks_at_itself, &seen));
        CHECK_STR(belay_started_at(plain), "elsewhere:7");
        belay_release(plain);
        return 0;
}

/* ---- stacks ---- */

static int uses_much(void *arg) {
        volatile char room[200 * 1024];

        (void) arg;
        for (size_t i = 0; i < sizeof(room); i += 1024)
                room[i] = 1;
        CHECK_EQ(belay_yield(), 0);
        for (size_t i = 0; i < sizeof(room); i += 1024)
                CHECK_EQ(room[i], 1);
        return 0;
}

static int stack_of_its_own(void *arg) {
        belay_task *task = must(belay_spawn_with(
                uses_much, NULL, BELAY_OPTIONS(belay_spawn_options, .stack_size = 400 * 1024)));
        int outcome = -1;

        (void) arg;
        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(outcome, 0);
        belay_release(task);
        return 0;
}

static int stack_of_the_loop(void *arg) {
        belay_task *task = must(belay_spawn(uses_much, NULL));

        (void) arg;
        CHECK_EQ(belay_await(task, NULL), 0);
        belay_release(task);
        return uses_much(NULL);
}

/* ---- the argument and its destructor ---- */

struct thing {
        int runs, destroyed;
        bool ended; /* whether its body was over when it was destroyed */
};

static void destroy_thing(void *arg) {
        struct thing *thing = arg;

        thing->destroyed++;
}

static int returns_at_once(void *arg) {
        struct thing *thing = arg;

        CHECK_EQ(thing->destroyed, 0);
        thing->runs++;
        return 3;
}

static int fails(void *arg) {
        returns_at_once(arg);
        return -EIO;
}

static int sleeps(void *arg) {
        struct thing *thing = arg;
        int rc;

        thing->runs++;
        rc = belay_sleep(BELAY_HOUR);
        CHECK_EQ(thing->destroyed, 0);
        return rc;
}

static int destroyed_once(void *arg) {
        belay_spawn_options options = { .size = sizeof(options), .destroy = destroy_thing };
        struct thing things[6] = { 0 };
        belay_task *task;
        int outcome = 0;

        (void) arg;
        /* The destructor runs after the body, while the handle is still held. */
        task = must(belay_spawn_with(returns_at_once, &things[0], &options));
        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(outcome, 3);
        CHECK_EQ(things[0].destroyed, 1);
        belay_release(task);
        CHECK_EQ(things[0].destroyed, 1);

        task = must(belay_spawn_with(fails, &things[1], &options));
        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(outcome, -EIO);
        CHECK_EQ(things[1].destroyed, 1);
        belay_release(task);

        /* The task is cancelled in its wait. */
        task = must(belay_spawn_with(sleeps, &things[2], &options));
        CHECK_EQ(belay_yield(), 0);
        belay_cancel(task, NULL);
        CHECK_EQ(things[2].destroyed, 0);
        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK_EQ(things[2].runs, 1);
        CHECK_EQ(things[2].destroyed, 1);
        belay_release(task);

        /* The task is cancelled before its first step: the destructor runs instead of the body. */
        task = must(belay_spawn_with(sleeps, &things[3], &options));
        CHECK(belay_cancel(task, NULL));
        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK(belay_cancelled(task));
        CHECK_EQ(things[3].runs, 0);
        CHECK_EQ(things[3].destroyed, 1);
        belay_release(task);

        /* Eager tasks: the first runs to its end, the second to its first wait. */
        options.eager = true;
        task = must(belay_spawn_with(returns_at_once, &things[4], &options));
        CHECK(belay_done(task));
        CHECK_EQ(things[4].destroyed, 1);
        CHECK_EQ(belay_result(task), 3);
        belay_release(task);
        task = must(belay_spawn_with(sleeps, &things[5], &options));
        CHECK_EQ(things[5].runs, 1);
        CHECK_EQ(things[5].destroyed, 0);
        belay_cancel(task, NULL);
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_EQ(things[5].destroyed, 1);
        belay_release(task);
        return 0;
}

static struct thing left_over[2];

static int leaves_tasks(void *arg) {
        belay_spawn_options options = { .size = sizeof(options), .destroy = destroy_thing };

        (void) arg;
        belay_release(must(belay_spawn_with(sleeps, &left_over[0], &options)));
        CHECK_EQ(belay_yield(), 0);
        belay_release(must(belay_spawn_with(sleeps, &left_over[1], &options)));
        return 0;
}

/* ---- eager ---- */

static int eager_inner(void *arg) {
        belay_task **self = arg;

        note('i');
        *self = belay_self();
        CHECK_EQ(belay_yield(), 0);
        note('I');
        return 0;
}

static int eager_outer(void *arg) {
        belay_task *self = belay_self(), *seen = NULL, *inner;

        (void) arg;
        note('o');
        errno = 77;
        inner = must(belay_spawn_with(eager_inner, &seen,
                                      BELAY_OPTIONS(belay_spawn_options, .eager = true)));
        CHECK_EQ(errno, 77);
        note('p');
        CHECK(seen == inner && belay_self() == self);
        /*
         * A wait within the first step of an eager task that another eager task started in its own
         * first step.
         */
        CHECK_EQ(belay_await(inner, NULL), 0);
        note('O');
        belay_release(inner);
        return 4;
}

static int eager(void *arg) {
        belay_task *self = belay_self(), *task;
        int outcome = 0;

        (void) arg;
        trace[0] = '\0';
        belay_release(must(belay_spawn(letter, "r")));
        task = must(belay_spawn_with(eager_outer, NULL,
                                     BELAY_OPTIONS(belay_spawn_options, .eager = true)));
        /*
         * The task ran inside this call, before the tasks that were already ready. After its first
         * wait it takes its place in the order of ready tasks.
         */
        CHECK_STR(trace, "oip");
        CHECK(belay_self() == self);
        CHECK_EQ(belay_await(task, &outcome), 0);
        CHECK_EQ(outcome, 4);
        CHECK_STR(trace, "oiprIO");
        belay_release(task);
        return 0;
}

static int eager_result(void *arg) {
        return *(int *) arg;
}

static void eager_from_callback(void *arg) {
        belay_task *task = must(belay_spawn_with(
                eager_result, arg, BELAY_OPTIONS(belay_spawn_options, .eager = true)));

        CHECK(belay_done(task));
        CHECK_EQ(belay_result(task), *(int *) arg);
        CHECK(belay_self() == NULL);
        *(int *) arg = 0;
        belay_release(task);
}

static int eager_elsewhere(void *arg) {
        int number = 9;

        (void) arg;
        CHECK(belay_soon(eager_from_callback, &number) != 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(number, 0);
        return 0;
}

/* 10000 eager tasks that end at once use the same stack one after the other. */
static int eager_many(void *arg) {
        int number = 5;

        (void) arg;
        for (int i = 0; i < 10000; i++) {
                belay_task *task = must(belay_spawn_with(
                        eager_result, &number, BELAY_OPTIONS(belay_spawn_options, .eager = true)));

                CHECK_EQ(belay_result(task), 5);
                belay_release(task);
        }
        CHECK_EQ(belay_loop_count(belay_loop_self()), 1);
        return 0;
}

/* The end of a child must not wake its creator from an unrelated wait (systemd). */
static int creator_sleeps_on(void *arg) {
        belay_time begin = belay_now();

        (void) arg;
        for (int i = 0; i < 3; i++)
                belay_release(must(belay_spawn(letter, "x")));
        CHECK_EQ(belay_sleep(10 * BELAY_SECOND), 0);
        CHECK_EQ(belay_now() - begin, 10 * BELAY_SECOND);
        return 0;
}

/* A detached task runs, its argument is destroyed, and its failure is logged when it ends. */
static int detached_name(void *arg) {
        CHECK_STR(belay_name(belay_self()), "detached");
        ++*(int *) arg;
        return belay_fail(-EIO, "nobody's");
}

static void add_ten(void *arg) {
        *(int *) arg += 10;
}

static int detached(void *arg) {
        int ran = 0;

        (void) arg;
        keep_lines();
        CHECK_EQ(belay_spawn_detached(detached_name, &ran,
                                      BELAY_OPTIONS(belay_spawn_options, .name = "detached",
                                                    .destroy = add_ten)),
                 0);
        CHECK_EQ(ran, 0);
        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(ran, 11);
        CHECK_EQ(kept_count, 1);
        CHECK_LINES(1, "task detached (started at " __FILE__);
        CHECK_LINES(1, "nobody's");
        CHECK_EQ(belay_spawn_detached(
                         detached_name, &ran,
                         BELAY_OPTIONS(belay_spawn_options, .stack_size = SIZE_MAX / 2)),
                 -EINVAL);
        CHECK_EQ(belay_loop_count(belay_loop_self()), 1);
        CHECK_EQ(ran, 11);
        belay_set_log(NULL, NULL);
        return 0;
}

/* ---- errors ---- */

static int too_large(void *arg) {
        struct thing thing = { 0 };
        belay_task *task;

        (void) arg;
        keep_lines();
        errno = 0;
        task = belay_spawn_with(sleeps, &thing,
                                BELAY_OPTIONS(belay_spawn_options, .stack_size = HUGE_STACK,
                                              .destroy = destroy_thing));
        CHECK(task == NULL);
        CHECK_EQ(errno, HUGE_ERROR);
        CHECK_EQ(thing.destroyed, 0); /* still belongs to the caller */
        CHECK_EQ(thing.runs, 0);
        CHECK_LINES(1, "no stack for a task started at " __FILE__);
        CHECK_EQ(belay_loop_count(belay_loop_self()), 1);
        task = belay_spawn_with(sleeps, &thing,
                                BELAY_OPTIONS(belay_spawn_options, .stack_size = SIZE_MAX,
                                              .destroy = destroy_thing));
        CHECK(task == NULL);
        CHECK(errno == EINVAL || errno == ENOMEM);
        CHECK_EQ(thing.destroyed, 0);
        belay_set_log(NULL, NULL);
        return 0;
}

/*
 * A program that was built against an older header. The fields that its options do not have count
 * as 0.
 */
static int older_options(void *arg) {
        belay_spawn_options options = { .name = "old", .eager = true };
        struct thing thing = { 0 };
        belay_task *task;

        (void) arg;
        options.size = offsetof(belay_spawn_options, eager);
        task = must(belay_spawn_with(returns_at_once, &thing, &options));
        CHECK_EQ(thing.runs, 0);
        CHECK_STR(belay_name(task), "old");
        CHECK_EQ(belay_await(task, NULL), 0);
        CHECK_EQ(thing.runs, 1);
        belay_release(task);
        /* A program that was built against a newer header. */
        struct {
                belay_spawn_options options;
                char unknown[64];
        } newer = { .options = { .size = sizeof(newer), .eager = true }, .unknown = "unknown" };
        task = must(belay_spawn_with(returns_at_once, &thing, &newer.options));
        CHECK(belay_done(task));
        belay_release(task);
        return 0;
}

int main(void) {
        struct thing thing = { 0 };

        RUN_VIRTUAL(order);
        RUN_VIRTUAL(names);
        RUN_VIRTUAL(stack_of_its_own);
        CHECK_EQ(belay_run_with(stack_of_the_loop, NULL,
                                BELAY_OPTIONS(belay_loop_options, .stack_size = 400 * 1024)),
                 0);
        RUN_VIRTUAL(destroyed_once);

        /* The shutdown destroys the arguments, in a wait and before or after the first step. */
        RUN_VIRTUAL(leaves_tasks);
        CHECK_EQ(left_over[0].runs, 1);
        CHECK_EQ(left_over[0].destroyed, 1);
        CHECK_EQ(left_over[1].destroyed, 1);

        RUN_VIRTUAL(eager);
        RUN_VIRTUAL(eager_elsewhere);
        RUN_VIRTUAL(eager_many);
        CHECK_EQ(belay_run(eager_many, NULL), 0);
        RUN_VIRTUAL(creator_sleeps_on);
        RUN_VIRTUAL(detached);
        if (!CHECKED)
                RUN_VIRTUAL(too_large);
        RUN_VIRTUAL(older_options);

        /* No loop runs. */
        keep_lines();
        errno = 0;
        CHECK(belay_spawn(returns_at_once, &thing) == NULL);
        CHECK_EQ(errno, EPERM);
        errno = 0;
        CHECK(belay_spawn_with(returns_at_once, &thing,
                               BELAY_OPTIONS(belay_spawn_options, .destroy = destroy_thing))
              == NULL);
        CHECK_EQ(errno, EPERM);
        CHECK_EQ(thing.runs, 0);
        CHECK_EQ(thing.destroyed, 0);
        CHECK_LINES(2, "misuse at " __FILE__);
        return 0;
}
