/* SPDX-License-Identifier: MIT */
/*
 * What a run returns, and which information a loop provides.
 */
#include "../base/help.h"

static int returns(void *arg) {
        return *(int *) arg;
}

static int fails(void *arg) {
        (void) arg;
        return belay_fail(-EPROTO, "bad header");
}

static void results(void) {
        int codes[] = { 0, 1, 12345, -EIO, -ECANCELED, -ETIMEDOUT, -EINTR };

        for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
                CHECK_EQ(belay_run(returns, &codes[i]), codes[i]);
                CHECK_EQ(belay_run_with(returns, &codes[i], VIRTUAL), codes[i]);
                CHECK_EQ(belay_run_with(returns, &codes[i], NULL), codes[i]);
                CHECK_EQ((belay_run) (returns, &codes[i]), codes[i]);
        }
}

static int cancels_itself(void *arg) {
        (void) arg;
        belay_cancel(belay_self(), NULL);
        return belay_sleep(1);
}

/* ---- nested ---- */

static int nested(void *arg) {
        int zero = 0;
        belay_loop *loop;

        (void) arg;
        CHECK_EQ(belay_run(returns, &zero), -EBUSY);
        CHECK_EQ(belay_run_with(returns, &zero, VIRTUAL), -EBUSY);
        /* Another loop may be made, but not run. */
        loop = belay_loop_new(VIRTUAL);
        CHECK(loop != NULL);
        CHECK(belay_loop_self() != loop);
        CHECK_EQ(belay_loop_run(loop, returns, &zero, NULL), -EBUSY);
        CHECK_EQ(belay_loop_run(belay_loop_self(), returns, &zero, NULL), -EBUSY);
        CHECK_EQ(belay_loop_close(loop), -EBUSY);
        *(belay_loop **) arg = loop;
        CHECK_EQ(belay_yield(), 0);
        return 0;
}

/* ---- options ---- */

static int looks_at_clock(void *arg) {
        belay_time begin = belay_now();

        CHECK_EQ(begin == 0, *(bool *) arg);
        CHECK_EQ(belay_loop_now(belay_loop_self()) >= begin, 1);
        if (*(bool *) arg) {
                CHECK_EQ(belay_sleep(1000 * BELAY_HOUR), 0);
                CHECK_EQ(belay_now(), 1000 * BELAY_HOUR);
                CHECK_EQ(belay_advance(1), 0);
                CHECK_EQ(belay_now(), 1000 * BELAY_HOUR + 1);
        } else {
                keep_lines();
                CHECK_EQ(belay_advance(1), -EPERM);
                CHECK_LINES(1, "belay_advance()");
                belay_set_log(NULL, NULL);
        }
        return 0;
}

static void options(void) {
        struct {
                belay_loop_options options;
                char unknown[64];
        } newer = { .options = { .size = sizeof(newer), .clock = BELAY_CLOCK_VIRTUAL },
                    .unknown = "unknown" };
        belay_loop_options older = { .size = offsetof(belay_loop_options, clock),
                                     .clock = BELAY_CLOCK_VIRTUAL };
        bool virtual = true, real = false;
        int zero = 0;

        CHECK_EQ(belay_run_with(looks_at_clock, &virtual, VIRTUAL), 0);
        CHECK_EQ(belay_run_with(looks_at_clock, &virtual, &newer.options), 0);
        CHECK_EQ(belay_run_with(looks_at_clock, &real, &older), 0);
        CHECK_EQ(belay_run(looks_at_clock, &real), 0);

        errno = 0;
        CHECK(belay_loop_new(BELAY_OPTIONS(belay_loop_options, .clock = (belay_clock) 7)) == NULL);
        CHECK_EQ(errno, EINVAL);
        errno = 0;
        CHECK(belay_loop_new(BELAY_OPTIONS(belay_loop_options, .shutdown_limit = -1)) == NULL);
        CHECK_EQ(errno, EINVAL);
        CHECK_EQ(belay_run_with(returns, &zero,
                                BELAY_OPTIONS(belay_loop_options, .clock = (belay_clock) -1)),
                 -EINVAL);
}

/* If no descriptor is available, no loop can be made. */
static void descriptors(void) {
        struct rlimit limit, none;
        int zero = 0, lowest = dup(0);

        CHECK(lowest >= 0);
        close(lowest);
        for (int i = 0; i < 100; i++)
                CHECK_EQ(belay_run(returns, &zero), 0);
        CHECK_EQ(dup(0), lowest);
        close(lowest);
        CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
        none = limit;
        none.rlim_cur = (rlim_t) lowest;
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
        errno = 0;
        CHECK(belay_loop_new(NULL) == NULL);
        CHECK_EQ(errno, EMFILE);
        CHECK_EQ(belay_run(returns, &zero), -EMFILE);
        CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
        CHECK_EQ(belay_run(returns, &zero), 0);
}

