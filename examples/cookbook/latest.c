/* SPDX-License-Identifier: MIT */
/*
 * A queue that keeps the latest items, and drops the oldest when it is full.
 */
#include <belay.h>
#include <stdlib.h>

#include "check.h"

/* ---- the recipe ---- */

/*
 * Never waits. Returns how many items were dropped, or a failure; then `item` is still the
 * caller's.
 */
static int put_latest(belay_queue *queue, void *item, belay_destroy *destroy) {
        void *oldest;
        int dropped = 0, rc;

        while (belay_queue_full(queue) && belay_queue_try_get(queue, &oldest) == 0) {
                destroy(oldest);
                /* It will not be worked on: belay_queue_join() must not wait for it. */
                belay_queue_task_done(queue);
                dropped++;
        }
        rc = belay_queue_try_put(queue, item);
        return rc < 0 ? rc : dropped;
}

/* ---- the check ---- */

static unsigned destroyed;

static void count(void *item) {
        (void) item;
        destroyed++;
}

static int app(void *arg) {
        belay_queue *queue = belay_queue_new_with(
                BELAY_OPTIONS(belay_queue_options, .capacity = 3, .destroy = count));
        int items[10];
        void *item;

        (void) arg;
        check(queue != NULL && belay_queue_empty(queue));
        for (int i = 0; i < 10; i++)
                check(put_latest(queue, &items[i], count) == (i >= 3));
        check(destroyed == 7 && belay_queue_count(queue) == 3);
        check(belay_queue_get(queue, &item) == 0 && item == &items[7]);
        belay_queue_shutdown(queue, false);
        check(put_latest(queue, &items[0], count) == -ESHUTDOWN);
        check(belay_queue_free(queue) == 0 && destroyed == 9);
        return 0;
}

int main(void) {
        check(run_virtual(app) == 0);
        return 0;
}
