/* SPDX-License-Identifier: MIT */
/*
 * Deadlock: when nothing can happen any more, the loop reports which task waits for what, and the
 * waits fail with -EDEADLK.
 */
#include <sys/time.h>

#include "../base/help.h"

static belay_lock lock;
static belay_future *future;
static belay_task *tasks[3];
static int codes[3];

/* ---- a lock that is never released ---- */

static int takes_and_ends(void *arg) {
        (void) arg;
        return belay_lock_acquire(&lock);
}

static int wants_it(void *arg) {
        codes[0] = belay_lock_acquire(&lock);
        (void) arg;
        return codes[0];
}

static int never_released(void *arg) {
        belay_task *task, *taker;
        int outcome;

        (void) arg;
        lock = (belay_lock) { 0 };
        keep_lines();
        taker = must(belay_spawn(takes_and_ends, NULL));
        task = must(belay_spawn_with(wants_it, NULL,
                                     BELAY_OPTIONS(belay_spawn_options, .name = "wants")));
        CHECK_EQ(belay_join(task, &outcome), 0);
        CHECK_EQ(outcome, -EDEADLK);
        CHECK_EQ(codes[0], -EDEADLK);
        CHECK_LINES(1, "deadlock: 2 tasks");
        CHECK_LINES(1, "  wants  waiting: lock of " __FILE__);
        CHECK_LINES(2, " (#"); /* main, and the task that wants the lock */
        /* After the report, the loop goes on. */
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        belay_release(task);
        belay_release(taker);
        belay_set_log(NULL, NULL);
        return 0;
}

/* ---- whole lines of the report ---- */

static char asks_at[64], taken_at[64], spawned_at[64], joins_at[64];

/* Stores the place of the next line. */
#define HERE(place) snprintf(place, sizeof(place), "%s:%d", __FILE__, __LINE__ + 1)

static int asks(void *arg) {
        (void) arg;
        HERE(asks_at);
        return belay_lock_acquire(&lock);
}

/* Checks the text of a kept line, in which `*` replaces the used part of a stack. */
static void check_line(unsigned index, const char *text) {
        char line[1024], *used;

        CHECK(index < kept_count);
        CHECK_EQ(kept_lines[index].level, BELAY_LOG_ERROR);
        snprintf(line, sizeof(line), "%s", kept_lines[index].text);
        used = strstr(line, "; stack ");
        if (used != NULL) {
                char *end = strchr(used += strlen("; stack "), ' ');

                CHECK(end != NULL && end > used);
                *used++ = '*';
                memmove(used, end, strlen(end) + 1);
        }
        CHECK_STR(line, text);
}

static int whole_lines(void *arg) {
        belay_spawn_options options = { .size = sizeof(options), .name = "asks" };
        char main_line[1024], line[1024];
        belay_task *task;
        bool main_first;

        (void) arg;
        lock = (belay_lock) { 0 };
        HERE(taken_at);
        CHECK_EQ(belay_lock_acquire(&lock), 0);
        HERE(spawned_at);
        task = must(belay_spawn_with(asks, NULL, &options));
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        keep_lines();
        HERE(joins_at);
        CHECK_EQ(belay_join(task, NULL), 0);
        CHECK_EQ(kept_count, 3);
        check_line(0, "deadlock: 2 tasks, none of them ready, no deadline, nothing to come from "
                      "outside:");
        snprintf(main_line, sizeof(main_line),
                 "  main  waiting: join of asks at %s for 0 ns  (#1, started at ", joins_at);
        /* If a checker watches, the records have another order. */
        main_first = strncmp(kept_lines[1].text, "  main", 6) == 0;
        CHECK(strncmp(kept_lines[main_first ? 1 : 2].text, main_line, strlen(main_line)) == 0);
        snprintf(
                line, sizeof(line),
                "  asks  waiting: lock of %s at %s for 1 s  (#2, started at %s; stack * of 64 KiB)",
                taken_at, asks_at, spawned_at);
        check_line(main_first ? 2 : 1, line);
        CHECK_EQ(belay_result(task), -EDEADLK);
        belay_release(task);
        CHECK_EQ(belay_lock_release(&lock), 0);
        belay_set_log(NULL, NULL);
        return 0;
}

/* ---- a future that is never set ---- */

static int awaits_future(void *arg) {
        int outcome = 99;

        *(int *) arg = belay_await(future, &outcome);
        CHECK_EQ(outcome, 99);
        /* Cleanup may wait. */
        CHECK_EQ(belay_sleep(BELAY_SECOND), 0);
        return *(int *) arg;
}

static int never_set(void *arg) {
        (void) arg;
        future = must(belay_future_new());
        keep_lines();
        for (int i = 0; i < 3; i++)
                tasks[i] = must(belay_spawn(awaits_future, &codes[i]));
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_await(tasks[i], NULL), 0);
                CHECK_EQ(codes[i], -EDEADLK);
                CHECK_EQ(belay_result(tasks[i]), -EDEADLK);
                belay_release(tasks[i]);
        }
        CHECK_LINES(1, "deadlock: 4 tasks");
        belay_set_log(NULL, NULL);
        belay_release(future);
        return 0;
}

