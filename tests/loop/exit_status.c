/* SPDX-License-Identifier: MIT */
/*
 * belay_main(): the exit status of a program, and the log line that says why it is not 0.
 */
#include <signal.h>

#include "../base/help.h"

#include <belay/embed.h>

static int returns(void *arg) {
        return *(int *) arg;
}

static int fails(void *arg) {
        (void) arg;
        return belay_fail(-EPROTO, "config: line 3 is bad");
}

static int is_cancelled(void *arg) {
        (void) arg;
        return belay_fail(-ECANCELED, "enough");
}

static int ends_by_signal(void *arg) {
        CHECK_EQ(raise(*(int *) arg), 0);
        return belay_sleep(BELAY_HOUR);
}

static int is_interrupted(void *arg) {
        (void) arg;
        CHECK_EQ(belay_interrupt(NULL), 0);
        return belay_sleep(BELAY_HOUR);
}

/* The signal cancels main, which ends with a result nevertheless. */
static int finishes_after_signal(void *arg) {
        CHECK_EQ(raise(*(int *) arg), 0);
        CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        return 7;
}

static int fails_after_signal(void *arg) {
        CHECK_EQ(raise(*(int *) arg), 0);
        CHECK_EQ(belay_sleep(BELAY_HOUR), -ECANCELED);
        return -EIO;
}

static int within(void *arg) {
        int zero = 0;

        (void) arg;
        return belay_main(returns, &zero);
}

/*
 * The program ends with `status`, and logs one line that ends with `text`, or none if it is NULL.
 */
static void check_end(belay_fn *fn, void *arg, int status, const char *text) {
        keep_lines();
        CHECK_EQ(belay_main(fn, arg), status);
        CHECK_EQ(kept_count, text != NULL);
        if (text != NULL) {
                CHECK_LINES(1, "main (started at " __FILE__ ":");
                CHECK_LINES(1, text);
                CHECK_EQ(kept_lines[0].level, BELAY_LOG_ERROR);
        }
        belay_set_log(NULL, NULL);
}

int main(void) {
        char text[64];
        int code;

        check_end(returns, (code = 0, &code), 0, NULL);
        check_end(returns, (code = 300, &code), 0, NULL);
        snprintf(text, sizeof(text), ") failed: %s", strerror(EIO));
        check_end(returns, (code = -EIO, &code), 1, text);
        check_end(fails, NULL, 1, ") failed: Protocol error: config: line 3 is bad");
        check_end(returns, (code = -ECANCELED, &code), 1, ") was cancelled");
        check_end(is_cancelled, NULL, 1, ") was cancelled: enough");

        check_end(ends_by_signal, (code = SIGINT, &code), 130, NULL);
        check_end(ends_by_signal, (code = SIGTERM, &code), 143, NULL);
        check_end(is_interrupted, NULL, 130, NULL);
        check_end(finishes_after_signal, (code = SIGINT, &code), 0, NULL);
        check_end(fails_after_signal, (code = SIGINT, &code), 1, text);
        /* EINTR of the program's own is a failure like any other. */
        snprintf(text, sizeof(text), ") failed: %s", strerror(EINTR));
        check_end(returns, (code = -EINTR, &code), 1, text);

        /* A task cannot run another main. */
        keep_lines();
        CHECK_EQ(belay_run(within, NULL), 1);
        snprintf(text, sizeof(text), ") cannot run: %s", strerror(EBUSY));
        CHECK_LINES(1, text);
        belay_set_log(NULL, NULL);
        return 0;
}
