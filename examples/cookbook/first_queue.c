/* SPDX-License-Identifier: MIT */
/*
 * Take an item from the first of several queues, without losing one.
 */
#include <belay.h>

#include "check.h"

/* ---- the recipe ---- */

enum { MOST = 8 };

static int get_one(void *queue) {
        void *item = NULL;
        int rc = belay_queue_get(queue, &item);

        return rc < 0 ? rc : belay_set_value(item, NULL);
}

/*
 * Waits until at least one of the queues gives an item. Several queues may: items[i] is the item of
 * queues[i], or NULL. The caller owns these items, whatever the function returns.
 */
static int get_any(belay_queue *queues[], void *items[], size_t count) {
        belay_task *tasks[MOST] = { NULL };
        belay_group group;
        int outcome = 0, rc;

        if (count > MOST)
                return -E2BIG;
        rc = belay_group_enter_with(&group, BELAY_OPTIONS(belay_group_options, .supervise = true));
        if (rc < 0)
                return rc;
        for (size_t i = 0; i < count && rc == 0; i++)
                rc = belay_group_spawn_with(&group, get_one, queues[i], NULL, &tasks[i]);
        if (rc == 0)
                rc = belay_race(tasks, count, NULL, &outcome);
        rc = belay_group_leave(&group, rc);
        for (size_t i = 0; i < count; i++) {
                /* A loser that had an item before it was cancelled has it as its value. */
                items[i] = belay_take_value(tasks[i]);
                belay_release(tasks[i]);
        }
        return rc < 0 ? rc : outcome;
}

/* ---- the check ---- */

static belay_queue *queues[2];

static int put_both(void *arg) {
        (void) arg;
        check(belay_sleep(BELAY_SECOND) == 0);
        check(belay_queue_try_put(queues[0], "left") == 0);
        check(belay_queue_try_put(queues[1], "right") == 0);
        check(belay_sleep(BELAY_SECOND) == 0);
        return belay_queue_try_put(queues[1], "again");
}

static void cancel(void *task) {
        belay_cancel(task, "enough");
}

static int app(void *arg) {
        void *items[2];
        belay_task *task = belay_spawn(put_both, NULL);

        (void) arg;
        for (int i = 0; i < 2; i++)
                check((queues[i] = belay_queue_new(10)) != NULL);
        check(get_any(queues, items, 2) == 0);
        check(items[0] != NULL && strcmp(items[0], "left") == 0);
        /* The second queue's item was taken at the same instant, or is still in the queue. */
        check(items[1] != NULL || belay_queue_try_get(queues[1], &items[1]) == 0);
        check(strcmp(items[1], "right") == 0);

        check(get_any(queues, items, 2) == 0);
        check(items[0] == NULL && strcmp(items[1], "again") == 0);

        check(belay_later(BELAY_SECOND, cancel, belay_self()) != 0);
        check(get_any(queues, items, 2) == -ECANCELED);
        check(items[0] == NULL && items[1] == NULL);

        belay_release(task);
        for (int i = 0; i < 2; i++)
                check(belay_queue_free(queues[i]) == 0);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