/* All kinds of waits for the future. */
static int ways_of_waiting(void *arg) {
        (void) arg;
        future = must(belay_future_new());
        keep_lines();
        CHECK_EQ(belay_await(future, NULL), -EDEADLK);
        CHECK_EQ(belay_join(future, NULL), -EDEADLK);
        CHECK_EQ(belay_shield(future, NULL), -EDEADLK);
        CHECK_EQ(belay_sleep(BELAY_NEVER), -EDEADLK);
        CHECK_LINES(4, "deadlock: 1 task, ");
        CHECK_EQ(belay_cancelling(belay_self()), 0);
        /* A broken wait leaves no request. */
        CHECK_EQ(belay_yield(), 0);
        belay_set_log(NULL, NULL);
        belay_release(future);
        return 0;
}

/* ---- circles ---- */

static int awaits_next(void *arg) {
        size_t i = (size_t) arg;

        codes[i] = belay_join(tasks[(i + 1) % 3], NULL);
        return codes[i];
}

/*
 * Returns the index of the task that the line begins with. The line is checked as a whole, since
 * the circle may be named from any of its tasks.
 */
static size_t named_first(const char *const names[3]) {
        char line[128];

        for (size_t i = 0; i < 3; i++) {
                snprintf(line, sizeof(line), "  a circle: %s -> %s -> %s -> %s", names[i],
                         names[(i + 1) % 3], names[(i + 2) % 3], names[i]);
                for (unsigned j = 0; j < kept_count; j++)
                        if (strcmp(kept_lines[j].text, line) == 0)
                                return i;
        }
        show_lines();
        CHECK(!"the circle is named");
        return 0;
}

static int circle(void *arg) {
        static const char *const names[] = { "anna", "bert", "carl" };
        size_t first;

        (void) arg;
        keep_lines();
        for (size_t i = 0; i < 3; i++)
                tasks[i] = must(
                        belay_spawn_with(awaits_next, (void *) i,
                                         BELAY_OPTIONS(belay_spawn_options, .name = names[i])));
        for (int i = 0; i < 3; i++)
                CHECK_EQ(belay_join(tasks[i], NULL), 0);
        CHECK_LINES(1, "deadlock: 4 tasks");
        CHECK_LINES(1, "a circle: ");
        /*
         * The wait of the task that is named first is broken. The other tasks end by themselves,
         * since the task that each waits for has ended.
         */
        first = named_first(names);
        for (size_t i = 0; i < 3; i++)
                CHECK_EQ(codes[i], i == first ? -EDEADLK : 0);
        belay_set_log(NULL, NULL);
        for (int i = 0; i < 3; i++) {
                CHECK(belay_result(tasks[i]) <= 0);
                belay_release(tasks[i]);
        }
        return 0;
}

/*
 * A circle of many tasks, whose names all have the same length. The line has names as long as it
 * has fewer than 800 bytes of them. Names that are very long are cut.
 */
enum { MANY = 40 };

struct shape {
        size_t length;   /* of each name */
        unsigned arrows; /* that the line has */
};

static belay_task *around[MANY];

static int joins_next(void *arg) {
        return belay_join(around[((size_t) arg + 1) % MANY], NULL);
}

static unsigned count_arrows(const char *text) {
        unsigned count = 0;

        while ((text = strstr(text, " -> ")) != NULL) {
                text += strlen(" -> ");
                count++;
        }
        return count;
}

static int long_circle(void *arg) {
        const struct shape *shape = arg;
        char name[256];

        keep_lines();
        memset(name, 'x', sizeof(name));
        name[shape->length] = '\0';
        for (size_t i = 0; i < MANY; i++) {
                name[0] = (char) ('a' + i % 26);
                name[1] = (char) ('a' + i / 26);
                around[i] = must(belay_spawn_with(
                        joins_next, (void *) i, BELAY_OPTIONS(belay_spawn_options, .name = name)));
        }
        for (int i = 0; i < MANY; i++) {
                CHECK_EQ(belay_join(around[i], NULL), 0);
                belay_release(around[i]);
        }
        CHECK_LINES(1, "a circle: ");
        for (unsigned i = 0; i < kept_count; i++)
                if (strstr(kept_lines[i].text, "a circle: ") != NULL)
                        CHECK_EQ(count_arrows(kept_lines[i].text), shape->arrows);
        belay_set_log(NULL, NULL);
        return 0;
}

static void long_circles(void) {
        struct shape shapes[] = { { 36, 20 }, { 43, 18 }, { 31, 23 }, { 190, 4 } };

        for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
                CHECK_EQ(belay_run_with(long_circle, &shapes[i], VIRTUAL), 0);
}

