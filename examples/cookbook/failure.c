/* SPDX-License-Identifier: MIT */
/*
 * Failures with data of the program's own, and all failures of a group.
 */
#include <belay.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"

/* ---- the recipe ---- */

struct position {
        int line, column;
};

static int parse(void *arg) {
        int line = *(int *) arg;
        struct position *at = malloc(sizeof(*at));

        if (at == NULL)
                return -ENOMEM;
        *at = (struct position) { .line = line, .column = 1 };
        /* The failure owns the data. */
        return belay_fail_data(-EPROTO, at, free, "line %d is bad", line);
}

/* Prints what is known of a failure: of a group's, each one beneath it. */
static void print_failure(const belay_failure *failure) {
        const struct position *at = belay_failure_data(failure);

        if (belay_failure_count(failure) > 1) {
                for (size_t i = 0; i < belay_failure_count(failure); i++)
                        print_failure(belay_failure_at(failure, i));
        } else if (at != NULL) {
                fprintf(stderr, "%d:%d: %s\n", at->line, at->column, belay_failure_text(failure));
        } else {
                fprintf(stderr, "%s\n", strerror(-belay_failure_code(failure)));
        }
}

/* ---- the check ---- */

/* The failure of the other member cancels it, and it fails in its cleanup. */
static int parse_late(void *arg) {
        int rc = belay_sleep(BELAY_SECOND);

        return rc == -ECANCELED ? parse(arg) : rc;
}

static int app(void *arg) {
        int lines[] = { 3, 7 }, rc;
        belay_failure *failure, *kept;
        belay_group group;

        (void) arg;
        rc = belay_wait_for(parse, &lines[0], BELAY_SECOND);
        failure = belay_failure_take(rc);
        check(rc == -EPROTO && ((struct position *) belay_failure_data(failure))->line == 3);
        belay_failure_release(failure);

        check(belay_group_enter(&group) == 0);
        check(belay_group_spawn(&group, parse_late, &lines[1]) == 0);
        check(belay_yield() == 0);
        check(belay_group_spawn(&group, parse, &lines[0]) == 0);
        rc = belay_group_leave(&group, 0);
        check(rc == -EPROTO);
        failure = belay_failure_take(rc);
        check(belay_failure_code(failure) == -EPROTO && belay_failure_count(failure) == 2);
        check(strcmp(belay_failure_text(belay_failure_at(failure, 1)), "line 7 is bad") == 0);
        print_failure(failure);
        kept = belay_failure_ref(failure);
        belay_failure_release(failure);
        check(belay_failure_count(kept) == 2);
        belay_failure_release(kept);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
