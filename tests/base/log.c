/* SPDX-License-Identifier: MIT */
/*
 * Log lines go to the function of the program or to stderr. Each is one line, whatever its text
 * contains.
 */
#include "base/base.h"

#include "../base/help.h"

struct seen {
        unsigned count;
        belay_log_level level;
        char line[2048], expected[2048];
};

static void see(void *context, belay_log_level level, const char *line) {
        struct seen *seen = context;

        seen->count++;
        seen->level = level;
        snprintf(seen->line, sizeof(seen->line), "%s", line);
        errno = EBADMSG; /* which must not reach the code that logs */
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

/* Outside of loops, lines are neither counted nor limited. */
static void outside(struct seen *seen) {
        for (unsigned i = 1; i <= 100; i++) {
                errno = ENOENT;
                CHECK_EQ(bly_misuse(-EPERM, i % 2 ? "there:3" : NULL, "%s %u", "number", i),
                         -EPERM);
                CHECK_EQ(errno, ENOENT);
                CHECK_EQ(seen->count, i);
        }
        CHECK_STR(seen->line, "misuse at an unknown place: number 100");
        bly_log_limited(BELAY_LOG_NOTICE, NULL, "errno is %m");
        snprintf(seen->expected, sizeof(seen->expected), "errno is %s", strerror(ENOENT));
        CHECK_STR(seen->line, seen->expected);
        CHECK_EQ(seen->level, BELAY_LOG_NOTICE);
        bly_log(BELAY_LOG_WARNING, "%s", "not\nlimited");
        CHECK_STR(seen->line, "not?limited");
        CHECK_EQ(errno, ENOENT);
}

/* A call site and a text that are too long. The number of omitted lines has room after them. */
static void too_long(struct seen *seen) {
        static char place[700], text[3000];

        memset(place, 'p', sizeof(place) - 1);
        memset(text, 't', sizeof(text) - 1);
        bly_misuse(-EPERM, place, "%s", text);
        CHECK_EQ(strlen(seen->line), 1024 - 64 - 1);
        CHECK_EQ(strncmp(seen->line, "misuse at ppp", 13), 0);
        CHECK_EQ(strspn(seen->line + 511, "t"), 1024 - 64 - 1 - 511);
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
        seen = (struct seen) { 0 };
        outside(&seen);
        too_long(&seen);

        belay_set_log(NULL, NULL);
        in_child(&child, to_stderr, NULL);
        CHECK_CHILD(&child, 0);
        CHECK_STR(child.text,
                  "belay: misuse at there:1: the result of main is asked for before its end\n");
        return 0;
}
