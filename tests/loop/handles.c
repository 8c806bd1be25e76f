/* SPDX-License-Identifier: MIT */
/*
 * Handles that are left when a loop is closed. The loop names them in the log if an option requests
 * it. Each keeps little more memory than its own record.
 */
#include "../base/help.h"

static belay_task *kept[200];

static int ends(void *arg) {
        return arg != NULL ? belay_fail(-EPROTO, "config: line 3 is bad") : 7;
}

static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_NEVER);
}

static char place[5][64];

#define HERE(i) snprintf(place[i], sizeof(place[i]), "started at %s:%d;", __FILE__, __LINE__ + 1)

static int forgets(void *arg) {
        belay_spawn_options reader = { .size = sizeof(reader), .name = "reader" };

        (void) arg;
        HERE(0);
        kept[0] = must(belay_spawn(ends, NULL));
        HERE(1);
        kept[1] = must(belay_spawn_with(ends, &kept, &reader));
        HERE(2);
        kept[2] = must(belay_spawn(sleeps, NULL));
        HERE(3);
        kept[3] = must(belay_future_new());
        belay_ref(kept[0]);
        /* This handle is released. */
        belay_release(must(belay_spawn(ends, NULL)));
        CHECK_EQ(belay_yield(), 0);
        return 0;
}

static void release(int count) {
        for (int i = 0; i < count; i++)
                belay_release(kept[i]);
}

static void check_named(const belay_loop_options *options) {
        char line[512];

        keep_lines();
        CHECK_EQ(belay_run_with(forgets, NULL, options), 0);
        CHECK_LINES(4, "left when its loop is closed");
        snprintf(line, sizeof(line), "%s it ended with 7) has 2 handles left", place[0]);
        CHECK_LINES(1, line);
        snprintf(line, sizeof(line),
                 "task reader (%s it failed: Protocol error: config: "
                 "line 3 is bad) has 1 handle left",
                 place[1]);
        CHECK_LINES(1, line);
        snprintf(line, sizeof(line), "%s it was cancelled) has 1 handle left", place[2]);
        CHECK_LINES(1, line);
        snprintf(line, sizeof(line), "(%s it is pending) has 1 handle left", place[3]);
        CHECK_LINES(1, line);
        CHECK_LINES(1, "future #");
        CHECK_LINES(0, "more tasks and futures have");
        /* The outcomes of ended tasks, and the other calls on handles, are still available. */
        CHECK_EQ(belay_result(kept[0]), 7);
        CHECK_STR(belay_failure_text(belay_failure_of(kept[1])), "config: line 3 is bad");
        CHECK(belay_cancelled(kept[2]) && !belay_done(kept[3]));
        CHECK_EQ(belay_future_set(kept[3], 1), 0);
        belay_release(kept[0]);
        release(4);
}

static void check_unnamed(const belay_loop_options *options) {
        keep_lines();
        CHECK_EQ(belay_run_with(forgets, NULL, options), 0);
        CHECK_EQ(lines_with("left when"), 0);
        CHECK_EQ(belay_result(kept[1]), -EPROTO);
        belay_release(kept[0]);
        release(4);
}

/* ---- each kind of end ---- */

static int returns(void *arg) {
        return *(int *) arg;
}

static int fails_at_length(void *arg) {
        (void) arg;
        return belay_fail(-EPROTO, "%.700d", 0);
}

static int ends_in_each_way(void *arg) {
        static int zero = 0, error = -EIO;

        (void) arg;
        kept[0] = must(belay_spawn(returns, &zero));
        kept[1] = must(belay_spawn(returns, &error));
        kept[2] = must(belay_spawn(fails_at_length, NULL));
        return belay_yield();
}

/* A failure of many bytes is cut: the line says of each end 511 bytes at most. */
static void check_ends(const belay_loop_options *options) {
        char line[512];

        keep_lines();
        CHECK_EQ(belay_run_with(ends_in_each_way, NULL, options), 0);
        CHECK_EQ(kept_count, 3);
        CHECK_LINES(1, "; it ended with 0) has 1 handle left");
        snprintf(line, sizeof(line), "; it failed: %s) has 1 handle left", strerror(EIO));
        CHECK_LINES(1, line);
        for (unsigned i = 0; i < kept_count; i++) {
                char *text = strstr(kept_lines[i].text, "; it failed: Protocol error: 0000");

                if (text == NULL)
                        continue;
                text += strlen("; it ");
                CHECK_EQ(strcspn(text, ")"), 511);
        }
        CHECK_LINES(1, "; it failed: Protocol error: 0000");
        release(3);
}

