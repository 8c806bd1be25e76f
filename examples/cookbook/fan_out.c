/* SPDX-License-Identifier: MIT */
/*
 * Fan out with a limit, and collect results and failures.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

struct item {
        int input;
        int result; /* or the failure's code; -EINPROGRESS if the item was not begun */
};

/* An item's result is in its own slot, which its task alone writes. */
static int work(void *arg) {
        struct item *item = arg;
        int rc = belay_sleep(BELAY_SECOND);

        if (rc == 0)
                rc = item->input % 5 == 0 ? -EINVAL : item->input * 2;
        item->result = rc;
        return rc < 0 && rc != -ECANCELED ? 0 : rc;
}

/* Works on all items, `at_once` of them at a time. A failure of one stops no other. */
static int work_on_all(struct item items[], size_t count, size_t at_once) {
        belay_group group;
        int rc = belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .limit = at_once,
                                                              .supervise = true, .name = "work"));

        if (rc < 0)
                return rc;
        for (size_t i = 0; i < count; i++)
                items[i].result = -EINPROGRESS;
        /* Waits for room where `at_once` are at work. */
        for (size_t i = 0; i < count && rc == 0; i++)
                rc = belay_group_spawn(&group, work, &items[i]);
        return belay_group_leave(&group, rc);
}

/* ---- the check ---- */

static struct item items[20];

static int all(void *arg) {
        (void) arg;
        return work_on_all(items, 20, 4);
}

static int app(void *arg) {
        int failed = 0, begun = 0;

        (void) arg;
        for (int i = 0; i < 20; i++)
                items[i].input = i;
        check(all(NULL) == 0);
        check(belay_now() == 5 * BELAY_SECOND);
        for (int i = 0; i < 20; i++) {
                check(items[i].result == (i % 5 == 0 ? -EINVAL : i * 2));
                failed += items[i].result < 0;
        }
        check(failed == 4);

        check(belay_wait_for(all, NULL, 3 * BELAY_SECOND / 2) == -ETIMEDOUT);
        for (int i = 0; i < 20; i++)
                begun += items[i].result != -EINPROGRESS;
        check(begun == 8 && items[7].result == -ECANCELED && items[3].result == 6);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