/* ---- no memory ---- */

static unsigned blocks_left = -1U; /* number of blocks that can still be allocated */

static void *few_blocks(void *context, void *block, size_t size) {
        (void) context;
        if (size == 0) {
                free(block);
                return NULL;
        }
        if (block == NULL && blocks_left == 0)
                return NULL;
        blocks_left -= block == NULL;
        return realloc(block, size);
}

/* Whichever block of a loop is refused: the error is the same, and no descriptor is left open. */
static void no_memory(void) {
        int zero = 0, lowest = dup(0);
        belay_loop *loop = NULL;

        close(lowest);
        for (unsigned blocks = 0; loop == NULL; blocks++) {
                CHECK(blocks < 50);
                blocks_left = blocks;
                errno = 0;
                loop = belay_loop_new(VIRTUAL);
                if (loop == NULL) {
                        CHECK_EQ(errno, ENOMEM);
                        CHECK_EQ(dup(0), lowest);
                        close(lowest);
                }
        }
        blocks_left = -1U;
        CHECK_EQ(belay_loop_run(loop, returns, &zero, NULL), 0);
        CHECK_EQ(belay_loop_close(loop), 0);
}

/* ---- information about the loop ---- */

static int sleeps(void *arg) {
        (void) arg;
        return belay_sleep(BELAY_SECOND);
}

static int looks(void *arg) {
        belay_loop *loop = belay_loop_self();
        belay_task *tasks[3];

        CHECK(loop == *(belay_loop **) arg);
        CHECK(belay_loop_main(loop) == belay_self());
        CHECK_STR(belay_name(belay_self()), "main");
        CHECK_EQ(belay_loop_signal(loop), 0);
        CHECK(belay_loop_failure(loop) == NULL);
        CHECK_EQ(belay_loop_count(loop), 1);
        for (int i = 0; i < 3; i++)
                tasks[i] = must(belay_spawn(sleeps, NULL));
        belay_release(must(belay_future_new()));
        CHECK_EQ(belay_loop_count(loop), 4);
        for (int i = 0; i < 3; i++) {
                CHECK_EQ(belay_await(tasks[i], NULL), 0);
                belay_release(tasks[i]);
        }
        CHECK_EQ(belay_loop_count(loop), 1);
        return 9;
}

static void looking(void) {
        belay_loop *loop = belay_loop_new(VIRTUAL);
        int outcome = 0, zero = 0;

        CHECK(loop != NULL);
        CHECK(belay_loop_self() == NULL);
        CHECK(belay_loop_main(loop) == NULL);
        CHECK_EQ(belay_loop_count(loop), 0);
        CHECK_EQ(belay_loop_run(loop, looks, &loop, &outcome), 0);
        CHECK_EQ(outcome, 9);
        CHECK(belay_loop_self() == NULL);
        CHECK(belay_done(belay_loop_main(loop)));
        CHECK_EQ(belay_loop_now(loop), BELAY_SECOND);
        CHECK_EQ(belay_loop_count(loop), 0);

        /* The failure of main is available until the next run. */
        CHECK_EQ(belay_loop_run(loop, fails, NULL, &outcome), 0);
        CHECK_EQ(outcome, -EPROTO);
        CHECK_EQ(belay_failure_code(belay_loop_failure(loop)), -EPROTO);
        CHECK_STR(belay_failure_text(belay_loop_failure(loop)), "bad header");
        CHECK_EQ(belay_loop_run(loop, returns, &zero, &outcome), 0);
        CHECK(belay_loop_failure(loop) == NULL);
        CHECK_EQ(belay_loop_run(loop, cancels_itself, NULL, &outcome), 0);
        CHECK_EQ(outcome, -ECANCELED);
        CHECK_EQ(belay_loop_run(loop, fails, NULL, NULL), 0);
        CHECK_EQ(belay_loop_close(loop), 0);
        CHECK_EQ(belay_loop_close(NULL), 0);
}

int main(void) {
        belay_loop *inner = NULL;

        belay_set_memory(few_blocks, NULL);
        results();
        CHECK_EQ(belay_run(cancels_itself, NULL), -ECANCELED);
        CHECK_EQ(belay_run(nested, &inner), 0);
        CHECK_EQ(belay_loop_close(inner), 0);
        options();
        descriptors();
        no_memory();
        looking();
        return 0;
}
