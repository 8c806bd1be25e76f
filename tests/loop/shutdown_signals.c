/* SPDX-License-Identifier: MIT */
/*
 * Signals during the shutdown: the first has no further effect, since the shutdown is already under
 * way. The second has its default action. And a loop that reports no stack overflow must leave the
 * thread's signal stack unchanged.
 */
#include "../base/help.h"

static int cleans_up(void *arg) {
        int rc = belay_sleep(BELAY_HOUR);

        (void) arg;
        CHECK_EQ(rc, -ECANCELED);
        CHECK_EQ(raise(SIGTERM), 0);
        CHECK_EQ(belay_sleep(50 * BELAY_MILLISECOND), 0);
        CHECK_EQ(belay_loop_signal(belay_loop_self()), SIGTERM);
        fprintf(stderr, "cleaned up\n");
        return rc;
}

static int leaves_it(void *arg) {
        /*
         * A function pointer is passed by the address of an object that contains it, since it
         * cannot be converted to void *.
         */
        belay_fn **left = arg;

        belay_release(must(belay_spawn(left != NULL ? *left : cleans_up, NULL)));
        return belay_yield() == 0 ? 5 : 6;
}

static int once(void *arg) {
        (void) arg;
        CHECK_EQ(belay_run(leaves_it, NULL), 5);
        return 0;
}

static int raises_twice(void *arg) {
        int rc = belay_sleep(BELAY_HOUR);

        (void) arg;
        CHECK_EQ(raise(SIGTERM), 0);
        CHECK_EQ(belay_sleep(BELAY_MILLISECOND), 0);
        CHECK_EQ(raise(SIGTERM), 0);
        return rc;
}

static int twice(void *arg) {
        (void) arg;
        (void) !belay_run(leaves_it, &(belay_fn *) { raises_twice });
        return 0;
}

/*
 * A task that waits without a limit in its cleanup must not hold up the shutdown, although the loop
 * still handles signals.
 */
static int waits_for_ever(void *arg) {
        (void) arg;
        CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        CHECK_EQ(belay_sleep(BELAY_NEVER), -EDEADLK);
        return 0;
}

static int for_ever(void *arg) {
        (void) arg;
        return belay_run(leaves_it, &(belay_fn *) { waits_for_ever }) == 5 ? 0 : 1;
}

static int looks(void *arg) {
        stack_t stack;

        (void) arg;
        CHECK_EQ(sigaltstack(NULL, &stack), 0);
        return stack.ss_flags & SS_DISABLE ? 1 : 2;
}

static int signal_stack(void *arg) {
        (void) arg;
        CHECK_EQ(belay_run_with(looks, NULL,
                                BELAY_OPTIONS(belay_loop_options, .no_overflow_report = true)),
                 1);
        CHECK_EQ(belay_run(looks, NULL), 2);
        /* The thread is as it was before. */
        CHECK_EQ(looks(NULL), 1);
        return 0;
}

int main(void) {
        static struct child child;

        in_child(&child, once, NULL);
        CHECK_CHILD(&child, 0);
        CHECK(strstr(child.text, "cleaned up") != NULL);
        in_child(&child, twice, NULL);
        CHECK(WIFSIGNALED(child.status) && WTERMSIG(child.status) == SIGTERM);
        in_child(&child, for_ever, NULL);
        CHECK_CHILD(&child, 0);
        if (!is_checked()) {
                in_child(&child, signal_stack, NULL);
                CHECK_CHILD(&child, 0);
        }
        return 0;
}