/*
 * A circle of awaits ends when it is cancelled: the request is forwarded once around (asyncio
 * recurses until its stack is exhausted).
 */
static int awaits_next_really(void *arg) {
        size_t i = (size_t) arg;

        codes[i] = belay_await(tasks[(i + 1) % 3], NULL);
        return codes[i];
}

static int cancelled_circle(void *arg) {
        (void) arg;
        keep_lines();
        for (size_t i = 0; i < 3; i++)
                tasks[i] = must(belay_spawn(awaits_next_really, (void *) i));
        CHECK_EQ(belay_yield(), 0);
        belay_cancel(tasks[0], NULL);
        CHECK_LINES(1, "tasks wait for each other in a circle");
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_join(tasks[i], NULL), 0);
                CHECK(codes[i] == -ECANCELED || codes[i] == -EDEADLK || codes[i] == 0);
                belay_release(tasks[i]);
        }
        belay_set_log(NULL, NULL);
        return 0;
}

/* ---- states that are no deadlock ---- */

static int sleeps_an_hour(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_HOUR);
}

static void sets(void *arg) {
        CHECK_EQ(belay_future_set(arg, 5), 0);
}

static int deadlines(void *arg) {
        belay_task *task;
        int outcome;

        (void) arg;
        keep_lines();
        /* While a timer is set, its callback may still set the future. */
        future = must(belay_future_new());
        task = must(belay_spawn(sleeps_an_hour, NULL));
        CHECK(belay_later(2 * BELAY_HOUR, sets, future) != 0);
        CHECK_EQ(belay_join(future, &outcome), 0);
        CHECK_EQ(outcome, 5);
        CHECK_LINES(0, "deadlock: ");
        belay_set_log(NULL, NULL);
        belay_release(task);
        belay_release(future);
        return 0;
}

/* Main waits for a task that sleeps without a limit. If signals cannot come, no event can. */
static int sleeps_for_ever(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_NEVER);
}

static int main_sleeps_for_ever(void *arg) {
        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_NEVER), -EDEADLK);
        return 0;
}

/*
 * In the shutdown: after its cancellation, a task waits in its cleanup for an event that cannot
 * occur.
 */
static int waits_in_cleanup(void *arg) {
        CHECK_EQ(belay_sleep(BELAY_NEVER), -ECANCELED);
        *(int *) arg = belay_sleep(BELAY_NEVER);
        return 0;
}

static int leaves_it(void *arg) {
        belay_release(must(belay_spawn(waits_in_cleanup, arg)));
        return belay_yield();
}

/* A program that ends by a deadlock, which no task handles. */
static int ends_by_it(void *arg) {
        future = must(belay_future_new());
        (void) arg;
        return belay_await(future, NULL);
}

/* With the option to keep waiting, it waits without end, and the alarm ends the process. */
static int keeps_waiting(void *arg) {
        struct itimerval soon = { .it_value.tv_usec = 50000 };

        belay_set_log(NULL, NULL);
        signal(SIGALRM, SIG_DFL);
        CHECK_EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
        return belay_run_with(
                       ends_by_it, arg,
                       BELAY_OPTIONS(belay_loop_options, .keep_waiting = true, .no_signals = true))
                               == 0
                       ? 3
                       : 4;
}

int main(void) {
        struct child child;
        int code = 0;

        RUN_VIRTUAL(never_released);
        CHECK_EQ(belay_run(never_released, NULL), 0);
        RUN_VIRTUAL(whole_lines);
        RUN_VIRTUAL(never_set);
        RUN_VIRTUAL(ways_of_waiting);
        RUN_VIRTUAL(circle);
        long_circles();
        RUN_VIRTUAL(cancelled_circle);
        RUN_VIRTUAL(deadlines);
        keep_lines();
        CHECK_EQ(belay_run_with(main_sleeps_for_ever, NULL,
                                BELAY_OPTIONS(belay_loop_options, .no_signals = true)),
                 0);
        CHECK_LINES(1, "deadlock: 1 task, ");
        keep_lines();
        CHECK_EQ(belay_run_with(sleeps_for_ever, NULL, VIRTUAL), -EDEADLK);
        CHECK_LINES(1, "deadlock: ");
        keep_lines();
        CHECK_EQ(belay_run_with(leaves_it, &code, VIRTUAL), 0);
        CHECK_EQ(code, -EDEADLK);
        CHECK_LINES(1, "deadlock: ");
        keep_lines();
        CHECK_EQ(belay_run(ends_by_it, NULL), -EDEADLK);
        CHECK_LINES(1, "deadlock: ");
        belay_release(future);
        in_child(&child, keeps_waiting, NULL);
        CHECK(WIFSIGNALED(child.status));
        CHECK_EQ(WTERMSIG(child.status), SIGALRM);
        CHECK_STR(child.text, "");
        return 0;
}