/* ---- only 100 of many handles are named ---- */

static int forgets_many(void *arg) {
        (void) arg;
        for (int i = 0; i < 200; i++)
                kept[i] = must(belay_spawn(ends, NULL));
        return belay_yield();
}

static void check_many(const belay_loop_options *options) {
        keep_lines();
        CHECK_EQ(belay_run_with(forgets_many, NULL, options), 0);
        CHECK_LINES(100, "it ended with 7) has 1 handle left");
        CHECK_LINES(1, "100 more tasks and futures have handles left");
        release(200);
}

/* ---- the memory that one handle keeps ---- */

static size_t live;
static unsigned made; /* number of blocks that were allocated */

/* The size is stored before each block. */
static void *count_memory(void *context, void *block, size_t size) {
        size_t *before = block != NULL ? (size_t *) block - 2 : NULL, *after;

        (void) context;
        if (before != NULL)
                live -= *before;
        if (size == 0) {
                free(before);
                return NULL;
        }
        after = realloc(before, size + 2 * sizeof(*after));
        CHECK(after != NULL);
        made += before == NULL;
        *after = size;
        live += size;
        return after + 2;
}

enum { BURST = 20000 };

static int bursts(void *arg) {
        static belay_task *tasks[BURST];

        (void) arg;
        for (int i = 0; i < BURST; i++)
                tasks[i] = must(belay_spawn(ends, NULL));
        CHECK_EQ(belay_yield(), 0);
        for (int i = 0; i < BURST; i++)
                if (i == BURST / 3)
                        kept[0] = tasks[i];
                else
                        belay_release(tasks[i]);
        return 0;
}

/*
 * One handle of the burst keeps less than 100 bytes per task of the burst. The last release frees
 * all of it.
 */
static void check_kept(const belay_loop_options *options) {
        size_t before = live;

        CHECK_EQ(belay_run_with(bursts, NULL, options), 0);
        printf("one handle of %d keeps %zu KiB\n", BURST, (live - before) / 1024);
        CHECK(live - before < (size_t) BURST * 400 / 4);
        CHECK_EQ(belay_result(kept[0]), 7);
        belay_release(kept[0]);
        CHECK_EQ(live, before);
}

/*
 * The records of handles share blocks of memory. If handles are named, each record has a block of
 * its own. Some checkers cause that, too.
 */
static int makes_futures(void *arg) {
        unsigned before = made;

        for (int i = 0; i < 200; i++)
                kept[i] = must(belay_future_new());
        *(unsigned *) arg = made - before;
        release(200);
        return 0;
}

static void check_blocks(const belay_loop_options *options, bool apart) {
        unsigned blocks = 0;

        CHECK_EQ(belay_run_with(makes_futures, &blocks, options), 0);
        CHECK(apart ? blocks >= 200 : blocks < 20);
}

/* Tasks that the shutdown abandoned must not be reported as handles that the program forgot. */
static int never_ends(void *arg) {
        int rc;

        (void) arg;
        do
                rc = belay_sleep(BELAY_NEVER);
        while (rc == -ECANCELED);
        return rc;
}

static int starts_it(void *arg) {
        (void) arg;
        belay_release(must(belay_spawn(never_ends, NULL)));
        return belay_yield();
}

static void check_abandoned(const belay_loop_options *given) {
        belay_loop_options options = *given;

        options.shutdown_limit = 1;
        keep_lines();
        CHECK_EQ(belay_run_with(starts_it, NULL, &options), -ETIMEDOUT);
        CHECK_EQ(lines_with("left when"), 0);
}

int main(void) {
        const belay_loop_options *plain = VIRTUAL;
        const belay_loop_options *named = BELAY_OPTIONS(
                belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL, .name_handles = true);

        unsetenv("BELAY_DEBUG");
        belay_set_memory(count_memory, NULL);
        check_named(named);
        check_unnamed(plain);
        check_ends(named);
        check_many(named);
        check_kept(plain);
        check_kept(named);
        if (!is_checked())
                check_blocks(plain, false);
        check_blocks(named, true);
        CHECK_EQ(setenv("BELAY_DEBUG", "handles", 1), 0);
        check_named(plain);
        CHECK_EQ(setenv("BELAY_DEBUG", "this,handles", 1), 0);
        check_named(plain);
        CHECK_EQ(setenv("BELAY_DEBUG", "handle,handles2", 1), 0);
        check_unnamed(plain);
        unsetenv("BELAY_DEBUG");
        CHECK_EQ(live, 0);
        check_abandoned(named);
        return 0;
}
