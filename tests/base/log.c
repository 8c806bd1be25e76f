/* SPDX-License-Identifier: MIT */
/*
 * Log lines go to the function of the program or to stderr. Each is one line, whatever its text
 * contains.
 */
#include "../base/help.h"

struct seen {
        unsigned count;
        belay_log_level level;
        char line[2048];
};

static void see(void *context, belay_log_level level, const char *line) {
        struct seen *seen = context;

        seen->count++;
        seen->level = level;
        snprintf(seen->line, sizeof(seen->line), "%s", line);
}

static int misuses(void *arg) {
        (void) arg;
        CHECK_EQ(belay_result_placed("there:1", belay_self()), -EINPROGRESS);
        return 0;
}

static int sleeps(void *arg) {
        (void) arg;
        while (belay_sleep(BELAY_HOUR) == -ECANCELED)
                ;
        return 0;
}

static int warns(void *arg) {
        belay_task *task = must(belay_spawn_with(sleeps, NULL, arg));

        CHECK_EQ(belay_yield(), 0);
        CHECK_EQ(belay_cancel_wait_placed("there:2", task, NULL, BELAY_SECOND, NULL), -ETIMEDOUT);
        belay_release(task);
        return 0;
}

static int to_stderr(void *arg) {
        return belay_run(misuses, arg);
}

/* A name or text that is too long is truncated, and the line is still complete. */
static void long_names(struct seen *seen) {
        static char name[5000];
        belay_spawn_options options = { .size = sizeof(options), .name = name };

        memset(name, 'x', sizeof(name) - 1);
        *seen = (struct seen) { 0 };
        CHECK_EQ(belay_run_with(warns, &options, VIRTUAL), 0);
        CHECK_EQ(seen->count, 1);
        CHECK(strlen(seen->line) < 1024);
        CHECK(strstr(seen->line, "xxxxxxxx") != NULL);
}

int main(void) {
        struct seen seen = { 0 };
        struct child child;

        belay_set_log(see, &seen);
        RUN_VIRTUAL(misuses);
        CHECK_EQ(seen.count, 1);
        CHECK_EQ(seen.level, BELAY_LOG_ERROR);
        CHECK_STR(seen.line, "misuse at there:1: the result of main is asked for before its end");
        RUN_VIRTUAL(warns);
        CHECK_EQ(seen.count, 2);
        CHECK_EQ(seen.level, BELAY_LOG_WARNING);
        CHECK(strstr(seen.line, "there:2") != NULL);
        CHECK_EQ(belay_run_with(misuses, NULL, BELAY_OPTIONS(belay_loop_options, .seed = 7)), 0);
        CHECK_EQ(seen.count, 4); /* the line about the seed comes first */
        long_names(&seen);

        belay_set_log(NULL, NULL);
        in_child(&child, to_stderr, NULL);
        CHECK_CHILD(&child, 0);
        CHECK_STR(child.text,
                  "belay: misuse at there:1: the result of main is asked for before its end\n");
        return 0;
}
