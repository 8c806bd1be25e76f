/* SPDX-License-Identifier: MIT */
/* The first failure of a member cancels the others, and the group waits for all of them. */
#include <belay.h>
#include <stdio.h>

struct source {
        const char *name;
        int seconds;
        bool is_broken;
};

static void say(const struct source *source, const char *text) {
        printf("%d s  %-7s  %s\n", (int) (belay_now() / BELAY_SECOND), source->name, text);
}

static int fetch(void *arg) {
        const struct source *source = arg;
        int rc = belay_sleep(source->seconds * BELAY_SECOND);

        if (rc == -ECANCELED) {
                say(source, "cancelled, cleans up for 2 s");
                if (belay_sleep(2 * BELAY_SECOND) == 0)
                        say(source, "cleanup is complete");
                return rc;
        }
        if (rc < 0)
                return rc;
        if (source->is_broken)
                return belay_fail(-EPROTO, "%s: bad checksum", source->name);
        say(source, "fetched");
        return 0;
}

static int fetch_all(struct source sources[], size_t count) {
        belay_group group;
        int rc = belay_group_enter(&group);

        for (size_t i = 0; i < count && rc == 0; i++)
                rc = belay_group_spawn(&group, fetch, &sources[i]);
        /* Leaving waits for the members, so they may point into the caller's stack. */
        return belay_group_leave(&group, rc);
}

static int app(void *arg) {
        struct source sources[] = {
                { "index", 1, false },
                { "data", 3, true },
                { "picture", 20, false },
        };
        int rc = fetch_all(sources, 3);

        (void) arg;
        if (rc == -EPROTO) {
                belay_failure *failure = belay_failure_take(rc);

                printf("%d s  the group failed: %s\n", (int) (belay_now() / BELAY_SECOND),
                       belay_failure_text(failure));
                belay_failure_release(failure);
                rc = 0;
        }
        return rc;
}

int main(void) {
        return belay_run_with(app, NULL,
                              BELAY_OPTIONS(belay_loop_options, .clock = BELAY_CLOCK_VIRTUAL))
               < 0;
}
